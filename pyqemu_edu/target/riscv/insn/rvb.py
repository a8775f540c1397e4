"""Zba, Zbb, Zbc, Zbs and their kin: bit manipulation (QEMU target/riscv/insn_trans/trans_rvb.c.inc).

Cryptography wants some of Zbb and Zbc without the rest, and a little more: Zbkb, Zbkc, Zbkx.
"""

from __future__ import annotations

from pyqemu_edu.target.riscv.bitmanip_helper import (
    helper_brev8,
    helper_clmul,
    helper_clmulr,
    helper_xperm4,
    helper_xperm8,
)
from pyqemu_edu.target.riscv.insn.declare import Extension
from pyqemu_edu.target.riscv.insn.formats import R, Shift, Unary
from pyqemu_edu.target.riscv.insn.protocol import Machine, Value

Zba = Extension("Zba", "Addresses of array elements", needs=("zba",))
Zbb = Extension("Zbb", "Basic bit manipulation", needs=("zbb",))
Zbb_Zbkb = Extension("Zbb/Zbkb", "As much of it as cryptography needs", needs=("zbb", "zbkb"))
Zbc = Extension("Zbc", "The middle of a product without carries", needs=("zbc",))
Zbc_Zbkc = Extension("Zbc/Zbkc", "Multiplication without carries", needs=("zbc", "zbkc"))
Zbs = Extension("Zbs", "Single bits", needs=("zbs",))
Zbkb = Extension("Zbkb", "Packing, and the bits of bytes reversed", needs=("zbkb",))
Zbkx = Extension("Zbkx", "Permutations", needs=("zbkx",))

BYTES = 0x01010101_01010101
"""A byte times this is that byte eight times over."""


def rotated_right(value: Value, distance: Value, bits: int = 64) -> Value:
    """A value of `bits` bits rotated right by `distance`; the bits of the result above them mean nothing."""
    return value >> distance | value << (bits - distance & bits - 1)


# fmt: off
# ruff: noqa: D103

# Zba: rs2 plus rs1 times 2, 4 or 8; those with .uw take rs1 for a number of 32 bits

