"""Nodes come and go, get names, and are tied together (QEMU block.c)."""

from __future__ import annotations

from pyqemu_edu.block.block_int import (
    BDRV_CHILD,
    BDRV_O,
    BDRV_SECTOR_SIZE,
    BLK_PERM,
    BdrvChild,
    BdrvParent,
    BlockDriver,
    BlockDriverState,
    error_setg_errno,
    statics,
)
from pyqemu_edu.block.permissions import bdrv_default_perms, bdrv_get_cumulative_perm, bdrv_refresh_perms
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.id import IdSubSystems, id_generate, id_wellformed

MAX_NODE_NAME = 31

# ---- drivers


def bdrv_find_format(format_name: str | None) -> BlockDriver | None:
    """The driver of that name, or None."""
    return next((drv for drv in statics().bdrv_drivers if drv.format_name == format_name), None)


def bdrv_iterate_format() -> list[str]:
    """The names of all drivers, sorted."""
    return sorted(drv.format_name for drv in statics().bdrv_drivers)


# ---- names


def bdrv_find_node(node_name: str) -> BlockDriverState | None:
    """The node of that name, or None."""
    return next((bs for bs in statics().graph_bdrv_states if bs.node_name == node_name), None)


def bdrv_assign_node_name(bs: BlockDriverState, node_name: str | None, taken: bool) -> None:
    """Give the node its name, a made-up one for None; `taken` says that a disk has it.  `QemuError`."""
    if node_name is not None and not id_wellformed(node_name):
        raise QemuError(f"Invalid node-name: '{node_name}'")
    name = id_generate(IdSubSystems.BLOCK) if node_name is None else node_name
    if taken:
        raise QemuError(f"node-name={name} is conflicting with a device id")
    if bdrv_find_node(name):
        raise QemuError(f"Duplicate nodes with node-name='{name}'")
    if len(name) > MAX_NODE_NAME:
        raise QemuError("Node name too long")
    bs.node_name = name
    statics().graph_bdrv_states.append(bs)


# ---- life


def bdrv_ref(bs: BlockDriverState) -> None:
    """Count one more user of the node."""
    bs.refcnt += 1


def bdrv_unref(bs: BlockDriverState | None) -> None:
    """One user less; without any the node is closed and gone."""
    if bs is None:
        return
    assert bs.refcnt > 0
    bs.refcnt -= 1
    if not bs.refcnt:
        bdrv_delete(bs)


def bdrv_delete(bs: BlockDriverState) -> None:
    """Close the node and forget it."""
    assert not bs.parents
    bdrv_close(bs)
    if bs in statics().graph_bdrv_states:
        statics().graph_bdrv_states.remove(bs)


def bdrv_close(bs: BlockDriverState) -> None:
    """Let go of the image and of all below it; what is not yet on the host's disk is sent there first."""
    if bs.drv is not None:
        bdrv_flush_if_open(bs)
        bs.drv.close(bs)
        bs.drv = None
    for child in tuple(bs.children):
        bdrv_unref_child(bs, child)


def bdrv_flush_if_open(bs: BlockDriverState) -> None:
    """The last flush: nobody is left to be told that it failed (in QEMU `bdrv_close`)."""
    assert bs.drv
    try:
        if not bs.open_flags & BDRV_O.NO_FLUSH:
            bs.drv.flush(bs)
    except OSError:
        pass


def bdrv_set_monitor_owned(bs: BlockDriverState) -> None:
    """The node is the user's: it stays until he says otherwise (QEMU blockdev.c)."""
    statics().monitor_bdrv_states.append(bs)


def refresh_total_sectors(bs: BlockDriverState) -> None:
    """Ask how large the image is; the last sector may not be full."""
    assert bs.drv
    try:
        bs.total_sectors = -(-bs.drv.getlength(bs) // BDRV_SECTOR_SIZE)
    except OSError as error:
        raise error_setg_errno(error, "Could not refresh total sector count") from None


# ---- edges


def bdrv_attach_child(parent: BlockDriverState, bs: BlockDriverState, name: str, role: BDRV_CHILD) -> BdrvChild:
    """Make `bs` a child of a node; the caller's reference becomes the edge's.  `QemuError` if rights collide."""
    child = BdrvChild(parent, bs, name, role)
    perm, shared = bdrv_get_cumulative_perm(parent)
    perms = parent.drv.child_perm if parent.drv and parent.drv.child_perm else bdrv_default_perms
    child.perm, child.shared_perm = perms(parent, child, perm, shared)
    bdrv_attach(child)
    parent.children.insert(0, child)
    if role & BDRV_CHILD.COW:
        parent.backing = child
    elif role & BDRV_CHILD.PRIMARY:
        parent.file = child
    return child


def bdrv_root_attach_child(parent: BdrvParent, bs: BlockDriverState, perm: BLK_PERM, shared: BLK_PERM) -> BdrvChild:
    """Make `bs` the root of a disk; the caller's reference becomes the edge's.  `QemuError` if rights collide."""
    child = BdrvChild(parent, bs, "root", BDRV_CHILD.FILTERED | BDRV_CHILD.PRIMARY, perm, shared)
    bdrv_attach(child)
    return child


def bdrv_attach(child: BdrvChild) -> None:
    """Tie the edge to its child, unless rights collide (in QEMU `bdrv_attach_child_common`)."""
    child.bs.parents.insert(0, child)
    try:
        bdrv_refresh_perms(child.bs)
    except QemuError:
        child.bs.parents.remove(child)
        bdrv_unref(child.bs)
        raise


def bdrv_root_unref_child(child: BdrvChild) -> None:
    """Untie an edge from its child."""
    bs = child.bs
    bs.parents.remove(child)
    if bs.refcnt > 1:
        bdrv_refresh_perms(bs)
    bdrv_unref(bs)


def bdrv_unref_child(parent: BlockDriverState, child: BdrvChild) -> None:
    """Untie an edge from both sides."""
    parent.children.remove(child)
    if parent.file is child:
        parent.file = None
    if parent.backing is child:
        parent.backing = None
    bdrv_root_unref_child(child)


def bdrv_append(bs_new: BlockDriverState, bs_top: BlockDriverState) -> None:
    """Put `bs_new` on top of `bs_top`, which becomes its backing file; who used `bs_top` uses `bs_new` now."""
    assert not bs_top.parents
    bdrv_ref(bs_top)
    bdrv_attach_child(bs_new, bs_top, "backing", BDRV_CHILD.COW)


# ---- walking
