"""D, doubles (QEMU target/riscv/insn_trans/trans_rvd.c.inc)."""

from __future__ import annotations

from pyqemu_edu.target.riscv.fpu_helper import (
    helper_fadd_d,
    helper_fclass_d,
    helper_fcvt_d_l,
    helper_fcvt_d_lu,
    helper_fcvt_d_s,
    helper_fcvt_d_w,
    helper_fcvt_d_wu,
    helper_fcvt_l_d,
    helper_fcvt_lu_d,
    helper_fcvt_s_d,
    helper_fcvt_w_d,
    helper_fcvt_wu_d,
    helper_fdiv_d,
    helper_feq_d,
    helper_fle_d,
    helper_flt_d,
    helper_fmadd_d,
    helper_fmax_d,
    helper_fmin_d,
    helper_fmsub_d,
    helper_fmul_d,
    helper_fnmadd_d,
    helper_fnmsub_d,
    helper_fsqrt_d,
    helper_fsub_d,
)
from pyqemu_edu.target.riscv.insn.declare import Extension
from pyqemu_edu.target.riscv.insn.formats import Fused, I, R, Rounded, S, Unary, UnaryR
from pyqemu_edu.target.riscv.insn.protocol import Machine

insn = Extension("D", "Double-precision floating point", fpu=True)

SIGN = 1 << 63

# fmt: off
# ruff: noqa: D103

# Loads and stores

@insn("............ ..... 011 ..... 0000111  @i", "{frd}, {imm}({rs1})")
def fld(m: Machine, a: I) -> None: m.f[a.rd] = m.load(m.x[a.rs1] + a.imm, 8)

@insn("....... ..... ..... 011 ..... 0100111  @s", "{frs2}, {imm}({rs1})")
def fsd(m: Machine, a: S) -> None: m.store(m.x[a.rs1] + a.imm, m.f[a.rs2], 8)


# Arithmetic

@insn("0000001 ..... ..... ... ..... 1010011  @r_rm", "{frd}, {frs1}, {frs2}, {rm}")
def fadd_d(m: Machine, a: Rounded) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fadd_d, m.f[a.rs1], m.f[a.rs2])

@insn("0000101 ..... ..... ... ..... 1010011  @r_rm", "{frd}, {frs1}, {frs2}, {rm}")
def fsub_d(m: Machine, a: Rounded) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fsub_d, m.f[a.rs1], m.f[a.rs2])

@insn("0001001 ..... ..... ... ..... 1010011  @r_rm", "{frd}, {frs1}, {frs2}, {rm}")
def fmul_d(m: Machine, a: Rounded) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fmul_d, m.f[a.rs1], m.f[a.rs2])

@insn("0001101 ..... ..... ... ..... 1010011  @r_rm", "{frd}, {frs1}, {frs2}, {rm}")
def fdiv_d(m: Machine, a: Rounded) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fdiv_d, m.f[a.rs1], m.f[a.rs2])

@insn("0101101 00000 ..... ... ..... 1010011  @r2_rm", "{frd}, {frs1}, {rm}")
def fsqrt_d(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fsqrt_d, m.f[a.rs1])

@insn("0010101 ..... ..... 000 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fmin_d(m: Machine, a: R) -> None: m.f[a.rd] = m.helper(helper_fmin_d, m.f[a.rs1], m.f[a.rs2])

@insn("0010101 ..... ..... 001 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fmax_d(m: Machine, a: R) -> None: m.f[a.rd] = m.helper(helper_fmax_d, m.f[a.rs1], m.f[a.rs2])


# Product and sum in one, rounded once

@insn("..... 01 ..... ..... ... ..... 1000011  @r4_rm", "{frd}, {frs1}, {frs2}, {frs3}, {rm}")
def fmadd_d(m: Machine, a: Fused) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fmadd_d, m.f[a.rs1], m.f[a.rs2], m.f[a.rs3])

@insn("..... 01 ..... ..... ... ..... 1000111  @r4_rm", "{frd}, {frs1}, {frs2}, {frs3}, {rm}")
def fmsub_d(m: Machine, a: Fused) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fmsub_d, m.f[a.rs1], m.f[a.rs2], m.f[a.rs3])

@insn("..... 01 ..... ..... ... ..... 1001011  @r4_rm", "{frd}, {frs1}, {frs2}, {frs3}, {rm}")
def fnmsub_d(m: Machine, a: Fused) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fnmsub_d, m.f[a.rs1], m.f[a.rs2], m.f[a.rs3])

