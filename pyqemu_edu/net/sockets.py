"""A network over sockets, which `-netdev socket`, `stream` and `dgram` have in common (QEMU net/socket.c).

A client with a connection sends packets with their lengths; one with datagrams sends them as they are.
"""

from __future__ import annotations

import socket
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.io.handlers import qemu_set_fd_handler
from pyqemu_edu.net.frames import FrameTooLong, SocketReadState, framed, net_fill_rstate
from pyqemu_edu.net.net import (
    NET_BUFSIZE,
    NetClientState,
    qemu_flush_queued_packets,
    qemu_send_packet_async,
    qemu_set_info_str,
)
from pyqemu_edu.util.error import QemuError

InetAddress = tuple[str, int]


@dataclass(eq=False)
class NetSocketState(NetClientState):
    """The client; `outgoing` is the rest of a packet that the connection would not take at once."""

    listener: socket.socket | None = None
    sock: socket.socket | None = None
    rs: SocketReadState = field(default_factory=SocketReadState)
    outgoing: bytes = b""
    dgram_dst: Any = None
    datagrams: bool = False
    read_poll: bool = False
    write_poll: bool = False


# ---- addresses


def parse_host_port(text: str) -> InetAddress:
    """`host:port` (QEMU net/net.c).  `QemuError`."""
    host, colon, port = text.partition(":")
    if not colon:
        raise QemuError(f"host address '{text}' doesn't contain ':' separating host from port")
    return convert_host_port(host, port)


def convert_host_port(host: str, port: str) -> InetAddress:
    """A numeric address; no host means all of this machine (QEMU net/net.c).  `QemuError`."""
    address = "0.0.0.0"
    if host[:1].isdigit():
        try:
            address = socket.inet_ntoa(socket.inet_aton(host))
        except OSError:
            raise QemuError(f"host address '{host}' is not a valid IPv4 address") from None
    elif host:
        try:
            address = socket.gethostbyname(host)
        except OSError:
            raise QemuError(f"can't resolve host address '{host}'") from None
    try:
        return address, int(port, 0) & 0xFFFF
    except ValueError:
        raise QemuError(f"port number '{port}' is invalid") from None


def datagram_socket(address: Any, family: socket.AddressFamily, called: str) -> socket.socket:
    """A socket for datagrams, bound there (in QEMU written out).  `QemuError`."""
    sock = socket.socket(family, socket.SOCK_DGRAM)
    try:
        if family == socket.AF_INET:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
    except OSError as error:
        sock.close()
        raise QemuError(f"can't bind {called} to socket: {error.strerror}") from None
    sock.setblocking(False)
    return sock


# ---- reading


def net_socket_update_fd_handler(s: NetSocketState) -> None:
    """Wait for what the client wants to wait for."""
    if s.sock is not None:
        receive = net_socket_send_dgram if s.datagrams else net_socket_send
        qemu_set_fd_handler(s.sock, receive if s.read_poll else None, net_socket_writable if s.write_poll else None, s)


def net_socket_read_poll(s: NetSocketState, enable: bool) -> None:
    """Wait for bytes, or not."""
    s.read_poll = enable
    net_socket_update_fd_handler(s)


def net_socket_write_poll(s: NetSocketState, enable: bool) -> None:
    """Wait for room, or not."""
    s.write_poll = enable
    net_socket_update_fd_handler(s)


def net_socket_send_completed(s: NetSocketState, length: int) -> None:
    """The guest has taken a packet that waited: read on."""
    net_socket_read_poll(s, True)


def pass_on(s: NetSocketState, packet: bytes) -> None:
    """A packet for the guest; read no further until it has been taken (QEMU `net_socket_rs_finalize`)."""
    if qemu_send_packet_async(s, packet, net_socket_send_completed) == 0:
        net_socket_read_poll(s, False)


