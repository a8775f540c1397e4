"""Requests to a disk, checked against its size (QEMU block/block-backend.c, include/sysemu/block-backend-io.h).

A request that fails raises `OSError`; in C it returns a negative number.
"""

from __future__ import annotations

import errno

from pyqemu_edu.block.block_backend import BlockBackend, blk_bs
from pyqemu_edu.block.block_int import BlockDriverState
from pyqemu_edu.block.io import (
    bdrv_flush,
    bdrv_getlength,
    bdrv_pdiscard,
    bdrv_pread,
    bdrv_pwrite,
    bdrv_pwrite_zeroes,
    bdrv_truncate,
    os_error,
)


def image_of(blk: BlockBackend) -> BlockDriverState:
    """The image; `OSError` if there is none (QEMU `blk_is_available`)."""
    bs = blk_bs(blk)
    if bs is None or bs.drv is None:
        raise os_error(errno.ENOMEDIUM)
    return bs


def blk_check_byte_request(blk: BlockBackend, offset: int, bytes: int) -> BlockDriverState:
    """The image; `OSError` if the request goes beyond its end."""
    bs = image_of(blk)
    if offset < 0 or bytes < 0 or offset + bytes > bdrv_getlength(bs):
        raise os_error(errno.EIO)
    return bs


def blk_getlength(blk: BlockBackend) -> int:
    """The size in bytes."""
    return bdrv_getlength(image_of(blk))


def blk_get_geometry(blk: BlockBackend) -> int:
    """The size in sectors of 512 bytes, 0 without an image."""
    bs = blk_bs(blk)
    return bs.total_sectors if bs is not None and bs.drv is not None else 0


def blk_pread(blk: BlockBackend, offset: int, bytes: int) -> bytes:
    """Read."""
    return bdrv_pread(blk_check_byte_request(blk, offset, bytes), offset, bytes)


def blk_pwrite(blk: BlockBackend, offset: int, data: bytes) -> None:
    """Write; without a write cache it is on the host's disk when this returns."""
    bs = blk_check_byte_request(blk, offset, len(data))
    bdrv_pwrite(bs, offset, data)
    if not blk.enable_write_cache:
        bdrv_flush(bs)


def blk_pwrite_zeroes(blk: BlockBackend, offset: int, bytes: int, may_unmap: bool) -> None:
    """Write zeroes; with `may_unmap` their place may be given back to the host."""
    bs = blk_check_byte_request(blk, offset, bytes)
    bdrv_pwrite_zeroes(bs, offset, bytes, may_unmap)
    if not blk.enable_write_cache:
        bdrv_flush(bs)


def blk_pdiscard(blk: BlockBackend, offset: int, bytes: int) -> None:
    """Say that nobody needs these bytes any more."""
    bdrv_pdiscard(blk_check_byte_request(blk, offset, bytes), offset, bytes)


def blk_flush(blk: BlockBackend) -> None:
    """All that was written is on the host's disk when this returns."""
    bdrv_flush(image_of(blk))


def blk_truncate(blk: BlockBackend, offset: int) -> None:
    """Make the image shorter or longer, and tell the device."""
    bdrv_truncate(image_of(blk), offset)
    if blk.dev_ops and blk.dev_ops.resize_cb:
        blk.dev_ops.resize_cb()
