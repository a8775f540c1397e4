"""A driver at the registers of a virtio transport in memory (QEMU hw/virtio/virtio-mmio.c).

A *legacy* transport (version 1, the default) has the driver name a queue by the number of its first page; a modern one
(version 2) takes the addresses of its three tables.  What C writes as two long switches are two tables here: a
register, and the function that reads or writes it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pyqemu_edu.hw.core.irq import qemu_irq
from pyqemu_edu.hw.core.sysbus import SysBusDevice
from pyqemu_edu.hw.virtio import virtio_mmio_regs as reg
from pyqemu_edu.hw.virtio.virtio_bus import VirtioBusState, virtio_bus_get_device
from pyqemu_edu.hw.virtio.virtio_device import (
    VIRTIO_CONFIG_S_FEATURES_OK,
    VIRTIO_QUEUE_MAX,
    VIRTQUEUE_MAX_SIZE,
    VirtIODevice,
    virtio_device_get_class,
)
from pyqemu_edu.hw.virtio.virtio_notify import virtio_update_irq
from pyqemu_edu.hw.virtio.virtio_state import (
    virtio_bus_reset,
    virtio_config_read,
    virtio_config_write,
    virtio_queue_get_addr,
    virtio_queue_get_num,
    virtio_queue_notify,
    virtio_queue_set_addr,
    virtio_queue_set_align,
    virtio_queue_set_num,
    virtio_queue_set_rings,
    virtio_set_features,
    virtio_set_status,
)
from pyqemu_edu.hw.virtio.vring import virtio_queue_update_rings
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.softmmu.memory import DeviceEndian, MemoryRegion, MemoryRegionOps
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.log import LOG_GUEST_ERROR, qemu_log_mask

TYPE_VIRTIO_MMIO = "virtio-mmio"

VIRT_MAGIC = int.from_bytes(b"virt", "little")
VIRT_VENDOR = int.from_bytes(b"QEMU", "little")
VIRT_VERSION, VIRT_VERSION_LEGACY = 2, 1

virtio_mmio_read_event = Event("virtio_mmio_read", "offset")
virtio_mmio_write_offset = Event("virtio_mmio_write_offset", "offset", "value")
virtio_mmio_guest_page = Event("virtio_mmio_guest_page", "size", "shift")
virtio_mmio_queue_write = Event("virtio_mmio_queue_write", "value", "max_size")


@dataclass(eq=False, slots=True)
class VirtIOMMIOQueue:
    """What a modern driver has said of a queue; addresses as low and high word."""

    num: int = 0
    enabled: bool = False
    desc: list[int] = field(default_factory=lambda: [0, 0])
    avail: list[int] = field(default_factory=lambda: [0, 0])
    used: list[int] = field(default_factory=lambda: [0, 0])


@dataclass(eq=False)
class VirtIOMMIOProxy(SysBusDevice):
    """A transport."""

    iomem: MemoryRegion | None = None
    irq: qemu_irq = None
    legacy: bool = False
    flags: int = 0
    host_features_sel: int = 0
    guest_features_sel: int = 0
    guest_page_shift: int = 0
    format_transport_address: bool = False
    guest_features: list[int] = field(default_factory=lambda: [0, 0])
    vqs: dict[int, VirtIOMMIOQueue] = field(default_factory=dict)
    bus: VirtioBusState = field(init=False, repr=False)


def virtio_mmio(obj: object) -> VirtIOMMIOProxy:
    """The object as a transport (QEMU `VIRTIO_MMIO`)."""
    return object_check(obj, VirtIOMMIOProxy, TYPE_VIRTIO_MMIO)


def selected(proxy: VirtIOMMIOProxy, vdev: VirtIODevice) -> VirtIOMMIOQueue:
    """The queue that the driver speaks of; C has an array of all (Not in QEMU)."""
    return proxy.vqs.setdefault(vdev.queue_sel, VirtIOMMIOQueue())


# ---- reading


def virtio_mmio_read(proxy: VirtIOMMIOProxy, offset: int, size: int) -> int:
    """A hart reads a register."""
    vdev = virtio_bus_get_device(proxy.bus)
    if virtio_mmio_read_event:
        virtio_mmio_read_event(offset)
    if vdev is None:
        return empty_slot_read(proxy, offset)
    if offset >= reg.VIRTIO_MMIO_CONFIG:
        return virtio_config_read(vdev, offset - reg.VIRTIO_MMIO_CONFIG, size)
    if size != 4:
        guest_error("virtio_mmio_read: wrong size access to register!")
        return 0
    if offset in reg.WRITE_ONLY:
        guest_error(f"virtio_mmio_read: read of write-only register (0x{offset:x})")
        return 0
    read = READERS.get(offset)
    if read is None:
        guest_error(f"virtio_mmio_read: bad register offset (0x{offset:x})")
        return 0
    return 0 if wrong_kind(proxy, offset, "read from") else read(proxy, vdev) & 0xFFFFFFFF


def empty_slot_read(proxy: VirtIOMMIOProxy, offset: int) -> int:
    """The registers of a slot without a device (in QEMU a part of `virtio_mmio_read`)."""
    if offset == reg.VIRTIO_MMIO_MAGIC_VALUE:
        return VIRT_MAGIC
    if offset == reg.VIRTIO_MMIO_VERSION:
        return version(proxy)
    return VIRT_VENDOR if offset == reg.VIRTIO_MMIO_VENDOR_ID else 0


def version(proxy: VirtIOMMIOProxy) -> int:
    """Which of the two (Not in QEMU as a function)."""
    return VIRT_VERSION_LEGACY if proxy.legacy else VIRT_VERSION


def device_features(proxy: VirtIOMMIOProxy, vdev: VirtIODevice) -> int:
    """One half of the features; a modern transport hides those of old (in QEMU a part of `virtio_mmio_read`)."""
    if proxy.legacy:
        return 0 if proxy.host_features_sel else vdev.host_features
    return (vdev.host_features & ~virtio_device_get_class(vdev).legacy_features) >> 32 * proxy.host_features_sel


def queue_num_max(proxy: VirtIOMMIOProxy, vdev: VirtIODevice) -> int:
    """The largest size, 0 for a queue that does not exist (in QEMU a part of `virtio_mmio_read`)."""
    return VIRTQUEUE_MAX_SIZE if virtio_queue_get_num(vdev, vdev.queue_sel) else 0


def queue_pfn(proxy: VirtIOMMIOProxy, vdev: VirtIODevice) -> int:
    """The number of a queue's first page (in QEMU a part of `virtio_mmio_read`)."""
    return virtio_queue_get_addr(vdev, vdev.queue_sel) >> proxy.guest_page_shift


