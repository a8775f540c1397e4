"""F, singles (QEMU target/riscv/insn_trans/trans_rvf.c.inc).

`m.rounded` and `m.helper` compute (target/riscv/fpu_helper.py); signs and bits are moved here.  A single stands *boxed*
in its register, the upper half all ones; what is not boxed is read as a NaN, but stored and moved as it is.
"""

from __future__ import annotations

from pyqemu_edu.target.riscv.fpu_helper import (
    helper_fadd_s,
    helper_fclass_s,
    helper_fcvt_l_s,
    helper_fcvt_lu_s,
    helper_fcvt_s_l,
    helper_fcvt_s_lu,
    helper_fcvt_s_w,
    helper_fcvt_s_wu,
    helper_fcvt_w_s,
    helper_fcvt_wu_s,
    helper_fdiv_s,
    helper_feq_s,
    helper_fle_s,
    helper_flt_s,
    helper_fmadd_s,
    helper_fmax_s,
    helper_fmin_s,
    helper_fmsub_s,
    helper_fmul_s,
    helper_fnmadd_s,
    helper_fnmsub_s,
    helper_fsqrt_s,
    helper_fsub_s,
)
from pyqemu_edu.target.riscv.insn.declare import Extension
from pyqemu_edu.target.riscv.insn.formats import Fused, I, R, Rounded, S, Unary, UnaryR
from pyqemu_edu.target.riscv.insn.protocol import Machine, Value

insn = Extension("F", "Single-precision floating point", fpu=True)

BOX = 0xFFFFFFFF_00000000
BOXED_NAN = 0xFFFFFFFF_7FC00000
SIGN = 1 << 31


def unboxed(m: Machine, value: Value) -> Value:
    """A single as it stands in its register, or a NaN if none does."""
    return m.select(value < BOX, BOXED_NAN, value)


# fmt: off
# ruff: noqa: D103

# Loads and stores

@insn("............ ..... 010 ..... 0000111  @i", "{frd}, {imm}({rs1})")
def flw(m: Machine, a: I) -> None: m.f[a.rd] = m.load(m.x[a.rs1] + a.imm, 4, signed=False) | BOX

@insn("....... ..... ..... 010 ..... 0100111  @s", "{frs2}, {imm}({rs1})")
def fsw(m: Machine, a: S) -> None: m.store(m.x[a.rs1] + a.imm, m.f[a.rs2], 4)


# Arithmetic

@insn("0000000 ..... ..... ... ..... 1010011  @r_rm", "{frd}, {frs1}, {frs2}, {rm}")
def fadd_s(m: Machine, a: Rounded) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fadd_s, m.f[a.rs1], m.f[a.rs2])

@insn("0000100 ..... ..... ... ..... 1010011  @r_rm", "{frd}, {frs1}, {frs2}, {rm}")
def fsub_s(m: Machine, a: Rounded) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fsub_s, m.f[a.rs1], m.f[a.rs2])

@insn("0001000 ..... ..... ... ..... 1010011  @r_rm", "{frd}, {frs1}, {frs2}, {rm}")
def fmul_s(m: Machine, a: Rounded) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fmul_s, m.f[a.rs1], m.f[a.rs2])

@insn("0001100 ..... ..... ... ..... 1010011  @r_rm", "{frd}, {frs1}, {frs2}, {rm}")
def fdiv_s(m: Machine, a: Rounded) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fdiv_s, m.f[a.rs1], m.f[a.rs2])

@insn("0101100 00000 ..... ... ..... 1010011  @r2_rm", "{frd}, {frs1}, {rm}")
def fsqrt_s(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fsqrt_s, m.f[a.rs1])

@insn("0010100 ..... ..... 000 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fmin_s(m: Machine, a: R) -> None: m.f[a.rd] = m.helper(helper_fmin_s, m.f[a.rs1], m.f[a.rs2])

@insn("0010100 ..... ..... 001 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fmax_s(m: Machine, a: R) -> None: m.f[a.rd] = m.helper(helper_fmax_s, m.f[a.rs1], m.f[a.rs2])


# Product and sum in one, rounded once

@insn("..... 00 ..... ..... ... ..... 1000011  @r4_rm", "{frd}, {frs1}, {frs2}, {frs3}, {rm}")
def fmadd_s(m: Machine, a: Fused) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fmadd_s, m.f[a.rs1], m.f[a.rs2], m.f[a.rs3])

@insn("..... 00 ..... ..... ... ..... 1000111  @r4_rm", "{frd}, {frs1}, {frs2}, {frs3}, {rm}")
def fmsub_s(m: Machine, a: Fused) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fmsub_s, m.f[a.rs1], m.f[a.rs2], m.f[a.rs3])

