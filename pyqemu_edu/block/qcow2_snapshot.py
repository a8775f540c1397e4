"""A qcow2 image's snapshots: read, so that nobody writes over what they are made of (QEMU block/qcow2-snapshot.c)."""

from __future__ import annotations

import struct
from dataclasses import dataclass

from pyqemu_edu.block.block_int import BlockDriverState
from pyqemu_edu.block.io import bdrv_pread
from pyqemu_edu.block.qcow2_header import SNAPSHOT_HEADER, QCowHeader
from pyqemu_edu.util.error import QemuError

QCOW_MAX_SNAPSHOT_EXTRA_DATA = 1024
QCOW_MAX_SNAPSHOTS_SIZE = 1024 * 65536


@dataclass(frozen=True, slots=True)
class QCowSnapshot:
    """What the image was once: where its L1 table is."""

    l1_table_offset: int
    l1_size: int

    @property
    def end(self) -> int:
        """Behind the table."""
        return self.l1_table_offset + self.l1_size * 8


def qcow2_read_snapshots(file: BlockDriverState, header: QCowHeader) -> tuple[list[QCowSnapshot], int]:
    """All snapshots, and the bytes that their table takes.  `QemuError`."""
    snapshots, offset = [], header.snapshots_offset
    for i in range(header.nb_snapshots):
        offset = offset + 7 & ~7
        snapshot, length = read_snapshot(file, offset, i)
        snapshots.append(snapshot)
        offset += length
        if offset - header.snapshots_offset > QCOW_MAX_SNAPSHOTS_SIZE:
            hint = (
                f"You can force-remove all {header.nb_snapshots - i} overhanging snapshots with qemu-img check -r all\n"
            )
            raise QemuError("Snapshot table is too big", hint)
    return snapshots, offset - header.snapshots_offset


def read_snapshot(file: BlockDriverState, offset: int, i: int) -> tuple[QCowSnapshot, int]:
    """One entry and its length (in QEMU part of `qcow2_do_read_snapshots`).  `QemuError`."""
    fields = struct.unpack(SNAPSHOT_HEADER, bdrv_pread(file, offset, struct.calcsize(SNAPSHOT_HEADER)))
    l1_table_offset, l1_size, id_str_size, name_size, *_, extra_data_size = fields
    if extra_data_size > QCOW_MAX_SNAPSHOT_EXTRA_DATA:
        hint = "You can force-remove this extra metadata with qemu-img check -r all\n"
        raise QemuError(f"Too much extra metadata in snapshot table entry {i}", hint)
    length = struct.calcsize(SNAPSHOT_HEADER) + extra_data_size + id_str_size + name_size
    return QCowSnapshot(l1_table_offset, l1_size), length
