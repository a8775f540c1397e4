"""A network card for the guest (QEMU hw/net/virtio-net.c).

Left out: several queues, sums and segments done by the host, hashes,
announcements, standby cards, sending by timer (`tx=timer`), and saving.
"""

from __future__ import annotations

import struct
from typing import Any

from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_BIT64,
    DEFINE_PROP_BOOL,
    DEFINE_PROP_INT32,
    DEFINE_PROP_STRING,
    DEFINE_PROP_UINT16,
    DEFINE_PROP_UINT32,
    device_class_set_props,
)
from pyqemu_edu.hw.core.qdev_properties_net import DEFINE_NIC_PROPERTIES
from pyqemu_edu.hw.net.virtio_net_ctrl import virtio_net_handle_ctrl_iov
from pyqemu_edu.hw.net.virtio_net_filter import ALL_VLANS, ReceiveFilter
from pyqemu_edu.hw.net.virtio_net_packets import (
    HEADER,
    HEADER_MERGED,
    TYPE_VIRTIO_NET,
    VIRTIO_NET_S_LINK_UP,
    VirtIONet,
    virtio_net,
    virtio_net_can_receive,
    virtio_net_drop_tx_queue_data,
    virtio_net_handle_rx,
    virtio_net_handle_tx_bh,
    virtio_net_receive,
    virtio_net_tx_bh,
)
from pyqemu_edu.hw.virtio.virtio import virtio_add_queue, virtio_cleanup, virtio_del_queue, virtio_init
from pyqemu_edu.hw.virtio.virtio_device import (
    TYPE_VIRTIO_DEVICE,
    VIRTIO_CONFIG_S_DRIVER_OK,
    VIRTIO_F_VERSION_1,
    VIRTIO_ID_NET,
    VIRTQUEUE_MAX_SIZE,
    VirtIODevice,
    VirtioDeviceClass,
    VirtQueue,
    virtio_has_feature,
    virtio_vdev_has_feature,
)
from pyqemu_edu.hw.virtio.virtio_notify import virtio_error, virtio_notify_config
from pyqemu_edu.hw.virtio.virtqueue import (
    GuestError,
    virtio_notify,
    virtqueue_detach_element,
    virtqueue_pop,
    virtqueue_push,
)
from pyqemu_edu.hw.virtio.vring import (
    virtio_queue_set_notification,
)
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.net.net import (
    NetClientInfo,
    NICState,
    qemu_del_nic,
    qemu_flush_or_purge_queued_packets,
    qemu_flush_queued_packets,
    qemu_format_nic_info_str,
    qemu_macaddr_default_if_unset,
    qemu_new_nic,
)
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.bootdevice import device_add_bootindex_property
from pyqemu_edu.util.error import QemuError, error_printf, warn_report
from pyqemu_edu.util.iov import iov_from_buf
from pyqemu_edu.util.main_loop import qemu_bh_delete, qemu_bh_new, qemu_bh_schedule

QUEUE_SIZE = 256
TX_TIMER_INTERVAL = 150000
TX_BURST = 256
VIRTIO_NET_RSC_DEFAULT_INTERVAL = 300000
SPEED_UNKNOWN = -1
DUPLEX = {None: 0xFF, "half": 0, "full": 1}

CONFIG = struct.Struct("<6sHHHIBBHI")
"""Address, status, pairs of queues, size of packets, speed, duplex, three about hashes (QEMU `virtio_net_config`)."""

FEATURES = {
    "csum": 0, "guest_csum": 1, "gso": 6, "guest_tso4": 7, "guest_tso6": 8, "guest_ecn": 9, "guest_ufo": 10,
    "guest_announce": 21, "host_tso4": 11, "host_tso6": 12, "host_ecn": 13, "host_ufo": 14, "mrg_rxbuf": 15,
    "status": 16, "ctrl_vq": 17, "ctrl_rx": 18, "ctrl_vlan": 19, "ctrl_rx_extra": 20, "ctrl_mac_addr": 23,
    "ctrl_guest_offloads": 2,
}  # fmt: skip
FEATURES_OFF = {"mq": 22, "rss": 60, "hash": 57, "guest_rsc_ext": 61}
"""The properties that are bits of the features, on and off by default."""

