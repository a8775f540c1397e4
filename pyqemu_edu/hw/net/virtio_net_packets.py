"""Packets between a virtio network card and its cable (QEMU hw/net/virtio-net.c).

Before each packet, in both directions, lies a header with what one side has left for the other to do.  No back end here
does any of it, so the header is empty.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.hw.net.virtio_net_filter import ReceiveFilter
from pyqemu_edu.hw.virtio.virtio_device import (
    VIRTIO_CONFIG_S_DRIVER_OK,
    VirtIODevice,
    VirtQueue,
    VirtQueueElement,
)
from pyqemu_edu.hw.virtio.virtio_notify import virtio_error
from pyqemu_edu.hw.virtio.virtqueue import (
    GuestError,
    virtio_notify,
    virtqueue_detach_element,
    virtqueue_drop_all,
    virtqueue_fill,
    virtqueue_flush,
    virtqueue_get_avail_bytes,
    virtqueue_pop,
    virtqueue_push,
    virtqueue_unpop,
)
from pyqemu_edu.hw.virtio.vring import (
    virtio_queue_empty,
    virtio_queue_ready,
    virtio_queue_set_notification,
)
from pyqemu_edu.net.net import (
    NICConf,
    NICState,
    qemu_flush_queued_packets,
    qemu_send_packet_async,
)
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.util.assertion import c_assert
from pyqemu_edu.util.iov import iov_from_buf, iov_size, iov_to_buf
from pyqemu_edu.util.main_loop import QEMUBH, qemu_bh_schedule

TYPE_VIRTIO_NET = "virtio-net-device"
VIRTIO_NET_S_LINK_UP = 1
HEADER, HEADER_MERGED = 10, 12
"""The length of the header; the longer one ends with the number of buffers (QEMU `virtio_net_hdr_mrg_rxbuf`)."""


@dataclass(eq=False)
class NetConf:
    """What the user says of the card beyond its address and back end (QEMU `virtio_net_conf`)."""

    txtimer: int = 0
    txburst: int = 0
    tx: str | None = None
    rx_queue_size: int = 0
    tx_queue_size: int = 0
    mtu: int = 0
    speed: int = 0
    duplex_str: str | None = None


@dataclass(eq=False)
class VirtIONet(VirtIODevice):
    """The card; `async_tx` is the request whose packet the back end has not taken yet."""

    mac: bytes = bytes(6)
    net_status: int = 0
    nic: NICState = field(init=False, repr=False)
    nic_conf: NICConf = field(default_factory=NICConf)
    netclient_name: str | None = None
    netclient_type: str = ""
    net_conf: NetConf = field(default_factory=NetConf)
    net_features: int = 0
    rx_vq: VirtQueue = field(init=False, repr=False)
    tx_vq: VirtQueue = field(init=False, repr=False)
    ctrl_vq: VirtQueue = field(init=False, repr=False)
    tx_bh: QEMUBH = field(init=False, repr=False)
    tx_waiting: bool = False
    async_tx: VirtQueueElement | None = None
    filter: ReceiveFilter = field(default_factory=ReceiveFilter)
    mergeable_rx_bufs: bool = False
    guest_hdr_len: int = HEADER
    rsc_timeout: int = 0
    mtu_bypass_backend: bool = False
    failover: bool = False


def virtio_net(obj: object) -> VirtIONet:
    """The object as such a card (QEMU `VIRTIO_NET`)."""
    return object_check(obj, VirtIONet, TYPE_VIRTIO_NET)


# ---- from the network to the guest


def virtio_net_can_receive(nic: NICState) -> bool:
    """Whether there is a driver."""
    n: VirtIONet = nic.opaque
    return n.vm_running and virtio_queue_ready(n.rx_vq) and bool(n.status & VIRTIO_CONFIG_S_DRIVER_OK)


def virtio_net_has_buffers(n: VirtIONet, bufsize: int) -> bool:
    """Whether the driver has left room; without any, it shall tell us when there is."""
    enough = not virtio_queue_empty(n.rx_vq) and not n.mergeable_rx_bufs
    enough = enough or virtqueue_get_avail_bytes(n.rx_vq, bufsize, 0)[0] >= bufsize
    virtio_queue_set_notification(n.rx_vq, not enough)
    return enough


def virtio_net_receive(nic: NICState, buf: bytes) -> int:
    """A packet has come: 0 if there is no room for it, negative if it cannot be taken at all."""
    n: VirtIONet = nic.opaque
    if not virtio_net_can_receive(nic):
        return -1
    if not virtio_net_has_buffers(n, len(buf) + n.guest_hdr_len):
        return 0
    if not n.filter.accepts(n.mac, buf):
        return len(buf)
    filled: list[tuple[VirtQueueElement, int]] = []
    try:
        taken = fill_buffers(n, buf, filled)
    except GuestError as error:
        virtio_error(n, str(error))
        taken = -1
    if taken <= 0:
        for elem, length in filled:
            virtqueue_detach_element(n.rx_vq, elem, length)
        return taken or len(buf)
    give_back(n, filled)
    return len(buf)


def fill_buffers(n: VirtIONet, buf: bytes, filled: list[tuple[VirtQueueElement, int]]) -> int:
    """Pour the packet, header first, into requests: 0 if one should be enough and is not; negative without any.

    (in QEMU a part of `virtio_net_receive_rcu`)
    """
    packet = bytes(n.guest_hdr_len) + buf
    offset = 0
    while offset < len(packet):
        elem = virtqueue_pop(n.rx_vq)
        if elem is None:
            if filled:
                raise GuestError(unexpected_empty_queue(n, len(filled), offset - n.guest_hdr_len, len(buf)))
            return -1
        if not elem.in_sg:
            virtio_error(n, "virtio-net receive queue contains no in buffers")
            virtqueue_detach_element(n.rx_vq, elem, 0)
            return -1
        if not filled:
            check_room_for_header(n, iov_size(elem.in_sg))
        length = iov_from_buf(elem.in_sg, 0, memoryview(packet)[offset:])
        offset += length
        if not n.mergeable_rx_bufs and offset < len(packet):
            virtqueue_unpop(n.rx_vq, elem, length)
            return 0
        filled.append((elem, length))
    return len(filled)


def check_room_for_header(n: VirtIONet, size: int) -> None:
    """C's assertions about the first buffer: a driver that leaves too small a one ends QEMU (Not in QEMU)."""
    c_assert(size >= HEADER or not n.mergeable_rx_bufs, "util/iov.c:269:iov_copy", "offset == 0")
    c_assert(size >= n.guest_hdr_len, "util/iov.c:39:iov_from_buf_full", "offset == 0")