@insn("..... 01 ..... ..... ... ..... 1001111  @r4_rm", "{frd}, {frs1}, {frs2}, {frs3}, {rm}")
def fnmadd_d(m: Machine, a: Fused) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fnmadd_d, m.f[a.rs1], m.f[a.rs2], m.f[a.rs3])


# Signs

@insn("0010001 ..... ..... 000 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fsgnj_d(m: Machine, a: R) -> None: m.f[a.rd] = m.f[a.rs1] & ~SIGN | m.f[a.rs2] & SIGN

@insn("0010001 ..... ..... 001 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fsgnjn_d(m: Machine, a: R) -> None: m.f[a.rd] = m.f[a.rs1] & ~SIGN | ~m.f[a.rs2] & SIGN

@insn("0010001 ..... ..... 010 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fsgnjx_d(m: Machine, a: R) -> None: m.f[a.rd] = m.f[a.rs1] ^ m.f[a.rs2] & SIGN


# Comparisons and kinds

@insn("1010001 ..... ..... 000 ..... 1010011  @r", "{rd}, {frs1}, {frs2}")
def fle_d(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_fle_d, m.f[a.rs1], m.f[a.rs2])

@insn("1010001 ..... ..... 001 ..... 1010011  @r", "{rd}, {frs1}, {frs2}")
def flt_d(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_flt_d, m.f[a.rs1], m.f[a.rs2])

@insn("1010001 ..... ..... 010 ..... 1010011  @r", "{rd}, {frs1}, {frs2}")
def feq_d(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_feq_d, m.f[a.rs1], m.f[a.rs2])

@insn("1110001 00000 ..... 001 ..... 1010011  @r2", "{rd}, {frs1}")
def fclass_d(m: Machine, a: Unary) -> None: m.x[a.rd] = m.helper(helper_fclass_d, m.f[a.rs1])


# To integers and from them

@insn("1100001 00000 ..... ... ..... 1010011  @r2_rm", "{rd}, {frs1}, {rm}")
def fcvt_w_d(m: Machine, a: UnaryR) -> None: m.x[a.rd] = m.rounded(a.rm, helper_fcvt_w_d, m.f[a.rs1])

@insn("1100001 00001 ..... ... ..... 1010011  @r2_rm", "{rd}, {frs1}, {rm}")
def fcvt_wu_d(m: Machine, a: UnaryR) -> None: m.x[a.rd] = m.rounded(a.rm, helper_fcvt_wu_d, m.f[a.rs1])

@insn("1100001 00010 ..... ... ..... 1010011  @r2_rm", "{rd}, {frs1}, {rm}")
def fcvt_l_d(m: Machine, a: UnaryR) -> None: m.x[a.rd] = m.rounded(a.rm, helper_fcvt_l_d, m.f[a.rs1])

@insn("1100001 00011 ..... ... ..... 1010011  @r2_rm", "{rd}, {frs1}, {rm}")
def fcvt_lu_d(m: Machine, a: UnaryR) -> None: m.x[a.rd] = m.rounded(a.rm, helper_fcvt_lu_d, m.f[a.rs1])

@insn("1101001 00000 ..... ... ..... 1010011  @r2_rm", "{frd}, {rs1}, {rm}")
def fcvt_d_w(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt_d_w, m.x[a.rs1])

@insn("1101001 00001 ..... ... ..... 1010011  @r2_rm", "{frd}, {rs1}, {rm}")
def fcvt_d_wu(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt_d_wu, m.x[a.rs1])

@insn("1101001 00010 ..... ... ..... 1010011  @r2_rm", "{frd}, {rs1}, {rm}")
def fcvt_d_l(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt_d_l, m.x[a.rs1])

@insn("1101001 00011 ..... ... ..... 1010011  @r2_rm", "{frd}, {rs1}, {rm}")
def fcvt_d_lu(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt_d_lu, m.x[a.rs1])


# Bits as they are

@insn("1110001 00000 ..... 000 ..... 1010011  @r2", "{rd}, {frs1}")
def fmv_x_d(m: Machine, a: Unary) -> None: m.x[a.rd] = m.f[a.rs1]

@insn("1111001 00000 ..... 000 ..... 1010011  @r2", "{frd}, {rs1}")
def fmv_d_x(m: Machine, a: Unary) -> None: m.f[a.rd] = m.x[a.rs1]


# Between doubles and singles

@insn("0100000 00001 ..... ... ..... 1010011  @r2_rm", "{frd}, {frs1}, {rm}")
def fcvt_s_d(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt_s_d, m.f[a.rs1])

@insn("0100001 00000 ..... ... ..... 1010011  @r2_rm", "{frd}, {frs1}, {rm}")
def fcvt_d_s(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt_d_s, m.f[a.rs1])
