"""The drives that the command line asks for, and those that there always are (QEMU softmmu/vl.c)."""

from __future__ import annotations

from pyqemu_edu.softmmu.blockdev import IF_MAX_DEVS, drive_add, drive_get, drive_new, qmp_blockdev_add
from pyqemu_edu.softmmu.globals import statics as vl
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.error import error_fatal, loc_push
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opt_set, qemu_opts_foreach


def configure_blockdev(block_default_type: str) -> None:
    """Open the images that were asked for, and make the drives that there always are."""
    for option in vl().blockdev_opts:
        with loc_push(option.loc), error_fatal():
            qmp_blockdev_add(option.options)
    if vl().snapshot:
        qemu_opts_foreach(qemu_find_opts("drive"), drive_enable_snapshot)
    qemu_opts_foreach(qemu_find_opts("drive"), lambda opts: drive_init_func(opts, block_default_type))
    default_drive(vl().default.cdrom, block_default_type, 2, "media=cdrom")
    default_drive(vl().default.floppy, "floppy", 0, "")
    default_drive(vl().default.sdcard, "sd", 0, "")


def drive_enable_snapshot(opts: QemuOpts) -> None:
    """`-snapshot` holds for every drive that does not say itself."""
    if qemu_opt_get(opts, "snapshot") is None:
        qemu_opt_set(opts, "snapshot", "on")


def drive_init_func(opts: QemuOpts, block_default_type: str) -> None:
    """Make the disk of one `-drive`."""
    with error_fatal():
        drive_new(opts, block_default_type)


def default_drive(enable: bool, type: str, index: int, optstr: str) -> None:
    """An empty drive, unless somebody is in its place or does not want it."""
    max_devs = IF_MAX_DEVS.get(type, 0)
    if not enable or drive_get(type, *(divmod(index, max_devs) if max_devs else (0, index))):
        return
    opts = drive_add(type, index, None, optstr)
    if vl().snapshot:
        drive_enable_snapshot(opts)
    drive_new(opts, type).is_default = True
