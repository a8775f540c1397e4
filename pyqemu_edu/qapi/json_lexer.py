"""JSON text into tokens, however it is cut into pieces (QEMU qobject/json-lexer.c).

A token is found as soon as its last byte is there, so that a whole message can be answered before the line ends.  Two
extensions to JSON are QEMU's: strings may stand in single quotes, and messages may follow one another without a
separator.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

MAX_TOKEN_SIZE = 64 << 20


class JSONTokenType(Enum):
    """The kinds of token (QEMU include/qapi/qmp/json-parser.h)."""

    LCURLY = "{"
    RCURLY = "}"
    LSQUARE = "["
    RSQUARE = "]"
    COLON = ":"
    COMMA = ","
    INTEGER = "integer"
    FLOAT = "float"
    KEYWORD = "keyword"
    STRING = "string"
    ERROR = "error"
    END_OF_INPUT = "end"


T = JSONTokenType
Token = tuple[JSONTokenType, bytes]

# A state is what a token may look like so far; a byte that does not fit ends the token, or is an error.
# state: [(bytes, next state or the token that is complete with this byte), ...], token that ends before any other byte
# fmt: off
DIGITS, NONZERO, WHITE = b"0123456789", b"123456789", b" \t\r\n"
GRAPHIC = bytes(set(range(0x20, 0xFE)))
STATES: dict[str, tuple[list[tuple[bytes, str | JSONTokenType]], JSONTokenType | None]] = {
    "start":           ([(b'"', "dq string"), (b"'", "sq string"), (b"0", "zero"), (NONZERO, "digits"), (b"-", "sign"),
                         (b"{", T.LCURLY), (b"}", T.RCURLY), (b"[", T.LSQUARE), (b"]", T.RSQUARE),
                         (b",", T.COMMA), (b":", T.COLON), (b"abcdefghijklmnopqrstuvwxyz", "keyword"),
                         (WHITE, "start")],                                                          None),
    "keyword":         ([(b"abcdefghijklmnopqrstuvwxyz", "keyword")],                                T.KEYWORD),
    "sign":            ([(b"0", "zero"), (NONZERO, "digits")],                                       None),
    "zero":            ([(DIGITS, T.ERROR), (b".", "mantissa")],                                     T.INTEGER),
    "digits":          ([(DIGITS, "digits"), (b"eE", "exp e"), (b".", "mantissa")],                  T.INTEGER),
    "mantissa":        ([(DIGITS, "mantissa digits")],                                               None),
    "mantissa digits": ([(DIGITS, "mantissa digits"), (b"eE", "exp e")],                             T.FLOAT),
    "exp e":           ([(b"+-", "exp sign"), (DIGITS, "exp digits")],                               None),
    "exp sign":        ([(DIGITS, "exp digits")],                                                    None),
    "exp digits":      ([(DIGITS, "exp digits")],                                                    T.FLOAT),
    "dq string":       ([(b'"', T.STRING), (b"\\", "dq escape"), (GRAPHIC, "dq string")],            None),
    "dq escape":       ([(GRAPHIC, "dq string")],                                                    None),
    "sq string":       ([(b"'", T.STRING), (b"\\", "sq escape"), (GRAPHIC, "sq string")],            None),
    "sq escape":       ([(GRAPHIC, "sq string")],                                                    None),
}
# fmt: on

RUNS = {
    "dq string": re.compile(rb'[^"\\\x00-\x1f\xfe\xff]*'),
    "sq string": re.compile(rb"[^'\\\x00-\x1f\xfe\xff]*"),
    "recovery": re.compile(rb"[^][{}:,\x00-\x08\x0a-\x1f\xfe\xff]*"),
}
"""What a string or a piece of garbage goes on with, many bytes at a time."""


def next_states(state: str) -> dict[int, str | JSONTokenType]:
    """What each byte leads to; of several that fit the first counts."""
    transitions, _ = STATES[state]
    return {byte: then for bytes_, then in reversed(transitions) for byte in bytes_}


NEXT = {state: next_states(state) for state in STATES}


@dataclass(eq=False)
class JSONLexer:
    """What is between two bytes: the state, and the token so far."""

    emit: Callable[[JSONTokenType, bytes], None]
    state: str = "start"
    token: bytearray = field(default_factory=bytearray)

    def feed(self, data: bytes) -> None:
        """Take in bytes."""
        at = 0
        while at < len(data):
            run = RUNS.get(self.state)
            end = run.match(data, at).end() if run else at  # type: ignore[union-attr]
            if self.state != "recovery":
                self.token += data[at:end]
            self._limit()
            if end < len(data):
                self._feed_byte(data[end])
            at = end + 1

    def flush(self) -> None:
        """There will be no more bytes (QEMU `json_lexer_flush`)."""
        if self.state not in ("start", "recovery"):
            self._complete(STATES[self.state][1] or T.ERROR)
        self.state = "start"

    def _feed_byte(self, byte: int) -> None:
        if self.state == "recovery":
            self.state = "start"
        then = NEXT[self.state].get(byte)
        ends = STATES[self.state][1]
        if then is None and ends is not None:
            self._complete(ends)
            then = NEXT["start"].get(byte)
        self.token.append(byte)
        if then is None or then is T.ERROR:
            self._complete(T.ERROR)
            self.state = "recovery"
        elif isinstance(then, JSONTokenType):
            self._complete(then)
        else:
            self._go_on(then)

    def _go_on(self, state: str) -> None:
        self.state = state
        if state == "start":
            self.token.clear()

    def _complete(self, kind: JSONTokenType) -> None:
        token, self.token, self.state = bytes(self.token), bytearray(), "start"
        self.emit(kind, token)

    def _limit(self) -> None:
        if len(self.token) > MAX_TOKEN_SIZE:
            self._complete(T.STRING)
