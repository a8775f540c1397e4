"""What programs are told of virtio devices (QEMU hw/virtio/virtio.c)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyqemu_edu.hw.virtio.virtio import statics
from pyqemu_edu.hw.virtio.virtio_device import VIRTIO_QUEUE_MAX, VirtIODevice, VirtQueue
from pyqemu_edu.hw.virtio.virtio_features import (
    DEVICE_FEATURES,
    FeatureMap,
    virtio_config_status_map,
    virtio_transport_map,
)
from pyqemu_edu.hw.virtio.virtio_state import virtio_get_num_queues, virtio_queue_get_num
from pyqemu_edu.hw.virtio.virtqueue import GuestError, virtqueue_split_read_next_desc
from pyqemu_edu.hw.virtio.vring import (
    DESC,
    VRING_DESC_F_INDIRECT,
    VRING_DESC_F_NEXT,
    VRING_DESC_F_WRITE,
    VRingDesc,
    vring_avail_flags,
    vring_avail_idx,
    vring_avail_ring,
    vring_split_desc_read,
    vring_used_flags,
    vring_used_idx,
)
from pyqemu_edu.softmmu.address_space_map import MemoryRegionCache, address_space_cache_init
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict

DESC_FLAGS = (
    (VRING_DESC_F_NEXT, "next"),
    (VRING_DESC_F_WRITE, "write"),
    (VRING_DESC_F_INDIRECT, "indirect"),
    (1 << 7, "avail"),
    (1 << 15, "used"),
)


def qmp_x_query_virtio() -> list[QDict]:
    """All devices, the newest first."""
    return [{"path": vdev.canonical_path, "name": vdev.name} for vdev in reversed(statics().virtio_list)]


def virtio_device_find(path: str, kind: str = "VirtIODevice") -> VirtIODevice:
    """The device at a path.  `QemuError` if there is none."""
    for vdev in statics().virtio_list:
        if vdev.canonical_path == path:
            return vdev
    raise QemuError(f"Path {path} is not a {kind}")


def decode(bits: int, names: FeatureMap) -> tuple[list[str], int]:
    """The names of bits, the last first as in C, and what has no name (QEMU `CONVERT_FEATURES`)."""
    known = [(bit, name) for bit, name in names if bits & bit]
    return [name for _, name in reversed(known)], bits & ~sum(bit for bit, _ in known)


def with_unknown(answer: QDict, name: str, bits: int) -> QDict:
    """The answer, and what has no name if there is such (Not in QEMU)."""
    return answer | ({name: bits} if bits else {})


def qmp_decode_features(device_id: int, bitmap: int) -> QDict:
    """Features: those that all devices have, and those of this kind."""
    transports, rest = decode(bitmap, tuple((1 << bit, name) for bit, name in virtio_transport_map))
    own, unknown = decode(rest, tuple((1 << bit, name) for bit, name in DEVICE_FEATURES[device_id]))
    return with_unknown({"transports": transports, "dev-features": own}, "unknown-dev-features", unknown)


def qmp_decode_status(bitmap: int) -> QDict:
    """How far the driver is."""
    statuses, unknown = decode(bitmap, virtio_config_status_map)
    return with_unknown({"statuses": statuses}, "unknown-statuses", unknown)


def qmp_x_query_virtio_status(path: str) -> QDict:
    """A device's state."""
    vdev = virtio_device_find(path)
    features = {
        f"{name}-features": qmp_decode_features(vdev.device_id, getattr(vdev, f"{name}_features"))
        for name in ("guest", "host", "backend")
    }
    return {
        "name": vdev.name,
        "device-id": vdev.device_id,
        "vhost-started": vdev.vhost_started,
        "device-endian": "little",
        **features,
        "num-vqs": virtio_get_num_queues(vdev),
        "status": qmp_decode_status(vdev.status),
        "isr": vdev.isr,
        "queue-sel": vdev.queue_sel,
        "vm-running": vdev.vm_running,
        "broken": vdev.broken,
        "disabled": vdev.disabled,
        "use-started": vdev.use_started,
        "started": vdev.started,
        "start-on-kick": vdev.start_on_kick,
        "disable-legacy-check": vdev.disable_legacy_check,
        "bus-name": vdev.bus_name or "",
        "use-guest-notifier-mask": True,
    }


