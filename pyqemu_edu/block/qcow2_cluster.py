"""Where in a qcow2 image's file the guest's bytes are (QEMU block/qcow2-cluster.c).

    guest address   | L1 index | L2 index | in the cluster |
                        |          |
    L1 table  ---------->          |
      L2 table  ------------------->
        cluster                        or: nothing, zeroes, or compressed

Left out: preallocated zero clusters are not reused, and clusters are allocated one at a time.
"""

from __future__ import annotations

import errno
import struct
import zlib
from collections.abc import Iterator
from dataclasses import dataclass

from pyqemu_edu.block.block_int import BlockDriverState
from pyqemu_edu.block.io import bdrv_pread, bdrv_pwrite, os_error
from pyqemu_edu.block.qcow2_corruption import qcow2_signal_corruption
from pyqemu_edu.block.qcow2_header import L1E_OFFSET_MASK, BDRVQcow2State
from pyqemu_edu.block.qcow2_overlap import ACTIVE_L1, ACTIVE_L2, qcow2_pre_write_overlap_check
from pyqemu_edu.block.qcow2_refcount import qcow2_alloc_clusters, qcow2_free_clusters

OFLAG_COPIED = 1 << 63
OFLAG_COMPRESSED = 1 << 62
OFLAG_ZERO = 1
OFFSET_MASK = L1E_OFFSET_MASK


@dataclass(frozen=True, slots=True)
class Piece:
    """The part of a request that is in one cluster: which cluster, from where on in it, and how much."""

    cluster: int
    start: int
    length: int


def pieces(s: BDRVQcow2State, offset: int, bytes: int) -> Iterator[Piece]:
    """A request, cut at the clusters' ends (Not in QEMU)."""
    end = offset + bytes
    while offset < end:
        start = offset % s.cluster_size
        length = min(s.cluster_size - start, end - offset)
        yield Piece(offset >> s.cluster_bits, start, length)
        offset += length


# ---- tables


def hex_of(value: int) -> str:
    """As C prints with `%#x`."""
    return f"{value:#x}" if value else "0"


def l2_load(bs: BlockDriverState, offset: int, l1_index: int) -> list[int]:
    """An L2 table, from the file the first time.  `OSError`."""
    s: BDRVQcow2State = bs.opaque
    if offset % s.cluster_size:
        qcow2_signal_corruption(bs, f"L2 table offset {offset:#x} unaligned (L1 index: {hex_of(l1_index)})")
        raise os_error(errno.EIO)
    if offset not in s.l2_cache:
        data = bdrv_pread(bs.below, offset, s.cluster_size)
        s.l2_cache[offset] = list(struct.unpack(f">{1 << s.l2_bits}Q", data))
    return s.l2_cache[offset]


def l2_entry(bs: BlockDriverState, cluster: int) -> int:
    """What the tables say of a cluster, 0 if nothing (QEMU `qcow2_get_host_offset`).  `OSError`."""
    s: BDRVQcow2State = bs.opaque
    l1_index, l2_index = divmod(cluster, 1 << s.l2_bits)
    l2_offset = s.l1_table[l1_index] & OFFSET_MASK
    if not l2_offset:
        return 0
    entry = l2_load(bs, l2_offset, l1_index)[l2_index]
    if not entry & OFLAG_COMPRESSED:
        check_entry(bs, entry, l2_offset, l2_index)
    return entry


def check_entry(bs: BlockDriverState, entry: int, l2_offset: int, l2_index: int) -> None:
    """`OSError` about an entry that cannot be (in QEMU `qcow2_get_host_offset`)."""
    s: BDRVQcow2State = bs.opaque
    where = f"(L2 offset: {l2_offset:#x}, L2 index: {hex_of(l2_index)})"
    if entry & OFLAG_ZERO and s.header.version < 3:
        qcow2_signal_corruption(bs, f"Zero cluster entry found in pre-v3 image {where}")
        raise os_error(errno.EIO)
    if (entry & OFFSET_MASK) % s.cluster_size:
        qcow2_signal_corruption(bs, f"Cluster allocation offset {entry & OFFSET_MASK:#x} unaligned {where}")
        raise os_error(errno.EIO)


def l2_allocate(bs: BlockDriverState, l1_index: int) -> int:
    """Where the L2 table of an L1 entry is that only we use: a new one, or a copy of a shared one."""
    s: BDRVQcow2State = bs.opaque
    old = s.l1_table[l1_index]
    if old & OFLAG_COPIED:
        return old & OFFSET_MASK
    table = list(l2_load(bs, old & OFFSET_MASK, l1_index)) if old & OFFSET_MASK else [0] * (1 << s.l2_bits)
    offset = qcow2_alloc_clusters(bs)
    if offset == 0:
        qcow2_signal_corruption(bs, "Preventing invalid allocation of L2 table at offset 0")
        raise os_error(errno.EIO)
    qcow2_pre_write_overlap_check(bs, "", offset, s.cluster_size)
    bdrv_pwrite(bs.below, offset, struct.pack(f">{len(table)}Q", *table))
    s.l2_cache[offset] = table
    s.l1_table[l1_index] = offset | OFLAG_COPIED
    s.short_tables = None
    qcow2_write_l1_entry(bs, l1_index)
    if old & OFFSET_MASK:
        qcow2_free_clusters(bs, old & OFFSET_MASK, s.cluster_size)
    return offset


