"""The three tables of a virtqueue, as they lie in the guest's memory (QEMU hw/virtio/virtio.c).

    descriptor table   num × (addr: 8 bytes, len: 4, flags: 2, next: 2)
    available ring     flags: 2, idx: 2, num × descriptor: 2, used_event: 2
    used ring          flags: 2, idx: 2, num × (descriptor: 4, len: 4), avail_event: 2

A ring is full of the driver's numbers, of which none can be trusted.
"""

from __future__ import annotations

import struct
from typing import NamedTuple

from pyqemu_edu.hw.virtio.virtio_device import (
    VIRTIO_RING_F_EVENT_IDX,
    VirtIODevice,
    VirtQueue,
    VRingMemoryRegionCaches,
    virtio_device_disabled,
    virtio_vdev_has_feature,
)
from pyqemu_edu.hw.virtio.virtio_notify import virtio_error
from pyqemu_edu.softmmu.address_space_map import (
    MemoryRegionCache,
    address_space_cache_init,
    address_space_lduw_cached,
    address_space_read_cached,
    address_space_stw_cached,
    address_space_write_cached,
)

DESC = struct.Struct("<QIHH")
USED_ELEM = struct.Struct("<II")
VRING_DESC_F_NEXT, VRING_DESC_F_WRITE, VRING_DESC_F_INDIRECT = 1, 2, 4
VRING_USED_F_NO_NOTIFY = 1
VRING_AVAIL_F_NO_INTERRUPT = 1

FLAGS, IDX, RING = 0, 2, 4
"""Where the parts of both rings begin."""


class VRingDesc(NamedTuple):
    """A buffer: where, how long, what for, and which descriptor goes on from it."""

    addr: int
    len: int
    flags: int
    next: int


# ---- where the tables are


def virtio_queue_get_desc_size(vdev: VirtIODevice, n: int) -> int:
    """Bytes of the descriptor table."""
    return DESC.size * vdev.vq[n].vring.num


def virtio_queue_get_avail_size(vdev: VirtIODevice, n: int) -> int:
    """Bytes of the available ring."""
    return RING + 2 * vdev.vq[n].vring.num + event_size(vdev)


def virtio_queue_get_used_size(vdev: VirtIODevice, n: int) -> int:
    """Bytes of the used ring."""
    return RING + USED_ELEM.size * vdev.vq[n].vring.num + event_size(vdev)


def event_size(vdev: VirtIODevice) -> int:
    """Bytes of the word behind each ring that says when to be told (Not in QEMU as a function)."""
    return 2 if virtio_vdev_has_feature(vdev, VIRTIO_RING_F_EVENT_IDX) else 0


def virtio_init_region_cache(vdev: VirtIODevice, n: int) -> None:
    """Look up the tables in host memory; the device is broken if they are not all in one place each."""
    vring = vdev.vq[n].vring
    vring.caches = None
    if not vring.desc:
        return
    desc = map_table(vdev, "desc", vring.desc, virtio_queue_get_desc_size(vdev, n), is_write=False)
    used = desc and map_table(vdev, "used", vring.used, virtio_queue_get_used_size(vdev, n), is_write=True)
    avail = used and map_table(vdev, "avail", vring.avail, virtio_queue_get_avail_size(vdev, n), is_write=False)
    if desc and used and avail:
        vring.caches = VRingMemoryRegionCaches(desc, avail, used)


def map_table(vdev: VirtIODevice, name: str, addr: int, size: int, is_write: bool) -> MemoryRegionCache | None:
    """One table (in QEMU a part of `virtio_init_region_cache`)."""
    assert vdev.dma_as is not None
    cache = address_space_cache_init(vdev.dma_as, addr, size, is_write)
    if cache.length < size:
        virtio_error(vdev, f"Cannot map {name}")
        return None
    return cache


def virtio_queue_update_rings(vdev: VirtIODevice, n: int) -> None:
    """A legacy driver says only where the first table is: the others follow, the used ring aligned."""
    vring = vdev.vq[n].vring
    if vring.num and vring.desc and vring.align:
        vring.avail = vring.desc + vring.num * DESC.size
        vring.used = vring_align(vring.avail + RING + 2 * vring.num, vring.align)
        virtio_init_region_cache(vdev, n)


def vring_align(addr: int, align: int) -> int:
    """`addr` rounded up, as C does it: odd results for what is no power of two (QEMU include/hw/virtio/virtio.h)."""
    return (addr + align - 1) & ~(align - 1) & 0xFFFFFFFFFFFFFFFF


# ---- what is in them


