"""The memory map: who answers where, tall enough to read, with a strip to scale beside it (Not in QEMU)."""

from __future__ import annotations

from math import log2

from pyqemu_edu.process import Process
from pyqemu_edu.softmmu.flatview import FlatRange
from pyqemu_edu.softmmu.memory_region import MemoryRegion, memory_region_name
from pyqemu_edu.softmmu.physmem import address_space_memory
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing, fit
from pyqemu_edu.view.figure import Figure, columns

LEFT, WIDE = 190, 380
STRIP, STRIP_WIDTH = 800, 46
UNITS = ((1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB"))


def size_text(size: int) -> str:
    """A size in the largest unit that leaves it whole."""
    for unit, name in UNITS:
        if size >= unit and size % unit == 0 and size // unit < 10000:
            return f"{size // unit:,} {name}"
    for unit, name in UNITS:
        if size >= unit:
            return f"{size / unit:,.1f} {name}"
    return f"{size:,} bytes"


def kind_of(mr: MemoryRegion) -> tuple[str, palette.Tint]:
    """What a region is, in a word and a colour."""
    if mr.ram:
        return ("ROM", palette.PURPLE) if mr.readonly else ("RAM", palette.GREEN)
    return "device", palette.AMBER


def memory_map(process: Process) -> Figure:
    """The ranges of the system's address space; heights grow with the logarithm of the size, but for the strip."""
    with process:
        ranges = list(address_space_memory().current_map or ())
    drawing = Drawing(palette.WIDTH, 0)
    drawing.text(8, 18, "address", colour=palette.SOFT, sans=True)
    drawing.text(LEFT, 18, "who answers", colour=palette.SOFT, sans=True)
    top, end = 30.0, 0
    for each in ranges:
        if each.addr.start > end:
            top = draw_gap(drawing, top, each.addr.start - end)
        top = draw_range(drawing, top, each)
        end = each.addr.end
    drawing.height = top + 10
    draw_strip(drawing, top, ranges)
    rows = [
        (
            f"{r.addr.start:#x}",
            f"{r.addr.end - 1:#x}",
            size_text(r.addr.size),
            kind_of(r.mr)[0],
            memory_region_name(r.mr),
        )
        for r in ranges
    ]
    words = columns(rows, ("from", "to", "size", "kind", "region"))
    return Figure("Memory map", words, svg=drawing.svg("Memory map", "; ".join(" ".join(row) for row in rows)))


def height_of(size: int) -> float:
    """How tall a range of this size is drawn."""
    return 28 + 2.2 * max(log2(max(size, 1)) - 10, 0)


def draw_range(drawing: Drawing, top: float, each: FlatRange) -> float:
    """One range; returns where the next begins."""
    height = height_of(each.addr.size)
    kind, tint = kind_of(each.mr)
    middle = top + height / 2 + 4
    drawing.text(LEFT - 12, top + 11, f"{each.addr.start:#x}", anchor="end", size=11)
    drawing.text(LEFT - 12, top + height - 2, f"{each.addr.end - 1:#x}", anchor="end", size=11, colour=palette.SOFT)
    drawing.box(
        LEFT, top, WIDE, height, tint, round=2, title=f"{memory_region_name(each.mr)}, priority {each.mr.priority}"
    )
    drawing.text(LEFT + 12, middle, fit(memory_region_name(each.mr), WIDE - 90), bold=True)
    drawing.text(LEFT + WIDE - 10, middle, kind, anchor="end", colour=tint.edge)
    drawing.text(LEFT + WIDE + 14, middle, size_text(each.addr.size), size=11)
    return top + height


def draw_gap(drawing: Drawing, top: float, size: int) -> float:
    """Addresses at which nobody answers."""
    drawing.box(LEFT, top, WIDE, 20, palette.Tint("url(#hatch)", palette.RULE), round=0, dashed=True)
    drawing.text(LEFT + WIDE + 14, top + 14, f"nobody, {size_text(size)}", size=11, colour=palette.SOFT)
    return top + 20


def draw_strip(drawing: Drawing, bottom: float, ranges: list[FlatRange]) -> None:
    """All addresses up to the last one that somebody answers, to scale: what is small becomes a hairline."""
    end = max((r.addr.end for r in ranges), default=1)
    scale = (bottom - 30) / end
    drawing.text(STRIP + STRIP_WIDTH, 18, "to scale", anchor="end", colour=palette.SOFT, sans=True)
    drawing.box(STRIP, 30, STRIP_WIDTH, bottom - 30, palette.Tint("url(#hatch)", palette.RULE), round=0)
    for each in ranges:
        top, height = 30 + each.addr.start * scale, max(each.addr.size * scale, 1)
        title = f"{memory_region_name(each.mr)}, {size_text(each.addr.size)}"
        drawing.box(STRIP, top, STRIP_WIDTH, height, kind_of(each.mr)[1], round=0, title=title)
    drawing.text(STRIP - 6, 40, "0", anchor="end", size=11, colour=palette.SOFT)
    drawing.text(STRIP - 6, bottom, size_text(end), anchor="end", size=11, colour=palette.SOFT)
