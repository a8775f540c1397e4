"""Which clusters of a qcow2 image's file are in use, and by how many (QEMU block/qcow2-refcount.c).

The *refcount table* points to *refcount blocks*, each a cluster full of counters, one for each cluster of the file.
Every change is written at once, and a counter before what it counts: a crash can lose place, but no data.

"""

from __future__ import annotations

import errno
import struct

from pyqemu_edu.block.block_int import BlockDriverState
from pyqemu_edu.block.io import bdrv_flush, bdrv_pread, bdrv_pwrite, os_error
from pyqemu_edu.block.qcow2_corruption import qcow2_signal_corruption
from pyqemu_edu.block.qcow2_header import MAX_REFTABLE_SIZE, REFT_OFFSET_MASK, BDRVQcow2State
from pyqemu_edu.block.qcow2_overlap import REFCOUNT_BLOCK, qcow2_pre_write_overlap_check
from pyqemu_edu.util.error import error_printf

REFCOUNT_TABLE_OFFSET = 48


def load_refcount_block(bs: BlockDriverState, offset: int, index: int) -> bytearray:
    """A block, from the file the first time.  `OSError`."""
    s: BDRVQcow2State = bs.opaque
    if offset % s.cluster_size:
        qcow2_signal_corruption(bs, f"Refblock offset {offset:#x} unaligned (reftable index: {index:#x})")
        raise os_error(errno.EIO)
    if offset not in s.refblock_cache:
        s.refblock_cache[offset] = bytearray(bdrv_pread(bs.below, offset, s.cluster_size))
    return s.refblock_cache[offset]


def refcount_block_of(bs: BlockDriverState, cluster: int) -> tuple[int, bytearray] | None:
    """The block that counts a cluster, and where it is; None if there is none yet (Not in QEMU)."""
    s: BDRVQcow2State = bs.opaque
    index = cluster // s.refcounts_per_block
    offset = s.refcount_table[index] & REFT_OFFSET_MASK if index < len(s.refcount_table) else 0
    return (offset, load_refcount_block(bs, offset, index)) if offset else None


