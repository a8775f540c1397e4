"""The same thing in several forms, one beside the other (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Sequence

from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing, fit
from pyqemu_edu.view.figure import Figure

LINE = 15


def side_by_side(title: str, forms: Sequence[tuple[str, Sequence[str]]], *, widths: Sequence[float] = ()) -> Figure:
    """Each form a column of lines under its heading, with an arrow to the next; `widths` are the columns' shares."""
    shares = list(widths) or [1.0] * len(forms)
    room = palette.WIDTH - 12.0
    deepest = max((len(lines) for _, lines in forms), default=0)
    drawing = Drawing(palette.WIDTH, 46 + LINE * deepest + 10)
    x = 6.0
    for number, (heading, lines) in enumerate(forms):
        width = room * shares[number] / sum(shares)
        tint = palette.tint(number)
        drawing.box(x, 6, width - 14, 24, tint)
        drawing.text(x + 8, 22, fit(heading, width - 24), bold=True)
        if number < len(forms) - 1:
            drawing.line(x + width - 13, 18, x + width - 1, 18, arrow=True)
        drawing.box(x, 34, width - 14, LINE * deepest + 12, palette.Tint(palette.PAPER, palette.RULE), round=2)
        for place, line in enumerate(lines):
            text = fit(line.replace("\t", "  "), width - 24, 10.5)
            drawing.text(x + 6, 48 + LINE * place, text, size=10.5, title=line if text != line else "")
        x += width
    words = "\n\n".join("\n".join([f"--- {heading}", *lines]) for heading, lines in forms)
    return Figure(title, words, svg=drawing.svg(title, ", ".join(f"{h}: {len(lines)} lines" for h, lines in forms)))
