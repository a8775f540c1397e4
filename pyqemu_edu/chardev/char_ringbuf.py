"""A buffer in memory that keeps the newest output (QEMU chardev/char-ringbuf.c)."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.chardev.char import qemu_chr_find
from pyqemu_edu.chardev.chardev import TYPE_CHARDEV, Chardev, ChardevClass
from pyqemu_edu.qom.klass import object_check, object_class_check, object_dynamic_cast
from pyqemu_edu.qom.struct import ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get_size

TYPE_CHARDEV_RINGBUF = "chardev-ringbuf"
TYPE_CHARDEV_MEMORY = "chardev-memory"
DEFAULT_SIZE = 65536


@dataclass(eq=False)
class RingBufChardev(Chardev):
    """The last `size` bytes written."""

    size: int = 0
    cbuf: bytearray = field(default_factory=bytearray)


def RINGBUF_CHARDEV(obj: object) -> RingBufChardev:
    """Cast to such a buffer."""
    return object_check(obj, RingBufChardev, TYPE_CHARDEV_RINGBUF)


def qemu_chr_parse_ringbuf(opts: QemuOpts) -> dict[str, Any]:
    """`size=`, 64 KiB unless said otherwise."""
    return {"size": qemu_opt_get_size(opts, "size", 0) or DEFAULT_SIZE}


def qemu_chr_open_ringbuf(chr: Chardev, backend: dict[str, Any]) -> bool:
    """The size must be a power of two."""
    size = backend["size"]
    if size & (size - 1):
        raise QemuError("size of ringbuf chardev must be power of two")
    RINGBUF_CHARDEV(chr).size = size
    return True


def ringbuf_chr_write(chr: Chardev, buf: bytes) -> int:
    """Keep it; the oldest goes."""
    d = RINGBUF_CHARDEV(chr)
    d.cbuf += buf
    del d.cbuf[: -d.size]
    return len(buf)


def qmp_ringbuf_read(device: str, size: int) -> bytes:
    """Take out the oldest `size` bytes."""
    chr = find_ringbuf(device)
    if size <= 0:
        raise QemuError("size must be greater than zero")
    data = bytes(chr.cbuf[:size])
    del chr.cbuf[:size]
    return data


def qmp_ringbuf_write(device: str, data: bytes) -> None:
    """Add to the buffer, as the guest does."""
    ringbuf_chr_write(find_ringbuf(device), data)


def find_ringbuf(device: str) -> RingBufChardev:
    """The buffer of that name (in QEMU part of both functions above)."""
    chr = qemu_chr_find(device)
    if chr is None:
        raise QemuError(f"Device '{device}' not found")
    if object_dynamic_cast(chr, TYPE_CHARDEV_RINGBUF) is None:
        raise QemuError(f"{device} is not a ringbuf device")
    return RINGBUF_CHARDEV(chr)


def char_ringbuf_class_init(klass: ObjectClass) -> None:
    """How a ring buffer is parsed, opened and written to."""
    cc = object_class_check(klass, ChardevClass, TYPE_CHARDEV)
    cc.parse = qemu_chr_parse_ringbuf
    cc.open = qemu_chr_open_ringbuf
    cc.chr_write = ringbuf_chr_write


type_init(
    TypeInfo(
        TYPE_CHARDEV_RINGBUF,
        parent=TYPE_CHARDEV,
        instance_struct=RingBufChardev,
        class_init=char_ringbuf_class_init,
    ),
    TypeInfo(TYPE_CHARDEV_MEMORY, parent=TYPE_CHARDEV_RINGBUF),
)
