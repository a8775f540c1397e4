"""What QMP says of disks and nodes (QEMU block/qapi.c)."""

from __future__ import annotations

from contextlib import suppress
from time import perf_counter_ns
from typing import Any

from pyqemu_edu.block.accounting import KINDS, BlockAcctStats
from pyqemu_edu.block.block_backend import BlockBackend, blk_bs, blk_get_attached_dev_id
from pyqemu_edu.block.block_backend import statics as backends
from pyqemu_edu.block.block_int import BDRV_O, BlockDriverState, bdrv_is_read_only, error_setg_errno
from pyqemu_edu.block.block_int import statics as graph
from pyqemu_edu.block.filename import bdrv_get_full_backing_filename, bdrv_refresh_filename
from pyqemu_edu.block.io import bdrv_get_allocated_file_size, bdrv_getlength
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict

THROTTLING = ("bps", "bps_rd", "bps_wr", "iops", "iops_rd", "iops_wr")

# ---- images


def bdrv_query_image_info(bs: BlockDriverState) -> QDict:
    """The image alone.  `QemuError`."""
    assert bs.drv
    try:
        size = bdrv_getlength(bs)
    except OSError as error:
        raise error_setg_errno(error, f"Can't get image size '{bs.exact_filename}'") from None
    bdrv_refresh_filename(bs)
    info: QDict = {"filename": bs.filename, "format": bs.drv.format_name, "virtual-size": size}
    with suppress(OSError):
        info["actual-size"] = bdrv_get_allocated_file_size(bs)
    return info | driver_info(bs) | backing_info(bs)


def driver_info(bs: BlockDriverState) -> QDict:
    """What the driver adds: a filter asks the node below (QEMU `bdrv_get_info`, `bdrv_get_specific_info`)."""
    assert bs.drv
    if bs.drv.get_info:
        return bs.drv.get_info(bs)
    return driver_info(bs.below) if bs.file and not bs.drv.file_open else {}


def backing_info(bs: BlockDriverState) -> QDict:
    """What the image says that it stands on (in QEMU `bdrv_query_image_info`)."""
    if not bs.backing_file:
        return {}
    info = {"backing-filename": bs.backing_file}
    with suppress(QemuError):
        info["full-backing-filename"] = bdrv_get_full_backing_filename(bs)
    return info | ({"backing-filename-format": bs.backing_format} if bs.backing_format else {})


def filter_or_cow_bs(bs: BlockDriverState) -> BlockDriverState | None:
    """What a node stands on (QEMU block.c `bdrv_filter_or_cow_bs`; filters are left out)."""
    return bs.backing.bs if bs.backing else None


def image_chain(bs: BlockDriverState, flat: bool) -> tuple[QDict, int]:
    """The image, in it the one that it stands on, and so on; and how many (in QEMU `bdrv_block_device_info`)."""
    info = bdrv_query_image_info(bs)
    below = filter_or_cow_bs(bs)
    if flat or below is None:
        return info, 0
    info["backing-image"], depth = image_chain(below, flat)
    return info, depth + 1


def bdrv_block_device_info(blk: BlockBackend | None, bs: BlockDriverState, flat: bool) -> QDict:
    """A node, seen from its disk if there is one.  `QemuError`."""
    if bs.drv is None:
        raise QemuError(f"Block device {bs.node_name} is ejected")
    bdrv_refresh_filename(bs)
    image, depth = image_chain(bs, flat)
    info: QDict = {
        "file": bs.filename,
        "node-name": bs.node_name,
        "ro": bdrv_is_read_only(bs),
        "drv": bs.drv.format_name,
        "encrypted": bs.encrypted,
        "detect_zeroes": bs.detect_zeroes,
        "write_threshold": 0,
        "image": image,
        "backing_file_depth": depth,
        "cache": {
            "writeback": blk.enable_write_cache if blk else True,
            "direct": bool(bs.open_flags & BDRV_O.NOCACHE),
            "no-flush": bool(bs.open_flags & BDRV_O.NO_FLUSH),
        },
    }
    below = filter_or_cow_bs(bs)
    return info | dict.fromkeys(THROTTLING, 0) | ({"backing_file": below.filename} if below else {})


# ---- disks


