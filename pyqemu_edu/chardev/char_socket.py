"""A socket, on which clients come and go, one at a time (QEMU chardev/char-socket.c).

Left out: telnet, tn3270 and websocket, TLS and reconnecting.
"""

from __future__ import annotations

import socket
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.chardev.chardev import (
    TYPE_CHARDEV,
    Chardev,
    ChardevClass,
    QEMUChrEvent,
    qemu_chr_be_event,
    qemu_chr_be_push,
)
from pyqemu_edu.io.addresses import SocketAddress, socket_connect, socket_listen
from pyqemu_edu.io.channel import QIOChannelSocket, qio_channel_socket_new
from pyqemu_edu.io.watch import SocketWatch, statics
from pyqemu_edu.qapi.visitor import Visitor, visit_type_any
from pyqemu_edu.qom.klass import object_check, object_class_check
from pyqemu_edu.qom.object import object_unref
from pyqemu_edu.qom.property import object_class_property_add
from pyqemu_edu.qom.property_types import object_class_property_add_bool
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.util.error import QemuError, info_report
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opt_get_bool

TYPE_CHARDEV_SOCKET = "chardev-socket"

NOT_HERE = ("telnet", "tn3270", "websocket", "tls-creds", "abstract")


@dataclass(eq=False)
class SocketChardev(Chardev):
    """The address, whether clients come or we go, and the connection if there is one."""

    addr: SocketAddress = field(default_factory=SocketAddress)
    is_listen: bool = False
    ioc: QIOChannelSocket | None = None
    watch: SocketWatch | None = None


def SOCKET_CHARDEV(obj: object) -> SocketChardev:
    """Cast to such a back end."""
    return object_check(obj, SocketChardev, TYPE_CHARDEV_SOCKET)


# --- bytes


def tcp_chr_write(chr: Chardev, buf: bytes) -> int:
    """Bytes for the client; without one they are lost."""
    watch = SOCKET_CHARDEV(chr).watch
    if watch is not None:
        watch.write(buf)
    return len(buf)


def tcp_chr_read(s: SocketChardev, data: bytes) -> None:
    """Bytes from the client."""
    qemu_chr_be_push(s, data)
    tcp_chr_read_on(s)


def tcp_chr_read_on(s: SocketChardev) -> None:
    """Have the client's next bytes read if the front end took the last ones (in QEMU `tcp_chr_read_poll`)."""
    if not s.pending and s.watch is not None and s.ioc is not None:
        s.watch.resume()


def tcp_chr_accept_input(chr: Chardev) -> None:
    """The front end has room again (Not in QEMU: the main loop polls there)."""
    qemu_chr_be_push(chr, b"")
    tcp_chr_read_on(SOCKET_CHARDEV(chr))


def tcp_get_msgfds(chr: Chardev) -> list[int]:
    """The files that the client has passed along."""
    watch = SOCKET_CHARDEV(chr).watch
    if watch is None:
        return []
    fds, watch.msgfds = watch.msgfds, []
    return fds


# --- clients


def tcp_chr_accept(s: SocketChardev, client: socket.socket) -> None:
    """A client has come."""
    tcp_chr_new_client(s, client)


def tcp_chr_new_client(s: SocketChardev, client: socket.socket) -> None:
    """Somebody to talk to."""
    s.ioc = qio_channel_socket_new(client)
    tcp_chr_connect(s)


def tcp_chr_connect(s: SocketChardev) -> None:
    """Tell the front end."""
    s.filename = qemu_chr_compute_filename(s)
    qemu_chr_be_event(s, QEMUChrEvent.OPENED)
    tcp_chr_read_on(s)


def tcp_chr_disconnect(s: SocketChardev) -> None:
    """The client has gone; the next one may come."""
    tcp_chr_free_connection(s)
    update_disconnected_filename(s)
    qemu_chr_be_event(s, QEMUChrEvent.CLOSED)


def tcp_chr_free_connection(s: SocketChardev) -> None:
    """Forget the client and what it had said."""
    s.pending.clear()
    if s.watch is not None:
        s.watch.hang_up()
    if s.ioc is not None:
        object_unref(s.ioc)
        s.ioc = None


def char_socket_yank(s: SocketChardev) -> None:
    """Cut the connection, whatever the client does (QEMU `char_socket_yank_iochannel`)."""
    if s.ioc is not None and s.ioc.sock is not None:
        s.ioc.sock.shutdown(socket.SHUT_RDWR)


# --- names


def qemu_chr_socket_address(s: SocketChardev, prefix: str) -> str:
    """The address in words."""
    server = ",server=on" if s.is_listen else ""
    where = f"unix:{s.addr.path}" if s.addr.path is not None else f"tcp:{s.addr.host}:{s.addr.port}"
    return f"{prefix}{where}{server}"


def update_disconnected_filename(s: SocketChardev) -> None:
    """What it is called while nobody is there."""
    s.filename = qemu_chr_socket_address(s, "disconnected:")


def qemu_chr_compute_filename(s: SocketChardev) -> str:
    """What it is called with a client."""
    assert s.ioc is not None
    assert s.ioc.sock is not None
    here = s.ioc.sock.getsockname()
    server = ",server=on" if s.is_listen else ""
    if s.ioc.sock.family == socket.AF_UNIX:
        return f"unix:{here}{server}"
    try:
        there = s.ioc.sock.getpeername()
    except OSError:
        there = ("", "")  # gone already
    left, right = "[]" if s.ioc.sock.family == socket.AF_INET6 else ("", "")
    return f"tcp:{left}{here[0]}{right}:{here[1]}{server} <-> {left}{there[0]}{right}:{there[1]}"


