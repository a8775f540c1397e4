"""Random numbers from a daemon at the other end of a character device (QEMU backends/rng-egd.c)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.backends.rng import (
    TYPE_RNG_BACKEND,
    RngBackend,
    RngRequest,
    rng_backend_class,
    rng_backend_finalize_request,
)
from pyqemu_edu.chardev.char import qemu_chr_find
from pyqemu_edu.chardev.char_fe import (
    CharBackend,
    qemu_chr_fe_deinit,
    qemu_chr_fe_init,
    qemu_chr_fe_set_handlers,
    qemu_chr_fe_write_all,
)
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.property_types import object_class_property_add_str
from pyqemu_edu.qom.qom_qmp_cmds import DeviceNotFound
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.util.error import QemuError

TYPE_RNG_EGD = "rng-egd"
ENTROPY_BLOCKING = 2
MOST_AT_ONCE = 255


@dataclass(eq=False)
class RngEgd(RngBackend):
    """The line to the daemon, and what has come of the first request."""

    chr: CharBackend = field(default_factory=CharBackend)
    chr_name: str | None = None
    data: bytearray = field(default_factory=bytearray)


def RNG_EGD(obj: object) -> RngEgd:
    """Cast to a source that asks a daemon."""
    return object_check(obj, RngEgd, TYPE_RNG_EGD)


def rng_egd_request_entropy(s: RngEgd, req: RngRequest) -> None:
    """Ask for the bytes, at most 255 at a time."""
    for asked in range(0, req.size, MOST_AT_ONCE):
        qemu_chr_fe_write_all(s.chr, bytes([ENTROPY_BLOCKING, min(req.size - asked, MOST_AT_ONCE)]))


def rng_egd_chr_can_read(s: RngEgd) -> int:
    """As many bytes as all who wait still want."""
    return sum(req.size for req in s.requests) - len(s.data)


def rng_egd_chr_read(s: RngEgd, buf: bytes) -> None:
    """Bytes have come: serve whoever has got all of theirs."""
    s.data += buf
    while s.requests and len(s.data) >= s.requests[0].size:
        req = s.requests[0]
        data, s.data = bytes(s.data[: req.size]), s.data[req.size :]
        req.receive_entropy(req.opaque, data)
        rng_backend_finalize_request(s, req)


def rng_egd_opened(s: RngEgd) -> None:
    """Claim the character device."""
    if s.chr_name is None:
        raise QemuError("Parameter 'chardev' expects a valid character device")
    chr = qemu_chr_find(s.chr_name)
    if chr is None:
        raise DeviceNotFound(f"Device '{s.chr_name}' not found")
    qemu_chr_fe_init(s.chr, chr)
    qemu_chr_fe_set_handlers(s.chr, rng_egd_chr_can_read, rng_egd_chr_read, None, s)


def rng_egd_set_chardev(s: RngEgd, value: str) -> None:
    """Setter of `chardev`."""
    if s.opened:
        raise QemuError("Property 'chardev' can no longer be set")
    s.chr_name = value


def rng_egd_get_chardev(s: RngEgd) -> str:
    """Getter of `chardev`: the name of the device whose line was taken."""
    return (s.chr.chr.label if s.chr.chr else "") or ""


def rng_egd_finalize(obj: Object) -> None:
    """Give the line back."""
    qemu_chr_fe_deinit(RNG_EGD(obj).chr)


def rng_egd_class_init(klass: ObjectClass) -> None:
    """How this kind is opened and serves."""
    rbc = rng_backend_class(klass)
    rbc.request_entropy = rng_egd_request_entropy
    rbc.opened = rng_egd_opened
    object_class_property_add_str(klass, "chardev", rng_egd_get_chardev, rng_egd_set_chardev)


type_init(
    TypeInfo(
        TYPE_RNG_EGD,
        parent=TYPE_RNG_BACKEND,
        instance_struct=RngEgd,
        class_init=rng_egd_class_init,
        instance_finalize=rng_egd_finalize,
    )
)