# fmt: off
READERS: dict[int, Callable[[VirtIOMMIOProxy, VirtIODevice], int]] = {
    reg.VIRTIO_MMIO_MAGIC_VALUE:       lambda proxy, vdev: VIRT_MAGIC,
    reg.VIRTIO_MMIO_VERSION:           lambda proxy, vdev: version(proxy),
    reg.VIRTIO_MMIO_DEVICE_ID:         lambda proxy, vdev: vdev.device_id,
    reg.VIRTIO_MMIO_VENDOR_ID:         lambda proxy, vdev: VIRT_VENDOR,
    reg.VIRTIO_MMIO_DEVICE_FEATURES:   device_features,
    reg.VIRTIO_MMIO_QUEUE_NUM_MAX:     queue_num_max,
    reg.VIRTIO_MMIO_QUEUE_PFN:         queue_pfn,
    reg.VIRTIO_MMIO_QUEUE_READY:       lambda proxy, vdev: selected(proxy, vdev).enabled,
    reg.VIRTIO_MMIO_INTERRUPT_STATUS:  lambda proxy, vdev: vdev.isr,
    reg.VIRTIO_MMIO_STATUS:            lambda proxy, vdev: vdev.status,
    reg.VIRTIO_MMIO_CONFIG_GENERATION: lambda proxy, vdev: vdev.generation,
    reg.VIRTIO_MMIO_SHM_LEN_LOW:       lambda proxy, vdev: -1,
    reg.VIRTIO_MMIO_SHM_LEN_HIGH:      lambda proxy, vdev: -1,
}
# fmt: on

LEGACY_ONLY = {reg.VIRTIO_MMIO_GUEST_PAGE_SIZE, reg.VIRTIO_MMIO_QUEUE_ALIGN, reg.VIRTIO_MMIO_QUEUE_PFN}
MODERN_ONLY = {
    reg.VIRTIO_MMIO_QUEUE_READY,
    reg.VIRTIO_MMIO_CONFIG_GENERATION,
    reg.VIRTIO_MMIO_QUEUE_DESC_LOW,
    reg.VIRTIO_MMIO_QUEUE_DESC_HIGH,
    reg.VIRTIO_MMIO_QUEUE_AVAIL_LOW,
    reg.VIRTIO_MMIO_QUEUE_AVAIL_HIGH,
    reg.VIRTIO_MMIO_QUEUE_USED_LOW,
    reg.VIRTIO_MMIO_QUEUE_USED_HIGH,
}


