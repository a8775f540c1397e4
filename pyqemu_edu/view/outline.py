"""An indented tree: calls, types, objects, device tree nodes, all drawn alike (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing, fit, text_width

ROW = 24
INDENT = 22
LEFT = 6


@dataclass(frozen=True, slots=True)
class Row:
    """One node: how deep it is, its label in a box, what stands beside it, and what stands in the right column."""

    level: int
    label: str
    tint: palette.Tint = palette.PLAIN
    beside: str = ""
    note: str = ""
    hint: str = ""
    link: str = ""
    bold: bool = False
    dashed: bool = False


def draw_outline(rows: Sequence[Row], heads: tuple[str, str], *, split: float = 560, most: int = 60) -> Drawing:
    """The picture of a tree given in depth-first order; `split` is where the right column begins."""
    shown = rows[:most]
    rest = len(rows) - len(shown)
    drawing = Drawing(palette.WIDTH, ROW * (len(shown) + 1 + bool(rest)) + 6)
    drawing.text(LEFT, 16, heads[0], colour=palette.SOFT, sans=True)
    drawing.text(split, 16, heads[1], colour=palette.SOFT, sans=True)
    feet: dict[int, float] = {}
    for number, row in enumerate(shown):
        draw_row(drawing, row, ROW * (number + 1), split, feet)
    if rest:
        drawing.text(LEFT, ROW * (most + 1) + 16, f"… and {rest:,} more", colour=palette.SOFT)
    return drawing


def draw_row(drawing: Drawing, row: Row, top: float, split: float, feet: dict[int, float]) -> None:
    """One row; `feet` remembers where the last box of every level ended."""
    x = LEFT + INDENT * row.level
    middle = top + ROW / 2
    if row.level in feet or row.level - 1 in feet:
        drawing.path(f"M{x - 14} {feet.get(row.level - 1, top):g} V{middle:g} H{x}", colour=palette.RULE)
    feet[row.level] = top + ROW - 2
    width = max(min(text_width(row.label) + 16, split - x - 8), 20)
    drawing.box(x, top + 2, width, ROW - 4, row.tint, title=row.hint, dashed=row.dashed)
    drawing.text(x + 8, top + 16, fit(row.label, width - 10), bold=row.bold)
    if row.beside:
        room = split - x - width - 12
        drawing.text(x + width + 6, top + 16, fit(row.beside, room, 11), colour=palette.SOFT, size=11)
    if row.note:
        note = fit(row.note, palette.WIDTH - split - 6, 11)
        drawing.text(split, top + 16, note, size=11, colour=palette.SOFT, link=row.link, title=row.hint)


def outline_as_text(rows: Sequence[Row]) -> str:
    """The same tree in letters."""
    return "\n".join("  " * row.level + " ".join(part for part in (row.label, row.beside) if part) for row in rows)
