"""Visit a value of any type that QAPI declares (QEMU scripts/qapi/visit.py).

QEMU's generator reads the schema and writes a C function for each type.  Here one function reads the declaration and
does what that function would do: ask the visitor for each member in turn, for those of the chosen variant too, and
complain about what is left over.

    visit_type(v, None, "NumaOptions")   {"type": "node", "nodeid": 1, "cpus": [0, 1]}

Like all visits it goes both ways: an input visitor brings the value, an output visitor is told it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu_edu.qapi.introspect import Entity, entities
from pyqemu_edu.qapi.visitor import (
    Visitor,
    visit_check_struct,
    visit_end_struct,
    visit_optional,
    visit_start_alternate,
    visit_start_struct,
    visit_type_any,
    visit_type_bool,
    visit_type_enum,
    visit_type_int,
    visit_type_int8,
    visit_type_int16,
    visit_type_int32,
    visit_type_list,
    visit_type_size,
    visit_type_str,
    visit_type_uint8,
    visit_type_uint16,
    visit_type_uint32,
    visit_type_uint64,
)
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict

BUILTIN: dict[str, Callable[..., Any]] = {
    "str": visit_type_str,
    "bool": visit_type_bool,
    "int": visit_type_int,
    "int8": visit_type_int8,
    "int16": visit_type_int16,
    "int32": visit_type_int32,
    "int64": visit_type_int,
    "uint8": visit_type_uint8,
    "uint16": visit_type_uint16,
    "uint32": visit_type_uint32,
    "uint64": visit_type_uint64,
    "size": visit_type_size,
    "any": visit_type_any,
    "null": visit_type_any,
}
"""The types that every schema has."""

PLAIN = {"string": str, "enum": str, "int": int, "boolean": bool, "null": type(None), "object": dict, "array": list}
"""What plain data are in Python, by their type in JSON or their kind of declaration."""


def visit_type(v: Visitor, name: str | None, type: str, value: Any = None) -> Any:
    """A value of that type, as plain data.  `QemuError` if an input visitor brings none."""
    if type in BUILTIN:
        return BUILTIN[type](v, name or "", *(() if value is None else (value,)))
    entity = entities()[type]
    match entity["meta-type"]:
        case "array":
            element = entity["element-type"]
            return visit_type_list(v, name or "", value or (), lambda v, name, each: visit_type(v, name, element, each))
        case "enum":
            return visit_enum(v, name or "", entity["values"], value)
        case "alternate":
            return visit_alternate(v, name, entity)
        case _:
            return visit_object(v, name, entity, value or {})


def visit_enum(v: Visitor, name: str, words: list[str], value: str | None) -> str:
    """One of a few words."""
    return words[visit_type_enum(v, name, words.index(value) if value in words else 0, words)]


def visit_object(v: Visitor, name: str | None, entity: Entity, value: QDict) -> QDict:
    """A struct or a union."""
    visit_start_struct(v, name)
    try:
        value = visit_members(v, entity, value)
        visit_check_struct(v)
    finally:
        visit_end_struct(v)
    return value


def visit_members(v: Visitor, entity: Entity, old: QDict) -> QDict:
    """The members in order, then those of the variant that the tag chooses; optional ones only where given."""
    value = {}
    for member in entity["members"]:
        name = member["name"]
        if "default" not in member or visit_optional(v, name, name in old):
            value[name] = visit_type(v, name, member["type"], old.get(name))
    for variant in entity.get("variants", ()):
        if variant["case"] == value[entity["tag"]]:
            value |= visit_members(v, entities()[variant["type"]], old)
    return value


def visit_alternate(v: Visitor, name: str | None, entity: Entity) -> Any:
    """One of several types, chosen by what kind of plain data is there."""
    there = visit_start_alternate(v, name)
    for alternative in entity["members"]:
        if there is plain_type(alternative["type"]):
            return visit_type(v, name, alternative["type"])
    raise QemuError(f"Invalid parameter type for '{name or 'null'}', expected: {entity['name']}")


def plain_type(type: str) -> type:
    """What plain data of a declared type are in Python."""
    entity = entities()[type]
    return PLAIN[entity["json-type" if "json-type" in entity else "meta-type"]]
