"""XVentanaCondOps, a maker's own: a value or zero (QEMU target/riscv/insn_trans/trans_xventanacondops.c.inc)."""

from __future__ import annotations

from pyqemu_edu.target.riscv.insn.declare import Extension
from pyqemu_edu.target.riscv.insn.formats import R
from pyqemu_edu.target.riscv.insn.protocol import Machine

insn = Extension("XVentanaCondOps", "Conditional zero", needs=("XVentanaCondOps",))

# fmt: off
# ruff: noqa: D103

@insn("0000000 ..... ..... 110 ..... 1111011  @r", "{rd}, {rs1}, {rs2}")
def vt_maskc(m: Machine, a: R) -> None: m.x[a.rd] = m.select(m.x[a.rs2] != 0, m.x[a.rs1], 0)

@insn("0000000 ..... ..... 111 ..... 1111011  @r", "{rd}, {rs1}, {rs2}")
def vt_maskcn(m: Machine, a: R) -> None: m.x[a.rd] = m.select(m.x[a.rs2] == 0, m.x[a.rs1], 0)
