"""Properties and paths, twinned with what C does."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from population import heard, registered
from pyqemu_edu.process import Process
from pyqemu_edu.qapi.qobject_visitor import KeyvalInputVisitor, QObjectInputVisitor, QObjectOutputVisitor
from pyqemu_edu.qapi.string_visitor import StringInputVisitor, StringOutputVisitor, size_to_str
from pyqemu_edu.qapi.visitor import (
    Visitor,
    visit_check_struct,
    visit_end_struct,
    visit_optional,
    visit_start_struct,
    visit_type_bool,
    visit_type_int,
    visit_type_int8,
    visit_type_list,
    visit_type_size,
    visit_type_str,
    visit_type_uint8,
    visit_type_uint64,
)
from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.globals import (
    GlobalProperty,
    object_apply_compat_props,
    object_register_sugar_prop,
    object_set_machine_compat_props,
)
from pyqemu_edu.qom.link import (
    ObjectPropertyLinkFlags,
    object_property_add_alias,
    object_property_add_child,
    object_property_add_const_link,
    object_property_add_link,
    object_property_allow_set_link,
    object_property_get_link,
    object_property_set_link,
)
from pyqemu_edu.qom.object import object_new, object_unref
from pyqemu_edu.qom.path import (
    object_get_canonical_path,
    object_get_root,
    object_resolve_path,
    object_resolve_path_ambiguous,
    object_resolve_path_at,
)
from pyqemu_edu.qom.property import (
    object_class_property_add,
    object_property_add,
    object_property_del,
    object_property_get_bool,
    object_property_get_int,
    object_property_get_qobject,
    object_property_get_str,
    object_property_get_type,
    object_property_get_uint,
    object_property_iter,
    object_property_parse,
    object_property_print,
    object_property_set_default,
    object_property_set_qobject,
    object_property_set_str,
    object_property_try_add,
    trace_object_property_add,
)
from pyqemu_edu.qom.property_types import (
    ObjectPropertyFlags,
    Pointer,
    object_class_property_add_bool,
    object_class_property_add_str,
    object_property_add_bool,
    object_property_add_enum,
    object_property_add_tm,
    object_property_add_uint32_ptr,
    object_property_get_enum,
)
from pyqemu_edu.qom.qom_hmp_cmds import hmp_info_qom_tree, hmp_qom_list
from pyqemu_edu.qom.qom_qmp_cmds import qmp_qom_get, qmp_qom_list, qmp_qom_list_properties, qmp_qom_set
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_register_static
from pyqemu_edu.util.error import QemuAbort, QemuError, QemuExit

COLOURS = ("red", "green", "blue")


@dataclass(eq=False)
class Lamp(Object):
    """A type with one property of every kind."""

    on: bool = False
    colour: int = 0
    watts: int = 40
    label: str = ""
    near: Object | None = None


def lamp_get_on(lamp: Lamp) -> bool:
    return lamp.on


def lamp_set_on(lamp: Lamp, on: bool) -> None:
    lamp.on = on


def lamp_class_init(klass: ObjectClass) -> None:
    prop = object_class_property_add_bool(klass, "on", lamp_get_on, lamp_set_on)
    object_property_set_default(prop, True)
    object_class_property_add_str(klass, "label", lambda lamp: lamp.label)


def lamp_init(lamp: Lamp) -> None:
    object_property_add_enum(
        lamp, "colour", "Colour", COLOURS, lambda lamp: lamp.colour, lambda lamp, value: setattr(lamp, "colour", value)
    )
    object_property_add_uint32_ptr(lamp, "watts", Pointer(lamp, "watts"), ObjectPropertyFlags.READWRITE)
    object_property_add_link(
        lamp,
        "near",
        "container",
        Pointer(lamp, "near"),
        object_property_allow_set_link,
        ObjectPropertyLinkFlags.STRONG,
    )


@pytest.fixture(name="process", autouse=True)
def start_process() -> Iterator[Process]:
    with registered() as process:
        type_register_static(
            TypeInfo("lamp", parent="object", instance_struct=Lamp, class_init=lamp_class_init, instance_init=lamp_init)
        )
        type_register_static(TypeInfo("desk.lamp", parent="lamp"))
        yield process


@pytest.fixture(name="lamp")
def make_lamp() -> Any:
    lamp = object_new("lamp")
    object_property_add_child(object_get_root(), "lamp", lamp)
    return lamp


# ---- values


def test_a_class_property_with_a_default_is_set_before_instance_init(lamp):
    assert lamp.on


@pytest.mark.parametrize(
    ("name", "text", "value"),
    [("on", "off", False), ("on", "yes", True), ("colour", "blue", "blue"), ("watts", "0x10", 16), ("watts", "010", 8)],
)
def test_a_property_takes_text(lamp, name, text, value):
    object_property_parse(lamp, name, text)
    assert object_property_get_qobject(lamp, name) == value


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("on", "maybe", "Parameter 'on' expects 'on' or 'off'"),
        ("colour", "grey", "Parameter 'colour' does not accept value 'grey'"),
        ("watts", "many", "Parameter 'watts' expects uint64"),
        ("watts", "0x100000000", "Parameter 'watts' expects uint32_t"),
        ("type", "torch", "Property 'lamp.type' is not writable"),
        ("label", "x", "Property 'lamp.label' is not writable"),
        ("nosuch", "x", "Property 'lamp.nosuch' not found"),
        ("near", "/nosuch", "Device '/nosuch' not found"),
        ("near", "/lamp", "Invalid parameter type for 'near', expected: container"),
    ],
)
def test_a_property_refuses_text_in_qemus_words(lamp, name, text, message):
    with pytest.raises(QemuError) as error:
        object_property_parse(lamp, name, text)
    assert error.value.message == message


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("on", "on", "Invalid parameter type for 'on', expected: boolean"),
        ("on", 1, "Invalid parameter type for 'on', expected: boolean"),
        ("colour", 1, "Invalid parameter type for 'colour', expected: string"),
        ("watts", "1", "Parameter 'watts' expects uint64"),
        ("watts", True, "Parameter 'watts' expects uint64"),
    ],
)
def test_a_property_refuses_data_of_the_wrong_type(lamp, name, value, message):
    with pytest.raises(QemuError) as error:
        object_property_set_qobject(lamp, name, value)
    assert error.value.message == message


def test_a_property_prints_itself_for_programs_and_for_people(lamp):
    shown = {name: object_property_print(lamp, name, human=True) for name in ("on", "colour", "watts", "type")}
    assert shown == {"on": "true", "colour": '"red"', "watts": "40 (0x28)", "type": '"lamp"'}
    assert object_property_print(lamp, "watts") == "40"


def test_an_enum_is_a_word_outside_and_an_index_inside(lamp):
    object_property_set_str(lamp, "colour", "green")
    assert lamp.colour == object_property_get_enum(lamp, "colour", "Colour") == 1
    with pytest.raises(QemuError, match="Property colour on lamp is not 'Shape' enum type"):
        object_property_get_enum(lamp, "colour", "Shape")


def test_the_typed_getters_refuse_other_types(lamp):
    for get, name, type in [
        (object_property_get_str, "on", "string"),
        (object_property_get_bool, "type", "boolean"),
        (object_property_get_int, "on", "int"),
        (object_property_get_uint, "type", "uint"),
    ]:
        with pytest.raises(QemuError) as error:
            get(lamp, name)
        assert error.value.message == f"Invalid parameter type for '{name}', expected: {type}"


def test_a_time_counts_as_c_does(lamp):
    object_property_add_tm(lamp, "date", lambda lamp: time.struct_time((2022, 12, 14, 16, 30, 5, 2, 348, 0)))
    assert object_property_get_qobject(lamp, "date") == {
        "tm_year": 122,
        "tm_mon": 11,
        "tm_mday": 14,
        "tm_hour": 16,
        "tm_min": 30,
        "tm_sec": 5,
    }


def test_a_property_without_get_is_not_readable(lamp):
    object_property_add(lamp, "secret", "string")
    with pytest.raises(QemuError, match=r"Property 'lamp\.secret' is not readable"):
        object_property_get_str(lamp, "secret")


# ---- adding, finding, listing


def test_a_star_takes_the_first_free_number(lamp):
    names = [object_property_try_add(lamp, "bulb[*]", "string").name for _ in range(3)]
    object_property_del(lamp, "bulb[1]")
    names.append(object_property_try_add(lamp, "bulb[*]", "string").name)
    assert names == ["bulb[0]", "bulb[1]", "bulb[2]", "bulb[1]"]


def test_a_name_of_a_class_property_is_taken_too(lamp):
    with pytest.raises(QemuError) as error:
        object_property_try_add(lamp, "on", "bool")
    assert error.value.message == "attempt to add duplicate property 'on' to object (type 'lamp')"


def test_a_class_property_cannot_be_added_twice(lamp):
    """`assert(!object_class_property_find(klass, name))`."""
    with pytest.raises(QemuAbort, match="Assertion `!object_class_property_find"):
        object_class_property_add(lamp.klass, "type", "string")


def test_an_ancestors_class_property_is_found_before_ones_own(lamp):
    """`object_class_property_find` asks the parent's class first."""
    desk_lamp = object_new("desk.lamp")
    object_property_add_bool(desk_lamp, "dimmed", lambda lamp: True)
    assert object_property_get_type(desk_lamp, "type") == "string"
    assert [prop.name for prop in object_property_iter(desk_lamp)][-3:] == ["on", "label", "type"]


