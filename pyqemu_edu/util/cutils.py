"""Numbers, sizes and switches out of text, by C's rules (QEMU util/cutils.c).

A function that C lets return -EINVAL raises `ValueError` here, one that returns -ERANGE raises `OverflowError`: the
caller knows which parameter it was and says so in QEMU's words.
"""

from __future__ import annotations

import re

from pyqemu_edu.util.error import QemuError, warn_report

UINT64_MAX = (1 << 64) - 1
INT64_MAX = (1 << 63) - 1
INT64_MIN = -(1 << 63)

SUFFIXES = "BKMGTPE"
"""The letters that scale a size; each is worth 1024 (or 1000) of the one before it."""

# What strtoull() takes from the front of its text: blanks, a sign, then digits of the base.
_NUMBER = {
    8: re.compile(r"[ \t\n\v\f\r]*([+-]?)(0[0-7]*)"),
    10: re.compile(r"[ \t\n\v\f\r]*([+-]?)([0-9]+)"),
    16: re.compile(r"[ \t\n\v\f\r]*([+-]?)((?:0[xX](?=[0-9a-fA-F]))?[0-9a-fA-F]+)"),
}
_HEX_PREFIX = re.compile(r"[ \t\n\v\f\r]*[+-]?0[xX][0-9a-fA-F]")
_OCTAL_PREFIX = re.compile(r"[ \t\n\v\f\r]*[+-]?0")
_FRACTION = re.compile(r"\.([0-9]*)([eE][+-]?[0-9]+)?")


def _strtol(text: str, base: int) -> tuple[int, str]:
    """The number in front of `text` and what follows it, as C's strtol family reads it."""
    if base == 0:
        base = 16 if _HEX_PREFIX.match(text) else 8 if _OCTAL_PREFIX.match(text) else 10
    match = _NUMBER[base].match(text)
    if match is None:
        raise ValueError(text)
    value = int(match[2], base)
    return (-value if match[1] == "-" else value), text[match.end() :]


def _whole(number: tuple[int, str]) -> int:
    """The number, if nothing follows it."""
    value, rest = number
    if rest:
        raise ValueError(rest)
    return value


def qemu_strtou64(text: str, base: int = 0) -> int:
    """The whole of `text` as a uint64_t; a minus sign wraps around, as in C."""
    value = _whole(_strtol(text, base))
    if abs(value) > UINT64_MAX:
        raise OverflowError(text)
    return value & UINT64_MAX


def parse_uint(text: str, base: int = 0) -> int:
    """The whole of `text` as a uint64_t, which must not be negative (QEMU `parse_uint_full`)."""
    value = qemu_strtou64(text, base)
    if text.lstrip().startswith("-"):
        raise OverflowError(text)
    return value


def qemu_strtoi64(text: str, base: int = 0) -> int:
    """The whole of `text` as an int64_t."""
    value = _whole(_strtol(text, base))
    if not INT64_MIN <= value <= INT64_MAX:
        raise OverflowError(text)
    return value


def qemu_strtosz(text: str, *, default_suffix: str = "B", unit: int = 1024) -> int:
    """The whole of `text` as a number of bytes: digits, perhaps a fraction, perhaps one of `SUFFIXES`."""
    value, rest = _do_strtosz(text, default_suffix, unit)
    if rest:
        raise ValueError(text)
    if value > UINT64_MAX:
        raise OverflowError(text)
    return value


def _do_strtosz(text: str, default_suffix: str, unit: int) -> tuple[int, str]:
    """The number of bytes, which may be too big, and what follows it."""
    value, rest = _strtol(text, 10)
    if abs(value) > UINT64_MAX:
        return abs(value), rest
    if "-" in text[: len(text) - len(rest)]:
        raise ValueError(text)
    is_hex = value == 0 and rest[:1] in ("x", "X")
    fraction = 0
    if is_hex:
        value, rest = _strtol(text, 16)
    if rest.startswith("."):
        fraction, rest = _fraction(rest, allowed=not is_hex)
    if value > UINT64_MAX:
        return value, rest
    scale, rest = _scale(text, rest, default_suffix, unit, is_hex)
    return _scaled(text, value, fraction, scale), rest


def _fraction(rest: str, *, allowed: bool) -> tuple[int, str]:
    """A fraction in units of 2^-64 and what follows it; an exponent is refused."""
    match = _FRACTION.match(rest)
    assert match is not None
    if match[2] or not allowed:
        raise ValueError(rest)
    digits = match[1]
    return int(float(f"0.{digits}") * 2.0**64) if digits else 0, rest[match.end() :]


def _scale(text: str, rest: str, default_suffix: str, unit: int, is_hex: bool) -> tuple[int, str]:
    """What one unit of the size is worth, by the suffix in `rest` or the default one."""
    index = SUFFIXES.find(rest[:1].upper()) if rest else -1
    if index < 0:
        return unit ** SUFFIXES.index(default_suffix), rest
    if is_hex:
        warn_report(f"Using a multiplier suffix on hex numbers is deprecated: {text}")
    return unit**index, rest[1:]


def _scaled(text: str, value: int, fraction: int, scale: int) -> int:
    """value.fraction × scale, one half rounded up; part of a byte is refused."""
    if scale == 1 and fraction:
        raise ValueError(text)
    return value * scale + ((fraction * scale + (1 << 63)) >> 64)


def mktimegm(year: int, month: int, day: int, hour: int = 0, minute: int = 0, second: int = 0) -> int:
    """Seconds from 1970 to a date and time, which need not exist: a thirteenth month is the next year's first."""
    if month < 3:
        month, year = month + 12, year - 1
    days = day + (153 * month - 457) // 5 + 365 * year + year // 4 - year // 100 + year // 400 - 719469
    return 86400 * days + 3600 * hour + 60 * minute + second


def qapi_bool_parse(name: str, value: str) -> bool:
    """A switch out of text (QEMU qapi/qapi-util.c)."""
    if value in ("on", "yes", "true", "y"):
        return True
    if value in ("off", "no", "false", "n"):
        return False
    raise QemuError(f"Parameter '{name}' expects 'on' or 'off'")


def is_help_option(text: str) -> bool:
    """Whether `text` asks for help (QEMU include/qemu/help_option.h)."""
    return text in ("?", "help")
