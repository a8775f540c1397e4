"""What the bits of virtio devices are called (QEMU hw/virtio/virtio.c).

The order is the reference's, for it can be seen.
"""

from __future__ import annotations

from pyqemu_edu.hw.virtio.virtio_device import VIRTIO_ID_BLOCK, VIRTIO_ID_CONSOLE, VIRTIO_ID_NET, VIRTIO_ID_RNG

FeatureMap = tuple[tuple[int, str], ...]
"""Bits, or for the status their values, and what is said of them."""

# fmt: off
virtio_transport_map: FeatureMap = (
    (24, "VIRTIO_F_NOTIFY_ON_EMPTY: Notify when device runs out of avail. descs. on VQ"),
    (27, "VIRTIO_F_ANY_LAYOUT: Device accepts arbitrary desc. layouts"),
    (32, "VIRTIO_F_VERSION_1: Device compliant for v1 spec (legacy)"),
    (33, "VIRTIO_F_IOMMU_PLATFORM: Device can be used on IOMMU platform"),
    (34, "VIRTIO_F_RING_PACKED: Device supports packed VQ layout"),
    (35, "VIRTIO_F_IN_ORDER: Device uses buffers in same order as made available by driver"),
    (36, "VIRTIO_F_ORDER_PLATFORM: Memory accesses ordered by platform"),
    (37, "VIRTIO_F_SR_IOV: Device supports single root I/O virtualization"),
    (28, "VIRTIO_RING_F_INDIRECT_DESC: Indirect descriptors supported"),
    (29, "VIRTIO_RING_F_EVENT_IDX: Used & avail. event fields enabled"),
)

virtio_config_status_map: FeatureMap = (
    (4, "VIRTIO_CONFIG_S_DRIVER_OK: Driver setup and ready"),
    (8, "VIRTIO_CONFIG_S_FEATURES_OK: Feature negotiation complete"),
    (2, "VIRTIO_CONFIG_S_DRIVER: Guest OS compatible with device"),
    (64, "VIRTIO_CONFIG_S_NEEDS_RESET: Irrecoverable error, device needs reset"),
    (128, "VIRTIO_CONFIG_S_FAILED: Error in guest, device failed"),
    (1, "VIRTIO_CONFIG_S_ACKNOWLEDGE: Valid virtio device found"),
)

vhost_feature_map: FeatureMap = (
    (26, "VHOST_F_LOG_ALL: Logging write descriptors supported"),
    (30, "VHOST_USER_F_PROTOCOL_FEATURES: Vhost-user protocol features negotiation supported"),
)

virtio_blk_feature_map: FeatureMap = (
    (1, "VIRTIO_BLK_F_SIZE_MAX: Max segment size is size_max"),
    (2, "VIRTIO_BLK_F_SEG_MAX: Max segments in a request is seg_max"),
    (4, "VIRTIO_BLK_F_GEOMETRY: Legacy geometry available"),
    (5, "VIRTIO_BLK_F_RO: Device is read-only"),
    (6, "VIRTIO_BLK_F_BLK_SIZE: Block size of disk available"),
    (10, "VIRTIO_BLK_F_TOPOLOGY: Topology information available"),
    (12, "VIRTIO_BLK_F_MQ: Multiqueue supported"),
    (13, "VIRTIO_BLK_F_DISCARD: Discard command supported"),
    (14, "VIRTIO_BLK_F_WRITE_ZEROES: Write zeroes command supported"),
    (0, "VIRTIO_BLK_F_BARRIER: Request barriers supported"),
    (7, "VIRTIO_BLK_F_SCSI: SCSI packet commands supported"),
    (9, "VIRTIO_BLK_F_FLUSH: Flush command supported"),
    (11, "VIRTIO_BLK_F_CONFIG_WCE: Cache writeback and writethrough modes supported"),
    *vhost_feature_map,
)

virtio_serial_feature_map: FeatureMap = (
    (0, "VIRTIO_CONSOLE_F_SIZE: Host providing console size"),
    (1, "VIRTIO_CONSOLE_F_MULTIPORT: Multiple ports for device supported"),
    (2, "VIRTIO_CONSOLE_F_EMERG_WRITE: Emergency write supported"),
)

virtio_net_feature_map: FeatureMap = (
    (0, "VIRTIO_NET_F_CSUM: Device handling packets with partial checksum supported"),
    (1, "VIRTIO_NET_F_GUEST_CSUM: Driver handling packets with partial checksum supported"),
    (2, "VIRTIO_NET_F_CTRL_GUEST_OFFLOADS: Control channel offloading reconfig. supported"),
    (3, "VIRTIO_NET_F_MTU: Device max MTU reporting supported"),
    (5, "VIRTIO_NET_F_MAC: Device has given MAC address"),
    (7, "VIRTIO_NET_F_GUEST_TSO4: Driver can receive TSOv4"),
    (8, "VIRTIO_NET_F_GUEST_TSO6: Driver can receive TSOv6"),
    (9, "VIRTIO_NET_F_GUEST_ECN: Driver can receive TSO with ECN"),
    (10, "VIRTIO_NET_F_GUEST_UFO: Driver can receive UFO"),
    (11, "VIRTIO_NET_F_HOST_TSO4: Device can receive TSOv4"),
    (12, "VIRTIO_NET_F_HOST_TSO6: Device can receive TSOv6"),
    (13, "VIRTIO_NET_F_HOST_ECN: Device can receive TSO with ECN"),
    (14, "VIRTIO_NET_F_HOST_UFO: Device can receive UFO"),
    (15, "VIRTIO_NET_F_MRG_RXBUF: Driver can merge receive buffers"),
    (16, "VIRTIO_NET_F_STATUS: Configuration status field available"),
    (17, "VIRTIO_NET_F_CTRL_VQ: Control channel available"),
    (18, "VIRTIO_NET_F_CTRL_RX: Control channel RX mode supported"),
    (19, "VIRTIO_NET_F_CTRL_VLAN: Control channel VLAN filtering supported"),
    (20, "VIRTIO_NET_F_CTRL_RX_EXTRA: Extra RX mode control supported"),
    (21, "VIRTIO_NET_F_GUEST_ANNOUNCE: Driver sending gratuitous packets supported"),
    (22, "VIRTIO_NET_F_MQ: Multiqueue with automatic receive steering supported"),
    (23, "VIRTIO_NET_F_CTRL_MAC_ADDR: MAC address set through control channel"),
    (57, "VIRTIO_NET_F_HASH_REPORT: Hash reporting supported"),
    (60, "VIRTIO_NET_F_RSS: RSS RX steering supported"),
    (61, "VIRTIO_NET_F_RSC_EXT: Extended coalescing info supported"),
    (62, "VIRTIO_NET_F_STANDBY: Device acting as standby for primary device with same MAC addr. supported"),
    (63, "VIRTIO_NET_F_SPEED_DUPLEX: Device set linkspeed and duplex"),
    (6, "VIRTIO_NET_F_GSO: Handling GSO-type packets supported"),
    (27, "VHOST_NET_F_VIRTIO_NET_HDR: Virtio-net headers for RX and TX packets supported"),
    *vhost_feature_map,
)
# fmt: on

DEVICE_FEATURES = {
    VIRTIO_ID_NET: virtio_net_feature_map,
    VIRTIO_ID_BLOCK: virtio_blk_feature_map,
    VIRTIO_ID_CONSOLE: virtio_serial_feature_map,
    VIRTIO_ID_RNG: vhost_feature_map,
}
"""By kind of device."""