def counter(s: BDRVQcow2State, cluster: int) -> tuple[slice, int]:
    """Which bytes of its block count a cluster, and how far left in them its counter stands (Not in QEMU)."""
    bit = cluster % s.refcounts_per_block * s.refcount_bits
    return slice(bit // 8, (bit + max(s.refcount_bits, 8)) // 8), bit % 8


def get_refcount(s: BDRVQcow2State, block: bytearray, cluster: int) -> int:
    """What a block counts (QEMU `get_refcount_ro0` ... `get_refcount_ro6`)."""
    place, shift = counter(s, cluster)
    return int.from_bytes(block[place], "big") >> shift & (1 << s.refcount_bits) - 1


def set_refcount(s: BDRVQcow2State, block: bytearray, cluster: int, value: int) -> slice:
    """Let it count something else; which bytes are new (QEMU `set_refcount_ro0` ... `set_refcount_ro6`)."""
    place, shift = counter(s, cluster)
    others = int.from_bytes(block[place], "big") & ~((1 << s.refcount_bits) - 1 << shift)
    block[place] = (others | value << shift).to_bytes(place.stop - place.start, "big")
    return place


def qcow2_get_refcount(bs: BlockDriverState, cluster: int) -> int:
    """How many use the cluster."""
    found = refcount_block_of(bs, cluster)
    return get_refcount(bs.opaque, found[1], cluster) if found else 0


def update_refcount(bs: BlockDriverState, cluster: int, addend: int) -> None:
    """One more or one less uses the cluster.  `OSError`."""
    s: BDRVQcow2State = bs.opaque
    found = refcount_block_of(bs, cluster)
    if found is None:
        raise os_error(errno.EINVAL)
    offset, block = found
    count = get_refcount(s, block, cluster) + addend
    if not 0 <= count < 1 << s.refcount_bits:
        raise os_error(errno.EINVAL)
    changed = set_refcount(s, block, cluster, count)
    qcow2_pre_write_overlap_check(bs, REFCOUNT_BLOCK, offset, s.cluster_size)
    bdrv_pwrite(bs.below, offset + changed.start, bytes(block[changed]))
    if count == 0:
        s.free_cluster_index = min(s.free_cluster_index, cluster)
        s.l2_cache.pop(cluster << s.cluster_bits, None)


def alloc_refcount_block(bs: BlockDriverState, cluster: int) -> None:
    """A block for the counters of a region, at `cluster`, which is the first free one there: it counts itself."""
    s: BDRVQcow2State = bs.opaque
    index = cluster // s.refcounts_per_block
    if index >= len(s.refcount_table):
        qcow2_refcount_area(bs, cluster)
        return
    offset = cluster << s.cluster_bits
    if offset == 0:
        qcow2_signal_corruption(bs, "Preventing invalid allocation of refcount block at offset 0")
        raise os_error(errno.EIO)
    write_refcount_block(bs, cluster, cluster + 1)
    bdrv_pwrite(bs.below, s.header.refcount_table_offset + index * 8, struct.pack(">Q", offset))
    s.refcount_table[index] = offset
    s.short_tables = None


def write_refcount_block(bs: BlockDriverState, cluster: int, end: int) -> None:
    """A new block at `cluster`, which counts the clusters of its own region from there to `end` (Not in QEMU)."""
    s: BDRVQcow2State = bs.opaque
    block = bytearray(s.cluster_size)
    first = cluster - cluster % s.refcounts_per_block
    for used in range(cluster, min(end, first + s.refcounts_per_block)):
        set_refcount(s, block, used, 1)
    offset = cluster << s.cluster_bits
    qcow2_pre_write_overlap_check(bs, "", offset, s.cluster_size)
    bdrv_pwrite(bs.below, offset, bytes(block))
    s.refblock_cache[offset] = block


def qcow2_refcount_area(bs: BlockDriverState, start: int) -> None:
    """The refcount table is full: a larger one at cluster `start`, the first that nothing counts, behind its block.

    Unlike QEMU's, the new table is within the region of that one block; it is used when all of it is written.
    """
    s: BDRVQcow2State = bs.opaque
    entries = len(s.refcount_table) * 3 // 2 + 1
    clusters = -(-entries * 8 // s.cluster_size)
    if clusters * s.cluster_size > MAX_REFTABLE_SIZE or clusters >= s.refcounts_per_block:
        raise os_error(errno.EFBIG)
    table = s.refcount_table + [0] * (clusters * s.cluster_size // 8 - len(s.refcount_table))
    table[start // s.refcounts_per_block] = start << s.cluster_bits
    write_refcount_block(bs, start, start + 1 + clusters)
    offset = start + 1 << s.cluster_bits
    bdrv_pwrite(bs.below, offset, struct.pack(f">{len(table)}Q", *table))
    bdrv_flush(bs.below)
    old_offset, old_size = s.header.refcount_table_offset, len(s.refcount_table) * 8
    bdrv_pwrite(bs.below, REFCOUNT_TABLE_OFFSET, struct.pack(">QI", offset, clusters))
    s.header.refcount_table_offset, s.header.refcount_table_clusters, s.refcount_table = offset, clusters, table
    s.short_tables = None
    qcow2_free_clusters(bs, old_offset, old_size)


def alloc_clusters_noref(bs: BlockDriverState, number: int) -> int:
    """The first of `number` free clusters side by side; they are not counted yet."""
    s: BDRVQcow2State = bs.opaque
    first = s.free_cluster_index
    while True:
        found = refcount_block_of(bs, first)
        if found is None:
            alloc_refcount_block(bs, first)
            first += 1
            continue
        used = next((i for i in range(number) if qcow2_get_refcount(bs, first + i)), None)
        if used is None:
            return first
        first += used + 1


def qcow2_alloc_clusters(bs: BlockDriverState, number: int = 1) -> int:
    """Where `number` clusters are that are yours now, side by side.  `OSError`."""
    s: BDRVQcow2State = bs.opaque
    first = alloc_clusters_noref(bs, number)
    for cluster in range(first, first + number):
        if refcount_block_of(bs, cluster) is None:
            return qcow2_alloc_clusters_behind(bs, cluster, number)
    for cluster in range(first, first + number):
        update_refcount(bs, cluster, 1)
    if number == 1:
        s.free_cluster_index = first + 1
    return first << s.cluster_bits


def qcow2_alloc_clusters_behind(bs: BlockDriverState, cluster: int, number: int) -> int:
    """The same, where the clusters reach into a region without counters: begin behind its new block (Not in QEMU)."""
    alloc_refcount_block(bs, cluster)
    return qcow2_alloc_clusters(bs, number)


def qcow2_free_clusters(bs: BlockDriverState, offset: int, size: int) -> None:
    """The clusters that `size` bytes from `offset` on touch are used by one less; if that fails, they are lost."""
    s: BDRVQcow2State = bs.opaque
    try:
        for cluster in range(offset >> s.cluster_bits, (offset + size - 1 >> s.cluster_bits) + 1):
            update_refcount(bs, cluster, -1)
    except OSError as error:
        error_printf(f"qcow2_free_clusters failed: {error.strerror}\n")
