"""Changing disks and nodes while the machine runs (QEMU blockdev.c, block/qapi-sysemu.c).

Left out: jobs, and with them copies, mirrors, snapshots and commits that run beside the machine.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu_edu.block.block_backend import (
    BlockBackend,
    bdrv_lookup_bs,
    blk_bs,
    blk_by_name,
    blk_get_attached_dev_id,
    blk_insert_bs,
    blk_new,
    blk_remove_bs,
    blk_unref,
)
from pyqemu_edu.block.block_backend import statics as backends
from pyqemu_edu.block.block_backend_io import blk_truncate
from pyqemu_edu.block.block_int import BLK_PERM, BlockDriverState, bdrv_get_device_or_node_name, error_setg_errno
from pyqemu_edu.block.block_int import statics as graph
from pyqemu_edu.block.graph import bdrv_find_node, bdrv_unref
from pyqemu_edu.block.qapi import blk_dev_has_removable_media
from pyqemu_edu.qom.qom_qmp_cmds import DeviceNotFound
from pyqemu_edu.softmmu.blockdev import qmp_blockdev_add
from pyqemu_edu.util.error import QemuError


def blockdev_add(**options: Any) -> None:
    """`blockdev-add` (QEMU `qmp_blockdev_add`)."""
    qmp_blockdev_add(options)


def bdrv_has_blk(bs: BlockDriverState) -> bool:
    """Whether the node is some disk's (QEMU block/block-backend.c)."""
    return any(isinstance(edge.parent, BlockBackend) for edge in bs.parents)


def qmp_blockdev_del(node_name: str) -> None:
    """Close a node that the user made and nobody uses.  `QemuError`."""
    bs = bdrv_find_node(node_name)
    if bs is None:
        raise QemuError(f"Failed to find node with node-name='{node_name}'")
    if bdrv_has_blk(bs):
        raise QemuError(f"Node {node_name} is in use")
    if bs not in graph().monitor_bdrv_states:
        raise QemuError(f"Node {bs.node_name} is not owned by the monitor")
    if bs.refcnt > 1:
        raise QemuError(f"Block device {bdrv_get_device_or_node_name(bs)} is in use")
    graph().monitor_bdrv_states.remove(bs)
    bdrv_unref(bs)


def qmp_block_resize(size: int, device: str | None = None, node_name: str | None = None) -> None:
    """Make an image longer or shorter.  `QemuError`."""
    bs = bdrv_lookup_bs(device, node_name)
    if size < 0:
        raise QemuError("Parameter 'size' expects a >0 size")
    blk = blk_new(BLK_PERM.RESIZE, BLK_PERM.ALL)
    try:
        blk_insert_bs(blk, bs)
        blk_truncate(blk, size)
    except OSError as error:
        raise error_setg_errno(error, "Could not resize file") from None
    finally:
        blk_unref(blk)
    for edge in bs.parents:
        if isinstance(edge.parent, BlockBackend) and edge.parent.dev_ops and edge.parent.dev_ops.resize_cb:
            edge.parent.dev_ops.resize_cb()


# ---- media


def qmp_get_blk(device: str | None, id: str | None) -> BlockBackend:
    """The disk, by its name or by its device's.  `QemuError`."""
    if (device is None) == (id is None):
        raise QemuError("Need exactly one of 'device' and 'id'")
    if device is not None:
        blk = blk_by_name(device)
    else:
        blk = next((blk for blk in backends().block_backends if blk.dev and blk_get_attached_dev_id(blk) == id), None)
    if blk is None:
        raise DeviceNotFound(f"Device '{device or id}' not found")
    return blk


def qmp_eject(device: str | None = None, id: str | None = None, force: bool = False) -> None:
    """Take the image out of a drive, if it can be taken out.  `QemuError`."""
    blk = qmp_get_blk(device, id)
    if not blk_dev_has_removable_media(blk):
        raise QemuError(f"Device '{device or id}' is not removable")
    if blk_bs(blk) is not None:
        blk_remove_bs(blk)


def qmp_blockdev_remove_medium(id: str) -> None:
    """The same; there is no tray to be opened first."""
    qmp_eject(id=id)


def qmp_blockdev_insert_medium(id: str, node_name: str) -> None:
    """Put a node into a drive.  `QemuError`."""
    blk = qmp_get_blk(None, id)
    bs = bdrv_find_node(node_name)
    if bs is None:
        raise QemuError(f"Node '{node_name}' not found")
    if bdrv_has_blk(bs):
        raise QemuError(f"Node '{node_name}' is already in use")
    if not blk_dev_has_removable_media(blk):
        raise QemuError("Device is not removable")
    if blk_bs(blk) is not None:
        raise QemuError("There already is a medium in the device")
    blk_insert_bs(blk, bs)


def qmp_blockdev_open_tray(device: str | None = None, id: str | None = None, force: bool = False) -> None:
    """There is none; of a disk that cannot be changed this is an error."""
    if not blk_dev_has_removable_media(qmp_get_blk(device, id)):
        raise QemuError(f"Device '{device or id}' is not removable")


def qmp_blockdev_close_tray(device: str | None = None, id: str | None = None) -> None:
    """There is none, either."""
    qmp_blockdev_open_tray(device, id)


# ---- what would be a job


def job_on(argument: str, name: str) -> Callable[..., Any]:
    """A command that finds its node and then says that there are no jobs (Not in QEMU)."""

    def refuse(**arguments: Any) -> None:
        bdrv_lookup_bs(arguments.get(argument), arguments.get(argument))
        raise QemuError(f"The command {name} is not supported by this model of QEMU")

    return refuse


JOBS = {
    "block-stream": "device",
    "blockdev-backup": "device",
    "blockdev-mirror": "device",
    "blockdev-snapshot": "node",
    "blockdev-snapshot-delete-internal-sync": "device",
    "blockdev-snapshot-internal-sync": "device",
    "change-backing-file": "device",
    "drive-backup": "device",
    "drive-mirror": "device",
    "nbd-server-add": "device",
}
"""Commands, and which argument names the node."""


def commands_about_blocks() -> dict[str, Callable[..., Any]]:
    """QMP's commands by name."""
    return {name: job_on(argument, name) for name, argument in JOBS.items()} | {
        "block_resize": lambda **a: qmp_block_resize(a["size"], a.get("device"), a.get("node_name")),
        "blockdev-add": blockdev_add,
        "blockdev-close-tray": qmp_blockdev_close_tray,
        "blockdev-del": lambda **a: qmp_blockdev_del(a["node_name"]),
        "blockdev-insert-medium": lambda **a: qmp_blockdev_insert_medium(a["id"], a["node_name"]),
        "blockdev-open-tray": qmp_blockdev_open_tray,
        "blockdev-remove-medium": qmp_blockdev_remove_medium,
        "eject": qmp_eject,
    }
