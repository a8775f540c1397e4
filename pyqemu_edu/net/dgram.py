"""`-netdev dgram`: packets as datagrams, to one place or to a group (QEMU net/dgram.c).

Left out: sockets that the parent process has opened (`local.type=fd`).
"""

from __future__ import annotations

import os
import socket
from contextlib import suppress

from pyqemu_edu.net.net import NetClientInfo, NetClientState, qemu_set_info_str
from pyqemu_edu.net.socket import check_local, net_socket_fd_init_dgram, net_socket_mcast_create
from pyqemu_edu.net.sockets import (
    InetAddress,
    convert_host_port,
    datagram_socket,
    net_socket_cleanup,
    net_socket_receive_dgram,
)
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict

FD_ONLY = "Open sockets are not passed on to this model of QEMU"

net_dgram_socket_info = NetClientInfo("dgram", net_socket_receive_dgram, cleanup=net_socket_cleanup)


def net_dgram_mcast_init(peer: NetClientState | None, name: str, remote: InetAddress, local: QDict | None) -> None:
    """Join a group."""
    localaddr = None
    if local is not None:
        if local["type"] != "inet":
            raise QemuError("only support inet or fd type for local")
        localaddr = local["host"]
        check_local(localaddr)
    sock = net_socket_mcast_create(remote, localaddr)
    s = net_socket_fd_init_dgram(net_dgram_socket_info, peer, name, sock, remote)
    qemu_set_info_str(s, f"mcast={remote[0]}:{remote[1]}")


def net_init_dgram(netdev: QDict, name: str, peer: NetClientState | None) -> None:
    """`-netdev dgram`.  `QemuError`."""
    remote, local = netdev.get("remote"), netdev.get("local")
    if remote is not None and remote["type"] == "inet":
        address = convert_host_port(remote["host"], remote["port"])
        if 224 <= int(address[0].split(".")[0]) < 240:
            net_dgram_mcast_init(peer, name, address, local)
            return
    if local is None:
        raise QemuError("dgram requires local= parameter")
    if remote is None:
        raise QemuError(FD_ONLY if local["type"] == "fd" else "type=inet or type=unix requires remote parameter")
    if local["type"] == "fd":
        raise QemuError("don't set remote with local.fd")
    if remote["type"] != local["type"]:
        raise QemuError("remote and local types must be the same")
    if local["type"] == "inet":
        inet_dgram_init(peer, name, remote, local)
    elif local["type"] == "unix":
        unix_dgram_init(peer, name, remote["path"], local["path"])
    else:
        raise QemuError("only support inet or fd type for local")


def inet_dgram_init(peer: NetClientState | None, name: str, remote: QDict, local: QDict) -> None:
    """Over UDP (in QEMU a part of `net_init_dgram`)."""
    laddr = convert_host_port(local["host"], local["port"])
    raddr = convert_host_port(remote["host"], remote["port"])
    sock = datagram_socket(laddr, socket.AF_INET, f"ip={laddr[0]}")
    s = net_socket_fd_init_dgram(net_dgram_socket_info, peer, name, sock, raddr)
    qemu_set_info_str(s, f"udp={laddr[0]}:{laddr[1]}/{raddr[0]}:{raddr[1]}")


def unix_dgram_init(peer: NetClientState | None, name: str, remote: str, local: str) -> None:
    """Between two paths (in QEMU a part of `net_init_dgram`)."""
    with suppress(FileNotFoundError):
        os.unlink(local)
    sock = datagram_socket(local, socket.AF_UNIX, f"unix={local}")
    s = net_socket_fd_init_dgram(net_dgram_socket_info, peer, name, sock, remote)
    qemu_set_info_str(s, f"udp={local}:{remote}")
