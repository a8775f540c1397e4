"""F, D and Zfh: singles, doubles and halves (QEMU target/riscv/insn_trans/trans_rvf.c.inc and two more).

The manual describes F in full, and the others by the field `fmt` in which they differ; so does this file, where QEMU
has trans_rvf.c.inc, trans_rvd.c.inc and trans_rvzfh.c.inc.  `fadd_fmt` is the meaning of fadd.s, fadd.d and fadd.h.

`m.rounded` and `m.helper` compute (target/riscv/fpu_helper.py); signs and bits are moved here.  A number of less than
64 bits stands *boxed* in its register, the bits above all ones; what is not boxed is read as a NaN, but stored and
moved as it is.
"""

from __future__ import annotations

from pyqemu_edu.fpu.parts import FLOAT16, FLOAT32, FLOAT64, FloatFmt
from pyqemu_edu.target.riscv.fpu_helper import (
    BOX,
    helper_fadd,
    helper_fclass,
    helper_fcvt,
    helper_fcvt_from_l,
    helper_fcvt_from_lu,
    helper_fcvt_from_w,
    helper_fcvt_from_wu,
    helper_fcvt_l,
    helper_fcvt_lu,
    helper_fcvt_w,
    helper_fcvt_wu,
    helper_fdiv,
    helper_feq,
    helper_fle,
    helper_flt,
    helper_fmadd,
    helper_fmax,
    helper_fmin,
    helper_fmsub,
    helper_fmul,
    helper_fnmadd,
    helper_fnmsub,
    helper_fsqrt,
    helper_fsub,
)
from pyqemu_edu.target.riscv.insn.declare import Extension, Family
from pyqemu_edu.target.riscv.insn.formats import Fused, I, R, Rounded, S, Unary, UnaryR
from pyqemu_edu.target.riscv.insn.protocol import Machine, Value

F = Extension("F", "Single-precision floating point", needs=("F",), fpu=True)
D = Extension("D", "Double-precision floating point", needs=("D",), fpu=True)
Zfh = Extension("Zfh", "Half-precision floating point", needs=("zfh",), fpu=True)
Zfhmin = Extension("Zfhmin", "As much of it as is needed to keep halves in memory", needs=("zfh", "zfhmin"), fpu=True)
Zfhmin_D = Extension("Zfhmin+D", "Conversions between halves and doubles", needs=("D zfh", "D zfhmin"), fpu=True)

insn = Family({FLOAT32: F, FLOAT64: D, FLOAT16: Zfh})
insn_min = Family({FLOAT32: F, FLOAT64: D, FLOAT16: Zfhmin})


def boxed(value: Value, fmt: FloatFmt) -> Value:
    """A number as it stands in its register."""
    return value | BOX[fmt] if BOX[fmt] else value


def unboxed(m: Machine, value: Value, fmt: FloatFmt) -> Value:
    """The same, or a NaN if it is in no box."""
    return m.select(value < BOX[fmt], BOX[fmt] | fmt.default_nan, value) if BOX[fmt] else value


# fmt: off
# ruff: noqa: D103

# Loads, stores, and bits as they are

@insn_min("............ ..... width ..... 0000111  @i", "{frd}, {imm}({rs1})")
def flwidth(m: Machine, a: I, fmt: FloatFmt) -> None:
    m.f[a.rd] = boxed(m.load(m.x[a.rs1] + a.imm, fmt.size, signed=False), fmt)

@insn_min("....... ..... ..... width ..... 0100111  @s", "{frs2}, {imm}({rs1})")
def fswidth(m: Machine, a: S, fmt: FloatFmt) -> None:
    m.store(m.x[a.rs1] + a.imm, m.f[a.rs2], fmt.size)

@insn_min("11100 fmt 00000 ..... 000 ..... 1010011  @r2", "{rd}, {frs1}")
def fmv_x_width(m: Machine, a: Unary, fmt: FloatFmt) -> None:
    m.x[a.rd] = m.sext(m.f[a.rs1], 8 * fmt.size)

@insn_min("11110 fmt 00000 ..... 000 ..... 1010011  @r2", "{frd}, {rs1}")
def fmv_width_x(m: Machine, a: Unary, fmt: FloatFmt) -> None:
    m.f[a.rd] = boxed(m.x[a.rs1], fmt)


# Arithmetic

@insn("00000 fmt ..... ..... ... ..... 1010011  @r_rm", "{frd}, {frs1}, {frs2}, {rm}")
def fadd_fmt(m: Machine, a: Rounded, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fadd[fmt], m.f[a.rs1], m.f[a.rs2])

