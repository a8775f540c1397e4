"""Taking requests from a virtqueue and giving them back (QEMU hw/virtio/virtio.c).

A request is a chain of descriptors, in the table itself or in an *indirect* table that a descriptor points to.
"""

from __future__ import annotations

from collections.abc import Iterator

from pyqemu_edu.hw.virtio.virtio_device import (
    VIRTIO_F_NOTIFY_ON_EMPTY,
    VIRTIO_RING_F_EVENT_IDX,
    VIRTQUEUE_MAX_SIZE,
    VirtIODevice,
    VirtQueue,
    VirtQueueElement,
    virtio_device_disabled,
    virtio_vdev_has_feature,
)
from pyqemu_edu.hw.virtio.virtio_notify import virtio_error, virtio_notify_vector, virtio_set_isr
from pyqemu_edu.hw.virtio.vring import (
    DESC,
    VRING_AVAIL_F_NO_INTERRUPT,
    VRING_DESC_F_INDIRECT,
    VRING_DESC_F_NEXT,
    VRING_DESC_F_WRITE,
    VRingDesc,
    virtio_queue_empty,
    vring_avail_flags,
    vring_avail_idx,
    vring_avail_ring,
    vring_get_used_event,
    vring_set_avail_event,
    vring_split_desc_read,
    vring_used_idx_set,
    vring_used_write,
)
from pyqemu_edu.softmmu.address_space_map import (
    Mapping,
    MemoryRegionCache,
    address_space_cache_init,
    address_space_map,
    address_space_unmap,
)
from pyqemu_edu.trace.event import Event

virtqueue_pop_event = Event("virtqueue_pop", "vq", "elem", "in_num", "out_num")
virtqueue_fill_event = Event("virtqueue_fill", "vq", "elem", "len", "idx")
virtqueue_flush_event = Event("virtqueue_flush", "vq", "count")
virtio_notify_event = Event("virtio_notify", "vdev", "vq")


class GuestError(Exception):
    """The driver broke a rule (Not in QEMU, where a `goto` leads out of the loop after `virtio_error`)."""


# ---- what the driver says


def virtqueue_num_heads(vq: VirtQueue, idx: int) -> int:
    """How many requests there are from index `idx` on; `GuestError` for more than can be."""
    num_heads = vring_avail_idx(vq) - idx & 0xFFFF
    if num_heads > vq.vring.num:
        raise GuestError(f"Guest moved used index from {idx} to {vq.shadow_avail_idx}")
    return num_heads


def virtqueue_get_head(vq: VirtQueue, idx: int) -> int:
    """The first descriptor of the request with index `idx`; `GuestError` if there is no such descriptor."""
    head = vring_avail_ring(vq, idx % vq.vring.num)
    if head >= vq.vring.num:
        raise GuestError(f"Guest says index {head} is available")
    return head


def descriptor_table(vq: VirtQueue, desc: VRingDesc) -> MemoryRegionCache:
    """The indirect table that a descriptor points to (in QEMU a part of `virtqueue_split_pop`)."""
    if not desc.len or desc.len % DESC.size:
        raise GuestError("Invalid size for indirect buffer table")
    assert vq.vdev.dma_as is not None
    cache = address_space_cache_init(vq.vdev.dma_as, desc.addr, desc.len, False)
    if cache.length < desc.len:
        raise GuestError("Cannot map indirect buffer")
    return cache


def virtqueue_split_read_next_desc(desc: VRingDesc, cache: MemoryRegionCache, max: int) -> VRingDesc | None:
    """The descriptor that goes on from `desc`, None at the end of the chain; `GuestError` for one outside."""
    if not desc.flags & VRING_DESC_F_NEXT:
        return None
    if desc.next >= max:
        raise GuestError(f"Desc next is {desc.next}")
    return vring_split_desc_read(cache, desc.next)


# ---- how much there is


def virtqueue_get_avail_bytes(vq: VirtQueue, max_in_bytes: int, max_out_bytes: int) -> tuple[int, int]:
    """How many bytes the device could write and read; looking ends when both limits are reached."""
    caches = vq.vring.caches
    if not vq.vring.desc or caches is None:
        return 0, 0
    try:
        if caches.desc.length < vq.vring.num * DESC.size:
            raise GuestError("Cannot map descriptor ring")
        return virtqueue_split_get_avail_bytes(vq, max_in_bytes, max_out_bytes, caches.desc)
    except GuestError as error:
        virtio_error(vq.vdev, str(error))
        return 0, 0


def virtqueue_split_get_avail_bytes(
    vq: VirtQueue, max_in_bytes: int, max_out_bytes: int, table: MemoryRegionCache
) -> tuple[int, int]:
    """The sum over all requests; as in C it wraps at 32 bits."""
    in_total = out_total = 0
    for desc in available_descriptors(vq, table):
        if desc.flags & VRING_DESC_F_WRITE:
            in_total = in_total + desc.len & 0xFFFFFFFF
        else:
            out_total = out_total + desc.len & 0xFFFFFFFF
        if in_total >= max_in_bytes and out_total >= max_out_bytes:
            break
    return in_total, out_total


