"""From text to statements: labels, a name, operands (Not in QEMU)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from pyqemu_edu.util.error import QemuError


class AssemblyError(QemuError):
    """A mistake in assembly text; the message begins with its line."""


@dataclass(frozen=True)
class Statement:
    """One statement: the labels in front of it, an instruction or directive (or none), and its operands as text."""

    line: int
    labels: tuple[str, ...]
    name: str
    operands: tuple[str, ...]
    source: str

    def error(self, message: object) -> AssemblyError:
        """An error at this line."""
        return AssemblyError(f"line {self.line}: {message}")


COMMENT = re.compile(r'("(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\')|/\*.*?\*/|#[^\n]*|//[^\n]*', re.DOTALL)
LABEL = re.compile(r"\s*([A-Za-z_.$][\w.$]*|\d+)\s*:")
ASSIGNMENT = re.compile(r"\s*([A-Za-z_.$][\w.$]*)\s*=(?!=)(.*)")
TOKEN = re.compile(r'"(?:\\.|[^"\\])*"|\'(?:\\.|[^\'\\])\'|.', re.DOTALL)


def statements(text: str) -> Iterator[Statement]:
    """The statements of a program, comments dropped; `;` separates statements on one line."""
    sources = text.split("\n")
    for number, line in enumerate(_without_comments(text).split("\n"), start=1):
        for part in split_outside(line, ";"):
            if part.strip():
                yield _statement(number, part, sources[number - 1])


def _without_comments(text: str) -> str:
    """Comments become spaces, their line ends stay."""
    return COMMENT.sub(lambda match: match[1] or re.sub(r"[^\n]", " ", match[0]), text)


def _statement(number: int, part: str, source: str) -> Statement:
    labels = []
    while match := LABEL.match(part):
        labels.append(match[1])
        part = part[match.end() :]
    if match := ASSIGNMENT.match(part):
        return Statement(number, tuple(labels), ".set", (match[1], match[2].strip()), source)
    name, _, rest = part.strip().partition(" ") if " " in part.strip() else part.strip().partition("\t")
    operands = tuple(each.strip() for each in split_outside(rest, ",")) if rest.strip() else ()
    return Statement(number, tuple(labels), name.lower(), operands, source)


def split_outside(text: str, separator: str) -> list[str]:
    """Split at a character, except inside of quotes and brackets."""
    parts, depth = [""], 0
    for token in TOKEN.findall(text):
        depth += (token == "(") - (token == ")")
        if token == separator and depth == 0:
            parts.append("")
        else:
            parts[-1] += token
    return parts


def unquote(text: str) -> bytes:
    """The bytes of a string in double quotes, with C's escapes. Raises ValueError."""
    if len(text) < 2 or text[0] != '"' or text[-1] != '"':
        raise ValueError(f"not a string: {text}")
    return re.sub(rb"\\(x[0-9a-fA-F]{1,2}|[0-7]{1,3}|.)", _escape, text[1:-1].encode())


def unquote_char(text: str) -> int:
    """The number of a character in single quotes."""
    return unquote(f'"{text[1:-1]}"')[0]


def _escape(match: re.Match[bytes]) -> bytes:
    code = match[1].decode("latin-1")
    plain = {"n": 10, "t": 9, "r": 13, "b": 8, "f": 12, "a": 7, "v": 11, "e": 27}
    if code[0] == "x":
        return bytes([int(code[1:], 16)])
    if code[0] in "01234567":
        return bytes([int(code, 8) & 0xFF])
    return bytes([plain.get(code, ord(code))])
