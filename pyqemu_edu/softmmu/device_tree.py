"""The description of the machine that its guest reads, as a flattened device tree (QEMU softmmu/device_tree.c)."""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress

from pyqemu_edu.softmmu.libfdt import (
    FDT_BEGIN_NODE,
    PROP_HEADER_SIZE,
    Fdt,
    FdtError,
    fdt_add_subnode,
    fdt_check_header,
    fdt_create_empty_tree,
    fdt_get_property_offset,
    fdt_getprop,
    fdt_open_into,
    fdt_over,
    fdt_path_offset,
    fdt_setprop,
    fdt_subnode_offset,
)
from pyqemu_edu.util.error import QemuExit, error_report, info_report
from pyqemu_edu.util.guest_random import qemu_guest_getrandom_nofail

FDT_MAX_SIZE = 0x100000
INT_MAX = 2**31 - 1


def create_device_tree() -> Fdt:
    """A tree that is only a root, with room for 1 MiB."""
    return fdt_create_empty_tree(FDT_MAX_SIZE)


def load_device_tree(filename_path: str) -> Fdt | None:
    """The tree in a file, with as much room again and 20000 bytes; None, with a message, if it cannot be used."""
    try:
        with open(filename_path, "rb") as file:
            data = file.read()
    except OSError:
        error_report(f"Unable to get size of device tree file '{filename_path}'")
        return None
    if len(data) > INT_MAX // 2 - 10000:
        error_report(f"Device tree file '{filename_path}' is too large")
        return None
    try:
        fdt = fdt_open_into(data, 2 * (len(data) + 10000))
    except FdtError as error:
        error_report(f"load_device_tree: Unable to copy device tree into memory: {error}")
        return None
    return checked_device_tree(fdt, filename_path)


def checked_device_tree(fdt: Fdt, filename_path: str) -> Fdt | None:
    """The tree again, unless a part of it lies elsewhere (in QEMU the end of `load_device_tree`)."""
    try:
        fdt_check_header(fdt)
    except FdtError:
        error_report(f"Device tree file loaded into memory is invalid: {filename_path}")
        return None
    return fdt


@contextmanager
def ends_process(failed: str) -> Iterator[None]:
    """Where libfdt refuses, say that this failed and why, and end the process (Not in QEMU: written out there)."""
    try:
        yield
    except FdtError as error:
        error_report(f"{failed}: {error}")
        raise QemuExit(1) from None


def findnode_nofail(fdt: Fdt, node_path: str) -> int:
    """The offset of the node at `node_path`; without it the process ends."""
    with ends_process(f"findnode_nofail Couldn't find node {node_path}"):
        offset = fdt_path_offset(fdt, node_path)
        if offset is None:
            raise FdtError("FDT_ERR_NOTFOUND")
        return offset


def qemu_fdt_add_subnode(fdt: Fdt, name: str) -> int:
    """Add the node with the path `name`, whose parent exists, in front of its siblings."""
    parent, _, basename = name.rpartition("/")
    parent_offset = findnode_nofail(fdt, parent)
    if fdt_subnode_offset(fdt, parent_offset, basename) is not None:
        error_report(f"qemu_fdt_add_subnode: Failed to create subnode {name}: FDT_ERR_EXISTS")
        raise QemuExit(1)
    return fdt_add_subnode(fdt, parent_offset, basename)


def qemu_fdt_add_path(fdt: Fdt, path: str) -> int:
    """Add all nodes of `path` that are missing; the last one."""
    names = [name for name in path.split("/") if name]
    for i in range(1, len(names) + 1):
        prefix = "/" + "/".join(names[:i])
        if fdt_path_offset(fdt, prefix) is None:
            qemu_fdt_add_subnode(fdt, prefix)
    return findnode_nofail(fdt, path)


def qemu_fdt_setprop(fdt: Fdt, node_path: str, name: str, value: bytes) -> None:
    """Set a property; a new one goes in front of the others."""
    offset = findnode_nofail(fdt, node_path)
    with ends_process(f"qemu_fdt_setprop: Couldn't set {node_path}/{name}"):
        fdt_setprop(fdt, offset, name, value)


