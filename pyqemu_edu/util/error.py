"""Errors that a user can cause, and the ways a process ends (QEMU util/error.c, util/error-report.c).

C hands an `Error **errp` down and looks at it afterwards; we raise.  Where C would print and go on
(`warn_report`), so do we.  Where it would abort, we raise `QemuAbort` with the text that C prints.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime

from pyqemu_edu.process import current_process, per_process


class QemuError(Exception):
    """A user's mistake in QEMU's own words (QEMU `Error`); `hint` follows on lines of its own."""

    error_class = "GenericError"
    """What QMP calls this kind of error (QEMU `ErrorClass`)."""

    def __init__(self, message: str, hint: str = "") -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint

    def prepend(self, prefix: str) -> QemuError:
        """The same error with words in front (QEMU `error_prepend`)."""
        return type(self)(prefix + self.message, self.hint)


class QemuAbort(Exception):
    """What C ends with SIGABRT: a failed assertion or `abort()`; the text is what C prints."""

    status = 134


class QemuExit(Exception):
    """The process ends with `status`, all messages having been printed (C `exit`)."""

    def __init__(self, status: int) -> None:
        super().__init__(status)
        self.status = status


@dataclass(frozen=True, slots=True)
class Location:
    """Where a message comes from: a command-line option with its argument, or a file's line."""

    option: str = ""
    argument: str = ""
    filename: str = ""
    line: int = 0

    def __str__(self) -> str:
        if self.filename:
            return f"{self.filename}:{self.line}:" if self.line else f"{self.filename}:"
        words = " ".join(word for word in (self.option, self.argument) if word)
        return f"{words}:" if words else ""


class Statics:
    def __init__(self) -> None:
        self.locations: list[Location] = []
        self.monitor_puts: Callable[[str], object] | None = None
        self.message_with_timestamp = False
        self.error_with_guestname = False
        self.error_guest_name: str | None = None


statics = per_process(Statics)


@contextmanager
def loc_push(location: Location) -> Iterator[None]:
    """Messages printed inside come from `location` (QEMU `loc_push_restore`, `loc_pop`)."""
    statics().locations.append(location)
    try:
        yield
    finally:
        statics().locations.pop()


def loc_set_file(filename: str, line: int) -> None:
    """From now on, messages come from this line of a file, until the enclosing `loc_push` ends."""
    statics().locations[-1] = Location(filename=filename, line=line)


def cur_loc() -> Location:
    """The location that messages come from now (QEMU `cur_loc`)."""
    locations = statics().locations
    return locations[-1] if locations else Location()


@contextmanager
def monitor_set_cur(puts: Callable[[str], object]) -> Iterator[None]:
    """Messages reported inside belong to a monitor's command and are printed by `puts` (QEMU monitor/monitor.c)."""
    before, statics().monitor_puts = statics().monitor_puts, puts
    try:
        yield
    finally:
        statics().monitor_puts = before


def _report(kind: str, message: str) -> None:
    """Print a message with all that stands before it (QEMU `vreport`)."""
    if not statics().monitor_puts:
        error_printf(sender())
    error_printf(f"{print_loc()}{kind}{message}\n")


def sender() -> str:
    """When it was, and which guest's, if the user wants to know (in QEMU a part of `vreport`)."""
    s = statics()
    now = datetime.now(UTC).replace(tzinfo=None)
    timestamp = f"{now.isoformat(timespec='microseconds')}Z " if s.message_with_timestamp else ""
    return timestamp + (f"{s.error_guest_name} " if s.error_with_guestname and s.error_guest_name else "")


def print_loc() -> str:
    """The program's name and where it was; no blank is between it and a file's (in C it is printed)."""
    where, filename = str(cur_loc()), cur_loc().filename
    program = "" if statics().monitor_puts else f"{os.path.basename(current_process().argv[0])}:"
    parts = [program + where] if filename else [program, where]
    return "".join(f"{part} " for part in parts if part)


def error_report(message: str) -> None:
    """Print an error with the program's name and the current location."""
    _report("", message)


def warn_report(message: str) -> None:
    """Print a warning; the process goes on."""
    _report("warning: ", message)


def info_report(message: str) -> None:
    """Print a piece of information; the process goes on."""
    _report("info: ", message)


def error_printf(text: str) -> None:
    """Print `text` as it is, on the error stream or on the monitor whose command this is."""
    (statics().monitor_puts or current_process().stderr.write)(text)


def error_report_err(error: QemuError) -> None:
    """Print `error` and its hint (QEMU `error_report_err`)."""
    error_report(error.message)
    if error.hint:
        error_printf(error.hint)


@contextmanager
def error_fatal() -> Iterator[None]:
    """An error raised inside is printed where it happened, and the process ends (QEMU `&error_fatal`)."""
    try:
        yield
    except QemuError as error:
        error_report_err(error)
        raise QemuExit(1) from None