@insn("..... 00 ..... ..... ... ..... 1001011  @r4_rm", "{frd}, {frs1}, {frs2}, {frs3}, {rm}")
def fnmsub_s(m: Machine, a: Fused) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fnmsub_s, m.f[a.rs1], m.f[a.rs2], m.f[a.rs3])

@insn("..... 00 ..... ..... ... ..... 1001111  @r4_rm", "{frd}, {frs1}, {frs2}, {frs3}, {rm}")
def fnmadd_s(m: Machine, a: Fused) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fnmadd_s, m.f[a.rs1], m.f[a.rs2], m.f[a.rs3])


# Signs

@insn("0010000 ..... ..... 000 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fsgnj_s(m: Machine, a: R) -> None: m.f[a.rd] = unboxed(m, m.f[a.rs1]) & ~SIGN | unboxed(m, m.f[a.rs2]) & SIGN

@insn("0010000 ..... ..... 001 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fsgnjn_s(m: Machine, a: R) -> None: m.f[a.rd] = unboxed(m, m.f[a.rs1]) & ~SIGN | ~unboxed(m, m.f[a.rs2]) & SIGN

@insn("0010000 ..... ..... 010 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fsgnjx_s(m: Machine, a: R) -> None: m.f[a.rd] = unboxed(m, m.f[a.rs1]) ^ unboxed(m, m.f[a.rs2]) & SIGN


# Comparisons and kinds

@insn("1010000 ..... ..... 000 ..... 1010011  @r", "{rd}, {frs1}, {frs2}")
def fle_s(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_fle_s, m.f[a.rs1], m.f[a.rs2])

@insn("1010000 ..... ..... 001 ..... 1010011  @r", "{rd}, {frs1}, {frs2}")
def flt_s(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_flt_s, m.f[a.rs1], m.f[a.rs2])

@insn("1010000 ..... ..... 010 ..... 1010011  @r", "{rd}, {frs1}, {frs2}")
def feq_s(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_feq_s, m.f[a.rs1], m.f[a.rs2])

@insn("1110000 00000 ..... 001 ..... 1010011  @r2", "{rd}, {frs1}")
def fclass_s(m: Machine, a: Unary) -> None: m.x[a.rd] = m.helper(helper_fclass_s, m.f[a.rs1])


# To integers and from them

@insn("1100000 00000 ..... ... ..... 1010011  @r2_rm", "{rd}, {frs1}, {rm}")
def fcvt_w_s(m: Machine, a: UnaryR) -> None: m.x[a.rd] = m.rounded(a.rm, helper_fcvt_w_s, m.f[a.rs1])

@insn("1100000 00001 ..... ... ..... 1010011  @r2_rm", "{rd}, {frs1}, {rm}")
def fcvt_wu_s(m: Machine, a: UnaryR) -> None: m.x[a.rd] = m.rounded(a.rm, helper_fcvt_wu_s, m.f[a.rs1])

@insn("1100000 00010 ..... ... ..... 1010011  @r2_rm", "{rd}, {frs1}, {rm}")
def fcvt_l_s(m: Machine, a: UnaryR) -> None: m.x[a.rd] = m.rounded(a.rm, helper_fcvt_l_s, m.f[a.rs1])

@insn("1100000 00011 ..... ... ..... 1010011  @r2_rm", "{rd}, {frs1}, {rm}")
def fcvt_lu_s(m: Machine, a: UnaryR) -> None: m.x[a.rd] = m.rounded(a.rm, helper_fcvt_lu_s, m.f[a.rs1])

@insn("1101000 00000 ..... ... ..... 1010011  @r2_rm", "{frd}, {rs1}, {rm}")
def fcvt_s_w(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt_s_w, m.x[a.rs1])

@insn("1101000 00001 ..... ... ..... 1010011  @r2_rm", "{frd}, {rs1}, {rm}")
def fcvt_s_wu(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt_s_wu, m.x[a.rs1])

@insn("1101000 00010 ..... ... ..... 1010011  @r2_rm", "{frd}, {rs1}, {rm}")
def fcvt_s_l(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt_s_l, m.x[a.rs1])

@insn("1101000 00011 ..... ... ..... 1010011  @r2_rm", "{frd}, {rs1}, {rm}")
def fcvt_s_lu(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt_s_lu, m.x[a.rs1])


# Bits as they are

@insn("1110000 00000 ..... 000 ..... 1010011  @r2", "{rd}, {frs1}")
def fmv_x_w(m: Machine, a: Unary) -> None: m.x[a.rd] = m.sext(m.f[a.rs1], 32)

@insn("1111000 00000 ..... 000 ..... 1010011  @r2", "{frd}, {rs1}")
def fmv_w_x(m: Machine, a: Unary) -> None: m.f[a.rd] = m.zext(m.x[a.rs1], 32) | BOX
