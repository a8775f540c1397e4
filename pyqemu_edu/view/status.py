"""The fields of mstatus by name, and which of them a trap or a return changed (Not in QEMU)."""

from __future__ import annotations

from pyqemu_edu.target.riscv.cpu_bits import (
    MSTATUS_FS,
    MSTATUS_MIE,
    MSTATUS_MPIE,
    MSTATUS_MPP,
    MSTATUS_MPRV,
    MSTATUS_MXR,
    MSTATUS_SIE,
    MSTATUS_SPIE,
    MSTATUS_SPP,
    MSTATUS_SUM,
    MSTATUS_TSR,
    MSTATUS_TVM,
    MSTATUS_TW,
    get_field,
)
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing
from pyqemu_edu.view.figure import Figure

# fmt: off
FIELDS = (
    ("TSR",  MSTATUS_TSR,  "sret traps"),              ("TW",   MSTATUS_TW,   "wfi traps"),
    ("TVM",  MSTATUS_TVM,  "satp traps"),              ("MXR",  MSTATUS_MXR,  "what may be executed may be read"),
    ("SUM",  MSTATUS_SUM,  "S may use U's pages"),     ("MPRV", MSTATUS_MPRV, "M's data is MPP's"),
    ("FS",   MSTATUS_FS,   "floating point"),          ("MPP",  MSTATUS_MPP,  "mode before the trap to M"),
    ("SPP",  MSTATUS_SPP,  "mode before the trap to S"), ("MPIE", MSTATUS_MPIE, "MIE before the trap"),
    ("SPIE", MSTATUS_SPIE, "SIE before the trap"),     ("MIE",  MSTATUS_MIE,  "M takes interrupts"),
    ("SIE",  MSTATUS_SIE,  "S takes interrupts"),
)
# fmt: on
MODES = ("U", "S", "reserved", "M")
LEFT, WIDE, TALL = 8, 66, 40


def told(name: str, mask: int, status: int) -> str:
    """A field's value; that of a mode by its letter."""
    value = get_field(status, mask)
    return MODES[value] if name in ("MPP", "SPP") else str(value)


def status_fields(after: int, before: int | None = None, title: str = "mstatus") -> Figure:
    """The fields of mstatus, highest bit first; those that differ from `before` are marked with ▸ and say what was."""
    drawing = Drawing(palette.WIDTH, TALL + 62)
    drawing.text(LEFT, 18, f"{title} = {after:#x}", bold=True)
    lines = []
    for number, (name, mask, meaning) in enumerate(FIELDS):
        now, was = told(name, mask, after), told(name, mask, after if before is None else before)
        draw_field(drawing, number, name, now, was, meaning)
        lines.append(f"{name} {was} -> {now}" if now != was else f"{name} {now}")
    words = f"{title} = {after:#x}: " + ", ".join(lines)
    return Figure(title, words, svg=drawing.svg(title, ", ".join(lines)))


def draw_field(drawing: Drawing, number: int, name: str, now: str, was: str, meaning: str) -> None:
    """One field as a box."""
    x, changed = LEFT + number * WIDE, now != was
    drawing.box(x, 28, WIDE - 4, TALL, palette.AMBER if changed else palette.PLAIN, title=meaning)
    middle = x + WIDE / 2 - 2
    drawing.text(middle, 43, ("▸" if changed else "") + name, anchor="middle", size=11, colour=palette.SOFT)
    drawing.text(middle, 61, now, anchor="middle", bold=changed)
    if changed:
        drawing.text(middle, 84, f"was {was}", anchor="middle", size=10, colour=palette.AMBER.edge)
