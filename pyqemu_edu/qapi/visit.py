"""Visit a value of any type that QAPI declares (QEMU scripts/qapi/visit.py).

QEMU's generator reads the schema and writes a C function for each type.  Here one function reads the declaration and
does what that function would do: ask the visitor for each member in turn, for those of the chosen variant too, and
complain about what is left over.

    visit_type(v, None, "NumaOptions")   {"type": "node", "nodeid": 1, "cpus": [0, 1]}

Like all visits it goes both ways: an input visitor brings the value, an output visitor is told it.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

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

Declaration = dict[str, Any]

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

JSON_TYPE = {str: "str", dict: "object", type(None): "null"}
"""Which alternative a value of plain data is, by its Python type."""


@cache
def qapi_types() -> dict[str, Declaration]:
    """The declarations by name: `data/qapi_types.json`."""
    text = files("pyqemu_edu.data").joinpath("qapi_types.json").read_text(encoding="utf-8")
    types: dict[str, Declaration] = json.loads(text)
    return types


def enum_values(name: str) -> list[str]:
    """The words of an enumeration."""
    values: list[str] = qapi_types()[name]["enum"]
    return values


def visit_type(v: Visitor, name: str | None, type: str | list[str], value: Any = None) -> Any:
    """A value of that type, as plain data.  `QemuError` if an input visitor brings none."""
    if isinstance(type, list):
        return visit_type_list(v, name or "", value or (), lambda v, name, each: visit_type(v, name, type[0], each))
    if type in BUILTIN:
        return BUILTIN[type](v, name or "", *(() if value is None else (value,)))
    declaration = qapi_types()[type]
    if "enum" in declaration:
        return visit_enum(v, name or "", declaration["enum"], value)
    if "alternate" in declaration:
        return visit_alternate(v, name, type, declaration["alternate"])
    return visit_object(v, name, declaration, value or {})


def visit_enum(v: Visitor, name: str, words: list[str], value: str | None) -> str:
    """One of a few words."""
    return words[visit_type_enum(v, name, 0 if value is None else words.index(value), words)]


def visit_object(v: Visitor, name: str | None, declaration: Declaration, value: QDict) -> QDict:
    """A struct or a union."""
    visit_start_struct(v, name)
    try:
        value = visit_members(v, declaration, value)
        visit_check_struct(v)
    finally:
        visit_end_struct(v)
    return value


def visit_members(v: Visitor, declaration: Declaration, old: QDict) -> QDict:
    """The members in order, then those of the variant that the tag chooses; optional ones only where given."""
    value = {}
    for member, type in declaration["members"].items():
        optional, name = member.startswith("*"), member.removeprefix("*")
        if not optional or visit_optional(v, name, name in old):
            value[name] = visit_type(v, name, type, old.get(name))
    variant = declaration.get("variants", {}).get(value.get(declaration.get("tag")))
    return value | visit_members(v, qapi_types()[variant], old) if variant else value


def visit_alternate(v: Visitor, name: str | None, type: str, alternatives: dict[str, str]) -> Any:
    """One of several types, chosen by what kind of plain data is there."""
    there = JSON_TYPE.get(visit_start_alternate(v, name))
    for alternative in alternatives.values():
        if there == (alternative if alternative in BUILTIN else kind_of(alternative)):
            return visit_type(v, name, alternative)
    raise QemuError(f"Invalid parameter type for '{name or 'null'}', expected: {type}")


def kind_of(type: str) -> str:
    """What kind of plain data a declared type is."""
    return "str" if "enum" in qapi_types()[type] else "object"
