"""The tree of objects, each with its type and its reference count, and one object's properties (Not in QEMU)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import groupby

from pyqemu_edu.process import Process
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.path import object_children, object_get_canonical_path_component, object_resolve_path
from pyqemu_edu.qom.property import object_property_get_qobject, object_property_iter
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.view import palette
from pyqemu_edu.view.figure import Figure, table
from pyqemu_edu.view.outline import Row, draw_outline, outline_as_text

# fmt: off
TINTS = (
    ("machine",       palette.GREEN),
    ("accel",         palette.PURPLE),
    ("cpu",           palette.BLUE),
    ("device",        palette.AMBER),
    ("memory-region", palette.TEAL),
    ("bus",           palette.RED),
)
# fmt: on


def tint_of(obj: Object) -> palette.Tint:
    """The colour of an object's kind: its nearest ancestor that has one."""
    lineage = []
    ti = obj.klass.type
    while ti:
        lineage.append(ti.name)
        ti = ti.parent_type  # type: ignore[assignment]
    return next((tint for name, tint in TINTS if name in lineage), palette.GREY)


def composition_tree(process: Process, path: str = "/", depth: int = 99, rows: int = 80) -> Figure:
    """The objects below `path`; children that differ in their number only are folded."""
    with process:
        top = object_resolve_path(path)
        if top is None:
            raise QemuError(f"Path '{path}' could not be resolved")
        name = object_get_canonical_path_component(top) or path
        lines = list(object_rows(name, [top], 0, depth))
    title = f"Objects below {path}"
    drawing = draw_outline(lines, ("object and its type", "references"), split=700, most=rows)
    svg = drawing.svg(title, f"{len(lines)} lines: " + ", ".join(row.label for row in lines[:10]))
    return Figure(title, outline_as_text(lines), svg=svg)


def object_rows(name: str, objects: list[Object], level: int, depth: int) -> Iterator[Row]:
    """The row of one object, or of several of a kind, and the rows below it."""
    obj = objects[0]
    held = sorted({each.ref for each in objects})
    count = f" ×{len(objects)}" if len(objects) > 1 else ""
    note = str(held[0]) if len(held) == 1 else f"{held[0]} to {held[-1]}"
    yield Row(level, name + count, tint_of(obj), beside=object_get_typename(obj), note=note, bold=len(objects) > 1)
    if level >= depth or len(objects) > 1:
        return
    named = ((object_get_canonical_path_component(child) or "?", child) for child in object_children(obj))
    ordered = sorted(named, key=lambda pair: natural(pair[0]))
    for key, group in groupby(ordered, key=lambda pair: kind_of_child(*pair)):
        members = list(group)
        yield from object_rows(joint_name(key[0], [n for n, _ in members]), [o for _, o in members], level + 1, depth)


def natural(name: str) -> list[tuple[int, str]]:
    """A key that sorts `x[10]` behind `x[9]`."""
    return [(int(part), "") if part.isdigit() else (-1, part) for part in re.split(r"(\d+)", name)]


def kind_of_child(name: str, child: Object) -> tuple[str, str, int]:
    """What children must share to be folded: stem and type, and no children of their own."""
    leaf = not object_children(child)
    return (re.sub(r"\[\d+\]$", "", name) if leaf else name, object_get_typename(child), not leaf)


def joint_name(stem: str, names: list[str]) -> str:
    """One name for folded children: `unnamed-gpio-in[0..78]`."""
    if len(names) == 1:
        return names[0]
    return f"{stem}[{names[0][len(stem) + 1 : -1]}..{names[-1][len(stem) + 1 : -1]}]"


def object_properties(process: Process, path: str) -> Figure:
    """Every property of the object at `path`: name, type and value."""
    with process:
        obj = object_resolve_path(path)
        if obj is None:
            raise QemuError(f"Path '{path}' could not be resolved")
        rows = [(prop.name, prop.type, value_of(obj, prop.name)) for prop in object_property_iter(obj)]
        title = f"{path}, a {object_get_typename(obj)}"
    return table(title, ("property", "type", "value"), sorted(rows, key=lambda row: natural(str(row[0]))))


def value_of(obj: Object, name: str) -> str:
    """A property's value, or why there is none."""
    try:
        return str(object_property_get_qobject(obj, name))
    except QemuError as error:
        return f"({error})"
