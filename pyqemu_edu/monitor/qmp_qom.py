"""Objects and types as QMP shows them: what the functions return, as plain data (Not in QEMU).

In QEMU this is what is generated from the schema.
"""

from __future__ import annotations

from typing import Any

from pyqemu_edu.hw.core.machine_qmp_cmds import Info, given
from pyqemu_edu.qom.qom_qmp_cmds import (
    qmp_device_list_properties,
    qmp_object_add,
    qmp_qom_list,
    qmp_qom_list_properties,
    qmp_qom_list_types,
)
from pyqemu_edu.qom.struct import ObjectProperty


def property_info(prop: ObjectProperty) -> Info:
    """A property without its value."""
    return {"name": prop.name, "type": prop.type}


def described(prop: ObjectProperty) -> Info:
    """A property of a type: with what it is for, and its value in a new object."""
    return given(name=prop.name, type=prop.type, description=prop.description or None, default_value=prop.defval)


def qom_list(path: str) -> list[Info]:
    """`qom-list`."""
    return [property_info(prop) for prop in qmp_qom_list(path)]


def qom_list_types(implements: str | None = None, abstract: bool = False) -> list[Info]:
    """`qom-list-types`."""
    types = qmp_qom_list_types(implements, abstract)
    return [given(name=info.name, abstract=info.abstract or None, parent=info.parent) for info in types]


def qom_list_properties(typename: str) -> list[Info]:
    """`qom-list-properties`."""
    return [
        given(name=p.name, type=p.type, description=p.description or None) for p in qmp_qom_list_properties(typename)
    ]


def device_list_properties(typename: str) -> list[Info]:
    """`device-list-properties`."""
    return [described(prop) for prop in qmp_device_list_properties(typename)]


def object_add(**options: Any) -> None:
    """`object-add`."""
    qmp_object_add({name.replace("_", "-"): value for name, value in options.items()})