def vring_split_desc_read(cache: MemoryRegionCache, i: int) -> VRingDesc:
    """Descriptor `i` of a table."""
    return VRingDesc(*DESC.unpack(address_space_read_cached(cache, i * DESC.size, DESC.size)))


def vring_avail_flags(vq: VirtQueue) -> int:
    """What the driver wishes."""
    return avail_word(vq, FLAGS)


def vring_avail_idx(vq: VirtQueue) -> int:
    """How many buffers the driver has made available so far, modulo 65536."""
    if vq.vring.caches is None:
        return 0
    vq.shadow_avail_idx = avail_word(vq, IDX)
    return vq.shadow_avail_idx


def vring_avail_ring(vq: VirtQueue, i: int) -> int:
    """Entry `i` of the available ring: the head of a chain of descriptors."""
    return avail_word(vq, RING + 2 * i)


def vring_get_used_event(vq: VirtQueue) -> int:
    """At which used index the driver wants to be interrupted."""
    return vring_avail_ring(vq, vq.vring.num)


def avail_word(vq: VirtQueue, offset: int) -> int:
    """A word of the available ring, 0 without one (Not in QEMU)."""
    caches = vq.vring.caches
    return 0 if caches is None else address_space_lduw_cached(caches.avail, offset)


def vring_used_write(vq: VirtQueue, id: int, length: int, i: int) -> None:
    """Entry `i` of the used ring: the chain with head `id` is done, `length` bytes were written."""
    if (caches := vq.vring.caches) is not None:
        address_space_write_cached(caches.used, RING + USED_ELEM.size * i, USED_ELEM.pack(id, length))


def vring_used_flags(vq: VirtQueue) -> int:
    """What the device wishes."""
    caches = vq.vring.caches
    return 0 if caches is None else address_space_lduw_cached(caches.used, FLAGS)


def vring_used_idx(vq: VirtQueue) -> int:
    """How many buffers the device has used so far, as the driver sees it."""
    caches = vq.vring.caches
    return 0 if caches is None else address_space_lduw_cached(caches.used, IDX)


def vring_used_idx_set(vq: VirtQueue, val: int) -> None:
    """Let the driver see how many."""
    set_used_word(vq, IDX, val)
    vq.used_idx = val


def vring_used_flags_set_bit(vq: VirtQueue, mask: int) -> None:
    """Set a flag in the used ring: a wish of the device's."""
    set_used_word(vq, FLAGS, vring_used_flags(vq) | mask)


def vring_used_flags_unset_bit(vq: VirtQueue, mask: int) -> None:
    """Wish it no longer."""
    set_used_word(vq, FLAGS, vring_used_flags(vq) & ~mask)


def vring_set_avail_event(vq: VirtQueue, val: int) -> None:
    """Say at which available index the device wants to be notified."""
    if vq.notification:
        set_used_word(vq, RING + USED_ELEM.size * vq.vring.num, val)


def set_used_word(vq: VirtQueue, offset: int, val: int) -> None:
    """A word of the used ring, if there is one (Not in QEMU)."""
    if (caches := vq.vring.caches) is not None:
        address_space_stw_cached(caches.used, offset, val)


# ---- who wants to be told


def virtio_queue_get_notification(vq: VirtQueue) -> bool:
    """Whether the device wants to be notified."""
    return vq.notification


def virtio_queue_set_notification(vq: VirtQueue, enable: bool) -> None:
    """Say whether the device wants to be notified of new buffers."""
    vq.notification = enable
    if vq.vring.desc:
        virtio_queue_split_set_notification(vq, enable)


def virtio_queue_split_set_notification(vq: VirtQueue, enable: bool) -> None:
    """By the event index if the driver knows that, else by a flag."""
    if virtio_vdev_has_feature(vq.vdev, VIRTIO_RING_F_EVENT_IDX):
        vring_set_avail_event(vq, vring_avail_idx(vq))
    elif enable:
        vring_used_flags_unset_bit(vq, VRING_USED_F_NO_NOTIFY)
    else:
        vring_used_flags_set_bit(vq, VRING_USED_F_NO_NOTIFY)


def virtio_queue_ready(vq: VirtQueue) -> bool:
    """Whether the driver has said where the tables are."""
    return vq.vring.avail != 0


def virtio_queue_empty(vq: VirtQueue) -> bool:
    """Whether there is nothing for the device; the guest's memory is asked only if that is not known already."""
    if virtio_device_disabled(vq.vdev) or not vq.vring.avail:
        return True
    return vq.shadow_avail_idx == vq.last_avail_idx and vring_avail_idx(vq) == vq.last_avail_idx
