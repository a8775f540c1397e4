"""One board told three times: who answers, which object that is, and what the guest is told (Not in QEMU)."""

from __future__ import annotations

import struct
from collections.abc import Iterator

from pyqemu_edu.process import Process
from pyqemu_edu.qom.path import object_get_canonical_path
from pyqemu_edu.softmmu.flatview import FlatRange
from pyqemu_edu.softmmu.memory_region import MemoryRegion, memory_region_name
from pyqemu_edu.softmmu.physmem import address_space_memory
from pyqemu_edu.view.devicetree import Node, read_blob
from pyqemu_edu.view.figure import Figure, table
from pyqemu_edu.view.memorymap import size_text

HEADER = ("address", "in the memory map", "in the tree of objects", "in the device tree")


def board_table(process: Process, blob: bytes) -> Figure:
    """Every range of the address space with its object and its node; `blob` is the flattened device tree."""
    told = dict(nodes_by_range(read_blob(bytes(blob))))
    with process:
        ranges = list(address_space_memory().current_map or ())
        rows = [(span(r), memory_region_name(r.mr), owner_path(r.mr), node_of(r, told)) for r in ranges]
    return table("One board, told three times", HEADER, rows)


def span(each: FlatRange) -> str:
    """The addresses of a range."""
    return f"{each.addr.start:#x} to {each.addr.end - 1:#x}"


def owner_path(mr: MemoryRegion) -> str:
    """The path of the object that a region belongs to; a region without an owner is one itself."""
    return object_get_canonical_path(mr.owner or mr) or "?"


def node_of(each: FlatRange, told: dict[range, str]) -> str:
    """The node whose addresses hold the beginning of this range."""
    found = (f"{name}, {size_text(len(span))}" for span, name in told.items() if each.addr.start in span)
    return next(found, "nothing")


def nodes_by_range(node: Node) -> Iterator[tuple[range, str]]:
    """Each node with an address and a size of two cells each, as in all of our trees, by the addresses it names."""
    reg = node.properties.get("reg", b"")
    if len(reg) == 16:
        start, size = struct.unpack(">2Q", reg)
        yield range(start, start + size), node.name
    for child in node.children:
        yield from nodes_by_range(child)
