"""What QMP's commands take: the schema, and arguments checked against it (QEMU qapi/qobject-input-visitor.c).

In QEMU a generator makes C from the schema, which checks each command's arguments before the command is called.  The
same schema, as `query-qmp-schema` gives it, is read here, and arguments are checked by walking through it.  What it
hides, how wide integers are and what alternates are called, is in `data/qmp_hidden.json`.
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

UINT64_MAX = (1 << 64) - 1
INT64_MAX = UINT64_MAX >> 1


@cache
def qmp_schema() -> tuple[dict[str, Any], ...]:
    """The reference's schema: each command, event and type (QEMU `qmp_schema_qlit`)."""
    data = files("pyqemu_edu.data").joinpath("qmp_schema.json.gz").read_bytes()
    return tuple(json.loads(gzip.decompress(data)))


@cache
def entities() -> dict[str, dict[str, Any]]:
    """The schema's entries by name."""
    return {entity["name"]: entity for entity in qmp_schema()}


def enum_values(kind: str) -> list[str]:
    """The words of an enumeration, none of any other type."""
    words: list[str] = entities()[kind].get("values", [])
    return words


@cache
def hidden() -> dict[str, dict[str, Any]]:
    """What the schema does not tell of its types, by their names: how wide members are, what alternates are called."""
    facts: dict[str, dict[str, Any]] = json.loads(files("pyqemu_edu.data").joinpath("qmp_hidden.json").read_text())
    return facts


def integer_type(kind: str, member: str) -> str:
    """The type in C of an integer that is a member of `kind`; `int` is one of 64 bits with a sign."""
    width: str = hidden()["integers"].get(kind, {}).get(member, "int")
    return width


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


def check_integer(width: str, value: Any, name: str) -> None:
    """A whole number that fits in C's type; for the sake of old clients -1 is the largest one of 64 bits."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    if width.startswith("int"):
        if not whole or not -INT64_MAX - 1 <= value <= INT64_MAX:
            raise wrong_type(name, "integer")
        largest = (1 << int(width[3:] or 64) - 1) - 1
        fits = -largest - 1 <= value <= largest
    else:
        if not whole or not -INT64_MAX - 1 <= value <= UINT64_MAX:
            raise QemuError(f"Parameter '{name}' expects uint64")
        fits = width in ("uint64", "size") or value & UINT64_MAX < 1 << int(width[4:])
    if not fits:
        raise QemuError(f"Parameter '{name.rpartition('.')[2]}' expects {width}_t")


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
        check_part(entity, "*", entity["element-type"], each, f"{name}[{index}]")


def check_part(entity: dict[str, Any], member: str, kind: str, value: Any, name: str) -> None:
    """A member or an element of something: an integer may be narrow there."""
    if kind == "int":
        check_integer(integer_type(entity["name"], member), value, name)
    else:
        check(kind, value, name)


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
            check_part(entity, member["name"], member["type"], value[member["name"]], within(name, member["name"]))
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
    """Any of several types, which JSON tells apart."""
    for member in entity["members"]:
        if json_type_fits(member["type"], value):
            return check(member["type"], value, name)
    raise wrong_type(name, hidden()["alternates"][entity["name"]])


def json_type_fits(kind: str, value: Any) -> bool:
    """Whether the value could be of that type, going by what it is in JSON."""
    entity = entities()[kind]
    meta = entity["meta-type"]
    json_type = entity["json-type"] if meta == "builtin" else {"enum": "string"}.get(meta, meta)
    types, _ = JSON_TYPES[json_type]
    return isinstance(value, types) and (not isinstance(value, bool) or bool in types)


CHECKS: dict[str, Callable[[dict[str, Any], Any, str], None]] = {
    "builtin": check_builtin,
    "enum": check_enum,
    "array": check_array,
    "object": check_object,
    "alternate": check_alternate,
}