@Zba("0010000 ..... ..... 010 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def sh1add(m: Machine, a: R) -> None: m.x[a.rd] = (m.x[a.rs1] << 1) + m.x[a.rs2]

@Zba("0010000 ..... ..... 100 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def sh2add(m: Machine, a: R) -> None: m.x[a.rd] = (m.x[a.rs1] << 2) + m.x[a.rs2]

@Zba("0010000 ..... ..... 110 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def sh3add(m: Machine, a: R) -> None: m.x[a.rd] = (m.x[a.rs1] << 3) + m.x[a.rs2]

@Zba("0000100 ..... ..... 000 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def add_uw(m: Machine, a: R) -> None: m.x[a.rd] = m.zext(m.x[a.rs1], 32) + m.x[a.rs2]

@Zba("0010000 ..... ..... 010 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def sh1add_uw(m: Machine, a: R) -> None: m.x[a.rd] = (m.zext(m.x[a.rs1], 32) << 1) + m.x[a.rs2]

@Zba("0010000 ..... ..... 100 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def sh2add_uw(m: Machine, a: R) -> None: m.x[a.rd] = (m.zext(m.x[a.rs1], 32) << 2) + m.x[a.rs2]

@Zba("0010000 ..... ..... 110 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def sh3add_uw(m: Machine, a: R) -> None: m.x[a.rd] = (m.zext(m.x[a.rs1], 32) << 3) + m.x[a.rs2]

@Zba("000010 ...... ..... 001 ..... 0011011  @sh", "{rd}, {rs1}, {shamt}")
def slli_uw(m: Machine, a: Shift) -> None: m.x[a.rd] = m.zext(m.x[a.rs1], 32) << a.shamt


# Logic with one operand inverted

@Zbb_Zbkb("0100000 ..... ..... 111 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def andn(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] & ~m.x[a.rs2]

@Zbb_Zbkb("0100000 ..... ..... 110 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def orn(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] | ~m.x[a.rs2]

@Zbb_Zbkb("0100000 ..... ..... 100 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def xnor(m: Machine, a: R) -> None: m.x[a.rd] = ~(m.x[a.rs1] ^ m.x[a.rs2])


# Rotations

@Zbb_Zbkb("0110000 ..... ..... 001 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def rol(m: Machine, a: R) -> None: m.x[a.rd] = rotated_right(m.x[a.rs1], -m.x[a.rs2] & 63)

@Zbb_Zbkb("0110000 ..... ..... 101 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def ror(m: Machine, a: R) -> None: m.x[a.rd] = rotated_right(m.x[a.rs1], m.x[a.rs2] & 63)

@Zbb_Zbkb("011000 ...... ..... 101 ..... 0010011  @sh", "{rd}, {rs1}, {shamt}")
def rori(m: Machine, a: Shift) -> None: m.x[a.rd] = rotated_right(m.x[a.rs1], a.shamt)

@Zbb_Zbkb("0110000 ..... ..... 001 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def rolw(m: Machine, a: R) -> None:
    m.x[a.rd] = m.sext(rotated_right(m.zext(m.x[a.rs1], 32), -m.x[a.rs2] & 31, 32), 32)

@Zbb_Zbkb("0110000 ..... ..... 101 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def rorw(m: Machine, a: R) -> None:
    m.x[a.rd] = m.sext(rotated_right(m.zext(m.x[a.rs1], 32), m.x[a.rs2] & 31, 32), 32)

@Zbb_Zbkb("0110000 ..... ..... 101 ..... 0011011  @sh5", "{rd}, {rs1}, {shamt}")
def roriw(m: Machine, a: Shift) -> None: m.x[a.rd] = m.sext(rotated_right(m.zext(m.x[a.rs1], 32), a.shamt, 32), 32)


# Counting bits

@Zbb("011000 000000 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def clz(m: Machine, a: Unary) -> None: m.x[a.rd] = m.clz(m.x[a.rs1])

@Zbb("011000 000001 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def ctz(m: Machine, a: Unary) -> None: m.x[a.rd] = m.ctz(m.x[a.rs1])

@Zbb("011000 000010 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def cpop(m: Machine, a: Unary) -> None: m.x[a.rd] = m.cpop(m.x[a.rs1])

@Zbb("0110000 00000 ..... 001 ..... 0011011  @r2", "{rd}, {rs1}")
def clzw(m: Machine, a: Unary) -> None: m.x[a.rd] = m.clz(m.x[a.rs1] << 32 | 1 << 31)

# As in QEMU 7.2, which counts on through the upper half; the manual stops at 32
@Zbb("0110000 00001 ..... 001 ..... 0011011  @r2", "{rd}, {rs1}")
def ctzw(m: Machine, a: Unary) -> None: m.x[a.rd] = m.select(m.x[a.rs1] == 0, 32, m.ctz(m.x[a.rs1]))

@Zbb("0110000 00010 ..... 001 ..... 0011011  @r2", "{rd}, {rs1}")
def cpopw(m: Machine, a: Unary) -> None: m.x[a.rd] = m.cpop(m.zext(m.x[a.rs1], 32))


# The smaller and the larger

@Zbb("0000101 ..... ..... 100 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def min_(m: Machine, a: R) -> None:
    m.x[a.rd] = m.select(m.signed(m.x[a.rs1]) < m.signed(m.x[a.rs2]), m.x[a.rs1], m.x[a.rs2])

@Zbb("0000101 ..... ..... 101 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def minu(m: Machine, a: R) -> None: m.x[a.rd] = m.select(m.x[a.rs1] < m.x[a.rs2], m.x[a.rs1], m.x[a.rs2])

@Zbb("0000101 ..... ..... 110 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def max_(m: Machine, a: R) -> None:
    m.x[a.rd] = m.select(m.signed(m.x[a.rs1]) < m.signed(m.x[a.rs2]), m.x[a.rs2], m.x[a.rs1])

@Zbb("0000101 ..... ..... 111 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def maxu(m: Machine, a: R) -> None: m.x[a.rd] = m.select(m.x[a.rs1] < m.x[a.rs2], m.x[a.rs2], m.x[a.rs1])


# Bytes and halfwords

@Zbb("011000 000100 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def sext_b(m: Machine, a: Unary) -> None: m.x[a.rd] = m.sext(m.x[a.rs1], 8)

@Zbb("011000 000101 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def sext_h(m: Machine, a: Unary) -> None: m.x[a.rd] = m.sext(m.x[a.rs1], 16)

@Zbb("0000100 00000 ..... 100 ..... 0111011  @r2", "{rd}, {rs1}")
def zext_h(m: Machine, a: Unary) -> None: m.x[a.rd] = m.zext(m.x[a.rs1], 16)

@Zbb_Zbkb("011010 111000 ..... 101 ..... 0010011  @r2", "{rd}, {rs1}")
def rev8(m: Machine, a: Unary) -> None: m.x[a.rd] = m.bswap(m.x[a.rs1])

# A byte that is not zero carries into its highest bit, and becomes all ones
@Zbb("001010 000111 ..... 101 ..... 0010011  @r2", "{rd}, {rs1}")
def orc_b(m: Machine, a: Unary) -> None:
    value = m.x[a.rs1]
    m.x[a.rd] = (((value & 0x7F * BYTES) + 0x7F * BYTES | value) >> 7 & BYTES) * 0xFF


# Zbc: products of polynomials over GF(2)

@Zbc_Zbkc("0000101 ..... ..... 001 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def clmul(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_clmul, m.x[a.rs1], m.x[a.rs2])

@Zbc_Zbkc("0000101 ..... ..... 011 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def clmulh(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_clmulr, m.x[a.rs1], m.x[a.rs2]) >> 1

@Zbc("0000101 ..... ..... 010 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def clmulr(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_clmulr, m.x[a.rs1], m.x[a.rs2])


# Zbs: one bit is cleared, extracted, inverted, set

@Zbs("0100100 ..... ..... 001 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def bclr(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] & ~(1 << (m.x[a.rs2] & 63))

@Zbs("010010 ...... ..... 001 ..... 0010011  @sh", "{rd}, {rs1}, {shamt}")
def bclri(m: Machine, a: Shift) -> None: m.x[a.rd] = m.x[a.rs1] & ~(1 << a.shamt)

@Zbs("0100100 ..... ..... 101 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def bext(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] >> (m.x[a.rs2] & 63) & 1

@Zbs("010010 ...... ..... 101 ..... 0010011  @sh", "{rd}, {rs1}, {shamt}")
def bexti(m: Machine, a: Shift) -> None: m.x[a.rd] = m.x[a.rs1] >> a.shamt & 1

@Zbs("0110100 ..... ..... 001 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def binv(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] ^ 1 << (m.x[a.rs2] & 63)

@Zbs("011010 ...... ..... 001 ..... 0010011  @sh", "{rd}, {rs1}, {shamt}")
def binvi(m: Machine, a: Shift) -> None: m.x[a.rd] = m.x[a.rs1] ^ 1 << a.shamt

@Zbs("0010100 ..... ..... 001 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def bset(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] | 1 << (m.x[a.rs2] & 63)

@Zbs("001010 ...... ..... 001 ..... 0010011  @sh", "{rd}, {rs1}, {shamt}")
def bseti(m: Machine, a: Shift) -> None: m.x[a.rd] = m.x[a.rs1] | 1 << a.shamt


# Zbkb and Zbkx: low halves put together, bits and fields put elsewhere

@Zbkb("0000100 ..... ..... 100 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def pack(m: Machine, a: R) -> None: m.x[a.rd] = m.zext(m.x[a.rs1], 32) | m.x[a.rs2] << 32

@Zbkb("0000100 ..... ..... 111 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def packh(m: Machine, a: R) -> None: m.x[a.rd] = m.zext(m.x[a.rs1], 8) | m.zext(m.x[a.rs2], 8) << 8

@Zbkb("0000100 ..... ..... 100 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def packw(m: Machine, a: R) -> None: m.x[a.rd] = m.sext(m.zext(m.x[a.rs1], 16) | m.x[a.rs2] << 16, 32)

@Zbkb("011010 000111 ..... 101 ..... 0010011  @r2", "{rd}, {rs1}")
def brev8(m: Machine, a: Unary) -> None: m.x[a.rd] = m.helper(helper_brev8, m.x[a.rs1])

@Zbkx("0010100 ..... ..... 010 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def xperm4(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_xperm4, m.x[a.rs1], m.x[a.rs2])

@Zbkx("0010100 ..... ..... 100 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def xperm8(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_xperm8, m.x[a.rs1], m.x[a.rs2])
