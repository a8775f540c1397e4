"""Making memory regions: containers, devices' registers, RAM, ROM, aliases (QEMU softmmu/memory.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu_edu.qapi.visitor import Visitor, visit_type_int32, visit_type_str, visit_type_uint64
from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.klass import object_check, object_dynamic_cast
from pyqemu_edu.qom.link import object_property_add_child
from pyqemu_edu.qom.object import object_initialize, object_unparent, object_unref
from pyqemu_edu.qom.path import object_get_canonical_path, object_get_root
from pyqemu_edu.qom.property import object_property_add
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.softmmu.memory_region import (
    TYPE_MEMORY_REGION,
    UINT64_MAX,
    MemoryRegion,
    MemoryRegionOps,
    RAMBlock,
    memory_region_name,
    memory_region_size,
    unassigned_mem_ops,
)
from pyqemu_edu.softmmu.ram_block import (
    qemu_map_ram_ptr,
    qemu_ram_alloc,
    qemu_ram_alloc_from_fd,
    qemu_ram_free,
    qemu_ram_set_idstr,
)
from pyqemu_edu.util.error import QemuError

TYPE_DEVICE = "device"


def memory_region_escape_name(name: str) -> str:
    """`name` with the characters that mean something in a path written as hexadecimal."""
    return "".join(f"\\x{ord(c):02x}" if c in "/[\\]" else c for c in name)


def memory_region_do_init(mr: MemoryRegion, owner: Object | None, name: str | None, size: int) -> None:
    """Name and place a fresh region; without an owner it goes to /machine/unattached, without a name nowhere."""
    mr.size = 2**64 if size == UINT64_MAX else size
    mr.name = name
    mr.owner = owner
    mr.dev = object_dynamic_cast(owner, TYPE_DEVICE)
    if name is not None:
        parent = owner or container_get(object_get_root(), "/machine/unattached")
        object_property_add_child(parent, f"{memory_region_escape_name(name)}[*]", mr)
        object_unref(mr)


def memory_region_init(owner: Object | None, name: str | None, size: int) -> MemoryRegion:
    """A container of `size` bytes; 2**64 - 1 stands for the whole address space.

    C initialises storage that the caller brings; here, as everywhere, storage is Python's.
    """
    mr = object_check(object_initialize(TYPE_MEMORY_REGION), MemoryRegion, TYPE_MEMORY_REGION)
    memory_region_do_init(mr, owner, name, size)
    return mr


def memory_region_init_io(
    owner: Object | None, ops: MemoryRegionOps | None, opaque: Any, name: str | None, size: int
) -> MemoryRegion:
    """Registers: a load or store calls `ops` with `opaque`; no `ops` means that every access fails."""
    mr = memory_region_init(owner, name, size)
    mr.ops = ops or unassigned_mem_ops
    mr.opaque = opaque
    mr.terminates = True
    return mr


def memory_region_init_ram_flags_nomigrate(owner: Object | None, name: str | None, size: int) -> MemoryRegion:
    """RAM that migration does not know of.  `QemuError` if the host has not so much."""
    mr = memory_region_init(owner, name, size)
    return back_by_ram(mr, lambda: qemu_ram_alloc(size, mr))


def memory_region_init_ram_from_fd(
    owner: Object | None, name: str | None, size: int, share: bool, fd: int, align: int = 0
) -> MemoryRegion:
    """RAM that is an open file."""
    mr = memory_region_init(owner, name, size)
    return back_by_ram(mr, lambda: qemu_ram_alloc_from_fd(size, mr, fd, share, align))


def back_by_ram(mr: MemoryRegion, alloc: Callable[[], RAMBlock]) -> MemoryRegion:
    """Give the region whatever host memory `alloc` gets (Not in QEMU: what its functions for RAM share)."""
    mr.ram = True
    mr.terminates = True
    try:
        mr.ram_block = alloc()
    except QemuError:
        mr.size = 0
        object_unparent(mr)
        raise
    return mr


def memory_region_init_ram_nomigrate(owner: Object | None, name: str | None, size: int) -> MemoryRegion:
    """RAM without flags."""
    return memory_region_init_ram_flags_nomigrate(owner, name, size)


def memory_region_init_rom_nomigrate(owner: Object | None, name: str | None, size: int) -> MemoryRegion:
    """RAM that the guest can only read."""
    mr = memory_region_init_ram_nomigrate(owner, name, size)
    mr.readonly = True
    return mr


def memory_region_init_ram(owner: Object | None, name: str | None, size: int) -> MemoryRegion:
    """RAM, known to migration by its name."""
    mr = memory_region_init_ram_nomigrate(owner, name, size)
    vmstate_register_ram(mr)
    return mr


def memory_region_init_rom(owner: Object | None, name: str | None, size: int) -> MemoryRegion:
    """ROM, known to migration by its name."""
    mr = memory_region_init_rom_nomigrate(owner, name, size)
    vmstate_register_ram(mr)
    return mr


def memory_region_init_rom_device(
    owner: Object | None, ops: MemoryRegionOps, opaque: Any, name: str | None, size: int
) -> MemoryRegion:
    """Memory that reads like ROM while the device wants it so; writes always call `ops`."""
    mr = memory_region_init_io(owner, ops, opaque, name, size)
    mr.rom_device = True
    try:
        mr.ram_block = qemu_ram_alloc(size, mr)
    except QemuError:
        mr.size = 0
        object_unparent(mr)
        raise
    vmstate_register_ram(mr)
    return mr


def memory_region_init_alias(
    owner: Object | None, name: str | None, orig: MemoryRegion, offset: int, size: int
) -> MemoryRegion:
    """A window of `size` bytes on `orig`, beginning at its `offset`."""
    mr = memory_region_init(owner, name, size)
    mr.alias = orig
    mr.alias_offset = offset
    return mr


def vmstate_register_ram(mr: MemoryRegion) -> None:
    """Name the RAM block as migration will (QEMU migration/savevm.c); the device's path in front is left out."""
    assert mr.ram_block is not None
    qemu_ram_set_idstr(mr.ram_block, memory_region_name(mr))