def available_descriptors(vq: VirtQueue, table: MemoryRegionCache) -> Iterator[VRingDesc]:
    """Every descriptor of every request (in QEMU the loop of `virtqueue_split_get_avail_bytes`)."""
    idx, total_bufs = vq.last_avail_idx, 0
    while virtqueue_num_heads(vq, idx):
        max, num_bufs, cache = vq.vring.num, total_bufs, table
        desc: VRingDesc | None = vring_split_desc_read(cache, virtqueue_get_head(vq, idx))
        idx += 1
        assert desc is not None
        if desc.flags & VRING_DESC_F_INDIRECT:
            if num_bufs >= max:
                raise GuestError("Looped descriptor")
            cache = descriptor_table(vq, desc)
            max, num_bufs, desc = cache.length // DESC.size, 0, vring_split_desc_read(cache, 0)
        while desc is not None:
            num_bufs += 1
            if num_bufs > max:
                raise GuestError("Looped descriptor")
            yield desc
            desc = virtqueue_split_read_next_desc(desc, cache, max)
        total_bufs = num_bufs if cache is table else total_bufs + 1


# ---- taking


def virtqueue_pop(vq: VirtQueue) -> VirtQueueElement | None:
    """The next request, its buffers mapped; None if there is none or the driver broke a rule."""
    if virtio_device_disabled(vq.vdev):
        return None
    mappings: list[Mapping] = []
    try:
        return virtqueue_split_pop(vq, mappings)
    except GuestError as error:
        virtio_error(vq.vdev, str(error))
        for mapping in mappings:
            address_space_unmap(mapping, 0)
        return None


def virtqueue_split_pop(vq: VirtQueue, mappings: list[Mapping]) -> VirtQueueElement | None:
    """The same; `mappings` is filled on the way.  `GuestError` if the driver broke a rule."""
    if virtio_queue_empty(vq):
        return None
    if vq.inuse >= vq.vring.num:
        raise GuestError("Virtqueue size exceeded")
    idx = vq.last_avail_idx
    vq.last_avail_idx = idx + 1 & 0xFFFF
    head = virtqueue_get_head(vq, idx)
    if virtio_vdev_has_feature(vq.vdev, VIRTIO_RING_F_EVENT_IDX):
        vring_set_avail_event(vq, vq.last_avail_idx)
    for desc in chain(vq, head):
        virtqueue_map_desc(vq.vdev, mappings, desc)
    out_num = sum(not mapping.is_write for mapping in mappings)
    views = [mapping.view for mapping in mappings]
    elem = VirtQueueElement(head, views[:out_num], views[out_num:], mappings)
    vq.inuse += 1
    if virtqueue_pop_event:
        virtqueue_pop_event(vq, elem, len(elem.in_sg), len(elem.out_sg))
    return elem


def chain(vq: VirtQueue, head: int) -> Iterator[VRingDesc]:
    """The descriptors of one request (in QEMU the loop of `virtqueue_split_pop`)."""
    max = vq.vring.num
    if vq.vring.caches is None:
        raise GuestError("Region caches not initialized")
    cache = vq.vring.caches.desc
    if cache.length < max * DESC.size:
        raise GuestError("Cannot map descriptor ring")
    desc: VRingDesc | None = vring_split_desc_read(cache, head)
    assert desc is not None
    if desc.flags & VRING_DESC_F_INDIRECT:
        cache = descriptor_table(vq, desc)
        max, desc = cache.length // DESC.size, vring_split_desc_read(cache, 0)
    entries = 0
    while desc is not None:
        yield desc
        entries += 1
        if entries > max:
            raise GuestError("Looped descriptor")
        desc = virtqueue_split_read_next_desc(desc, cache, max)


def virtqueue_map_desc(vdev: VirtIODevice, mappings: list[Mapping], desc: VRingDesc) -> None:
    """Map one descriptor's buffer, in as many pieces as it takes; what the device may only read comes first."""
    is_write = bool(desc.flags & VRING_DESC_F_WRITE)
    if not is_write and mappings and mappings[-1].is_write:
        raise GuestError("Incorrect order for descriptors")
    if not desc.len:
        raise GuestError("virtio: zero sized buffers are not allowed")
    assert vdev.dma_as is not None
    addr, end = desc.addr, desc.addr + desc.len
    while addr < end:
        if len(mappings) == VIRTQUEUE_MAX_SIZE:
            raise GuestError("virtio: too many write descriptors in indirect table")
        mapping = address_space_map(vdev.dma_as, addr, end - addr, is_write)
        if mapping is None:
            raise GuestError("virtio: bogus descriptor or out of resources")
        mappings.append(mapping)
        addr += len(mapping.view)


# ---- giving back


