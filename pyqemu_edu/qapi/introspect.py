"""What QAPI declares, and what QMP's clients may know of it (QEMU scripts/qapi/introspect.py).

In QEMU a generator makes C from the schema.  Here `data/qapi_schema.json.gz` is that schema, as the reference binary
has it, in the form in which `query-qmp-schema` tells of it; but with the names of types and the widths of integers,
which that command hides, and with the types that only command lines use.
"""

from __future__ import annotations

import gzip
import json
from functools import cache
from importlib.resources import files
from typing import Any

Entity = dict[str, Any]
"""A command, an event or a type."""

TYPE_KEYS = ("type", "arg-type", "ret-type", "element-type")


@cache
def declarations() -> dict[str, list[Entity]]:
    """All of it: what clients may know of is `introspected`, there is `more`."""
    data = files("pyqemu_edu.data").joinpath("qapi_schema.json.gz").read_bytes()
    lists: dict[str, list[Entity]] = json.loads(gzip.decompress(data))
    return lists


@cache
def entities() -> dict[str, Entity]:
    """Commands, events and types by name."""
    return {entity["name"]: entity for entities in declarations().values() for entity in entities}


def enum_values(type: str) -> list[str]:
    """The words of an enumeration, none of any other type."""
    words: list[str] = entities()[type].get("values", [])
    return words


def schema_commands() -> list[str]:
    """The names of all commands, in the order in which they are registered: `device_add` by hand and so last."""
    names = [entity["name"] for entity in entities().values() if entity["meta-type"] == "command"]
    return sorted(names, key=lambda name: name == "device_add")


# --- what clients may know


@cache
def qmp_schema() -> tuple[Entity, ...]:
    """The schema for clients (QEMU `qmp_schema_qlit`); all kinds of integer are one."""
    told = [masked(entity) for entity in declarations()["introspected"] if entity["meta-type"] != "absent"]
    return tuple({entity["name"]: entity for entity in told}.values())


@cache
def numbers() -> dict[str, str]:
    """What types with a name of their own are called: numbers, in the order in which they are first needed."""
    own = ("object", "enum", "alternate", "absent")
    names = [entity["name"] for entity in declarations()["introspected"] if entity["meta-type"] in own]
    return {name: str(number) for number, name in enumerate(names)}


def mask(type: str) -> str:
    """What a type is called (in QEMU `_name` and a part of `_use_type`)."""
    if type.startswith("["):
        return f"[{mask(type[1:-1])}]"
    return "int" if entities()[type].get("json-type") == "int" else numbers().get(type, type)


def masked(entity: Entity) -> Entity:
    """An entity without names of types."""
    is_type = entity["meta-type"] not in ("command", "event")
    return {**hide(entity), **({"name": mask(entity["name"])} if is_type else {})}


def hide(tree: Any) -> Any:
    """A part of an entity without names of types."""
    if isinstance(tree, list):
        return [hide(each) for each in tree]
    if isinstance(tree, dict):
        return {key: mask(value) if key in TYPE_KEYS else hide(value) for key, value in tree.items()}
    return tree
