"""What floating-point instructions compute, from registers to registers (QEMU target/riscv/fpu_helper.c).

A register has 64 bits.  A number of fewer bits is *boxed* in it: the bits above are ones, which makes it a NaN to
whoever looks for a longer one; what is not boxed counts as a NaN (QEMU target/riscv/internals.h).  C writes a function
for each operation and format; here each operation is listed once: `helper_fadd[FLOAT32]` is QEMU's `helper_fadd_s`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from pyqemu_edu.fpu.parts import (
    FLOAT16,
    FLOAT32,
    FLOAT64,
    FORMATS,
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
    float16_add,
    float16_div,
    float16_eq_quiet,
    float16_le,
    float16_lt,
    float16_mul,
    float16_muladd,
    float16_sqrt,
    float16_sub,
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
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

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

LETTERS = {FLOAT16: "h", FLOAT32: "s", FLOAT64: "d"}
BOX = {fmt: MASK64 << 8 * fmt.size & MASK64 for fmt in FORMATS}
"""The bits above a number of each format; none above a double."""

Helper = Callable[..., int]
"""`helper(env, value, …)`: from the registers that are read to the one that is written."""
Operation = Callable[..., int]
"""`operation(bits, …, status)`: one of softfloat's, or what does as they do."""
Helpers = dict[FloatFmt, Helper]


def check_nanbox(fmt: FloatFmt) -> Callable[[int], int]:
    """From a register to the number in it: the default NaN if it is not boxed (QEMU `check_nanbox_s`)."""
    box, nan = BOX[fmt], fmt.default_nan
    return lambda bits: bits - box if bits >= box else nan


def named(name: str, helper: Helper) -> Helper:
    """Give a helper the name by which generated code and `-d op` call it (Not in QEMU)."""
    helper.__name__ = f"helper_{name}"
    return helper


def helper(name: str, operation: Operation, takes: FloatFmt | None, gives: FloatFmt | None) -> Helper:
    """A helper that unboxes what it takes and boxes what it gives; None stands for integers (Not in QEMU)."""
    box = BOX[gives] if gives else 0
    if takes and BOX[takes]:
        unboxed = check_nanbox(takes)
        return named(name, lambda env, *values: operation(*map(unboxed, values), env.fp_status) | box)
    if box:
        return named(name, lambda env, *values: operation(*values, env.fp_status) | box)
    return named(name, lambda env, *values: operation(*values, env.fp_status))


def helpers(name: str, operations: Iterable[Operation], takes: bool = True, gives: bool = True) -> Helpers:
    """An operation of each format as helpers; `fmt` in the name is the format's letter (Not in QEMU)."""
    return {
        fmt: helper(name.replace("fmt", LETTERS[fmt]), operation, fmt if takes else None, fmt if gives else None)
        for fmt, operation in zip(FORMATS, operations, strict=True)
    }


# Operations that are more than one of softfloat's


def muladd(fmt: FloatFmt, negate_product: bool, negate_c: bool) -> Operation:
    """a * b + c, with either term negated (Not in QEMU)."""
    product, addend = fmt.sign_bit * negate_product, fmt.sign_bit * negate_c
    fused = {FLOAT16: float16_muladd, FLOAT32: float32_muladd, FLOAT64: float64_muladd}[fmt]
    return lambda a, b, c, s: fused(a ^ product, b, c ^ addend, s)


def minmax(name: str, fmt: FloatFmt, smaller: bool) -> Helper:
    """Minimum or maximum: of IEEE 754-2008 before version 1.11 of the privileged manual (Not in QEMU)."""
    unboxed, box = check_nanbox(fmt), BOX[fmt]

    def helper(env: CPURISCVState, a: int, b: int) -> int:
        number = env.priv_ver >= PRIV_VERSION_1_11_0
        return float_minmax(unboxed(a), unboxed(b), fmt, env.fp_status, smaller, number) | box

    return named(f"{name}_{LETTERS[fmt]}", helper)


def to_int(fmt: FloatFmt, bits: int) -> Operation:
    """To an integer of so many bits, signed (Not in QEMU)."""
    low, high = -(1 << bits - 1), (1 << bits - 1) - 1
    return lambda a, s: float_to_int(a, fmt, low, high, s) & MASK64