def virtqueue_unmap_sg(vq: VirtQueue, elem: VirtQueueElement, length: int) -> None:
    """The buffers belong to the driver again; `length` bytes of them were written."""
    for mapping in elem.mappings:
        size = min(length, len(mapping.view)) if mapping.is_write else len(mapping.view)
        address_space_unmap(mapping, size)
        length -= size if mapping.is_write else 0
    elem.mappings = []


def virtqueue_detach_element(vq: VirtQueue, elem: VirtQueueElement, length: int) -> None:
    """Forget a request that will never be answered."""
    vq.inuse -= 1
    virtqueue_unmap_sg(vq, elem, length)


def virtqueue_unpop(vq: VirtQueue, elem: VirtQueueElement, length: int) -> None:
    """Put the last request back: it will be taken again."""
    vq.last_avail_idx = vq.last_avail_idx - 1 & 0xFFFF
    virtqueue_detach_element(vq, elem, length)


def virtqueue_fill(vq: VirtQueue, elem: VirtQueueElement, length: int, idx: int) -> None:
    """Write down the `idx`th of several requests that are done; the driver does not see it yet."""
    if virtqueue_fill_event:
        virtqueue_fill_event(vq, elem, length, idx)
    virtqueue_unmap_sg(vq, elem, length)
    if not virtio_device_disabled(vq.vdev) and vq.vring.used:
        vring_used_write(vq, elem.index, length, (idx + vq.used_idx) % vq.vring.num)


def virtqueue_flush(vq: VirtQueue, count: int) -> None:
    """Let the driver see the `count` requests that were written down."""
    if virtio_device_disabled(vq.vdev):
        vq.inuse -= count
    elif vq.vring.used:
        virtqueue_split_flush(vq, count)


def virtqueue_split_flush(vq: VirtQueue, count: int) -> None:
    """Move the used index on; if it passes the one that was signalled last, that means nothing any more."""
    if virtqueue_flush_event:
        virtqueue_flush_event(vq, count)
    old = vq.used_idx
    new = old + count & 0xFFFF
    vring_used_idx_set(vq, new)
    vq.inuse -= count
    behind = (new - vq.signalled_used + 0x8000 & 0xFFFF) - 0x8000
    if behind < (new - old & 0xFFFF):
        vq.signalled_used_valid = False


def virtqueue_push(vq: VirtQueue, elem: VirtQueueElement, length: int) -> None:
    """One request is done, and `length` bytes were written for the driver."""
    virtqueue_fill(vq, elem, length, 0)
    virtqueue_flush(vq, 1)


def virtqueue_drop_all(vq: VirtQueue) -> int:
    """Give all requests back unanswered; how many."""
    dropped = 0
    while not virtio_queue_empty(vq) and vq.inuse < vq.vring.num:
        try:
            elem = VirtQueueElement(virtqueue_get_head(vq, vq.last_avail_idx))
        except GuestError as error:
            virtio_error(vq.vdev, str(error))
            break
        vq.inuse += 1
        vq.last_avail_idx = vq.last_avail_idx + 1 & 0xFFFF
        if virtio_vdev_has_feature(vq.vdev, VIRTIO_RING_F_EVENT_IDX):
            vring_set_avail_event(vq, vq.last_avail_idx)
        virtqueue_push(vq, elem, 0)
        dropped += 1
    return dropped


# ---- telling


def vring_need_event(event_idx: int, new_idx: int, old: int) -> bool:
    """Whether an index lies between the old and the new one (Not in QEMU: the kernel's linux/virtio_ring.h)."""
    return (new_idx - event_idx - 1 & 0xFFFF) < (new_idx - old & 0xFFFF)


def virtio_split_should_notify(vdev: VirtIODevice, vq: VirtQueue) -> bool:
    """Whether the driver wants an interrupt now."""
    if virtio_vdev_has_feature(vdev, VIRTIO_F_NOTIFY_ON_EMPTY) and not vq.inuse and virtio_queue_empty(vq):
        return True
    if not virtio_vdev_has_feature(vdev, VIRTIO_RING_F_EVENT_IDX):
        return not vring_avail_flags(vq) & VRING_AVAIL_F_NO_INTERRUPT
    valid, old = vq.signalled_used_valid, vq.signalled_used
    vq.signalled_used_valid, vq.signalled_used = True, vq.used_idx
    return not valid or vring_need_event(vring_get_used_event(vq), vq.used_idx, old)


def virtio_notify(vdev: VirtIODevice, vq: VirtQueue) -> None:
    """Interrupt the driver for this queue, if it wants that."""
    if virtio_split_should_notify(vdev, vq):
        if virtio_notify_event:
            virtio_notify_event(vdev, vq)
        virtio_irq(vq)


def virtio_irq(vq: VirtQueue) -> None:
    """Ask the transport for the queue's interrupt."""
    virtio_set_isr(vq.vdev, 1)
    virtio_notify_vector(vq.vdev, vq.vector)