def qemu_fdt_setprop_cell(fdt: Fdt, node_path: str, name: str, value: int) -> None:
    """Set a property to one 32-bit number."""
    offset = findnode_nofail(fdt, node_path)
    with ends_process(f"qemu_fdt_setprop_cell: Couldn't set {node_path}/{name} = {value & 0xFFFFFFFF:#08x}"):
        fdt_setprop(fdt, offset, name, struct.pack(">I", value & 0xFFFFFFFF))


def qemu_fdt_setprop_cells(fdt: Fdt, node_path: str, name: str, *cells: int) -> None:
    """Set a property to 32-bit numbers; of larger ones the low half counts (QEMU include/sysemu/device_tree.h)."""
    qemu_fdt_setprop(fdt, node_path, name, b"".join(struct.pack(">I", cell & 0xFFFFFFFF) for cell in cells))


def qemu_fdt_setprop_sized_cells(fdt: Fdt, node_path: str, name: str, *sizes_and_values: int) -> None:
    """Set a property to pairs: how many cells a number has, the number (QEMU include/sysemu/device_tree.h)."""
    pairs = zip(sizes_and_values[::2], sizes_and_values[1::2], strict=True)
    qemu_fdt_setprop(fdt, node_path, name, b"".join(value.to_bytes(4 * cells, "big") for cells, value in pairs))


def qemu_fdt_setprop_u64(fdt: Fdt, node_path: str, name: str, value: int) -> None:
    """Set a property to one 64-bit number."""
    qemu_fdt_setprop(fdt, node_path, name, struct.pack(">Q", value))


def qemu_fdt_setprop_string(fdt: Fdt, node_path: str, name: str, string: str) -> None:
    """Set a property to a string."""
    offset = findnode_nofail(fdt, node_path)
    with ends_process(f"qemu_fdt_setprop_string: Couldn't set {node_path}/{name} = {string}"):
        fdt_setprop(fdt, offset, name, string.encode("utf-8", "surrogateescape") + b"\0")


def qemu_fdt_setprop_string_array(fdt: Fdt, node_path: str, name: str, strings: Sequence[str]) -> None:
    """Set a property to several strings."""
    qemu_fdt_setprop(
        fdt, node_path, name, b"".join(string.encode(errors="surrogateescape") + b"\0" for string in strings)
    )


def qemu_fdt_getprop(fdt: Fdt, node_path: str, name: str) -> bytes | None:
    """A property's bytes; None if the node has none of this name."""
    return fdt_getprop(fdt, findnode_nofail(fdt, node_path), name)


def qemu_fdt_get_phandle(fdt: Fdt, path: str) -> int:
    """The number by which other nodes refer to this one; 0 if it has none."""
    return int.from_bytes(qemu_fdt_getprop(fdt, path, "phandle") or b"", "big")


def qemu_fdt_setprop_phandle(fdt: Fdt, node_path: str, name: str, target_node_path: str) -> None:
    """Set a property to the phandle of another node."""
    qemu_fdt_setprop_cell(fdt, node_path, name, qemu_fdt_get_phandle(fdt, target_node_path))


def qemu_fdt_dumpdtb(fdt: Fdt, size: int, dumpdtb: str | None) -> None:
    """With `-machine dumpdtb=FILE`, write the tree there and end the process (C looks in `current_machine`)."""
    if dumpdtb is None:
        return
    try:
        with open(dumpdtb, "wb") as file:
            file.write(fdt.blob()[:size])
    except OSError:
        error_report(f"qemu_fdt_dumpdtb: Failed dumping dtb to {dumpdtb}")
        raise QemuExit(1) from None
    info_report(f"dtb dumped to {dumpdtb}. Exiting.")
    raise QemuExit(0)


def qemu_fdt_randomize_seeds(blob: bytearray) -> None:
    """Give every `rng-seed` in the tree new random bytes."""
    fdt = fdt_over(blob)
    with suppress(FdtError):
        for node in [offset for depth, tag, offset in fdt.tags(0) if tag == FDT_BEGIN_NODE and depth > 1]:
            randomize_seed(fdt, node)


def randomize_seed(fdt: Fdt, node: int) -> None:
    """Give this node's `rng-seed`, if it has one, new random bytes (in QEMU part of `qemu_fdt_randomize_seeds`)."""
    offset = fdt_get_property_offset(fdt, node, "rng-seed")
    if offset is not None:
        fdt.put(offset + PROP_HEADER_SIZE, qemu_guest_getrandom_nofail(fdt.word(offset + 4)))
