"""A device tree, read back from its flattened form: as an outline and as source text (Not in QEMU)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyqemu_edu.view import palette
from pyqemu_edu.view.figure import Figure
from pyqemu_edu.view.outline import Row, draw_outline

BEGIN_NODE, END_NODE, PROP, NOP, END = 1, 2, 3, 4, 9
MAGIC = 0xD00DFEED


@dataclass(eq=False)
class Node:
    """A node with its properties and its children, in the order of the blob."""

    name: str
    properties: dict[str, bytes] = field(default_factory=dict)
    children: list[Node] = field(default_factory=list)


def read_blob(blob: bytes) -> Node:
    """The root of a flattened device tree; `ValueError` if it is none (Devicetree Specification, chapter 5)."""
    magic, _, structure, strings = struct.unpack_from(">4I", blob)
    if magic != MAGIC:
        raise ValueError("not a flattened device tree")
    stack, at = [Node("")], structure
    while True:
        (token,) = struct.unpack_from(">I", blob, at)
        at += 4
        if token == BEGIN_NODE:
            name = c_string(blob, at)
            at += len(name) + 4 & ~3
            stack[-1].children.append(Node(name or "/"))
            stack.append(stack[-1].children[-1])
        elif token == PROP:
            length, name_at = struct.unpack_from(">2I", blob, at)
            stack[-1].properties[c_string(blob, strings + name_at)] = blob[at + 8 : at + 8 + length]
            at += 8 + (length + 3 & ~3)
        elif token == END_NODE:
            stack.pop()
        elif token == END:
            return stack[0].children[0]


def c_string(blob: bytes, at: int) -> str:
    """The text from `at` to the next zero byte."""
    return blob[at : blob.index(0, at)].decode()


def value_text(data: bytes) -> str:
    """A property's value as source text: strings where it looks like text, else 32-bit cells."""
    if not data:
        return ""
    words = data[:-1].split(b"\0")
    if data[-1] == 0 and all(word and all(32 <= c < 127 for c in word) for word in words):
        return ", ".join(f'"{word.decode()}"' for word in words)
    if len(data) % 4 == 0:
        return f"<{' '.join(f'{cell:#x}' for (cell,) in struct.iter_unpack('>I', data))}>"
    return f"[{data.hex(' ')}]"


def source(node: Node, level: int = 0) -> Iterator[str]:
    """The lines of a node as device tree source."""
    indent = "\t" * level
    yield f"{indent}{node.name} {{"
    for name, data in node.properties.items():
        text = value_text(data)
        yield f"{indent}\t{name} = {text};" if text else f"{indent}\t{name};"
    for child in node.children:
        yield from source(child, level + 1)
    yield f"{indent}}};"


def rows_of(node: Node, level: int = 0) -> Iterator[Row]:
    """The outline of a node: its properties beside it."""
    kind = node.properties.get("compatible") or node.properties.get("device_type") or b""
    note = value_text(node.properties["reg"]) if "reg" in node.properties else ""
    hint = "; ".join(f"{name} = {value_text(data)}" for name, data in node.properties.items())
    yield Row(level, node.name, palette.tint(level), beside=value_text(kind), note=note, hint=hint)
    for child in node.children:
        yield from rows_of(child, level + 1)


def device_tree(blob: bytes) -> Figure:
    """The device tree in `blob`."""
    root = read_blob(bytes(blob))
    rows = list(rows_of(root))
    drawing = draw_outline(rows, ("node and what it is", "reg: address and size"), split=600)
    svg = drawing.svg("Device tree", f"{len(rows)} nodes: {', '.join(row.label for row in rows)}")
    return Figure("Device tree", "\n".join(source(root)), svg=svg)
