"""A flattened device tree, edited in place (Not in QEMU: the library libfdt, which QEMU links).

    header | memory reservations | structure: tagged words | strings | free space up to totalsize

The structure is `BEGIN_NODE name  PROP length, name's place in strings, value ...  child nodes ...  END_NODE`.  To make
room, everything behind moves up.  A new property or child goes in *front* of its siblings; nobody clears the bytes
that pad a value to whole words, so they hold what was there before, and we keep that too.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

FDT_MAGIC, FDT_SW_MAGIC = 0xD00DFEED, 0x2FF20112  # the second while a tree is being made
FDT_VERSION, FDT_LAST_COMPATIBLE_VERSION = 17, 16
FDT_BEGIN_NODE, FDT_END_NODE, FDT_PROP, FDT_NOP, FDT_END = 1, 2, 3, 4, 9
HEADER_SIZE, RESERVE_ENTRY_SIZE, PROP_HEADER_SIZE = 40, 16, 12
HEADER, WORD = struct.Struct(">10I"), struct.Struct(">I")
INT32_MAX = 2**31 - 1


def align(length: int, unit: int = 4) -> int:
    """`length` rounded up to whole words."""
    return -(-length // unit) * unit


class FdtError(Exception):
    """What libfdt answers with a negative number; the text is its name."""


@dataclass(eq=False)
class Fdt:
    """The header's fields as numbers, the rest as bytes in `buffer`; offsets of nodes count from `off_dt_struct`."""

    buffer: bytearray = field(repr=False)
    totalsize: int
    off_mem_rsvmap: int
    off_dt_struct: int
    off_dt_strings: int
    size_dt_strings: int
    size_dt_struct: int
    last_comp_version: int = FDT_LAST_COMPATIBLE_VERSION
    boot_cpuid_phys: int = 0

    def blob(self) -> bytes:
        """All `len(buffer)` bytes, the header in front."""
        # fmt: off
        header = HEADER.pack(
            FDT_MAGIC, self.totalsize, self.off_dt_struct, self.off_dt_strings, self.off_mem_rsvmap,
            FDT_VERSION, self.last_comp_version, self.boot_cpuid_phys, self.size_dt_strings, self.size_dt_struct,
        )
        # fmt: on
        return header + bytes(self.buffer[HEADER_SIZE:])

    def bytes_at(self, offset: int, length: int) -> bytes:
        """`length` bytes at `offset` of the structure (libfdt `fdt_offset_ptr`)."""
        start = self.off_dt_struct + offset
        if offset < 0 or offset + length > self.size_dt_struct or start + length > self.totalsize:
            raise FdtError("FDT_ERR_TRUNCATED")
        return bytes(self.buffer[start : start + length])

    def word(self, offset: int) -> int:
        """The word at `offset` of the structure."""
        return int.from_bytes(self.bytes_at(offset, 4), "big")

    def put(self, offset: int, data: bytes) -> None:
        """Overwrite the structure from `offset` on."""
        start = self.off_dt_struct + offset
        self.buffer[start : start + len(data)] = data

    def name_at(self, offset: int) -> str:
        """The name of the node at `offset`."""
        start = self.off_dt_struct + offset + 4
        end = self.buffer.find(0, start, self.off_dt_struct + self.size_dt_struct)
        if end < 0:
            raise FdtError("FDT_ERR_BADSTRUCTURE")
        return self.buffer[start:end].decode("utf-8", "surrogateescape")

    def string(self, offset: int) -> str:
        """The string at `offset` of the string table; "" where it has none."""
        start = self.off_dt_strings + offset
        end = self.buffer.find(0, start, self.off_dt_strings + self.size_dt_strings)
        return self.buffer[start : max(start, end)].decode("utf-8", "surrogateescape")

    def next_offset(self, offset: int) -> int:
        """Where the tag behind the one at `offset` stands (libfdt `fdt_next_tag`)."""
        match self.word(offset):
            case 1:  # FDT_BEGIN_NODE
                end = offset + 4 + len(self.name_at(offset).encode("utf-8", "surrogateescape")) + 1
            case 3:  # FDT_PROP
                end = offset + PROP_HEADER_SIZE + self.word(offset + 4)
            case 2 | 4 | 9:  # FDT_END_NODE, FDT_NOP, FDT_END
                end = offset + 4
            case _:
                raise FdtError("FDT_ERR_BADSTRUCTURE")
        if end > self.size_dt_struct:
            raise FdtError("FDT_ERR_BADSTRUCTURE")
        return align(end)

    def tags(self, offset: int) -> Iterator[tuple[int, int, int]]:
        """From the node at `offset` to its end: (depth, tag, offset); the node itself has depth 1."""
        if offset >= self.size_dt_struct or self.word(offset) != FDT_BEGIN_NODE:
            raise FdtError("FDT_ERR_BADOFFSET")
        depth = 0
        while (tag := self.word(offset)) != FDT_END:
            following = self.next_offset(offset)
            depth += tag == FDT_BEGIN_NODE
            yield depth, tag, offset
            depth -= tag == FDT_END_NODE
            if depth == 0:
                return
            offset = following

    def properties(self, node: int) -> Iterator[int]:
        """Where the properties of the node at `node` stand (libfdt `fdt_for_each_property_offset`)."""
        offset = self.next_offset(node)
        while (tag := self.word(offset)) in (FDT_PROP, FDT_NOP):
            following = self.next_offset(offset)
            if tag == FDT_PROP:
                yield offset
            offset = following
        if tag not in (FDT_BEGIN_NODE, FDT_END_NODE):
            raise FdtError("FDT_ERR_BADSTRUCTURE")


