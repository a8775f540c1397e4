"""What stands behind a command's name, taken apart as the command's table entry says (QEMU monitor/hmp.c).

`args_type` is a list such as `fmt:/,addr:l` or `name:s,value:b?`: a key, a letter for the kind, `?` if it may be left
out.  Each kind is one function below.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.monitor.expression import Expression, ExpressionError
from pyqemu_edu.process import per_process
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.cutils import qemu_strtosz
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.option import qemu_opts_del, qemu_opts_to_qdict
from pyqemu_edu.util.option_parse import qemu_opts_parse_noisily
from pyqemu_edu.util.qdict import QDict

MIB = 1 << 20
SIZES = {"b": 1, "h": 2, "w": 4, "g": 8, "L": 8}


class Refused(Exception):
    """The line cannot be taken apart; the text is what the user is told, empty if that has been done."""


class Statics:
    def __init__(self) -> None:
        self.default_fmt_format = "x"
        self.default_fmt_size = 4


statics = per_process(Statics)


@dataclass(eq=False)
class Arguments:
    """The rest of a line, and what was found in it so far."""

    command: str
    text: str
    register: Callable[[str], int | None]
    at: int = 0
    key: str = ""
    to_come: str = ""
    """What of `args_type` comes after the argument that is being looked for."""
    found: QDict = field(default_factory=dict)

    @property
    def rest(self) -> str:
        return self.text[self.at :]

    def skip_spaces(self) -> None:
        """Go to the next word."""
        self.at += len(self.rest) - len(self.rest.lstrip())

    def parse(self, args_type: str) -> QDict:
        """The arguments by key; `Refused` (QEMU `monitor_parse_arguments`)."""
        for match in re.finditer(r"([^:,]+):([^,]*)", args_type):
            self.key, kind, self.to_come = match[1], match[2], args_type[match.end() :]
            self.skip_spaces()
            value = KINDS[kind[0]](self, kind)
            if kind[0] in "/O":
                self.found |= value or {}
            elif value is not None:
                self.found[self.key] = value
        self.skip_spaces()
        if self.rest:
            raise Refused(f"{self.command}: extraneous characters at the end of line\n")
        return self.found

    def left_out(self, kind: str) -> bool:
        """Whether there is no more text, where there need not be."""
        return "?" in kind and not self.rest


def get_str(args: Arguments) -> str | None:
    """A word, or what stands between quotes; None if there is none."""
    if not args.rest.startswith('"'):
        word = re.match(r"\S*", args.rest)
        assert word
        args.at += word.end()
        return word[0] or None
    match = re.match(r'"((?:[^"\\]|\\[nr\\\'"])*)"', args.rest)
    if match is None:
        args.at = len(args.text)
        return None
    args.at += match.end()
    return re.sub(r"\\(.)", lambda escape: {"n": "\n", "r": "\r"}.get(escape[1], escape[1]), match[1])


EXPECTED = {"F": "filename", "B": "block device name", "s": "string"}


def string_kind(args: Arguments, kind: str) -> str | None:
    """`s`, `F`, `B`: a word."""
    if args.left_out(kind):
        return None
    text = get_str(args)
    if text is None:
        raise Refused(f"{args.command}: {EXPECTED[kind[0]]} expected\n")
    return text


def rest_kind(args: Arguments, kind: str) -> str | None:
    """`S`: all that follows."""
    if args.left_out(kind):
        return None
    if not args.rest:
        raise Refused(f"{args.command}: string expected\n")
    text, args.at = args.rest, len(args.text)
    return text


def number_kind(args: Arguments, kind: str) -> int | None:
    """`i`, `l`, `M`: a number of 32 bits, of 64 bits, of megabytes; with `.` it stands behind a dot or is left out."""
    if args.left_out(kind):
        return None
    if "." in kind:
        if not args.rest.startswith("."):
            return None
        args.at += 1
    expression = Expression(args.text, args.at, args.register)
    try:
        value = expression.value()
    except ExpressionError as error:
        raise Refused(f"{error}\n") from None
    finally:
        args.at = expression.at
    return in_range(args, kind[0], value)


def in_range(args: Arguments, kind: str, value: int) -> int:
    """A number, if the kind allows it (in QEMU a part of `monitor_parse_arguments`)."""
    if kind == "i" and value >> 32 & 0xFFFFFFFF:
        raise Refused(f"'{args.command}' has failed: integer is for 32-bit values\n")
    if kind == "M" and value < 0:
        raise Refused("enter a positive value\n")
    return value * MIB if kind == "M" else value


def size_kind(args: Arguments, kind: str) -> int | None:
    """`o`: a size, in megabytes unless a letter says otherwise."""
    if args.left_out(kind):
        return None
    word = get_str(args) or ""
    try:
        return qemu_strtosz(word if not word[-1:].isdigit() else f"{word}M")
    except (QemuError, ValueError, OverflowError):
        raise Refused("invalid size\n") from None


def truth_kind(args: Arguments, kind: str) -> bool | None:
    """`b`: on or off."""
    word = get_str(args)
    if word not in ("on", "off"):
        raise Refused("Expected 'on' or 'off'\n")
    return word == "on"


def time_kind(args: Arguments, kind: str) -> float | None:
    """`T`: seconds, or with a unit `ms`, `us`, `ns`."""
    if args.left_out(kind):
        return None
    match = re.match(r"([+-]?\d+\.?\d*(?:[eE][+-]?\d+)?)(ms|us|ns)?(\S*)", args.rest)
    if match is None:
        raise Refused("Number expected\n")
    args.at += match.end()
    if match[3]:
        raise Refused("Unknown unit suffix\n")
    return float(match[1]) / {"ms": 1e3, "us": 1e6, "ns": 1e9}.get(match[2], 1)


def flag_kind(args: Arguments, kind: str) -> bool | str | None:
    """`-x`: a letter behind a dash, before the other arguments; with `s` a word follows it."""
    if not args.rest.startswith("-"):
        return None
    letter = args.rest[1:2]
    if letter != kind[1]:
        if not letter or f"-{letter}" not in args.to_come:
            raise Refused(f"{args.command}: unsupported option -{letter}\n")
        return None
    args.at += 2
    if "s" not in kind[2:]:
        return True
    args.skip_spaces()
    word = get_str(args)
    if word is None:
        raise Refused(f"{args.command}: value expected for -{letter}\n")
    return word


def format_kind(args: Arguments, kind: str) -> QDict:
    """`/`: how many, in which notation, how wide, as in `x/4xw`; what is not said is as it was the last time."""
    s = statics()
    count, format, size = 1, None, None
    if args.rest.startswith("/"):
        match = re.match(r"/(\d*)([oduxicbhwgL]*)", args.rest)
        assert match
        args.at += match.end()
        if args.rest and not args.rest[0].isspace():
            raise Refused(f"invalid char in format: '{args.rest[0]}'\n")
        count = int(match[1] or 1)
        for letter in match[2]:
            format, size = (format, SIZES[letter]) if letter in SIZES else (letter, size)
        s.default_fmt_format = format or s.default_fmt_format
        if s.default_fmt_format != "i":
            s.default_fmt_size = size or s.default_fmt_size
    format = s.default_fmt_format
    return {"count": count, "format": format, "size": -1 if format == "i" else s.default_fmt_size}


def opts_kind(args: Arguments, kind: str) -> QDict | None:
    """`O`: options as on the command line, `a=b,c=d`."""
    if not args.rest:
        return None
    opts = qemu_opts_parse_noisily(qemu_find_opts(args.key), get_str(args) or "", True)
    if opts is None:
        raise Refused("")
    found = qemu_opts_to_qdict(opts)
    qemu_opts_del(opts)
    return found


KINDS: dict[str, Callable[[Arguments, str], Any]] = {
    "s": string_kind,
    "F": string_kind,
    "B": string_kind,
    "S": rest_kind,
    "O": opts_kind,
    "/": format_kind,
    "i": number_kind,
    "l": number_kind,
    "M": number_kind,
    "o": size_kind,
    "T": time_kind,
    "b": truth_kind,
    "-": flag_kind,
}
