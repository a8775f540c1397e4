"""The first bytes of a qcow2 image: how large, where the tables are, what it stands on (QEMU block/qcow2.c).

Left out: encrypted images, an external data file, subclusters and compression by zstd are refused; an image that was
not closed (`lazy_refcounts`) is read only.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING

from pyqemu_edu.block.block_int import BDRV_O, BlockDriverState
from pyqemu_edu.block.io import bdrv_pread
from pyqemu_edu.util.error import QemuError, error_printf, warn_report

if TYPE_CHECKING:
    from pyqemu_edu.block.qcow2_snapshot import QCowSnapshot

QCOW_MAGIC = 0x514649FB
MIN_CLUSTER_BITS, MAX_CLUSTER_BITS = 9, 21
HEADER = ">IIQIIQIIQQIIQ"
HEADER_V3 = ">QQQIIB7x"
HEADER_SIZE = struct.calcsize(HEADER) + struct.calcsize(HEADER_V3)

INCOMPAT_DIRTY, INCOMPAT_CORRUPT, INCOMPAT_DATA_FILE, INCOMPAT_COMPRESSION, INCOMPAT_EXTL2 = (1 << i for i in range(5))
INCOMPATIBLE_OFFSET = 72
AUTOCLEAR_OFFSET = 88

AUTOCLEAR_BITMAPS, AUTOCLEAR_DATA_FILE_RAW = 1, 2
QCOW_CRYPT_AES, QCOW_CRYPT_LUKS = 1, 2
EXT_END, EXT_BACKING_FORMAT, EXT_CRYPTO_HEADER, EXT_BITMAPS = 0, 0xE2792ACA, 0x0537BE77, 0x23852875

L1E_OFFSET_MASK, REFT_OFFSET_MASK = 0x00FFFFFFFFFFFE00, 0xFFFFFFFFFFFFFE00

SNAPSHOT_HEADER = ">QIHHIIQII"
SNAPSHOT_HEADER_SIZE = struct.calcsize(SNAPSHOT_HEADER)
MAX_REFTABLE_SIZE, MAX_L1_SIZE, MAX_SNAPSHOT_TABLE = 8 << 20, 32 << 20, 65536 * SNAPSHOT_HEADER_SIZE

REFUSED = {
    INCOMPAT_DATA_FILE: "external data file",
    INCOMPAT_EXTL2: "extended L2 entries",
}
"""Features that QEMU has and we have not, in the words of its table of features."""


@dataclass(eq=False)
class QCowHeader:
    """The header; fields behind `snapshots_offset` are those of version 3, with what version 2 means."""

    magic: int = QCOW_MAGIC
    version: int = 3
    backing_file_offset: int = 0
    backing_file_size: int = 0
    cluster_bits: int = 16
    size: int = 0
    crypt_method: int = 0
    l1_size: int = 0
    l1_table_offset: int = 0
    refcount_table_offset: int = 0
    refcount_table_clusters: int = 0
    nb_snapshots: int = 0
    snapshots_offset: int = 0
    incompatible_features: int = 0
    compatible_features: int = 0
    autoclear_features: int = 0
    refcount_order: int = 4
    header_length: int = 72
    compression_type: int = 0

    def pack(self) -> bytes:
        """The bytes of a header of version 3."""
        values = [getattr(self, each.name) for each in fields(self)]
        return struct.pack(HEADER, *values[:13]) + struct.pack(HEADER_V3, *values[13:])


@dataclass(eq=False)
class BDRVQcow2State:
    """An opened image: the tables that are always in memory, and those of the others that were used."""

    header: QCowHeader
    cluster_bits: int
    l1_table: list[int] = field(default_factory=list)
    refcount_table: list[int] = field(default_factory=list)
    l2_cache: dict[int, list[int]] = field(default_factory=dict)
    refblock_cache: dict[int, bytearray] = field(default_factory=dict)
    snapshots: list[QCowSnapshot] = field(default_factory=list)
    snapshots_size: int = 0
    short_tables: dict[int, list[str]] | None = None
    free_cluster_index: int = 0
    signaled_corruption: bool = False

    @property
    def cluster_size(self) -> int:
        return 1 << self.cluster_bits

    @property
    def l2_bits(self) -> int:
        """How many bits of a guest's address choose an entry of an L2 table."""
        return self.cluster_bits - 3

    @property
    def refcount_bits(self) -> int:
        return 1 << self.header.refcount_order

    @property
    def refcounts_per_block(self) -> int:
        return self.cluster_size * 8 // self.refcount_bits


