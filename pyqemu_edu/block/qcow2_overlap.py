"""That nothing is written over a qcow2 image's tables, whatever these say is free (QEMU block/qcow2-refcount.c).

Left out: the option `overlap-check`; what is looked for is what QEMU looks for without it.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator

from pyqemu_edu.block.block_int import BlockDriverState
from pyqemu_edu.block.io import os_error
from pyqemu_edu.block.qcow2_corruption import qcow2_signal_corruption
from pyqemu_edu.block.qcow2_header import L1E_OFFSET_MASK, REFT_OFFSET_MASK, BDRVQcow2State

ACTIVE_L1, ACTIVE_L2, REFCOUNT_BLOCK = "active L1 table", "active L2 table", "refcount block"


def metadata_parts(s: BDRVQcow2State) -> Iterator[tuple[str, int, int]]:
    """Every table: its name, where it is, how long it is (Not in QEMU)."""
    header, cluster_size = s.header, s.cluster_size
    yield "qcow2_header", 0, cluster_size
    yield ACTIVE_L1, header.l1_table_offset, len(s.l1_table) * 8
    yield "refcount table", header.refcount_table_offset, len(s.refcount_table) * 8
    yield "snapshot table", header.snapshots_offset, s.snapshots_size
    yield from (("inactive L1 table", each.l1_table_offset, each.l1_size * 8) for each in s.snapshots)
    yield from ((ACTIVE_L2, entry & L1E_OFFSET_MASK, cluster_size) for entry in s.l1_table if entry & L1E_OFFSET_MASK)
    blocks = (entry & REFT_OFFSET_MASK for entry in s.refcount_table)
    yield from ((REFCOUNT_BLOCK, offset, cluster_size) for offset in blocks if offset)


def qcow2_check_metadata_overlap(s: BDRVQcow2State, ign: str, offset: int, size: int) -> str:
    """Which table has a cluster in common with these bytes; "" if none but those called `ign` has."""
    start, end = offset & -s.cluster_size, offset + size + s.cluster_size - 1 & -s.cluster_size
    for name, at, length in metadata_parts(s):
        if name != ign and length and at < end and start < at + length:
            return name
    return ""


def qcow2_pre_write_overlap_check(bs: BlockDriverState, ign: str, offset: int, size: int) -> None:
    """`OSError`, and the image is corrupt, if these bytes are in a table that nobody means to write."""
    name = qcow2_check_metadata_overlap(bs.opaque, ign, offset, size)
    if name:
        qcow2_signal_corruption(bs, f"Preventing invalid write on metadata (overlaps with {name})")
        raise os_error(errno.EIO)