# --- opening


def qemu_chr_parse_socket(opts: QemuOpts) -> dict[str, Any]:
    """`path=`, or `host=` and `port=`; `server=on`, then also `wait=off`."""
    path, host, port = (qemu_opt_get(opts, name) for name in ("path", "host", "port"))
    if sum(each is not None for each in (path, host, qemu_opt_get(opts, "fd"))) > 1:
        raise QemuError("None or one of 'path', 'fd' or 'host' option required.")
    if host is not None and not port:
        raise QemuError("chardev: socket: no port given")
    if qemu_opt_get(opts, "delay") is not None and qemu_opt_get(opts, "nodelay") is not None:
        raise QemuError("'delay' and 'nodelay' are mutually exclusive")
    if path is None and host is None:
        raise QemuError(f"Unable to parse FD number {qemu_opt_get(opts, 'fd') or ''}")
    validate(opts)
    server = qemu_opt_get_bool(opts, "server", False)
    wait = qemu_opt_get_bool(opts, "wait", True)
    return {"addr": SocketAddress(path, host or "", port or ""), "server": server, "wait": server and wait}


def validate(opts: QemuOpts) -> None:
    """Refuse what does not go together, and what we have not (QEMU `qmp_chardev_validate_socket`)."""
    given = {name: qemu_opt_get(opts, name) is not None for name in ("reconnect", "wait")}
    check_server_and_wait(qemu_opt_get_bool(opts, "server", False), given["reconnect"], given["wait"])
    for name in NOT_HERE:
        if qemu_opt_get(opts, name) not in (None, "off", "no", "n", "false"):
            raise QemuError(f"'{name}' is not supported by this model of QEMU")


def check_server_and_wait(server: bool, has_reconnect: bool, has_wait: bool) -> None:
    """Who listens need not connect again, who connects need not wait (in QEMU a part of the above)."""
    if server and has_reconnect:
        raise QemuError("'reconnect' option is incompatible with socket in server listen mode")
    if not server and has_wait:
        raise QemuError("'wait' option is incompatible with socket in client connect mode")


def qmp_chardev_open_socket(chr: Chardev, backend: dict[str, Any]) -> bool:
    """Listen or connect; the line is open only when there is a client."""
    s = SOCKET_CHARDEV(chr)
    s.addr, s.is_listen = backend["addr"], backend["server"]
    update_disconnected_filename(s)
    if s.is_listen:
        qmp_chardev_open_socket_server(s, backend["wait"])
    else:
        watch_socket(s, None)
        connect(s, socket_connect(s.addr))
    return False


def qmp_chardev_open_socket_server(s: SocketChardev, is_waitconnect: bool) -> None:
    """Listen, and wait for the first client if that is wanted."""
    listener = socket_listen(s.addr)
    if s.addr.path is None:
        s.addr = SocketAddress(host=s.addr.host, port=str(listener.getsockname()[1]))
    elif not s.addr.path:
        s.addr = SocketAddress(path=listener.getsockname())
    update_disconnected_filename(s)
    first = None
    if is_waitconnect:
        info_report(f"QEMU waiting for connection on: {s.filename}")
        first, _ = listener.accept()
    watch_socket(s, listener)
    if first is not None:
        connect(s, first)


def watch_socket(s: SocketChardev, listener: socket.socket | None) -> None:
    """Have a thread wait for what comes (Not in QEMU)."""
    s.watch = SocketWatch(
        f"IO {s.label}",
        lambda client: tcp_chr_accept(s, client),
        lambda data: tcp_chr_read(s, data),
        lambda: tcp_chr_disconnect(s),
        listener,
    )


def connect(s: SocketChardev, client: socket.socket) -> None:
    """Take over a connection that is there (Not in QEMU as a function)."""
    assert s.watch is not None
    s.watch.connect(client)
    tcp_chr_new_client(s, client)


def char_socket_finalize(obj: Object) -> None:
    """Hang up, listen no longer, and take the path away."""
    s = SOCKET_CHARDEV(obj)
    if s.watch is not None and s.watch in statics().watches:
        s.watch.close()
        s.watch = None
    if s.ioc is not None:
        object_unref(s.ioc)
        s.ioc = None


def char_socket_get_addr(s: SocketChardev, v: Visitor, name: str, opaque: Any) -> None:
    """The property `addr`."""
    visit_type_any(v, name, s.addr.members())


def char_socket_get_connected(s: SocketChardev) -> bool:
    """The property `connected`."""
    return s.ioc is not None


def char_socket_class_init(klass: ObjectClass) -> None:
    """How a socket is parsed, opened, written to and closed."""
    cc = object_class_check(klass, ChardevClass, TYPE_CHARDEV)
    cc.supports_yank = True
    cc.parse = qemu_chr_parse_socket
    cc.open = qmp_chardev_open_socket
    cc.chr_write = tcp_chr_write
    cc.chr_accept_input = tcp_chr_accept_input
    cc.get_msgfds = tcp_get_msgfds
    object_class_property_add(cc, "addr", "SocketAddress", char_socket_get_addr)
    object_class_property_add_bool(cc, "connected", char_socket_get_connected)


type_init(
    TypeInfo(
        TYPE_CHARDEV_SOCKET,
        parent=TYPE_CHARDEV,
        instance_struct=SocketChardev,
        class_init=char_socket_class_init,
        instance_finalize=char_socket_finalize,
    )
)
