"""Back ends that come, change and go while the machine runs (QEMU chardev/char.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu_edu.chardev.char import (
    char_get_class,
    chardev_names,
    chardev_new,
    qemu_chr_find,
    qemu_chr_is_busy,
    qemu_chr_new_from_opts,
    qemu_chr_parse_opts,
)
from pyqemu_edu.chardev.char_fe import CharBackend, qemu_chr_fe_init
from pyqemu_edu.chardev.char_ringbuf import DEFAULT_SIZE
from pyqemu_edu.chardev.char_socket import check_server_and_wait
from pyqemu_edu.chardev.chardev import (
    TYPE_CHARDEV_MUX,
    Chardev,
    QEMUChrEvent,
    get_chardevs_root,
    qemu_chr_be_event,
)
from pyqemu_edu.io.addresses import SocketAddress
from pyqemu_edu.qom.klass import object_class_get_name, object_dynamic_cast
from pyqemu_edu.qom.link import object_property_add_child, object_property_try_add_child
from pyqemu_edu.qom.object import object_unparent, object_unref
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opts_del
from pyqemu_edu.util.option_parse import qemu_opts_parse_noisily

Backend = dict[str, Any]


# --- what QMP says of a back end, as the kinds of back ends want it


def file_backend(data: Backend) -> Backend:
    """`ChardevFile`."""
    return {"in": None, "append": False} | data


def ringbuf_backend(data: Backend) -> Backend:
    """`ChardevRingbuf`."""
    return {"size": DEFAULT_SIZE} | data


def stdio_backend(data: Backend) -> Backend:
    """`ChardevStdio`."""
    return {"signal": True} | data


def socket_backend(data: Backend) -> Backend:
    """`ChardevSocket`: it listens unless told to connect."""
    kind, where = data["addr"]["type"], data["addr"]["data"]
    if kind not in ("inet", "unix"):
        raise QemuError(f"Sockets of the kind '{kind}' are not supported by this model of QEMU")
    server = data.get("server", True)
    check_server_and_wait(server, "reconnect" in data, "wait" in data)
    addr = SocketAddress(where.get("path"), where.get("host", ""), where.get("port", ""))
    return {"addr": addr, "server": server, "wait": data.get("wait", False)}


FROM_QAPI: dict[str, Callable[[Backend], Backend]] = {
    "file": file_backend,
    "memory": ringbuf_backend,
    "ringbuf": ringbuf_backend,
    "socket": socket_backend,
    "stdio": stdio_backend,
}


def new_from_qapi(id: str, backend: Backend) -> Chardev:
    """A back end, open, that is in no list yet (Not in QEMU as a function)."""
    kind, data = backend["type"], backend["data"]
    cc = char_get_class(kind)
    return chardev_new(id, object_class_get_name(cc), FROM_QAPI.get(kind, dict)(data))


def new_from_opts(id: str, opts: QemuOpts) -> Chardev:
    """The same from options (Not in QEMU as a function)."""
    cc = char_get_class(qemu_opt_get(opts, "backend") or "")
    return chardev_new(id, object_class_get_name(cc), qemu_chr_parse_opts(cc, opts))


# --- commands


def qmp_query_chardev_backends() -> list[dict[str, str]]:
    """The kinds of back ends that there are."""
    return [{"name": name} for name in reversed(chardev_names())]


def qmp_chardev_add(id: str, backend: Backend) -> dict[str, Any]:
    """One more back end."""
    return add(id, lambda: new_from_qapi(id, backend))


def add(id: str, new: Callable[[], Chardev]) -> dict[str, Any]:
    """One more back end, whatever it is described by (in QEMU a part of `qmp_chardev_add`)."""
    if qemu_chr_find(id) is not None:
        raise QemuError(f"Chardev with id '{id}' already exists")
    try:
        chr = new()
        try:
            object_property_try_add_child(get_chardevs_root(), id, chr)
        finally:
            object_unref(chr)
    except QemuError as error:
        raise error.prepend(f"Failed to add chardev '{id}': ") from None
    return {}


def qmp_chardev_change(id: str, backend: Backend) -> dict[str, Any]:
    """Another back end in the place of one."""
    return change(id, lambda: new_from_qapi(id, backend))


def change(id: str, new: Callable[[], Chardev]) -> dict[str, Any]:
    """The same; the device that uses it must be ready for that (in QEMU a part of `qmp_chardev_change`)."""
    chr = qemu_chr_find(id)
    if chr is None:
        raise QemuError(f"Chardev '{id}' does not exist")
    if object_dynamic_cast(chr, TYPE_CHARDEV_MUX) is not None:
        raise QemuError("Mux device hotswap not supported yet")
    be: CharBackend | None = chr.be
    if be is None:
        object_unparent(chr)
        return add(id, new)
    if be.chr_be_change is None:
        raise QemuError("Chardev user does not support chardev hotswap")
    hand_over(chr, new(), be)
    return {}


def hand_over(chr: Chardev, chr_new: Chardev, be: CharBackend) -> None:
    """The device takes the new line (in QEMU a part of `qmp_chardev_change`)."""
    assert be.chr_be_change is not None
    if chr.be_open and not chr_new.be_open:
        qemu_chr_be_event(chr, QEMUChrEvent.CLOSED)
    chr.be = None
    qemu_chr_fe_init(be, chr_new)
    be.chr_be_change(be.opaque)
    object_unparent(chr)
    object_property_add_child(get_chardevs_root(), chr_new.label, chr_new)
    object_unref(chr_new)


def qmp_chardev_remove(id: str) -> None:
    """One back end less, unless somebody uses it."""
    chr = find(id)
    if qemu_chr_is_busy(chr):
        raise QemuError(f"Chardev '{id}' is busy")
    object_unparent(chr)


def qmp_chardev_send_break(id: str) -> None:
    """Hold the line low, which some take for a call for help."""
    qemu_chr_be_event(find(id), QEMUChrEvent.BREAK)


def find(id: str) -> Chardev:
    """The back end of that name; `QemuError` if there is none (Not in QEMU)."""
    chr = qemu_chr_find(id)
    if chr is None:
        raise QemuError(f"Chardev '{id}' not found")
    return chr


# --- the same for people (QEMU monitor/hmp-cmds.c)


def hmp_chardev_add(args: str) -> None:
    """A back end as `-chardev` describes it (QEMU monitor/hmp-cmds.c)."""
    opts = qemu_opts_parse_noisily(qemu_find_opts("chardev"), args, True)
    if opts is None:
        raise QemuError("Parsing chardev args failed")
    try:
        qemu_chr_new_from_opts(opts)
    finally:
        qemu_opts_del(opts)


def hmp_chardev_change(id: str, args: str) -> None:
    """Another back end, described as by `-chardev` (QEMU monitor/hmp-cmds.c)."""
    opts = qemu_opts_parse_noisily(qemu_find_opts("chardev"), args, True)
    if opts is None:
        raise QemuError("Parsing chardev args failed")
    try:
        if opts.id is not None:
            raise QemuError("Unexpected 'id' parameter")
        change(id, lambda: new_from_opts(id, opts))
    finally:
        qemu_opts_del(opts)