def test_every_property_is_announced():
    with heard(trace_object_property_add) as events:
        object_new("lamp")
    assert [prop.name for _, _, prop in events if hasattr(prop, "name")] == ["colour", "watts", "near"]


# ---- child, link, alias


def test_a_child_reads_as_its_path_and_cannot_be_set(lamp):
    root = object_get_root()
    assert object_property_get_type(root, "lamp") == "child<lamp>"
    assert object_property_get_str(root, "lamp") == "/lamp"
    with pytest.raises(QemuError, match=r"Property 'container\.lamp' is not writable"):
        object_property_set_str(root, "lamp", "/")


def test_a_strong_link_moves_its_reference(lamp):
    here, there = (container_get(object_get_root(), path) for path in ("/here", "/there"))
    object_property_set_link(lamp, "near", here)
    assert (object_property_get_link(lamp, "near"), here.ref) == (here, 2)
    object_property_set_str(lamp, "near", "there")
    assert (here.ref, there.ref) == (1, 2)
    object_property_set_link(lamp, "near", None)
    assert (object_property_get_str(lamp, "near"), there.ref) == ("", 1)


def test_a_link_gives_its_reference_up_when_its_owner_dies():
    here = container_get(object_get_root(), "/here")
    lamp = object_new("lamp")
    object_property_set_link(lamp, "near", here)
    object_unref(lamp)
    assert here.ref == 1


