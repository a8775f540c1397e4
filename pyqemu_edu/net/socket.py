"""`-netdev socket`: a cable to another QEMU, as a connection or as datagrams (QEMU net/socket.c).

Left out: sockets that the parent process has opened (`fd=`).
"""

from __future__ import annotations

import socket
import struct
from contextlib import suppress

from pyqemu_edu.io.handlers import qemu_set_fd_handler
from pyqemu_edu.net.net import NetClientInfo, NetClientState, qemu_net_client_setup, qemu_set_info_str
from pyqemu_edu.net.sockets import (
    InetAddress,
    NetSocketState,
    datagram_socket,
    net_socket_accept,
    net_socket_cleanup,
    net_socket_connect,
    net_socket_read_poll,
    net_socket_receive,
    net_socket_receive_dgram,
    parse_host_port,
)
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict

net_socket_info = NetClientInfo("socket", net_socket_receive, cleanup=net_socket_cleanup)
net_dgram_socket_info = NetClientInfo("socket", net_socket_receive_dgram, cleanup=net_socket_cleanup)


def net_socket_fd_init_dgram(
    info: NetClientInfo, peer: NetClientState | None, name: str, sock: socket.socket, dst: object
) -> NetSocketState:
    """A client for datagrams."""
    s = NetSocketState(info, info.type, sock=sock, dgram_dst=dst, datagrams=True)
    qemu_net_client_setup(s, peer, name)
    net_socket_read_poll(s, True)
    return s


def net_socket_listen_init(peer: NetClientState | None, name: str, host_str: str) -> None:
    """Wait for a connection."""
    address = parse_host_port(host_str)
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        sock.bind(address)
        sock.listen(0)
    except OSError as error:
        sock.close()
        raise QemuError(f"can't bind ip={address[0]} to socket: {error.strerror}") from None
    sock.setblocking(False)
    s = NetSocketState(net_socket_info, "socket", link_down=True, listener=sock)
    qemu_net_client_setup(s, peer, name)
    qemu_set_fd_handler(sock, net_socket_accept, None, s)


def net_socket_connect_init(peer: NetClientState | None, name: str, host_str: str) -> None:
    """Connect; C does not wait for that to happen."""
    address = parse_host_port(host_str)
    s = NetSocketState(net_socket_info, "socket")
    sock = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
    with suppress(OSError):
        sock.connect(address)
    qemu_net_client_setup(s, peer, name)
    net_socket_connect(s, sock)
    qemu_set_info_str(s, f"socket: connect to {address[0]}:{address[1]}")


def net_socket_mcast_create(mcastaddr: InetAddress, localaddr: str | None) -> socket.socket:
    """A socket in a group.  `QemuError`."""
    packed = socket.inet_aton(mcastaddr[0])
    number = int.from_bytes(packed, "big")
    if number >> 28 != 0xE:
        raise QemuError(f"specified mcastaddr {mcastaddr[0]} (0x{number:08x}) does not contain a multicast address")
    sock = datagram_socket(mcastaddr, socket.AF_INET, f"ip={mcastaddr[0]}")
    try:
        local = socket.inet_aton(localaddr or "0.0.0.0")
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, struct.pack("4s4s", packed, local))
        sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_LOOP, 1)
        if localaddr is not None:
            sock.setsockopt(socket.IPPROTO_IP, socket.IP_MULTICAST_IF, local)
    except OSError as error:
        sock.close()
        raise QemuError(f"can't add socket to multicast group {mcastaddr[0]}: {error.strerror}") from None
    return sock


def net_socket_mcast_init(peer: NetClientState | None, name: str, host_str: str, localaddr: str | None) -> None:
    """Join a group: all who did hear each other."""
    address = parse_host_port(host_str)
    check_local(localaddr)
    sock = net_socket_mcast_create(address, localaddr)
    s = net_socket_fd_init_dgram(net_dgram_socket_info, peer, name, sock, address)
    qemu_set_info_str(s, f"socket: mcast={address[0]}:{address[1]}")


def check_local(localaddr: str | None) -> None:
    """`QemuError` for what is no numeric address (in QEMU written out)."""
    try:
        socket.inet_aton(localaddr or "0.0.0.0")
    except OSError:
        raise QemuError(f"localaddr '{localaddr}' is not a valid IPv4 address") from None


def net_socket_udp_init(peer: NetClientState | None, name: str, rhost: str, lhost: str) -> None:
    """Datagrams to one place, from another."""
    laddr, raddr = parse_host_port(lhost), parse_host_port(rhost)
    sock = datagram_socket(laddr, socket.AF_INET, f"ip={laddr[0]}")
    s = net_socket_fd_init_dgram(net_dgram_socket_info, peer, name, sock, raddr)
    qemu_set_info_str(s, f"socket: udp={raddr[0]}:{raddr[1]}")


def net_init_socket(netdev: QDict, name: str, peer: NetClientState | None) -> None:
    """`-netdev socket`.  `QemuError`."""
    kinds = [kind for kind in ("fd", "listen", "connect", "mcast", "udp") if kind in netdev]
    localaddr = netdev.get("localaddr")
    if len(kinds) != 1:
        raise QemuError("exactly one of listen=, connect=, mcast= or udp= is required")
    if localaddr is not None and kinds[0] not in ("mcast", "udp"):
        raise QemuError("localaddr= is only valid with mcast= or udp=")
    match kinds[0]:
        case "fd":
            raise QemuError("Open sockets are not passed on to this model of QEMU")
        case "listen":
            net_socket_listen_init(peer, name, netdev["listen"])
        case "connect":
            net_socket_connect_init(peer, name, netdev["connect"])
        case "mcast":
            net_socket_mcast_init(peer, name, netdev["mcast"], localaddr)
        case _ if localaddr is None:
            raise QemuError("localaddr= is mandatory with udp=")
        case _:
            net_socket_udp_init(peer, name, netdev["udp"], localaddr)
