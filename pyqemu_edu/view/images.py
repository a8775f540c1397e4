"""What QEMU has loaded into memory before the first instruction: firmware, kernel, device tree (Not in QEMU)."""

from __future__ import annotations

import os

from pyqemu_edu.hw.core.loader import Rom
from pyqemu_edu.hw.core.loader import statics as loader
from pyqemu_edu.process import Process
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing, fit
from pyqemu_edu.view.figure import Figure, columns
from pyqemu_edu.view.memorymap import size_text

WIDE, HIGH, GAP = 470, 34, 20


def name_of(rom: Rom) -> str:
    """The file's name without its folder, or what QEMU calls a blob."""
    return os.path.basename(rom.name.split(" ELF program header")[0])


def tint_of(rom: Rom) -> palette.Tint:
    """Real ROM, the device tree, and everything else."""
    return palette.PURPLE if rom.isrom else palette.AMBER if rom.name == "fdt" else palette.GREEN


def loaded_images(process: Process, title: str = "In memory before the first instruction") -> Figure:
    """Every image with where it begins and how long it is, the lowest address at the top; gaps are not to scale."""
    with process:
        roms = list(loader().roms)
    rows = [(f"{rom.addr:#x}", size_text(rom.romsize), name_of(rom)) for rom in roms]
    drawing = Drawing(palette.WIDTH, 40 + len(roms) * (HIGH + GAP))
    drawing.text(8, 18, title, bold=True)
    for number, (rom, (address, size, name)) in enumerate(zip(roms, rows, strict=True)):
        y = 30 + number * (HIGH + GAP)
        drawing.text(112, y + 21, address, size=12, anchor="end")
        drawing.box(120, y, WIDE, HIGH, tint_of(rom), round=3)
        drawing.text(132, y + 21, fit(name, WIDE - 110, 12), size=12)
        drawing.text(120 + WIDE - 10, y + 21, size, size=11, anchor="end", colour=palette.SOFT)
        if number and roms[number - 1].end < rom.addr:
            drawing.text(140, y - 6, "⋮", size=12, colour=palette.SOFT)
    told = f"{title}\n{columns(rows, ('address', 'size', 'what'))}"
    return Figure(title, told, svg=drawing.svg(title, f"{len(roms)} images"))
