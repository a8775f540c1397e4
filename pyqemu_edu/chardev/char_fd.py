"""Character devices that have a file of the host (QEMU chardev/char-fd.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyqemu_edu.chardev.chardev import TYPE_CHARDEV, Chardev, ChardevClass, Output
from pyqemu_edu.io.channel import QIOChannelFile, qio_channel_file_new_fd
from pyqemu_edu.qom.klass import object_check, object_class_check
from pyqemu_edu.qom.object import object_unref
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init

TYPE_CHARDEV_FD = "chardev-fd"


@dataclass(eq=False)
class FDChardev(Chardev):
    """A back end that writes to `out`, and has a channel on each side; who reads is the business of each kind."""

    out: Output | None = None
    ioc_in: QIOChannelFile | None = None
    ioc_out: QIOChannelFile | None = None


def FD_CHARDEV(obj: object) -> FDChardev:
    """Cast to such a back end."""
    return object_check(obj, FDChardev, TYPE_CHARDEV_FD)


def fd_chr_write(chr: Chardev, buf: bytes) -> int:
    """Write without delay."""
    out = FD_CHARDEV(chr).out
    if out is not None:
        out.write(buf)
        out.flush()
    return len(buf)


def qemu_chr_open_fd(chr: Chardev, file_in: Any, out: Output | None) -> None:
    """Read from one file and write to another; either may be missing."""
    s = FD_CHARDEV(chr)
    s.out = out
    s.ioc_in = None if file_in is None else qio_channel_file_new_fd(file_in)
    s.ioc_out = None if out is None else qio_channel_file_new_fd(out)


def char_fd_finalize(obj: Object) -> None:
    """Nothing is written any more; a kind that opened its file closes it."""
    s = FD_CHARDEV(obj)
    for ioc in (s.ioc_in, s.ioc_out):
        if ioc is not None:
            object_unref(ioc)
    s.out = s.ioc_in = s.ioc_out = None


def char_fd_class_init(klass: ObjectClass) -> None:
    """Writing goes to a file descriptor."""
    object_class_check(klass, ChardevClass, TYPE_CHARDEV).chr_write = fd_chr_write


type_init(
    TypeInfo(
        TYPE_CHARDEV_FD,
        parent=TYPE_CHARDEV,
        instance_struct=FDChardev,
        abstract=True,
        class_init=char_fd_class_init,
        instance_finalize=char_fd_finalize,
    )
)