def qmp_x_query_virtio_vhost_queue_status(path: str, queue: int) -> QDict:
    """A queue that the host's kernel serves: there is none."""
    virtio_device_find(path)
    raise QemuError("Error: vhost device has not started yet")


def find_queue(vdev: VirtIODevice, queue: int) -> VirtQueue:
    """A queue that exists.  `QemuError` (in QEMU written out)."""
    if queue >= VIRTIO_QUEUE_MAX or not virtio_queue_get_num(vdev, queue):
        raise QemuError(f"Invalid virtqueue number {queue}")
    return vdev.vq[queue]


def qmp_x_query_virtio_queue_status(path: str, queue: int) -> QDict:
    """A queue's state."""
    vdev = virtio_device_find(path)
    vq = find_queue(vdev, queue)
    vring = vq.vring
    return {
        "name": vdev.name,
        "queue-index": vq.queue_index,
        "inuse": vq.inuse,
        "vring-num": vring.num,
        "vring-num-default": vring.num_default,
        "vring-align": vring.align,
        "vring-desc": vring.desc,
        "vring-avail": vring.avail,
        "vring-used": vring.used,
        "last-avail-idx": vq.last_avail_idx,
        "shadow-avail-idx": vq.shadow_avail_idx,
        "used-idx": vq.used_idx,
        "signalled-used": vq.signalled_used,
        "signalled-used-valid": vq.signalled_used_valid,
    }


def qmp_decode_vring_desc_flags(flags: int) -> list[str]:
    """A descriptor's flags, the last first as in C."""
    return [name for flag, name in reversed(DESC_FLAGS) if flags & flag]


def qmp_x_query_virtio_queue_element(path: str, queue: int, index: int | None = None) -> QDict:
    """A request that waits in a queue: the next one, or that of an index."""
    vdev = virtio_device_find(path, "VirtIO device")
    vq = find_queue(vdev, queue)
    head = vring_avail_ring(vq, (vq.last_avail_idx if index is None else index) % vq.vring.num)
    descs = [
        {"addr": desc.addr, "len": desc.len, "flags": qmp_decode_vring_desc_flags(desc.flags)}
        for desc in element_descs(vdev, vq, head)
    ]
    return {
        "name": vdev.name,
        "index": head,
        "descs": descs[::-1],
        "avail": {"flags": vring_avail_flags(vq), "idx": vring_avail_idx(vq), "ring": head},
        "used": {"flags": vring_used_flags(vq), "idx": vring_used_idx(vq)},
    }


def element_descs(vdev: VirtIODevice, vq: VirtQueue, head: int) -> Iterator[VRingDesc]:
    """A request's descriptors, as far as they make sense (in QEMU a part of `qmp_x_query_virtio_queue_element`)."""
    if vq.vring.caches is None:
        raise QemuError("Region caches not initialized")
    cache: MemoryRegionCache = vq.vring.caches.desc
    max = vq.vring.num
    if cache.length < max * DESC.size:
        raise QemuError("Cannot map descriptor ring")
    desc: Any = vring_split_desc_read(cache, head)
    if desc.flags & VRING_DESC_F_INDIRECT:
        assert vdev.dma_as is not None
        length = desc.len
        cache = address_space_cache_init(vdev.dma_as, desc.addr, length, False)
        if cache.length < length:
            raise QemuError("Cannot map indirect buffer")
        max = length // DESC.size
        desc = vring_split_desc_read(cache, 0)
    for _ in range(max):
        yield desc
        try:
            desc = virtqueue_split_read_next_desc(desc, cache, max)
        except GuestError:
            return
        if desc is None:
            return
