"""Address spaces: who looks into the memory tree, what they see, and who is told of changes (QEMU softmmu/memory.c)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.dispatch import (
    MemoryRegionSection,
    address_space_dispatch_new,
    flatview_add_to_dispatch,
    section_from_flat_range,
)
from pyqemu_edu.softmmu.flatview import (
    AddrRange,
    FlatRange,
    FlatView,
    flatview_lookup,
    flatview_new,
    flatview_ref,
    flatview_simplify,
    flatview_unref,
    memory_region_get_flatview_root,
    memory_region_ref,
    memory_region_unref,
    render_memory_region,
)
from pyqemu_edu.softmmu.memory_region import MemoryRegion
from pyqemu_edu.trace.event import Event

memory_topology_commit = Event("memory_topology_commit", "generation")

Section = Callable[["MemoryListener", MemoryRegionSection], None]


@dataclass(eq=False)
class MemoryListener:
    """Somebody who follows what an address space looks like (QEMU include/exec/memory.h)."""

    name: str
    begin: Callable[[MemoryListener], None] | None = None
    commit: Callable[[MemoryListener], None] | None = None
    region_add: Section | None = None
    region_del: Section | None = None
    region_nop: Section | None = None
    priority: int = 0
    opaque: Any = None
    address_space: AddressSpace | None = None


@dataclass(eq=False)
class AddressSpace:
    """What somebody sees who starts at `root`: a CPU, a device that does DMA."""

    root: MemoryRegion
    name: str
    current_map: FlatView | None = None
    listeners: list[MemoryListener] = field(default_factory=list)


class Statics:
    def __init__(self) -> None:
        self.transaction_depth = 0
        self.update_pending = False
        self.generation = 0
        self.memory_listeners: list[MemoryListener] = []
        self.address_spaces: list[AddressSpace] = []
        self.flat_views: dict[MemoryRegion | None, FlatView] = {}


statics = per_process(Statics)


def address_space_to_flatview(space: AddressSpace) -> FlatView:
    """What the address space looks like now (QEMU include/exec/memory.h)."""
    assert space.current_map is not None
    return space.current_map


def generate_memory_topology(mr: MemoryRegion | None) -> FlatView:
    """Flatten the tree below `mr`, and build the page table for it."""
    view = flatview_new(mr)
    if mr is not None:
        render_memory_region(view, mr, 0, AddrRange(0, 2**64), False)
    flatview_simplify(view)
    view.dispatch = address_space_dispatch_new(view)
    for fr in view:
        flatview_add_to_dispatch(view, section_from_flat_range(fr, view))
    statics().flat_views[mr] = view
    return view


def address_space_update_topology_pass(space: AddressSpace, old: list[FlatRange], new: FlatView, adding: bool) -> None:
    """Tell the listeners what went (not `adding`), or what stayed and what came (`adding`)."""
    stayed, came = set(old) & set(new), set(new) - set(old)
    if adding:
        for fr in new:
            call = "region_add" if fr in came else "region_nop"
            memory_listener_update_region(fr, space, new, call)
    else:
        for fr in old:
            if fr not in stayed:
                memory_listener_update_region(fr, space, address_space_to_flatview(space), "region_del")


def memory_listener_update_region(fr: FlatRange, space: AddressSpace, view: FlatView, callback: str) -> None:
    """One call to each listener; deletions go round in the opposite order (QEMU `MEMORY_LISTENER_UPDATE_REGION`)."""
    section = section_from_flat_range(fr, view)
    for listener in list(space.listeners)[:: -1 if callback == "region_del" else 1]:
        function: Section | None = getattr(listener, callback)
        if function is not None:
            function(listener, section)


def flatviews_init() -> None:
    """The view of nothing exists from the beginning."""
    if not statics().flat_views:
        generate_memory_topology(None)


def flatviews_reset() -> None:
    """Flatten anew, once for each root that address spaces have."""
    old, statics().flat_views = statics().flat_views, {}
    for view in old.values():
        flatview_unref(view)
    flatviews_init()
    for space in statics().address_spaces:
        physmr = memory_region_get_flatview_root(space.root)
        if physmr not in statics().flat_views:
            generate_memory_topology(physmr)


def address_space_set_flatview(space: AddressSpace) -> None:
    """Replace what `space` sees by what its root looks like now, and tell its listeners the difference."""
    old_view = space.current_map
    new_view = statics().flat_views[memory_region_get_flatview_root(space.root)]
    if old_view is new_view:
        return
    flatview_ref(new_view)
    if space.listeners:
        old_ranges = old_view.ranges if old_view is not None else []
        address_space_update_topology_pass(space, old_ranges, new_view, False)
        address_space_update_topology_pass(space, old_ranges, new_view, True)
    space.current_map = new_view
    if old_view is not None:
        flatview_unref(old_view)


def address_space_update_topology(space: AddressSpace) -> None:
    """Give a new address space its view, which it may share."""
    flatviews_init()
    physmr = memory_region_get_flatview_root(space.root)
    if physmr not in statics().flat_views:
        generate_memory_topology(physmr)
    address_space_set_flatview(space)


def memory_region_transaction_begin() -> None:
    """Changes from here to the matching commit take effect together."""
    statics().transaction_depth += 1


def memory_region_transaction_commit() -> None:
    """End a transaction; the outermost one makes the changes visible."""
    s = statics()
    assert s.transaction_depth
    s.transaction_depth -= 1
    if s.transaction_depth or not s.update_pending:
        return
    flatviews_reset()
    for listener in s.memory_listeners:
        if listener.begin is not None:
            listener.begin(listener)
    for space in s.address_spaces:
        address_space_set_flatview(space)
    s.update_pending = False
    s.generation += 1
    for listener in s.memory_listeners:
        if listener.commit is not None:
            listener.commit(listener)
    if memory_topology_commit:
        memory_topology_commit(s.generation)


@contextmanager
def memory_region_transaction() -> Iterator[None]:
    """A transaction around a block (Not in QEMU)."""
    memory_region_transaction_begin()
    try:
        yield
    finally:
        memory_region_transaction_commit()


def memory_listener_register(listener: MemoryListener, space: AddressSpace) -> None:
    """Let `listener` follow `space`, beginning with all that is there."""
    assert listener.address_space is None
    listener.address_space = space
    for listeners in (statics().memory_listeners, space.listeners):
        behind = (i for i, other in enumerate(listeners) if listener.priority < other.priority)
        listeners.insert(next(behind, len(listeners)), listener)
    listener_add_address_space(listener, space)


def listener_add_address_space(listener: MemoryListener, space: AddressSpace) -> None:
    """Report every range as new."""
    if listener.begin is not None:
        listener.begin(listener)
    view = address_space_to_flatview(space)
    for fr in view:
        if listener.region_add is not None:
            listener.region_add(listener, section_from_flat_range(fr, view))
    if listener.commit is not None:
        listener.commit(listener)


def memory_listener_unregister(listener: MemoryListener) -> None:
    """Stop following, being told that every range goes."""
    space = listener.address_space
    if space is None:
        return
    view = address_space_to_flatview(space)
    for fr in view:
        if listener.region_del is not None:
            listener.region_del(listener, section_from_flat_range(fr, view))
    statics().memory_listeners.remove(listener)
    space.listeners.remove(listener)
    listener.address_space = None


def address_space_init(root: MemoryRegion, name: str | None) -> AddressSpace:
    """A view on the tree below `root`."""
    memory_region_ref(root)
    space = AddressSpace(root, name or "anonymous")
    statics().address_spaces.append(space)
    address_space_update_topology(space)
    return space


def address_space_destroy(space: AddressSpace) -> None:
    """Forget an address space, listeners first."""
    while space.listeners:
        memory_listener_unregister(space.listeners[0])
    statics().address_spaces.remove(space)
    flatview_unref(address_space_to_flatview(space))
    memory_region_unref(space.root)


def memory_region_to_address_space(mr: MemoryRegion) -> AddressSpace | None:
    """The first address space at whose root the tree of `mr` begins."""
    while mr.container is not None:
        mr = mr.container
    return next((space for space in statics().address_spaces if space.root is mr), None)


def memory_region_find(mr: MemoryRegion, addr: int) -> FlatRange | None:
    """Who answers at `addr` of `mr`, if anybody; the extent that QEMU also asks for is left out."""
    space = memory_region_to_address_space(mr)
    if space is None:
        return None
    while True:
        addr += mr.addr
        if mr.container is None:
            return flatview_lookup(address_space_to_flatview(space), addr)
        mr = mr.container
