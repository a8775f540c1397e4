"""The phases of a boot on one line (Not in QEMU)."""

from __future__ import annotations

from pyqemu_edu.trace.log import CALL, EVENT, Log
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing, fit
from pyqemu_edu.view.figure import Figure, columns

LEFT, TOP, ROW = 150, 30, 26


def timeline(log: Log, title: str = "From the command line to the first byte") -> Figure:
    """One bar a phase, as long as its share of the records; beside it how many calls and events it has."""
    marks = log.marks
    starts = [mark.index for mark in marks] + [len(log)]
    spans = [(mark.label, starts[n], starts[n + 1]) for n, mark in enumerate(marks)]
    drawing = Drawing(palette.WIDTH, TOP + ROW * len(spans) + 12)
    drawing.text(8, 18, "phase", colour=palette.SOFT, sans=True)
    drawing.text(LEFT, 18, "records, first to last", colour=palette.SOFT, sans=True)
    drawing.text(palette.WIDTH - 8, 18, "calls / events", colour=palette.SOFT, sans=True, anchor="end")
    scale = (palette.WIDTH - LEFT - 150) / max(len(log), 1)
    rows = []
    for number, (label, start, stop) in enumerate(spans):
        kinds = log.kind[start:stop]
        calls, events = kinds.count(CALL), kinds.count(EVENT)
        rows.append((label, start, calls, events))
        top = TOP + ROW * number
        drawing.text(8, top + 16, f"{number + 1} {fit(label, LEFT - 30)}", bold=True)
        drawing.line(LEFT, top + ROW, palette.WIDTH - 8, top + ROW, colour=palette.MIST)
        width = max((stop - start) * scale, 3)
        drawing.box(
            LEFT + start * scale, top + 4, width, ROW - 8, palette.tint(number), title=f"records {start} to {stop - 1}"
        )
        drawing.text(palette.WIDTH - 8, top + 16, f"{calls:,} / {events:,}", anchor="end", size=11)
    words = columns(rows, ("phase", "first record", "calls", "events"))
    description = f"{len(spans)} phases over {len(log):,} records: {', '.join(label for label, _, _ in spans)}"
    return Figure(title, f"{title}\n{words}", svg=drawing.svg(title, description))