def fdt_over(buffer: bytearray) -> Fdt:
    """The tree whose bytes are in `buffer`, and stay there (Not in libfdt)."""
    # fmt: off
    _, totalsize, off_struct, off_strings, off_rsvmap, _, last_comp, cpu, size_strings, size_struct = (
        HEADER.unpack_from(buffer)
    )
    # fmt: on
    return Fdt(buffer, totalsize, off_rsvmap, off_struct, off_strings, size_strings, size_struct, last_comp, cpu)


def fdt_open_into(data: bytes, bufsize: int) -> Fdt:
    """A tree to be edited, with free space up to `bufsize`, from a file's bytes. Raises FdtError for what is none."""
    fdt = fdt_over(bytearray(data.ljust(bufsize, b"\0")))
    magic, version = WORD.unpack_from(fdt.buffer)[0], WORD.unpack_from(fdt.buffer, 20)[0]
    totalsize, fdt.totalsize = fdt.totalsize, bufsize
    if magic not in (FDT_MAGIC, FDT_SW_MAGIC):
        raise FdtError("FDT_ERR_BADMAGIC")
    if version < FDT_LAST_COMPATIBLE_VERSION or fdt.last_comp_version > FDT_VERSION:
        raise FdtError("FDT_ERR_BADVERSION")
    if totalsize > bufsize:
        raise FdtError("FDT_ERR_TRUNCATED" if totalsize >= INT32_MAX else "FDT_ERR_NOSPACE")
    if version < FDT_VERSION:
        fdt.size_dt_struct = fdt_measure_struct(fdt)
    if fdt_blocks_misordered(fdt, totalsize):
        fdt_packblocks(fdt, bufsize - totalsize)
    return fdt


def fdt_measure_struct(fdt: Fdt) -> int:
    """The size of the structure, which an old tree's header does not tell (in libfdt part of `fdt_open_into`)."""
    fdt.size_dt_struct, offset = max(0, fdt.totalsize - fdt.off_dt_struct), 0
    while fdt.word(offset) != FDT_END:
        offset = fdt.next_offset(offset)
    return offset + 4


def fdt_mem_rsv_size(fdt: Fdt) -> int:
    """The length of the memory reservations, the last of which has no size; 0 if it is missing.

    (libfdt `fdt_num_mem_rsv`)
    """
    for offset in range(fdt.off_mem_rsvmap, len(fdt.buffer) - RESERVE_ENTRY_SIZE + 1, RESERVE_ENTRY_SIZE):
        if not any(fdt.buffer[offset + 8 : offset + RESERVE_ENTRY_SIZE]):
            return offset + RESERVE_ENTRY_SIZE - fdt.off_mem_rsvmap
    return 0


