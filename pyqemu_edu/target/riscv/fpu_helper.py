"""What floating-point instructions compute, from registers to registers (QEMU target/riscv/fpu_helper.c).

A register has 64 bits.  A single in it is *boxed*: the bits above are ones, which makes it a NaN to whoever looks for
a double; what is not boxed counts as a NaN (QEMU target/riscv/internals.h).  C writes a function for each operation
and format; here `helper` makes them, and the operations are listed once.

Left out against QEMU: the extensions that keep floating-point numbers in the integer registers (Zfinx and its kin).
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu_edu.fpu.parts import (
    FLOAT32,
    FLOAT64,
    INF,
    QNAN,
    ZERO,
    FloatFmt,
    FloatStatus,
    float_minmax,
    float_round_down,
    float_round_nearest_even,
    float_round_ties_away,
    float_round_to_zero,
    float_round_up,
    float_to_float,
    float_to_int,
    int_to_float,
    parts_unpack,
)
from pyqemu_edu.fpu.softfloat import (
    float32_add,
    float32_div,
    float32_eq_quiet,
    float32_le,
    float32_lt,
    float32_mul,
    float32_muladd,
    float32_sqrt,
    float32_sub,
    float64_add,
    float64_div,
    float64_eq_quiet,
    float64_le,
    float64_lt,
    float64_mul,
    float64_muladd,
    float64_sqrt,
    float64_sub,
)
from pyqemu_edu.target.riscv.cpu_bits import (
    MASK64,
    MSTATUS_FS,
    PRIV_VERSION_1_11_0,
    RISCV_EXCP_ILLEGAL_INST,
)
from pyqemu_edu.target.riscv.op_helper import riscv_raise_exception

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu import CPURISCVState

RISCV_FRM_RNE, RISCV_FRM_RTZ, RISCV_FRM_RDN, RISCV_FRM_RUP, RISCV_FRM_RMM = range(5)
RISCV_FRM_DYN = 7

# fmt: off
ROUNDING_MODES = {
    RISCV_FRM_RNE: float_round_nearest_even,
    RISCV_FRM_RTZ: float_round_to_zero,
    RISCV_FRM_RDN: float_round_down,
    RISCV_FRM_RUP: float_round_up,
    RISCV_FRM_RMM: float_round_ties_away,
}
# fmt: on


def helper_set_rounding_mode(env: CPURISCVState, rm: int) -> None:
    """Round as an instruction says, or as `frm` says if it leaves that open; modes that do not exist are illegal."""
    mode = ROUNDING_MODES.get(env.frm if rm == RISCV_FRM_DYN else rm)
    if mode is None:
        riscv_raise_exception(env, RISCV_EXCP_ILLEGAL_INST)
    env.fp_status.float_rounding_mode = mode


def helper_mark_fs_dirty(env: CPURISCVState) -> None:
    """The registers have changed: who switches tasks must save them.  In C no helper, but operations.

    (QEMU target/riscv/translate.c, `mark_fs_dirty`)
    """
    env.mstatus |= MSTATUS_FS


# Boxes

BOX_S = 0xFFFFFFFF_00000000
QNAN_S = 0x7FC00000


def check_nanbox_s(bits: int) -> int:
    """The single in a register: the default NaN if it is not boxed (QEMU target/riscv/internals.h)."""
    return bits & 0xFFFFFFFF if bits >= BOX_S else QNAN_S


Helper = Callable[..., int]
"""`helper(env, value, …)`: from the registers that are read to the one that is written."""


def named(name: str, helper: Helper) -> Helper:
    """Give a helper the name by which generated code and `-d op` call it (Not in QEMU)."""
    helper.__name__ = f"helper_{name}"
    return helper


def helper(name: str, operation: Callable[..., int], takes: str = "", gives: str = "") -> Helper:
    """A helper that unboxes what it takes and boxes what it gives where that is a single, "s" (Not in QEMU)."""
    box = BOX_S if gives == "s" else 0
    if takes == "s":
        return named(name, lambda env, *values: operation(*map(check_nanbox_s, values), env.fp_status) | box)
    return named(name, lambda env, *values: operation(*values, env.fp_status) | box)


# Operations that are more than one of softfloat's


def muladd(fmt: FloatFmt, negate_product: bool, negate_c: bool) -> Callable[..., int]:
    """a * b + c, with either term negated (Not in QEMU)."""
    product, addend = fmt.sign_bit * negate_product, fmt.sign_bit * negate_c
    fused = float64_muladd if fmt is FLOAT64 else float32_muladd
    return lambda a, b, c, s: fused(a ^ product, b, c ^ addend, s)


def minmax(name: str, fmt: FloatFmt, smaller: bool) -> Helper:
    """Minimum or maximum: of IEEE 754-2008 before version 1.11 of the privileged manual (Not in QEMU)."""

    def helper(env: CPURISCVState, a: int, b: int) -> int:
        number = env.priv_ver >= PRIV_VERSION_1_11_0
        if fmt is FLOAT64:
            return float_minmax(a, b, fmt, env.fp_status, smaller, number)
        return float_minmax(check_nanbox_s(a), check_nanbox_s(b), fmt, env.fp_status, smaller, number) | BOX_S

    return named(name, helper)


def to_int(fmt: FloatFmt, bits: int) -> Callable[..., int]:
    """To an integer of so many bits, signed (Not in QEMU)."""
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    return lambda a, s: float_to_int(a, fmt, low, high, s) & MASK64


def to_uint(fmt: FloatFmt, bits: int) -> Callable[..., int]:
    """To one without a sign, which a register holds sign-extended nevertheless (Not in QEMU)."""
    high, sign = (1 << bits) - 1, 1 << bits - 1
    return lambda a, s: (float_to_int(a, fmt, 0, high, s) ^ sign) - sign & MASK64


def from_int(fmt: FloatFmt, bits: int) -> Callable[..., int]:
    """From the low bits of a register, signed (Not in QEMU)."""
    mask, sign = (1 << bits) - 1, 1 << bits - 1
    return lambda value, s: int_to_float((value & mask ^ sign) - sign, fmt, s)


def from_uint(fmt: FloatFmt, bits: int) -> Callable[..., int]:
    """The same without a sign (Not in QEMU)."""
    mask = (1 << bits) - 1
    return lambda value, s: int_to_float(value & mask, fmt, s)


def convert(source: FloatFmt, fmt: FloatFmt) -> Callable[..., int]:
    """From one format to the other (Not in QEMU)."""
    return lambda a, s: float_to_float(a, source, fmt, s)


def fclass(fmt: FloatFmt) -> Callable[..., int]:
    """One bit for the kind of number (QEMU target/riscv/vector_helper.c, `fclass_s`, `fclass_d`)."""

    def operation(bits: int, s: FloatStatus) -> int:
        p = parts_unpack(bits, fmt)
        if p.is_nan:
            return 1 << 9 if p.cls is QNAN else 1 << 8
        if p.cls is INF:
            kind = 0
        elif p.cls is ZERO:
            kind = 3
        else:
            kind = 1 if bits & fmt.infinity else 2
        return 1 << (kind if p.sign else 7 - kind)

    return operation


# fmt: off
helper_fadd_s    = helper("fadd_s",    float32_add,  "s", "s")
helper_fsub_s    = helper("fsub_s",    float32_sub,  "s", "s")
helper_fmul_s    = helper("fmul_s",    float32_mul,  "s", "s")
helper_fdiv_s    = helper("fdiv_s",    float32_div,  "s", "s")
helper_fsqrt_s   = helper("fsqrt_s",   float32_sqrt, "s", "s")
helper_fmadd_s   = helper("fmadd_s",   muladd(FLOAT32, False, False), "s", "s")
helper_fmsub_s   = helper("fmsub_s",   muladd(FLOAT32, False, True),  "s", "s")
helper_fnmsub_s  = helper("fnmsub_s",  muladd(FLOAT32, True,  False), "s", "s")
helper_fnmadd_s  = helper("fnmadd_s",  muladd(FLOAT32, True,  True),  "s", "s")
helper_fmin_s    = minmax("fmin_s",    FLOAT32, True)
helper_fmax_s    = minmax("fmax_s",    FLOAT32, False)
helper_flt_s     = helper("flt_s",     float32_lt,       "s")
helper_fle_s     = helper("fle_s",     float32_le,       "s")
helper_feq_s     = helper("feq_s",     float32_eq_quiet, "s")
helper_fclass_s  = helper("fclass_s",  fclass(FLOAT32),  "s")
helper_fcvt_w_s  = helper("fcvt_w_s",  to_int(FLOAT32, 32),  "s")
helper_fcvt_wu_s = helper("fcvt_wu_s", to_uint(FLOAT32, 32), "s")
helper_fcvt_l_s  = helper("fcvt_l_s",  to_int(FLOAT32, 64),  "s")
helper_fcvt_lu_s = helper("fcvt_lu_s", to_uint(FLOAT32, 64), "s")
helper_fcvt_s_w  = helper("fcvt_s_w",  from_int(FLOAT32, 32),  "", "s")
helper_fcvt_s_wu = helper("fcvt_s_wu", from_uint(FLOAT32, 32), "", "s")
helper_fcvt_s_l  = helper("fcvt_s_l",  from_int(FLOAT32, 64),  "", "s")
helper_fcvt_s_lu = helper("fcvt_s_lu", from_uint(FLOAT32, 64), "", "s")

helper_fadd_d    = helper("fadd_d",    float64_add)
helper_fsub_d    = helper("fsub_d",    float64_sub)
helper_fmul_d    = helper("fmul_d",    float64_mul)
helper_fdiv_d    = helper("fdiv_d",    float64_div)
helper_fsqrt_d   = helper("fsqrt_d",   float64_sqrt)
helper_fmadd_d   = helper("fmadd_d",   muladd(FLOAT64, False, False))
helper_fmsub_d   = helper("fmsub_d",   muladd(FLOAT64, False, True))
helper_fnmsub_d  = helper("fnmsub_d",  muladd(FLOAT64, True,  False))
helper_fnmadd_d  = helper("fnmadd_d",  muladd(FLOAT64, True,  True))
helper_fmin_d    = minmax("fmin_d",    FLOAT64, True)
helper_fmax_d    = minmax("fmax_d",    FLOAT64, False)
helper_flt_d     = helper("flt_d",     float64_lt)
helper_fle_d     = helper("fle_d",     float64_le)
helper_feq_d     = helper("feq_d",     float64_eq_quiet)
helper_fclass_d  = helper("fclass_d",  fclass(FLOAT64))
helper_fcvt_w_d  = helper("fcvt_w_d",  to_int(FLOAT64, 32))
helper_fcvt_wu_d = helper("fcvt_wu_d", to_uint(FLOAT64, 32))
helper_fcvt_l_d  = helper("fcvt_l_d",  to_int(FLOAT64, 64))
helper_fcvt_lu_d = helper("fcvt_lu_d", to_uint(FLOAT64, 64))
helper_fcvt_d_w  = helper("fcvt_d_w",  from_int(FLOAT64, 32))
helper_fcvt_d_wu = helper("fcvt_d_wu", from_uint(FLOAT64, 32))
helper_fcvt_d_l  = helper("fcvt_d_l",  from_int(FLOAT64, 64))
helper_fcvt_d_lu = helper("fcvt_d_lu", from_uint(FLOAT64, 64))
helper_fcvt_s_d  = helper("fcvt_s_d",  convert(FLOAT64, FLOAT32), "", "s")
helper_fcvt_d_s  = helper("fcvt_d_s",  convert(FLOAT32, FLOAT64), "s")
# fmt: on