VIRTIO_NET_F_MTU, VIRTIO_NET_F_MAC, VIRTIO_NET_F_GSO, VIRTIO_NET_F_MRG_RXBUF = 3, 5, 6, 15
VIRTIO_NET_F_STATUS, VIRTIO_NET_F_CTRL_VLAN, VIRTIO_NET_F_MQ = 16, 19, 22
VIRTIO_NET_F_CTRL_MAC_ADDR, VIRTIO_NET_F_HASH_REPORT, VIRTIO_NET_F_RSS = 23, 57, 60
VIRTIO_NET_F_RSC_EXT, VIRTIO_NET_F_STANDBY, VIRTIO_NET_F_SPEED_DUPLEX = 61, 62, 63

NEED_VNET_HDR = sum(1 << bit for bit in (0, 1, 7, 8, 9, 10, 11, 12, 13, 14, VIRTIO_NET_F_HASH_REPORT))
NOT_MODELLED = 1 << VIRTIO_NET_F_MQ | 1 << VIRTIO_NET_F_RSS | 1 << VIRTIO_NET_F_RSC_EXT | 1 << VIRTIO_NET_F_STANDBY


def virtio_net_handle_ctrl(vdev: VirtIODevice, vq: VirtQueue) -> None:
    """The driver has sent control messages."""
    n = virtio_net(vdev)
    while (elem := virtqueue_pop(vq)) is not None:
        try:
            status = virtio_net_handle_ctrl_iov(n, elem)
        except GuestError as error:
            virtio_error(vdev, str(error))
            virtqueue_detach_element(vq, elem, 0)
            break
        iov_from_buf(elem.in_sg, 0, bytes([status]))
        virtqueue_push(vq, elem, 1)
        virtio_notify(vdev, vq)


# ---- features, configuration, status


def virtio_net_get_features(vdev: VirtIODevice, features: int) -> int:
    """All that the card could do, without what needs help from the back end."""
    n = virtio_net(vdev)
    return (features | n.net_features | 1 << VIRTIO_NET_F_MAC) & ~NEED_VNET_HDR & ~NOT_MODELLED


def virtio_net_set_features(vdev: VirtIODevice, features: int) -> None:
    """What the driver can do decides how long headers are."""
    n = virtio_net(vdev)
    n.mergeable_rx_bufs = virtio_has_feature(features, VIRTIO_NET_F_MRG_RXBUF)
    version_1 = virtio_has_feature(features, VIRTIO_F_VERSION_1)
    n.guest_hdr_len = HEADER_MERGED if n.mergeable_rx_bufs or version_1 else HEADER
    filtered = virtio_has_feature(features, VIRTIO_NET_F_CTRL_VLAN)
    n.filter.vlans = set() if filtered else set(ALL_VLANS)


def virtio_net_bad_features(vdev: VirtIODevice) -> int:
    """What drivers understood that took whatever they were offered."""
    return sum(1 << FEATURES[name] for name in ("csum", "host_tso4", "host_tso6", "host_ecn")) | 1 << VIRTIO_NET_F_MAC


def virtio_net_get_config(vdev: VirtIODevice, config: bytearray) -> None:
    """Address, link, and what else is known."""
    n = virtio_net(vdev)
    conf = n.net_conf
    speed, duplex = conf.speed & 0xFFFFFFFF, DUPLEX[conf.duplex_str]
    config[:] = CONFIG.pack(n.mac, n.net_status, 1, conf.mtu, speed, duplex, 40, 1, 0x1FF)[: len(config)]


def virtio_net_set_config(vdev: VirtIODevice, config: bytearray) -> None:
    """An old driver may give the card another address."""
    n = virtio_net(vdev)
    modern = virtio_vdev_has_feature(vdev, VIRTIO_F_VERSION_1)
    if not virtio_vdev_has_feature(vdev, VIRTIO_NET_F_CTRL_MAC_ADDR) and not modern and config[:6] != n.mac:
        n.mac = bytes(config[:6])
        qemu_format_nic_info_str(n.nic, n.mac)


def virtio_net_started(n: VirtIONet, status: int) -> bool:
    """Whether packets go."""
    up = n.net_status & VIRTIO_NET_S_LINK_UP
    return bool(status & VIRTIO_CONFIG_S_DRIVER_OK and up and n.vm_running)


def virtio_net_set_status(vdev: VirtIODevice, status: int) -> None:
    """The driver comes or goes: begin or stop sending."""
    n = virtio_net(vdev)
    started = virtio_net_started(n, status)
    if started:
        qemu_flush_queued_packets(n.nic)
    if not n.tx_waiting:
        return
    if started:
        qemu_bh_schedule(n.tx_bh)
    elif not n.net_status & VIRTIO_NET_S_LINK_UP and status & VIRTIO_CONFIG_S_DRIVER_OK and n.vm_running:
        n.tx_waiting = False
        virtio_queue_set_notification(n.tx_vq, True)
        virtio_net_drop_tx_queue_data(n)


