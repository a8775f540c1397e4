"""The life of an object, twinned with what C does."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from population import heard, registered
from pyqemu_edu.process import Process
from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.link import object_property_add_child
from pyqemu_edu.qom.object import (
    object_initialize,
    object_new,
    object_ref,
    object_unparent,
    object_unref,
    trace_instance_finalize,
    trace_instance_init,
    trace_instance_post_init,
)
from pyqemu_edu.qom.path import object_get_root
from pyqemu_edu.qom.property import trace_object_property_release
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import type_register_static
from pyqemu_edu.qom.user_creatable import object_initialize_child
from pyqemu_edu.softmmu.physmem import cpu_exec_init_all
from pyqemu_edu.util.error import QemuAbort, QemuExit

DATA = Path(__file__).parent / "data"


@pytest.fixture(name="process", autouse=True)
def start_process() -> Iterator[Process]:
    with registered() as process:
        yield process


def hooked(name: str, parent: str) -> None:
    def hook(obj: Any) -> None:
        """Only there to be called."""

    type_register_static(
        TypeInfo(name, parent=parent, instance_init=hook, instance_post_init=hook, instance_finalize=hook)
    )


def test_init_goes_down_the_chain_post_init_and_finalize_go_up():
    """`object_init_with_type` recurses first, `object_post_init_with_type` and `object_deinit` last."""
    for name, parent in [("a", "object"), ("b", "a"), ("c", "b")]:
        hooked(name, parent)
    with heard(trace_instance_init, trace_instance_post_init, trace_instance_finalize) as events:
        object_unref(object_new("c"))
    order = [(event.removeprefix("instance_"), type.name) for event, type, _ in events]
    assert order == [
        *[("init", name) for name in "abc"],
        *[("post_init", name) for name in "cba"],
        *[("finalize", name) for name in "cba"],
    ]


@pytest.mark.parametrize(
    ("typename", "text"),
    [
        ("machine", "510:object_initialize_with_type: assertion failed: (type->abstract == false)"),
        ("nosuch", "721:object_new_with_type: assertion failed: (type != NULL)"),
        (
            "resettable",
            "509:object_initialize_with_type: assertion failed: (type->instance_size >= sizeof(Object))",
        ),
    ],
)
def test_what_cannot_be_made_aborts_in_the_references_words(typename, text):
    with pytest.raises(QemuAbort) as abort:
        object_new(typename)
    assert str(abort.value) == f"ERROR:../../qom/object.c:{text}"


def test_making_an_unknown_type_inside_another_object_ends_the_process(process):
    """`error_report("missing object type '%s'", typename); exit(1)`."""
    with pytest.raises(QemuExit) as exit:
        object_initialize("nosuch")
    assert exit.value.status == 1
    assert process.stderr.getvalue() == "qemu-system-riscv64: missing object type 'nosuch'\n"


def test_references_as_gdb_counted_them():
    """New: 1.  Owned: 2.  Given up by its maker: 1.  Unparented: gone."""
    finalized: list[Object] = []
    type_register_static(TypeInfo("thing", parent="object", instance_finalize=finalized.append))
    obj = object_new("thing")
    assert obj.ref == 1
    object_property_add_child(object_get_root(), "thing", obj)
    assert (obj.ref, obj.parent) == (2, object_get_root())
    object_unref(obj)
    assert obj.ref == 1
    object_unparent(obj)
    assert (obj.ref, obj.parent, finalized) == (0, None, [obj])


def test_a_child_made_in_place_is_its_parents_alone():
    child = object_initialize_child(object_get_root(), "kid", "container")
    assert (child.ref, child.free, child.parent) == (1, None, object_get_root())


def test_a_dead_object_cannot_be_given_up_again():
    obj = object_new("container")
    object_unref(obj)
    with pytest.raises(QemuAbort) as abort:
        object_unref(obj)
    assert str(abort.value) == "ERROR:../../qom/object.c:1198:object_unref: assertion failed: (obj->ref > 0)"


def test_an_object_has_at_most_one_owner():
    obj = container_get(object_get_root(), "/here")
    with pytest.raises(QemuAbort) as abort:
        object_property_add_child(object_get_root(), "there", obj)
    assert str(abort.value) == (
        "qemu-system-riscv64: ../../qom/object.c:1757: object_property_try_add_child: "
        "Assertion `!child->parent' failed."
    )


def test_a_name_is_given_to_one_child_only():
    container_get(object_get_root(), "/here")
    with pytest.raises(QemuAbort) as abort:
        object_property_add_child(object_get_root(), "here", object_new("container"))
    assert str(abort.value) == (
        "Unexpected error in object_property_try_add() at ../../qom/object.c:1238:\n"
        "qemu-system-riscv64: attempt to add duplicate property 'here' to object (type 'container')"
    )


def test_none_has_no_references():
    assert object_ref(None) is None
    object_unref(None)


def test_children_die_with_their_owner_before_it():
    deaths: list[str] = []

    def finalize(name: str) -> Any:
        return lambda obj: deaths.append(name)

    type_register_static(TypeInfo("owner", parent="object", instance_finalize=finalize("owner")))
    type_register_static(TypeInfo("owned", parent="object", instance_finalize=finalize("owned")))
    owner = object_new("owner")
    object_initialize_child(owner, "kid", "owned")
    object_unref(owner)
    assert deaths == ["owned", "owner"]


def test_a_hart_dies_as_gdb_saw_it_die():
    """84 properties are released in the table's order, then cpu and device are finalised."""
    expected = [
        line.split(" ", 1)
        for line in (DATA / "gdb_finalize_order.txt").read_text().partition("\n== new/unref memory")[0].splitlines()
        if line.startswith(("PROPRELEASE", "FINALIZE"))
    ]
    container_get(object_get_root(), "/machine/unattached")
    cpu_exec_init_all()
    cpu = object_new("rv64-riscv-cpu")
    with heard(trace_object_property_release, trace_instance_finalize) as events:
        object_unref(cpu)
    seen = [
        ["PROPRELEASE", what.name] if event == "object_property_release" else ["FINALIZE", obj.name]
        for event, obj, what in events
        if cpu in (obj, what)
    ]
    assert seen == expected
