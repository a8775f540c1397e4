"""Values from and to one string (QEMU qapi/string-input-visitor.c, qapi/string-output-visitor.c).

This is how `-global` and `-device` options reach a property, and how `info qtree` prints one.  A list is written as
numbers and ranges, `1,3-5`; here it is read whole and written without ranges.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from pyqemu_edu.qapi.visitor import Visitor
from pyqemu_edu.util.cutils import qapi_bool_parse, qemu_strtoi64, qemu_strtou64
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.option import parse_option_size


class StringInputVisitor(Visitor):
    """Reads the one value that `string` spells."""

    is_input = True

    def __init__(self, string: str) -> None:
        self.string = string

    def _number(self, name: str, parse: Callable[[str], int], type: str) -> int:
        try:
            return parse(self.string)
        except (ValueError, OverflowError):
            raise QemuError(f"Parameter '{name or 'null'}' expects {type}") from None

    def type_int64(self, name: str, value: int) -> int:
        return self._number(name, qemu_strtoi64, "int64")

    def type_uint64(self, name: str, value: int) -> int:
        return self._number(name, qemu_strtou64, "uint64")

    def type_size(self, name: str, value: int) -> int:
        return parse_option_size(name, self.string)

    def type_bool(self, name: str, value: bool) -> bool:
        return qapi_bool_parse(name, self.string)

    def type_str(self, name: str, value: str) -> str:
        return self.string


class StringOutputVisitor(Visitor):
    """Writes one value to `string`; for a human reader text is quoted and numbers are also given in hexadecimal."""

    def __init__(self, human: bool) -> None:
        self.human = human
        self.string = ""
        self._elements: list[str] | None = None

    def _put(self, text: str) -> None:
        if self._elements is None:
            self.string = text
        else:
            self._elements.append(text)

    def type_int64(self, name: str, value: int) -> int:
        self._put(f"{value} ({value & 0xFFFFFFFFFFFFFFFF:#x})" if self.human else str(value))
        return value

    def type_uint64(self, name: str, value: int) -> int:
        return self.type_int64(name, value)

    def type_size(self, name: str, value: int) -> int:
        self._put(f"{value} ({size_to_str(value)})" if self.human else str(value))
        return value

    def type_bool(self, name: str, value: bool) -> bool:
        self._put("true" if value else "false")
        return value

    def type_str(self, name: str, value: str) -> str:
        self._put(f'"{value}"' if self.human else value)
        return value

    def start_list(self, name: str | None, values: Sequence[Any]) -> Iterable[Any]:
        self._elements = []
        return values

    def end_list(self) -> None:
        self.string = ",".join(self._elements or ())
        self._elements = None


def size_to_str(value: int) -> str:
    """A number of bytes to three digits, with a binary prefix (QEMU util/cutils.c)."""
    prefix = max(math.frexp(value * 1.024)[1] - 1, 0) // 10
    return f"{value / (1 << 10 * prefix):.3g} {('', 'Ki', 'Mi', 'Gi', 'Ti', 'Pi', 'Ei')[prefix]}B"
