"""The types: their family tree, and the table that holds them as the hash table that it is (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyqemu_edu.process import Process
from pyqemu_edu.qom import type as qom
from pyqemu_edu.qom.struct import TypeImpl
from pyqemu_edu.util.ghash import PRIME_MOD, GHashTable, g_str_hash
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing
from pyqemu_edu.view.figure import Figure
from pyqemu_edu.view.outline import Row, draw_outline, outline_as_text

CELL = 13
COLUMNS = 64


def type_table(process: Process) -> GHashTable[TypeImpl]:
    """The process's table of types."""
    return process.statics_of(qom.Statics).type_table


def ancestors(table: GHashTable[TypeImpl], name: str) -> Iterator[str]:
    """A type's name and those of its ancestors, as far as they are registered."""
    while ti := table.lookup(name):
        yield name
        if not ti.parent:
            return
        name = ti.parent


def type_tree(process: Process, root: str = "object", of: Iterable[str] = (), depth: int = 99) -> Figure:
    """The types below `root`; with `of`, only those types and their ancestors."""
    table = type_table(process)
    kept = {name for leaf in of for name in ancestors(table, leaf)} or set(table)
    children: dict[str, list[str]] = {}
    for name, ti in table.items():
        if name in kept and ti.parent:
            children.setdefault(ti.parent, []).append(name)
    rows = list(type_rows(table, children, root, 0, depth))
    title = f"Types below {root}"
    drawing = draw_outline(rows, ("type; dashed if abstract", "state"))
    woken = sum(ti.klass is not None for ti in table.values())
    description = f"{len(rows)} types below {root}; {woken} of {len(table)} registered types have a class"
    return Figure(title, f"{description}\n{outline_as_text(rows)}", svg=drawing.svg(title, description))


def type_rows(
    table: GHashTable[TypeImpl], children: dict[str, list[str]], name: str, level: int, depth: int
) -> Iterator[Row]:
    """The rows of a type and of its children, sorted by name."""
    ti = table.lookup(name)
    if ti:
        woken = ti.klass is not None
        tint = palette.GREY if ti.paper else palette.BLUE
        state = ("has a class" if woken else "registered, no class yet") + (", paper" if ti.paper else "")
        yield Row(level, name, tint, note=state, dashed=ti.abstract, hint="abstract" if ti.abstract else "", bold=woken)
    for child in sorted(children.get(name, ())) if level < depth else ():
        yield from type_rows(table, children, child, level + 1, depth)


def home_slot(name: str, size: int) -> int:
    """The slot that a key looks for first in a table of `size` slots (GLib)."""
    return int((g_str_hash(name) * 11 & 0xFFFFFFFF) % PRIME_MOD[size.bit_length() - 1])


def hash_table(process: Process, mark: Iterable[str] = ()) -> Figure:
    """The type table slot by slot, in the order in which it is walked; `mark` names types to point out."""
    table = type_table(process)
    slots = table.slots
    marked = [name for name in mark if name in table]
    top = 44
    grid = top + CELL * -(-len(slots) // COLUMNS)
    drawing = Drawing(palette.WIDTH, grid + 16 + 18 * len(marked))
    legend(drawing)
    for number, name in enumerate(slots):
        draw_slot(drawing, table, number, name, marked.index(name) + 1 if name in marked else 0, top)
    for number, name in enumerate(marked):
        text = f"{number + 1} {name}: slot {slots.index(name)}, looked for first at {home_slot(name, len(slots))}"
        drawing.text(20, grid + 24 + 18 * number, text)
    words = slots_as_text(table, marked)
    return Figure("The type table", words, svg=drawing.svg("The type table", words.replace("\n", "; ")))


def legend(drawing: Drawing) -> None:
    """What the cells mean."""
    for x, tint, words in ((20, palette.GREEN, "■ has a class"), (170, palette.BLUE, "□ registered only")):
        drawing.box(x, 8, CELL, CELL, tint, round=1)
        drawing.text(x + 4, 18, words[0], size=8)
        drawing.text(x + 20, 19, words[2:], sans=True)
    drawing.box(350, 8, CELL, CELL, palette.Tint(palette.PAPER, palette.RULE), round=1)
    drawing.text(370, 19, "empty slot", sans=True)
    drawing.text(470, 19, "walked left to right, top to bottom", sans=True, colour=palette.SOFT)


def draw_slot(
    drawing: Drawing, table: GHashTable[TypeImpl], number: int, name: str | None, marked: int, top: float
) -> None:
    """One slot of the table."""
    x, y = 20 + number % COLUMNS * CELL, top + number // COLUMNS * CELL
    if name is None:
        drawing.box(x, y, CELL, CELL, palette.Tint(palette.PAPER, palette.RULE), round=1)
        return
    woken = table[name].klass is not None
    tint = palette.AMBER if marked else palette.GREEN if woken else palette.BLUE
    drawing.box(x, y, CELL, CELL, tint, round=1, title=f"slot {number}: {name}", thick=bool(marked))
    sign = str(marked) if marked else "■" if woken else "□"
    drawing.text(x + CELL / 2, y + 10, sign, size=10 if marked else 7, anchor="middle", bold=bool(marked))


def slots_as_text(table: GHashTable[TypeImpl], marked: Iterable[str]) -> str:
    """How full the table is, who comes first, and where the marked ones are."""
    slots = table.slots
    woken = sum(ti.klass is not None for ti in table.values())
    lines = [
        f"{len(table)} types in {len(slots)} slots; {woken} have a class",
        f"first: {', '.join(list(table)[:5])}",
        *(f"{name}: slot {slots.index(name)}, home {home_slot(name, len(slots))}" for name in marked),
    ]
    return "\n".join(lines)