def to_uint(fmt: FloatFmt, bits: int) -> Operation:
    """To one without a sign, which a register holds sign-extended nevertheless (Not in QEMU)."""
    high, sign = (1 << bits) - 1, 1 << bits - 1
    return lambda a, s: (float_to_int(a, fmt, 0, high, s) ^ sign) - sign & MASK64


def from_int(fmt: FloatFmt, bits: int) -> Operation:
    """From the low bits of a register, signed (Not in QEMU)."""
    mask, sign = (1 << bits) - 1, 1 << bits - 1
    return lambda value, s: int_to_float((value & mask ^ sign) - sign, fmt, s)


def from_uint(fmt: FloatFmt, bits: int) -> Operation:
    """The same without a sign (Not in QEMU)."""
    mask = (1 << bits) - 1
    return lambda value, s: int_to_float(value & mask, fmt, s)


def convert(fmt: FloatFmt, source: FloatFmt) -> Helper:
    """From one format to another (Not in QEMU)."""
    name = f"fcvt_{LETTERS[fmt]}_{LETTERS[source]}"
    return helper(name, lambda a, s: float_to_float(a, source, fmt, s), source, fmt)


def fclass(fmt: FloatFmt) -> Operation:
    """One bit for the kind of number (QEMU target/riscv/vector_helper.c, `fclass_h`, `fclass_s`, `fclass_d`)."""

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
helper_fadd    = helpers("fadd_fmt",    (float16_add,  float32_add,  float64_add))
helper_fsub    = helpers("fsub_fmt",    (float16_sub,  float32_sub,  float64_sub))
helper_fmul    = helpers("fmul_fmt",    (float16_mul,  float32_mul,  float64_mul))
helper_fdiv    = helpers("fdiv_fmt",    (float16_div,  float32_div,  float64_div))
helper_fsqrt   = helpers("fsqrt_fmt",   (float16_sqrt, float32_sqrt, float64_sqrt))
helper_fmadd   = helpers("fmadd_fmt",   (muladd(fmt, False, False) for fmt in FORMATS))
helper_fmsub   = helpers("fmsub_fmt",   (muladd(fmt, False, True)  for fmt in FORMATS))
helper_fnmsub  = helpers("fnmsub_fmt",  (muladd(fmt, True,  False) for fmt in FORMATS))
helper_fnmadd  = helpers("fnmadd_fmt",  (muladd(fmt, True,  True)  for fmt in FORMATS))
helper_fmin    = {fmt: minmax("fmin", fmt, True)  for fmt in FORMATS}
helper_fmax    = {fmt: minmax("fmax", fmt, False) for fmt in FORMATS}

helper_flt     = helpers("flt_fmt",     (float16_lt,       float32_lt,       float64_lt),       gives=False)
helper_fle     = helpers("fle_fmt",     (float16_le,       float32_le,       float64_le),       gives=False)
helper_feq     = helpers("feq_fmt",     (float16_eq_quiet, float32_eq_quiet, float64_eq_quiet), gives=False)
helper_fclass  = helpers("fclass_fmt",  map(fclass, FORMATS),                 gives=False)
helper_fcvt_w  = helpers("fcvt_w_fmt",  (to_int(fmt, 32)  for fmt in FORMATS), gives=False)
helper_fcvt_wu = helpers("fcvt_wu_fmt", (to_uint(fmt, 32) for fmt in FORMATS), gives=False)
helper_fcvt_l  = helpers("fcvt_l_fmt",  (to_int(fmt, 64)  for fmt in FORMATS), gives=False)
helper_fcvt_lu = helpers("fcvt_lu_fmt", (to_uint(fmt, 64) for fmt in FORMATS), gives=False)

helper_fcvt_from_w  = helpers("fcvt_fmt_w",  (from_int(fmt, 32)  for fmt in FORMATS), takes=False)
helper_fcvt_from_wu = helpers("fcvt_fmt_wu", (from_uint(fmt, 32) for fmt in FORMATS), takes=False)
helper_fcvt_from_l  = helpers("fcvt_fmt_l",  (from_int(fmt, 64)  for fmt in FORMATS), takes=False)
helper_fcvt_from_lu = helpers("fcvt_fmt_lu", (from_uint(fmt, 64) for fmt in FORMATS), takes=False)

helper_fcvt = {(fmt, source): convert(fmt, source) for fmt in FORMATS for source in FORMATS if fmt is not source}
# fmt: on
