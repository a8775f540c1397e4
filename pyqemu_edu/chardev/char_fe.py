"""The device's end of a character device (QEMU chardev/char-fe.c)."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.chardev.chardev import (
    CHARDEV_GET_CLASS,
    Chardev,
    QEMUChrEvent,
    qemu_chr_be_event,
    qemu_chr_be_push,
    qemu_chr_write,
)
from pyqemu_edu.util.error import QemuError

CanRead = Callable[[Any], int]
Read = Callable[[Any, bytes], None]
OnEvent = Callable[[Any, QEMUChrEvent], None]
BeChange = Callable[[Any], None]


@dataclass(eq=False)
class CharBackend:
    """What a device has of its line: the back end, if any, and the functions that are called for input."""

    chr: Chardev | None = None
    chr_can_read: CanRead | None = None
    chr_read: Read | None = None
    chr_event: OnEvent | None = None
    chr_be_change: BeChange | None = None
    """What the device does when it gets another line; without it, it gets none."""
    opaque: Any = None
    tag: int = 0
    fe_open: bool = False


def qemu_chr_fe_init(b: CharBackend, s: Chardev | None) -> None:
    """Use `s`, or nothing.  `QemuError` if somebody else uses it."""
    if s is not None:
        attach = CHARDEV_GET_CLASS(s).chr_attach
        if attach is not None:
            attach(s, b)
        elif s.be is not None:
            raise QemuError(f"chardev '{s.label}' is already in use")
        else:
            s.be = b
    b.fe_open = False
    b.chr = s


def qemu_chr_fe_deinit(b: CharBackend) -> None:
    """Use it no longer."""
    if b.chr is not None:
        qemu_chr_fe_set_handlers(b)
        if b.chr.be is b:
            b.chr.be = None
        b.chr = None


def qemu_chr_fe_set_handlers(
    b: CharBackend,
    fd_can_read: CanRead | None = None,
    fd_read: Read | None = None,
    fd_event: OnEvent | None = None,
    opaque: Any = None,
    sync_state: bool = True,
    be_change: BeChange | None = None,
) -> None:
    """Say who takes input; an open line is announced at once unless `sync_state` is false."""
    b.chr_can_read, b.chr_read, b.chr_event, b.opaque = fd_can_read, fd_read, fd_event, opaque
    b.chr_be_change = be_change
    s = b.chr
    if s is None:
        return
    b.fe_open = fd_can_read is not None or fd_read is not None
    update = CHARDEV_GET_CLASS(s).chr_update_read_handler
    if update is not None:
        update(s)
    if b.fe_open:
        qemu_chr_fe_take_focus(b)
        if sync_state and s.be_open:
            qemu_chr_be_event(s, QEMUChrEvent.OPENED)
    qemu_chr_fe_accept_input(b)


def qemu_chr_fe_set_open(be: CharBackend, fe_open: bool) -> None:
    """The device opens its end of the line, or closes it; no back end here cares."""
    if be.chr is not None:
        be.fe_open = fe_open


def qemu_chr_fe_take_focus(b: CharBackend) -> None:
    """Get the input, if the line is shared."""
    if b.chr is not None:
        take_focus = CHARDEV_GET_CLASS(b.chr).chr_take_focus
        if take_focus is not None:
            take_focus(b.chr, b)


def qemu_chr_fe_write(be: CharBackend, buf: bytes) -> int:
    """Bytes from the device to the host; how many were taken.  Without a back end they are lost."""
    return 0 if be.chr is None else qemu_chr_write(be.chr, buf)


def qemu_chr_fe_write_all(be: CharBackend, buf: bytes) -> int:
    """The same until all are taken; our back ends always take all."""
    return qemu_chr_fe_write(be, buf)


def qemu_chr_fe_accept_input(be: CharBackend) -> None:
    """There is room for input again."""
    if be.chr is None:
        return
    accept = CHARDEV_GET_CLASS(be.chr).chr_accept_input
    if accept is not None:
        accept(be.chr)
    else:
        qemu_chr_be_push(be.chr, b"")


def qemu_chr_fe_backend_connected(be: CharBackend) -> bool:
    """Is there a back end?"""
    return be.chr is not None


def qemu_chr_fe_get_msgfd(be: CharBackend) -> int:
    """The file that came with the last bytes, the caller's from now on; -1 if none did.  Of several, the others go."""
    get_msgfds = CHARDEV_GET_CLASS(be.chr).get_msgfds if be.chr is not None else None
    fds = get_msgfds(be.chr) if get_msgfds is not None else []
    for fd in fds[1:]:
        os.close(fd)
    return fds[0] if fds else -1