def test_an_ambiguous_path_is_not_a_target(lamp):
    for path in ("/a/spot", "/b/spot"):
        container_get(object_get_root(), path)
    with pytest.raises(QemuError, match="Path 'spot' does not uniquely identify an object"):
        object_property_set_str(lamp, "near", "spot")


def test_a_constant_link_cannot_be_set(lamp):
    object_property_add_const_link(lamp, "twin", lamp)
    assert object_property_get_link(lamp, "twin") is lamp
    with pytest.raises(QemuError, match="is not writable"):
        object_property_set_link(lamp, "twin", None)


def test_an_alias_is_another_name_and_errors_use_it(lamp):
    house = container_get(object_get_root(), "/house")
    object_property_add_alias(house, "light", lamp, "on")
    object_property_parse(house, "light", "off")
    assert not lamp.on
    with pytest.raises(QemuError, match="Parameter 'light' expects 'on' or 'off'"):
        object_property_parse(house, "light", "dim")


def test_an_alias_of_a_child_is_a_link(lamp):
    house = container_get(object_get_root(), "/house")
    object_property_add_alias(house, "lamp", object_get_root(), "lamp")
    assert object_property_get_type(house, "lamp") == "link<lamp>"
    assert object_resolve_path("/house/lamp") is lamp


# ---- paths


