"""Types and classes, twinned with what C does."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from population import heard, registered
from pyqemu_edu.process import Process
from pyqemu_edu.qom import klass as qom_klass
from pyqemu_edu.qom.klass import (
    object_check,
    object_class_by_name,
    object_class_dynamic_cast,
    object_class_foreach,
    object_dynamic_cast,
)
from pyqemu_edu.qom.object import object_new
from pyqemu_edu.qom.struct import InterfaceClass, Object, ObjectClass, TypeImpl, TypeInfo
from pyqemu_edu.qom.type import (
    trace_class_base_init,
    trace_class_init,
    trace_type_initialize,
    trace_type_new,
    type_get_by_name,
    type_initialize,
    type_register,
    type_register_static,
)
from pyqemu_edu.util.error import QemuAbort


@pytest.fixture(name="process", autouse=True)
def start_process() -> Iterator[Process]:
    with registered() as process:
        yield process


@dataclass(eq=False)
class AnimalClass(ObjectClass):
    legs: int = 0
    sound: str = ""


@dataclass(eq=False)
class SwimmerClass(InterfaceClass):
    strokes: int = 0


def initialized(name: str) -> Any:
    type = type_get_by_name(name)
    assert type
    return type_initialize(type)


def test_registering_initialises_nothing():
    """`type_register_static` fills a TypeImpl and puts it in the table; `ti->class` stays NULL."""
    ti = type_register_static(TypeInfo("animal", parent="object", class_struct=AnimalClass))
    assert ti.klass is None
    assert type_get_by_name("animal") is ti


def test_a_parent_may_be_registered_after_its_child():
    """`type_get_parent` looks the name up when it is first needed."""
    type_register_static(TypeInfo("cat", parent="animal"))
    type_register_static(TypeInfo("animal", parent="object", class_struct=AnimalClass))
    assert isinstance(initialized("cat"), AnimalClass)


def test_a_name_can_be_taken_once():
    with pytest.raises(QemuAbort) as abort:
        type_register_static(TypeInfo("spike-machine", parent="machine"))
    assert str(abort.value) == "Registering `spike-machine' which already exists"


def test_a_type_must_name_its_parent():
    with pytest.raises(QemuAbort) as abort:
        type_register(TypeInfo("orphan"))
    assert str(abort.value) == (
        "qemu-system-riscv64: ../../qom/object.c:151: type_register: Assertion `info->parent' failed."
    )


def test_a_parent_that_nobody_registers_is_missed_at_initialisation():
    type_register_static(TypeInfo("orphan", parent="nosuchparent"))
    with pytest.raises(QemuAbort) as abort:
        initialized("orphan")
    assert str(abort.value) == "Type 'orphan' is missing its parent 'nosuchparent'"


def test_a_missing_interface_is_blamed_on_the_parent():
    """`error_report("missing interface '%s' for object '%s'", ..., parent->name)`."""
    type_register_static(TypeInfo("wants", parent="object", interfaces=("nosuchiface",)))
    with pytest.raises(QemuAbort) as abort:
        initialized("wants")
    assert str(abort.value) == "qemu-system-riscv64: missing interface 'nosuchiface' for object 'object'"


def test_nothing_can_be_registered_during_an_enumeration():
    """`assert(!enumerating_types)` in `type_table_add`."""
    with pytest.raises(QemuAbort, match="type_table_add: Assertion `!enumerating_types' failed"):
        object_class_foreach(lambda klass: void(type_register_static(TypeInfo("late", parent="object"))))
    type_register_static(TypeInfo("later", parent="object"))


def void(_: object) -> None:
    pass


def test_a_class_is_copied_from_its_parent_by_value():
    """`memcpy(ti->class, parent->class, parent->class_size)`: what the parent's class becomes later does not count."""

    def four_legs(klass: AnimalClass) -> None:
        klass.legs = 4

    type_register_static(TypeInfo("animal", parent="object", class_struct=AnimalClass, class_init=four_legs))
    type_register_static(TypeInfo("cat", parent="animal"))
    cat = initialized("cat")
    assert cat.legs == 4
    initialized("animal").legs = 100
    assert cat.legs == 4


def test_a_childs_class_init_sees_what_its_parents_has_said_and_overrides_it():
    def parent_init(klass: AnimalClass) -> None:
        klass.legs, klass.sound = 4, "?"

    def child_init(klass: AnimalClass) -> None:
        assert klass.legs == 4
        klass.sound = "meow"

    type_register_static(TypeInfo("animal", parent="object", class_struct=AnimalClass, class_init=parent_init))
    type_register_static(TypeInfo("cat", parent="animal", class_init=child_init))
    assert (initialized("cat").legs, initialized("cat").sound, initialized("animal").sound) == (4, "meow", "?")


def test_base_inits_run_nearest_first_on_the_new_class_with_its_own_data():
    """`parent->class_base_init(ti->class, ti->class_data)` for parent, grandparent, ...; never the type's own."""
    calls: list[tuple[str, str, object]] = []

    def base_init(name: str) -> Any:
        return lambda klass: calls.append((name, klass.type.name, klass.type.class_data))

    type_register_static(TypeInfo("a", parent="object", class_base_init=base_init("a"), class_data="A"))
    type_register_static(TypeInfo("b", parent="a", class_base_init=base_init("b"), class_data="B"))
    type_register_static(TypeInfo("c", parent="b", class_base_init=base_init("c"), class_data="C"))
    initialized("c")
    assert calls == [("a", "b", "B"), ("b", "c", "C"), ("a", "c", "C")]


