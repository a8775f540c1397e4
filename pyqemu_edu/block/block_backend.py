"""A disk as devices see it, with an image in it or without (QEMU block/block-backend.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyqemu_edu.block.accounting import BlockAcctStats
from pyqemu_edu.block.block_int import (
    BDRV_O,
    BLK_PERM,
    NO_FLAGS,
    NO_PERM,
    BdrvChild,
    BlockDriverState,
    bdrv_is_read_only,
)
from pyqemu_edu.block.block_int import statics as graph
from pyqemu_edu.block.graph import (
    bdrv_find_node,
    bdrv_ref,
    bdrv_root_attach_child,
    bdrv_root_unref_child,
    bdrv_unref,
)
from pyqemu_edu.block.permissions import bdrv_child_try_set_perm
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.path import object_get_canonical_path
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.id import id_wellformed

if TYPE_CHECKING:
    from pyqemu_edu.softmmu.blockdev import DriveInfo


@dataclass(eq=False)
class BlockDevOps:
    """What a device wants to be told of its disk (QEMU include/sysemu/block-backend-common.h)."""

    resize_cb: Callable[[], None] | None = None
    is_removable: bool = False


@dataclass(eq=False)
class BlockBackendRootState:
    """How an image would be opened that is put into an empty drive."""

    open_flags: BDRV_O = NO_FLAGS
    detect_zeroes: str = "off"


@dataclass(eq=False)
class BlockBackend:
    """A disk: `root` leads to its image, `dev` is the device that uses it."""

    perm: BLK_PERM
    shared_perm: BLK_PERM
    name: str = ""
    refcnt: int = 1
    root: BdrvChild | None = None
    legacy_dinfo: DriveInfo | None = None
    dev: Any = None
    dev_ops: BlockDevOps | None = None
    enable_write_cache: bool = True
    on_read_error: str = "report"
    on_write_error: str = "enospc"
    iostatus_enabled: bool = False
    iostatus: str = "ok"
    stats: BlockAcctStats = field(default_factory=BlockAcctStats)
    root_state: BlockBackendRootState = field(default_factory=BlockBackendRootState)

    def parent_desc(self) -> str:
        """A disk as a node's parent (QEMU `blk_root_get_parent_desc`)."""
        who = self.name or blk_get_attached_dev_id(self)
        return f"block device '{who}'" if who else "an unnamed block device"


class Statics:
    """All disks, and those that have names, oldest first."""

    def __init__(self) -> None:
        self.block_backends: list[BlockBackend] = []
        self.monitor_block_backends: list[BlockBackend] = []


statics = per_process(Statics)


# ---- life and names


def blk_new(perm: BLK_PERM, shared_perm: BLK_PERM) -> BlockBackend:
    """An empty disk."""
    blk = BlockBackend(perm, shared_perm)
    statics().block_backends.append(blk)
    return blk


def blk_ref(blk: BlockBackend) -> None:
    """Count one more user of the backend."""
    blk.refcnt += 1


def blk_unref(blk: BlockBackend | None) -> None:
    """One user less; without any it is gone, and its image closed."""
    if blk is None:
        return
    blk.refcnt -= 1
    if blk.refcnt == 0:
        blk_delete(blk)


def blk_delete(blk: BlockBackend) -> None:
    """Forget the disk."""
    assert not blk.name
    assert blk.dev is None
    if blk.root is not None:
        blk_remove_bs(blk)
    statics().block_backends.remove(blk)


def monitor_add_blk(blk: BlockBackend, name: str) -> None:
    """Give a disk its name.  `QemuError` if it is taken or none."""
    if not id_wellformed(name):
        raise QemuError("Invalid device name")
    if blk_by_name(name):
        raise QemuError(f"Device with id '{name}' already exists")
    if bdrv_find_node(name):
        raise QemuError(f"Device name '{name}' conflicts with an existing node name")
    blk.name = name
    statics().monitor_block_backends.append(blk)


def monitor_remove_blk(blk: BlockBackend) -> None:
    """Take a disk's name away."""
    if blk.name:
        statics().monitor_block_backends.remove(blk)
        blk.name = ""


