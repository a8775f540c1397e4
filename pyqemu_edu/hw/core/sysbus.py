"""The system bus: devices that sit at fixed addresses (QEMU hw/core/sysbus.c).

A device offers regions of memory (`sysbus_init_mmio`) and interrupt outputs (`sysbus_init_irq`); the board says where
they are (`sysbus_mmio_map`) and where they lead (`sysbus_connect_irq`).
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.hw.core.bus import qbus_init_internal
from pyqemu_edu.hw.core.gpio import (
    gpio_out_add_links,
    qdev_connect_gpio_out_named,
    qdev_get_gpio_out_connector,
)
from pyqemu_edu.hw.core.irq import qemu_irq
from pyqemu_edu.hw.core.qdev import qdev_new
from pyqemu_edu.hw.core.qdev_bus import qdev_realize, qdev_realize_and_unref
from pyqemu_edu.hw.core.qdev_core import TYPE_BUS, TYPE_DEVICE, BusClass, BusState, DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_hotplug import qdev_get_machine
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.klass import object_check, object_dynamic_cast, object_get_class_check, object_get_typename
from pyqemu_edu.qom.object import g_free, object_initialize
from pyqemu_edu.qom.path import object_child_foreach
from pyqemu_edu.qom.property import object_property_find
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import (
    MemoryRegion,
    memory_region_add_subregion,
    memory_region_add_subregion_overlap,
    memory_region_del_subregion,
    memory_region_size,
)
from pyqemu_edu.softmmu.physmem import get_system_memory

TYPE_SYSTEM_BUS = "System"
TYPE_SYS_BUS_DEVICE = "sys-bus-device"

QDEV_MAX_MMIO = 32
SYSBUS_DEVICE_GPIO_IRQ = "sysbus-irq"


@dataclass(eq=False)
class SysBusMmio:
    """A region that the device offers, and where it is; None: nowhere yet."""

    memory: MemoryRegion
    addr: int | None = None


@dataclass(eq=False)
class SysBusDevice(DeviceState):
    """A device on the system bus."""

    mmio: list[SysBusMmio] = field(default_factory=list)
    pio: list[int] = field(default_factory=list)


@dataclass(eq=False)
class SysBusDeviceClass(DeviceClass):
    """What a kind of such device does beyond what every device does."""

    explicit_ofw_unit_address: Callable[[Any], str | None] | None = None
    connect_irq_notifier: Callable[[Any, qemu_irq], None] | None = None


@dataclass(eq=False)
class Statics:
    """The one system bus."""

    main_system_bus: BusState | None = None


statics = per_process(Statics)


def sys_bus_device(obj: object) -> SysBusDevice:
    """The object as a device on the system bus (QEMU `SYS_BUS_DEVICE`)."""
    return object_check(obj, SysBusDevice, TYPE_SYS_BUS_DEVICE)


# ---- the bus


def sysbus_get_default() -> BusState:
    """The system bus, made when first asked for."""
    if statics().main_system_bus is None:
        main_system_bus_create()
    bus = statics().main_system_bus
    assert bus is not None
    return bus


def main_system_bus_create() -> None:
    """Make the system bus, noting it first so that `sysbus_get_default` finds it on the way."""
    bus = object_check(object_initialize(TYPE_SYSTEM_BUS), BusState, TYPE_BUS)
    statics().main_system_bus = bus
    qbus_init_internal(bus, None, "main-system-bus")
    bus.free = g_free


def sysbus_realize(dev: SysBusDevice) -> None:
    """Plug the device into the system bus and make it usable."""
    qdev_realize(dev, sysbus_get_default())


def sysbus_realize_and_unref(dev: SysBusDevice) -> None:
    """The same, and give up the caller's reference."""
    qdev_realize_and_unref(dev, sysbus_get_default())


def sysbus_create_varargs(name: str, addr: int | None, *irqs: qemu_irq) -> SysBusDevice:
    """Make, realize, map and connect a device in one go."""
    dev: SysBusDevice = qdev_new(name)
    sysbus_realize_and_unref(dev)
    if addr is not None:
        sysbus_mmio_map(dev, 0, addr)
    for n, irq in enumerate(irqs):
        sysbus_connect_irq(dev, n, irq)
    return dev


sysbus_create_simple = sysbus_create_varargs
"""With one interrupt (QEMU include/hw/sysbus.h)."""


# ---- memory


def sysbus_init_mmio(dev: SysBusDevice, memory: MemoryRegion) -> None:
    """Offer one more region."""
    assert len(dev.mmio) < QDEV_MAX_MMIO
    dev.mmio.append(SysBusMmio(memory))


def sysbus_has_mmio(dev: SysBusDevice, n: int) -> bool:
    """Whether the device offers a region of that number."""
    return n < len(dev.mmio)


def sysbus_mmio_get_region(dev: SysBusDevice, n: int) -> MemoryRegion:
    """The device's memory region number `n`."""
    return dev.mmio[n].memory


def sysbus_mmio_map(dev: SysBusDevice, n: int, addr: int) -> None:
    """Put region `n` at `addr` in the system's memory."""
    sysbus_mmio_map_common(dev, n, addr, None)