@pytest.fixture(name="tree")
def make_tree() -> None:
    for path in ("/machine/soc0/harts[0]/irq", "/machine/soc0/harts[1]/irq", "/machine/unattached/sysbus", "/objects"):
        container_get(object_get_root(), path)


@pytest.mark.parametrize(
    ("path", "found"),
    [
        ("harts[0]", "/machine/soc0/harts[0]"),
        ("soc0/harts[1]", "/machine/soc0/harts[1]"),
        ("sysbus", "/machine/unattached/sysbus"),
        ("machine", "/machine"),
        ("/machine/soc0/", "/machine/soc0"),
        ("//machine", "/machine"),
        ("/", "/"),
        ("", None),
        ("irq", None),
        ("harts", None),
        ("/nosuch", None),
    ],
)
def test_paths_lead_where_they_lead_in_qemu(tree, path, found):
    obj = object_resolve_path(path)
    assert (obj and object_get_canonical_path(obj)) == found


def test_a_partial_path_that_fits_twice_is_ambiguous(tree):
    assert object_resolve_path_ambiguous("irq") == (None, True)
    with pytest.raises(QemuError, match="Path 'irq' is ambiguous"):
        qmp_qom_list("irq")
    with pytest.raises(QemuError, match="Device 'irq' not found"):
        qmp_qom_get("irq", "type")


def test_a_path_can_start_at_an_object(tree):
    soc = object_resolve_path("/machine/soc0")
    assert soc
    assert object_resolve_path_at(soc, "harts[1]/irq") is object_resolve_path("/machine/soc0/harts[1]/irq")
    assert object_resolve_path_at(soc, "/machine") is object_resolve_path("/machine")


def test_an_object_outside_of_the_tree_has_no_path():
    assert object_get_canonical_path(object_new("container")) is None


def test_the_tree_prints_as_info_qom_tree_does(tree):
    assert hmp_info_qom_tree("/machine/soc0") == (
        "/soc0 (container)\n"
        "  /harts[0] (container)\n"
        "    /irq (container)\n"
        "  /harts[1] (container)\n"
        "    /irq (container)\n"
    )
    assert hmp_info_qom_tree("/nosuch") == "Path '/nosuch' could not be resolved.\n"
    assert hmp_qom_list("/machine/soc0").splitlines()[0] == "type (string)"


def test_qmp_sets_and_lists(lamp):
    qmp_qom_set("/lamp", "watts", 60)
    assert qmp_qom_get("lamp", "watts") == 60
    assert {prop.name for prop in qmp_qom_list_properties("lamp")} == {
        "type",
        "label",
        "on",
        "near",
        "watts",
        "colour",
    }
    with pytest.raises(QemuError, match="Parameter 'typename' expects a QOM type"):
        qmp_qom_list_properties("interface")


# ---- defaults from outside


def test_the_last_default_that_fits_wins_and_must_fit(lamp, process):
    object_set_machine_compat_props([GlobalProperty("lamp", "watts", "10"), GlobalProperty("object", "watts", "20")])
    object_register_sugar_prop("lamp", "nosuch", "1", True)
    object_register_sugar_prop("machine", "nosuch", "1", False)
    object_apply_compat_props(lamp)
    assert lamp.watts == 20
    object_register_sugar_prop("lamp", "on", "perhaps", False)
    with pytest.raises(QemuExit):
        object_apply_compat_props(lamp)
    assert process.stderr.getvalue() == (
        "qemu-system-riscv64: can't apply global lamp.on=perhaps: Parameter 'on' expects 'on' or 'off'\n"
    )


