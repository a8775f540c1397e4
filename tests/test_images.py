"""U-Boot images and device trees from files, whole and broken: taken or refused as by the reference, in its words."""

from __future__ import annotations

import gzip
import re
import struct
from collections.abc import Callable
from pathlib import Path

import pytest

from boards import board
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.softmmu.libfdt import fdt_nodes, fdt_over
from test_loader import ours, theirs

CODE = bytes.fromhex("6f000000") * 40
ZIPPED = gzip.compress(CODE, mtime=0)
VIRT = ("-machine", "virt", "-bios", "none")


def uimage(data: bytes, kind: int = 2, compression: int = 0, size: int | None = None) -> bytes:
    """A file as `mkimage` makes it, to lie at 0x80300000 and to begin 4 bytes behind."""
    length = len(data) if size is None else size
    return (
        struct.pack(">7I4B32s", 0x27051956, 0, 0, length, 0x80300000, 0x80300004, 0, 5, 26, kind, compression, b"x")
        + data
    )


# fmt: off
UIMAGES = {
    "a kernel":           uimage(CODE),
    "zipped":             uimage(ZIPPED, compression=1),
    "zipped, with name":  uimage(ZIPPED[:3] + b"\x08" + ZIPPED[4:10] + b"name\0" + ZIPPED[10:], compression=1),
    "zipped badly":       uimage(ZIPPED[:10] + b"\xff" * 40, compression=1),
    "zipped half":        uimage(ZIPPED[:-12], compression=1),
    "not zipped":         uimage(b"this is no gzip at all", compression=1),
    "zipped otherwise":   uimage(CODE, compression=3),
    "for any address":    uimage(CODE, kind=14),
    "cut off":            uimage(CODE, size=1000),
    "a RAM disk":         uimage(CODE, kind=3),
}
# fmt: on


@pytest.mark.parametrize("kind", UIMAGES)
def test_a_u_boot_image_is_taken_as_by_the_reference(real_qemu: str, tmp_path: Path, kind: str) -> None:
    image = tmp_path / "image"
    image.write_bytes(UIMAGES[kind])
    for arguments in ((*VIRT, "-kernel", str(image)), (*VIRT, "-kernel", str(image), "-initrd", str(image))):
        assert ours(*arguments) == theirs(real_qemu, *arguments)


def word(place: int, value: int) -> Callable[[bytes], bytes]:
    """Overwrite one word."""
    return lambda tree: tree[:place] + struct.pack(">I", value) + tree[place + 4 :]


def behind(name: bytes, place: int, value: int) -> Callable[[bytes], bytes]:
    """Overwrite a word so many bytes behind a name."""
    return lambda tree: word(tree.index(name) + place, value)(tree)


# fmt: off
TREES: dict[str, Callable[[bytes], bytes]] = {
    "whole":                 lambda tree: tree,
    "empty":                 lambda tree: b"",
    "cut in the header":     lambda tree: tree[:39],
    "cut":                   lambda tree: tree[:1000],
    "no magic":              word(0, 0),
    "not finished":          word(0, 0x2FF20112),
    "no size":               word(4, 0),
    "far too large":         word(4, 0x7FFFFFF0),
    "structure elsewhere":   word(8, 0xFFFFFFF0),
    "version 16":            word(20, 16),
    "version 1":             word(20, 1),
    "strings too long":      word(32, 0xFFFFFF),
    "structure of nothing":  word(36, 0),
    "first word":            word(0x38, 5),
    "no /chosen":            behind(b"chosen\0", 0, int.from_bytes(b"chos", "big") + 1),
    "an unknown word":       behind(b"chosen\0", 8, 7),
    "a property too long":   behind(b"chosen\0", 12, 0x7FFFFF),
}
# fmt: on


@pytest.fixture(scope="module")
def tree() -> bytes:
    """The tree of a board, without its random seed."""
    with board(*VIRT) as process, process:
        fdt = process_tree()
    return re.sub(rb"\0rng-seed\0", b"\0rng-sed\0\0", fdt)


def process_tree() -> bytes:
    """The running process's tree, packed."""
    fdt = current_machine().fdt
    assert fdt is not None
    return fdt.blob()[: fdt.totalsize]


@pytest.mark.parametrize("kind", TREES)
def test_a_device_tree_is_taken_or_refused_as_by_the_reference(
    real_qemu: str, tmp_path: Path, tree: bytes, kind: str
) -> None:
    dtb = tmp_path / "board.dtb"
    dtb.write_bytes(TREES[kind](tree))
    arguments = (*VIRT, "-dtb", str(dtb))
    assert ours(*arguments) == theirs(real_qemu, *arguments)


def test_a_tree_from_a_file_is_the_guests_tree_and_gets_the_command_line(tmp_path: Path, tree: bytes) -> None:
    dtb, kernel = tmp_path / "board.dtb", tmp_path / "kernel"
    dtb.write_bytes(tree.replace(b"riscv-virtio,qemu", b"my-own-boardXYZ42"))
    kernel.write_bytes(CODE)
    with board(*VIRT, "-dtb", str(dtb), "-kernel", str(kernel), "-append", "quiet") as process, process:
        nodes = dict(fdt_nodes(fdt_over(bytearray(process_tree()))))
    assert nodes["/"]["model"] == b"my-own-boardXYZ42\0"
    assert nodes["/chosen"]["bootargs"] == b"quiet\0" and len(nodes["/chosen"]["rng-seed"]) == 32
