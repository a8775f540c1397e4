"""`info qtree`: every bus with its devices, their wires and properties (QEMU softmmu/qdev-monitor.c)."""

from __future__ import annotations

from collections.abc import Iterator

from pyqemu_edu.hw.core.qdev_core import BusClass, BusState, DeviceClass, DeviceState
from pyqemu_edu.hw.core.sysbus import sysbus_get_default
from pyqemu_edu.monitor.monitor import Monitor
from pyqemu_edu.qom.klass import (
    object_class_by_name,
    object_class_get_parent,
    object_get_class,
    object_get_typename,
)
from pyqemu_edu.qom.property import object_property_find, object_property_get_str, object_property_print
from pyqemu_edu.qom.struct import ObjectClass
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.qdict import QDict

TYPE_DEVICE = "device"
STEP = "  "


def indented(lines: Iterator[str]) -> Iterator[str]:
    """The lines of something inside (QEMU `qdev_printf`)."""
    return (STEP + line for line in lines)


def hmp_info_qtree(mon: Monitor, args: QDict) -> str:
    """`info qtree`: the system bus and all below."""
    return "".join(f"{line}\n" for line in qbus_print(sysbus_get_default()))


def qbus_print(bus: BusState) -> Iterator[str]:
    """A bus and its devices."""
    yield f"bus: {bus.name}"
    yield f"{STEP}type {object_get_typename(bus)}"
    for kid in bus.children:
        yield from indented(qdev_print(kid.child))


def qdev_print(dev: DeviceState) -> Iterator[str]:
    """A device: its wires, its properties, where it is on its bus, and its own buses."""
    yield f'dev: {object_get_typename(dev)}, id "{dev.id or ""}"'
    yield from indented(gpio_lines(dev))
    klass: ObjectClass | None = object_get_class(dev)
    while klass is not None and klass is not object_class_by_name(TYPE_DEVICE):
        assert isinstance(klass, DeviceClass)
        yield from indented(qdev_print_props(dev, klass))
        klass = object_class_get_parent(klass)
    yield from indented(bus_print_dev(dev))
    for child in dev.child_bus:
        yield from indented(qbus_print(child))


def gpio_lines(dev: DeviceState) -> Iterator[str]:
    """How many wires of each name it has, in and out (in QEMU a part of `qdev_print`)."""
    for wires in dev.gpios:
        for word, count in (("in", len(wires.inputs)), ("out", wires.num_out)):
            if count:
                yield f'gpio-{word} "{wires.name or ""}" {count}'


def qdev_print_props(dev: DeviceState, klass: DeviceClass) -> Iterator[str]:
    """The properties that this class has declared, each in its type's own way if it has one."""
    for prop in klass.props_:
        legacy = f"legacy-{prop.name}"
        try:
            if object_property_find(dev, legacy) is not None:
                value = object_property_get_str(dev, legacy)
            else:
                value = object_property_print(dev, prop.name, human=True)
        except QemuError:
            continue
        yield f"{prop.name} = {value or '<null>'}"


def bus_print_dev(dev: DeviceState) -> Iterator[str]:
    """What the bus says of the device."""
    klass = object_get_class(dev.parent_bus) if dev.parent_bus is not None else None
    if isinstance(klass, BusClass) and klass.print_dev is not None:
        yield from klass.print_dev(dev).splitlines()
