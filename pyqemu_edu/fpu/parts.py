"""A floating-point number in parts: unpacking, exact operations, one rounding (QEMU fpu/softfloat-parts.c.inc).

    1.5 + 2**-60:   (sign 0, 3 * 2**-1) + (sign 0, 1 * 2**-60)   unpack
                    (sign 0, (3 << 59) + 1, 2**-60)              add: exact, the significand has any length
                    1.5, inexact                                 round and pack

C carries 64 bits and a sticky one; a Python int carries all of them, so that every operation is a line of arithmetic
and only `parts_round_pack` knows of precision, rounding, overflow and underflow.

Left out against QEMU: all that RISC-V does not ask for.  A NaN that comes out is always the default NaN, subnormal
numbers are never flushed to zero, and tininess is detected after rounding.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cached_property
from math import isqrt
from typing import NamedTuple

# fmt: off
float_round_nearest_even, float_round_down, float_round_up, float_round_to_zero, float_round_ties_away = range(5)

float_flag_invalid   = 0x01
float_flag_divbyzero = 0x02
float_flag_overflow  = 0x04
float_flag_underflow = 0x08
float_flag_inexact   = 0x10

RoundsUp = Callable[[int, int, int, int], bool]

ROUNDS_UP: dict[int, RoundsUp] = {
    float_round_nearest_even: lambda sign, odd, rest, half: rest > half or (rest == half and odd == 1),
    float_round_down:         lambda sign, odd, rest, half: sign == 1 and rest > 0,
    float_round_up:           lambda sign, odd, rest, half: sign == 0 and rest > 0,
    float_round_to_zero:      lambda sign, odd, rest, half: False,
    float_round_ties_away:    lambda sign, odd, rest, half: rest >= half > 0,
}
"""Whether a magnitude goes up: its last kept bit is `odd`, and `rest` of twice `half` is dropped."""
# fmt: on


@dataclass(slots=True)
class FloatStatus:
    """What operations are told, how to round, and what they tell, which exceptions there were (QEMU `float_status`)."""

    float_rounding_mode: int = float_round_nearest_even
    float_exception_flags: int = 0


class FloatClass(IntEnum):
    """What kind of thing a number is."""

    ZERO, NORMAL, INF, QNAN, SNAN = range(5)


ZERO, NORMAL, INF, QNAN, SNAN = FloatClass


class FloatParts(NamedTuple):
    """A number: (-1)**sign * frac * 2**exp.  Zeros have `frac` 0; for infinities and NaNs both are 0."""

    cls: FloatClass
    sign: int
    exp: int = 0
    frac: int = 0

    @property
    def is_nan(self) -> bool:
        """Whether it is no number."""
        return self.cls >= QNAN


@dataclass(frozen=True, eq=False)
class FloatFmt:
    """How many bits the exponent and the fraction have; the last bit of a subnormal number is worth 2**least."""

    exp_size: int
    frac_size: int

    # fmt: off
    @cached_property
    def size(self) -> int: return 1 + self.exp_size + self.frac_size >> 3
    @cached_property
    def precision(self) -> int: return self.frac_size + 1
    @cached_property
    def sign_bit(self) -> int: return 1 << self.exp_size + self.frac_size
    @cached_property
    def infinity(self) -> int: return (1 << self.exp_size) - 1 << self.frac_size
    @cached_property
    def default_nan(self) -> int: return self.infinity | 1 << self.frac_size - 1
    @cached_property
    def least(self) -> int: return 3 - self.precision - (1 << self.exp_size - 1)
    # fmt: on


FLOAT16, FLOAT32, FLOAT64 = FORMATS = FloatFmt(5, 10), FloatFmt(8, 23), FloatFmt(11, 52)


# Between bits and parts


def parts_unpack(bits: int, fmt: FloatFmt) -> FloatParts:
    """The number that `bits` mean (QEMU `parts_canonicalize`)."""
    sign = int(bits & fmt.sign_bit != 0)
    field = (bits & fmt.infinity) >> fmt.frac_size
    frac = bits & (1 << fmt.frac_size) - 1
    if field == fmt.infinity >> fmt.frac_size:
        return FloatParts((QNAN if frac >> fmt.frac_size - 1 else SNAN) if frac else INF, sign)
    if field:
        return FloatParts(NORMAL, sign, fmt.least + field - 1, frac | 1 << fmt.frac_size)
    return FloatParts(NORMAL if frac else ZERO, sign, fmt.least, frac)


def parts_round(sign: int, frac: int, shift: int, s: FloatStatus) -> tuple[int, bool]:
    """`frac` without its low `shift` bits, rounded, and whether they were anything but zero (Not in QEMU)."""
    if shift <= 0:
        return frac << -shift, False
    kept, rest = frac >> shift, frac & (1 << shift) - 1
    up = ROUNDS_UP[s.float_rounding_mode](sign, kept & 1, rest, 1 << shift - 1)
    return kept + up, rest != 0


def parts_round_pack(sign: int, exp: int, frac: int, fmt: FloatFmt, s: FloatStatus) -> int:
    """The bits of the number next to frac * 2**exp, `frac` not being zero (QEMU `parts_uncanon`).

    The exponent's field counts from the subnormal numbers up, so that a carry out of the fraction moves it on.
    """
    unit = max(exp + frac.bit_length() - fmt.precision, fmt.least)
    kept, inexact = parts_round(sign, frac, unit - exp, s)
    bits = (unit - fmt.least << fmt.frac_size) + kept
    if bits >= fmt.infinity:
        s.float_exception_flags |= float_flag_overflow | float_flag_inexact
        bits = fmt.infinity - (not ROUNDS_UP[s.float_rounding_mode](sign, 1, 3, 2))
    elif inexact:
        tiny = is_tiny(sign, exp, frac, fmt, s)
        s.float_exception_flags |= float_flag_inexact | (float_flag_underflow if tiny else 0)
    return bits | fmt.sign_bit * sign


def is_tiny(sign: int, exp: int, frac: int, fmt: FloatFmt, s: FloatStatus) -> bool:
    """Whether the number, rounded as if exponents had no end, is below every normal number (Not in QEMU)."""
    unit = exp + frac.bit_length() - fmt.precision
    kept, _ = parts_round(sign, frac, unit - exp, s)
    return unit + kept.bit_length() < fmt.least + fmt.precision


def parts_pack(p: FloatParts, fmt: FloatFmt, s: FloatStatus) -> int:
    """The bits of a number, rounded if it must be."""
    if p.frac:
        return parts_round_pack(p.sign, p.exp, p.frac, fmt, s)
    return (fmt.infinity if p.cls is INF else 0) | fmt.sign_bit * p.sign


def parts_invalid(fmt: FloatFmt, s: FloatStatus) -> int:
    """There is no answer (Not in QEMU)."""
    s.float_exception_flags |= float_flag_invalid
    return fmt.default_nan


def parts_return_nan(fmt: FloatFmt, s: FloatStatus, *operands: FloatParts) -> int:
    """A NaN came in, so a NaN goes out; a signaling one is noticed (QEMU fpu/softfloat.c)."""
    if any(each.cls is SNAN for each in operands):
        s.float_exception_flags |= float_flag_invalid
    return fmt.default_nan


# Arithmetic


def parts_addsub(a: FloatParts, b: FloatParts, fmt: FloatFmt, s: FloatStatus) -> int:
    """a + b; the sum of opposite numbers is +0, or -0 when rounding down (QEMU fpu/softfloat.c)."""
    if a.cls is INF or b.cls is INF:
        if a.cls is b.cls and a.sign != b.sign:
            return parts_invalid(fmt, s)
        return parts_pack(a if a.cls is INF else b, fmt, s)
    exp = min(a.exp, b.exp)
    x, y = a.frac << a.exp - exp, b.frac << b.exp - exp
    total = (-x if a.sign else x) + (-y if b.sign else y)
    if total:
        return parts_round_pack(int(total < 0), exp, abs(total), fmt, s)
    sign = a.sign if a.sign == b.sign else s.float_rounding_mode == float_round_down
    return fmt.sign_bit * sign


def parts_mul(a: FloatParts, b: FloatParts) -> FloatParts | None:
    """The exact product of two numbers; None for infinity times zero (QEMU fpu/softfloat.c)."""
    sign, kinds = a.sign ^ b.sign, (a.cls, b.cls)
    if INF in kinds:
        return None if ZERO in kinds else FloatParts(INF, sign)
    return FloatParts(min(kinds), sign, a.exp + b.exp, a.frac * b.frac)


def float_add(xa: int, xb: int, fmt: FloatFmt, s: FloatStatus) -> int:
    """Sum (Not in QEMU)."""
    a, b = parts_unpack(xa, fmt), parts_unpack(xb, fmt)
    if a.is_nan or b.is_nan:
        return parts_return_nan(fmt, s, a, b)
    return parts_addsub(a, b, fmt, s)


def float_sub(xa: int, xb: int, fmt: FloatFmt, s: FloatStatus) -> int:
    """Difference (Not in QEMU)."""
    return float_add(xa, xb ^ fmt.sign_bit, fmt, s)


def float_mul(xa: int, xb: int, fmt: FloatFmt, s: FloatStatus) -> int:
    """Product (Not in QEMU)."""
    a, b = parts_unpack(xa, fmt), parts_unpack(xb, fmt)
    if a.is_nan or b.is_nan:
        return parts_return_nan(fmt, s, a, b)
    product = parts_mul(a, b)
    return parts_pack(product, fmt, s) if product else parts_invalid(fmt, s)


def float_muladd(xa: int, xb: int, xc: int, fmt: FloatFmt, s: FloatStatus) -> int:
    """a * b + c, rounded once; infinity times zero is invalid even if c is a NaN (Not in QEMU)."""
    a, b, c = (parts_unpack(bits, fmt) for bits in (xa, xb, xc))
    if a.is_nan or b.is_nan:
        return parts_return_nan(fmt, s, a, b, c)
    product = parts_mul(a, b)
    if product is None:
        return parts_invalid(fmt, s)
    return parts_return_nan(fmt, s, c) if c.is_nan else parts_addsub(product, c, fmt, s)


def float_div(xa: int, xb: int, fmt: FloatFmt, s: FloatStatus) -> int:
    """Quotient: two bits more than fit, and one that stands for all that follow (Not in QEMU)."""
    a, b = parts_unpack(xa, fmt), parts_unpack(xb, fmt)
    if a.is_nan or b.is_nan:
        return parts_return_nan(fmt, s, a, b)
    if a.cls is b.cls and a.cls is not NORMAL:
        return parts_invalid(fmt, s)
    sign = a.sign ^ b.sign
    if a.cls is INF or b.cls is ZERO:
        s.float_exception_flags |= float_flag_divbyzero if a.cls is not INF else 0
        return fmt.infinity | fmt.sign_bit * sign
    if a.cls is ZERO or b.cls is INF:
        return fmt.sign_bit * sign
    shift = fmt.precision + 2 + b.frac.bit_length()
    quotient, rest = divmod(a.frac << shift, b.frac)
    return parts_round_pack(sign, a.exp - b.exp - shift - 1, quotient << 1 | (rest != 0), fmt, s)


def float_sqrt(xa: int, fmt: FloatFmt, s: FloatStatus) -> int:
    """Square root, likewise; that of -0 is -0 (Not in QEMU)."""
    a = parts_unpack(xa, fmt)
    if a.is_nan:
        return parts_return_nan(fmt, s, a)
    if a.cls is ZERO:
        return xa
    if a.sign:
        return parts_invalid(fmt, s)
    if a.cls is INF:
        return xa
    shift = 2 * fmt.precision + 2 + (a.exp & 1)
    square = a.frac << shift
    root = isqrt(square)
    return parts_round_pack(0, (a.exp - shift) // 2 - 1, root << 1 | (root * root != square), fmt, s)


# Comparing


def parts_less(a: FloatParts, b: FloatParts) -> bool:
    """Whether a < b, of two that are no NaNs; zeros are equal whatever their signs (Not in QEMU)."""
    if INF in (a.cls, b.cls):
        return _infinite(a) < _infinite(b)
    exp = min(a.exp, b.exp)
    x, y = a.frac << a.exp - exp, b.frac << b.exp - exp
    return (-x if a.sign else x) < (-y if b.sign else y)


def _infinite(p: FloatParts) -> int:
    return 0 if p.cls is not INF else -1 if p.sign else 1


def float_lt(xa: int, xb: int, fmt: FloatFmt, s: FloatStatus) -> int:
    """1 if a < b, else 0; every NaN is noticed (Not in QEMU)."""
    a, b = parts_unpack(xa, fmt), parts_unpack(xb, fmt)
    if a.is_nan or b.is_nan:
        s.float_exception_flags |= float_flag_invalid
        return 0
    return int(parts_less(a, b))


def float_le(xa: int, xb: int, fmt: FloatFmt, s: FloatStatus) -> int:
    """1 if a <= b, else 0; every NaN is noticed (Not in QEMU)."""
    a, b = parts_unpack(xa, fmt), parts_unpack(xb, fmt)
    if a.is_nan or b.is_nan:
        s.float_exception_flags |= float_flag_invalid
        return 0
    return int(not parts_less(b, a))


def float_eq_quiet(xa: int, xb: int, fmt: FloatFmt, s: FloatStatus) -> int:
    """1 if a == b, else 0; only signaling NaNs are noticed (Not in QEMU)."""
    a, b = parts_unpack(xa, fmt), parts_unpack(xb, fmt)
    if a.is_nan or b.is_nan:
        parts_return_nan(fmt, s, a, b)
        return 0
    return int(xa == xb or a.cls is b.cls is ZERO)


def float_minmax(xa: int, xb: int, fmt: FloatFmt, s: FloatStatus, smaller: bool, number: bool) -> int:
    """The smaller or the larger of two, -0 being below +0 (QEMU `parts_minmax`).

    A NaN beside a number is passed over.  IEEE 754-2019 (`number`) does so with a signaling one, too, having noticed
    it; with 754-2008's minNum the answer is then a NaN.
    """
    a, b = parts_unpack(xa, fmt), parts_unpack(xb, fmt)
    if a.is_nan or b.is_nan:
        nan = parts_return_nan(fmt, s, a, b)
        if (a.is_nan and b.is_nan) or (SNAN in (a.cls, b.cls) and not number):
            return nan
        return xb if a.is_nan else xa
    if a.cls is b.cls is ZERO:
        return xa | xb if smaller else xa & xb
    return xa if parts_less(a, b) == smaller else xb


# Between formats, and between these and integers


def float_to_float(xa: int, source: FloatFmt, fmt: FloatFmt, s: FloatStatus) -> int:
    """The same number in another format, rounded if it must be (Not in QEMU)."""
    a = parts_unpack(xa, source)
    return parts_return_nan(fmt, s, a) if a.is_nan else parts_pack(a, fmt, s)


def float_to_int(xa: int, fmt: FloatFmt, low: int, high: int, s: FloatStatus) -> int:
    """The integer next to a number; where it is not from `low` to `high`, the nearer of these, and invalid.

    A NaN gives `high` (QEMU `parts_float_to_sint`).
    """
    a = parts_unpack(xa, fmt)
    frac, inexact = parts_round(a.sign, a.frac, -a.exp, s) if a.cls <= NORMAL else (high - low + 1, False)
    value = -frac if a.sign and not a.is_nan else frac
    if low <= value <= high:
        s.float_exception_flags |= float_flag_inexact if inexact else 0
        return value
    s.float_exception_flags |= float_flag_invalid
    return high if value > high else low


def int_to_float(value: int, fmt: FloatFmt, s: FloatStatus) -> int:
    """The floating-point number next to an integer (Not in QEMU)."""
    return parts_round_pack(int(value < 0), 0, abs(value), fmt, s) if value else 0
