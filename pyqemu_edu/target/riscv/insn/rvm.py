"""M, integer multiplication and division (QEMU target/riscv/insn_trans/trans_rvm.c.inc).

Zmmul is M without division.  That never traps: by zero the quotient is all ones and the remainder the dividend.
"""

from __future__ import annotations

from pyqemu_edu.target.riscv.insn.declare import Extension
from pyqemu_edu.target.riscv.insn.formats import R
from pyqemu_edu.target.riscv.insn.protocol import Machine, Value

Zmmul = Extension("Zmmul", "Integer multiplication", needs=("M", "zmmul"))
insn = Extension("M", "Integer division", needs=("M",))


def nonzero(m: Machine, divisor: Value) -> Value:
    """A divisor that is safe to divide by, for a quotient that nobody will look at."""
    return m.select(divisor == 0, 1, divisor)


# fmt: off
# ruff: noqa: D103

@Zmmul("0000001 ..... ..... 000 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def mul(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] * m.x[a.rs2]

@Zmmul("0000001 ..... ..... 001 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def mulh(m: Machine, a: R) -> None: m.x[a.rd] = m.mulh(m.x[a.rs1], m.x[a.rs2])

@Zmmul("0000001 ..... ..... 010 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def mulhsu(m: Machine, a: R) -> None: m.x[a.rd] = m.mulhsu(m.x[a.rs1], m.x[a.rs2])

@Zmmul("0000001 ..... ..... 011 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def mulhu(m: Machine, a: R) -> None: m.x[a.rd] = m.mulhu(m.x[a.rs1], m.x[a.rs2])

@insn("0000001 ..... ..... 100 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def div(m: Machine, a: R) -> None:
    dividend, divisor = m.x[a.rs1], m.x[a.rs2]
    m.x[a.rd] = m.select(divisor == 0, -1, m.div(dividend, nonzero(m, divisor)))

@insn("0000001 ..... ..... 101 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def divu(m: Machine, a: R) -> None:
    dividend, divisor = m.x[a.rs1], m.x[a.rs2]
    m.x[a.rd] = m.select(divisor == 0, -1, m.divu(dividend, nonzero(m, divisor)))

@insn("0000001 ..... ..... 110 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def rem(m: Machine, a: R) -> None:
    dividend, divisor = m.x[a.rs1], m.x[a.rs2]
    m.x[a.rd] = m.select(divisor == 0, dividend, m.rem(dividend, nonzero(m, divisor)))

@insn("0000001 ..... ..... 111 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def remu(m: Machine, a: R) -> None:
    dividend, divisor = m.x[a.rs1], m.x[a.rs2]
    m.x[a.rd] = m.select(divisor == 0, dividend, m.remu(dividend, nonzero(m, divisor)))

# On words

@Zmmul("0000001 ..... ..... 000 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def mulw(m: Machine, a: R) -> None: m.x[a.rd] = m.sext(m.x[a.rs1] * m.x[a.rs2], 32)

@insn("0000001 ..... ..... 100 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def divw(m: Machine, a: R) -> None:
    dividend, divisor = m.sext(m.x[a.rs1], 32), m.sext(m.x[a.rs2], 32)
    m.x[a.rd] = m.sext(m.select(divisor == 0, -1, m.div(dividend, nonzero(m, divisor))), 32)

@insn("0000001 ..... ..... 101 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def divuw(m: Machine, a: R) -> None:
    dividend, divisor = m.zext(m.x[a.rs1], 32), m.zext(m.x[a.rs2], 32)
    m.x[a.rd] = m.sext(m.select(divisor == 0, -1, m.divu(dividend, nonzero(m, divisor))), 32)

@insn("0000001 ..... ..... 110 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def remw(m: Machine, a: R) -> None:
    dividend, divisor = m.sext(m.x[a.rs1], 32), m.sext(m.x[a.rs2], 32)
    m.x[a.rd] = m.sext(m.select(divisor == 0, dividend, m.rem(dividend, nonzero(m, divisor))), 32)

@insn("0000001 ..... ..... 111 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def remuw(m: Machine, a: R) -> None:
    dividend, divisor = m.zext(m.x[a.rs1], 32), m.zext(m.x[a.rs2], 32)
    m.x[a.rd] = m.sext(m.select(divisor == 0, dividend, m.remu(dividend, nonzero(m, divisor))), 32)