def visible_disks() -> list[BlockBackend]:
    """The disks that have a name or a device (in QEMU a loop)."""
    return [blk for blk in backends().block_backends if blk.name or blk.dev is not None]


def blk_dev_has_removable_media(blk: BlockBackend) -> bool:
    """Whether the medium can be changed: no device here has a tray or a slot (QEMU block/block-backend.c)."""
    return blk.dev is None or bool(blk.dev_ops and blk.dev_ops.is_removable)


def bdrv_query_info(blk: BlockBackend) -> QDict:
    """A disk.  `QemuError`."""
    info: QDict = {
        "device": blk.name,
        "type": "unknown",
        "locked": False,
        "removable": blk_dev_has_removable_media(blk),
    }
    if qdev := blk_get_attached_dev_id(blk):
        info["qdev"] = qdev
    if blk.iostatus_enabled:
        info["io-status"] = blk.iostatus
    bs = blk_bs(blk)
    if bs is not None and bs.drv is not None:
        info["inserted"] = bdrv_block_device_info(blk, bs, False)
    return info


def qmp_query_block() -> list[QDict]:
    """All disks."""
    return [bdrv_query_info(blk) for blk in visible_disks()]


def qmp_query_named_block_nodes(flat: bool = False) -> list[QDict]:
    """All nodes, the newest first (QEMU blockdev.c, block.c `bdrv_named_nodes_list`)."""
    return [bdrv_block_device_info(None, bs, flat) for bs in reversed(graph().graph_bdrv_states)]


# ---- statistics


def bdrv_query_blk_stats(stats: BlockAcctStats) -> QDict:
    """The counters of a disk."""
    result: QDict = {"account_invalid": stats.account_invalid, "account_failed": stats.account_failed}
    for kind in KINDS:
        result[f"{kind}_operations"] = stats.nr_ops[kind]
        result[f"{kind}_total_time_ns"] = stats.total_time_ns[kind]
        result[f"failed_{kind}_operations"] = stats.failed_ops[kind]
        result[f"invalid_{kind}_operations"] = stats.invalid_ops[kind]
    for kind in ("rd", "wr", "unmap"):
        result[f"{kind}_bytes"] = stats.nr_bytes[kind]
        result[f"{kind}_merged"] = stats.merged[kind]
    if stats.last_access_time_ns:
        result["idle_time_ns"] = perf_counter_ns() - stats.last_access_time_ns
    return result | {"timed_stats": []}


NODE_STATS = BlockAcctStats(account_invalid=False, account_failed=False)
"""A node counts nothing itself."""


def bdrv_query_bds_stats(bs: BlockDriverState | None, blk_level: bool) -> QDict:
    """How far a node was written, and the same of those below it."""
    s: QDict = {"stats": bdrv_query_blk_stats(NODE_STATS) | {"wr_highest_offset": 0}}
    if bs is None:
        return s
    assert bs.drv
    s["node-name"] = bs.node_name
    s["stats"]["wr_highest_offset"] = bs.wr_highest_offset
    if bs.drv.format_name in ("file", "host_device"):
        discards = {"discard-nb-ok": 0, "discard-nb-failed": 0, "discard-bytes-ok": 0}
        s["driver-specific"] = {"driver": bs.drv.format_name, **discards}
    if bs.file is not None:
        s["parent"] = bdrv_query_bds_stats(bs.below, blk_level)
    if blk_level and (below := filter_or_cow_bs(bs)):
        s["backing"] = bdrv_query_bds_stats(below, blk_level)
    return s


def qmp_query_blockstats(**arguments: Any) -> list[QDict]:
    """The counters of all disks, or with `query-nodes` those of all nodes."""
    if arguments.get("query-nodes"):
        return [bdrv_query_bds_stats(bs, False) for bs in graph().graph_bdrv_states]
    return [disk_stats(blk) for blk in visible_disks()]


def disk_stats(blk: BlockBackend) -> QDict:
    """The counters of one (in QEMU `qmp_query_blockstats`)."""
    s = bdrv_query_bds_stats(blk_bs(blk), True) | {"device": blk.name}
    if qdev := blk_get_attached_dev_id(blk):
        s["qdev"] = qdev
    s["stats"] |= bdrv_query_blk_stats(blk.stats)
    return s
