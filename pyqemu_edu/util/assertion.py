"""What C says when an assertion fails (Not in QEMU).

A failed assertion of QEMU's own is part of what a user sees, so its words, file and line are those of the reference,
7.2.22.  Python's `assert` stays for our own bugs.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from pyqemu_edu.process import current_process
from pyqemu_edu.util.error import QemuAbort, QemuError


def program_name() -> str:
    """The first word of every message."""
    return os.path.basename(current_process().argv[0])


def report_abort(abort: QemuAbort) -> None:
    """Print what C prints as it aborts, if anything; GLib also tells whoever runs it as a test (Not in QEMU)."""
    text = str(abort)
    if text.startswith("ERROR:"):
        current_process().stdout.write(f"Bail out! {text}\n")
        text = f"**\n{text}"
    current_process().stderr.write(f"{text}\n" if text else "")


def g_assert(condition: object, where: str, expression: str) -> None:
    """GLib's assertion; `where` is "file:line:function"."""
    if not condition:
        raise QemuAbort(f"ERROR:../../{where}: assertion failed: ({expression})")


def c_assert(condition: object, where: str, expression: str) -> None:
    """The C library's assertion; `where` is "file:line:function"."""
    if not condition:
        file, line, function = where.split(":")
        raise QemuAbort(f"{program_name()}: ../../{file}:{line}: {function}: Assertion `{expression}' failed.")


@contextmanager
def error_abort(function: str, where: str) -> Iterator[None]:
    """Errors inside are bugs of the caller (QEMU `&error_abort`); `function` at `where` would have set them."""
    try:
        yield
    except QemuError as error:
        place = f"Unexpected error in {function}() at ../../{where}:"
        raise QemuAbort(f"{place}\n{program_name()}: {error.message}") from error
