"""Which clusters of a qcow2 image's file are in use, and by how many (QEMU block/qcow2-refcount.c).

The *refcount table* points to *refcount blocks*, each a cluster full of counters, one for each cluster of the file.
Every change is written at once, and a counter before what it counts: a crash can lose place, but no data.

Left out: a refcount table that is full does not grow, and counters of less than 8 bits are only read.
"""

from __future__ import annotations

import errno
import struct

from pyqemu_edu.block.block_int import BlockDriverState
from pyqemu_edu.block.io import bdrv_pread, bdrv_pwrite, os_error
from pyqemu_edu.block.qcow2_corruption import qcow2_signal_corruption
from pyqemu_edu.block.qcow2_header import BDRVQcow2State

REFT_OFFSET_MASK = 0xFFFFFFFFFFFFFE00


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


def qcow2_get_refcount(bs: BlockDriverState, cluster: int) -> int:
    """How many use the cluster."""
    s: BDRVQcow2State = bs.opaque
    found = refcount_block_of(bs, cluster)
    if found is None:
        return 0
    bit = cluster % s.refcounts_per_block * s.refcount_bits
    if s.refcount_bits < 8:
        return found[1][bit // 8] >> bit % 8 & (1 << s.refcount_bits) - 1
    return int.from_bytes(found[1][bit // 8 : (bit + s.refcount_bits) // 8], "big")


def update_refcount(bs: BlockDriverState, cluster: int, addend: int) -> None:
    """One more or one less uses the cluster.  `OSError`."""
    s: BDRVQcow2State = bs.opaque
    found = refcount_block_of(bs, cluster)
    if found is None or s.refcount_bits < 8:
        raise os_error(errno.ENOTSUP if found else errno.EINVAL)
    count = qcow2_get_refcount(bs, cluster) + addend
    if not 0 <= count < 1 << s.refcount_bits:
        raise os_error(errno.EINVAL)
    offset, block = found
    size = s.refcount_bits // 8
    at = cluster % s.refcounts_per_block * size
    block[at : at + size] = count.to_bytes(size, "big")
    bdrv_pwrite(bs.below, offset + at, bytes(block[at : at + size]))
    if count == 0:
        s.free_cluster_index = min(s.free_cluster_index, cluster)
        s.l2_cache.pop(cluster << s.cluster_bits, None)


def alloc_refcount_block(bs: BlockDriverState, cluster: int) -> None:
    """A block for the counters of a region, at `cluster`, which is the first free one there: it counts itself."""
    s: BDRVQcow2State = bs.opaque
    index = cluster // s.refcounts_per_block
    if index >= len(s.refcount_table):
        raise os_error(errno.EFBIG)
    offset = cluster << s.cluster_bits
    block = bytearray(s.cluster_size)
    size = s.refcount_bits // 8
    at = cluster % s.refcounts_per_block * size
    block[at : at + size] = (1).to_bytes(size, "big")
    bdrv_pwrite(bs.below, offset, bytes(block))
    bdrv_pwrite(bs.below, s.header.refcount_table_offset + index * 8, struct.pack(">Q", offset))
    s.refblock_cache[offset] = block
    s.refcount_table[index] = offset


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
    if s.refcount_bits < 8:
        raise os_error(errno.ENOTSUP)
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
    """The clusters that `size` bytes from `offset` on touch are used by one less."""
    s: BDRVQcow2State = bs.opaque
    for cluster in range(offset >> s.cluster_bits, (offset + size - 1 >> s.cluster_bits) + 1):
        update_refcount(bs, cluster, -1)
