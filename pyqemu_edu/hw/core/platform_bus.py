"""A window in which devices find a place that users plug into the system bus (QEMU hw/core/platform-bus.c)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.hw.core.irq import qemu_irq
from pyqemu_edu.hw.core.qdev_core import DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_UINT32, device_class_set_props
from pyqemu_edu.hw.core.sysbus import (
    TYPE_SYS_BUS_DEVICE,
    SysBusDevice,
    foreach_dynamic_sysbus_device,
    sysbus_connect_irq,
    sysbus_get_connected_irq,
    sysbus_has_irq,
    sysbus_has_mmio,
    sysbus_init_irq,
    sysbus_init_mmio,
    sysbus_is_irq_connected,
    sysbus_mmio_get_region,
)
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import (
    MemoryRegion,
    memory_region_add_subregion,
    memory_region_init,
    memory_region_size,
)
from pyqemu_edu.util.error import QemuExit, error_report

TYPE_PLATFORM_BUS_DEVICE = "platform-bus-device"


@dataclass(eq=False)
class PlatformBusDevice(SysBusDevice):
    """A window of `mmio_size` bytes with `num_irqs` interrupts, some taken."""

    mmio_size: int = 0
    window: MemoryRegion = field(init=False, repr=False)
    num_irqs: int = 0
    irqs: list[qemu_irq] = field(default_factory=list)
    used_irqs: set[int] = field(default_factory=set)


def PLATFORM_BUS_DEVICE(obj: object) -> PlatformBusDevice:
    """Cast to a platform bus."""
    return object_check(obj, PlatformBusDevice, TYPE_PLATFORM_BUS_DEVICE)


def sysbus_irqs(sbdev: SysBusDevice) -> range:
    """The numbers of a device's interrupts (Not in QEMU: loops there)."""
    n = 0
    while sysbus_has_irq(sbdev, n):
        n += 1
    return range(n)


def platform_bus_refresh_irqs(pbus: PlatformBusDevice) -> None:
    """See which interrupts devices have already (QEMU `plaform_bus_refresh_irqs`)."""
    pbus.used_irqs = set()

    def platform_bus_count_irqs(sbdev: SysBusDevice) -> None:
        connected = [sysbus_get_connected_irq(sbdev, n) for n in sysbus_irqs(sbdev)]
        pbus.used_irqs |= {i for i, irq in enumerate(pbus.irqs) if irq in connected}

    foreach_dynamic_sysbus_device(platform_bus_count_irqs)


def platform_bus_map_irq(pbus: PlatformBusDevice, sbdev: SysBusDevice, n: int) -> None:
    """Lead the device's interrupt to the first that is free, unless it leads somewhere."""
    if sysbus_is_irq_connected(sbdev, n):
        return
    free = (i for i in range(pbus.num_irqs) if i not in pbus.used_irqs)
    irqn = next(free, None)
    if irqn is None:
        error_report("Platform Bus: Can not fit IRQ line")
        raise QemuExit(1)
    pbus.used_irqs.add(irqn)
    sysbus_connect_irq(sbdev, n, pbus.irqs[irqn])


def platform_bus_map_mmio(pbus: PlatformBusDevice, sbdev: SysBusDevice, n: int) -> None:
    """Put the device's region at the first place that is free and aligned to its size, unless it is somewhere."""
    region = sysbus_mmio_get_region(sbdev, n)
    if region.container is not None:
        return
    size = memory_region_size(region)
    alignment = 1 << (2 * size - 1).bit_length() - 1
    for offset in range(0, pbus.mmio_size, alignment):
        if not any(offset < r.addr + r.size and r.addr < offset + size for r in pbus.window.subregions):
            memory_region_add_subregion(pbus.window, offset, region)
            return
    error_report(f"Platform Bus: Can not fit MMIO region of size {size:x}")
    raise QemuExit(1)


def platform_bus_link_device(pbus: PlatformBusDevice, sbdev: SysBusDevice) -> None:
    """Give a device its interrupts and its place."""
    for i in sysbus_irqs(sbdev):
        platform_bus_map_irq(pbus, sbdev, i)
    i = 0
    while sysbus_has_mmio(sbdev, i):
        platform_bus_map_mmio(pbus, sbdev, i)
        i += 1


def platform_bus_realize(dev: DeviceState) -> None:
    """The window and its interrupts."""
    pbus = PLATFORM_BUS_DEVICE(dev)
    pbus.window = memory_region_init(dev, "platform bus", pbus.mmio_size)
    sysbus_init_mmio(pbus, pbus.window)
    pbus.irqs = [None] * pbus.num_irqs
    for i in range(pbus.num_irqs):
        sysbus_init_irq(pbus, Pointer(pbus.irqs, i))
    platform_bus_refresh_irqs(pbus)


platform_bus_properties = (
    DEFINE_PROP_UINT32("num_irqs", "num_irqs", 0),
    DEFINE_PROP_UINT32("mmio_size", "mmio_size", 0),
)


def platform_bus_class_init(dc: DeviceClass) -> None:
    """Properties and realize."""
    dc.realize = platform_bus_realize
    device_class_set_props(dc, platform_bus_properties)


type_init(
    TypeInfo(
        TYPE_PLATFORM_BUS_DEVICE,
        parent=TYPE_SYS_BUS_DEVICE,
        instance_struct=PlatformBusDevice,
        class_init=platform_bus_class_init,
    )
)
