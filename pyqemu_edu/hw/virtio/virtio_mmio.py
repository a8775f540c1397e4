"""A virtio device in memory: the transport, with a bus for the device (QEMU hw/virtio/virtio-mmio.c).

A board has several, most with nothing on the bus.  Such a slot shows its magic number, its version and a device number
of 0, which tells the guest to pass on.  No virtio device is modelled, so there are no other registers yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.hw.core.bus import qbus_init
from pyqemu_edu.hw.core.irq import qemu_irq
from pyqemu_edu.hw.core.qdev_core import DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_BIT, DEFINE_PROP_BOOL, device_class_set_props
from pyqemu_edu.hw.core.sysbus import TYPE_SYS_BUS_DEVICE, SysBusDevice, sysbus_init_irq, sysbus_init_mmio
from pyqemu_edu.hw.virtio.virtio_bus import TYPE_VIRTIO_BUS, VirtioBusClass, VirtioBusState
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import DeviceEndian, MemoryRegionOps, memory_region_init_io
from pyqemu_edu.trace.event import Event

TYPE_VIRTIO_MMIO = "virtio-mmio"
TYPE_VIRTIO_MMIO_BUS = "virtio-mmio-bus"
VIRTIO_IOMMIO_FLAG_USE_IOEVENTFD_BIT = 1

VIRTIO_MMIO_MAGIC_VALUE = 0x000
VIRTIO_MMIO_VERSION = 0x004
VIRTIO_MMIO_VENDOR_ID = 0x00C
VIRT_MAGIC = int.from_bytes(b"virt", "little")
VIRT_VENDOR = int.from_bytes(b"QEMU", "little")
VIRT_VERSION, VIRT_VERSION_LEGACY = 2, 1

virtio_mmio_read_event = Event("virtio_mmio_read", "offset")
virtio_mmio_write_offset = Event("virtio_mmio_write_offset", "offset", "value")


@dataclass(eq=False)
class VirtIOMMIOProxy(SysBusDevice):
    """A transport."""

    irq: qemu_irq = None
    legacy: bool = False
    flags: int = 0
    format_transport_address: bool = False
    bus: VirtioBusState = field(init=False, repr=False)


def virtio_mmio_read(proxy: VirtIOMMIOProxy, offset: int, size: int) -> int:
    """A hart reads a register of a transport without a device."""
    if virtio_mmio_read_event:
        virtio_mmio_read_event(offset)
    if offset == VIRTIO_MMIO_MAGIC_VALUE:
        return VIRT_MAGIC
    if offset == VIRTIO_MMIO_VERSION:
        return VIRT_VERSION_LEGACY if proxy.legacy else VIRT_VERSION
    return VIRT_VENDOR if offset == VIRTIO_MMIO_VENDOR_ID else 0


def virtio_mmio_write(proxy: VirtIOMMIOProxy, offset: int, value: int, size: int) -> None:
    """A hart writes a register: nobody is there to see it."""
    if virtio_mmio_write_offset:
        virtio_mmio_write_offset(offset, value)


virtio_legacy_mem_ops = MemoryRegionOps(virtio_mmio_read, virtio_mmio_write, DeviceEndian.NATIVE)
virtio_mem_ops = MemoryRegionOps(virtio_mmio_read, virtio_mmio_write, DeviceEndian.LITTLE)


def virtio_mmio_reset(dev: DeviceState) -> None:
    """What there is to forget belongs to the device on the bus."""


def virtio_mmio_realizefn(dev: DeviceState) -> None:
    """The bus, the interrupt, the registers; without KVM no events by file descriptor."""
    proxy = object_check(dev, VirtIOMMIOProxy, TYPE_VIRTIO_MMIO)
    proxy.bus = object_check(qbus_init(TYPE_VIRTIO_MMIO_BUS, dev, None), VirtioBusState, TYPE_VIRTIO_BUS)
    sysbus_init_irq(proxy, Pointer(proxy, "irq"))
    proxy.flags &= ~(1 << VIRTIO_IOMMIO_FLAG_USE_IOEVENTFD_BIT)
    ops = virtio_legacy_mem_ops if proxy.legacy else virtio_mem_ops
    sysbus_init_mmio(proxy, memory_region_init_io(dev, ops, proxy, TYPE_VIRTIO_MMIO, 0x200))


virtio_mmio_properties = (
    DEFINE_PROP_BOOL("format_transport_address", "format_transport_address", True),
    DEFINE_PROP_BOOL("force-legacy", "legacy", True),
    DEFINE_PROP_BIT("ioeventfd", "flags", VIRTIO_IOMMIO_FLAG_USE_IOEVENTFD_BIT, True),
)


def virtio_mmio_class_init(dc: DeviceClass) -> None:
    """The class."""
    dc.realize = virtio_mmio_realizefn
    dc.reset = virtio_mmio_reset
    dc.categories |= {"Misc"}
    device_class_set_props(dc, virtio_mmio_properties)


def virtio_mmio_bus_class_init(k: VirtioBusClass) -> None:
    """The bus has room for one device."""
    k.has_variable_vring_alignment = True
    k.max_dev = 1


type_init(
    TypeInfo(
        TYPE_VIRTIO_MMIO_BUS,
        parent=TYPE_VIRTIO_BUS,
        instance_struct=VirtioBusState,
        class_init=virtio_mmio_bus_class_init,
    ),
    TypeInfo(
        TYPE_VIRTIO_MMIO,
        parent=TYPE_SYS_BUS_DEVICE,
        instance_struct=VirtIOMMIOProxy,
        class_init=virtio_mmio_class_init,
    ),
)
