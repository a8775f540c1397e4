"""The format `qcow2`: an image that takes place only for what was written (QEMU block/qcow2.c).

It may stand on another image, its *backing file*, which is read where nothing was written and stays as it is.

Left out: snapshots inside an image can be there and are not touched, but not made or used; caches have no limit and
their options are read and not used; an image does not become smaller.
"""

from __future__ import annotations

import errno
import struct

from pyqemu_edu.block.block_int import (
    BDRV_CHILD,
    BDRV_O,
    BDRV_SECTOR_SIZE,
    BlockDriver,
    BlockDriverState,
    bdrv_is_read_only,
    bdrv_register,
    error_setg_errno,
)
from pyqemu_edu.block.graph import bdrv_unref
from pyqemu_edu.block.io import bdrv_flush, bdrv_pread, bdrv_pwrite, os_error
from pyqemu_edu.block.open import bdrv_open, bdrv_open_child
from pyqemu_edu.block.qcow2_cluster import pieces, read_cluster, write_cluster, zero_cluster
from pyqemu_edu.block.qcow2_header import (
    AUTOCLEAR_OFFSET,
    HEADER_SIZE,
    INCOMPAT_CORRUPT,
    QCOW_MAGIC,
    BDRVQcow2State,
    QCowHeader,
    check_features,
    check_tables,
    qcow2_read_extensions,
    read_backing_file_name,
    read_header,
    size_to_l1,
)
from pyqemu_edu.block.qcow2_refcount import qcow2_alloc_clusters, qcow2_free_clusters
from pyqemu_edu.block.qcow2_snapshot import qcow2_read_snapshots
from pyqemu_edu.block.qdict import absorb
from pyqemu_edu.util.module import block_init
from pyqemu_edu.util.option import QemuOptDesc, QemuOptType
from pyqemu_edu.util.qdict import QDict

qcow2_runtime_opts = (
    QemuOptDesc("lazy-refcounts", QemuOptType.BOOL),
    QemuOptDesc("pass-discard-request", QemuOptType.BOOL),
    QemuOptDesc("pass-discard-snapshot", QemuOptType.BOOL),
    QemuOptDesc("pass-discard-other", QemuOptType.BOOL),
    QemuOptDesc("overlap-check"),
    QemuOptDesc("overlap-check.template"),
    QemuOptDesc("cache-size", QemuOptType.SIZE),
    QemuOptDesc("l2-cache-size", QemuOptType.SIZE),
    QemuOptDesc("l2-cache-entry-size", QemuOptType.SIZE),
    QemuOptDesc("refcount-cache-size", QemuOptType.SIZE),
    QemuOptDesc("cache-clean-interval", QemuOptType.NUMBER),
)

# ---- opening


def qcow2_open(bs: BlockDriverState, options: QDict, flags: BDRV_O) -> None:
    """Open the file, and read header and tables.  `QemuError`."""
    bdrv_open_child(options, "file", bs, BDRV_CHILD.IMAGE)
    try:
        header = read_header(bs.below)
    except OSError as error:
        raise error_setg_errno(error, "Could not read qcow2 header") from None
    check_features(header, flags)
    check_tables(header)
    s = bs.opaque = BDRVQcow2State(header, header.cluster_bits)
    s.l1_table = read_table(bs, header.l1_table_offset, header.l1_size)
    s.refcount_table = read_table(
        bs, header.refcount_table_offset, header.refcount_table_clusters << header.cluster_bits - 3
    )
    absorb("qcow2", qcow2_runtime_opts, options)
    bs.backing_format = qcow2_read_extensions(bs.below, header)
    bs.backing_file = bs.auto_backing_file = read_backing_file_name(bs.below, header)
    s.snapshots, s.snapshots_size = qcow2_read_snapshots(bs.below, header)
    if header.autoclear_features and not bdrv_is_read_only(bs):
        bdrv_pwrite(bs.below, AUTOCLEAR_OFFSET, bytes(8))


def read_table(bs: BlockDriverState, offset: int, entries: int) -> list[int]:
    """A table of 64-bit entries (Not in QEMU)."""
    return list(struct.unpack(f">{entries}Q", bdrv_pread(bs.below, offset, entries * 8)))


def qcow2_probe(buf: bytes) -> int:
    """Recognise an image by its magic number and version."""
    magic, version = struct.unpack_from(">II", buf)
    return 100 if magic == QCOW_MAGIC and version >= 2 else 0


# ---- requests


def qcow2_pread(bs: BlockDriverState, offset: int, bytes: int) -> bytes:
    """Read, cluster by cluster (QEMU `qcow2_co_preadv_part`)."""
    return b"".join(read_cluster(bs, piece) for piece in pieces(bs.opaque, offset, bytes))


def qcow2_pwrite(bs: BlockDriverState, offset: int, data: bytes) -> None:
    """Write, cluster by cluster (QEMU `qcow2_co_pwritev_part`)."""
    done = 0
    for piece in pieces(bs.opaque, offset, len(data)):
        write_cluster(bs, piece, data[done : done + piece.length])
        done += piece.length


