"""Character devices: where a serial line's bytes go and come from (QEMU chardev/char.c, include/chardev/char.h).

A *back end*, a `Chardev`, is a file, the terminal, nothing; a *front end*, a `CharBackend`, is the device that uses it.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any, Protocol

from pyqemu_edu.process import per_process
from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.klass import object_check, object_class_check, object_get_class_check
from pyqemu_edu.qom.path import object_get_root
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.option import QemuOpts

TYPE_CHARDEV = "chardev"
TYPE_CHARDEV_MUX = "chardev-mux"

chardev_write = Event("chardev_write", "label", "data")
chardev_read = Event("chardev_read", "label", "data")


class QEMUChrEvent(IntEnum):
    """What may happen to a line besides bytes (QEMU include/chardev/char.h)."""

    BREAK = 0
    OPENED = 1
    MUX_IN = 2
    MUX_OUT = 3
    CLOSED = 4


@dataclass(eq=False)
class ChardevClass(ObjectClass):
    """A kind of back end.  `parse` takes options apart, `open` does what its name says; is the line open at once?"""

    internal: bool = False
    supports_yank: bool = False
    parse: Callable[[QemuOpts], dict[str, Any]] | None = None
    open: Callable[[Any, dict[str, Any]], bool] | None = None
    chr_write: Callable[[Any, bytes], int] | None = None
    chr_accept_input: Callable[[Any], None] | None = None
    get_msgfds: Callable[[Any], list[int]] | None = None
    """Takes the files that came with the last bytes; they are the caller's then."""
    chr_update_read_handler: Callable[[Any], None] | None = None
    chr_be_event: Callable[[Any, QEMUChrEvent], None] | None = None
    chr_attach: Callable[[Any, Any], None] | None = None
    """Takes one more front end; without it there can be but one (Not in QEMU: an `if` for the mux there)."""
    chr_take_focus: Callable[[Any, Any], None] | None = None
    """Gives one of several front ends the input (Not in QEMU, as before)."""


class Output(Protocol):
    """Something that takes bytes: a `HostFile`, a stream of the process."""

    def write(self, buf: bytes, /) -> int: ...
    def flush(self) -> None: ...


class HostFile:
    """A file of the host, written without delay, and closed at the latest when nobody can write to it any more."""

    def __init__(self, fd: int) -> None:
        self.fd = fd

    def write(self, buf: bytes, /) -> int:
        """Write all of it."""
        done = 0
        while done < len(buf):
            done += os.write(self.fd, buf[done:])
        return done

    def flush(self) -> None:
        """Nothing waits."""

    def close(self) -> None:
        """Give the file back to the host."""
        if self.fd >= 0:
            os.close(self.fd)
            self.fd = -1

    __del__ = close


def qemu_create(name: str, append: bool) -> HostFile:
    """Open a file for writing, empty unless to be appended to.  `QemuError` if that fails (QEMU util/osdep.c)."""
    try:
        return open_for_writing(name, append)
    except OSError as error:
        raise QemuError(f"Could not create '{name}': {error.strerror}") from None


def open_for_writing(name: str, append: bool) -> HostFile:
    """The file, made if need be; `OSError` if that fails (Not in QEMU: a call of `open` there)."""
    return HostFile(os.open(name, os.O_WRONLY | os.O_CREAT | (os.O_APPEND if append else os.O_TRUNC), 0o666))


@dataclass(eq=False)
class Chardev(Object):
    """A back end, and the front end `be` that uses it."""

    be: Any = None
    label: str = ""
    filename: str | None = None
    be_open: bool = False
    logfile: HostFile | None = None
    pending: bytearray = field(default_factory=bytearray)
    """Input that the front end has no room for yet: what C leaves in the host's file until it can be read."""


class Statics:
    def __init__(self) -> None:
        self.warned_aliases: set[str] = set()
        self.monitor_init_hmp: Callable[[Chardev, bool], None] | None = None


statics = per_process(Statics)


def CHARDEV(obj: object) -> Chardev:
    """Cast to a back end."""
    return object_check(obj, Chardev, TYPE_CHARDEV)


def CHARDEV_GET_CLASS(obj: object) -> ChardevClass:
    """A back end's class."""
    return object_get_class_check(obj, ChardevClass, TYPE_CHARDEV)


def get_chardevs_root() -> Object:
    """The container of all back ends."""
    return container_get(object_get_root(), "/chardevs")


def register_monitor(monitor_init_hmp: Callable[[Chardev, bool], None]) -> None:
    """Who puts a monitor on `mon:` lines (Not in QEMU: there the link editor finds `monitor_init_hmp`)."""
    statics().monitor_init_hmp = monitor_init_hmp


# ---- bytes


def qemu_chr_write(s: Chardev, buf: bytes) -> int:
    """Bytes from the guest to the host."""
    if chardev_write:
        chardev_write(s.label, buf)
    write = CHARDEV_GET_CLASS(s).chr_write
    assert write is not None
    if s.logfile is not None:
        s.logfile.write(buf)
    return write(s, buf)


def qemu_chr_be_can_write(s: Chardev) -> int:
    """How many bytes the front end has room for."""
    be = s.be
    return be.chr_can_read(be.opaque) if be is not None and be.chr_can_read is not None else 0


def qemu_chr_be_write(s: Chardev, buf: bytes) -> None:
    """Bytes from the host to the guest; the caller has asked whether there is room."""
    if chardev_read:
        chardev_read(s.label, buf)
    if s.be is not None and s.be.chr_read is not None:
        s.be.chr_read(s.be.opaque, buf)


def qemu_chr_be_push(s: Chardev, buf: bytes) -> None:
    """Bytes from the host, what there is no room for later (Not in QEMU: the main loop polls there)."""
    s.pending += buf
    while s.pending and (room := qemu_chr_be_can_write(s)) > 0:
        chunk = bytes(s.pending[:room])
        del s.pending[:room]
        qemu_chr_be_write(s, chunk)


def qemu_chr_be_event(s: Chardev, event: QEMUChrEvent) -> None:
    """Something happened to the line."""
    if event in (QEMUChrEvent.OPENED, QEMUChrEvent.CLOSED):
        s.be_open = event is QEMUChrEvent.OPENED
    chr_be_event = CHARDEV_GET_CLASS(s).chr_be_event
    if chr_be_event is not None:
        chr_be_event(s, event)


def chr_be_event(s: Chardev, event: QEMUChrEvent) -> None:
    """Tell the front end."""
    if s.be is not None and s.be.chr_event is not None:
        s.be.chr_event(s.be.opaque, event)


# ---- the class


def null_chr_write(chr: Chardev, buf: bytes) -> int:
    """Bytes that go nowhere."""
    return len(buf)


def char_class_init(klass: ObjectClass) -> None:
    """By default nothing is written."""
    cc = object_class_check(klass, ChardevClass, TYPE_CHARDEV)
    cc.chr_write = null_chr_write
    cc.chr_be_event = chr_be_event


def char_init(obj: Object) -> None:
    """Nothing is open yet."""


def char_finalize(obj: Object) -> None:
    """Let go of the front end and of the log."""
    chr = CHARDEV(obj)
    if chr.be is not None:
        chr.be.chr = None
    if chr.logfile is not None:
        chr.logfile.close()


type_init(
    TypeInfo(
        TYPE_CHARDEV,
        parent=TYPE_OBJECT,
        instance_struct=Chardev,
        class_struct=ChardevClass,
        abstract=True,
        class_init=char_class_init,
        instance_init=char_init,
        instance_finalize=char_finalize,
    )
)
