"""What a debugger may ask: a table of commands, each with what follows it (QEMU gdbstub/gdbstub.c).

What follows is described as there: a letter for the kind, a character for what ends it.  `l` and `L` are numbers in
base 16, `s` a text, `o` one letter, `t` a thread, `?` something to skip.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.gdbstub.state import GDBState, ThreadId, put_packet

Params = list[Any]
Handler = Callable[[GDBState, Params], str | bytes | None]
"""Returns what to answer, None if nothing."""

ALL_DELIMITERS = ",;:="


@dataclass(frozen=True, slots=True)
class GdbCmdParseEntry:
    """A command: its name, whether something may follow, what, and what it does."""

    cmd: str
    handler: Handler
    cmd_startswith: bool = False
    schema: str = ""

    def fits(self, data: str) -> bool:
        """Whether a packet is this command."""
        return data.startswith(self.cmd) if self.cmd_startswith else data == self.cmd


class BadParameter(Exception):
    """What follows a command is not of its kind."""


def strtoul(data: str) -> tuple[int, str]:
    """A number in base 16, and what is behind it (C `strtoul`)."""
    match = re.match(r"\s*([+-]?)(?:0[xX])?([0-9a-fA-F]+)", data)
    if match is None:
        raise BadParameter
    value = int(match[2], 16)
    if value >> 64:
        raise BadParameter
    return -value if match[1] == "-" else value, data[match.end() :]


def read_thread_id(data: str) -> tuple[ThreadId | None, str]:
    """A thread, `p1.2` or `2`, and what is behind it; None for what is none."""
    pid = 1
    try:
        if data.startswith("p"):
            pid, data = strtoul(data[1:])
            data = data[1:]
        tid, data = strtoul(data)
    except BadParameter:
        return None, data
    return ThreadId(pid, tid), data


READ: dict[str, Callable[[str], tuple[Any, str]]] = {
    "l": strtoul,
    "L": strtoul,
    "o": lambda data: (data[0], data),
    "t": read_thread_id,
}


def cmd_next_param(data: str, delimiter: str) -> str:
    """What comes behind the delimiter."""
    if delimiter == "0":
        return ""
    if delimiter == ".":
        return data[1:]
    delimiters = ALL_DELIMITERS if delimiter == "?" else delimiter
    return re.split(f"[{re.escape(delimiters)}]", data, maxsplit=1)[1] if set(delimiters) & set(data) else ""


def cmd_parse_params(data: str, schema: str) -> Params:
    """The parameters that are there; `BadParameter`."""
    params: Params = []
    for kind, delimiter in zip(schema[::2], schema[1::2], strict=True):
        if not data:
            break
        if kind == "s":
            params.append(data if delimiter == "0" else data.partition(delimiter)[0])
        elif kind != "?":
            value, data = READ[kind](data)
            params.append(value)
        data = cmd_next_param(data, delimiter)
    return params


def process_string_cmd(s: GDBState, data: str, cmds: tuple[GdbCmdParseEntry, ...]) -> str | bytes | None:
    """The answer to a packet; an empty one if it cannot be understood."""
    for cmd in cmds:
        if cmd.fits(data):
            try:
                params = cmd_parse_params(data[len(cmd.cmd) :], cmd.schema)
            except BadParameter:
                return ""
            return cmd.handler(s, params)
    return ""


def gdb_handle_packet(s: GDBState, line: str, cmds: tuple[GdbCmdParseEntry, ...]) -> None:
    """Answer a packet."""
    answer = process_string_cmd(s, line, cmds)
    if answer is not None:
        put_packet(s, answer)
