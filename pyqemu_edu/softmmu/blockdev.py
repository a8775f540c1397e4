"""`-drive`, in QEMU's old words, and what they mean to the block layer (QEMU blockdev.c).

    -drive file=disk.img,if=virtio    a disk "virtio0" with an image in it, and a -device for the guest to see it
    -drive if=pflash,unit=0,...       a disk that the board looks for itself

Left out: throttling, whose options are read, and intervals of statistics.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.block.block_backend import (
    BlockBackend,
    blk_all,
    blk_bs,
    blk_new,
    blk_unref,
    monitor_add_blk,
    monitor_remove_blk,
)
from pyqemu_edu.block.block_int import BDRV_O, BLK_PERM, NO_FLAGS, NO_PERM, BlockDriverState
from pyqemu_edu.block.graph import bdrv_iterate_format, bdrv_set_monitor_owned
from pyqemu_edu.block.open import bdrv_open, blk_new_open
from pyqemu_edu.block.options import (
    AIO_MODES,
    AUTO_READ_ONLY,
    CACHE_DIRECT,
    CACHE_MODES,
    CACHE_NO_FLUSH,
    READ_ONLY,
    qapi_enum_parse,
)
from pyqemu_edu.block.qdict import absorb, get_try_str, qdict_extract_subqdict, qdict_flatten
from pyqemu_edu.process import current_process
from pyqemu_edu.qapi.qobject_visitor import qobject_input_visitor_new_str
from pyqemu_edu.qapi.visit import visit_type
from pyqemu_edu.softmmu.globals import BlockdevOption
from pyqemu_edu.softmmu.globals import statics as vl
from pyqemu_edu.softmmu.option_lists import statics as option_lists
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.cutils import is_help_option
from pyqemu_edu.util.error import QemuError, QemuExit, cur_loc, error_report, loc_push, warn_report
from pyqemu_edu.util.option import (
    QemuOpts,
    qemu_opt_find,
    qemu_opt_get,
    qemu_opt_get_bool,
    qemu_opt_get_number,
    qemu_opt_set,
    qemu_opt_set_bool,
    qemu_opt_set_number,
    qemu_opt_unset,
    qemu_opts_create,
    qemu_opts_to_qdict,
)
from pyqemu_edu.util.option_parse import qemu_opts_parse_noisily
from pyqemu_edu.util.qdict import QDict, qdict_entries

IF_NAME = ("none", "ide", "scsi", "floppy", "pflash", "mtd", "sd", "virtio", "xen")

IF_MAX_DEVS = {"ide": 2, "scsi": 7}
"""How many drives share a bus of that kind."""

OPT_RENAMES = {
    "iops": "throttling.iops-total",
    "iops_rd": "throttling.iops-read",
    "iops_wr": "throttling.iops-write",
    "bps": "throttling.bps-total",
    "bps_rd": "throttling.bps-read",
    "bps_wr": "throttling.bps-write",
    "iops_max": "throttling.iops-total-max",
    "iops_rd_max": "throttling.iops-read-max",
    "iops_wr_max": "throttling.iops-write-max",
    "bps_max": "throttling.bps-total-max",
    "bps_rd_max": "throttling.bps-read-max",
    "bps_wr_max": "throttling.bps-write-max",
    "iops_size": "throttling.iops-size",
    "group": "throttling.group",
    "readonly": READ_ONLY,
}
"""Old names of options."""

WITH_ERROR_ACTIONS = ("ide", "scsi", "virtio", "none")


@dataclass(eq=False)
class DriveInfo:
    """Where a drive would like to be attached (QEMU include/sysemu/blockdev.h)."""

    type: str
    bus: int
    unit: int
    opts: QemuOpts
    media_cd: bool = False
    is_default: bool = False
    auto_del: bool = False


# ---- who has which


def drives() -> list[tuple[BlockBackend, DriveInfo]]:
    """The disks that `-drive` made (Not in QEMU: loops over `blk_next`)."""
    return [(blk, blk.legacy_dinfo) for blk in blk_all() if blk.legacy_dinfo]


def drive_get(type: str, bus: int, unit: int) -> BlockBackend | None:
    """The disk at that place; C gives its `DriveInfo`, and `blk_by_legacy_dinfo` the disk."""
    return next((blk for blk, info in drives() if (info.type, info.bus, info.unit) == (type, bus, unit)), None)


def drive_check_orphaned() -> None:
    """Complain about drives that the board should have taken and did not."""
    orphans = [
        info
        for blk, info in drives()
        if not info.is_default and info.type not in ("virtio", "none") and blk.dev is None
    ]
    for info in orphans:
        with loc_push(info.opts.loc):
            error_report(f"machine type does not support if={info.type},bus={info.bus},unit={info.unit}")
    if orphans:
        raise QemuExit(1)


def blockdev_mark_auto_del(blk: BlockBackend) -> None:
    """The disk of a device that is unplugged goes with it, if `-drive` made it."""
    if blk.legacy_dinfo:
        blk.legacy_dinfo.auto_del = True


def blockdev_auto_del(blk: BlockBackend) -> None:
    """The device is gone."""
    if blk.legacy_dinfo and blk.legacy_dinfo.auto_del:
        monitor_remove_blk(blk)
        blk_unref(blk)


# ---- -drive


def drive_new(all_opts: QemuOpts, block_default_type: str) -> DriveInfo:
    """Make the disk that one `-drive` describes.  `QemuError`."""
    for old, new in OPT_RENAMES.items():
        qemu_opt_rename(all_opts, old, new)
    drive_cache(all_opts)
    bs_opts = qemu_opts_to_qdict(all_opts)
    legacy = absorb("drive", option_lists().lists["qemu_legacy_drive_opts"].desc, bs_opts)
    media = drive_media(legacy)
    drive_access(legacy, bs_opts, media == "cdrom")
    type = drive_type(legacy, block_default_type)
    bus, unit = drive_address(legacy, type)
    if all_opts.id is None:
        bs_opts["id"] = drive_id(type, media, bus, unit)
    if type == "virtio":
        add_virtio_blk(bs_opts["id"])
    drive_error_actions(legacy, type, bs_opts)
    blk = blockdev_init(qemu_opt_get(legacy, "file"), bs_opts)
    blk.legacy_dinfo = DriveInfo(type, bus, unit, all_opts, media == "cdrom" and type in ("ide", "scsi", "xen", "none"))
    return blk.legacy_dinfo


def qemu_opt_rename(opts: QemuOpts, old: str, new: str) -> None:
    """Give an option its new name; one of both names at once is an error."""
    if qemu_opt_find(opts, old) and qemu_opt_find(opts, new):
        raise QemuError(f"'{new}' and its alias '{old}' can't be used at the same time")
    while (value := qemu_opt_get(opts, old)) is not None:
        qemu_opt_set(opts, new, value)
        qemu_opt_unset(opts, old)


def drive_cache(all_opts: QemuOpts) -> None:
    """`cache=` stands for three switches, unless they are given (in QEMU `drive_new`)."""
    value = qemu_opt_get(all_opts, "cache")
    if value is None:
        return
    if value not in CACHE_MODES:
        raise QemuError("invalid cache option")
    flags, writethrough = CACHE_MODES[value]
    switches = {
        "cache.writeback": not writethrough,
        CACHE_DIRECT: bool(flags & BDRV_O.NOCACHE),
        CACHE_NO_FLUSH: bool(flags & BDRV_O.NO_FLUSH),
    }
    for name, on in switches.items():
        if not qemu_opt_get(all_opts, name):
            qemu_opt_set_bool(all_opts, name, on)
    qemu_opt_unset(all_opts, "cache")


def drive_media(legacy: QemuOpts) -> str:
    """`disk` or `cdrom` (in QEMU `drive_new`)."""
    media = qemu_opt_get(legacy, "media") or "disk"
    if media not in ("disk", "cdrom"):
        raise QemuError(f"'{media}' invalid media")
    return media


def drive_access(legacy: QemuOpts, bs_opts: QDict, read_only: bool) -> None:
    """Read only, or not (in QEMU `drive_new`)."""
    read_only = qemu_opt_get_bool(legacy, READ_ONLY, False) or read_only
    copy_on_read = qemu_opt_get_bool(legacy, "copy-on-read", False)
    if read_only and copy_on_read:
        warn_report("disabling copy-on-read on read-only drive")
        copy_on_read = False
    bs_opts[READ_ONLY] = "on" if read_only else "off"
    bs_opts["copy-on-read"] = "on" if copy_on_read else "off"


def drive_type(legacy: QemuOpts, default: str) -> str:
    """What kind of bus (in QEMU `drive_new`)."""
    value = qemu_opt_get(legacy, "if")
    if value is not None and value not in IF_NAME:
        raise QemuError(f"unsupported bus type '{value}'")
    return value or default


def drive_address(legacy: QemuOpts, type: str) -> tuple[int, int]:
    """The bus and unit that are named, or the first free ones (in QEMU `drive_new`)."""
    bus, unit, index = (
        as_int(qemu_opt_get_number(legacy, *each)) for each in (("bus", 0), ("unit", -1), ("index", -1))
    )
    max_devs = IF_MAX_DEVS.get(type, 0)
    if index != -1:
        if bus != 0 or unit != -1:
            raise QemuError("index cannot be used with bus and unit")
        bus, unit = divmod(index, max_devs) if max_devs else (0, index)
    if unit == -1:
        bus, unit = first_free(type, bus, max_devs)
    if max_devs and unit >= max_devs:
        raise QemuError(f"unit {unit} too big (max is {max_devs - 1})")
    if drive_get(type, bus, unit):
        raise QemuError(f"drive with bus={bus}, unit={unit} (index={index}) exists")
    return bus, unit


def as_int(number: int) -> int:
    """C keeps the low 32 bits, with a sign (Not in QEMU)."""
    return (number + (1 << 31)) % (1 << 32) - (1 << 31)


def first_free(type: str, bus: int, max_devs: int) -> tuple[int, int]:
    """The first place from a bus on where there is no drive (in QEMU `drive_new`)."""
    unit = 0
    while drive_get(type, bus, unit):
        unit += 1
        if max_devs and unit >= max_devs:
            bus, unit = bus + 1, unit - max_devs
    return bus, unit


def drive_id(type: str, media: str, bus: int, unit: int) -> str:
    """A name for a drive that has none, such as `ide0-hd1` or `virtio0` (in QEMU `drive_new`)."""
    kind = {"disk": "-hd", "cdrom": "-cd"}[media] if type in ("ide", "scsi") else ""
    return f"{type}{bus if type in IF_MAX_DEVS else ''}{kind}{unit}"


def add_virtio_blk(id: str) -> None:
    """`if=virtio` is a `-device`, too (in QEMU `drive_new`)."""
    device = qemu_opts_create(qemu_find_opts("device"), None)
    qemu_opt_set(device, "driver", "virtio-blk")
    qemu_opt_set(device, "drive", id)


def drive_error_actions(legacy: QemuOpts, type: str, bs_opts: QDict) -> None:
    """Not every device can be told what to do when a request fails (in QEMU `drive_new`)."""
    for name in ("werror", "rerror"):
        action = qemu_opt_get(legacy, name)
        if action is not None:
            if type not in WITH_ERROR_ACTIONS:
                raise QemuError(f"{name} is not supported by this bus type")
            bs_opts[name] = action


# ---- a disk and its image


def blockdev_init(file: str | None, bs_opts: QDict) -> BlockBackend:
    """A disk with a name, and the image that the options describe, if they do.  `QemuError`."""
    common = option_lists().lists["qemu_common_drive_opts"]
    opts = qemu_opts_create(common, bs_opts.get("id"), True)
    try:
        opts.head += absorb("drive", common.desc, bs_opts).head
        id = bs_opts.pop("id", "")
        parse_stats_intervals(bs_opts)
        flags = extract_common_blockdev_options(opts)
        drive_format(opts, bs_opts)
        on_write_error = parse_block_error_action(qemu_opt_get(opts, "werror") or "enospc", is_read=False)
        on_read_error = parse_block_error_action(qemu_opt_get(opts, "rerror") or "report", is_read=True)
        blk = blockdev_open(file, bs_opts, flags, opts)
        blk.enable_write_cache = qemu_opt_get_bool(opts, "cache.writeback", True)
        blk.on_read_error, blk.on_write_error = on_read_error, on_write_error
        try:
            monitor_add_blk(blk, id)
        except QemuError:
            blk_unref(blk)
            raise
    finally:
        common.head.remove(opts)
    return blk


def parse_stats_intervals(bs_opts: QDict) -> None:
    """Check the lengths of intervals, for which nothing is kept.  `QemuError`."""
    intervals = qdict_extract_subqdict(bs_opts, "stats-intervals.")
    for key, value in qdict_entries(intervals):
        if not key.isdigit() or int(key) >= len(intervals):
            raise QemuError(f"Invalid option stats-intervals.{key}")
        if not str(value).isdigit() or not 0 < int(value) < 1 << 32:
            raise QemuError(f"Invalid interval length: {value}")


def extract_common_blockdev_options(opts: QemuOpts) -> BDRV_O:
    """Options that are flags.  `QemuError`."""
    flags = BDRV_O.COPY_ON_READ if qemu_opt_get_bool(opts, "copy-on-read", False) else NO_FLAGS
    aio = qemu_opt_get(opts, "aio") or "threads"
    if aio not in AIO_MODES:
        raise QemuError("invalid aio option")
    qapi_enum_parse(qemu_opt_get(opts, "detect-zeroes"), ("off", "on", "unmap"), "off")
    snapshot = BDRV_O.SNAPSHOT if qemu_opt_get_bool(opts, "snapshot", False) else NO_FLAGS
    return flags | AIO_MODES[aio] | snapshot


def drive_format(opts: QemuOpts, bs_opts: QDict) -> None:
    """`format=` is an old name for `driver=` (in QEMU `blockdev_init`)."""
    format = qemu_opt_get(opts, "format")
    if format is None:
        return
    if is_help_option(format):
        names = "".join(f" {name}" for name in bdrv_iterate_format())
        current_process().stdout.write(f"Supported formats:{names}\nSupported formats (read-only):{names}\n")
        raise QemuExit(0)
    if "driver" in bs_opts:
        raise QemuError("Cannot specify both 'driver' and 'format'")
    bs_opts["driver"] = format


def parse_block_error_action(action: str, *, is_read: bool) -> str:
    """What to do when a request fails."""
    if action not in ("ignore", "stop", "report") and (is_read or action != "enospc"):
        raise QemuError(f"'{action}' invalid {'read' if is_read else 'write'} error action")
    return action


def blockdev_open(file: str | None, bs_opts: QDict, flags: BDRV_O, opts: QemuOpts) -> BlockBackend:
    """Open the image, or make an empty drive if there is nothing to open (in QEMU `blockdev_init`)."""
    read_only = qemu_opt_get_bool(opts, READ_ONLY, False)
    detect_zeroes = qemu_opt_get(opts, "detect-zeroes") or "off"
    if not file and not bs_opts:
        blk = blk_new(NO_PERM, BLK_PERM.ALL)
        blk.root_state.open_flags = flags | (NO_FLAGS if read_only else BDRV_O.RDWR)
        blk.root_state.detect_zeroes = detect_zeroes
        return blk
    defaults = {CACHE_DIRECT: "off", CACHE_NO_FLUSH: "off", READ_ONLY: "on" if read_only else "off"}
    for name, value in (defaults | {AUTO_READ_ONLY: "on"}).items():
        bs_opts.setdefault(name, value)
    blk = blk_new_open(file or None, bs_opts, flags)
    bs = blk_bs(blk)
    assert bs
    bs.detect_zeroes = detect_zeroes
    return blk


# ---- -blockdev, and the start


def blockdev_option_parse(argument: str) -> BlockdevOption:
    """`-blockdev`: checked against QAPI's description, and queued (in QEMU `qemu_init`)."""
    v = qobject_input_visitor_new_str(argument, "driver")
    option = BlockdevOption(visit_type(v, None, "BlockdevOptions"), cur_loc())
    vl().blockdev_opts.append(option)
    return option


def qmp_blockdev_add(options: QDict) -> None:
    """Open a node that the user can name.  `QemuError`."""
    qdict = qdict_flatten(options)
    if not get_try_str(qdict, "node-name"):
        raise QemuError("'node-name' must be specified for the root node")
    bdrv_set_monitor_owned(bds_tree_init(qdict))


def bds_tree_init(bs_opts: QDict) -> BlockDriverState:
    """A node as the options describe it; what they leave open is "off"."""
    return bdrv_open(None, dict.fromkeys((CACHE_DIRECT, CACHE_NO_FLUSH, READ_ONLY), "off") | bs_opts)


def drive_add(type: str | None, index: int, file: str | None, optstr: str) -> QemuOpts:
    """Turn a short form into a `-drive`."""
    opts = qemu_opts_parse_noisily(qemu_find_opts("drive"), optstr, False)
    if opts is None:
        raise QemuExit(1)
    if type is not None:
        qemu_opt_set(opts, "if", type)
    if index >= 0:
        qemu_opt_set_number(opts, "index", index)
    if file is not None:
        qemu_opt_set(opts, "file", file)
    return opts
