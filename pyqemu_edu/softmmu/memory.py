"""The tree of memory regions, and the address spaces that look into it (QEMU softmmu/memory.c).

What the tree is made of stands in `memory_region`, `memory_init` and `memory_access`; how it becomes
flat, and who is told, in `flatview` and `address_space`.  All of it can be imported from here, as from QEMU's
exec/memory.h.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyqemu_edu.softmmu.address_space import (
    AddressSpace,
    MemoryListener,
    address_space_destroy,
    address_space_init,
    address_space_to_flatview,
    memory_listener_register,
    memory_listener_unregister,
    memory_region_find,
    memory_region_transaction,
    memory_region_transaction_begin,
    memory_region_transaction_commit,
    statics,
)
from pyqemu_edu.softmmu.dispatch import MemoryRegionSection
from pyqemu_edu.softmmu.flatview import (
    AddrRange,
    FlatRange,
    FlatView,
    flatview_lookup,
    memory_region_ref,
    memory_region_unref,
)
from pyqemu_edu.softmmu.memory_access import (
    memory_region_access_valid,
    memory_region_dispatch_read,
    memory_region_dispatch_write,
)
from pyqemu_edu.softmmu.memory_init import (
    memory_region_get_ram_ptr,
    memory_region_init,
    memory_region_init_alias,
    memory_region_init_io,
    memory_region_init_ram,
    memory_region_init_ram_flags_nomigrate,
    memory_region_init_ram_nomigrate,
    memory_region_init_rom,
    memory_region_init_rom_device,
    memory_region_init_rom_nomigrate,
)
from pyqemu_edu.softmmu.memory_region import (
    TARGET_PAGE_SIZE,
    TYPE_MEMORY_REGION,
    AccessSizes,
    DeviceEndian,
    MemoryRegion,
    MemoryRegionOps,
    MemTxResult,
    RAMBlock,
    memory_access_is_direct,
    memory_region_is_ram,
    memory_region_is_rom,
    memory_region_is_romd,
    memory_region_name,
    memory_region_size,
    unassigned_mem_ops,
)

__all__ = [
    "TARGET_PAGE_SIZE",
    "TYPE_MEMORY_REGION",
    "AccessSizes",
    "AddrRange",
    "AddressSpace",
    "DeviceEndian",
    "FlatRange",
    "FlatView",
    "MemTxResult",
    "MemoryListener",
    "MemoryRegion",
    "MemoryRegionOps",
    "MemoryRegionSection",
    "RAMBlock",
    "address_space_destroy",
    "address_space_init",
    "address_space_to_flatview",
    "flatview_lookup",
    "memory_access_is_direct",
    "memory_listener_register",
    "memory_listener_unregister",
    "memory_region_access_valid",
    "memory_region_add_subregion",
    "memory_region_add_subregion_overlap",
    "memory_region_del_subregion",
    "memory_region_dispatch_read",
    "memory_region_dispatch_write",
    "memory_region_find",
    "memory_region_get_ram_ptr",
    "memory_region_init",
    "memory_region_init_alias",
    "memory_region_init_io",
    "memory_region_init_ram",
    "memory_region_init_ram_flags_nomigrate",
    "memory_region_init_ram_nomigrate",
    "memory_region_init_rom",
    "memory_region_init_rom_device",
    "memory_region_init_rom_nomigrate",
    "memory_region_is_ram",
    "memory_region_is_rom",
    "memory_region_is_romd",
    "memory_region_name",
    "memory_region_rom_device_set_romd",
    "memory_region_set_address",
    "memory_region_set_alias_offset",
    "memory_region_set_enabled",
    "memory_region_set_readonly",
    "memory_region_set_size",
    "memory_region_size",
    "memory_region_transaction",
    "memory_region_transaction_begin",
    "memory_region_transaction_commit",
    "unassigned_mem_ops",
]


def memory_region_update_container_subregions(subregion: MemoryRegion) -> None:
    """Put `subregion` among its siblings: higher priority first, the newer first among equals."""
    mr = subregion.container
    assert mr is not None
    with memory_region_transaction():
        memory_region_ref(subregion)
        behind = (i for i, other in enumerate(mr.subregions) if subregion.priority >= other.priority)
        mr.subregions.insert(next(behind, len(mr.subregions)), subregion)
        statics().update_pending |= mr.enabled and subregion.enabled


def memory_region_add_subregion_common(mr: MemoryRegion, offset: int, subregion: MemoryRegion) -> None:
    """Put `subregion`, which is nowhere yet, at `offset` of `mr`."""
    assert subregion.container is None
    subregion.container = mr
    for alias in aliases(subregion):
        alias.mapped_via_alias += 1
    subregion.addr = offset
    memory_region_update_container_subregions(subregion)


def aliases(mr: MemoryRegion) -> Iterator[MemoryRegion]:
    """What `mr` is an alias of, and that of, and so on (Not in QEMU: a `for` loop there)."""
    while mr.alias is not None:
        mr = mr.alias
        yield mr


def memory_region_add_subregion(mr: MemoryRegion, offset: int, subregion: MemoryRegion) -> None:
    """Map `subregion` at `offset` of `mr`, with priority 0."""
    subregion.priority = 0
    memory_region_add_subregion_common(mr, offset, subregion)


def memory_region_add_subregion_overlap(mr: MemoryRegion, offset: int, subregion: MemoryRegion, priority: int) -> None:
    """Map `subregion` at `offset` of `mr`, hiding siblings of lower priority."""
    subregion.priority = priority
    memory_region_add_subregion_common(mr, offset, subregion)


def memory_region_del_subregion(mr: MemoryRegion, subregion: MemoryRegion) -> None:
    """Take `subregion` out of `mr`."""
    with memory_region_transaction():
        assert subregion.container is mr
        subregion.container = None
        for alias in aliases(subregion):
            alias.mapped_via_alias -= 1
        mr.subregions.remove(subregion)
        memory_region_unref(subregion)
        statics().update_pending |= mr.enabled and subregion.enabled


def memory_region_set_enabled(mr: MemoryRegion, enabled: bool) -> None:
    """Switch a region, with all below it, on or off."""
    if enabled != mr.enabled:
        with memory_region_transaction():
            mr.enabled = enabled
            statics().update_pending = True


def memory_region_set_readonly(mr: MemoryRegion, readonly: bool) -> None:
    """May the guest write?"""
    if mr.readonly != readonly:
        with memory_region_transaction():
            mr.readonly = readonly
            statics().update_pending |= mr.enabled


def memory_region_rom_device_set_romd(mr: MemoryRegion, romd_mode: bool) -> None:
    """Shall reads see the memory, or the device?"""
    if mr.romd_mode != romd_mode:
        with memory_region_transaction():
            mr.romd_mode = romd_mode
            statics().update_pending |= mr.enabled


def memory_region_set_size(mr: MemoryRegion, size: int) -> None:
    """Change the size; 2**64 - 1 stands for the whole address space."""
    size = 2**64 if size == 2**64 - 1 else size
    if size != mr.size:
        with memory_region_transaction():
            mr.size = size
            statics().update_pending = True


def memory_region_set_address(mr: MemoryRegion, addr: int) -> None:
    """Move a region within its container."""
    if addr != mr.addr:
        mr.addr = addr
        memory_region_readd_subregion(mr)


def memory_region_readd_subregion(mr: MemoryRegion) -> None:
    """Take a region out and put it back, in one transaction."""
    container = mr.container
    if container is not None:
        with memory_region_transaction():
            memory_region_ref(mr)
            memory_region_del_subregion(container, mr)
            memory_region_add_subregion_common(container, mr.addr, mr)
            memory_region_unref(mr)


def memory_region_set_alias_offset(mr: MemoryRegion, offset: int) -> None:
    """Move the window of an alias."""
    assert mr.alias is not None
    if offset != mr.alias_offset:
        with memory_region_transaction():
            mr.alias_offset = offset
            statics().update_pending |= mr.enabled
