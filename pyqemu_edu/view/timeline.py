"""The phases of a boot on one line (Not in QEMU)."""

from __future__ import annotations

from itertools import accumulate

from pyqemu_edu.trace.log import EVENT, Log
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing, fit
from pyqemu_edu.view.figure import Figure, columns

LEFT, TOP, ROW = 160, 30, 26

CONCURRENT = frozenset({"start", "first block", "first byte"})
"""Phases in which several threads run: how much happens in each depends on who gets his turn."""


def events_between(log: Log, start: int, stop: int) -> int:
    """How many events there are from `start` to `stop`."""
    return log.kind[start:stop].count(EVENT)


def told(count: int) -> str:
    """A count, where one can be given."""
    return f"{count:,}" if count else "threads run"


def timeline(log: Log, title: str = "From the command line to the first byte") -> Figure:
    """One bar a phase, as long as its share of the events; beside it how many it has."""
    marks = log.marks
    starts = [mark.index for mark in marks] + [len(log)]
    counts = [
        0 if mark.label in CONCURRENT else events_between(log, starts[n], starts[n + 1]) for n, mark in enumerate(marks)
    ]
    before = [0, *accumulate(counts)]
    drawing = Drawing(palette.WIDTH, TOP + ROW * len(marks) + 12)
    drawing.text(8, 18, "phase", colour=palette.SOFT, sans=True)
    drawing.text(LEFT, 18, "what happens, first to last", colour=palette.SOFT, sans=True)
    drawing.text(palette.WIDTH - 8, 18, "events", colour=palette.SOFT, sans=True, anchor="end")
    scale = (palette.WIDTH - LEFT - 90) / max(before[-1], 1)
    for number, mark in enumerate(marks):
        top = TOP + ROW * number
        drawing.line(LEFT, top + ROW, palette.WIDTH - 8, top + ROW, colour=palette.MIST)
        drawing.text(8, top + 16, f"{number + 1} {fit(mark.label, LEFT - 40)}", bold=True)
        width = max(counts[number] * scale, 3)
        drawing.box(LEFT + before[number] * scale, top + 4, width, ROW - 8, palette.tint(number), title=mark.label)
        drawing.text(palette.WIDTH - 8, top + 16, told(counts[number]), anchor="end", size=11)
    rows = [(mark.label, told(count)) for mark, count in zip(marks, counts, strict=True)]
    description = f"{len(marks)} phases: {', '.join(mark.label for mark in marks)}"
    words = columns(rows, ("phase", "events"))
    return Figure(title, f"{title}\n{words}", svg=drawing.svg(title, description))
