"""Locks on an image's file, so that two QEMUs do not spoil each other's data (QEMU block/file-posix.c, util/osdep.c).

Each right has two bytes of the file.  Who does something holds a lock on byte 100 and so on; who does not let others
do it holds one on byte 200 and so on.  Nobody reads or writes these bytes for it: a lock is only a sign.
"""

from __future__ import annotations

import errno
import fcntl
import struct

from pyqemu_edu.block.block_int import BLK_PERM
from pyqemu_edu.block.permissions import bdrv_perm_names
from pyqemu_edu.util.error import QemuError

RAW_LOCK_PERM_BASE = 100
RAW_LOCK_SHARED_BASE = 200

FLOCK = "hhqqi0q"
"""C's `struct flock`: kind, from where, start, length, whose."""


def qemu_has_ofd_lock() -> bool:
    """Whether the host has locks that belong to an opened file and not to a process."""
    return hasattr(fcntl, "F_OFD_SETLK")


def flock(kind: int, start: int) -> bytes:
    """A request about one byte (Not in QEMU)."""
    return struct.pack(FLOCK, kind, 0, start, 1, 0)


def qemu_lock_fd(fd: int, start: int) -> None:
    """Put a shared lock on a byte; `OSError`."""
    fcntl.fcntl(fd, fcntl.F_OFD_SETLK, flock(fcntl.F_RDLCK, start))


def qemu_unlock_fd(fd: int, start: int) -> None:
    """Take the lock away."""
    fcntl.fcntl(fd, fcntl.F_OFD_SETLK, flock(fcntl.F_UNLCK, start))


def qemu_lock_fd_test(fd: int, start: int) -> bool:
    """Whether nobody else holds a lock on a byte."""
    answer = fcntl.fcntl(fd, fcntl.F_OFD_GETLK, flock(fcntl.F_WRLCK, start))
    kind: int = struct.unpack(FLOCK, answer)[0]
    return kind == fcntl.F_UNLCK


def lock_error(error: OSError, message: str) -> QemuError:
    """What somebody else's lock causes needs no reason (QEMU `raw_lock_error_setg_errno`)."""
    if error.errno in (errno.EAGAIN, errno.EACCES):
        return QemuError(message)
    return QemuError(f"{message}: {error.strerror}")


def raw_apply_lock_bytes(fd: int, held: set[int], perm: BLK_PERM, unshared: BLK_PERM, unlock: bool) -> None:
    """Lock what is wanted, and with `unlock` let go of all else; `held` is what this file has locked."""
    wanted = {RAW_LOCK_PERM_BASE + i for i in range(4) if perm >> i & 1}
    wanted |= {RAW_LOCK_SHARED_BASE + i for i in range(4) if unshared >> i & 1}
    for byte in sorted(wanted - held):
        try:
            qemu_lock_fd(fd, byte)
        except OSError as error:
            raise lock_error(error, f"Failed to lock byte {byte}") from None
        held.add(byte)
    for byte in sorted(held - wanted) if unlock else ():
        qemu_unlock_fd(fd, byte)
        held.remove(byte)


def raw_check_lock_bytes(fd: int, perm: BLK_PERM, unshared: BLK_PERM) -> None:
    """`QemuError` if somebody does not let us, or does what we do not let him."""
    for kind, base, rights in (("", RAW_LOCK_SHARED_BASE, perm), ("shared ", RAW_LOCK_PERM_BASE, unshared)):
        for i in range(4):
            if rights >> i & 1 and not qemu_lock_fd_test(fd, base + i):
                raise QemuError(f'Failed to get {kind}"{bdrv_perm_names(BLK_PERM(1 << i))}" lock')