def memory_region_get_ram_ptr(mr: MemoryRegion) -> memoryview:
    """The region's own bytes, writable, whatever the guest may do with them."""
    offset = 0
    while mr.alias is not None:
        offset += mr.alias_offset
        mr = mr.alias
    assert mr.ram_block is not None
    return qemu_map_ram_ptr(mr.ram_block, offset)


def memory_region_get_container(mr: MemoryRegion, v: Visitor, name: str, opaque: Any) -> None:
    """The canonical path of what holds the region, "" for none."""
    path = object_get_canonical_path(mr.container) if mr.container is not None else None
    visit_type_str(v, name, path or "")


def memory_region_resolve_container(mr: MemoryRegion, opaque: Any, part: str) -> Object | None:
    """The step from a region to its container in a path."""
    return mr.container


def memory_region_get_addr(mr: MemoryRegion, v: Visitor, name: str, opaque: Any) -> None:
    """Where the region stands in its container (in C `object_property_add_uint64_ptr`)."""
    visit_type_uint64(v, name, mr.addr)


def memory_region_get_priority(mr: MemoryRegion, v: Visitor, name: str, opaque: Any) -> None:
    """The region's priority, as a property; of two that overlap the higher hides the lower."""
    visit_type_int32(v, name, mr.priority)


def memory_region_get_size(mr: MemoryRegion, v: Visitor, name: str, opaque: Any) -> None:
    """The region's size in bytes, as a property."""
    visit_type_uint64(v, name, memory_region_size(mr))


def memory_region_initfn(obj: Object) -> None:
    """An enabled region where nobody answers, with its read-only properties."""
    mr = object_check(obj, MemoryRegion, TYPE_MEMORY_REGION)
    mr.ops = unassigned_mem_ops
    mr.enabled = True
    mr.romd_mode = True
    container = object_property_add(mr, "container", f"link<{TYPE_MEMORY_REGION}>", memory_region_get_container)
    container.resolve = memory_region_resolve_container
    object_property_add(mr, "addr", "uint64", memory_region_get_addr)
    object_property_add(mr, "priority", "uint32", memory_region_get_priority)
    object_property_add(mr, "size", "uint64", memory_region_get_size)


def memory_region_finalize(obj: Object) -> None:
    """A region dies outside of any container; its memory goes with it."""
    mr = object_check(obj, MemoryRegion, TYPE_MEMORY_REGION)
    assert mr.container is None
    if mr.ram_block is not None:
        qemu_ram_free(mr.ram_block)


type_init(
    TypeInfo(
        TYPE_MEMORY_REGION,
        parent=TYPE_OBJECT,
        instance_struct=MemoryRegion,
        instance_init=memory_region_initfn,
        instance_finalize=memory_region_finalize,
    )
)
