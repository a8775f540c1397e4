"""The whole population, against what gdb saw of the reference."""

from __future__ import annotations

import json
import re
from collections import Counter
from pathlib import Path

import pytest

from population import heard, registered
from pyqemu_edu import modules
from pyqemu_edu.lab.reference import type_init_sequence
from pyqemu_edu.qom import type as qom_type
from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.klass import object_class_get_list, object_class_get_list_sorted, object_class_get_name
from pyqemu_edu.qom.link import object_property_add_child
from pyqemu_edu.qom.object import object_new
from pyqemu_edu.qom.path import object_get_root
from pyqemu_edu.qom.qom_qmp_cmds import qmp_device_list_properties, qmp_qom_list_properties, qmp_qom_list_types
from pyqemu_edu.qom.struct import ObjectProperty
from pyqemu_edu.qom.type import (
    trace_class_base_init,
    trace_class_init,
    trace_type_initialize,
    trace_type_register,
)
from pyqemu_edu.qom.zoo import declared, paper_types, program_constructors, reference_constructors
from pyqemu_edu.softmmu.physmem import cpu_exec_init_all
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.module import ModuleInitType, constructors

DATA = Path(__file__).parent / "data"
REGISTERED = json.loads((DATA / "typeinfos_registration_order.json").read_text())
LISTED = json.loads((DATA / "qom_list_properties.json").read_text())
MACHINES = ["none", "spike", "microchip-icicle-kit", "sifive_u", "shakti_c", "sifive_e", "virt"]
CHARDEVS_THAT_END_DIFFERENTLY = {"chardev-file", "chardev-mux", "chardev-ringbuf"}
HOOKS = ("class_init", "class_base_init", "instance_init", "instance_post_init", "instance_finalize")


def test_the_reference_has_416_constructors_five_kinds():
    kinds = Counter(kind.name for kind, _ in reference_constructors())
    assert kinds == {"QOM": 306, "TRACE": 74, "BLOCK": 31, "OPTS": 3, "MIGRATION": 2}


def test_the_facts_that_ship_are_what_gdb_saw_registered():
    for info, record in zip(paper_types().values(), REGISTERED, strict=True):
        assert (info.name, info.parent) == (record["name"], record["parent"])
        assert list(info.interfaces) == record["interfaces"]
        assert (info.instance_size, info.class_size) == (record["instance_size"], record["class_size"])
        assert info.abstract == record["abstract"]


def test_every_type_has_one_constructor():
    names = [name for _, names in reference_constructors() for name in names]
    assert names == list(paper_types())


def test_591_types_are_registered_in_qemus_order_and_none_has_a_class():
    with heard(trace_type_register) as events, registered():
        assert [type.name for _, type in events] == [record["name"] for record in REGISTERED]
        assert all(type.klass is None for type in qom_type.statics().type_table.values())


def test_the_table_is_in_qemus_order():
    with registered():
        assert list(qom_type.statics().type_table) == json.loads((DATA / "type_table_iteration_order.json").read_text())


def initialised() -> list[str]:
    """What happens when a machine is looked for, in gdb's words."""
    with registered(), heard(trace_type_initialize, trace_class_base_init, trace_class_init) as events:
        object_class_get_list("machine", False)
    return [as_gdb_wrote_it(*event) for event in events]


def test_looking_for_machines_initialises_everything_in_qemus_order():
    """`object_class_get_list("machine")`: 1762 types, 591 of them registered, 625 calls of class_base_init."""
    assert initialised() == type_init_sequence()


def test_machines_are_met_in_the_order_of_the_table():
    with registered():
        machines = object_class_get_list("machine", False)
        assert [object_class_get_name(klass) for klass in machines] == [
            f"{name}-machine" for name in reversed(MACHINES)
        ]


def as_gdb_wrote_it(event: str, *types: qom_type.TypeImpl) -> str:
    names = [type.name for type in types]
    return {
        "type_initialize": "TYPEINIT {}",
        "class_base_init": "BASEINIT {} FOR {}",
        "class_init": "CLASSINIT {}",
    }[event].format(*names)