def read_header(file: BlockDriverState) -> QCowHeader:
    """The header, as far as it says the version and the sizes (in QEMU `qcow2_do_open`).  `QemuError`."""
    data = bdrv_pread(file, 0, HEADER_SIZE)
    header = QCowHeader(*struct.unpack_from(HEADER, data))
    if header.magic != QCOW_MAGIC:
        raise QemuError("Image is not in qcow2 format")
    if header.version not in (2, 3):
        raise QemuError(f"Unsupported qcow2 version {header.version}")
    if not MIN_CLUSTER_BITS <= header.cluster_bits <= MAX_CLUSTER_BITS:
        raise QemuError(f"Unsupported cluster size: 2^{header.cluster_bits}")
    if header.version == 3:
        header = QCowHeader(*struct.unpack_from(HEADER, data), *struct.unpack_from(HEADER_V3, data, 72))
        if header.header_length < 104:
            raise QemuError("qcow2 header too short")
        if header.header_length <= 104:
            header.compression_type = 0
    if header.header_length > 1 << header.cluster_bits:
        raise QemuError("qcow2 header exceeds cluster size")
    if header.backing_file_offset > 1 << header.cluster_bits:
        raise QemuError("Invalid backing file offset")
    return header


def check_features(header: QCowHeader, flags: BDRV_O) -> None:
    """`QemuError` about what the image needs and this driver cannot (in QEMU `qcow2_do_open`)."""
    compressed_otherwise = bool(header.incompatible_features & INCOMPAT_COMPRESSION)
    if header.compression_type > 1:
        raise QemuError(f"qcow2: unknown compression type: {header.compression_type}")
    if compressed_otherwise != bool(header.compression_type):
        needed = "must be set" if header.compression_type else "must not be set"
        raise QemuError(f"qcow2: Compression type incompatible feature bit {needed}")
    if compressed_otherwise:
        raise QemuError("qcow2: compression by zstd is not supported by this model of QEMU")
    known = INCOMPAT_DIRTY | INCOMPAT_CORRUPT | INCOMPAT_DATA_FILE | INCOMPAT_COMPRESSION | INCOMPAT_EXTL2
    if unknown := header.incompatible_features & ~known:
        raise QemuError(f"Unsupported qcow2 feature(s): Unknown incompatible feature: {unknown:x}")
    if header.incompatible_features & INCOMPAT_CORRUPT and flags & BDRV_O.RDWR:
        raise QemuError("qcow2: Image is corrupt; cannot be opened read/write")
    if header.incompatible_features & INCOMPAT_EXTL2 and header.cluster_bits < 14:
        raise QemuError(f"Unsupported subcluster size: {1 << header.cluster_bits - 5}")
    if header.refcount_order > 6:
        raise QemuError("Reference count entry width too large; may not exceed 64 bits")
    check_encryption(header)
    refused = [name for bit, name in REFUSED.items() if header.incompatible_features & bit]
    if header.incompatible_features & INCOMPAT_DIRTY and flags & BDRV_O.RDWR:
        refused.append("repair of an image that was not closed")
    if refused:
        raise QemuError(f"qcow2: {', '.join(refused)}: not supported by this model of QEMU")


def check_encryption(header: QCowHeader) -> None:
    """`QemuError` about a way to encrypt that QEMU does not know or not want any more (in QEMU `qcow2_do_open`)."""
    if header.crypt_method == QCOW_CRYPT_AES:
        raise QemuError(
            "Use of AES-CBC encrypted qcow2 images is no longer supported in system emulators",
            "You can use 'qemu-img convert' to convert your image to an alternative supported format, such as"
            " unencrypted qcow2, or raw with the LUKS format instead.\n",
        )
    if header.crypt_method > QCOW_CRYPT_LUKS:
        raise QemuError(f"Unsupported encryption method {header.crypt_method}")