def test_a_hart_is_initialised_ancestors_first_each_with_its_interfaces():
    with heard(trace_type_initialize, trace_class_base_init, trace_class_init) as events:
        initialized("rv64-riscv-cpu")
    order = [(name, *[type.name for type in types]) for name, *types in events]
    inits = [types[0] for name, *types in order if name == "class_init"]
    assert [name for name in inits if "::" not in name and name not in ("vmstate-if", "interface", "resettable")] == [
        "object",
        "device",
        "cpu",
        "riscv-cpu",
        "rv64-riscv-cpu",
    ]
    assert inits.index("cpu::vmstate-if") < inits.index("cpu::resettable") < inits.index("cpu")
    assert ("class_base_init", "device", "cpu") in order


def test_an_implementation_of_an_interface_is_in_no_table():
    """`type_new` makes "cpu::resettable", but nobody calls `type_table_add`."""
    with heard(trace_type_new) as events:
        initialized("cpu")
    made = [type.name for _, type in events if isinstance(type, TypeImpl)]
    assert "cpu::resettable" in made
    assert type_get_by_name("cpu::resettable") is None


def test_a_struct_must_begin_with_its_parents():
    """C asserts that it is not smaller; here a class struct that is none of the parent's kind is told apart by name."""
    type_register_static(TypeInfo("animal", parent="object", class_struct=AnimalClass))
    type_register_static(TypeInfo("robot", parent="animal", class_struct=SwimmerClass))
    with pytest.raises(QemuAbort, match=r"Type 'robot' has the struct SwimmerClass, which .* parent's, AnimalClass"):
        initialized("robot")


def test_interfaces_are_inherited_and_their_methods_copied():
    """The parent of "T::I" is "P::I", so what P's implementation says is T's unless T overrides it."""

    def dog_init(klass: AnimalClass) -> None:
        object_class_check_swimmer(klass).strokes = 7

    type_register_static(TypeInfo("swimmer", parent="interface", class_struct=SwimmerClass))
    type_register_static(TypeInfo("dog", parent="object", class_init=dog_init, interfaces=("swimmer",)))
    type_register_static(TypeInfo("puppy", parent="dog", interfaces=("swimmer",)))
    puppy = initialized("puppy")
    assert [iface.type.name for iface in puppy.interfaces] == ["puppy::swimmer"]
    assert object_class_check_swimmer(puppy).strokes == 7
    assert object_class_check_swimmer(puppy).concrete_class is puppy
    assert object_class_check_swimmer(puppy).type.parent == "dog::swimmer"


def object_class_check_swimmer(klass: ObjectClass) -> SwimmerClass:
    return qom_klass.object_class_check(klass, SwimmerClass, "swimmer")


def test_a_type_whose_instances_have_no_size_is_abstract():
    """`if (ti->instance_size == 0) ti->abstract = true`: the resettable interface, for one, does not say so."""
    assert initialized("resettable").type.abstract


# ---- casts, with the answers of the reference


def hart_class() -> ObjectClass:
    return initialized("rv64-riscv-cpu")


@pytest.mark.parametrize("name", ["rv64-riscv-cpu", "riscv-cpu", "cpu", "device", "object"])
def test_a_class_cast_to_an_ancestor_is_itself(name):
    assert object_class_dynamic_cast(hart_class(), name) is hart_class()


@pytest.mark.parametrize(
    ("source", "target", "expected"),
    [
        ("rv64-riscv-cpu", "resettable", "rv64-riscv-cpu::resettable"),
        ("rv64-riscv-cpu", "vmstate-if", "rv64-riscv-cpu::vmstate-if"),
        ("rv64-riscv-cpu", "interface", None),
        ("rv64-riscv-cpu", "machine", None),
        ("rv64-riscv-cpu", "user-creatable", None),
        ("rv64-riscv-cpu", "nosuchtype", None),
        ("rv64-riscv-cpu", "sys-bus-device", None),
        ("spike-machine", "machine", "spike-machine"),
        ("spike-machine", "hotplug-handler", None),
        ("spike-machine", "interface", None),
        ("virt-machine", "hotplug-handler", "virt-machine::hotplug-handler"),
        ("virt-machine", "interface", "virt-machine::hotplug-handler"),
        ("memory-backend-ram", "user-creatable", "memory-backend-ram::user-creatable"),
        ("memory-backend-ram", "interface", "memory-backend-ram::user-creatable"),
    ],
)
def test_a_class_cast_to_an_interface_is_its_implementation_if_there_is_just_one(source, target, expected):
    found = object_class_dynamic_cast(object_class_by_name(source), target)
    assert (found and found.type.name) == expected


def test_an_object_cast_to_an_interface_stays_the_object():
    obj = object_new("irq")
    assert object_dynamic_cast(obj, "object") is obj
    assert object_dynamic_cast(obj, "resettable") is None
    assert object_dynamic_cast(None, "object") is None


def test_a_wrong_cast_aborts_and_names_the_place():
    """`%s:%d:%s: Object %p is not an instance of type %s`, in a build with --enable-qom-cast-debug."""
    with pytest.raises(
        QemuAbort, match=r"test_qom_types\.py:\d+:test_a_wrong_cast\w+: Object 0x\w+ is not an instance"
    ):
        object_check(object_new("irq"), Object, "machine")


def test_without_cast_debugging_a_wrong_cast_passes_as_in_debians_build():
    qom_klass.statics().qom_cast_debug = False
    obj = object_new("irq")
    assert object_check(obj, Object, "machine") is obj
