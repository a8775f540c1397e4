"""`-drive` as far as it can go without block devices: checked, opened, and nobody to use it (QEMU blockdev.c).

Left out: image formats, caches, and every device that a drive could be attached to.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.globals import statics as vl
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.error import QemuError, QemuExit, error_fatal, error_report, loc_push
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opt_set, qemu_opts_foreach

IF_NAME = ("none", "ide", "scsi", "floppy", "pflash", "mtd", "sd", "virtio", "xen")

# How many drives share a bus of that kind.
IF_MAX_DEVS = {"ide": 2, "scsi": 7}


@dataclass(eq=False)
class DriveInfo:
    """A drive, and where it would like to be attached."""

    type: str
    bus: int
    unit: int
    opts: QemuOpts


class Statics:
    def __init__(self) -> None:
        self.drives: list[DriveInfo] = []


statics = per_process(Statics)


def configure_blockdev() -> None:
    """Open the drives that were asked for (QEMU softmmu/vl.c)."""
    drives = qemu_find_opts("drive")
    if vl().snapshot:
        qemu_opts_foreach(drives, drive_enable_snapshot)
    qemu_opts_foreach(drives, drive_new)


def drive_enable_snapshot(opts: QemuOpts) -> None:
    """`-snapshot` holds for every drive that does not say itself (QEMU softmmu/vl.c)."""
    if qemu_opt_get(opts, "snapshot") is None:
        qemu_opt_set(opts, "snapshot", "on")


def drive_new(opts: QemuOpts) -> None:
    """Check one `-drive` and open its file."""
    with error_fatal():
        media = qemu_opt_get(opts, "media")
        if media not in (None, "disk", "cdrom"):
            raise QemuError(f"'{media}' invalid media")
        type = qemu_opt_get(opts, "if") or "ide"
        if type not in IF_NAME:
            raise QemuError(f"unsupported bus type '{type}'")
        bus, unit = drive_address(opts, type)
        blockdev_init(opts)
    statics().drives.append(DriveInfo(type, bus, unit, opts))


def drive_address(opts: QemuOpts, type: str) -> tuple[int, int]:
    """The bus and unit that are named, or the first free ones (Not in QEMU)."""
    max_devs = IF_MAX_DEVS.get(type, 1 << 32)
    index = qemu_opt_get(opts, "index")
    if index is not None:
        return divmod(int(index), max_devs)
    taken = {(drive.bus, drive.unit) for drive in statics().drives if drive.type == type}
    bus, unit = int(qemu_opt_get(opts, "bus") or 0), int(qemu_opt_get(opts, "unit") or 0)
    while (bus, unit) in taken:
        bus, unit = (bus, unit + 1) if unit + 1 < max_devs else (bus + 1, 0)
    return bus, unit


def blockdev_init(opts: QemuOpts) -> None:
    """Open the image."""
    file = qemu_opt_get(opts, "file")
    described = any(opt.name in ("driver", "format") or opt.name.startswith("file.") for opt in opts)
    if not file and not described and any(opt.name not in ("if", "media", "index", "bus", "unit") for opt in opts):
        raise QemuError("Must specify either driver or file")
    if file:
        try:
            open(file, "rb").close()
        except OSError as error:
            raise QemuError(f"Could not open '{file}': {error.strerror}") from error


def drive_check_orphaned() -> None:
    """Complain about drives that no device uses, unless that is normal for their kind."""
    orphans = [drive for drive in statics().drives if drive.type not in ("virtio", "none")]
    for drive in orphans:
        with loc_push(drive.opts.loc):
            error_report(f"machine type does not support if={drive.type},bus={drive.bus},unit={drive.unit}")
    if orphans:
        raise QemuExit(1)
