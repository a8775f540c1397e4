"""Cylinders, heads and sectors of a disk that has none (QEMU hw/block/hd-geometry.c)."""

from __future__ import annotations

import struct

from pyqemu_edu.block.block_backend import BlockBackend
from pyqemu_edu.block.block_backend_io import blk_get_geometry, blk_pread
from pyqemu_edu.block.block_int import BDRV_SECTOR_SIZE

CHS = tuple[int, int, int]
PARTITION = struct.Struct("<BBBBBBBBII")
FIRST_PARTITION = 0x1BE


def guess_disk_lchs(blk: BlockBackend) -> CHS | None:
    """From where a partition of an old-style table ends, which is at the end of a cylinder; None without one."""
    try:
        sector = blk_pread(blk, 0, BDRV_SECTOR_SIZE)
    except OSError:
        return None
    if sector[510:512] != b"\x55\xaa":
        return None
    for i in range(4):
        *_, end_head, end_sector, _, _, nr_sects = PARTITION.unpack_from(sector, FIRST_PARTITION + 16 * i)
        heads, sectors = end_head + 1, end_sector & 63
        if nr_sects and end_head and sectors:
            cylinders = blk_get_geometry(blk) // (heads * sectors)
            if 1 <= cylinders <= 16383:
                return cylinders, heads, sectors
    return None


def guess_chs_for_size(blk: BlockBackend) -> CHS:
    """What a disk of that size usually has."""
    return min(max(blk_get_geometry(blk) // (16 * 63), 2), 16383), 16, 63


def hd_geometry_guess(blk: BlockBackend) -> CHS:
    """Cylinders, heads, sectors; the translation that a PC's firmware would do is left out."""
    guess = guess_disk_lchs(blk)
    return guess if guess is not None and guess[1] <= 16 else guess_chs_for_size(blk)
