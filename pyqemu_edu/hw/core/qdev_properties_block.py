"""Properties that name disks, sizes of blocks and what to do about errors (QEMU hw/core/qdev-properties-system.c)."""

from __future__ import annotations

from typing import Any

from pyqemu_edu.block.block_backend import (
    BlockBackend,
    bdrv_lookup_bs,
    blk_attach_dev,
    blk_bs,
    blk_by_name,
    blk_detach_dev,
    blk_insert_bs,
    blk_new,
    blk_remove_bs,
    blk_unref,
)
from pyqemu_edu.block.block_int import BLK_PERM, NO_PERM
from pyqemu_edu.block.graph import bdrv_find_node
from pyqemu_edu.hw.core.qdev_core import device
from pyqemu_edu.hw.core.qdev_properties import qdev_find_global_prop
from pyqemu_edu.hw.core.qdev_property_types import (
    Property,
    PropertyInfo,
    enum_info,
    object_field_prop_ptr,
    qdev_propinfo_get_size32,
)
from pyqemu_edu.qapi.visitor import Visitor, visit_type_size, visit_type_str
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.softmmu.blockdev import blockdev_auto_del
from pyqemu_edu.util.error import QemuError

# ---- disks


def check_prop_still_unset(obj: Object, name: str, old_val: Any, new_val: str, allow_override: bool) -> None:
    """`QemuError` if the property has a value already that may not be changed."""
    prop = qdev_find_global_prop(obj, name)
    if not old_val or (prop is None and allow_override):
        return
    if prop is not None:
        raise QemuError(f"-global {prop.driver}.{prop.property}=... conflicts with {name}={new_val}")
    raise QemuError(f"{name}={new_val} conflicts, and override is not implemented")


def get_drive(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """The name of the disk, or else of its node, empty without one."""
    blk: BlockBackend | None = object_field_prop_ptr(obj, prop).load()
    bs = blk_bs(blk) if blk is not None else None
    visit_type_str(v, name, blk.name if blk is not None and blk.name else bs.node_name if bs else "")


def set_drive(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """Use the disk of that name, or make one for the node of that name.  `QemuError` if there is none or it is used."""
    pointer = object_field_prop_ptr(obj, prop)
    text = visit_type_str(v, name)
    check_prop_still_unset(obj, name, pointer.load(), text, True)
    if pointer.load() is not None:
        bs = bdrv_lookup_bs(None, text)
        blk_remove_bs(pointer.load())
        blk_insert_bs(pointer.load(), bs)
    elif text:
        pointer.store(take_drive(obj, name, text))


def take_drive(obj: Object, name: str, text: str) -> BlockBackend:
    """The disk, attached to the device (in QEMU a part of `set_drive_helper`)."""
    blk = blk_by_name(text)
    if blk is not None:
        attach_drive(obj, blk, text)
        return blk
    bs = bdrv_find_node(text)
    if bs is None:
        raise QemuError(f"Property '{object_get_typename(obj)}.{name}' can't find value '{text}'")
    blk = blk_new(NO_PERM, BLK_PERM.ALL)
    try:
        blk_insert_bs(blk, bs)
        attach_drive(obj, blk, text)
    finally:
        blk_unref(blk)
    return blk


def attach_drive(obj: Object, blk: BlockBackend, text: str) -> None:
    """`QemuError` if another device has the disk (in QEMU a part of `set_drive_helper`)."""
    if blk_attach_dev(blk, device(obj)):
        return
    if blk.legacy_dinfo is not None and blk.legacy_dinfo.type != "none":
        why = "it has been automatically connected to another device (did you need 'if=none' in the drive options?)"
        raise QemuError(f"Drive '{text}' is already in use because {why}")
    raise QemuError(f"Drive '{text}' is already in use by another device")


def release_drive(obj: Object, name: str, prop: Property) -> None:
    """The device goes: it uses the disk no longer."""
    blk: BlockBackend | None = object_field_prop_ptr(obj, prop).load()
    if blk is not None:
        blockdev_auto_del(blk)
        blk_detach_dev(blk, device(obj))


qdev_prop_drive = PropertyInfo(
    "str",
    get_drive,
    set_drive,
    "Node name or ID of a block device to use as a backend",
    release=release_drive,
    realized_set_allowed=True,
)


def DEFINE_PROP_DRIVE(name: str, field: str) -> Property:
    """A disk: the field is a `BlockBackend` or None (QEMU include/hw/qdev-properties-system.h)."""
    return Property(name, qdev_prop_drive, field)


# ---- sizes of blocks

MIN_BLOCK_SIZE, MAX_BLOCK_SIZE = 512, 2 * 1024 * 1024


def check_block_size(id: str, name: str, value: int) -> None:
    """A power of two that is not too small and not too large; 0 leaves it open (QEMU util/block-helpers.c)."""
    if value and not MIN_BLOCK_SIZE <= value <= MAX_BLOCK_SIZE:
        limits = f"(minimum: {MIN_BLOCK_SIZE}, maximum: {MAX_BLOCK_SIZE})"
        raise QemuError(f"Property {id}.{name} doesn't take value {value} {limits}")
    if value & (value - 1):
        raise QemuError(f"Property {id}.{name} doesn't take value '{value}', it's not a power of 2")


def set_blocksize(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """Keep the size."""
    value = visit_type_size(v, name)
    check_block_size(device(obj).id or "", name, value)
    object_field_prop_ptr(obj, prop).store(value)


qdev_prop_blocksize = PropertyInfo(
    "size", qdev_propinfo_get_size32, set_blocksize, "A power of two between 512 B and 2 MiB"
)


def DEFINE_PROP_BLOCKSIZE(name: str, field: str) -> Property:
    """The size of a disk's blocks (QEMU include/hw/qdev-properties-system.h)."""
    return Property(name, qdev_prop_blocksize, field, 0)


# ---- errors

BLOCKDEV_ON_ERROR = ("report", "ignore", "enospc", "stop", "auto")

qdev_prop_blockdev_on_error = enum_info(
    "BlockdevOnError", BLOCKDEV_ON_ERROR, "Error handling policy, report/ignore/enospc/stop/auto"
)


def DEFINE_PROP_BLOCKDEV_ON_ERROR(name: str, field: str, defval: str) -> Property:
    """What to do about a disk's errors (QEMU include/hw/qdev-properties-system.h)."""
    return Property(name, qdev_prop_blockdev_on_error, field, defval)
