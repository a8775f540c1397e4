"""What a driver says to a virtio device: status, features, configuration, queues (QEMU hw/virtio/virtio.c).

The driver's part is: reset, say that it knows the device (`status`), choose among the features, say where the queues
are, say DRIVER_OK.  From then on both talk through the queues.
"""

from __future__ import annotations

from pyqemu_edu.hw.virtio.virtio_bus import (
    VirtioBusState,
    virtio_bus_get_device,
    virtio_bus_of,
)
from pyqemu_edu.hw.virtio.virtio_device import (
    VIRTIO_CONFIG_S_DRIVER_OK,
    VIRTIO_CONFIG_S_FEATURES_OK,
    VIRTIO_F_BAD_FEATURE,
    VIRTIO_F_IOMMU_PLATFORM,
    VIRTIO_F_VERSION_1,
    VIRTIO_NO_VECTOR,
    VIRTIO_QUEUE_MAX,
    VIRTIO_RING_F_EVENT_IDX,
    VIRTQUEUE_MAX_SIZE,
    VirtIODevice,
    VirtQueue,
    VRing,
    virtio_device_get_class,
    virtio_device_started,
    virtio_has_feature,
    virtio_host_has_feature,
    virtio_set_started,
    virtio_vdev_has_feature,
)
from pyqemu_edu.hw.virtio.virtio_notify import virtio_notify_vector
from pyqemu_edu.hw.virtio.vring import virtio_init_region_cache, virtio_queue_update_rings
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import error_report
from pyqemu_edu.util.log import LOG_GUEST_ERROR, qemu_log_mask

virtio_set_status_event = Event("virtio_set_status", "vdev", "val")
virtio_queue_notify_event = Event("virtio_queue_notify", "vdev", "n", "vq")

# ---- status and features


def virtio_validate_features(vdev: VirtIODevice) -> int:
    """Whether the device can work with the features that were chosen: 0, or a negative number."""
    missing = not virtio_vdev_has_feature(vdev, VIRTIO_F_IOMMU_PLATFORM)
    if virtio_host_has_feature(vdev, VIRTIO_F_IOMMU_PLATFORM) and missing:
        return -14
    validate = virtio_device_get_class(vdev).validate_features
    return validate(vdev) if validate else 0


def virtio_set_status(vdev: VirtIODevice, val: int) -> int:
    """The driver says how far it is; a modern one's FEATURES_OK may be refused."""
    k = virtio_device_get_class(vdev)
    if virtio_set_status_event:
        virtio_set_status_event(vdev, val)
    settling = val & ~vdev.status & VIRTIO_CONFIG_S_FEATURES_OK
    if virtio_vdev_has_feature(vdev, VIRTIO_F_VERSION_1) and settling and (ret := virtio_validate_features(vdev)):
        return ret
    if (vdev.status ^ val) & VIRTIO_CONFIG_S_DRIVER_OK:
        virtio_set_started(vdev, bool(val & VIRTIO_CONFIG_S_DRIVER_OK))
    if k.set_status:
        k.set_status(vdev, val)
    vdev.status = val
    return 0


def virtio_set_features_nocheck(vdev: VirtIODevice, val: int) -> int:
    """Accept those features that the device has; -1 if there were others."""
    bad = val & ~vdev.host_features
    val &= vdev.host_features
    set_features = virtio_device_get_class(vdev).set_features
    if set_features:
        set_features(vdev, val)
    vdev.guest_features = val
    return -1 if bad else 0


def virtio_set_features(vdev: VirtIODevice, val: int) -> int:
    """The driver says which features it wants; negative if there was something wrong with that."""
    if vdev.status & VIRTIO_CONFIG_S_FEATURES_OK:
        return -22
    if virtio_has_feature(val, VIRTIO_F_BAD_FEATURE):
        what = f"guest driver for {vdev.name} has enabled UNUSED(30) feature bit!\n"
        qemu_log_mask(LOG_GUEST_ERROR, f"virtio_set_features: {what}")
    ret = virtio_set_features_nocheck(vdev, val)
    if virtio_vdev_has_feature(vdev, VIRTIO_RING_F_EVENT_IDX):
        init_region_caches(vdev)  # the rings have one word more
    legacy = not virtio_vdev_has_feature(vdev, VIRTIO_F_VERSION_1)
    if not ret and not virtio_device_started(vdev, vdev.status) and legacy:
        vdev.start_on_kick = True
    return ret


def init_region_caches(vdev: VirtIODevice) -> None:
    """Look up the tables of all queues anew (in QEMU written out)."""
    for vq in vdev.vq:
        if vq.vring.num:
            virtio_init_region_cache(vdev, vq.queue_index)


def virtio_queue_reset_one(vq: VirtQueue) -> None:
    """A queue as it was at first (QEMU `__virtio_queue_reset`)."""
    vring = vq.vring
    vq.vring = VRing(vring.num_default, vring.num_default, vring.align)
    vq.last_avail_idx = vq.shadow_avail_idx = vq.used_idx = 0
    vq.signalled_used, vq.signalled_used_valid = 0, False
    vq.notification = True
    vq.inuse = 0
    vq.vector = VIRTIO_NO_VECTOR