def unexpected_empty_queue(n: VirtIONet, i: int, offset: int, size: int) -> str:
    """The words for room that was there a moment ago (Not in QEMU)."""
    where = f"i {i} mergeable {int(n.mergeable_rx_bufs)} offset {offset}, size {size}"
    lengths = f"guest hdr len {n.guest_hdr_len}, host hdr len 0 guest features 0x{n.guest_features:x}"
    return f"virtio-net unexpected empty queue: {where}, {lengths}"


def give_back(n: VirtIONet, filled: list[tuple[VirtQueueElement, int]]) -> None:
    """The requests are done, all at once (in QEMU a part of `virtio_net_receive_rcu`)."""
    if n.guest_hdr_len == HEADER_MERGED:
        count = len(filled) if n.mergeable_rx_bufs else 0
        iov_from_buf(filled[0][0].in_sg, HEADER, count.to_bytes(2, "little"))
    for j, (elem, length) in enumerate(filled):
        virtqueue_fill(n.rx_vq, elem, length, j)
    virtqueue_flush(n.rx_vq, len(filled))
    virtio_notify(n, n.rx_vq)


def virtio_net_handle_rx(vdev: VirtIODevice, vq: VirtQueue) -> None:
    """The driver has left room: take what waits."""
    qemu_flush_queued_packets(virtio_net(vdev).nic)


