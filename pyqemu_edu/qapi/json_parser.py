"""JSON messages, one after the other, from pieces of text (QEMU qobject/json-streamer.c, qobject/json-parser.c)."""

from __future__ import annotations

import re
import sys
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.qapi.json_lexer import MAX_TOKEN_SIZE, JSONLexer, JSONTokenType, Token
from pyqemu_edu.util.error import QemuError

T = JSONTokenType

MAX_TOKEN_COUNT = 2 << 20
MAX_NESTING = 1 << 10

FRAMES_PER_LEVEL = 5
"""How many of Python's functions a level of a message takes at most, to be read and to be written."""

DEPTH = {T.LCURLY: 1, T.LSQUARE: 1, T.RCURLY: -1, T.RSQUARE: -1}
KEYWORDS = {b"true": True, b"false": False, b"null": None}
ESCAPES = {"b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", **{char: char for char in "\"'\\/"}}

Emit = Callable[[Any, QemuError | None], None]


@dataclass(eq=False)
class JSONMessageParser:
    """Hands each message to `emit(value, error)`: one of the two is given, and what is wrong ends a message."""

    emit: Emit
    tokens: list[Token] = field(default_factory=list)
    braces: int = 0
    brackets: int = 0
    token_size: int = 0

    def __post_init__(self) -> None:
        self.lexer = JSONLexer(self.process_token)
        sys.setrecursionlimit(max(sys.getrecursionlimit(), FRAMES_PER_LEVEL * MAX_NESTING))

    def feed(self, data: bytes) -> None:
        """Take in text (QEMU `json_message_parser_feed`)."""
        self.lexer.feed(data)

    def flush(self) -> None:
        """There will be no more text: a message that is not whole is an error (QEMU `json_message_parser_flush`)."""
        self.lexer.flush()
        if self.tokens:
            self._parse()

    def process_token(self, kind: JSONTokenType, text: bytes) -> None:
        """One more token; the last one of a message has it parsed (QEMU `json_message_process_token`)."""
        if kind in (T.LCURLY, T.RCURLY):
            self.braces += DEPTH[kind]
        elif kind in (T.LSQUARE, T.RSQUARE):
            self.brackets += DEPTH[kind]
        complaint = self._complaint(kind, text)
        if complaint:
            self._emit(None, QemuError(complaint))
            return
        self.token_size += len(text)
        self.tokens.append((kind, text))
        if (self.braces > 0 or self.brackets > 0) and self.braces >= 0 and self.brackets >= 0:
            return
        self._parse()

    def _parse(self) -> None:
        try:
            value = json_parser_parse(self.tokens)
        except QemuError as error:
            self._emit(None, error)
        else:
            self._emit(value, None)

    def _complaint(self, kind: JSONTokenType, text: bytes) -> str:
        if kind is T.ERROR:
            return f"JSON parse error, stray '{text.decode(errors='replace')}'"
        if self.token_size + len(text) + 1 > MAX_TOKEN_SIZE:
            return "JSON token size limit exceeded"
        if len(self.tokens) + 1 > MAX_TOKEN_COUNT:
            return "JSON token count limit exceeded"
        if self.braces + self.brackets > MAX_NESTING:
            return "JSON nesting depth limit exceeded"
        return ""

    def _emit(self, value: Any, error: QemuError | None) -> None:
        self.tokens, self.braces, self.brackets, self.token_size = [], 0, 0, 0
        self.emit(value, error)


def parse_error(message: str) -> QemuError:
    """The error to raise here."""
    return QemuError(f"JSON parse error, {message}")


def json_parser_parse(tokens: list[Token]) -> Any:
    """The value of a message; `QemuError` says what is wrong with it."""
    return parse_value(deque(tokens))


def pop_token(tokens: deque[Token]) -> Token:
    """The next token (QEMU `parser_context_pop_token`)."""
    if not tokens:
        raise parse_error("premature EOI")
    return tokens.popleft()