def wrong_kind(proxy: VirtIOMMIOProxy, offset: int, access: str) -> bool:
    """Whether the register belongs to the other kind of transport, which the driver is then told (Not in QEMU)."""
    wrong = offset in (MODERN_ONLY if proxy.legacy else LEGACY_ONLY)
    if wrong:
        kind, mode = ("non-legacy", "legacy") if proxy.legacy else ("legacy", "non-legacy")
        function = f"virtio_mmio_{access.split()[0]}"
        guest_error(f"{function}: {access} {kind} register (0x{offset:x}) in {mode} mode")
    return wrong


def guest_error(text: str) -> None:
    """Log a driver's mistake (Not in QEMU)."""
    qemu_log_mask(LOG_GUEST_ERROR, f"{text}\n")


# ---- writing


def virtio_mmio_write(proxy: VirtIOMMIOProxy, offset: int, value: int, size: int) -> None:
    """A hart writes a register."""
    vdev = virtio_bus_get_device(proxy.bus)
    if virtio_mmio_write_offset:
        virtio_mmio_write_offset(offset, value)
    if vdev is None:
        return
    if offset >= reg.VIRTIO_MMIO_CONFIG:
        virtio_config_write(vdev, offset - reg.VIRTIO_MMIO_CONFIG, value, size)
    elif size != 4:
        guest_error("virtio_mmio_write: wrong size access to register!")
    elif offset in reg.READ_ONLY:
        guest_error(f"virtio_mmio_write: write to read-only register (0x{offset:x})")
    elif offset not in WRITERS:
        guest_error(f"virtio_mmio_write: bad register offset (0x{offset:x})")
    elif not wrong_kind(proxy, offset, "write to"):
        WRITERS[offset](proxy, vdev, value)


def select_host_features(proxy: VirtIOMMIOProxy, vdev: VirtIODevice, value: int) -> None:
    """Which half to read."""
    proxy.host_features_sel = int(value != 0)


def select_guest_features(proxy: VirtIOMMIOProxy, vdev: VirtIODevice, value: int) -> None:
    """Which half to write."""
    proxy.guest_features_sel = int(value != 0)


def set_guest_features(proxy: VirtIOMMIOProxy, vdev: VirtIODevice, value: int) -> None:
    """A legacy driver's choice counts at once, a modern one's when it says FEATURES_OK."""
    if not proxy.legacy:
        proxy.guest_features[proxy.guest_features_sel] = value
    elif proxy.guest_features_sel:
        what = "attempt to write guest features with guest_features_sel > 0 in legacy mode"
        guest_error(f"virtio_mmio_write: {what}")
    else:
        virtio_set_features(vdev, value)


def set_guest_page_size(proxy: VirtIOMMIOProxy, vdev: VirtIODevice, value: int) -> None:
    """In what units the driver numbers pages; kept as the number of zeros at the end."""
    proxy.guest_page_shift = (value & -value).bit_length() - 1 if value else 0
    if virtio_mmio_guest_page:
        virtio_mmio_guest_page(value, proxy.guest_page_shift)


def select_queue(proxy: VirtIOMMIOProxy, vdev: VirtIODevice, value: int) -> None:
    """Which queue the registers are about."""
    if value < VIRTIO_QUEUE_MAX:
        vdev.queue_sel = value


def set_queue_num(proxy: VirtIOMMIOProxy, vdev: VirtIODevice, value: int) -> None:
    """How many entries the driver has made."""
    if virtio_mmio_queue_write:
        virtio_mmio_queue_write(value, VIRTQUEUE_MAX_SIZE)
    virtio_queue_set_num(vdev, vdev.queue_sel, value)
    if proxy.legacy:
        virtio_queue_update_rings(vdev, vdev.queue_sel)
    else:
        selected(proxy, vdev).num = value & 0xFFFF


def set_queue_align(proxy: VirtIOMMIOProxy, vdev: VirtIODevice, value: int) -> None:
    """Where the used ring begins."""
    virtio_queue_set_align(vdev, vdev.queue_sel, value)


def set_queue_pfn(proxy: VirtIOMMIOProxy, vdev: VirtIODevice, value: int) -> None:
    """The page at which the queue begins; 0 resets the device."""
    if value == 0:
        virtio_mmio_soft_reset(proxy)
    else:
        virtio_queue_set_addr(vdev, vdev.queue_sel, value << proxy.guest_page_shift)


