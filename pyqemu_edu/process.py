"""One QEMU process as one object (Not in QEMU).

What C keeps in global variables, option groups, the type table, the machine, the big lock, belongs here to a
`Process`.  A module declares its own globals as a small class and asks for the current process's copy:

    class Statics:
        def __init__(self) -> None:
            self.reset_handlers: list[Handler] = []

    statics = per_process(Statics)

    def qemu_register_reset(func: Handler) -> None:
        statics().reset_handlers.append(func)

So a notebook cell can be run twice, two machines live side by side, and a test needs no clean-up.
"""

from __future__ import annotations

import io
import os
import sys
import threading
from collections.abc import Callable, Sequence
from contextvars import ContextVar, Token, copy_context
from types import TracebackType
from typing import Any, TextIO, TypeVar

S = TypeVar("S")

_current: ContextVar[Process] = ContextVar("pyqemu_edu_process")


class Process:
    """The state of one run of `qemu-system-riscv64`, from `argv` to exit.

    `argv[0]` is the program's name, which stands in front of every message; the streams are those of the process.
    Used as a context manager it becomes the current process of the running thread.
    """

    def __init__(
        self,
        argv: Sequence[str] = ("qemu-system-riscv64",),
        *,
        stdin: TextIO | None = None,
        stdout: TextIO | None = None,
        stderr: TextIO | None = None,
    ) -> None:
        self.argv = tuple(argv)
        self.stdin = sys.stdin if stdin is None else stdin
        self.stdout = sys.stdout if stdout is None else stdout
        self.stderr = sys.stderr if stderr is None else stderr
        self.statics: dict[Callable[[], object], Any] = {}
        self._lock = threading.RLock()
        self._entered: list[Token[Process]] = []

    def __enter__(self) -> Process:
        self._entered.append(_current.set(self))
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        _current.reset(self._entered.pop())

    def statics_of(self, factory: Callable[[], S]) -> S:
        """This process's copy of the globals that `factory` makes, made at the first asking."""
        with self._lock:
            if factory not in self.statics:
                self.statics[factory] = factory()
            found: S = self.statics[factory]
        return found


class Unheeded(io.FileIO):
    """An output that never fails: C's `printf` does not look whether anybody reads."""

    def write(self, data: Any, /) -> int:
        """Write what can be written."""
        try:
            return super().write(data) or 0
        except OSError:
            return len(data)


def standard_output(fd: int) -> TextIO:
    """The program's own output or error stream, a line at a time; what comes to a closed one is lost."""
    try:
        raw = Unheeded(fd, "w", closefd=False)
    except OSError:
        raw = Unheeded(os.open(os.devnull, os.O_WRONLY), "w")
    return io.TextIOWrapper(io.BufferedWriter(raw), "utf-8", "surrogateescape", line_buffering=True)


def current_process() -> Process:
    """The process that the running thread works for; `LookupError` outside of any."""
    return _current.get()


def per_process(factory: Callable[[], S]) -> Callable[[], S]:
    """A function that gives the current process's own copy of what `factory` makes."""

    def statics() -> S:
        process = _current.get()
        try:
            found: S = process.statics[factory]
        except KeyError:
            return process.statics_of(factory)
        return found

    return statics


def thread_in_process(target: Callable[..., object], *args: Any, name: str) -> threading.Thread:
    """A daemon thread that works for the process of its maker."""
    context = copy_context()
    return threading.Thread(target=context.run, args=(target, *args), name=name, daemon=True)