def blk_all() -> list[BlockBackend]:
    """All disks with names (QEMU `blk_next`)."""
    return list(statics().monitor_block_backends)


def blk_by_name(name: str) -> BlockBackend | None:
    """The disk of that name, or None."""
    return next((blk for blk in statics().monitor_block_backends if blk.name == name), None)


# ---- its image


def blk_bs(blk: BlockBackend) -> BlockDriverState | None:
    """The image's topmost node; None in an empty drive."""
    return blk.root.bs if blk.root else None


def blk_insert_bs(blk: BlockBackend, bs: BlockDriverState) -> None:
    """Put an image in.  `QemuError` if rights collide."""
    bdrv_ref(bs)
    blk.root = bdrv_root_attach_child(blk, bs, blk.perm, blk.shared_perm)


def blk_remove_bs(blk: BlockBackend) -> None:
    """Take the image out."""
    assert blk.root
    root, blk.root = blk.root, None
    blk_update_root_state(blk, root.bs)
    bdrv_root_unref_child(root)


def blk_update_root_state(blk: BlockBackend, bs: BlockDriverState) -> None:
    """Remember how the image was opened, for the next one."""
    blk.root_state.open_flags = bs.open_flags
    blk.root_state.detect_zeroes = bs.detect_zeroes


def blk_set_perm(blk: BlockBackend, perm: BLK_PERM, shared_perm: BLK_PERM) -> None:
    """Want other rights.  `QemuError` if they collide with somebody's."""
    if blk.root is not None:
        bdrv_child_try_set_perm(blk.root, perm, shared_perm)
    blk.perm, blk.shared_perm = perm, shared_perm


def blk_supports_write_perm(blk: BlockBackend) -> bool:
    """Whether a device could write."""
    bs = blk_bs(blk)
    return not bdrv_is_read_only(bs) if bs else bool(blk.root_state.open_flags & BDRV_O.RDWR)


def blk_is_writable(blk: BlockBackend) -> bool:
    """Whether the device asked for the right to write."""
    return bool(blk.perm & BLK_PERM.WRITE)


def blk_is_inserted(blk: BlockBackend) -> bool:
    """Whether there is an image."""
    bs = blk_bs(blk)
    return bs is not None and bs.drv is not None


def bdrv_lookup_bs(device: str | None, node_name: str | None) -> BlockDriverState:
    """The image of a disk, or a node, by name (QEMU block.c).  `QemuError`."""
    if device is not None and (blk := blk_by_name(device)):
        bs = blk_bs(blk)
        if bs is None:
            raise QemuError(f"Device '{device}' has no medium")
        return bs
    if node_name is not None and (node := bdrv_find_node(node_name)):
        return node
    raise QemuError(f"Cannot find device='{device or ''}' nor node-name='{node_name or ''}'")


def bdrv_close_all() -> None:
    """Take all images out and close them (QEMU block.c, block/block-backend.c `blk_remove_all_bs`, blockdev.c)."""
    for blk in statics().block_backends:
        if blk.root is not None:
            blk_remove_bs(blk)
    monitor_owned = graph().monitor_bdrv_states
    while monitor_owned:
        bdrv_unref(monitor_owned.pop(0))


# ---- its device


def blk_attach_dev(blk: BlockBackend, dev: Any) -> bool:
    """Note that `dev` uses the disk; false if another does."""
    if blk.dev is not None:
        return False
    blk_ref(blk)
    blk.dev = dev
    return True


def blk_detach_dev(blk: BlockBackend, dev: Any) -> None:
    """The device does not use the disk any more."""
    assert blk.dev is dev
    blk.dev, blk.dev_ops = None, None
    blk_set_perm(blk, NO_PERM, BLK_PERM.ALL)
    blk_unref(blk)


def blk_get_attached_dev_id(blk: BlockBackend) -> str:
    """The device's id, or else its path; empty without a device."""
    if blk.dev is None:
        return ""
    return blk.dev.id or object_get_canonical_path(blk.dev) or ""


def blk_set_dev_ops(blk: BlockBackend, ops: BlockDevOps) -> None:
    """Say what the device wants to be told."""
    blk.dev_ops = ops