def test_a_machines_defaults_are_set_once():
    object_set_machine_compat_props([])
    with pytest.raises(
        QemuAbort, match=r"object_set_machine_compat_props: Assertion `!object_compat_props\[1\]' failed"
    ):
        object_set_machine_compat_props([])


# ---- visitors


def visit_smp(v: Visitor, name: str) -> tuple[int, int | None]:
    visit_start_struct(v, name)
    try:
        cpus = visit_type_int(v, "cpus")
        cores = visit_type_int(v, "cores") if visit_optional(v, "cores") else None
        visit_check_struct(v)
    finally:
        visit_end_struct(v)
    return cpus, cores


def test_a_struct_comes_in_from_json_and_from_options():
    assert visit_smp(QObjectInputVisitor({"cpus": 2}), "smp") == (2, None)
    assert visit_smp(KeyvalInputVisitor({"cpus": "2", "cores": "0x2"}), "smp") == (2, 2)


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ({"smp": {"cpus": "x"}}, "Parameter 'smp.cpus' expects integer"),
        ({"smp": {"cpus": "1", "foo": "2"}}, "Parameter 'smp.foo' is unexpected"),
        ({"smp": {}}, "Parameter 'smp.cpus' is missing"),
        ({"smp": "4"}, "Invalid parameter type for 'smp', expected: object"),
        ({"smp": {"cpus": {"a": "1"}}}, "Parameters 'smp.cpus.*' are unexpected"),
    ],
)
def test_options_are_refused_by_their_full_name(value, message):
    v = KeyvalInputVisitor(value)
    visit_start_struct(v, None)
    with pytest.raises(QemuError) as error:
        visit_smp(v, "smp")
    assert error.value.message == message


def test_a_list_goes_out_and_comes_in():
    out = QObjectOutputVisitor()
    visit_start_struct(out, None)
    visit_type_list(out, "nodes", [1, 2, 3], visit_type_int)
    visit_end_struct(out)
    assert out.root == {"nodes": [1, 2, 3]}
    v = QObjectInputVisitor({"nodes": [1, "2"]})
    visit_start_struct(v, None)
    with pytest.raises(QemuError, match=r"Invalid parameter type for 'nodes\[1\]', expected: integer"):
        visit_type_list(v, "nodes", [], visit_type_int)


def test_sizes_have_suffixes_and_numbers_have_limits():
    assert visit_type_size(KeyvalInputVisitor("1.5G"), "size") == 3 << 29
    assert visit_type_size(StringInputVisitor("64k"), "size") == 65536
    assert visit_type_uint64(StringInputVisitor("-1"), "n") == 2**64 - 1
    for visit, text, type in [(visit_type_uint8, "256", "uint8_t"), (visit_type_int8, "128", "int8_t")]:
        with pytest.raises(QemuError, match=f"Parameter 'n' expects {type}"):
            visit(StringInputVisitor(text), "n")


def test_sizes_are_shown_with_three_digits():
    """`size_to_str` of 128 MiB, as `info qtree` shows it."""
    assert [size_to_str(size) for size in (1, 1000, 1 << 20, 128 << 20)] == ["1 B", "0.977 KiB", "1 MiB", "128 MiB"]
    human = StringOutputVisitor(human=True)
    visit_type_size(human, "size", 128 << 20)
    assert human.string == "134217728 (128 MiB)"


@given(st.text(), st.booleans(), st.integers(0, 2**64 - 1))
def test_what_goes_out_as_data_comes_back(text, truth, number):
    for visit, value in [(visit_type_str, text), (visit_type_bool, truth), (visit_type_uint64, number)]:
        out = QObjectOutputVisitor()
        visit(out, "x", value)
        assert visit(QObjectInputVisitor(out.root), "x") == value