def parse_value(tokens: deque[Token]) -> Any:
    """Any value."""
    kind, text = pop_token(tokens)
    parse = PARSE.get(kind)
    if parse is None:
        raise parse_error("expecting value")
    return parse(tokens, text)


def parse_object(tokens: deque[Token], text: bytes) -> dict[str, Any]:
    """Members up to the closing brace."""
    result: dict[str, Any] = {}
    if tokens and tokens[0][0] is T.RCURLY:
        tokens.popleft()
        return result
    while True:
        parse_pair(tokens, result)
        kind, _ = pop_token(tokens)
        if kind is T.RCURLY:
            return result
        if kind is not T.COMMA:
            raise parse_error("expected separator in dict")


def parse_pair(tokens: deque[Token], result: dict[str, Any]) -> None:
    """One member."""
    key = parse_value(tokens)
    if not isinstance(key, str):
        raise parse_error("key is not a string in object")
    if pop_token(tokens)[0] is not T.COLON:
        raise parse_error("missing : in object pair")
    value = parse_value(tokens)
    if key in result:
        raise parse_error("duplicate key")
    result[key] = value


def parse_array(tokens: deque[Token], text: bytes) -> list[Any]:
    """Elements up to the closing bracket."""
    result: list[Any] = []
    if tokens and tokens[0][0] is T.RSQUARE:
        tokens.popleft()
        return result
    while True:
        result.append(parse_value(tokens))
        kind, _ = pop_token(tokens)
        if kind is T.RSQUARE:
            return result
        if kind is not T.COMMA:
            raise parse_error("expected separator in list")


def parse_keyword(tokens: deque[Token], text: bytes) -> bool | None:
    """`true`, `false`, `null`."""
    if text not in KEYWORDS:
        raise parse_error(f"invalid keyword '{text.decode()}'")
    return KEYWORDS[text]


def parse_number(tokens: deque[Token], text: bytes) -> int | float:
    """An integer of 64 bits, with sign or without; any other number is a float (in QEMU a part of `parse_literal`)."""
    try:
        value = int(text) if len(text) < 21 else float(text)
    except ValueError:
        return float(text)
    return value if -(1 << 63) <= value < 1 << 64 else float(text)


def parse_string(tokens: deque[Token], text: bytes) -> str:
    """A string without its quotes and escapes."""
    try:
        inner = text[1:-1].decode()
    except UnicodeDecodeError:
        raise parse_error("invalid UTF-8 sequence in string") from None
    return re.sub(r"\\(u[0-9a-fA-F]{4}(?:\\u[0-9a-fA-F]{4})?|.)", _unescape, inner)


def _unescape(match: re.Match[str]) -> str:
    code = match[1]
    if code in ESCAPES:
        return ESCAPES[code]
    if len(code) < 5:
        raise parse_error("invalid escape sequence in string")
    first, second = int(code[1:5], 16), int(code[7:], 16) if code[7:] else -1
    if 0xD800 <= first <= 0xDBFF and 0xDC00 <= second <= 0xDFFF:
        return chr(0x10000 + ((first & 0x3FF) << 10) + (second & 0x3FF))
    if not valid_code_point(first) or (second >= 0 and not valid_code_point(second)):
        raise parse_error(f"{match[0]} is not a valid Unicode character")
    return chr(first) + (chr(second) if second >= 0 else "")


def valid_code_point(code: int) -> bool:
    """Whether a character of the lowest plane may stand in a string: halves and non-characters may not."""
    return not 0xD800 <= code <= 0xDFFF and not 0xFDD0 <= code <= 0xFDEF and code & 0xFFFE != 0xFFFE


PARSE: dict[JSONTokenType, Callable[[deque[Token], bytes], Any]] = {
    T.LCURLY: parse_object,
    T.LSQUARE: parse_array,
    T.KEYWORD: parse_keyword,
    T.INTEGER: parse_number,
    T.FLOAT: parse_number,
    T.STRING: parse_string,
}
