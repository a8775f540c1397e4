"""A hart's registers, and which of them changed (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Mapping

from pyqemu_edu.target.riscv.cpu_state import RISCVCPU, riscv_int_regnames
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing, fit, text_width
from pyqemu_edu.view.figure import Figure

ACROSS, WIDE, ROW = 4, 216, 22


CSRS = ("mhartid", "mstatus", "mie", "mip", "mtvec", "mepc", "mcause", "mtval", "mscratch")


def registers_of(hart: RISCVCPU) -> dict[str, int]:
    """A hart's registers as they are now: pc, the integer registers, and what its machine mode lives on."""
    env = hart.env
    named = zip(riscv_int_regnames, env.gpr, strict=True)
    return {"pc": env.pc, **dict(named), **{name: int(getattr(env, name)) for name in CSRS}}


def register_table(now: Mapping[str, int], before: Mapping[str, int] | None = None, title: str = "Registers") -> Figure:
    """Every register by name; those that differ from `before` are marked with ▸ and in bold."""
    changed = {name for name, value in now.items() if before is not None and before.get(name) != value}
    rows = -(-len(now) // ACROSS)
    drawing = Drawing(palette.WIDTH, ROW * rows + 40)
    drawing.text(8, 18, title, bold=True)
    if before is not None:
        drawing.text(24 + text_width(title), 18, f"▸ changed: {len(changed)}", colour=palette.AMBER.edge)
    for number, (name, value) in enumerate(now.items()):
        x, y = 8 + number // rows * WIDE, 28 + number % rows * ROW
        tint = palette.AMBER if name in changed else palette.PLAIN
        was = f"was {before[name]:#x}" if before is not None and name in changed and name in before else ""
        drawing.box(x, y, WIDE - 8, ROW - 3, tint, round=2, title=was)
        drawing.text(x + 4, y + 14, ("▸" if name in changed else " ") + fit(name, 60, 11), size=11, colour=palette.SOFT)
        drawing.text(x + WIDE - 14, y + 14, f"{value:016x}", size=11, anchor="end", bold=name in changed)
    lines = [f"{'>' if name in changed else ' '} {name:<9}{value:016x}" for name, value in now.items()]
    told = "\n".join([title, *("   ".join(lines[row::rows]) for row in range(rows))])
    return Figure(title, told, svg=drawing.svg(title, f"{len(now)} registers, {len(changed)} changed"))
