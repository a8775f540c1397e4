"""The file that says which process this is, while it is (QEMU softmmu/vl.c, util/oslib-posix.c)."""

from __future__ import annotations

import fcntl
import os
from contextlib import suppress

from pyqemu_edu.softmmu.runstate import qemu_add_exit_notifier
from pyqemu_edu.util.error import QemuError


def qemu_maybe_daemonize(pid_file: str | None) -> None:
    """Write `-pidfile`, and take it away at the end; unlike QEMU, we never go to the background."""
    if pid_file is None:
        return
    try:
        fd = qemu_write_pidfile(pid_file)
    except QemuError as error:
        raise QemuError(f"cannot create PID file: {error.message}") from None
    realpath = os.path.realpath(pid_file)
    qemu_add_exit_notifier(lambda data: qemu_unlink_pidfile(fd, realpath))


def qemu_write_pidfile(path: str) -> int:
    """Write the number; the file stays open, and locked for others, behind what is returned.

    What cannot be written is left in its place; QEMU removes it, be it `/dev/null`.
    """
    try:
        fd = os.open(path, os.O_CREAT | os.O_WRONLY | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise QemuError(f"Could not create '{path}': {error.strerror}") from None
    try:
        fill(fd)
    except QemuError:
        os.close(fd)
        raise
    return fd


def fill(fd: int) -> None:
    """Lock the file and write the number into it (in QEMU part of `qemu_write_pidfile`)."""
    step = "Cannot lock pid file"
    try:
        fcntl.lockf(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        step = "Failed to truncate pid file"
        os.ftruncate(fd, 0)
        os.write(fd, f"{os.getpid()}\n".encode())
    except OSError as error:
        raise QemuError(f"{step}: {error.strerror}") from None


def qemu_unlink_pidfile(fd: int, realpath: str) -> None:
    """Take the file away, unless somebody did."""
    with suppress(OSError):
        os.unlink(realpath)
    os.close(fd)