def fdt_blocks_misordered(fdt: Fdt, totalsize: int) -> bool:
    """Whether a part begins before the one in front of it ends, or ends behind the whole; sums are of 32 bits."""
    mem_rsv_size = fdt_mem_rsv_size(fdt)
    if not mem_rsv_size:
        return False
    starts = (fdt.off_mem_rsvmap, fdt.off_dt_struct, fdt.off_dt_strings, totalsize)
    sizes = (mem_rsv_size, fdt.size_dt_struct, fdt.size_dt_strings)
    ends = (start + size & 0xFFFFFFFF for start, size in zip(starts, sizes, strict=False))
    return any(end > start for end, start in zip((HEADER_SIZE, *ends), starts, strict=True))


def fdt_packblocks(fdt: Fdt, room: int) -> int:
    """Put the parts in their order without gaps behind the header; where they end (libfdt `fdt_packblocks_`)."""
    parts = (fdt.off_mem_rsvmap, fdt_mem_rsv_size(fdt)), (fdt.off_dt_struct, fdt.size_dt_struct)
    if HEADER_SIZE + sum(size for _, size in parts) + fdt.size_dt_strings > room:
        raise FdtError("FDT_ERR_NOSPACE")
    mem_rsv, structure = (fdt.buffer[start : start + size] for start, size in parts)
    strings = fdt.buffer[fdt.off_dt_strings : fdt.off_dt_strings + fdt.size_dt_strings]
    fdt.off_mem_rsvmap = HEADER_SIZE
    fdt.off_dt_struct = HEADER_SIZE + len(mem_rsv)
    fdt.off_dt_strings = fdt.off_dt_struct + len(structure)
    end = fdt.off_dt_strings + len(strings)
    fdt.buffer[HEADER_SIZE:end] = mem_rsv + structure + strings
    return end


def fdt_check_header(fdt: Fdt) -> None:
    """Raise FdtError if the tree is unfinished, or a part does not lie within it."""
    if WORD.unpack_from(fdt.buffer)[0] != FDT_MAGIC:
        raise FdtError("FDT_ERR_BADMAGIC")
    parts = (fdt.off_mem_rsvmap, 0), (fdt.off_dt_struct, fdt.size_dt_struct), (fdt.off_dt_strings, fdt.size_dt_strings)
    if any(start < HEADER_SIZE or start + size > fdt.totalsize for start, size in parts):
        raise FdtError("FDT_ERR_TRUNCATED")


def fdt_create_empty_tree(size: int) -> Fdt:
    """A root and nothing else, with free space up to `size` (libfdt `fdt_create` to `fdt_open_into`)."""
    off_mem_rsvmap = align(HEADER_SIZE, RESERVE_ENTRY_SIZE)
    off_dt_struct = off_mem_rsvmap + RESERVE_ENTRY_SIZE
    body = struct.pack(">4I", FDT_BEGIN_NODE, 0, FDT_END_NODE, FDT_END)
    fdt = Fdt(bytearray(size), size, off_mem_rsvmap, off_dt_struct, off_dt_struct + len(body), 0, len(body))
    fdt.put(0, body)
    return fdt


def fdt_splice(fdt: Fdt, start: int, oldlen: int, newlen: int) -> None:
    """Move all that stands behind `oldlen` bytes at `start`, so that `newlen` bytes fit."""
    end = fdt.off_dt_strings + fdt.size_dt_strings
    if end + newlen - oldlen > fdt.totalsize:
        raise FdtError("FDT_ERR_NOSPACE")
    fdt.buffer[start + newlen : end + newlen - oldlen] = fdt.buffer[start + oldlen : end]


def fdt_splice_struct(fdt: Fdt, offset: int, oldlen: int, newlen: int) -> None:
    """Make room in the structure."""
    fdt_splice(fdt, fdt.off_dt_struct + offset, oldlen, newlen)
    fdt.size_dt_struct += newlen - oldlen
    fdt.off_dt_strings += newlen - oldlen