def virtio_net_set_link_status(nic: NICState) -> None:
    """The cable is plugged in or out."""
    n: VirtIONet = nic.opaque
    old_status = n.net_status
    n.net_status = n.net_status & ~VIRTIO_NET_S_LINK_UP | int(not nic.link_down)
    if n.net_status != old_status:
        virtio_notify_config(n)
    virtio_net_set_status(n, n.status)


def virtio_net_reset(vdev: VirtIODevice) -> None:
    """Take all packets again, under the old address; drop what waits."""
    n = virtio_net(vdev)
    n.filter = ReceiveFilter()
    n.mac = n.nic_conf.macaddr
    qemu_format_nic_info_str(n.nic, n.mac)
    if n.nic.peer is not None:
        qemu_flush_or_purge_queued_packets(n.nic.peer, True)


def virtio_net_queue_reset(vdev: VirtIODevice, queue_index: int) -> None:
    """A queue for packets is as it was at first: nothing waits for it."""
    n = virtio_net(vdev)
    if queue_index < 2 and n.nic.peer is not None:
        qemu_flush_or_purge_queued_packets(n.nic.peer, True)


def virtio_net_query_rxfilter(nic: NICState) -> dict[str, Any]:
    """Which packets the card takes."""
    n: VirtIONet = nic.opaque
    return n.filter.info(nic.name, n.mac, virtio_vdev_has_feature(n, VIRTIO_NET_F_CTRL_VLAN))


net_virtio_info = NetClientInfo(
    "nic",
    virtio_net_receive,
    can_receive=virtio_net_can_receive,
    link_status_changed=virtio_net_set_link_status,
    query_rx_filter=virtio_net_query_rxfilter,
)


# ---- the card's life


def check_conf(n: VirtIONet) -> None:
    """`QemuError` for what will not do (in QEMU a part of `virtio_net_device_realize`)."""
    conf = n.net_conf
    if conf.duplex_str not in DUPLEX:
        raise QemuError("'duplex' must be 'half' or 'full'")
    if conf.speed < SPEED_UNKNOWN:
        raise QemuError("'speed' must be between 0 and INT_MAX")
    for name, size, end in (("rx", conf.rx_queue_size, "."), ("tx", conf.tx_queue_size, "")):
        if not QUEUE_SIZE <= size <= VIRTQUEUE_MAX_SIZE or size & size - 1:
            limits = f"must be a power of 2 between {QUEUE_SIZE} and {VIRTQUEUE_MAX_SIZE}{end}"
            raise QemuError(f"Invalid {name}_queue_size (= {size}), {limits}")
    if conf.tx is not None and conf.tx not in ("timer", "bh"):
        warn_report(f'virtio-net: Unknown option tx={conf.tx}, valid options: "timer" "bh"')
        error_printf('Defaulting to "bh"')


def config_size(n: VirtIONet) -> int:
    """As much of the configuration as the features need (QEMU `virtio_net_set_config_size`)."""
    ends = (
        (VIRTIO_NET_F_STATUS, 8), (VIRTIO_NET_F_MQ, 10), (VIRTIO_NET_F_MTU, 12), (VIRTIO_NET_F_SPEED_DUPLEX, 17),
        (VIRTIO_NET_F_RSS, 24), (VIRTIO_NET_F_HASH_REPORT, 24),
    )  # fmt: skip
    return max(6, *(end for feature, end in ends if virtio_has_feature(n.net_features, feature)), 6)


def virtio_net_set_netclient_name(n: VirtIONet, name: str | None, type: str) -> None:
    """The card is called after the transport that it is a part of."""
    n.netclient_name, n.netclient_type = name, type


