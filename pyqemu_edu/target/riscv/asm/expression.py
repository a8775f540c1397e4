"""Numbers, symbols, and what is computed with them (Not in QEMU).

Operators bind as in GNU as: `* / % << >>` before `| & ^` before `+ -`.  Values are Python ints.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Protocol

from pyqemu_edu.target.riscv.asm.lines import unquote_char

TOKEN = re.compile(
    r"\s*(0[xX][0-9a-fA-F]+|0[bB][01]+|\d+[bf](?![\w.$])|\d+|'(?:\\.|[^'\\])'|%[a-z_]+|[A-Za-z_.$][\w.$]*|<<|>>|\S)"
)
LEVELS: tuple[dict[str, Callable[[int, int], int]], ...] = (
    {"+": lambda a, b: a + b, "-": lambda a, b: a - b},
    {"|": lambda a, b: a | b, "&": lambda a, b: a & b, "^": lambda a, b: a ^ b},
    {
        "*": lambda a, b: a * b,
        "/": lambda a, b: abs(a) // abs(b) * (1 if (a < 0) == (b < 0) else -1),
        "%": lambda a, b: a - LEVELS[2]["/"](a, b) * b,
        "<<": lambda a, b: a << b,
        ">>": lambda a, b: (a & (1 << 64) - 1) >> b,
    },
)


class Scope(Protocol):
    """Where an expression looks things up."""

    def symbol(self, name: str) -> int:
        """The value of a symbol, of `.`, or of a local label such as `1f`. Raises ValueError."""

    def relocate(self, function: str, argument: str) -> int:
        """`%hi(argument)` and its like. Raises ValueError."""


class Undefined(ValueError):
    """A symbol without a value (yet)."""


def evaluate(text: str, scope: Scope) -> int:
    """The value of an expression. Raises ValueError."""
    return _Parser(text, scope).whole()


class _Parser:
    """Recursive descent, one method a level."""

    def __init__(self, text: str, scope: Scope) -> None:
        self.text = text
        self.scope = scope
        self.tokens = TOKEN.findall(text)
        self.position = 0

    def whole(self) -> int:
        value = self.level(0)
        if self.position < len(self.tokens):
            raise ValueError(f"cannot read '{self.text}' from '{self.tokens[self.position]}' on")
        return value

    def peek(self) -> str:
        return self.tokens[self.position] if self.position < len(self.tokens) else ""

    def take(self) -> str:
        token = self.peek()
        self.position += 1
        return token

    def level(self, number: int) -> int:
        if number == len(LEVELS):
            return self.unary()
        value = self.level(number + 1)
        while self.peek() in LEVELS[number]:
            operator = LEVELS[number][self.take()]
            right = self.level(number + 1)
            try:
                value = operator(value, right)
            except ZeroDivisionError:
                raise ValueError(f"division by zero in '{self.text}'") from None
        return value

    def unary(self) -> int:
        match self.peek():
            case "-":
                self.take()
                return -self.unary()
            case "+":
                self.take()
                return self.unary()
            case "~":
                self.take()
                return ~self.unary()
        return self.primary()

    def primary(self) -> int:
        token = self.take()
        if token == "(":
            value = self.level(0)
            self.expect(")")
            return value
        if token.startswith("%") and len(token) > 1:
            return self.scope.relocate(token, self.bracketed())
        if token.startswith("'") and len(token) > 1:
            return unquote_char(token)
        if re.fullmatch(r"\d+[bf]|[A-Za-z_.$].*", token):
            return self.scope.symbol(token)
        if token[:1].isdigit():
            return number(token)
        raise ValueError(f"cannot read '{self.text}'")

    def expect(self, token: str) -> None:
        if self.take() != token:
            raise ValueError(f"'{token}' is missing in '{self.text}'")

    def bracketed(self) -> str:
        """The text between the brackets that follow."""
        self.expect("(")
        start = self.position
        self.level(0)
        argument = "".join(self.tokens[start : self.position])
        self.expect(")")
        return argument


def number(token: str) -> int:
    """A number as C writes it: 10, 0x0a, 0b1010, 012."""
    try:
        return int(token, 8) if re.fullmatch(r"0\d+", token) else int(token, 0)
    except ValueError:
        raise ValueError(f"'{token}' is not a number") from None