# ---- from the guest to the network


def virtio_net_tx_complete(nic: NICState, length: int) -> None:
    """The back end has taken a packet that waited: go on."""
    n: VirtIONet = nic.opaque
    assert n.async_tx is not None
    elem, n.async_tx = n.async_tx, None
    virtqueue_push(n.tx_vq, elem, 0)
    virtio_notify(n, n.tx_vq)
    virtio_queue_set_notification(n.tx_vq, True)
    if virtio_net_flush_tx(n) >= n.net_conf.txburst:
        virtio_queue_set_notification(n.tx_vq, False)
        schedule_tx(n)


def schedule_tx(n: VirtIONet) -> None:
    """Send in a moment (in QEMU written out)."""
    n.tx_waiting = True
    qemu_bh_schedule(n.tx_bh)


def virtio_net_flush_tx(n: VirtIONet) -> int:
    """Send what the driver has queued, up to a burst; how many, or negative if one waits or the device is broken."""
    if not n.status & VIRTIO_CONFIG_S_DRIVER_OK:
        return 0
    if n.async_tx is not None:
        virtio_queue_set_notification(n.tx_vq, False)
        return 0
    num_packets = 0
    while num_packets < n.net_conf.txburst and (elem := virtqueue_pop(n.tx_vq)) is not None:
        size = iov_size(elem.out_sg)
        c_assert(not elem.out_sg or size >= n.guest_hdr_len, "util/iov.c:269:iov_copy", "offset == 0")
        if not elem.out_sg or size <= n.guest_hdr_len:
            what = "virtio-net nothing to send" if elem.out_sg else "virtio-net header not in first element"
            virtio_error(n, what)
            virtqueue_detach_element(n.tx_vq, elem, 0)
            return -1
        packet = iov_to_buf(elem.out_sg, n.guest_hdr_len, size)
        n.async_tx = elem
        if qemu_send_packet_async(n.nic, packet, virtio_net_tx_complete) == 0:
            virtio_queue_set_notification(n.tx_vq, False)
            return -1
        n.async_tx = None
        virtqueue_push(n.tx_vq, elem, 0)
        virtio_notify(n, n.tx_vq)
        num_packets += 1
    return num_packets


def virtio_net_drop_tx_queue_data(n: VirtIONet) -> None:
    """The cable is out: what would be sent is lost."""
    if virtqueue_drop_all(n.tx_vq):
        virtio_notify(n, n.tx_vq)


def virtio_net_handle_tx_bh(vdev: VirtIODevice, vq: VirtQueue) -> None:
    """The driver has queued packets: send them in a moment, with those that come meanwhile."""
    n = virtio_net(vdev)
    if not n.net_status & VIRTIO_NET_S_LINK_UP:
        virtio_net_drop_tx_queue_data(n)
    elif not n.tx_waiting:
        n.tx_waiting = True
        if n.vm_running:
            virtio_queue_set_notification(vq, False)
            qemu_bh_schedule(n.tx_bh)


def virtio_net_tx_bh(n: VirtIONet) -> None:
    """Send; if there is more, come again."""
    if not n.vm_running:
        return
    n.tx_waiting = False
    if not n.status & VIRTIO_CONFIG_S_DRIVER_OK:
        return
    ret = virtio_net_flush_tx(n)
    if ret < 0:
        return
    if ret >= n.net_conf.txburst:
        schedule_tx(n)
        return
    virtio_queue_set_notification(n.tx_vq, True)
    if virtio_net_flush_tx(n) > 0:
        virtio_queue_set_notification(n.tx_vq, False)
        schedule_tx(n)
