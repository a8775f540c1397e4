"""What QMP's commands take: the schema, and arguments checked against it (QEMU qapi/qobject-input-visitor.c).

In QEMU a generator makes C from the schema, which checks each command's arguments before the command is called.  The
same schema, as `query-qmp-schema` gives it, is read here, and arguments are checked by walking through it.
"""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from typing import Any

from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict

JSON_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "string": ((str,), "string"),
    "int": ((int,), "integer"),
    "number": ((int, float), "number"),
    "boolean": ((bool,), "boolean"),
    "null": ((type(None),), "null"),
    "object": ((dict,), "object"),
    "array": ((list,), "array"),
}
"""What Python has for each of JSON's types, and what messages call it."""


@cache
def qmp_schema() -> tuple[dict[str, Any], ...]:
    """The reference's schema: each command, event and type (QEMU `qmp_schema_qlit`)."""
    data = files("pyqemu_edu.data").joinpath("qmp_schema.json.gz").read_bytes()
    return tuple(json.loads(gzip.decompress(data)))


@cache
def entities() -> dict[str, dict[str, Any]]:
    """The schema's entries by name."""
    return {entity["name"]: entity for entity in qmp_schema()}


def schema_commands() -> list[str]:
    """The names of all commands, in the order in which they are registered: `device_add` by hand and so last."""
    names = [entity["name"] for entity in qmp_schema() if entity["meta-type"] == "command"]
    return sorted(names, key=lambda name: name == "device_add")


def check_arguments(command: str, arguments: QDict) -> None:
    """Refuse arguments that the command does not take: `QemuError`."""
    check(entities()[command]["arg-type"], arguments, "")


def check(kind: str, value: Any, name: str) -> None:
    """Refuse a value that is not of the type."""
    entity = entities()[kind]
    CHECKS[entity["meta-type"]](entity, value, name)


def wrong_type(name: str, expected: str) -> QemuError:
    """The error."""
    return QemuError(f"Invalid parameter type for '{name}', expected: {expected}")


def check_builtin(entity: dict[str, Any], value: Any, name: str) -> None:
    """A type of JSON's own."""
    if entity["json-type"] == "value":
        return
    types, word = JSON_TYPES[entity["json-type"]]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise wrong_type(name, word)


def check_enum(entity: dict[str, Any], value: Any, name: str) -> None:
    """One of a few words; the complaint names a member without what surrounds it, and an element not at all."""
    if not isinstance(value, str):
        raise wrong_type(name, "string")
    if value not in entity["values"]:
        own = "null" if name.endswith("]") else name.rpartition(".")[2]
        raise QemuError(f"Parameter '{own}' does not accept value '{value}'")


def check_array(entity: dict[str, Any], value: Any, name: str) -> None:
    """Elements that are all of one type."""
    if not isinstance(value, list):
        raise wrong_type(name, "array")
    for index, each in enumerate(value):
        check(entity["element-type"], each, f"{name}[{index}]")


def check_object(entity: dict[str, Any], value: Any, name: str) -> None:
    """Members, those of the chosen variant too; all that may not be left out must be there, and no other."""
    if not isinstance(value, dict):
        raise wrong_type(name, "object")
    allowed = check_members(entity, value, name)
    for member in value:
        if member not in allowed:
            raise QemuError(f"Parameter '{within(name, member)}' is unexpected")


def check_members(entity: dict[str, Any], value: QDict, name: str) -> set[str]:
    """The members that are there are right; the names of all that may be (in C generated for each type)."""
    allowed = set()
    for member in entity["members"]:
        allowed.add(member["name"])
        if member["name"] in value:
            check(member["type"], value[member["name"]], within(name, member["name"]))
        elif "default" not in member:
            raise QemuError(f"Parameter '{within(name, member['name'])}' is missing")
    for variant in entity.get("variants", ()):
        if variant["case"] == value[entity["tag"]]:
            allowed |= check_members(entities()[variant["type"]], value, name)
    return allowed


def within(name: str, member: str) -> str:
    """A member's name with that of what it belongs to."""
    return f"{name}.{member}" if name else member


def check_alternate(entity: dict[str, Any], value: Any, name: str) -> None:
    """Any of several types; the last one's complaint stands for that of the type's, whose name the schema hides."""
    for member in entity["members"]:
        try:
            return check(member["type"], value, name)
        except QemuError as error:
            complaint = error
    raise complaint


CHECKS: dict[str, Callable[[dict[str, Any], Any, str], None]] = {
    "builtin": check_builtin,
    "enum": check_enum,
    "array": check_array,
    "object": check_object,
    "alternate": check_alternate,
}
