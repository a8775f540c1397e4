"""What disk devices of all kinds let the user say of their disk (QEMU hw/block/block.c, include/hw/block/block.h)."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from pyqemu_edu.block.block_backend import BlockBackend, blk_set_perm
from pyqemu_edu.block.block_backend_io import blk_getlength, blk_pread
from pyqemu_edu.block.block_int import BDRV_SECTOR_SIZE, BLK_PERM, error_setg_errno
from pyqemu_edu.hw.block.hd_geometry import hd_geometry_guess
from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_BOOL,
    DEFINE_PROP_ON_OFF_AUTO,
    DEFINE_PROP_SIZE32,
    DEFINE_PROP_UINT32,
)
from pyqemu_edu.hw.core.qdev_properties_block import (
    BLOCKDEV_ON_ERROR,
    DEFINE_PROP_BLOCKDEV_ON_ERROR,
    DEFINE_PROP_BLOCKSIZE,
    DEFINE_PROP_DRIVE,
)
from pyqemu_edu.hw.core.qdev_property_types import ON_OFF_AUTO, Property
from pyqemu_edu.util.error import QemuError

UNSET_GRANULARITY = 0xFFFFFFFF


@dataclass(eq=False)
class BlockConf:
    """The disk, the sizes of its blocks, its geometry, and what happens on errors; words are kept as their number."""

    blk: BlockBackend | None = None
    backend_defaults: int = 0
    physical_block_size: int = 0
    logical_block_size: int = 0
    min_io_size: int = 0
    opt_io_size: int = 0
    bootindex: int = -1
    discard_granularity: int = 0
    cyls: int = 0
    heads: int = 0
    secs: int = 0
    lcyls: int = 0
    lheads: int = 0
    lsecs: int = 0
    wce: int = 0
    share_rw: bool = False
    account_invalid: int = 0
    account_failed: int = 0
    rerror: int = 0
    werror: int = 0

    @property
    def disk(self) -> BlockBackend:
        """The disk of a device that has been realized (Not in QEMU)."""
        assert self.blk is not None
        return self.blk


def get_physical_block_exp(conf: BlockConf) -> int:
    """How often the logical size doubles to the physical one."""
    exp, size = 0, conf.physical_block_size
    while size > conf.logical_block_size:
        exp, size = exp + 1, size >> 1
    return exp


def blkconf_blocksizes(conf: BlockConf) -> None:
    """Sizes that nobody named are a sector's; `QemuError` for those that do not go together.

    Left out: what the host's own disks say of themselves.
    """
    conf.physical_block_size = conf.physical_block_size or BDRV_SECTOR_SIZE
    conf.logical_block_size = conf.logical_block_size or BDRV_SECTOR_SIZE
    if conf.logical_block_size > conf.physical_block_size:
        raise QemuError("logical_block_size > physical_block_size not supported")
    if conf.min_io_size % conf.logical_block_size:
        raise QemuError("min_io_size must be a multiple of logical_block_size")
    if conf.min_io_size // conf.logical_block_size > 0xFFFF:
        raise QemuError(f"min_io_size must not exceed {0xFFFF} logical blocks")
    if conf.opt_io_size % conf.logical_block_size:
        raise QemuError("opt_io_size must be a multiple of logical_block_size")
    if conf.discard_granularity != UNSET_GRANULARITY and conf.discard_granularity % conf.logical_block_size:
        raise QemuError("discard_granularity must be a multiple of logical_block_size")


def blkconf_apply_backend_options(conf: BlockConf, readonly: bool, resizable: bool) -> None:
    """Ask for the rights that the device needs, and tell the disk what the user wants.  `QemuError`."""
    blk = conf.disk
    perm, shared_perm = BLK_PERM.CONSISTENT_READ, BLK_PERM.CONSISTENT_READ | BLK_PERM.WRITE_UNCHANGED
    if not readonly:
        perm |= BLK_PERM.WRITE
    if resizable:
        shared_perm |= BLK_PERM.RESIZE
    if conf.share_rw:
        shared_perm |= BLK_PERM.WRITE
    blk_set_perm(blk, perm, shared_perm)
    blk.enable_write_cache = on_off(conf.wce, blk.enable_write_cache)
    blk.stats.account_invalid = on_off(conf.account_invalid, blk.stats.account_invalid)
    blk.stats.account_failed = on_off(conf.account_failed, blk.stats.account_failed)
    if BLOCKDEV_ON_ERROR[conf.rerror] != "auto":
        blk.on_read_error = BLOCKDEV_ON_ERROR[conf.rerror]
    if BLOCKDEV_ON_ERROR[conf.werror] != "auto":
        blk.on_write_error = BLOCKDEV_ON_ERROR[conf.werror]


def on_off(value: int, otherwise: bool) -> bool:
    """On or off, or as it is (in QEMU written out)."""
    return otherwise if ON_OFF_AUTO[value] == "auto" else ON_OFF_AUTO[value] == "on"


def blkconf_geometry(conf: BlockConf, cyls_max: int, heads_max: int, secs_max: int) -> None:
    """Cylinders, heads and sectors: as named, within limits, else guessed.  `QemuError`."""
    if not conf.cyls and not conf.heads and not conf.secs:
        conf.cyls, conf.heads, conf.secs = hd_geometry_guess(conf.disk)
    for name, limit in (("cyls", cyls_max), ("heads", heads_max), ("secs", secs_max)):
        if not 1 <= getattr(conf, name) <= limit:
            raise QemuError(f"{name} must be between 1 and {limit}")


# ---- as properties


def DEFINE_BLOCK_PROPERTIES(conf: str) -> Iterable[Property]:
    """The disk and its sizes; `conf` is the field that holds a `BlockConf`."""
    return (
        DEFINE_PROP_DRIVE("drive", f"{conf}.blk"),
        DEFINE_PROP_ON_OFF_AUTO("backend_defaults", f"{conf}.backend_defaults", "auto"),
        DEFINE_PROP_BLOCKSIZE("logical_block_size", f"{conf}.logical_block_size"),
        DEFINE_PROP_BLOCKSIZE("physical_block_size", f"{conf}.physical_block_size"),
        DEFINE_PROP_SIZE32("min_io_size", f"{conf}.min_io_size", 0),
        DEFINE_PROP_SIZE32("opt_io_size", f"{conf}.opt_io_size", 0),
        DEFINE_PROP_SIZE32("discard_granularity", f"{conf}.discard_granularity", UNSET_GRANULARITY),
        DEFINE_PROP_ON_OFF_AUTO("write-cache", f"{conf}.wce", "auto"),
        DEFINE_PROP_BOOL("share-rw", f"{conf}.share_rw", False),
        DEFINE_PROP_ON_OFF_AUTO("account-invalid", f"{conf}.account_invalid", "auto"),
        DEFINE_PROP_ON_OFF_AUTO("account-failed", f"{conf}.account_failed", "auto"),
    )


def DEFINE_BLOCK_ERROR_PROPERTIES(conf: str) -> Iterable[Property]:
    """What happens on errors."""
    return (
        DEFINE_PROP_BLOCKDEV_ON_ERROR("rerror", f"{conf}.rerror", "auto"),
        DEFINE_PROP_BLOCKDEV_ON_ERROR("werror", f"{conf}.werror", "auto"),
    )


def DEFINE_BLOCK_CHS_PROPERTIES(conf: str) -> Iterable[Property]:
    """The geometry, and the one that firmware is told."""
    names = ("cyls", "heads", "secs", "lcyls", "lheads", "lsecs")
    return tuple(DEFINE_PROP_UINT32(name, f"{conf}.{name}", 0) for name in names)


def blk_check_size_and_read_all(blk: BlockBackend, size: int) -> bytes:
    """All of a disk that must be exactly so large; for memory that begins with what is on a disk.  `QemuError`."""
    try:
        blk_len = blk_getlength(blk)
    except OSError as error:
        raise error_setg_errno(error, "can't get size of block backend") from None
    if blk_len != size:
        raise QemuError(f"device requires {size} bytes, block backend provides {blk_len} bytes")
    try:
        return blk_pread(blk, 0, size)
    except OSError as error:
        raise error_setg_errno(error, "can't read block backend") from None
