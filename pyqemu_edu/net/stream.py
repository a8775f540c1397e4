"""`-netdev stream`: a connection to another QEMU, of whichever kind sockets have (QEMU net/stream.c).

C connects and listens in the background; here it has happened when the function returns.
"""

from __future__ import annotations

from pyqemu_edu.io.addresses import SocketAddress, socket_connect, socket_listen
from pyqemu_edu.io.handlers import qemu_set_fd_handler
from pyqemu_edu.net.net import NetClientInfo, NetClientState, qemu_net_client_setup, qemu_set_info_str
from pyqemu_edu.net.sockets import (
    NetSocketState,
    net_socket_accept,
    net_socket_cleanup,
    net_socket_connect,
    net_socket_receive,
    socket_uri,
)
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict

net_stream_info = NetClientInfo("stream", net_socket_receive, cleanup=net_socket_cleanup)


def socket_address(addr: QDict) -> SocketAddress:
    """The address that the options describe (Not in QEMU)."""
    if addr["type"] == "unix":
        return SocketAddress(path=addr["path"])
    return SocketAddress(host=addr.get("host", ""), port=addr.get("port", ""))


def net_stream_server_init(s: NetSocketState, addr: SocketAddress) -> None:
    """Wait for a connection."""
    s.listener = socket_listen(addr)
    s.listener.setblocking(False)
    qemu_set_fd_handler(s.listener, net_socket_accept, None, s)


def net_stream_client_init(s: NetSocketState, addr: SocketAddress) -> None:
    """Connect."""
    sock = socket_connect(addr)
    net_socket_connect(s, sock)
    qemu_set_info_str(s, socket_uri(sock.getpeername()))


def net_init_stream(netdev: QDict, name: str, peer: NetClientState | None) -> None:
    """`-netdev stream`; that nobody is there is no error, only said by `info network`."""
    s = NetSocketState(net_stream_info, "stream", link_down=True)
    qemu_net_client_setup(s, peer, name)
    init = net_stream_server_init if netdev.get("server") else net_stream_client_init
    try:
        init(s, socket_address(netdev["addr"]))
    except QemuError:
        qemu_set_info_str(s, "connection error")
