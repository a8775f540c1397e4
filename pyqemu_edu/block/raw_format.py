"""The format `raw`: the image is the disk, byte for byte, or a part of it (QEMU block/raw-format.c)."""

from __future__ import annotations

import errno
from dataclasses import dataclass

from pyqemu_edu.block.block_int import (
    BDRV_CHILD,
    BDRV_O,
    BDRV_SECTOR_SIZE,
    BLK_PERM,
    BdrvChild,
    BlockDriver,
    BlockDriverState,
    Perms,
    bdrv_is_read_only,
    bdrv_register,
)
from pyqemu_edu.block.filename import bdrv_refresh_filename
from pyqemu_edu.block.io import (
    bdrv_getlength,
    bdrv_pdiscard,
    bdrv_pread,
    bdrv_pwrite,
    bdrv_pwrite_zeroes,
    bdrv_truncate,
    os_error,
)
from pyqemu_edu.block.open import bdrv_open_child, bdrv_probe_all
from pyqemu_edu.block.permissions import bdrv_default_perms
from pyqemu_edu.block.qdict import absorb
from pyqemu_edu.util.error import QemuError, error_printf
from pyqemu_edu.util.module import block_init
from pyqemu_edu.util.option import QemuOptDesc, QemuOptType, qemu_opt_find, qemu_opt_get_size
from pyqemu_edu.util.qdict import QDict

raw_runtime_opts = (QemuOptDesc("offset", QemuOptType.SIZE), QemuOptDesc("size", QemuOptType.SIZE))


@dataclass(eq=False)
class BDRVRawState:
    """Which part of the file; without `size` all that follows `offset`."""

    offset: int
    size: int | None


def raw_open(bs: BlockDriverState, options: QDict, flags: BDRV_O) -> None:
    """Open the file below; warn if nobody said that it is raw.  `QemuError`."""
    opts = absorb("raw", raw_runtime_opts, options)
    offset = qemu_opt_get_size(opts, "offset", 0)
    size = qemu_opt_get_size(opts, "size", 0) if qemu_opt_find(opts, "size") else None
    partial = offset or size is not None
    bdrv_open_child(options, "file", bs, BDRV_CHILD.PRIMARY | (BDRV_CHILD.DATA if partial else BDRV_CHILD.FILTERED))
    if bs.probed and not bdrv_is_read_only(bs):
        warn_of_guess(bs.below)
    bs.opaque = raw_apply_options(bs, offset, size)


def warn_of_guess(file: BlockDriverState) -> None:
    """A guest could write something into a raw image that is taken for another format the next time."""
    bdrv_refresh_filename(file)
    error_printf(
        f"WARNING: Image format was not specified for '{file.filename}' and probing guessed raw.\n"
        "         Automatically detecting the format is dangerous for raw images, write operations on block 0 will be"
        " restricted.\n"
        "         Specify the 'raw' format explicitly to remove the restrictions.\n"
    )


def raw_apply_options(bs: BlockDriverState, offset: int, size: int | None) -> BDRVRawState:
    """The part that was asked for, if the file has it.  `QemuError`."""
    real_size = bdrv_getlength(bs.below)
    if offset > real_size:
        raise QemuError(f"Offset ({offset}) cannot be greater than size of the containing file ({real_size})")
    if size is not None and real_size - offset < size:
        raise QemuError(
            f"The sum of offset ({offset}) and size ({size}) has to be smaller or equal to the "
            f" actual size of the containing file ({real_size})"
        )
    if size is not None and size % BDRV_SECTOR_SIZE:
        raise QemuError(f"Specified size is not multiple of {BDRV_SECTOR_SIZE}")
    return BDRVRawState(offset, size)


def raw_adjust_offset(bs: BlockDriverState, offset: int, bytes: int, is_write: bool) -> int:
    """Where in the file; `OSError` beyond the part's end."""
    s: BDRVRawState = bs.opaque
    if s.size is not None and offset + bytes > s.size:
        raise os_error(errno.ENOSPC if is_write else errno.EINVAL)
    return s.offset + offset


def raw_pread(bs: BlockDriverState, offset: int, bytes: int) -> bytes:
    """Read from the file (QEMU `raw_co_preadv`)."""
    return bdrv_pread(bs.below, raw_adjust_offset(bs, offset, bytes, False), bytes)


def raw_pwrite(bs: BlockDriverState, offset: int, data: bytes) -> None:
    """Write to the file; if the format was guessed, nothing that would change the guess (QEMU `raw_co_pwritev`)."""
    if bs.probed and offset < BDRV_SECTOR_SIZE:
        first = bdrv_pread(bs.below, 0, BDRV_SECTOR_SIZE)
        if bdrv_probe_all((first[:offset] + data + first[offset + len(data) :])[:BDRV_SECTOR_SIZE]) is not bs.drv:
            raise os_error(errno.EPERM)
    bdrv_pwrite(bs.below, raw_adjust_offset(bs, offset, len(data), True), data)


def raw_pwrite_zeroes(bs: BlockDriverState, offset: int, bytes: int, may_unmap: bool) -> None:
    """Zeroes, as the file does it (QEMU `raw_co_pwrite_zeroes`)."""
    bdrv_pwrite_zeroes(bs.below, raw_adjust_offset(bs, offset, bytes, True), bytes, may_unmap)


def raw_pdiscard(bs: BlockDriverState, offset: int, bytes: int) -> None:
    """Not needed in the file, either (QEMU `raw_co_pdiscard`)."""
    bdrv_pdiscard(bs.below, raw_adjust_offset(bs, offset, bytes, True), bytes)


def raw_getlength(bs: BlockDriverState) -> int:
    """The part's size, or that of the rest of the file."""
    s: BDRVRawState = bs.opaque
    return bdrv_getlength(bs.below) - s.offset if s.size is None else s.size


def raw_truncate(bs: BlockDriverState, offset: int) -> None:
    """Make the file shorter or longer; a part of a file has its size (QEMU `raw_co_truncate`)."""
    s: BDRVRawState = bs.opaque
    if s.size is not None:
        raise os_error(errno.ENOTSUP)
    bdrv_truncate(bs.below, s.offset + offset)


def raw_child_perm(bs: BlockDriverState, c: BdrvChild, perm: BLK_PERM, shared: BLK_PERM) -> Perms:
    """What the parent needs and no more: this format keeps no tables."""
    needed, allowed = bdrv_default_perms(bs, c, perm, shared)
    return needed & ~((BLK_PERM.WRITE | BLK_PERM.RESIZE) & ~perm), allowed


def raw_probe(buf: bytes) -> int:
    """Anything may be raw, but whatever else it may be is likelier."""
    return 1


bdrv_raw = BlockDriver(
    "raw",
    raw_open,
    raw_pread,
    raw_pwrite,
    raw_getlength,
    is_format=True,
    pwrite_zeroes=raw_pwrite_zeroes,
    pdiscard=raw_pdiscard,
    truncate=raw_truncate,
    probe=raw_probe,
    child_perm=raw_child_perm,
    strong_runtime_opts=("offset", "size"),
)


def bdrv_raw_init() -> None:
    """Register it."""
    bdrv_register(bdrv_raw)


block_init(bdrv_raw_init)
