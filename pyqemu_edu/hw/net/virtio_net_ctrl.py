"""What a driver says to its network card through the control queue (QEMU hw/net/virtio-net.c).

Left out: several queues, hashes and offloading, which no back end here has: such a message is refused.
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from typing import TYPE_CHECKING

from pyqemu_edu.hw.net.virtio_net_filter import MAC_TABLE_ENTRIES, MAX_VLAN
from pyqemu_edu.hw.virtio.virtqueue import GuestError
from pyqemu_edu.net.net import qemu_format_nic_info_str
from pyqemu_edu.util.iov import iov_size, iov_to_buf

if TYPE_CHECKING:
    from pyqemu_edu.hw.net.virtio_net_packets import VirtIONet
    from pyqemu_edu.hw.virtio.virtio_device import VirtQueueElement

VIRTIO_NET_CTRL_RX, VIRTIO_NET_CTRL_MAC, VIRTIO_NET_CTRL_VLAN, VIRTIO_NET_CTRL_ANNOUNCE = range(4)
VIRTIO_NET_CTRL_MAC_TABLE_SET, VIRTIO_NET_CTRL_MAC_ADDR_SET = 0, 1
VIRTIO_NET_CTRL_VLAN_ADD, VIRTIO_NET_CTRL_VLAN_DEL = 0, 1
VIRTIO_NET_CTRL_ANNOUNCE_ACK = 0
VIRTIO_NET_OK, VIRTIO_NET_ERR = 0, 1
VIRTIO_NET_S_ANNOUNCE = 2
ENTRIES = struct.Struct("<I")


def virtio_net_handle_rx_mode(n: VirtIONet, cmd: int, data: bytes) -> bool:
    """A mode on or off."""
    if not data or cmd >= len(n.filter.modes):
        return False
    n.filter.modes[cmd] = bool(data[0])
    return True


def virtio_net_handle_mac(n: VirtIONet, cmd: int, data: bytes) -> bool:
    """Another address, or other tables of addresses."""
    if cmd == VIRTIO_NET_CTRL_MAC_ADDR_SET:
        if len(data) != 6:
            return False
        n.mac = data
        qemu_format_nic_info_str(n.nic, n.mac)
        return True
    return cmd == VIRTIO_NET_CTRL_MAC_TABLE_SET and set_mac_tables(n, data)


def set_mac_tables(n: VirtIONet, data: bytes) -> bool:
    """Two tables, each with its length before it, and together not too long (QEMU `virtio_net_handle_mac`)."""
    tables: list[list[bytes] | None] = []
    room = MAC_TABLE_ENTRIES
    for _ in range(2):
        if len(data) < ENTRIES.size:
            return False
        (entries,) = ENTRIES.unpack_from(data)
        data = data[ENTRIES.size :]
        size = entries * 6 & 0xFFFFFFFF
        if size > len(data) or (tables and size != len(data)):
            return False
        fits = entries <= room
        tables.append([data[i : i + 6] for i in range(0, size, 6)] if fits else None)
        room -= entries if fits else 0
        data = data[size:]
    n.filter.unicast, n.filter.multicast = tables
    return True


def virtio_net_handle_vlan_table(n: VirtIONet, cmd: int, data: bytes) -> bool:
    """Take the packets of a virtual network, or no longer."""
    vid = int.from_bytes(data[:2], "little")
    if len(data) < 2 or vid >= MAX_VLAN or cmd not in (VIRTIO_NET_CTRL_VLAN_ADD, VIRTIO_NET_CTRL_VLAN_DEL):
        return False
    if cmd == VIRTIO_NET_CTRL_VLAN_ADD:
        n.filter.vlans.add(vid)
    else:
        n.filter.vlans.discard(vid)
    return True


def virtio_net_handle_announce(n: VirtIONet, cmd: int, data: bytes) -> bool:
    """The driver has announced itself to the network."""
    if cmd != VIRTIO_NET_CTRL_ANNOUNCE_ACK or not n.net_status & VIRTIO_NET_S_ANNOUNCE:
        return False
    n.net_status &= ~VIRTIO_NET_S_ANNOUNCE
    return True


CLASSES: dict[int, Callable[[VirtIONet, int, bytes], bool]] = {
    VIRTIO_NET_CTRL_RX: virtio_net_handle_rx_mode,
    VIRTIO_NET_CTRL_MAC: virtio_net_handle_mac,
    VIRTIO_NET_CTRL_VLAN: virtio_net_handle_vlan_table,
    VIRTIO_NET_CTRL_ANNOUNCE: virtio_net_handle_announce,
}


def virtio_net_handle_ctrl_iov(n: VirtIONet, elem: VirtQueueElement) -> int:
    """The answer to a message: class, command, data; `GuestError` for one without."""
    length = iov_size(elem.out_sg)
    if not iov_size(elem.in_sg) or length < 2:
        raise GuestError("virtio-net ctrl missing headers")
    kind, cmd, *_ = message = iov_to_buf(elem.out_sg, 0, length)
    handle = CLASSES.get(kind)
    done = handle is not None and handle(n, cmd, message[2:])
    return VIRTIO_NET_OK if done else VIRTIO_NET_ERR