@insn("00001 fmt ..... ..... ... ..... 1010011  @r_rm", "{frd}, {frs1}, {frs2}, {rm}")
def fsub_fmt(m: Machine, a: Rounded, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fsub[fmt], m.f[a.rs1], m.f[a.rs2])

@insn("00010 fmt ..... ..... ... ..... 1010011  @r_rm", "{frd}, {frs1}, {frs2}, {rm}")
def fmul_fmt(m: Machine, a: Rounded, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fmul[fmt], m.f[a.rs1], m.f[a.rs2])

@insn("00011 fmt ..... ..... ... ..... 1010011  @r_rm", "{frd}, {frs1}, {frs2}, {rm}")
def fdiv_fmt(m: Machine, a: Rounded, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fdiv[fmt], m.f[a.rs1], m.f[a.rs2])

@insn("01011 fmt 00000 ..... ... ..... 1010011  @r2_rm", "{frd}, {frs1}, {rm}")
def fsqrt_fmt(m: Machine, a: UnaryR, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fsqrt[fmt], m.f[a.rs1])

@insn("00101 fmt ..... ..... 000 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fmin_fmt(m: Machine, a: R, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.helper(helper_fmin[fmt], m.f[a.rs1], m.f[a.rs2])

@insn("00101 fmt ..... ..... 001 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fmax_fmt(m: Machine, a: R, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.helper(helper_fmax[fmt], m.f[a.rs1], m.f[a.rs2])


# Product and sum in one, rounded once

@insn("..... fmt ..... ..... ... ..... 1000011  @r4_rm", "{frd}, {frs1}, {frs2}, {frs3}, {rm}")
def fmadd_fmt(m: Machine, a: Fused, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fmadd[fmt], m.f[a.rs1], m.f[a.rs2], m.f[a.rs3])

@insn("..... fmt ..... ..... ... ..... 1000111  @r4_rm", "{frd}, {frs1}, {frs2}, {frs3}, {rm}")
def fmsub_fmt(m: Machine, a: Fused, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fmsub[fmt], m.f[a.rs1], m.f[a.rs2], m.f[a.rs3])

@insn("..... fmt ..... ..... ... ..... 1001011  @r4_rm", "{frd}, {frs1}, {frs2}, {frs3}, {rm}")
def fnmsub_fmt(m: Machine, a: Fused, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fnmsub[fmt], m.f[a.rs1], m.f[a.rs2], m.f[a.rs3])

@insn("..... fmt ..... ..... ... ..... 1001111  @r4_rm", "{frd}, {frs1}, {frs2}, {frs3}, {rm}")
def fnmadd_fmt(m: Machine, a: Fused, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fnmadd[fmt], m.f[a.rs1], m.f[a.rs2], m.f[a.rs3])


# Signs

@insn("00100 fmt ..... ..... 000 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fsgnj_fmt(m: Machine, a: R, fmt: FloatFmt) -> None:
    m.f[a.rd] = unboxed(m, m.f[a.rs1], fmt) & ~fmt.sign_bit | unboxed(m, m.f[a.rs2], fmt) & fmt.sign_bit

@insn("00100 fmt ..... ..... 001 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fsgnjn_fmt(m: Machine, a: R, fmt: FloatFmt) -> None:
    m.f[a.rd] = unboxed(m, m.f[a.rs1], fmt) & ~fmt.sign_bit | ~unboxed(m, m.f[a.rs2], fmt) & fmt.sign_bit

@insn("00100 fmt ..... ..... 010 ..... 1010011  @r", "{frd}, {frs1}, {frs2}")
def fsgnjx_fmt(m: Machine, a: R, fmt: FloatFmt) -> None:
    m.f[a.rd] = unboxed(m, m.f[a.rs1], fmt) ^ unboxed(m, m.f[a.rs2], fmt) & fmt.sign_bit


# Comparisons and kinds

@insn("10100 fmt ..... ..... 000 ..... 1010011  @r", "{rd}, {frs1}, {frs2}")
def fle_fmt(m: Machine, a: R, fmt: FloatFmt) -> None: m.x[a.rd] = m.helper(helper_fle[fmt], m.f[a.rs1], m.f[a.rs2])

@insn("10100 fmt ..... ..... 001 ..... 1010011  @r", "{rd}, {frs1}, {frs2}")
def flt_fmt(m: Machine, a: R, fmt: FloatFmt) -> None: m.x[a.rd] = m.helper(helper_flt[fmt], m.f[a.rs1], m.f[a.rs2])

@insn("10100 fmt ..... ..... 010 ..... 1010011  @r", "{rd}, {frs1}, {frs2}")
def feq_fmt(m: Machine, a: R, fmt: FloatFmt) -> None: m.x[a.rd] = m.helper(helper_feq[fmt], m.f[a.rs1], m.f[a.rs2])

@insn("11100 fmt 00000 ..... 001 ..... 1010011  @r2", "{rd}, {frs1}")
def fclass_fmt(m: Machine, a: Unary, fmt: FloatFmt) -> None: m.x[a.rd] = m.helper(helper_fclass[fmt], m.f[a.rs1])


# To integers and from them

@insn("11000 fmt 00000 ..... ... ..... 1010011  @r2_rm", "{rd}, {frs1}, {rm}")
def fcvt_w_fmt(m: Machine, a: UnaryR, fmt: FloatFmt) -> None:
    m.x[a.rd] = m.rounded(a.rm, helper_fcvt_w[fmt], m.f[a.rs1])

@insn("11000 fmt 00001 ..... ... ..... 1010011  @r2_rm", "{rd}, {frs1}, {rm}")
def fcvt_wu_fmt(m: Machine, a: UnaryR, fmt: FloatFmt) -> None:
    m.x[a.rd] = m.rounded(a.rm, helper_fcvt_wu[fmt], m.f[a.rs1])

@insn("11000 fmt 00010 ..... ... ..... 1010011  @r2_rm", "{rd}, {frs1}, {rm}")
def fcvt_l_fmt(m: Machine, a: UnaryR, fmt: FloatFmt) -> None:
    m.x[a.rd] = m.rounded(a.rm, helper_fcvt_l[fmt], m.f[a.rs1])

@insn("11000 fmt 00011 ..... ... ..... 1010011  @r2_rm", "{rd}, {frs1}, {rm}")
def fcvt_lu_fmt(m: Machine, a: UnaryR, fmt: FloatFmt) -> None:
    m.x[a.rd] = m.rounded(a.rm, helper_fcvt_lu[fmt], m.f[a.rs1])

@insn("11010 fmt 00000 ..... ... ..... 1010011  @r2_rm", "{frd}, {rs1}, {rm}")
def fcvt_fmt_w(m: Machine, a: UnaryR, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fcvt_from_w[fmt], m.x[a.rs1])

@insn("11010 fmt 00001 ..... ... ..... 1010011  @r2_rm", "{frd}, {rs1}, {rm}")
def fcvt_fmt_wu(m: Machine, a: UnaryR, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fcvt_from_wu[fmt], m.x[a.rs1])

@insn("11010 fmt 00010 ..... ... ..... 1010011  @r2_rm", "{frd}, {rs1}, {rm}")
def fcvt_fmt_l(m: Machine, a: UnaryR, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fcvt_from_l[fmt], m.x[a.rs1])

@insn("11010 fmt 00011 ..... ... ..... 1010011  @r2_rm", "{frd}, {rs1}, {rm}")
def fcvt_fmt_lu(m: Machine, a: UnaryR, fmt: FloatFmt) -> None:
    m.f[a.rd] = m.rounded(a.rm, helper_fcvt_from_lu[fmt], m.x[a.rs1])


# From one format to another

@D("01000 00 00001 ..... ... ..... 1010011  @r2_rm", "{frd}, {frs1}, {rm}")
def fcvt_s_d(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt[FLOAT32, FLOAT64], m.f[a.rs1])

@D("01000 01 00000 ..... ... ..... 1010011  @r2_rm", "{frd}, {frs1}, {rm}")
def fcvt_d_s(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt[FLOAT64, FLOAT32], m.f[a.rs1])

@Zfhmin("01000 00 00010 ..... ... ..... 1010011  @r2_rm", "{frd}, {frs1}, {rm}")
def fcvt_s_h(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt[FLOAT32, FLOAT16], m.f[a.rs1])

@Zfhmin("01000 10 00000 ..... ... ..... 1010011  @r2_rm", "{frd}, {frs1}, {rm}")
def fcvt_h_s(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt[FLOAT16, FLOAT32], m.f[a.rs1])

@Zfhmin_D("01000 01 00010 ..... ... ..... 1010011  @r2_rm", "{frd}, {frs1}, {rm}")
def fcvt_d_h(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt[FLOAT64, FLOAT16], m.f[a.rs1])

@Zfhmin_D("01000 10 00001 ..... ... ..... 1010011  @r2_rm", "{frd}, {frs1}, {rm}")
def fcvt_h_d(m: Machine, a: UnaryR) -> None: m.f[a.rd] = m.rounded(a.rm, helper_fcvt[FLOAT16, FLOAT64], m.f[a.rs1])
