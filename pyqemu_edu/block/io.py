"""Reading and writing a node (QEMU block/io.c, include/block/block-io.h).

What a request is allowed to do has been checked above (`block_backend`); here it is cut at the end of the image, goes
to the driver, and makes the image longer where it may.
"""

from __future__ import annotations

import errno
import os

from pyqemu_edu.block.block_int import BDRV_O, BDRV_SECTOR_SIZE, BlockDriver, BlockDriverState, bdrv_is_read_only

ZERO_STEP = 1 << 20
BDRV_MAX_LENGTH = (1 << 63) - (1 << 30)


def os_error(code: int) -> OSError:
    """What in C is a negative number (Not in QEMU)."""
    return OSError(code, os.strerror(code))


def driver_of(bs: BlockDriverState) -> BlockDriver:
    """The node's driver; `OSError` if the image is gone."""
    if bs.drv is None:
        raise os_error(errno.ENOMEDIUM)
    return bs.drv


def bdrv_getlength(bs: BlockDriverState) -> int:
    """The image's size in bytes, whole sectors (QEMU block.c)."""
    driver_of(bs)
    return bs.total_sectors * BDRV_SECTOR_SIZE


def bdrv_check_request(offset: int, bytes: int) -> None:
    """`OSError` about a place that no image can have."""
    if offset < 0 or offset + bytes > BDRV_MAX_LENGTH:
        raise os_error(errno.EIO)


def bdrv_pread(bs: BlockDriverState, offset: int, bytes: int) -> bytes:
    """What is there; behind the end there are zeroes."""
    bdrv_check_request(offset, bytes)
    inside = max(0, min(bytes, bdrv_getlength(bs) - offset))
    data = driver_of(bs).pread(bs, offset, inside) if inside else b""
    return data if len(data) == bytes else data.ljust(bytes, b"\0")


def bdrv_pwrite(bs: BlockDriverState, offset: int, data: bytes) -> None:
    """Store bytes; an image that is written behind its end grows."""
    if bdrv_is_read_only(bs):
        raise os_error(errno.EPERM)
    bdrv_check_request(offset, len(data))
    if not data:
        return
    driver_of(bs).pwrite(bs, offset, data)
    bdrv_write_done(bs, offset + len(data))


def bdrv_write_done(bs: BlockDriverState, end: int) -> None:
    """Remember that the image reaches to `end` now (in QEMU `bdrv_co_write_req_finish`)."""
    bs.wr_highest_offset = max(bs.wr_highest_offset, end)
    bs.total_sectors = max(bs.total_sectors, -(-end // BDRV_SECTOR_SIZE))


def bdrv_pwrite_zeroes(bs: BlockDriverState, offset: int, bytes: int, may_unmap: bool = False) -> None:
    """Store zeroes, the driver's own way if it has one."""
    if bdrv_is_read_only(bs):
        raise os_error(errno.EPERM)
    drv = driver_of(bs)
    if drv.pwrite_zeroes is None:
        for start in range(offset, offset + bytes, ZERO_STEP):
            drv.pwrite(bs, start, b"\0" * min(ZERO_STEP, offset + bytes - start))
    elif bytes:
        drv.pwrite_zeroes(bs, offset, bytes, may_unmap and bool(bs.open_flags & BDRV_O.UNMAP))
    bdrv_write_done(bs, offset + bytes)


def bdrv_pdiscard(bs: BlockDriverState, offset: int, bytes: int) -> None:
    """The guest needs these bytes no longer; unless `discard=unmap` was said, nothing happens."""
    drv = driver_of(bs)
    if not bs.open_flags & BDRV_O.UNMAP or drv.pdiscard is None or not bytes:
        return
    if bdrv_is_read_only(bs):
        raise os_error(errno.EPERM)
    drv.pdiscard(bs, offset, bytes)


def bdrv_flush(bs: BlockDriverState) -> None:
    """Everything written is on the host's disk when this returns, unless `cache=unsafe` was said."""
    drv = driver_of(bs)
    if bs.open_flags & BDRV_O.NO_FLUSH:
        return
    drv.flush(bs)
    for child in bs.children:
        if child is not bs.backing:
            bdrv_flush(child.bs)


def bdrv_truncate(bs: BlockDriverState, offset: int) -> None:
    """Make the image shorter or longer."""
    drv = driver_of(bs)
    if bdrv_is_read_only(bs):
        raise os_error(errno.EACCES)
    if drv.truncate is None:
        raise os_error(errno.ENOTSUP)
    drv.truncate(bs, offset)
    bs.total_sectors = -(-drv.getlength(bs) // BDRV_SECTOR_SIZE)


def bdrv_get_allocated_file_size(bs: BlockDriverState) -> int:
    """How much of the host's disk the image takes (QEMU block.c)."""
    drv = driver_of(bs)
    if drv.get_allocated_file_size:
        return drv.get_allocated_file_size(bs)
    if drv.file_open or not bs.children:
        raise os_error(errno.ENOTSUP)
    return sum(bdrv_get_allocated_file_size(child.bs) for child in bs.children if child is not bs.backing)
