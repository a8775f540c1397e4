"""A memory tree made flat: who answers where, once priorities and aliases are settled (QEMU softmmu/memory.c)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from pyqemu_edu.qom.object import object_ref, object_unref
from pyqemu_edu.softmmu.memory_region import MemoryRegion
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.main_loop import aio_bh_schedule_oneshot

flatview_new_event = Event("flatview_new", "view", "root")
flatview_destroy_event = Event("flatview_destroy", "view", "root")


@dataclass(frozen=True, slots=True)
class AddrRange:
    """Addresses from `start` up to, not including, `end`; either may be negative or beyond 2**64 on the way."""

    start: int
    end: int

    @property
    def size(self) -> int:
        return self.end - self.start

    def intersection(self, other: AddrRange) -> AddrRange:
        """What both have; empty (`end <= start`) if nothing (QEMU `addrrange_intersection`)."""
        return AddrRange(max(self.start, other.start), min(self.end, other.end))


@dataclass(frozen=True, slots=True)
class FlatRange:
    """A stretch of addresses that one region answers for."""

    mr: MemoryRegion
    offset_in_region: int
    addr: AddrRange
    romd_mode: bool
    readonly: bool


@dataclass(eq=False)
class FlatView:
    """Disjoint ranges in ascending order, shared by all address spaces with the same root."""

    root: MemoryRegion | None
    ranges: list[FlatRange] = field(default_factory=list)
    ref: int = 1
    dispatch: Any = None
    """The page table made of `ranges` (`AddressSpaceDispatch`, softmmu/physmem.py)."""

    def __iter__(self) -> Iterator[FlatRange]:
        return iter(self.ranges)

    def __len__(self) -> int:
        return len(self.ranges)


def memory_region_ref(mr: MemoryRegion | None) -> None:
    """Keep the region's owner alive: its callbacks may run as long as somebody can reach the region."""
    if mr is not None and mr.owner is not None:
        object_ref(mr.owner)


def memory_region_unref(mr: MemoryRegion | None) -> None:
    """The opposite of `memory_region_ref`."""
    if mr is not None and mr.owner is not None:
        object_unref(mr.owner)


def flatview_new(root: MemoryRegion | None) -> FlatView:
    """A view without ranges."""
    view = FlatView(root)
    memory_region_ref(root)
    if flatview_new_event:
        flatview_new_event(view, root)
    return view


def flatview_insert(view: FlatView, pos: int, fr: FlatRange) -> None:
    """Put `fr` in front of the range at `pos`; the caller keeps the order."""
    view.ranges.insert(pos, fr)
    memory_region_ref(fr.mr)


def flatview_destroy(view: FlatView) -> None:
    """Let go of every region."""
    if flatview_destroy_event:
        flatview_destroy_event(view, view.root)
    for mr in [fr.mr for fr in view.ranges] + (view.dispatch.regions() if view.dispatch else []):
        memory_region_unref(mr)
    memory_region_unref(view.root)


def flatview_ref(view: FlatView) -> None:
    """Count one more user of the view."""
    view.ref += 1


def flatview_unref(view: FlatView) -> None:
    """One user less; after the last one the view is destroyed by the main loop.

    In QEMU by the thread `call_rcu`, once no vCPU can still be reading.  It needs the big lock for that, which the main
    thread holds while it builds the machine: so in either, devices have more references when their board is finished
    than some time later.
    """
    view.ref -= 1
    if view.ref == 0:
        aio_bh_schedule_oneshot(flatview_destroy, view)


def can_merge(r1: FlatRange, r2: FlatRange) -> bool:
    """Does `r2` go on where `r1` ends, in memory and in the region?"""
    grown = replace(r1, addr=r2.addr, offset_in_region=r1.offset_in_region + r1.addr.size)
    return r1.addr.end == r2.addr.start and grown == r2


def flatview_simplify(view: FlatView) -> None:
    """Join neighbours that are one range in truth."""
    merged: list[FlatRange] = []
    for fr in view.ranges:
        if merged and can_merge(merged[-1], fr):
            merged[-1] = replace(merged[-1], addr=AddrRange(merged[-1].addr.start, fr.addr.end))
            memory_region_unref(fr.mr)
        else:
            merged.append(fr)
    view.ranges = merged


def render_memory_region(view: FlatView, mr: MemoryRegion, base: int, clip: AddrRange, readonly: bool) -> None:
    """Add `mr`, placed at `base`, as far as `clip` lets it be seen and earlier ranges do not hide it."""
    if not mr.enabled:
        return
    base += mr.addr
    readonly = readonly or mr.readonly
    clip = clip.intersection(AddrRange(base, base + mr.size))
    if clip.size <= 0:
        return
    if mr.alias is not None:
        render_memory_region(view, mr.alias, base - mr.alias.addr - mr.alias_offset, clip, readonly)
        return
    for subregion in mr.subregions:
        render_memory_region(view, subregion, base, clip, readonly)
    if mr.terminates:
        fill_gaps(view, mr, base, clip, readonly)


def fill_gaps(view: FlatView, mr: MemoryRegion, base: int, clip: AddrRange, readonly: bool) -> None:
    """Give `mr` the addresses of `clip` that nobody has yet (the loops at the end of QEMU `render_memory_region`)."""

    def insert(pos: int, start: int, end: int) -> None:
        flatview_insert(view, pos, FlatRange(mr, start - base, AddrRange(start, end), mr.romd_mode, readonly))

    start, i = clip.start, 0
    while i < len(view.ranges) and start < clip.end:
        other = view.ranges[i].addr
        if start < other.start:
            insert(i, start, min(other.start, clip.end))
            i += 1
        start = max(start, other.end)
        i += 1
    if start < clip.end:
        insert(i, start, clip.end)


def memory_region_get_flatview_root(mr: MemoryRegion | None) -> MemoryRegion | None:
    """The region that `mr` amounts to, looking through whole aliases and lone children, so that views can be shared."""
    while mr is not None and mr.enabled:
        inner = _stands_for(mr)
        if inner is mr:
            return mr
        mr = inner
    return None


def _stands_for(mr: MemoryRegion) -> MemoryRegion | None:
    if mr.alias is not None:
        return mr.alias if not mr.alias_offset and mr.size >= mr.alias.size else mr
    if mr.terminates:
        return mr
    children = [child for child in mr.subregions if child.enabled]
    if not children:
        return None
    alone = len(children) == 1 and not children[0].addr and mr.size >= children[0].size
    return children[0] if alone else mr


def flatview_lookup(view: FlatView, addr: int) -> FlatRange | None:
    """The range that holds `addr`, by halving."""
    i = bisect_right(view.ranges, addr, key=lambda fr: fr.addr.start) - 1
    if i >= 0 and addr < view.ranges[i].addr.end:
        return view.ranges[i]
    return None