def fdt_find_add_string(fdt: Fdt, name: str) -> int:
    """Where `name` stands among the strings, perhaps as the tail of another; it is added if it does not."""
    entry = name.encode(errors="surrogateescape") + b"\0"
    start, end = fdt.off_dt_strings, fdt.off_dt_strings + fdt.size_dt_strings
    found = fdt.buffer.find(entry, start, end)
    if found >= 0:
        return found - start
    if end + len(entry) > fdt.totalsize:
        raise FdtError("FDT_ERR_NOSPACE")
    fdt.buffer[end : end + len(entry)] = entry
    fdt.size_dt_strings += len(entry)
    return end - start


def fdt_subnode_offset(fdt: Fdt, parent: int, name: str) -> int | None:
    """The child called `name`; the unit address may be left away."""
    for depth, tag, offset in fdt.tags(parent):
        if depth == 2 and tag == FDT_BEGIN_NODE:
            child = fdt.name_at(offset)
            if child == name or ("@" not in name and child.split("@")[0] == name):
                return offset
    return None


def fdt_path_offset(fdt: Fdt, path: str) -> int | None:
    """The node at an absolute path."""
    offset: int | None = 0
    for name in filter(None, path.split("/")):
        offset = fdt_subnode_offset(fdt, offset, name) if offset is not None else None
    return offset


def fdt_get_property_offset(fdt: Fdt, node: int, name: str) -> int | None:
    """Where the node's property called `name` stands."""
    named = (offset for offset in fdt.properties(node) if fdt.string(fdt.word(offset + 8)) == name)
    return next(named, None)


def fdt_getprop(fdt: Fdt, node: int, name: str) -> bytes | None:
    """The bytes of a property."""
    offset = fdt_get_property_offset(fdt, node, name)
    return None if offset is None else fdt.bytes_at(offset + PROP_HEADER_SIZE, fdt.word(offset + 4))


def fdt_setprop(fdt: Fdt, node: int, name: str, value: bytes) -> None:
    """Set a property, adding it in front of the others if it is new."""
    offset = fdt_get_property_offset(fdt, node, name)
    if offset is not None:
        fdt_splice_struct(fdt, offset + PROP_HEADER_SIZE, align(fdt.word(offset + 4)), align(len(value)))
        fdt.put(offset + 4, WORD.pack(len(value)))
    else:
        offset = fdt.next_offset(node)
        nameoff = fdt_find_add_string(fdt, name)
        fdt_splice_struct(fdt, offset, 0, PROP_HEADER_SIZE + align(len(value)))
        fdt.put(offset, struct.pack(">III", FDT_PROP, len(value), nameoff))
    fdt.put(offset + PROP_HEADER_SIZE, value)


def fdt_add_subnode(fdt: Fdt, parent: int, name: str) -> int:
    """Add a child behind the parent's properties, in front of its other children."""
    offset = fdt.next_offset(parent)
    while fdt.word(offset) in (FDT_PROP, FDT_NOP):
        offset = fdt.next_offset(offset)
    encoded = name.encode(errors="surrogateescape")
    padded = encoded.ljust(align(len(encoded) + 1), b"\0")
    node = WORD.pack(FDT_BEGIN_NODE) + padded + WORD.pack(FDT_END_NODE)
    fdt_splice_struct(fdt, offset, 0, len(node))
    fdt.put(offset, node)
    return offset


def fdt_pack(fdt: Fdt) -> None:
    """Close the gaps, and give up the free space."""
    fdt.totalsize = fdt_packblocks(fdt, fdt.totalsize)


def fdt_nodes(fdt: Fdt) -> Iterator[tuple[str, dict[str, bytes]]]:
    """Every node's path with its properties, in the order of the tree (for those who look at it)."""
    names: list[str] = []
    properties: dict[str, bytes] = {}
    for depth, tag, offset in list(fdt.tags(0)):
        if tag == FDT_BEGIN_NODE:
            if names:
                yield "/".join(names) or "/", properties
            names, properties = [*names[: depth - 1], fdt.name_at(offset)], {}
        elif tag == FDT_PROP:
            value = fdt.bytes_at(offset + PROP_HEADER_SIZE, fdt.word(offset + 4))
            properties[fdt.string(fdt.word(offset + 8))] = value
    yield "/".join(names) or "/", properties
