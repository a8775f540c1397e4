"""Values out of an option, `name=text` by `name=text` (QEMU qapi/opts-visitor.c).

A name that is given several times is a list, and a number in a list may be a range: `cpus=0-1,cpus=3`.  Structs inside
of structs have no names of their own: all their members stand side by side in the option.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from pyqemu_edu.qapi.visitor import Visitor
from pyqemu_edu.util.cutils import parse_uint, qapi_bool_parse, qemu_strtoi64, qemu_strtosz
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.ghash import GHashTable
from pyqemu_edu.util.option import QemuOpts

OPTS_VISITOR_RANGE_MAX = 65536


class OptsVisitor(Visitor):
    """Reads `opts_root`; what has not been asked for in the end is an error."""

    is_input = True

    def __init__(self, opts: QemuOpts) -> None:
        self.opts_root = opts
        self.depth = 0
        self.unprocessed_opts: GHashTable[deque[str]] = GHashTable()
        self.repeated_opts: deque[str] | None = None
        self.interval = range(0)

    def start_struct(self, name: str | None) -> None:
        self.depth += 1
        if self.depth > 1:
            return
        for opt in self.opts_root:
            self._insert(opt.name, opt.str)
        if self.opts_root.id is not None:
            self._insert("id", self.opts_root.id)

    def _insert(self, name: str, text: str) -> None:
        if name not in self.unprocessed_opts:
            self.unprocessed_opts[name] = deque()
        self.unprocessed_opts[name].append(text)

    def check_struct(self) -> None:
        if self.depth == 1:
            for name in self.unprocessed_opts:
                raise QemuError(f"Invalid parameter '{name}'")

    def end_struct(self) -> None:
        self.depth -= 1

    def lookup_distinct(self, name: str) -> deque[str]:
        """All that was given for `name`."""
        if name not in self.unprocessed_opts:
            raise QemuError(f"Parameter '{name}' is missing")
        return self.unprocessed_opts[name]

    def lookup_scalar(self, name: str) -> str:
        """What was given for `name`: the next element of the list, or whatever came last."""
        return self.lookup_distinct(name)[-1] if self.repeated_opts is None else self.repeated_opts[0]

    def processed(self, name: str) -> None:
        """The value was understood."""
        if self.repeated_opts is None:
            del self.unprocessed_opts[name]

    def start_list(self, name: str | None, values: Sequence[Any]) -> Iterable[Any]:
        assert name is not None
        self.list_name = name
        self.repeated_opts = self.lookup_distinct(name)
        return self._elements(self.repeated_opts)

    def _elements(self, repeated_opts: deque[str]) -> Iterator[Any]:
        while repeated_opts:
            yield None
            while self.interval:
                yield None
            repeated_opts.popleft()
        del self.unprocessed_opts[self.list_name]

    def end_list(self) -> None:
        self.repeated_opts = None
        self.interval = range(0)

    def optional(self, name: str, present: bool) -> bool:
        return name in self.unprocessed_opts

    def type_str(self, name: str, value: str) -> str:
        text = self.lookup_scalar(name or self.list_name)
        self.processed(name)
        return text

    def type_bool(self, name: str, value: bool) -> bool:
        truth = qapi_bool_parse(name, self.lookup_scalar(name))
        self.processed(name)
        return truth

    def type_size(self, name: str, value: int) -> int:
        try:
            size = qemu_strtosz(self.lookup_scalar(name))
        except (ValueError, OverflowError):
            raise QemuError(f"Parameter '{name}' expects a size value") from None
        self.processed(name)
        return size

    def type_int64(self, name: str, value: int) -> int:
        return self._number(name, qemu_strtoi64, "an int64 value")

    def type_uint64(self, name: str, value: int) -> int:
        return self._number(name, parse_uint, "a uint64 value")

    def _number(self, name: str, parse: Callable[[str], int], expected: str) -> int:
        if self.interval:
            return self._next_in_range()
        text = self.lookup_scalar(name or self.list_name)
        try:
            number = parse(text)
        except (ValueError, OverflowError):
            return self._first_in_range(text, name, parse, expected)
        self.processed(name)
        return number

    def _next_in_range(self) -> int:
        number, self.interval = self.interval[0], self.interval[1:]
        return number

    def _first_in_range(self, text: str, name: str, parse: Callable[[str], int], expected: str) -> int:
        if self.repeated_opts is None:
            raise QemuError(f"Parameter '{name}' expects {expected}")
        first, dash, last = text[:1] + text[1:].partition("-")[0], *text[1:].partition("-")[1:]
        try:
            self.interval = range(parse(first), parse(last) + 1) if dash else range(0)
        except (ValueError, OverflowError):
            self.interval = range(0)
        if not 0 < len(self.interval) <= OPTS_VISITOR_RANGE_MAX:
            raise QemuError(f"Parameter '{self.list_name}' expects {expected} or range")
        return self._next_in_range()
