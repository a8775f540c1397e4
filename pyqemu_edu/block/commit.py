"""Writing what an overlay holds into the image that it stands on (QEMU block/commit.c).

Left out: the job that does so beside a running machine, and emptying the overlay afterwards, which costs place only.
"""

from __future__ import annotations

import errno
from contextlib import ExitStack

from pyqemu_edu.block.block_int import BDRV_O, BLK_PERM, BdrvChild, BlockDriverState
from pyqemu_edu.block.io import bdrv_flush, bdrv_getlength, bdrv_pread, bdrv_pwrite, bdrv_truncate, os_error
from pyqemu_edu.block.permissions import bdrv_child_try_set_perm
from pyqemu_edu.util.error import QemuError

COMMIT_BUF_SIZE = 65536


def bdrv_commit(bs: BlockDriverState) -> None:
    """Make the backing file hold what the disk holds.  `OSError`: `ENOTSUP` without one, `EACCES` if it is fixed."""
    if bs.drv is None:
        raise os_error(errno.ENOMEDIUM)
    if bs.backing is None:
        raise os_error(errno.ENOTSUP)
    with ExitStack() as undo:
        make_writable(bs.backing, undo)
        copy_all(bs, bs.backing.bs)


def make_writable(edge: BdrvChild, undo: ExitStack) -> None:
    """Open what an edge leads to for writing, until `undo` (in QEMU `bdrv_reopen_set_read_only`).  `OSError`."""
    chain = [edge.bs, *([edge.bs.below] if edge.bs.file else [])]
    for node in chain:
        undo.callback(setattr, node, "open_flags", node.open_flags)
        node.open_flags |= BDRV_O.RDWR
    perm, shared = edge.perm, edge.shared_perm
    try:
        bdrv_child_try_set_perm(edge, perm | BLK_PERM.WRITE | BLK_PERM.RESIZE, BLK_PERM.ALL)
    except QemuError:
        raise os_error(errno.EACCES) from None
    undo.callback(bdrv_child_try_set_perm, edge, perm, shared)


def copy_all(bs: BlockDriverState, backing: BlockDriverState) -> None:
    """Copy what differs, and make sure that it is on the host's disk (in QEMU `bdrv_commit`)."""
    length = bdrv_getlength(bs)
    if length > bdrv_getlength(backing):
        bdrv_truncate(backing, length)
    for offset in range(0, length, COMMIT_BUF_SIZE):
        size = min(COMMIT_BUF_SIZE, length - offset)
        data = bdrv_pread(bs, offset, size)
        if data != bdrv_pread(backing, offset, size):
            bdrv_pwrite(backing, offset, data)
    bdrv_flush(backing)