def qcow2_pwrite_zeroes(bs: BlockDriverState, offset: int, bytes: int, may_unmap: bool) -> None:
    """Zeroes; the place of whole clusters is free again (QEMU `qcow2_co_pwrite_zeroes`)."""
    for piece in pieces(bs.opaque, offset, bytes):
        zero_cluster(bs, piece)


def qcow2_pdiscard(bs: BlockDriverState, offset: int, bytes: int) -> None:
    """Free whole clusters; what only touches one is left alone (QEMU `qcow2_co_pdiscard`)."""
    s: BDRVQcow2State = bs.opaque
    for piece in pieces(s, offset, bytes):
        if piece.length == s.cluster_size:
            zero_cluster(bs, piece)


def qcow2_getlength(bs: BlockDriverState) -> int:
    """The disk's size in whole sectors, which is not that of the file (in QEMU part of `qcow2_do_open`)."""
    size: int = bs.opaque.header.size
    return size & -BDRV_SECTOR_SIZE


def qcow2_get_info(bs: BlockDriverState) -> QDict:
    """What QMP says of such images (QEMU `qcow2_get_info`, `qcow2_get_specific_info`)."""
    header: QCowHeader = bs.opaque.header
    data: QDict = {"compat": "0.10" if header.version < 3 else "1.1", "compression-type": "zlib"}
    if header.version >= 3:
        data["lazy-refcounts"] = bool(header.compatible_features & 1)
    data["refcount-bits"] = bs.opaque.refcount_bits
    if header.version >= 3:
        data["corrupt"] = bool(header.incompatible_features & INCOMPAT_CORRUPT)
        data["extended-l2"] = False
    specific = {"type": "qcow2", "data": data}
    return {"cluster-size": bs.opaque.cluster_size, "dirty-flag": False, "format-specific": specific}


# ---- making


def qcow2_truncate(bs: BlockDriverState, offset: int) -> None:
    """Make the disk larger (QEMU `qcow2_co_truncate`).  `OSError`."""
    s: BDRVQcow2State = bs.opaque
    if offset % 512:
        raise os_error(errno.EINVAL)
    if offset < s.header.size:
        raise os_error(errno.ENOTSUP)
    qcow2_grow_l1_table(bs, size_to_l1(s.cluster_bits, offset))
    s.header.size = offset
    bdrv_pwrite(bs.below, 24, struct.pack(">Q", offset))


def qcow2_grow_l1_table(bs: BlockDriverState, min_size: int) -> None:
    """An L1 table with at least so many entries (QEMU block/qcow2-cluster.c)."""
    s: BDRVQcow2State = bs.opaque
    if min_size <= len(s.l1_table):
        return
    old_offset, old_size = s.header.l1_table_offset, len(s.l1_table) * 8
    s.l1_table += [0] * (min_size - len(s.l1_table))
    offset = qcow2_alloc_clusters(bs, -(-min_size * 8 // s.cluster_size))
    bdrv_pwrite(bs.below, offset, struct.pack(f">{min_size}Q", *s.l1_table))
    bdrv_pwrite(bs.below, 36, struct.pack(">IQ", min_size, offset))
    s.header.l1_size, s.header.l1_table_offset = min_size, offset
    if old_size:
        qcow2_free_clusters(bs, old_offset, old_size)


def qcow2_create(filename: str, size: int) -> None:
    """Make a file an image without data: a header, a refcount table, a refcount block (QEMU `qcow2_co_create`)."""
    header = QCowHeader(refcount_table_offset=1 << 16, refcount_table_clusters=1, header_length=HEADER_SIZE)
    with open(filename, "wb") as file:
        file.write(header.pack().ljust(1 << 16, b"\0"))
        file.write(struct.pack(">Q", 2 << 16).ljust(1 << 16, b"\0"))
        file.write(struct.pack(">HHH", 1, 1, 1).ljust(1 << 16, b"\0"))
    node = bdrv_open(None, {"driver": "file", "filename": filename}, BDRV_O.RDWR)
    try:
        for step in (lambda bs: qcow2_truncate(bs, size), bdrv_flush):
            bs = bdrv_open(None, {"driver": "qcow2", "file": node.node_name}, BDRV_O.RDWR)
            step(bs)
            bdrv_unref(bs)
    finally:
        bdrv_unref(node)


bdrv_qcow2 = BlockDriver(
    "qcow2",
    qcow2_open,
    qcow2_pread,
    qcow2_pwrite,
    qcow2_getlength,
    is_format=True,
    supports_backing=True,
    pwrite_zeroes=qcow2_pwrite_zeroes,
    pdiscard=qcow2_pdiscard,
    truncate=qcow2_truncate,
    probe=qcow2_probe,
    create=qcow2_create,
    get_info=qcow2_get_info,
    strong_runtime_opts=("encrypt.key-secret",),
)


def bdrv_qcow2_init() -> None:
    """Register it."""
    bdrv_register(bdrv_qcow2)


block_init(bdrv_qcow2_init)