def virtio_queue_reset(vdev: VirtIODevice, queue_index: int) -> None:
    """A modern driver wants one queue to be as it was at first."""
    queue_reset = virtio_device_get_class(vdev).queue_reset
    if queue_reset:
        queue_reset(vdev, queue_index)
    virtio_queue_reset_one(vdev.vq[queue_index])


def virtio_reset(vdev: VirtIODevice) -> None:
    """Forget everything that the driver said."""
    k = virtio_device_get_class(vdev)
    virtio_set_status(vdev, 0)
    if k.vdc_reset:
        k.vdc_reset(vdev)
    vdev.start_on_kick = vdev.started = vdev.broken = False
    virtio_set_features_nocheck(vdev, 0)
    vdev.queue_sel = vdev.status = vdev.isr = 0
    vdev.disabled = False
    vdev.config_vector = VIRTIO_NO_VECTOR
    virtio_notify_vector(vdev, vdev.config_vector)
    for vq in vdev.vq:
        virtio_queue_reset_one(vq)


def virtio_bus_reset(bus: VirtioBusState) -> None:
    """Reset the device on a bus, if there is one (QEMU hw/virtio/virtio-bus.c)."""
    vdev = virtio_bus_get_device(bus)
    if vdev is not None:
        virtio_reset(vdev)


# ---- configuration


def virtio_config_read(vdev: VirtIODevice, addr: int, size: int) -> int:
    """A field of the configuration; all bits set behind its end (QEMU `virtio_config_readb` … `_modern_readl`)."""
    if addr + size > vdev.config_len:
        return 0xFFFFFFFF
    k = virtio_device_get_class(vdev)
    if k.get_config:
        k.get_config(vdev, vdev.config)
    return int.from_bytes(vdev.config[addr : addr + size], "little")


def virtio_config_write(vdev: VirtIODevice, addr: int, data: int, size: int) -> None:
    """Change the configuration (QEMU `virtio_config_writeb` … `_modern_writel`)."""
    if addr + size > vdev.config_len:
        return
    vdev.config[addr : addr + size] = (data & (1 << 8 * size) - 1).to_bytes(size, "little")
    k = virtio_device_get_class(vdev)
    if k.set_config:
        k.set_config(vdev, vdev.config)


# ---- queues


def virtio_queue_set_addr(vdev: VirtIODevice, n: int, addr: int) -> None:
    """A legacy driver says where a queue is."""
    if vdev.vq[n].vring.num:
        vdev.vq[n].vring.desc = addr
        virtio_queue_update_rings(vdev, n)


def virtio_queue_get_addr(vdev: VirtIODevice, n: int) -> int:
    """Where the queue's descriptor table is."""
    return vdev.vq[n].vring.desc


def virtio_queue_set_rings(vdev: VirtIODevice, n: int, desc: int, avail: int, used: int) -> None:
    """A modern driver says where each of the tables is."""
    vring = vdev.vq[n].vring
    if vring.num:
        vring.desc, vring.avail, vring.used = desc, avail, used
        virtio_init_region_cache(vdev, n)


def virtio_queue_set_num(vdev: VirtIODevice, n: int, num: int) -> None:
    """Choose a size, within limits, for a queue that exists."""
    vring = vdev.vq[n].vring
    if bool(num) == bool(vring.num) and num <= VIRTQUEUE_MAX_SIZE:
        vring.num = num


def virtio_queue_get_num(vdev: VirtIODevice, n: int) -> int:
    """The size; 0 for a queue that does not exist."""
    return vdev.vq[n].vring.num


def virtio_get_num_queues(vdev: VirtIODevice) -> int:
    """How many queues there are before the first that does not exist."""
    return next((vq.queue_index for vq in vdev.vq if not vq.vring.num), VIRTIO_QUEUE_MAX)


def virtio_queue_set_align(vdev: VirtIODevice, n: int, align: int) -> None:
    """A legacy driver says how a used ring is aligned."""
    _, k = virtio_bus_of(vdev)
    if virtio_vdev_has_feature(vdev, VIRTIO_F_VERSION_1):
        error_report("tried to modify queue alignment for virtio-1 device")
        return
    assert k.has_variable_vring_alignment
    if align:
        vdev.vq[n].vring.align = align
        virtio_queue_update_rings(vdev, n)


def virtio_queue_notify(vdev: VirtIODevice, n: int) -> None:
    """The driver says that there is something in a queue."""
    vq = vdev.vq[n]
    if not vq.vring.desc or vdev.broken:
        return
    if virtio_queue_notify_event:
        virtio_queue_notify_event(vdev, n, vq)
    if vq.handle_output:
        vq.handle_output(vdev, vq)
        if vdev.start_on_kick:
            virtio_set_started(vdev, True)
