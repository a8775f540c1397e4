"""Zicsr and Zifencei: control and status registers, instruction fence (QEMU target/riscv/insn_trans/trans_rvi.c.inc).

Whether an instruction reads, and whether it writes, matters: writing a read-only CSR is illegal even if it would
change nothing, and each access may have side effects.
"""

from __future__ import annotations

from pyqemu_edu.target.riscv.insn.declare import Extension
from pyqemu_edu.target.riscv.insn.formats import Csr, CsrI, Empty
from pyqemu_edu.target.riscv.insn.protocol import Machine

insn = Extension("Zicsr", "Control and status registers")
Zifencei = Extension("Zifencei", "Instruction-fetch fence", needs=("ifencei",))

# fmt: off
# ruff: noqa: D103

@insn("............ ..... 001 ..... 1110011  @csr", "{rd}, {csr}, {rs1}")
def csrrw(m: Machine, a: Csr) -> None: m.x[a.rd] = m.csr(a.csr, m.x[a.rs1], -1, reads=a.rd != 0, writes=True)

@insn("............ ..... 010 ..... 1110011  @csr", "{rd}, {csr}, {rs1}")
def csrrs(m: Machine, a: Csr) -> None: m.x[a.rd] = m.csr(a.csr, -1, m.x[a.rs1], reads=True, writes=a.rs1 != 0)

@insn("............ ..... 011 ..... 1110011  @csr", "{rd}, {csr}, {rs1}")
def csrrc(m: Machine, a: Csr) -> None: m.x[a.rd] = m.csr(a.csr, 0, m.x[a.rs1], reads=True, writes=a.rs1 != 0)

@insn("............ ..... 101 ..... 1110011  @csri", "{rd}, {csr}, {imm}")
def csrrwi(m: Machine, a: CsrI) -> None: m.x[a.rd] = m.csr(a.csr, a.imm, -1, reads=a.rd != 0, writes=True)

@insn("............ ..... 110 ..... 1110011  @csri", "{rd}, {csr}, {imm}")
def csrrsi(m: Machine, a: CsrI) -> None: m.x[a.rd] = m.csr(a.csr, -1, a.imm, reads=True, writes=a.imm != 0)

@insn("............ ..... 111 ..... 1110011  @csri", "{rd}, {csr}, {imm}")
def csrrci(m: Machine, a: CsrI) -> None: m.x[a.rd] = m.csr(a.csr, 0, a.imm, reads=True, writes=a.imm != 0)

@Zifencei("------------ ----- 001 ----- 0001111  @empty")
def fence_i(m: Machine, a: Empty) -> None: m.fence_i()
