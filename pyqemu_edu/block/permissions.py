"""Who may do what to a node at the same time as whom (QEMU block.c).

Every edge of the graph says what its parent does to the child and what it lets others do.  A node hands the sum of
what its parents want on to its own children, and a file at the bottom makes locks on the host of it.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from itertools import permutations

from pyqemu_edu.block.block_int import (
    BDRV_CHILD,
    BLK_PERM,
    NO_PERM,
    BdrvChild,
    BlockDriverState,
    Perms,
    bdrv_is_read_only,
)
from pyqemu_edu.util.error import QemuError

NAMES = {
    BLK_PERM.CONSISTENT_READ: "consistent read",
    BLK_PERM.WRITE: "write",
    BLK_PERM.WRITE_UNCHANGED: "write unchanged",
    BLK_PERM.RESIZE: "resize",
}

WRITES = BLK_PERM.WRITE | BLK_PERM.WRITE_UNCHANGED


def bdrv_perm_names(perm: BLK_PERM) -> str:
    """The rights in words."""
    return ", ".join(name for bit, name in NAMES.items() if bit & perm)


def bdrv_get_cumulative_perm(bs: BlockDriverState) -> Perms:
    """What all parents together do, and what all of them let others do."""
    perm, shared = NO_PERM, BLK_PERM.ALL
    for edge in bs.parents:
        perm |= edge.perm
        shared &= edge.shared_perm
    return perm, shared


# ---- what a node needs of its children


def bdrv_default_perms(bs: BlockDriverState, c: BdrvChild, perm: BLK_PERM, shared: BLK_PERM) -> Perms:
    """What most drivers need."""
    if c.role & BDRV_CHILD.FILTERED:
        return perm, shared
    if c.role & BDRV_CHILD.COW:
        return bdrv_default_perms_for_cow(perm, shared)
    return bdrv_default_perms_for_storage(bs, c.role, perm, shared)


def bdrv_default_perms_for_cow(perm: BLK_PERM, shared: BLK_PERM) -> Perms:
    """A backing file is only read; it may change if the parent's data may."""
    writers = BLK_PERM.WRITE | BLK_PERM.RESIZE if shared & BLK_PERM.WRITE else NO_PERM
    return perm & BLK_PERM.CONSISTENT_READ, writers | BLK_PERM.CONSISTENT_READ | BLK_PERM.WRITE_UNCHANGED


def bdrv_default_perms_for_storage(bs: BlockDriverState, role: BDRV_CHILD, perm: BLK_PERM, shared: BLK_PERM) -> Perms:
    """A format writes tables though the guest writes nothing, and nobody else may change the size."""
    if role & BDRV_CHILD.METADATA:
        if not bdrv_is_read_only(bs):
            perm |= BLK_PERM.WRITE | BLK_PERM.RESIZE
        perm |= BLK_PERM.CONSISTENT_READ
        shared &= ~BLK_PERM.WRITE
    if role & BDRV_CHILD.DATA and perm & WRITES:
        perm |= BLK_PERM.WRITE | BLK_PERM.RESIZE
    return perm, shared & ~BLK_PERM.RESIZE


# ---- checks


def bdrv_a_allow_b(a: BdrvChild, b: BdrvChild) -> None:
    """`QemuError` if `b` does something to their child that `a` does not allow."""
    if conflict := b.perm & ~a.shared_perm:
        node = b.bs.node_name
        raise QemuError(
            f"Permission conflict on node '{node}': permissions '{bdrv_perm_names(conflict)}' are "
            f"both required by {b.parent.parent_desc()} (uses node '{node}' as '{b.name}' child) and "
            f"unshared by {a.parent.parent_desc()} (uses node '{node}' as '{a.name}' child)."
        )


def bdrv_parent_perms_conflict(bs: BlockDriverState) -> None:
    """`QemuError` if two parents do not get along."""
    for a, b in permutations(bs.parents, 2):
        bdrv_a_allow_b(a, b)


Undo = Callable[[], None]


def bdrv_child_set_perm(c: BdrvChild, perm: BLK_PERM, shared: BLK_PERM, tran: ExitStack) -> None:
    """Change an edge; `tran` changes it back unless all goes well."""
    tran.callback(setattr, c, "perm", c.perm)
    tran.callback(setattr, c, "shared_perm", c.shared_perm)
    c.perm, c.shared_perm = perm, shared


def bdrv_node_refresh_perm(bs: BlockDriverState, tran: ExitStack, commits: list[Undo]) -> None:
    """Take a node and all below it to what its parents want; `commits` makes it final (QEMU also `bdrv_list_...`)."""
    bdrv_parent_perms_conflict(bs)
    perm, shared = bdrv_get_cumulative_perm(bs)
    if perm & WRITES and bdrv_is_read_only(bs):
        raise QemuError("Block node is read-only")
    drv = bs.drv
    if drv is None:
        return
    if drv.check_perm and drv.abort_perm_update and drv.set_perm:
        tran.callback(drv.abort_perm_update, bs)
        drv.check_perm(bs, perm, shared)
        set_perm = drv.set_perm
        commits.append(lambda: set_perm(bs, perm, shared))
    for c in bs.children:
        bdrv_child_set_perm(c, *(drv.child_perm or bdrv_default_perms)(bs, c, perm, shared), tran)
    for c in bs.children:
        bdrv_node_refresh_perm(c.bs, tran, commits)


def bdrv_refresh_perms(bs: BlockDriverState, tran: ExitStack | None = None) -> None:
    """After a change of the graph: all is right again, or `QemuError` and all is as before, by `tran`."""
    with tran or ExitStack() as undo:
        commits: list[Undo] = []
        bdrv_node_refresh_perm(bs, undo, commits)
        undo.pop_all()
        for commit in commits:
            commit()


def bdrv_child_try_set_perm(c: BdrvChild, perm: BLK_PERM, shared: BLK_PERM) -> None:
    """Want more or less of a child, or `QemuError`."""
    tran = ExitStack()
    bdrv_child_set_perm(c, perm, shared, tran)
    bdrv_refresh_perms(c.bs, tran)