def qcow2_write_l1_entry(bs: BlockDriverState, l1_index: int) -> None:
    """Write an L1 entry to the file."""
    s: BDRVQcow2State = bs.opaque
    offset = s.header.l1_table_offset + l1_index * 8
    qcow2_pre_write_overlap_check(bs, ACTIVE_L1, offset, 8)
    bdrv_pwrite(bs.below, offset, struct.pack(">Q", s.l1_table[l1_index]))


def set_l2_entry(bs: BlockDriverState, cluster: int, entry: int) -> None:
    """Let the tables say something else of a cluster, and let go of what they said before (QEMU block/qcow2.h)."""
    s: BDRVQcow2State = bs.opaque
    l1_index, l2_index = divmod(cluster, 1 << s.l2_bits)
    offset = l2_allocate(bs, l1_index)
    table = l2_load(bs, offset, l1_index)
    old, table[l2_index] = table[l2_index], entry
    qcow2_pre_write_overlap_check(bs, ACTIVE_L2, offset, s.cluster_size)
    bdrv_pwrite(bs.below, offset + l2_index * 8, struct.pack(">Q", entry))
    if old & OFFSET_MASK != entry & OFFSET_MASK or old & OFLAG_COMPRESSED:
        qcow2_free_any_cluster(bs, old)


def qcow2_free_any_cluster(bs: BlockDriverState, entry: int) -> None:
    """What an entry led to is used by one less (QEMU block/qcow2-refcount.c)."""
    s: BDRVQcow2State = bs.opaque
    if entry & OFLAG_COMPRESSED:
        offset, size = qcow2_parse_compressed_l2_entry(s, entry)
        qcow2_free_clusters(bs, offset, size)
    elif entry & OFFSET_MASK:
        qcow2_free_clusters(bs, entry & OFFSET_MASK, s.cluster_size)


def qcow2_parse_compressed_l2_entry(s: BDRVQcow2State, entry: int) -> tuple[int, int]:
    """Where compressed data are, to the byte, and at most how many: up to the end of a sector."""
    csize_shift = 62 - (s.cluster_bits - 8)
    offset = entry & (1 << csize_shift) - 1
    sectors = (entry >> csize_shift & (1 << s.cluster_bits - 8) - 1) + 1
    return offset, sectors * 512 - (offset & 511)


# ---- data


def read_cluster(bs: BlockDriverState, piece: Piece) -> bytes:
    """The guest's bytes (QEMU `qcow2_co_preadv_task`).  `OSError`."""
    s: BDRVQcow2State = bs.opaque
    entry = l2_entry(bs, piece.cluster)
    if entry & OFLAG_COMPRESSED:
        return read_compressed(bs, entry)[piece.start : piece.start + piece.length]
    if entry & OFLAG_ZERO:
        return b"\0" * piece.length
    if entry & OFFSET_MASK:
        return bdrv_pread(bs.below, (entry & OFFSET_MASK) + piece.start, piece.length)
    if bs.backing is None:
        return b"\0" * piece.length
    return bdrv_pread(bs.backing.bs, (piece.cluster << s.cluster_bits) + piece.start, piece.length)


def read_compressed(bs: BlockDriverState, entry: int) -> bytes:
    """A whole cluster (QEMU `qcow2_co_preadv_compressed`).  `OSError`."""
    s: BDRVQcow2State = bs.opaque
    offset, size = qcow2_parse_compressed_l2_entry(s, entry)
    try:
        data = zlib.decompressobj(-12).decompress(bdrv_pread(bs.below, offset, size), s.cluster_size)
    except zlib.error:
        raise os_error(errno.EIO) from None
    if len(data) != s.cluster_size:
        raise os_error(errno.EIO)
    return data


def write_cluster(bs: BlockDriverState, piece: Piece, data: bytes) -> None:
    """Store the guest's bytes: in place if the cluster is ours alone, else in a new one with all of the old one."""
    s: BDRVQcow2State = bs.opaque
    entry = l2_entry(bs, piece.cluster)
    if entry & OFLAG_COPIED and not entry & (OFLAG_COMPRESSED | OFLAG_ZERO):
        write_data(bs, (entry & OFFSET_MASK) + piece.start, data)
        return
    if piece.length < s.cluster_size:
        whole = bytearray(read_cluster(bs, Piece(piece.cluster, 0, s.cluster_size)))
        whole[piece.start : piece.start + piece.length] = data
        data = bytes(whole)
    offset = qcow2_alloc_clusters(bs)
    write_data(bs, offset, data)
    set_l2_entry(bs, piece.cluster, offset | OFLAG_COPIED)


def write_data(bs: BlockDriverState, offset: int, data: bytes) -> None:
    """Store at a place in the file, if that is not one of a table (QEMU `qcow2_co_pwritev_task`)."""
    qcow2_pre_write_overlap_check(bs, "", offset, len(data))
    bdrv_pwrite(bs.below, offset, data)


def zero_cluster(bs: BlockDriverState, piece: Piece) -> None:
    """Let a cluster be zeroes: a whole one by a flag, where the version has it."""
    s: BDRVQcow2State = bs.opaque
    if piece.length < s.cluster_size or s.header.version < 3:
        write_cluster(bs, piece, b"\0" * piece.length)
    elif l2_entry(bs, piece.cluster) != OFLAG_ZERO:
        set_l2_entry(bs, piece.cluster, OFLAG_ZERO)