def set_queue_ready(proxy: VirtIOMMIOProxy, vdev: VirtIODevice, value: int) -> None:
    """Use the queue with what was said of it, or say that it is not used."""
    vq = selected(proxy, vdev)
    if value:
        virtio_queue_set_num(vdev, vdev.queue_sel, vq.num)
        desc, avail, used = (high << 32 | low for low, high in (vq.desc, vq.avail, vq.used))
        virtio_queue_set_rings(vdev, vdev.queue_sel, desc, avail, used)
    vq.enabled = value != 0


def notify_queue(proxy: VirtIOMMIOProxy, vdev: VirtIODevice, value: int) -> None:
    """There is something in queue `value`."""
    if value < VIRTIO_QUEUE_MAX:
        virtio_queue_notify(vdev, value)


def acknowledge_interrupt(proxy: VirtIOMMIOProxy, vdev: VirtIODevice, value: int) -> None:
    """The driver has seen why."""
    vdev.isr &= ~value
    virtio_update_irq(vdev)


def write_status(proxy: VirtIOMMIOProxy, vdev: VirtIODevice, value: int) -> None:
    """How far the driver is; 0 resets the device."""
    if not proxy.legacy and value & VIRTIO_CONFIG_S_FEATURES_OK:
        virtio_set_features(vdev, proxy.guest_features[1] << 32 | proxy.guest_features[0])
    virtio_set_status(vdev, value & 0xFF)
    if vdev.status == 0:
        virtio_mmio_soft_reset(proxy)


def virtio_mmio_soft_reset(proxy: VirtIOMMIOProxy) -> None:
    """Reset the device, and forget which queues a modern driver uses."""
    virtio_bus_reset(proxy.bus)
    for vq in proxy.vqs.values():
        vq.enabled = vq.enabled and proxy.legacy


Writer = Callable[[VirtIOMMIOProxy, VirtIODevice, int], None]


def address_writer(table: str, half: int) -> Writer:
    """The function that takes one half of a table's address."""

    def write(proxy: VirtIOMMIOProxy, vdev: VirtIODevice, value: int) -> None:
        getattr(selected(proxy, vdev), table)[half] = value

    return write


# fmt: off
WRITERS: dict[int, Writer] = {
    reg.VIRTIO_MMIO_DEVICE_FEATURES_SEL: select_host_features,
    reg.VIRTIO_MMIO_DRIVER_FEATURES:     set_guest_features,
    reg.VIRTIO_MMIO_DRIVER_FEATURES_SEL: select_guest_features,
    reg.VIRTIO_MMIO_GUEST_PAGE_SIZE:     set_guest_page_size,
    reg.VIRTIO_MMIO_QUEUE_SEL:           select_queue,
    reg.VIRTIO_MMIO_QUEUE_NUM:           set_queue_num,
    reg.VIRTIO_MMIO_QUEUE_ALIGN:         set_queue_align,
    reg.VIRTIO_MMIO_QUEUE_PFN:           set_queue_pfn,
    reg.VIRTIO_MMIO_QUEUE_READY:         set_queue_ready,
    reg.VIRTIO_MMIO_QUEUE_NOTIFY:        notify_queue,
    reg.VIRTIO_MMIO_INTERRUPT_ACK:       acknowledge_interrupt,
    reg.VIRTIO_MMIO_STATUS:              write_status,
    reg.VIRTIO_MMIO_QUEUE_DESC_LOW:      address_writer("desc", 0),
    reg.VIRTIO_MMIO_QUEUE_DESC_HIGH:     address_writer("desc", 1),
    reg.VIRTIO_MMIO_QUEUE_AVAIL_LOW:     address_writer("avail", 0),
    reg.VIRTIO_MMIO_QUEUE_AVAIL_HIGH:    address_writer("avail", 1),
    reg.VIRTIO_MMIO_QUEUE_USED_LOW:      address_writer("used", 0),
    reg.VIRTIO_MMIO_QUEUE_USED_HIGH:     address_writer("used", 1),
}
# fmt: on

virtio_legacy_mem_ops = MemoryRegionOps(virtio_mmio_read, virtio_mmio_write, DeviceEndian.NATIVE)
virtio_mem_ops = MemoryRegionOps(virtio_mmio_read, virtio_mmio_write, DeviceEndian.LITTLE)
