"""Numbers as people write them: `0x1000+$pc*2` (QEMU monitor/hmp.c)."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass

MASK = (1 << 64) - 1
SPACE = " \t\n\v\f\r"


class ExpressionError(Exception):
    """What is wrong with an expression (QEMU `expr_error`)."""


def signed(value: int) -> int:
    """The 64 bits as C's `int64_t` has them."""
    value &= MASK
    return value - (1 << 64) if value >> 63 else value


def quotient(left: int, right: int) -> int:
    """Division as in C, towards zero (Not in QEMU as a function)."""
    if right == 0:
        raise ExpressionError("division by zero")
    return abs(left) // abs(right) * (1 if (left < 0) == (right < 0) else -1)


Operator = Callable[[int, int], int]

LEVELS: tuple[dict[str, Operator], ...] = (
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b},
    {"&": lambda a, b: a & b, "|": lambda a, b: a | b, "^": lambda a, b: a ^ b},
    {"*": lambda a, b: a * b, "/": quotient, "%": lambda a, b: a - b * quotient(a, b)},
)
"""What binds least stands first (QEMU `expr_sum`, `expr_logic`, `expr_prod`)."""

PREFIXES: dict[str, Callable[[int], int]] = {"+": lambda n: n, "-": lambda n: -n, "~": lambda n: ~n}

NUMBER = re.compile(r"[+-]?(?:0[xX][0-9a-fA-F]+|0[0-7]*|[1-9][0-9]*)")


@dataclass(eq=False)
class Expression:
    """An expression at the beginning of `text`; `register` gives the value of `$name`."""

    text: str
    at: int
    register: Callable[[str], int | None]

    def value(self) -> int:
        """Its value; `at` is then behind it, or where it went wrong: `ExpressionError` (QEMU `get_expr`).

        Python's stack holds fewer brackets within brackets than C's.
        """
        self._skip()
        try:
            return self._binary(0)
        except RecursionError:
            raise ExpressionError("too many brackets within brackets") from None

    @property
    def char(self) -> str:
        return self.text[self.at : self.at + 1]

    def _skip(self) -> None:
        while self.char and self.char in SPACE:
            self.at += 1

    def _next(self) -> None:
        self.at += 1
        self._skip()

    def _binary(self, level: int) -> int:
        if level == len(LEVELS):
            return self._unary()
        value = self._binary(level + 1)
        while self.char in LEVELS[level] and self.char:
            operator = LEVELS[level][self.char]
            self._next()
            value = signed(operator(value, self._binary(level + 1)))
        return value

    def _unary(self) -> int:
        char = self.char
        if char in PREFIXES:
            self._next()
            return signed(PREFIXES[char](self._unary()))
        special = {"(": self._bracket, "'": self._character, "$": self._register, "": self._end}.get(char)
        return special() if special else self._number()

    def _bracket(self) -> int:
        self._next()
        value = self._binary(0)
        if self.char != ")":
            raise ExpressionError("')' expected")
        self._next()
        return value

    def _character(self) -> int:
        self.at += 1
        if not self.char:
            raise ExpressionError("character constant expected")
        value = ord(self.char)
        self.at += 1
        if self.char != "'":
            raise ExpressionError("missing terminating ' character")
        self._next()
        return value

    def _register(self) -> int:
        match = re.compile(r"\$([\w.]*)\s*", re.ASCII).match(self.text, self.at)
        assert match
        self.at = match.end()
        value = self.register(match[1])
        if value is None:
            raise ExpressionError("unknown register")
        return value

    def _end(self) -> int:
        raise ExpressionError("unexpected end of expression")

    def _number(self) -> int:
        match = NUMBER.match(self.text, self.at)
        if match is None:
            raise ExpressionError(f"invalid char '{self.char}' in expression")
        digits = match[0]
        value = int(digits, 8) if digits.strip("+-").isdigit() and digits.strip("+-")[0] == "0" else int(digits, 0)
        if value > MASK:
            raise ExpressionError("number too large")
        self.at = match.end()
        self._skip()
        return signed(value)
