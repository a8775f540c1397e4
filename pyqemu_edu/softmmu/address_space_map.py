"""Guest memory under the fingers of a device: mappings and caches (QEMU softmmu/physmem.c, include/exec/memory.h).

A device that moves data maps the guest's buffer and works on the host memory behind it.  Where there is none, as with
another device's registers, it gets the one *bounce buffer* instead, which is read before and written back after; while
somebody has that, nobody else can map such a place.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.dispatch import (
    address_space_translate_internal,
    flatview_read,
    flatview_translate,
    flatview_write,
    invalidate_and_set_dirty,
)
from pyqemu_edu.softmmu.flatview import FlatView
from pyqemu_edu.softmmu.memory import AddressSpace, MemoryRegion, address_space_to_flatview
from pyqemu_edu.softmmu.memory_region import TARGET_PAGE_SIZE, memory_access_is_direct
from pyqemu_edu.util.assertion import c_assert


@dataclass(eq=False)
class Mapping:
    """A piece of guest memory that a device may touch as `view` (Not in QEMU, where the pointer alone is enough)."""

    view: memoryview
    space: AddressSpace
    addr: int
    mr: MemoryRegion
    xlat: int
    is_write: bool
    bounced: bool


class Statics:
    def __init__(self) -> None:
        self.bounce_in_use = False


statics = per_process(Statics)


def flatview_extend_translation(
    fv: FlatView, addr: int, target_len: int, mr: MemoryRegion, base: int, length: int
) -> int:
    """How far the same region goes on behind `addr`, at most `target_len`; `length` is known already."""
    done = length
    while done < target_len:
        this_mr, xlat, step = flatview_translate(fv, addr + done, target_len - done)
        if this_mr is not mr or xlat != base + done:
            break
        done += step
    return done


def address_space_map(space: AddressSpace, addr: int, length: int, is_write: bool) -> Mapping | None:
    """As many of the `length` bytes at `addr` as lie together; None if the bounce buffer is needed, and in use."""
    fv = address_space_to_flatview(space)
    mr, xlat, step = flatview_translate(fv, addr, length)
    if not memory_access_is_direct(mr, is_write):
        return bounce_map(space, fv, addr, min(step, TARGET_PAGE_SIZE), mr, is_write)
    step = flatview_extend_translation(fv, addr, length, mr, xlat, step)
    return Mapping(ram_view(mr, xlat, step), space, addr, mr, xlat, is_write, bounced=False)


def bounce_map(
    space: AddressSpace, fv: FlatView, addr: int, length: int, mr: MemoryRegion, is_write: bool
) -> Mapping | None:
    """The bounce buffer, if it is free (in QEMU a part of `address_space_map`)."""
    if statics().bounce_in_use:
        return None
    statics().bounce_in_use = True
    content = bytearray(length) if is_write else bytearray(flatview_read(fv, addr, length)[0])
    return Mapping(memoryview(content), space, addr, mr, 0, is_write, bounced=True)


def address_space_unmap(mapping: Mapping, access_len: int) -> None:
    """The device has written the first `access_len` bytes, and will not touch the memory any more."""
    if not mapping.bounced:
        if mapping.is_write and access_len:
            invalidate_and_set_dirty(mapping.mr, mapping.xlat, access_len)
        return
    if mapping.is_write:
        flatview_write(address_space_to_flatview(mapping.space), mapping.addr, mapping.view[:access_len])
    statics().bounce_in_use = False


def ram_view(mr: MemoryRegion, offset: int, length: int) -> memoryview:
    """The host memory behind a region (QEMU `qemu_ram_ptr_length`)."""
    assert mr.ram_block is not None
    return mr.ram_block.view[offset : offset + length]


# ---- a place that is looked at again and again


@dataclass(eq=False)
class MemoryRegionCache:
    """A translation that is kept: `view` on host memory, None where each access asks a device.

    `length` is how far one region goes, perhaps less than was asked for.
    """

    fv: FlatView
    addr: int
    length: int
    mr: MemoryRegion
    xlat: int
    view: memoryview | None = None


def address_space_cache_init(space: AddressSpace, addr: int, length: int, is_write: bool) -> MemoryRegionCache:
    """Keep the translation of `length` bytes at `addr`."""
    fv = address_space_to_flatview(space)
    section, xlat, _ = address_space_translate_internal(fv.dispatch, addr, length, True)
    step = min(length, section.size - (xlat - section.offset_within_region))
    cache = MemoryRegionCache(fv, addr, step, section.mr, xlat)
    if memory_access_is_direct(section.mr, is_write):
        cache.length = flatview_extend_translation(fv, addr, length, section.mr, xlat, step)
        cache.view = ram_view(section.mr, xlat, cache.length)
    return cache


def address_space_read_cached(cache: MemoryRegionCache, addr: int, length: int) -> bytes:
    """`length` bytes from `addr` on, counted from the cache's beginning."""
    check_bounds(cache, addr, length, "include/exec/memory.h:2895:address_space_read_cached", "len")
    return cached_bytes(cache, addr, length)


def address_space_write_cached(cache: MemoryRegionCache, addr: int, data: bytes) -> None:
    """Store `data` at `addr`; C leaves telling the translator of it to `address_space_cache_invalidate`."""
    check_bounds(cache, addr, len(data), "include/exec/memory.h:2917:address_space_write_cached", "len")
    set_cached_bytes(cache, addr, data)


def address_space_lduw_cached(cache: MemoryRegionCache, addr: int) -> int:
    """The 16-bit word at `addr`, little-endian (Not in QEMU: made by a macro)."""
    check_bounds(cache, addr, 2, "include/exec/memory_ldst_cached.h.inc:30:address_space_lduw_le_cached", "2")
    return int.from_bytes(cached_bytes(cache, addr, 2), "little")


def address_space_stw_cached(cache: MemoryRegionCache, addr: int, value: int) -> None:
    """Store a 16-bit word at `addr`, little-endian (Not in QEMU: made by a macro)."""
    check_bounds(cache, addr, 2, "include/exec/memory_ldst_cached.h.inc:77:address_space_stw_le_cached", "2")
    set_cached_bytes(cache, addr, value.to_bytes(2, "little"))


def cached_bytes(cache: MemoryRegionCache, addr: int, length: int) -> bytes:
    """From host memory, or from the device there (QEMU `address_space_read_cached_slow`)."""
    if cache.view is not None:
        return bytes(cache.view[addr : addr + length])
    return flatview_read(cache.fv, cache.addr + addr, length)[0]


def set_cached_bytes(cache: MemoryRegionCache, addr: int, data: bytes) -> None:
    """To host memory, or to the device there (QEMU `address_space_write_cached_slow`)."""
    if cache.view is None:
        flatview_write(cache.fv, cache.addr + addr, data)
        return
    cache.view[addr : addr + len(data)] = data
    invalidate_and_set_dirty(cache.mr, cache.xlat + addr, len(data))


def check_bounds(cache: MemoryRegionCache, addr: int, length: int, where: str, size: str) -> None:
    """What C asserts of every such access; a guest that enlarges a queue in use fails it (Not in QEMU)."""
    fits = addr < cache.length and length <= cache.length - addr
    c_assert(fits, where, f"addr < cache->len && {size} <= cache->len - addr")
