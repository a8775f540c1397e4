"""A virtio device in memory: the transport, with a bus for the device (QEMU hw/virtio/virtio-mmio.c).

A board has several, most with nothing on the bus.  Such a slot shows its magic number, its version and a device number
of 0, which tells the guest to pass on.  Left out: notifications by file descriptor, and saving.
"""

from __future__ import annotations

from pyqemu_edu.hw.core.bus import qbus_init
from pyqemu_edu.hw.core.irq import qemu_set_irq
from pyqemu_edu.hw.core.qdev_bus import qdev_get_dev_path
from pyqemu_edu.hw.core.qdev_core import DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_BIT, DEFINE_PROP_BOOL, device_class_set_props
from pyqemu_edu.hw.core.sysbus import TYPE_SYS_BUS_DEVICE, sysbus_init_irq, sysbus_init_mmio
from pyqemu_edu.hw.virtio.virtio_bus import (
    TYPE_VIRTIO_BUS,
    VirtioBusClass,
    VirtioBusState,
    virtio_bus_get_device,
)
from pyqemu_edu.hw.virtio.virtio_device import VIRTIO_F_VERSION_1
from pyqemu_edu.hw.virtio.virtio_mmio_access import (
    TYPE_VIRTIO_MMIO,
    VirtIOMMIOProxy,
    VirtIOMMIOQueue,
    virtio_legacy_mem_ops,
    virtio_mem_ops,
    virtio_mmio,
    virtio_mmio_soft_reset,
)
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import memory_region_init_io
from pyqemu_edu.softmmu.memory_access import memory_region_to_absolute_addr
from pyqemu_edu.trace.event import Event

TYPE_VIRTIO_MMIO_BUS = "virtio-mmio-bus"
VIRTIO_IOMMIO_FLAG_USE_IOEVENTFD_BIT = 1

virtio_mmio_setting_irq = Event("virtio_mmio_setting_irq", "level")

# ---- the transport


def virtio_mmio_reset(dev: DeviceState) -> None:
    """Forget what drivers said, of the device and of its queues."""
    proxy = virtio_mmio(dev)
    virtio_mmio_soft_reset(proxy)
    proxy.host_features_sel = proxy.guest_features_sel = proxy.guest_page_shift = 0
    if not proxy.legacy:
        proxy.guest_features = [0, 0]
        proxy.vqs = {n: VirtIOMMIOQueue(enabled=vq.enabled) for n, vq in proxy.vqs.items()}


def virtio_mmio_realizefn(dev: DeviceState) -> None:
    """The bus, the interrupt, the registers; without KVM no events by file descriptor."""
    proxy = virtio_mmio(dev)
    proxy.bus = object_check(qbus_init(TYPE_VIRTIO_MMIO_BUS, dev, None), VirtioBusState, TYPE_VIRTIO_BUS)
    sysbus_init_irq(proxy, Pointer(proxy, "irq"))
    proxy.flags &= ~(1 << VIRTIO_IOMMIO_FLAG_USE_IOEVENTFD_BIT)
    ops = virtio_legacy_mem_ops if proxy.legacy else virtio_mem_ops
    proxy.iomem = memory_region_init_io(dev, ops, proxy, TYPE_VIRTIO_MMIO, 0x200)
    sysbus_init_mmio(proxy, proxy.iomem)


virtio_mmio_properties = (
    DEFINE_PROP_BOOL("format_transport_address", "format_transport_address", True),
    DEFINE_PROP_BOOL("force-legacy", "legacy", True),
    DEFINE_PROP_BIT("ioeventfd", "flags", VIRTIO_IOMMIO_FLAG_USE_IOEVENTFD_BIT, True),
)


def virtio_mmio_class_init(dc: DeviceClass) -> None:
    """Properties, realize and reset of the transport."""
    dc.realize = virtio_mmio_realizefn
    dc.reset = virtio_mmio_reset
    dc.categories |= {"Misc"}
    device_class_set_props(dc, virtio_mmio_properties)


# ---- its bus


def virtio_mmio_update_irq(opaque: DeviceState, vector: int) -> None:
    """The wire is up while there is a reason for an interrupt that the driver has not acknowledged."""
    proxy = virtio_mmio(opaque)
    vdev = virtio_bus_get_device(proxy.bus)
    if vdev is None:
        return
    level = int(vdev.isr != 0)
    if virtio_mmio_setting_irq:
        virtio_mmio_setting_irq(level)
    qemu_set_irq(proxy.irq, level)


def virtio_mmio_pre_plugged(dev: DeviceState) -> None:
    """On a modern transport the device is a modern one."""
    proxy = virtio_mmio(dev)
    vdev = virtio_bus_get_device(proxy.bus)
    if vdev is not None and not proxy.legacy:
        vdev.host_features |= 1 << VIRTIO_F_VERSION_1


def virtio_mmio_bus_get_dev_path(dev: DeviceState) -> str | None:
    """Where the transport is, by its address unless that is unwanted."""
    assert dev.parent_bus is not None
    proxy = virtio_mmio(dev.parent_bus.parent_device)
    proxy_path = qdev_get_dev_path(proxy)
    if not proxy.format_transport_address:
        return proxy_path
    assert proxy.iomem is not None
    address = f"virtio-mmio@{memory_region_to_absolute_addr(proxy.iomem, 0):016x}"
    return f"{proxy_path}/{address}" if proxy_path else address


def virtio_mmio_bus_class_init(k: VirtioBusClass) -> None:
    """The bus has room for one device."""
    k.notify = virtio_mmio_update_irq
    k.pre_plugged = virtio_mmio_pre_plugged
    k.has_variable_vring_alignment = True
    k.max_dev = 1
    k.get_dev_path = virtio_mmio_bus_get_dev_path


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
