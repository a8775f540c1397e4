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


def long_tables(s: BDRVQcow2State) -> Iterator[tuple[str, int, int]]:
    """The tables that may be longer than a cluster: name, first byte, end (Not in QEMU)."""
    h = s.header
    yield "qcow2_header", 0, s.cluster_size
    yield ACTIVE_L1, h.l1_table_offset, h.l1_table_offset + len(s.l1_table) * 8
    yield "refcount table", h.refcount_table_offset, h.refcount_table_offset + len(s.refcount_table) * 8
    yield "snapshot table", h.snapshots_offset, h.snapshots_offset + s.snapshots_size
    yield from (("inactive L1 table", each.l1_table_offset, each.end) for each in s.snapshots)


def short_tables(s: BDRVQcow2State) -> dict[int, list[str]]:
    """By place, which tables of one cluster are there; gathered anew when one has come or gone (Not in QEMU)."""
    if s.short_tables is None:
        s.short_tables = {}
        for name, entries, mask in (
            (ACTIVE_L2, s.l1_table, L1E_OFFSET_MASK),
            (REFCOUNT_BLOCK, s.refcount_table, REFT_OFFSET_MASK),
        ):
            for offset in {entry & mask & -s.cluster_size for entry in entries if entry & mask}:
                s.short_tables.setdefault(offset, []).append(name)
    return s.short_tables


def qcow2_check_metadata_overlap(s: BDRVQcow2State, ign: str, offset: int, size: int) -> str:
    """Which table has a cluster in common with these bytes; "" if none but those called `ign` has."""
    start, end = offset & -s.cluster_size, offset + size + s.cluster_size - 1 & -s.cluster_size
    for name, first, last in long_tables(s):
        if name != ign and first < end and start < last and first != last:
            return name
    found = (name for at in range(start, end, s.cluster_size) for name in short_tables(s).get(at, ()))
    return next((name for name in found if name != ign), "")


def qcow2_pre_write_overlap_check(bs: BlockDriverState, ign: str, offset: int, size: int) -> None:
    """`OSError`, and the image is corrupt, if these bytes are in a table that nobody means to write."""
    name = qcow2_check_metadata_overlap(bs.opaque, ign, offset, size)
    if name:
        qcow2_signal_corruption(bs, f"Preventing invalid write on metadata (overlaps with {name})")
        raise os_error(errno.EIO)
