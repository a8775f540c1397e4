"""The object tree on the human monitor (QEMU qom/qom-hmp-cmds.c).  Each command returns what it prints."""

from __future__ import annotations

import json

from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.path import (
    object_children,
    object_get_canonical_path_component,
    object_get_root,
    object_resolve_path_ambiguous,
)
from pyqemu_edu.qom.property import object_property_parse
from pyqemu_edu.qom.qom_qmp_cmds import qmp_qom_get, qmp_qom_list, qmp_qom_set, resolve
from pyqemu_edu.qom.struct import Object


def hmp_qom_list(path: str | None = None) -> str:
    """`qom-list [path]`."""
    if path is None:
        return "/\n"
    return "".join(f"{info.name} ({info.type})\n" for info in qmp_qom_list(path))


def hmp_qom_get(path: str, property: str) -> str:
    """`qom-get path property`."""
    return json.dumps(qmp_qom_get(path, property), indent=4) + "\n"


def hmp_qom_set(path: str, property: str, value: str, as_json: bool = False) -> str:
    """`qom-set [-j] path property value`."""
    if as_json:
        qmp_qom_set(path, property, json.loads(value))
    else:
        object_property_parse(resolve(path), property, value)
    return ""


def hmp_info_qom_tree(path: str | None = None) -> str:
    """`info qom-tree [path]`: the machine, or what is at the path."""
    if path is None:
        return print_qom_composition(container_get(object_get_root(), "/machine"))
    obj, ambiguous = object_resolve_path_ambiguous(path)
    if ambiguous:
        return f"Warning: Path '{path}' is ambiguous.\n"
    return print_qom_composition(obj) if obj else f"Path '{path}' could not be resolved.\n"


def print_qom_composition(obj: Object, indent: int = 0) -> str:
    """An object and below it, by name, what it owns."""
    line = f"{'':{indent}}/{object_get_canonical_path_component(obj) or ''} ({object_get_typename(obj)})\n"
    children = sorted(object_children(obj), key=lambda child: object_get_canonical_path_component(child) or "")
    return line + "".join(print_qom_composition(child, indent + 2) for child in children)
