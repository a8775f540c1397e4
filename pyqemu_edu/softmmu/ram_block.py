"""Guest RAM as host memory (QEMU softmmu/physmem.c)."""

from __future__ import annotations

import mmap
import os

from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.memory_region import TARGET_PAGE_SIZE, MemoryRegion, RAMBlock, memory_region_name
from pyqemu_edu.util.error import QemuError


class Statics:
    def __init__(self) -> None:
        self.ram_list: list[RAMBlock] = []


statics = per_process(Statics)


def page_align(size: int) -> int:
    """`size` rounded up to whole pages (QEMU `HOST_PAGE_ALIGN`)."""
    return (size + TARGET_PAGE_SIZE - 1) & -TARGET_PAGE_SIZE


def qemu_ram_alloc(size: int, mr: MemoryRegion) -> RAMBlock:
    """Zeroed host memory for `mr`; the host gives a page when it is first touched.

    Left out against QEMU: resizeable, shared, file-backed and preallocated blocks, and dirty bitmaps.
    """
    size = page_align(size)
    try:
        host = mmap.mmap(-1, size)
    except (OSError, OverflowError, ValueError) as error:
        reason = os.strerror(getattr(error, "errno", None) or 12)
        raise QemuError(f"cannot set up guest memory '{memory_region_name(mr)}': {reason}") from None
    block = RAMBlock(mr, host, memoryview(host), find_ram_offset(size), size)
    ram_list = statics().ram_list
    ram_list.append(block)
    ram_list.sort(key=lambda other: -other.used_length)
    return block


def find_ram_offset(size: int) -> int:
    """A place for `size` bytes in the flat numbering of all RAM: the smallest gap, else behind the last block."""
    blocks = sorted(statics().ram_list, key=lambda block: block.offset)
    ends = [0] + [ram_block_end(block) for block in blocks]
    starts = [block.offset for block in blocks]
    gaps = [(start - end, end) for end, start in zip(ends, starts, strict=False) if start - end >= size]
    return min(gaps)[1] if gaps else ends[-1]


def ram_block_end(block: RAMBlock) -> int:
    """The first free address behind `block`, at the granularity of a dirty bitmap's word: 64 pages (Not in QEMU)."""
    unit = 64 * TARGET_PAGE_SIZE
    return -(-(block.offset + block.used_length) // unit) * unit


def qemu_ram_free(block: RAMBlock) -> None:
    """Forget `block`; the host memory goes when the last view of it does."""
    statics().ram_list.remove(block)


def qemu_map_ram_ptr(block: RAMBlock, addr: int) -> memoryview:
    """The bytes of `block` from `addr` on, writable."""
    return block.view[addr:]


def qemu_ram_set_idstr(block: RAMBlock, name: str, owner_path: str = "") -> None:
    """Name `block` for migration."""
    block.idstr = f"{owner_path}/{name}" if owner_path else name
