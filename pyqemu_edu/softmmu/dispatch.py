"""From an address to the region that answers there, and reads and writes of any length (QEMU softmmu/physmem.c)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.flatview import AddrRange, FlatRange, FlatView, memory_region_ref
from pyqemu_edu.softmmu.memory_access import (
    guest_error,
    memory_region_access_valid,
    memory_region_dispatch_read,
    memory_region_dispatch_write,
)
from pyqemu_edu.softmmu.memory_init import memory_region_init_io
from pyqemu_edu.softmmu.memory_region import (
    TARGET_PAGE_SIZE,
    UINT64_MAX,
    AccessSizes,
    MemoryRegion,
    MemoryRegionOps,
    MemTxResult,
    memory_access_is_direct,
    unassigned_mem_ops,
)
from pyqemu_edu.util.main_loop import (
    qemu_mutex_iothread_locked,
    qemu_mutex_lock_iothread,
    qemu_mutex_unlock_iothread,
)


class Statics:
    def __init__(self) -> None:
        self.io_mem_unassigned: MemoryRegion | None = None
        self.tb_invalidate_phys_range: Callable[[int, int], None] | None = None


statics = per_process(Statics)


@dataclass(eq=False, slots=True)
class MemoryRegionSection:
    """A part of a region, and where it is seen (QEMU include/exec/memory.h)."""

    mr: MemoryRegion
    fv: FlatView
    offset_within_region: int
    size: int
    offset_within_address_space: int
    readonly: bool = False

    @property
    def end(self) -> int:
        return self.offset_within_address_space + self.size


@dataclass(eq=False)
class SubPage:
    """A page of the guest that several regions share; each access is passed on to the one that it means."""

    fv: FlatView
    base: int
    iomem: MemoryRegion
    sub_sections: list[MemoryRegionSection] = field(default_factory=list)


@dataclass(eq=False)
class AddressSpaceDispatch:
    """Sections of whole pages in ascending order (QEMU has a radix tree; we halve); the next is often the last one."""

    unassigned: MemoryRegionSection
    sections: list[MemoryRegionSection] = field(default_factory=list)
    mru_section: MemoryRegionSection | None = None

    def find(self, addr: int) -> MemoryRegionSection:
        """The section of the page that `addr` is on; `unassigned` where there is none (QEMU `phys_page_find`)."""
        i = bisect_right(self.sections, addr, key=lambda section: section.offset_within_address_space) - 1
        return self.sections[i] if i >= 0 and addr < self.sections[i].end else self.unassigned

    def regions(self) -> list[MemoryRegion]:
        """Every region that `phys_section_add` took a reference for."""
        return [section.mr for section in self.leaves()]

    def leaves(self) -> Iterator[MemoryRegionSection]:
        """The sections, those within subpages instead of the subpages."""
        for section in self.sections:
            if section.mr.subpage:
                yield from section.mr.opaque.sub_sections
            else:
                yield section


def io_mem_init() -> None:
    """The region that stands wherever there is none."""
    statics().io_mem_unassigned = memory_region_init_io(None, unassigned_mem_ops, None, None, UINT64_MAX)


def section_from_flat_range(fr: FlatRange, fv: FlatView) -> MemoryRegionSection:
    """A flat range as listeners and the dispatch see it (QEMU softmmu/memory.c)."""
    return MemoryRegionSection(fr.mr, fv, fr.offset_in_region, fr.addr.size, fr.addr.start, fr.readonly)


def address_space_dispatch_new(fv: FlatView) -> AddressSpaceDispatch:
    """A page table in which nobody is anywhere."""
    unassigned = statics().io_mem_unassigned
    assert unassigned is not None, "cpu_exec_init_all() comes first"
    return AddressSpaceDispatch(MemoryRegionSection(unassigned, fv, 0, 2**64, 0))


def flatview_add_to_dispatch(fv: FlatView, section: MemoryRegionSection) -> None:
    """Enter whole pages as they are, a beginning or an end within a page as a subpage."""
    start, end = section.offset_within_address_space, section.end
    first_page = -(-start // TARGET_PAGE_SIZE) * TARGET_PAGE_SIZE
    last_page = end // TARGET_PAGE_SIZE * TARGET_PAGE_SIZE
    if first_page > last_page:
        register_subpage(fv, section)
        return
    for part in (AddrRange(start, first_page), AddrRange(first_page, last_page), AddrRange(last_page, end)):
        if part.size > 0:
            register = register_multipage if part.start == first_page and part.end == last_page else register_subpage
            register(fv, _cut(section, part))


def _cut(section: MemoryRegionSection, part: AddrRange) -> MemoryRegionSection:
    offset = section.offset_within_region + part.start - section.offset_within_address_space
    return MemoryRegionSection(section.mr, section.fv, offset, part.size, part.start, section.readonly)


def register_multipage(fv: FlatView, section: MemoryRegionSection) -> None:
    """Enter a section of whole pages."""
    fv.dispatch.sections.append(section)
    memory_region_ref(section.mr)


def register_subpage(fv: FlatView, section: MemoryRegionSection) -> None:
    """Enter a section that fills only a part of its page, making the page a subpage if it is none yet."""
    base = section.offset_within_address_space & -TARGET_PAGE_SIZE
    existing = fv.dispatch.find(base)
    if existing.mr.subpage:
        subpage = existing.mr.opaque
    else:
        subpage = subpage_init(fv, base)
        fv.dispatch.sections.append(MemoryRegionSection(subpage.iomem, fv, 0, TARGET_PAGE_SIZE, base))
    subpage.sub_sections.append(section)
    memory_region_ref(section.mr)


def subpage_init(fv: FlatView, base: int) -> SubPage:
    """An empty subpage at `base`, with the nameless region that stands for the whole page."""
    iomem = memory_region_init_io(None, subpage_ops, None, None, TARGET_PAGE_SIZE)
    iomem.subpage = True
    subpage = SubPage(fv, base, iomem)
    iomem.opaque = subpage
    return subpage


def subpage_read(subpage: SubPage, addr: int, size: int) -> int:
    """Ask the region within the page."""
    return int.from_bytes(flatview_read(subpage.fv, subpage.base + addr, size)[0], "little")


def subpage_write(subpage: SubPage, addr: int, value: int, size: int) -> None:
    """Tell the region within the page."""
    flatview_write(subpage.fv, subpage.base + addr, value.to_bytes(size, "little"))


def subpage_accepts(subpage: SubPage, addr: int, size: int, is_write: bool) -> bool:
    """Would the region within the page take this access?"""
    return flatview_access_valid(subpage.fv, subpage.base + addr, size, is_write)


subpage_ops = MemoryRegionOps(
    read=subpage_read,
    write=subpage_write,
    impl=AccessSizes(1, 8),
    valid=AccessSizes(1, 8, accepts=subpage_accepts),
)


def address_space_lookup_region(d: AddressSpaceDispatch, addr: int, resolve_subpage: bool) -> MemoryRegionSection:
    """The section at `addr`: of the page, or of the byte if subpages are to be looked into."""
    section = d.mru_section
    if section is None or section is d.unassigned or not 0 <= addr - section.offset_within_address_space < section.size:
        section = d.mru_section = d.find(addr)
    if not (resolve_subpage and section.mr.subpage):
        return section
    inner = (s for s in section.mr.opaque.sub_sections if s.offset_within_address_space <= addr < s.end)
    return next(inner, d.unassigned)


def address_space_translate_internal(
    d: AddressSpaceDispatch, addr: int, length: int, resolve_subpage: bool
) -> tuple[MemoryRegionSection, int, int]:
    """The section at `addr`, the offset in its region, and how far `length` bytes may go in one piece."""
    section = address_space_lookup_region(d, addr, resolve_subpage)
    offset = addr - section.offset_within_address_space
    xlat = offset + section.offset_within_region
    if section.mr.ram:
        length = min(length, section.size - offset)
    return section, xlat, length


def flatview_translate(fv: FlatView, addr: int, length: int) -> tuple[MemoryRegion, int, int]:
    """Region, offset within it, and length in one piece, for `length` bytes at `addr`."""
    section, xlat, length = address_space_translate_internal(fv.dispatch, addr & UINT64_MAX, length, True)
    return section.mr, xlat, length


def up_to_border(fv: FlatView, addr: int, length: int) -> int:
    """How many of `length` bytes at `addr` are in the same device, or in the same hole (Not in QEMU)."""
    addr &= UINT64_MAX
    borders = (border for s in fv.dispatch.leaves() for border in (s.offset_within_address_space, s.end))
    return min(length, min((border for border in borders if border > addr), default=2**64) - addr)


def nobody_answers(mr: MemoryRegion) -> bool:
    """Is this a hole, of which nobody wants to hear each access (Not in QEMU, which is quick enough to try each)?"""
    return mr is statics().io_mem_unassigned and not guest_error


def memory_access_size(mr: MemoryRegion, length: int, addr: int) -> int:
    """The largest access, a power of two, that a device takes for `length` bytes at `addr`."""
    largest = mr.ops.valid.max_access_size or 4
    if not mr.ops.impl.unaligned and addr:
        largest = min(largest, addr & -addr)
    length = min(length, largest)
    return 1 << (length.bit_length() - 1)


@contextmanager
def prepare_mmio_access() -> Iterator[None]:
    """Hold the big lock while a device is asked, taking it if need be (C also says whether to give it back)."""
    if qemu_mutex_iothread_locked():
        yield
        return
    qemu_mutex_lock_iothread()
    try:
        yield
    finally:
        qemu_mutex_unlock_iothread()


def write_ram(mr: MemoryRegion, addr: int, data: bytes | bytearray | memoryview) -> None:
    """Overwrite the host memory behind a region (in C a `memcpy` with `invalidate_and_set_dirty` behind it)."""
    assert mr.ram_block is not None
    mr.ram_block.view[addr : addr + len(data)] = data
    invalidate_and_set_dirty(mr, addr, len(data))


def invalidate_and_set_dirty(mr: MemoryRegion, addr: int, length: int) -> None:
    """Tell the translator that `length` bytes at `addr` of `mr` are new; dirty bitmaps are left out."""
    invalidate = statics().tb_invalidate_phys_range
    if invalidate is not None and mr.ram_block is not None:
        start = mr.ram_block.offset + addr
        invalidate(start, start + length)


def flatview_access_valid(fv: FlatView, addr: int, length: int, is_write: bool) -> bool:
    """Would every piece of this access be taken?"""
    while length > 0:
        mr, xlat, step = flatview_translate(fv, addr, length)
        if not memory_access_is_direct(mr, is_write):
            step = memory_access_size(mr, step, addr)
            if not memory_region_access_valid(mr, xlat, step, is_write):
                return False
        length -= step
        addr += step
    return True


def flatview_read(fv: FlatView, addr: int, length: int) -> tuple[bytes, MemTxResult]:
    """`length` bytes from `addr` on, piece by piece; zeros where nobody answers."""
    data, result = bytearray(), MemTxResult.OK
    while len(data) < length:
        mr, xlat, step = flatview_translate(fv, addr + len(data), length - len(data))
        if memory_access_is_direct(mr, False):
            assert mr.ram_block is not None
            data += mr.ram_block.view[xlat : xlat + step]
        elif nobody_answers(mr):
            data += bytes(up_to_border(fv, addr + len(data), step))
            result |= MemTxResult.DECODE_ERROR
        else:
            step = memory_access_size(mr, step, xlat)
            with prepare_mmio_access():
                value, answer = memory_region_dispatch_read(mr, xlat, step)
            data += value.to_bytes(step, "little")
            result |= answer
    return bytes(data), result


def flatview_write(fv: FlatView, addr: int, data: bytes | memoryview) -> MemTxResult:
    """Store `data` from `addr` on, piece by piece; the guest's ROM stays as it is."""
    done, result = 0, MemTxResult.OK
    while done < len(data):
        mr, xlat, step = flatview_translate(fv, addr + done, len(data) - done)
        if memory_access_is_direct(mr, True):
            write_ram(mr, xlat, data[done : done + step])
        elif nobody_answers(mr):
            step = up_to_border(fv, addr + done, step)
            result |= MemTxResult.DECODE_ERROR
        else:
            step = memory_access_size(mr, step, xlat)
            value = int.from_bytes(data[done : done + step], "little")
            with prepare_mmio_access():
                result |= memory_region_dispatch_write(mr, xlat, value, step)
        done += step
    return result
