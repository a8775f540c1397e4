"""Guest RAM as host memory (QEMU softmmu/physmem.c)."""

from __future__ import annotations

import errno
import mmap
import os
import tempfile

from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.memory_region import TARGET_PAGE_SIZE, MemoryRegion, RAMBlock, memory_region_name
from pyqemu_edu.util.error import QemuError, error_printf


class Statics:
    def __init__(self) -> None:
        self.ram_list: list[RAMBlock] = []


statics = per_process(Statics)


def page_align(size: int) -> int:
    """`size` rounded up to whole pages (QEMU `HOST_PAGE_ALIGN`)."""
    return (size + TARGET_PAGE_SIZE - 1) & -TARGET_PAGE_SIZE


def qemu_ram_alloc(size: int, mr: MemoryRegion) -> RAMBlock:
    """Zeroed host memory for `mr`; the host gives a page when it is first touched.

    Left out against QEMU: resizeable and preallocated blocks, and dirty bitmaps.
    """
    size = page_align(size)
    try:
        host = mmap.mmap(-1, size)
    except (OSError, OverflowError, ValueError) as error:
        reason = os.strerror(getattr(error, "errno", None) or errno.ENOMEM)
        raise QemuError(f"cannot set up guest memory '{memory_region_name(mr)}': {reason}") from None
    return ram_block_add(mr, host, size)


def qemu_ram_alloc_from_fd(size: int, mr: MemoryRegion, fd: int, share: bool, align: int = 0) -> RAMBlock:
    """A file as memory for `mr`; what the guest writes stays in the file if `share` says so."""
    size = page_align(size)
    file_size = os.fstat(fd).st_size
    if 0 < file_size < size:
        raise QemuError(f"backing store size {file_size:#x} does not match 'size' option {size:#x}")
    check_alignment(align)
    if not file_size:
        enlarge(fd, size)
    try:
        host = mmap.mmap(fd, size, flags=mmap.MAP_SHARED if share else mmap.MAP_PRIVATE)
    except (OSError, OverflowError, ValueError) as error:
        reason = os.strerror(getattr(error, "errno", None) or errno.ENOMEM)
        raise QemuError(f"unable to map backing store for guest RAM: {reason}") from None
    return ram_block_add(mr, host, size)


def enlarge(fd: int, size: int) -> None:
    """Make room in an empty file; where that cannot be, it cannot be mapped (in QEMU a part of `file_ram_alloc`)."""
    try:
        os.ftruncate(fd, size)
    except OSError as error:
        error_printf(f"ftruncate: {error.strerror}\n")


def check_alignment(align: int) -> None:
    """Memory begins at a whole page (in QEMU a part of `file_ram_alloc`)."""
    if align % TARGET_PAGE_SIZE:
        raise QemuError(f"alignment {align:#x} must be multiples of page size {TARGET_PAGE_SIZE:#x}")
    if align & align - 1:
        raise QemuError(f"alignment {align:#x} must be a power of two")


def file_ram_open(path: str, region_name: str, readonly: bool) -> int:
    """Open the file, or make one, in a folder one without a name."""
    try:
        return os.open(path, os.O_RDONLY if readonly else os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
    except IsADirectoryError:
        with tempfile.TemporaryFile(dir=path, prefix=f"qemu_back_mem.{region_name.replace('/', '_')}.") as file:
            return os.dup(file.fileno())
    except OSError as error:
        raise QemuError(f"can't open backing store {path} for guest RAM: {error.strerror}") from None


def ram_block_add(mr: MemoryRegion, host: mmap.mmap, size: int) -> RAMBlock:
    """Number the bytes, and enter the block among the others, the biggest first."""
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
