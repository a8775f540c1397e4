"""`info mtree`: the memory tree and its flat views as text (QEMU softmmu/memory.c).

QEMU walks two hash tables keyed by pointers here, so the order of what it prints varies; ours is the order of making.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyqemu_edu.qom.klass import object_dynamic_cast, object_get_typename
from pyqemu_edu.qom.path import object_get_canonical_path
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.softmmu.address_space import AddressSpace, address_space_to_flatview, statics
from pyqemu_edu.softmmu.flatview import FlatRange, FlatView
from pyqemu_edu.softmmu.memory_region import (
    MemoryRegion,
    memory_region_is_ram,
    memory_region_is_rom,
    memory_region_is_romd,
    memory_region_name,
)

MTREE_INDENT = "  "


def mtree_info(flatview: bool = False, dispatch_tree: bool = False, owner: bool = False, disabled: bool = False) -> str:
    """What `info mtree` prints: `-f` flat, `-o` with owners, `-D` with disabled regions (`-d` adds nothing)."""
    return "".join(mtree_info_flatview(owner) if flatview else mtree_info_as(owner, disabled))


def memory_region_type(mr: MemoryRegion) -> str:
    """What stands behind a region."""
    if mr.alias is not None:
        return memory_region_type(mr.alias)
    if memory_region_is_romd(mr):
        return "romd"
    if memory_region_is_rom(mr):
        return "rom"
    return "ram" if memory_region_is_ram(mr) else "i/o"


def last(size: int) -> int:
    """How far behind its start a region's last byte is (QEMU `MR_SIZE`)."""
    return size - 1 if size else 0


def mtree_expand_owner(label: str, obj: Object) -> str:
    """An owner by its id, its path, or its type."""
    dev = object_dynamic_cast(obj, "device")
    kind = "dev" if dev is not None else "obj"
    ident = getattr(dev, "id", None)
    if ident:
        return f" {label}:{{{kind} id={ident}}}"
    path = object_get_canonical_path(obj)
    what = f"path={path}" if path else f"type={object_get_typename(obj)}"
    return f" {label}:{{{kind} {what}}}"


def mtree_print_mr_owner(mr: MemoryRegion) -> str:
    """Who answers for a region, and who is its parent if that is somebody else."""
    text = mtree_expand_owner("owner", mr.owner) if mr.owner is not None else ""
    if mr.parent is not None and mr.parent is not mr.owner:
        text += mtree_expand_owner("parent", mr.parent)
    return text or " orphan"


def mtree_print_mr(
    mr: MemoryRegion, level: int, base: int, alias_queue: list[MemoryRegion], owner: bool, disabled: bool
) -> Iterator[str]:
    """A region and all below it, one line each."""
    start = base + mr.addr
    if mr.alias is not None and mr.alias not in alias_queue:
        alias_queue.append(mr.alias)
    if mr.enabled or disabled:
        yield MTREE_INDENT * level + mr_line(mr, start) + (mtree_print_mr_owner(mr) if owner else "") + "\n"
    for subregion in sorted(mr.subregions, key=lambda sub: (sub.addr, -sub.priority)):
        yield from mtree_print_mr(subregion, level + 1, start, alias_queue, owner, disabled)


def mr_line(mr: MemoryRegion, start: int) -> str:
    """Addresses, priority, kind and name of a region."""
    text = f"{start:016x}-{start + last(mr.size):016x} (prio {mr.priority}, {memory_region_type(mr)}): "
    if mr.alias is not None:
        end = mr.alias_offset + last(mr.size)
        text += f"alias {memory_region_name(mr)} @{memory_region_name(mr.alias)} {mr.alias_offset:016x}-{end:016x}"
    else:
        text += memory_region_name(mr)
    return text + ("" if mr.enabled else " [disabled]")


def mtree_info_as(owner: bool, disabled: bool) -> Iterator[str]:
    """Each tree with the address spaces that begin at its root, then what aliases point to."""
    alias_queue: list[MemoryRegion] = []
    roots: dict[MemoryRegion, list[AddressSpace]] = {}
    for space in statics().address_spaces:
        roots.setdefault(space.root, []).append(space)
    for root, spaces in roots.items():
        yield from (f"address-space: {space.name}\n" for space in sorted(spaces, key=lambda space: space.name))
        yield from mtree_print_mr(root, 1, 0, alias_queue, owner, disabled)
        yield "\n"
    for mr in alias_queue:
        yield f"memory-region: {memory_region_name(mr)}\n"
        yield from mtree_print_mr(mr, 1, 0, alias_queue, owner, disabled)
        yield "\n"


def mtree_info_flatview(owner: bool) -> Iterator[str]:
    """Each flat view with the address spaces that share it."""
    views: dict[FlatView, list[AddressSpace]] = {}
    for space in statics().address_spaces:
        views.setdefault(address_space_to_flatview(space), []).append(space)
    for counter, (view, spaces) in enumerate(views.items()):
        yield f"FlatView #{counter}\n"
        yield from mtree_print_flatview(view, spaces, owner)
        yield "\n"


def mtree_print_flatview(view: FlatView, spaces: list[AddressSpace], owner: bool) -> Iterator[str]:
    """The address spaces of one view, and its ranges."""
    for space in spaces:
        alias = space.root.alias
        tail = f", alias {memory_region_name(alias)}" if alias is not None else ""
        yield f' AS "{space.name}", root: {memory_region_name(space.root)}{tail}\n'
    yield f" Root memory region: {memory_region_name(view.root) if view.root is not None else '(none)'}\n"
    if not view.ranges:
        yield f"{MTREE_INDENT}No rendered FlatView\n"
    for fr in view:
        yield MTREE_INDENT + flat_range_line(fr) + (mtree_print_mr_owner(fr.mr) if owner else "") + "\n"


def flat_range_line(fr: FlatRange) -> str:
    """Addresses of a range, and the region with the offset where it begins in it (Not in QEMU)."""
    kind = "rom" if fr.readonly else memory_region_type(fr.mr)
    offset = f" @{fr.offset_in_region:016x}" if fr.offset_in_region else ""
    where = f"{fr.addr.start:016x}-{fr.addr.start + last(fr.addr.size):016x}"
    return f"{where} (prio {fr.mr.priority}, {kind}): {memory_region_name(fr.mr)}{offset}"
