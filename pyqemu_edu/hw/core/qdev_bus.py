"""A device and the bus it hangs on (QEMU hw/core/qdev.c, hw/core/bus.c)."""

from __future__ import annotations

from collections.abc import Iterator

from pyqemu_edu.hw.core.qdev_core import (
    BusChild,
    BusState,
    DeviceState,
    bus_get_class,
    device_get_class,
)
from pyqemu_edu.hw.core.resettable import resettable_change_parent
from pyqemu_edu.qom.klass import object_dynamic_cast, object_get_typename
from pyqemu_edu.qom.link import object_property_add_link
from pyqemu_edu.qom.object import object_ref, object_unref
from pyqemu_edu.qom.property import object_property_del, object_property_set_bool
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.util.assertion import c_assert, error_abort

# ---- realizing


def qdev_realize(dev: DeviceState, bus: BusState | None) -> None:
    """Plug the device into a bus, or none if its kind needs none, and make it usable."""
    where = "hw/core/qdev.c:%d:qdev_realize"
    c_assert(not dev.realized and not dev.parent_bus, where % 336, "!dev->realized && !dev->parent_bus")
    if bus is not None:
        qdev_set_parent_bus(dev, bus)
    else:
        c_assert(not device_get_class(dev).bus_type, where % 343, "!DEVICE_GET_CLASS(dev)->bus_type")
    object_property_set_bool(dev, "realized", True)


def qdev_realize_and_unref(dev: DeviceState, bus: BusState | None) -> None:
    """The same, and give up the caller's reference."""
    try:
        qdev_realize(dev, bus)
    finally:
        object_unref(dev)


def qdev_unrealize(dev: DeviceState) -> None:
    """Take the device out of use."""
    with error_abort("device_set_realized", "hw/core/qdev.c:496"):
        object_property_set_bool(dev, "realized", False)


# ---- plugging


def qdev_set_parent_bus(dev: DeviceState, bus: BusState) -> None:
    """Move the device to `bus`, which must be of the kind that it needs."""
    bus_type = device_get_class(dev).bus_type
    c_assert(
        bus_type and object_dynamic_cast(bus, bus_type),
        "hw/core/qdev.c:114:qdev_set_parent_bus",
        "dc->bus_type && object_dynamic_cast(OBJECT(bus), dc->bus_type)",
    )
    bus_check_address(bus, dev)
    old_parent_bus = dev.parent_bus
    if old_parent_bus:
        object_ref(dev)  # leaving its bus it must not die
        bus_remove_child(old_parent_bus, dev)
    dev.parent_bus = bus
    object_ref(bus)
    bus_add_child(bus, dev)
    if dev.realized:
        resettable_change_parent(dev, bus, old_parent_bus)
    if old_parent_bus:
        object_unref(old_parent_bus)
        object_unref(dev)


def bus_check_address(bus: BusState, child: DeviceState) -> None:
    """The bus may refuse a device whose address does not suit it."""
    check_address = bus_get_class(bus).check_address
    if check_address:
        check_address(bus, child)


def bus_add_child(bus: BusState, child: DeviceState) -> None:
    """Put the device in front of the bus's children, with a link and a reference to it."""
    bus.num_children += 1
    kid = BusChild(child, bus.max_index)
    bus.max_index += 1
    object_ref(child)
    bus.children.insert(0, kid)
    object_property_add_link(bus, f"child[{kid.index}]", object_get_typename(child), Pointer(kid, "child"))


def bus_remove_child(bus: BusState, child: DeviceState) -> None:
    """Take the device from the bus."""
    for kid in bus.children:
        if kid.child is child:
            bus.children.remove(kid)
            bus.num_children -= 1
            object_property_del(bus, f"child[{kid.index}]")
            bus_free_bus_child(kid)
            break


def bus_free_bus_child(kid: BusChild) -> None:
    """Give back the reference; C does so a little later, when no thread can be reading the list."""
    object_unref(kid.child)


def qdev_get_dev_path(dev: DeviceState) -> str | None:
    """Where on its bus the device is, in the bus's own words."""
    if dev.parent_bus is None:
        return None
    get_dev_path = bus_get_class(dev.parent_bus).get_dev_path
    return get_dev_path(dev) if get_dev_path else None


# ---- looking below a bus


def qdev_find_recursive(bus: BusState, id: str) -> DeviceState | None:
    """The device with that id on the bus or below."""
    return next((dev for dev in bus_devices(bus) if dev.id == id), None)


def bus_devices(bus: BusState) -> Iterator[DeviceState]:
    """All devices on the bus and below it, each before its own (Not in QEMU)."""
    for kid in bus.children:
        yield kid.child
        for child_bus in kid.child.child_bus:
            yield from bus_devices(child_bus)
