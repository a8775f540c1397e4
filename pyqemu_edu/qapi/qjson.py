"""Values from and to JSON text, as QEMU reads and writes it (QEMU qobject/qjson.c, qobject/json-writer.c).

Python's `json` would do, were it not for the order of members, which is that of C's hash table, and for the escapes.
"""

from __future__ import annotations

import re
from typing import Any

from pyqemu_edu.qapi.json_parser import JSONMessageParser
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import qdict_entries

ESCAPES = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t"}
INDENT = 4


def qobject_from_json(text: str) -> Any:
    """The one value that `text` spells."""
    results: list[tuple[Any, QemuError | None]] = []
    parser = JSONMessageParser(lambda value, error: results.append((value, error)))
    parser.feed(text.encode(errors="surrogateescape"))
    parser.flush()
    for _, error in results[:1]:
        if error:
            raise error
    if len(results) != 1:
        raise QemuError("Expecting at most one JSON value" if results else "Expecting a JSON value")
    return results[0][0]


def qobject_to_json(obj: Any) -> str:
    """One line of text."""
    return to_json(obj, None)


def qobject_to_json_pretty(obj: Any, pretty: bool) -> str:
    """One line of text, or one for each member and element."""
    return to_json(obj, 0 if pretty else None)


def to_json(obj: Any, level: int | None) -> str:
    """The text of a value; `level` is how deep it is, None on one line."""
    if isinstance(obj, dict):
        inner = None if level is None else level + 1
        return container("{", [f"{quoted_str(key)}: {to_json(each, inner)}" for key, each in qdict_entries(obj)], level)
    if isinstance(obj, list | tuple):
        return container("[", [to_json(each, None if level is None else level + 1) for each in obj], level)
    if isinstance(obj, str):
        return quoted_str(obj)
    if isinstance(obj, float):
        return f"{obj:.17g}"
    return {None: "null", False: "false", True: "true"}[obj] if obj is None or isinstance(obj, bool) else str(obj)


def container(bracket: str, parts: list[str], level: int | None) -> str:
    """Members or elements between brackets (in C `json_writer_start_object`, `json_writer_end_object` and so on)."""
    end = {"{": "}", "[": "]"}[bracket]
    if level is None:
        return bracket + ", ".join(parts) + end
    margin = "\n" + " " * (INDENT * level)
    return bracket + ",".join(margin + " " * INDENT + part for part in parts) + margin + end


def quoted_str(text: str) -> str:
    """A string in quotes, all in ASCII."""
    return '"' + re.sub(r"[^ !#-\[\]-~]", lambda match: escaped(match[0]), text) + '"'


def escaped(char: str) -> str:
    """One character that cannot stand for itself (in C a part of `quoted_str`)."""
    if char in ESCAPES:
        return ESCAPES[char]
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        code = 0xFFFD  # half a character
    if code > 0xFFFF:
        return f"\\u{0xD800 + (code - 0x10000 >> 10):04X}\\u{0xDC00 + (code - 0x10000 & 0x3FF):04X}"
    return f"\\u{code:04X}"