def sysbus_mmio_map_common(dev: SysBusDevice, n: int, addr: int, priority: int | None) -> None:
    """What the two above share; a region that is elsewhere moves."""
    assert 0 <= n < len(dev.mmio)
    mmio = dev.mmio[n]
    if mmio.addr == addr:
        return
    sysbus_mmio_unmap(dev, n)
    mmio.addr = addr
    if priority is None:
        memory_region_add_subregion(get_system_memory(), addr, mmio.memory)
    else:
        memory_region_add_subregion_overlap(get_system_memory(), addr, mmio.memory, priority)


def sysbus_mmio_unmap(dev: SysBusDevice, n: int) -> None:
    """Take region `n` out of the system's memory."""
    assert 0 <= n < len(dev.mmio)
    mmio = dev.mmio[n]
    if mmio.addr is not None:
        memory_region_del_subregion(get_system_memory(), mmio.memory)
        mmio.addr = None


# ---- interrupts


def sysbus_init_irq(dev: SysBusDevice, p: Pointer) -> None:
    """Offer one more interrupt output, to be kept behind `p`."""
    gpio_out_add_links(dev, [p], SYSBUS_DEVICE_GPIO_IRQ)


def sysbus_has_irq(dev: SysBusDevice, n: int) -> bool:
    """Whether the device offers an interrupt output of that number."""
    return object_property_find(dev, f"{SYSBUS_DEVICE_GPIO_IRQ}[{n}]") is not None


def sysbus_connect_irq(dev: SysBusDevice, n: int, irq: qemu_irq) -> None:
    """Lead interrupt output `n` to an input."""
    qdev_connect_gpio_out_named(dev, SYSBUS_DEVICE_GPIO_IRQ, n, irq)
    notifier = object_get_class_check(dev, SysBusDeviceClass, TYPE_SYS_BUS_DEVICE).connect_irq_notifier
    if notifier:
        notifier(dev, irq)


def sysbus_get_connected_irq(dev: SysBusDevice, n: int) -> qemu_irq:
    """Where interrupt output `n` leads."""
    return qdev_get_gpio_out_connector(dev, SYSBUS_DEVICE_GPIO_IRQ, n)


def sysbus_is_irq_connected(dev: SysBusDevice, n: int) -> bool:
    """Whether interrupt output `n` leads anywhere."""
    return sysbus_get_connected_irq(dev, n) is not None


# ---- what a user plugged in


def foreach_dynamic_sysbus_device(func: Callable[[SysBusDevice], None]) -> None:
    """Call `func` for every device on the system bus that a user, not the board, has made."""

    def find_sysbus_device(obj: Object) -> int:
        if object_dynamic_cast(obj, TYPE_SYS_BUS_DEVICE) is None:
            return object_child_foreach(obj, find_sysbus_device)
        func(sys_bus_device(obj))
        return 0

    find_sysbus_device(container_get(qdev_get_machine(), "/peripheral"))
    find_sysbus_device(container_get(qdev_get_machine(), "/peripheral-anon"))


# ---- the types


def sysbus_dev_print(dev: SysBusDevice) -> str:
    """A device's regions, as `info qtree` lists them; without the indentation."""
    return "".join(
        f"mmio {0xFFFFFFFFFFFFFFFF if mmio.addr is None else mmio.addr:016x}/{memory_region_size(mmio.memory):016x}\n"
        for mmio in dev.mmio
    )


def qdev_fw_name(dev: DeviceState) -> str:
    """What the firmware calls such a device (QEMU hw/core/qdev-fw.c)."""
    dc = object_get_class_check(dev, DeviceClass, TYPE_DEVICE)
    return dc.fw_name or object_get_typename(dev)


def sysbus_get_fw_dev_path(dev: SysBusDevice) -> str:
    """What the firmware calls the device and where it is."""
    explicit = object_get_class_check(dev, SysBusDeviceClass, TYPE_SYS_BUS_DEVICE).explicit_ofw_unit_address
    addr = explicit(dev) if explicit else None
    if addr is None and dev.mmio:
        addr = f"{dev.mmio[0].addr or 0:016x}"
    elif addr is None and dev.pio:
        addr = f"i{dev.pio[0]:04x}"
    return qdev_fw_name(dev) + (f"@{addr}" if addr else "")


def system_bus_class_init(bc: BusClass) -> None:
    """How the bus shows its devices."""
    bc.print_dev = sysbus_dev_print
    bc.get_fw_dev_path = sysbus_get_fw_dev_path


def sysbus_device_realize(dev: SysBusDevice) -> None:
    """Nothing: it is there so that there is a parent's function to call."""


def sysbus_device_class_init(dc: DeviceClass) -> None:
    """Such devices are made by boards, since only a board knows the addresses."""
    dc.realize = sysbus_device_realize
    dc.bus_type = TYPE_SYSTEM_BUS
    dc.user_creatable = False


type_init(
    TypeInfo(TYPE_SYSTEM_BUS, parent=TYPE_BUS, class_init=system_bus_class_init),
    TypeInfo(
        TYPE_SYS_BUS_DEVICE,
        parent=TYPE_DEVICE,
        instance_struct=SysBusDevice,
        class_struct=SysBusDeviceClass,
        abstract=True,
        class_init=sysbus_device_class_init,
    ),
)
