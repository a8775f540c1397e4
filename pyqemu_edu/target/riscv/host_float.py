"""Which floating-point instructions the translator leaves to the host, and how (Not in QEMU).

QEMU decides in fpu/softfloat.c, within the helper; here the call itself costs more than the arithmetic.
"""

from __future__ import annotations

from functools import partial

from pyqemu_edu.fpu.parts import float_flag_inexact
from pyqemu_edu.tcg.host_float import HostFloat

CAN_USE_FPU = f"not env.frm and env.fp_status.float_exception_flags & {float_flag_inexact:#x}"
"""What `hard` means, looked up when a block is entered: within one, neither changes back (QEMU `can_use_fpu`)."""

host = partial(HostFloat, hard=CAN_USE_FPU)

ORDINARY = {"d": "hard and 1e-300 < r * r < 1e300", "s": "hard and 1e-70 < r * r < 1e70"}
"""Neither zero, infinite or a NaN, nor near to what overflows or underflows."""

VIEWS = {"d": "fpd", "s": "fps"}

# fmt: off
ARITHMETIC = {
    "fadd":  "{0} + {1}",
    "fsub":  "{0} - {1}",
    "fmul":  "{0} * {1}",
    "fdiv":  "{0} / {1} if {1} else NAN",
    "fsqrt": "sqrt({0}) if {0} > 0 else NAN",
}
FUSED = {
    "fmadd_d":  "fused({0}, {1}, {2})",
    "fmsub_d":  "fused({0}, {1}, -{2})",
    "fnmsub_d": "fused(-{0}, {1}, {2})",
    "fnmadd_d": "fused(-{0}, {1}, -{2})",
}
COMPARISONS = {
    "flt": ("{0} < {1}",  "(r or {0} >= {1})"),
    "fle": ("{0} <= {1}", "(r or {0} > {1})"),
    "feq": ("{0} == {1}", "(r or {0} < {1} or {0} > {1})"),
}
FROM_INTEGER = {
    "fcvt_d_w":  host("float(({0} & 0xffffffff ^ 0x80000000) - 0x80000000)", "r == r", view=""),
    "fcvt_d_wu": host("float({0} & 0xffffffff)", "r == r", view=""),
    "fcvt_d_l":  host("float(({0} ^ SIGN) - SIGN)", "(hard or -1e15 < r < 1e15)", view=""),
    "fcvt_d_lu": host("float({0})", "(hard or r < 1e15)", view=""),
}
TO_INTEGER = {
    "fcvt_w_d":  host("{0}", "hard and -0x80000000 <= r < 0x80000000", "int(r) & M"),
    "fcvt_l_d":  host("{0}", "hard and -SIGN <= r < SIGN", "int(r) & M"),
    "fcvt_w_s":  host("{0}", "hard and -0x80000000 <= r < 0x80000000", "int(r) & M", "fps"),
    "fcvt_l_s":  host("{0}", "hard and -SIGN <= r < SIGN", "int(r) & M", "fps"),
}
# fmt: on

ROUNDED_TO_NEAREST = {
    **{
        f"helper_{name}_{letter}": host(text, ORDINARY[letter], view=VIEWS[letter])
        for name, text in ARITHMETIC.items()
        for letter in VIEWS
    },
    **{f"helper_{name}": host(text, ORDINARY["d"]) for name, text in FUSED.items()},
    **{f"helper_{name}": each for name, each in FROM_INTEGER.items()},
}
"""By the helper's name: instructions that round to nearest, as they say themselves or as `frm` says."""

ROUNDED_TO_ZERO = {f"helper_{name}": each for name, each in TO_INTEGER.items()}
"""Instructions that cut off what stands behind the point."""

NOT_ROUNDED = {
    f"helper_{name}_{letter}": host(*comparison, "1 if r else 0", VIEWS[letter])
    for name, comparison in COMPARISONS.items()
    for letter in VIEWS
}
"""Comparisons, whose result is exact."""
