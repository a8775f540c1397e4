"""Files with a U-Boot header in front, as `mkimage` makes them (QEMU hw/core/loader.c, hw/core/uboot_image.h)."""

from __future__ import annotations

import struct
import zlib
from dataclasses import dataclass

from pyqemu_edu.hw.core.loader import rom_add_blob_fixed
from pyqemu_edu.process import current_process

IH_MAGIC = 0x27051956
HEADER = struct.Struct(">7I4B32s")

# fmt: off
IH_TYPE_KERNEL, IH_TYPE_RAMDISK, IH_TYPE_KERNEL_NOLOAD = 2, 3, 14
IH_COMP_NONE, IH_COMP_GZIP = 0, 1
UBOOT_MAX_GUNZIP_BYTES = 64 << 20

# gzip: which optional parts the header has
HEAD_CRC, EXTRA_FIELD, ORIG_NAME, COMMENT, RESERVED = 0x02, 0x04, 0x08, 0x10, 0xE0
DEFLATED = 8
# fmt: on


@dataclass(frozen=True, slots=True)
class UBootImageHeader:
    """What stands in front: how many bytes follow, where they go, where to begin, and what they are."""

    size: int
    load: int
    entry: int
    type: int
    compression: int


class BadImage(Exception):
    """A file that says it is U-Boot's but cannot be used; the text is what QEMU prints of it."""


def uboot_image_header(data: bytes) -> UBootImageHeader | None:
    """The header of a file; None if it has none."""
    if len(data) < HEADER.size:
        return None
    magic, _, _, size, load, entry, _, _, _, image_type, compression, _ = HEADER.unpack_from(data)
    return UBootImageHeader(size, load, entry, image_type, compression) if magic == IH_MAGIC else None


def load_uimage(filename: str) -> tuple[int, int] | None:
    """Enter a kernel where its header says: size and entry point; None, perhaps with a message, if it is none.

    (in QEMU 7.2 `load_uimage_as`)
    """
    data = read_image(filename)
    header = uboot_image_header(data)
    if header is None:
        return None
    try:
        check_type(header, IH_TYPE_KERNEL)
        image = uncompress(header, contents(header, data))
    except BadImage as problem:
        print(problem, end="", file=current_process().stderr, flush=True)
        return None
    rom_add_blob_fixed(filename, image, header.load)
    return len(image), header.entry


def load_ramdisk(filename: str, addr: int) -> int:
    """Enter what is behind the header at `addr`; its size, -1 if it is no RAM disk of this kind."""
    data = read_image(filename)
    header = uboot_image_header(data)
    if header is None:
        return -1
    try:
        check_type(header, IH_TYPE_RAMDISK)
        image = contents(header, data)
    except BadImage as problem:
        print(problem, end="", file=current_process().stderr, flush=True)
        return -1
    rom_add_blob_fixed(filename, image, addr)
    return len(image)


def read_image(filename: str) -> bytes:
    """The whole file; nothing if it cannot be read."""
    try:
        with open(filename, "rb") as stream:
            return stream.read()
    except OSError:
        return b""


def check_type(header: UBootImageHeader, image_type: int) -> None:
    """Refuse an image for another purpose (in QEMU part of `load_uboot_image`)."""
    if image_type == IH_TYPE_KERNEL and header.type == IH_TYPE_KERNEL_NOLOAD:
        raise BadImage("this image format (kernel_noload) cannot be loaded on this machine type")
    if header.type != image_type:
        raise BadImage(f"Wrong image type {header.type}, expected {image_type}\n")


def contents(header: UBootImageHeader, data: bytes) -> bytes:
    """What is behind the header (in QEMU part of `load_uboot_image`)."""
    image = data[HEADER.size : HEADER.size + header.size]
    if len(image) != header.size:
        raise BadImage("Error reading file\n")
    return image


def uncompress(header: UBootImageHeader, image: bytes) -> bytes:
    """What the image is meant to be in memory (in QEMU part of `load_uboot_image`)."""
    if header.compression == IH_COMP_NONE:
        return image
    if header.compression != IH_COMP_GZIP:
        raise BadImage(f"Unable to load u-boot images with compression type {header.compression}\n")
    unzipped = gunzip(image, UBOOT_MAX_GUNZIP_BYTES)
    if unzipped is None:
        raise BadImage("Unable to decompress gzipped image!\n")
    return unzipped


def gunzip(src: bytes, dstlen: int) -> bytes | None:
    """At most `dstlen` bytes out of `src`; None, with a message on standard output, if it is damaged or larger."""
    start = gzip_header_size(src)
    if start is None:
        return None
    stream = zlib.decompressobj(-zlib.MAX_WBITS)
    try:
        unzipped = stream.decompress(src[start:], dstlen)
        result = 0 if stream.eof else -5  # Z_BUF_ERROR
    except zlib.error as error:
        result = int(str(error).split()[1])
    if result:
        current_process().stdout.write(f"Error: inflate() returned {result}\n")
        return None
    return unzipped


def gzip_header_size(src: bytes) -> int | None:
    """Where the compressed data begin; None, with a message, if that is not in `src` (in QEMU part of `gunzip`)."""
    flags = src[3] if len(src) >= 4 else 0
    if len(src) >= 4 and (src[2] != DEFLATED or flags & RESERVED):
        current_process().stdout.write("Error: Bad gzipped data\n\n")
        return None
    start = 10
    if flags & EXTRA_FIELD and len(src) >= 12:
        start = 12 + int.from_bytes(src[10:12], "little")
    for part in (ORIG_NAME, COMMENT):
        if flags & part:
            start = src.find(0, start) + 1 or len(src)
    start += 2 * bool(flags & HEAD_CRC)
    if start >= len(src):
        current_process().stdout.write("Error: gunzip out of data in header\n\n")
        return None
    return start