def check_tables(header: QCowHeader) -> None:
    """`QemuError` about tables that are nowhere or too large (in QEMU `qcow2_do_open`)."""
    cluster_size = 1 << header.cluster_bits
    if not header.refcount_table_clusters:
        raise QemuError("Image does not contain a reference count table")
    h = header
    for name, offset, entries, entry_len, limit in (
        ("Reference count table", h.refcount_table_offset, h.refcount_table_clusters, cluster_size, MAX_REFTABLE_SIZE),
        ("Snapshot table", h.snapshots_offset, h.nb_snapshots, SNAPSHOT_HEADER_SIZE, MAX_SNAPSHOT_TABLE),
        ("Active L1 table", h.l1_table_offset, h.l1_size, 8, MAX_L1_SIZE),
    ):
        qcow2_validate_table(cluster_size, offset, entries, entry_len, limit, name)
    needed = size_to_l1(header.cluster_bits, header.size)
    if needed > 0x7FFFFFFF:
        raise QemuError("Image is too big")
    if header.l1_size < needed:
        raise QemuError("L1 table is too small")


def qcow2_validate_table(cluster_size: int, offset: int, entries: int, entry_len: int, limit: int, name: str) -> None:
    """`QemuError` about one table."""
    if entries > limit // entry_len:
        raise QemuError(f"{name} too large")
    if offset + entries * entry_len >= 1 << 63 or offset % cluster_size:
        raise QemuError(f"{name} offset invalid")


def size_to_l1(cluster_bits: int, size: int) -> int:
    """How many L1 entries a disk of that size takes (QEMU block/qcow2.h)."""
    covered = 1 << 2 * cluster_bits - 3
    return -(-size // covered)


def qcow2_read_extensions(file: BlockDriverState, header: QCowHeader) -> str:
    """The backing file's format, which an extension of the header names; most others are passed over.  `QemuError`."""
    backing_format = ""
    offset = header.header_length
    end = header.backing_file_offset or 1 << header.cluster_bits
    while offset < end:
        magic, length = struct.unpack(">II", bdrv_pread(file, offset, 8))
        offset += 8
        if offset > end or length > end - offset:
            raise QemuError("Header extension too large")
        if magic == EXT_END:
            break
        if magic == EXT_BACKING_FORMAT:
            if length >= 16:
                raise QemuError(f"ERROR: ext_backing_format: len={length} too large (>=16)")
            backing_format = bdrv_pread(file, offset, length).decode(errors="replace")
        elif magic == EXT_CRYPTO_HEADER:
            refuse_crypto_header(header)
        elif magic == EXT_BITMAPS and not header.autoclear_features & AUTOCLEAR_BITMAPS:
            warn_of_bitmaps(header)
        offset += length + 7 & ~7
    if header.crypt_method == QCOW_CRYPT_LUKS:
        raise QemuError(f"Missing CRYPTO header for crypt method {header.crypt_method}")
    if header.autoclear_features & AUTOCLEAR_DATA_FILE_RAW:
        raise QemuError("data-file-raw requires a data file")
    return backing_format


def refuse_crypto_header(header: QCowHeader) -> None:
    """`QemuError`: there is no key to an encrypted image, as `encrypt.key-secret` is no option of ours."""
    if header.crypt_method != QCOW_CRYPT_LUKS:
        raise QemuError("CRYPTO header extension only expected with LUKS encryption method")
    raise QemuError("Parameter 'encrypt.key-secret' is required for cipher")


def warn_of_bitmaps(header: QCowHeader) -> None:
    """Somebody who knew no bitmaps has written to the image, perhaps we (in QEMU `qcow2_read_extensions`)."""
    if header.version < 3:
        warn_report(
            "This qcow2 v2 image contains bitmaps, but they may have been modified by a program without persistent"
            " bitmap support; so now they must all be considered inconsistent"
        )
    else:
        warn_report(
            "a program lacking bitmap support modified this file, so all bitmaps are now considered inconsistent"
        )
    error_printf("Some clusters may be leaked, run 'qemu-img check -r' on the image file to fix.")


def read_backing_file_name(file: BlockDriverState, header: QCowHeader) -> str:
    """What the image stands on, as it says itself (in QEMU `qcow2_do_open`).  `QemuError`."""
    if not header.backing_file_offset:
        return ""
    if header.backing_file_size > min(1023, (1 << header.cluster_bits) - header.backing_file_offset):
        raise QemuError("Backing file name too long")
    name = bdrv_pread(file, header.backing_file_offset, header.backing_file_size)
    return name.partition(b"\0")[0].decode(errors="surrogateescape")