def net_socket_send(s: NetSocketState) -> None:
    """Bytes have come over the connection, or its end."""
    assert s.sock is not None
    try:
        data = s.sock.recv(NET_BUFSIZE)
        for packet in net_fill_rstate(s.rs, data):
            pass_on(s, packet)
    except BlockingIOError:
        return
    except (OSError, FrameTooLong):
        data = b""
    if not data:
        hang_up(s)


def net_socket_send_dgram(s: NetSocketState) -> None:
    """A datagram has come."""
    assert s.sock is not None
    with suppress(OSError):
        packet = s.sock.recv(NET_BUFSIZE)
        if packet:
            pass_on(s, packet)


def hang_up(s: NetSocketState) -> None:
    """The connection is over; a listener waits for the next one (in QEMU a part of `net_socket_send`)."""
    close_connection(s)
    s.link_down = True
    qemu_set_info_str(s, "")
    if s.listener is not None:
        qemu_set_fd_handler(s.listener, net_socket_accept, None, s)


def close_connection(s: NetSocketState) -> None:
    """Read and write no more (in QEMU a part of `net_socket_cleanup`)."""
    if s.sock is not None:
        net_socket_read_poll(s, False)
        net_socket_write_poll(s, False)
        s.sock.close()
    s.sock, s.rs, s.outgoing = None, SocketReadState(), b""


# ---- writing


def net_socket_writable(s: NetSocketState) -> None:
    """There is room again."""
    net_socket_write_poll(s, False)
    qemu_flush_queued_packets(s)


def net_socket_receive(s: NetSocketState, buf: bytes) -> int:
    """A packet from the guest, over the connection; 0 if not all of it goes now."""
    if s.sock is None:
        return len(buf)
    s.outgoing = s.outgoing or framed(buf)
    try:
        sent = s.sock.send(s.outgoing)
    except BlockingIOError:
        sent = 0
    except OSError:
        s.outgoing = b""
        return -1
    s.outgoing = s.outgoing[sent:]
    if s.outgoing:
        net_socket_write_poll(s, True)
        return 0
    return len(buf)


def net_socket_receive_dgram(s: NetSocketState, buf: bytes) -> int:
    """A packet from the guest, as a datagram."""
    assert s.sock is not None
    try:
        return s.sock.send(buf) if s.dgram_dst is None else s.sock.sendto(buf, s.dgram_dst)
    except BlockingIOError:
        net_socket_write_poll(s, True)
        return 0
    except OSError:
        return -1


# ---- connecting


def net_socket_accept(s: NetSocketState) -> None:
    """Somebody connects; nobody else can until that is over."""
    assert s.listener is not None
    try:
        sock, address = s.listener.accept()
    except OSError:
        return
    qemu_set_fd_handler(s.listener, None, None, s)
    net_socket_connect(s, sock)
    qemu_set_info_str(s, connection_info(s, sock, address))


def connection_info(s: NetSocketState, sock: socket.socket, address: Any) -> str:
    """Who it is, in the words of the kind of client (in QEMU each has its own function)."""
    if s.info.type == "stream":
        return socket_uri(sock.getsockname() if sock.family == socket.AF_UNIX else address)
    return f"socket: connection from {address[0]}:{address[1]}"


def socket_uri(address: Any) -> str:
    """An address as one word (QEMU util/qemu-sockets.c)."""
    return f"unix:{address}" if isinstance(address, str) else f"tcp:{address[0]}:{address[1]}"


def net_socket_connect(s: NetSocketState, sock: socket.socket) -> None:
    """There is a connection."""
    sock.setblocking(False)
    if sock.family == socket.AF_INET:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    s.sock = sock
    s.link_down = False
    net_socket_read_poll(s, True)


def net_socket_cleanup(s: NetSocketState) -> None:
    """Close everything."""
    close_connection(s)
    if s.listener is not None:
        qemu_set_fd_handler(s.listener, None, None, s)
        s.listener.close()
        s.listener = None