def virtio_net_device_realize(dev: DeviceState) -> None:
    """Queues for both directions and for control, and an end of a cable."""
    n = virtio_net(dev)
    conf = n.net_conf
    if conf.mtu:
        n.net_features |= 1 << VIRTIO_NET_F_MTU
    if conf.duplex_str is not None or conf.speed >= 0:
        n.net_features |= 1 << VIRTIO_NET_F_SPEED_DUPLEX
    check_conf(n)
    virtio_init(n, VIRTIO_ID_NET, config_size(n))
    conf.tx_queue_size = min(QUEUE_SIZE, conf.tx_queue_size)
    n.rx_vq = virtio_add_queue(n, conf.rx_queue_size, virtio_net_handle_rx)
    n.tx_vq = virtio_add_queue(n, conf.tx_queue_size, virtio_net_handle_tx_bh)
    n.tx_bh = qemu_bh_new(virtio_net_tx_bh, n)
    n.ctrl_vq = virtio_add_queue(n, 64, virtio_net_handle_ctrl)
    n.mac = n.nic_conf.macaddr = qemu_macaddr_default_if_unset(n.nic_conf.macaddr)
    n.net_status = VIRTIO_NET_S_LINK_UP
    type, name = (n.netclient_type, n.netclient_name) if n.netclient_type else (object_get_typename(dev), dev.id)
    n.nic = qemu_new_nic(net_virtio_info, n.nic_conf, type, name, n)
    qemu_format_nic_info_str(n.nic, n.mac)
    n.nic.rxfilter_notify_enabled = True


def virtio_net_device_unrealize(dev: DeviceState) -> None:
    """Give up bottom half, queues and card."""
    n = virtio_net(dev)
    qemu_bh_delete(n.tx_bh)
    for i in range(3):
        virtio_del_queue(n, i)
    qemu_del_nic(n.nic)
    virtio_cleanup(n)


def virtio_net_instance_init(obj: Object) -> None:
    """A place in the order in which firmware tries."""
    n = virtio_net(obj)
    device_add_bootindex_property(n, Pointer(n.nic_conf, "bootindex"), "bootindex", "/ethernet-phy@0", n)


vmstate_virtio_net = VMStateDescription("virtio-net", version_id=11, minimum_version_id=11)

virtio_net_properties = (
    *(DEFINE_PROP_BIT64(name, "net_features", bit, True) for name, bit in FEATURES.items()),
    *(DEFINE_PROP_BIT64(name, "net_features", bit, False) for name, bit in FEATURES_OFF.items()),
    DEFINE_PROP_UINT32("rsc_interval", "rsc_timeout", VIRTIO_NET_RSC_DEFAULT_INTERVAL),
    *DEFINE_NIC_PROPERTIES("nic_conf"),
    DEFINE_PROP_UINT32("x-txtimer", "net_conf.txtimer", TX_TIMER_INTERVAL),
    DEFINE_PROP_INT32("x-txburst", "net_conf.txburst", TX_BURST),
    DEFINE_PROP_STRING("tx", "net_conf.tx"),
    DEFINE_PROP_UINT16("rx_queue_size", "net_conf.rx_queue_size", QUEUE_SIZE),
    DEFINE_PROP_UINT16("tx_queue_size", "net_conf.tx_queue_size", QUEUE_SIZE),
    DEFINE_PROP_UINT16("host_mtu", "net_conf.mtu", 0),
    DEFINE_PROP_BOOL("x-mtu-bypass-backend", "mtu_bypass_backend", True),
    DEFINE_PROP_INT32("speed", "net_conf.speed", SPEED_UNKNOWN),
    DEFINE_PROP_STRING("duplex", "net_conf.duplex_str"),
    DEFINE_PROP_BOOL("failover", "failover", False),
)


def virtio_net_class_init(vdc: VirtioDeviceClass) -> None:
    """Properties, and what a network card answers the virtio layer."""
    device_class_set_props(vdc, virtio_net_properties)
    vdc.vmsd = vmstate_virtio_net
    vdc.categories |= {"Network"}
    vdc.vdc_realize = virtio_net_device_realize
    vdc.vdc_unrealize = virtio_net_device_unrealize
    vdc.get_config = virtio_net_get_config
    vdc.set_config = virtio_net_set_config
    vdc.get_features = virtio_net_get_features
    vdc.set_features = virtio_net_set_features
    vdc.bad_features = virtio_net_bad_features
    vdc.vdc_reset = virtio_net_reset
    vdc.queue_reset = virtio_net_queue_reset
    vdc.set_status = virtio_net_set_status
    vdc.legacy_features |= 1 << VIRTIO_NET_F_GSO


type_init(
    TypeInfo(
        TYPE_VIRTIO_NET,
        parent=TYPE_VIRTIO_DEVICE,
        instance_struct=VirtIONet,
        instance_init=virtio_net_instance_init,
        class_init=virtio_net_class_init,
    )
)
