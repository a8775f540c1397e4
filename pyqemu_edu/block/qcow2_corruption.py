"""What a qcow2 image's tables say cannot be true (QEMU block/qcow2.c)."""

from __future__ import annotations

import struct

from pyqemu_edu.block.block_int import BlockDriverState, bdrv_is_read_only
from pyqemu_edu.block.io import bdrv_pwrite
from pyqemu_edu.block.qcow2_header import INCOMPAT_CORRUPT, INCOMPATIBLE_OFFSET, BDRVQcow2State
from pyqemu_edu.util.error import error_printf


def qcow2_signal_corruption(bs: BlockDriverState, message: str) -> None:
    """Say so, once; an image that could be written is marked, and refused from now on."""
    s: BDRVQcow2State = bs.opaque
    fatal = not bdrv_is_read_only(bs)
    if s.signaled_corruption and not fatal:
        return
    s.signaled_corruption = True
    if not fatal:
        error_printf(f"qcow2: Image is corrupt: {message}; further non-fatal corruption events will be suppressed\n")
        return
    error_printf(f"qcow2: Marking image as corrupt: {message}; further corruption events will be suppressed\n")
    s.header.incompatible_features |= INCOMPAT_CORRUPT
    if s.header.version == 3:
        bdrv_pwrite(bs.below, INCOMPATIBLE_OFFSET, struct.pack(">Q", s.header.incompatible_features))
    bs.drv = None
