"""IEEE 754 arithmetic with every exception and rounding mode (QEMU fpu/softfloat.c).

Each operation takes bits and a `FloatStatus`, and gives bits.  `parts.py` computes; what stands here is the short cut:
where the status says *inexact* already and rounding is to nearest, and the result is an ordinary number, there is
nothing that the host's own arithmetic does otherwise.

The host has doubles only.  For a single, and for a half, they are as good: to round to 53 bits and then to 24 gives
what rounding once gives, for one operation with 53 >= 2 * 24 + 2.  For a multiplication and an addition in one that
does not hold, and Python has no such operation before 3.13; `fused` finds what is missing in the product.
"""

from __future__ import annotations

import math
import operator
from collections.abc import Callable
from dataclasses import dataclass
from struct import Struct

from pyqemu_edu.fpu.parts import (
    FLOAT16,
    FLOAT32,
    FLOAT64,
    FORMATS,
    FloatFmt,
    FloatStatus,
    float_add,
    float_div,
    float_eq_quiet,
    float_flag_inexact,
    float_le,
    float_lt,
    float_mul,
    float_muladd,
    float_round_nearest_even,
    float_sqrt,
    float_sub,
)

Soft = Callable[..., int]
"""An operation of `parts.py`: (bits, …, format, status)."""

Float1 = Callable[[int, FloatStatus], int]
Float2 = Callable[[int, int, FloatStatus], int]
Float3 = Callable[[int, int, int, FloatStatus], int]


@dataclass(frozen=True)
class HostFormat:
    """How Python's floats become bits of this format; below `least` and from `most` on our own arithmetic is used."""

    bits: Struct
    two_bits: Struct
    number: Struct
    two_numbers: Struct
    least: float
    most: float


HOST = {
    FLOAT16: HostFormat(Struct("<H"), Struct("<HH"), Struct("<e"), Struct("<ee"), 2.0**-14, 2.0**15),
    FLOAT32: HostFormat(Struct("<I"), Struct("<II"), Struct("<f"), Struct("<ff"), 2.0**-126, 2.0**127),
    FLOAT64: HostFormat(Struct("<Q"), Struct("<QQ"), Struct("<d"), Struct("<dd"), 2.0**-1022, math.inf),
}


def gen2(fmt: FloatFmt, hard: Callable[[float, float], float], soft: Soft) -> Float2:
    """An operation on two numbers: the host's if it may be, else ours (QEMU `float64_gen2`)."""
    host = HOST[fmt]
    to_bits, from_bits, least, most = host.bits.unpack, host.two_numbers.unpack, host.least, host.most
    of_number, of_bits = host.number.pack, host.two_bits.pack

    def operation(xa: int, xb: int, s: FloatStatus) -> int:
        if s.float_exception_flags & float_flag_inexact and s.float_rounding_mode == float_round_nearest_even:
            result = hard(*from_bits(of_bits(xa, xb)))
            if least < abs(result) < most:
                bits: int = to_bits(of_number(result))[0]
                return bits
        return soft(xa, xb, fmt, s)

    return operation


def sqrt(fmt: FloatFmt) -> Float1:
    """The square root (QEMU `float64_sqrt`)."""
    host = HOST[fmt]

    def operation(xa: int, s: FloatStatus) -> int:
        if s.float_exception_flags & float_flag_inexact and s.float_rounding_mode == float_round_nearest_even:
            number: float = host.number.unpack(host.bits.pack(xa))[0]
            if host.least < number < host.most:
                bits: int = host.bits.unpack(host.number.pack(math.sqrt(number)))[0]
                return bits
        return float_sqrt(xa, fmt, s)

    return operation


def muladd(fmt: FloatFmt, hard: Callable[[float, float, float], float]) -> Float3:
    """a * b + c, rounded once (QEMU `float64_muladd`)."""
    host = HOST[fmt]
    of_bits, from_bits = Struct(f"<3{host.bits.format[-1]}").pack, Struct(f"<3{host.number.format[-1]}").unpack

    def operation(xa: int, xb: int, xc: int, s: FloatStatus) -> int:
        if s.float_exception_flags & float_flag_inexact and s.float_rounding_mode == float_round_nearest_even:
            result = hard(*from_bits(of_bits(xa, xb, xc)))
            if host.least < abs(result) < host.most:
                bits: int = host.bits.unpack(host.number.pack(result))[0]
                return bits
        return float_muladd(xa, xb, xc, fmt, s)

    return operation


def fused(a: float, b: float, c: float) -> float:
    """a * b + c for doubles, or a NaN where this way does not lead there (Not in QEMU).

    Dekker: the product's error is a double, too, if nothing underflows; it is found after Veltkamp has split each
    factor into two numbers of 26 bits.  `fsum` adds up exactly and rounds once.
    """
    product = a * b
    if not 1e-270 < product * product < 1e300:
        return math.nan
    scaled = 134217729.0 * a
    a1 = scaled - (scaled - a)
    a0 = a - a1
    scaled = 134217729.0 * b
    b1 = scaled - (scaled - b)
    b0 = b - b1
    error = a0 * b0 - (((product - a1 * b1) - a0 * b1) - a1 * b0)
    return math.fsum((product, error, c))


def fused_in_doubles(a: float, b: float, c: float) -> float:
    """a * b + c for smaller numbers, if doubles hold it exactly, else a NaN (Not in QEMU)."""
    product = a * b
    total = product + c
    return total if total - product == c and total - c == product else math.nan


def compare2(fmt: FloatFmt, hard: Callable[[float, float], bool], soft: Soft) -> Float2:
    """A comparison: but for NaNs the host's is the same, and raises nothing (QEMU `float64_hs_compare`)."""
    of_bits, from_bits = HOST[fmt].two_bits.pack, HOST[fmt].two_numbers.unpack

    def operation(xa: int, xb: int, s: FloatStatus) -> int:
        a, b = from_bits(of_bits(xa, xb))
        return int(hard(a, b)) if a == a and b == b else soft(xa, xb, fmt, s)

    return operation


def divide(a: float, b: float) -> float:
    """The host's division; ours will know what to do about a zero (Not in QEMU)."""
    return a / b if b else math.nan


# fmt: off
float16_add,      float32_add,      float64_add      = (gen2(fmt, operator.add, float_add)         for fmt in FORMATS)
float16_sub,      float32_sub,      float64_sub      = (gen2(fmt, operator.sub, float_sub)         for fmt in FORMATS)
float16_mul,      float32_mul,      float64_mul      = (gen2(fmt, operator.mul, float_mul)         for fmt in FORMATS)
float16_div,      float32_div,      float64_div      = (gen2(fmt, divide, float_div)               for fmt in FORMATS)
float16_sqrt,     float32_sqrt,     float64_sqrt     = (sqrt(fmt)                                  for fmt in FORMATS)
float16_lt,       float32_lt,       float64_lt       = (compare2(fmt, operator.lt, float_lt)       for fmt in FORMATS)
float16_le,       float32_le,       float64_le       = (compare2(fmt, operator.le, float_le)       for fmt in FORMATS)
float16_eq_quiet, float32_eq_quiet, float64_eq_quiet = (compare2(fmt, operator.eq, float_eq_quiet) for fmt in FORMATS)
float16_muladd,   float32_muladd = (muladd(fmt, fused_in_doubles) for fmt in (FLOAT16, FLOAT32))
float64_muladd                   = muladd(FLOAT64, fused)
# fmt: on
