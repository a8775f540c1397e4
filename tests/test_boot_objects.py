"""Every object of `-machine spike -smp 2`, against what gdb and QMP saw of the reference.

The recordings were made with a monitor, ours without: its character device and what it needs are left out.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from population import heard
from pyqemu_edu.qom.link import trace_object_property_add_child
from pyqemu_edu.qom.object import trace_instance_init, trace_instance_post_init, trace_object_initialize
from pyqemu_edu.qom.path import object_resolve_path
from pyqemu_edu.qom.qom_qmp_cmds import qmp_qom_get, qmp_qom_list
from pyqemu_edu.qom.struct import Object, TypeImpl
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.vm import Qemu

DATA = Path(__file__).parent / "data"
COMMAND = "-machine spike -smp 2 -bios none -display none -nodefaults -monitor none -serial null"
MONITORS = re.compile(r"chardev-stdio|qio-channel-file|OBJINIT container#4|'chardevs'")


@pytest.fixture(name="events", scope="module")
def boot() -> Iterator[list[tuple[Any, ...]]]:
    with heard(
        trace_object_initialize, trace_instance_init, trace_instance_post_init, trace_object_property_add_child
    ) as events:
        vm = Qemu(COMMAND, record=False)
    with vm.process:
        yield events
    vm.close()


class Names:
    """Objects by type and number, in the order in which they were made."""

    def __init__(self) -> None:
        self.names: dict[Object, str] = {}
        self.made: dict[str, int] = {}

    def __getitem__(self, obj: Object) -> str:
        if obj not in self.names:
            typename = obj.klass.type.name
            number = self.made.get(typename, 0)
            self.made[typename] = number + 1
            self.names[obj] = f"{typename}#{number}"
        return self.names[obj]


def as_gdb_wrote_it(names: Names, event: str, *values: Any) -> str:
    match event, *values:
        case "object_initialize", Object() as obj:
            return f"OBJINIT {names[obj]} size {obj.klass.type.instance_size}"
        case "instance_init", TypeImpl() as type, Object() as obj:
            return f"INSTINIT {type.name} obj {names[obj]}"
        case "instance_post_init", TypeImpl() as type, Object() as obj:
            return f"POSTINIT {type.name} obj {names[obj]}"
        case "object_property_add_child", Object() as obj, str() as name, Object() as child:
            return f"CALL object_property_add_child {names[obj]} '{name}' {names[child]} T1"
    raise AssertionError(event)


def seen_by_gdb(line: str) -> bool:
    """Calls within object.c were inlined: gdb did not see those of `object_initialize_child`."""
    return not MONITORS.search(line) and "'soc0'" not in line and "'harts[*]'" not in line


def test_objects_come_into_being_in_qemus_order(events):
    names = Names()
    ours = [as_gdb_wrote_it(names, *event) for event in events]
    expected = (DATA / "boot_spike_smp2_objects.txt").read_text().splitlines()
    assert [line for line in ours if seen_by_gdb(line)] == [line for line in expected if seen_by_gdb(line)]


def tree() -> dict[str, list[dict[str, Any]]]:
    recorded = json.loads((DATA / "spike_qom_tree_full.json").read_text())
    return {path: props for path, props in recorded.items() if not path.startswith("/chardevs")}


@pytest.mark.parametrize("path", tree())
def test_every_object_has_the_properties_and_values_that_qmp_shows(events, path):
    ours = {prop.name: (prop.type, value_of(path, prop.name, prop.type)) for prop in qmp_qom_list(path)}
    assert ours == {prop["name"]: (prop["type"], prop["value"]) for prop in tree()[path]}


def value_of(path: str, name: str, type: str) -> Any:
    """The value as it was recorded: none of a child, an error as QMP gives it."""
    if type.startswith("child<"):
        return None
    try:
        return qmp_qom_get(path, name)
    except QemuError as error:
        return {"error": {"class": "GenericError", "desc": error.message}}


def recorded_references() -> list[tuple[str, ...]]:
    text = (DATA / "refcounts_spike_smp2.txt").read_text()
    return re.findall(r"^(/\S*)\s+type=(\S+)\s+ref=(\d+) free=(\S+) parent=(\S+)$", text, re.MULTILINE)


@pytest.mark.parametrize(("path", "typename", "ref", "free", "parent"), recorded_references())
def test_every_object_is_referred_to_as_often_as_in_qemu(events, path, typename, ref, free, parent):
    obj = object_resolve_path(path)
    assert obj
    assert obj.klass.type.name == typename
    assert (obj.free is not None) == (free == "g_free")
    assert (obj.parent.klass.type.name if obj.parent else "None") == parent
    assert obj.ref == int(ref)