def test_machine_help_sorts_by_name():
    with registered():
        names = [object_class_get_name(klass) for klass in object_class_get_list_sorted("machine", False)]
    assert names == sorted(f"{name}-machine" for name in MACHINES)


def test_507_of_the_types_have_a_class_init():
    with registered():
        assert sum(type.class_init is not None for type in qom_type.statics().type_table.values()) == 507


def test_our_types_say_of_themselves_what_the_reference_says():
    """Parent, interfaces and abstractness are the reference's."""
    modules.link()
    for name, info in declared(constructors).items():
        assert name in paper_types(), f"the reference has no {name}"
        paper = paper_types()[name]
        assert (info.parent, info.interfaces) == (paper.parent, paper.interfaces), name
        assert info.abstract == paper.abstract, name


@pytest.mark.parametrize("hook", HOOKS)
def test_our_types_have_the_hooks_that_the_reference_has(hook):
    modules.link()
    ours = {name for name, info in declared(constructors).items() if getattr(info, hook)}
    reference = {name for name in declared(constructors) if getattr(paper_types()[name], hook)}
    assert ours ^ reference == (CHARDEVS_THAT_END_DIFFERENTLY if hook == "instance_finalize" else set())


def test_a_type_of_which_only_the_name_is_known_has_a_class_but_no_instances():
    with registered(), pytest.raises(QemuError, match="type 'e1000' is known here by name only"):
        object_new("e1000")


def test_without_the_paper_types_only_ours_are_there():
    modules.link()
    with registered("modelled"):
        names = set(qom_type.statics().type_table)
        assert names == set(declared(constructors))
        assert "spike-machine" in names
        object_class_get_list(None, True)


def test_every_module_that_declares_something_is_linked():
    package = Path(modules.__file__).parent
    declaring = {
        ".".join(path.relative_to(package).with_suffix("").parts)
        for path in package.rglob("*.py")
        if re.search(
            r"^(type_init|opts_init|block_init|declare|(module_info|monitor_init_opts)\.\w+)\(",
            path.read_text(),
            re.MULTILINE,
        )
    }
    assert declaring == set(modules.MODULES)


def test_what_only_we_have_comes_after_the_reference():
    modules.link()
    program = program_constructors()
    assert [item.type for item in program[:416]] == [kind for kind, _ in reference_constructors()]
    assert all(item.type == ModuleInitType.QOM for item in program[416:])


def test_qom_list_types_knows_the_concrete_types():
    with registered():
        types = {info.name: info for info in qmp_qom_list_types("device")}
    assert types["rv64-riscv-cpu"].parent == "riscv-cpu"
    assert not any(info.abstract for info in types.values())


@pytest.mark.parametrize("typename", [name for name, answer in LISTED.items() if isinstance(answer, list)])
def test_a_types_properties_are_listed_as_qmp_lists_them(typename):
    """`qom-list-properties`: names, types, descriptions, and the order that GLib's table gives them."""
    with registered():
        object_property_add_child(object_get_root(), "machine", object_new("spike-machine"))
        container_get(object_get_root(), "/machine/unattached")
        cpu_exec_init_all()
        listed = [described(prop) for prop in qmp_qom_list_properties(typename)]
    assert listed == LISTED[typename]


def described(prop: ObjectProperty) -> dict[str, str]:
    description = {"description": prop.description} if prop.description is not None else {}
    return {"name": prop.name, **description, "type": prop.type}


def test_migrations_settings_are_listed_as_qmp_lists_them():
    """`device-list-properties` of the type `migration`."""
    expected = json.loads((DATA / "qmp_device_list_properties_migration.json").read_text())
    with registered():
        listed = qmp_device_list_properties("migration")
    defaults = [{"default-value": prop.defval} if prop.defval is not None else {} for prop in listed]
    assert [default | described(prop) for default, prop in zip(defaults, listed, strict=True)] == expected
