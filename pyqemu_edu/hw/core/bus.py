"""Buses (QEMU hw/core/bus.c)."""

from __future__ import annotations

from typing import Any, cast

from pyqemu_edu.hw.core.hotplug import TYPE_HOTPLUG_HANDLER
from pyqemu_edu.hw.core.qdev_bus import qdev_unrealize
from pyqemu_edu.hw.core.qdev_core import TYPE_BUS, BusClass, BusState, DeviceState, bus_get_class
from pyqemu_edu.hw.core.resettable import (
    RESET_TYPE_COLD,
    TYPE_RESETTABLE_INTERFACE,
    ChildCallback,
    ResettableClass,
    ResettableState,
    ResetType,
    resettable_get_class,
    resettable_reset,
)
from pyqemu_edu.qom.klass import object_class_check, object_get_typename
from pyqemu_edu.qom.link import (
    object_property_add_child,
    object_property_add_link,
    object_property_allow_set_link,
    object_property_set_link,
)
from pyqemu_edu.qom.object import object_initialize, object_new, object_unparent, object_unref
from pyqemu_edu.qom.property import object_property_set_bool
from pyqemu_edu.qom.property_types import Pointer, object_property_add_bool
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init

QDEV_HOTPLUG_HANDLER_PROPERTY = "hotplug-handler"

# ---- making


def qbus_init(typename: str, parent: DeviceState | None, name: str | None) -> BusState:
    """A bus inside the struct of the device off which it hangs."""
    bus = cast(BusState, object_initialize(typename))
    qbus_init_internal(bus, parent, name)
    return bus


def qbus_new(typename: str, parent: DeviceState | None, name: str | None) -> BusState:
    """A bus that hangs off a device."""
    bus = cast(BusState, object_new(typename))
    qbus_init_internal(bus, parent, name)
    return bus


def qbus_init_internal(bus: BusState, parent: DeviceState | None, name: str | None) -> None:
    """Name the bus and let its device own it; only the main system bus has none."""
    bus.parent_device = parent
    bus.name = name or bus_default_name(bus)
    if parent is not None:
        parent.child_bus.insert(0, bus)
        parent.num_child_bus += 1
        object_property_add_child(parent, bus.name, bus)
        object_unref(bus)


def bus_default_name(bus: BusState) -> str:
    """The device's id and a number of its own, else the type and a number of its kind (Not in QEMU as a function)."""
    if bus.parent_device is not None and bus.parent_device.id:
        return f"{bus.parent_device.id}.{bus.parent_device.num_child_bus}"
    bc = bus_get_class(bus)
    bc.automatic_ids += 1
    return f"{object_get_typename(bus)}.{bc.automatic_ids - 1}".lower()


def qbus_set_hotplug_handler(bus: BusState, handler: Object) -> None:
    """Say who is asked when a device is plugged into the bus."""
    object_property_set_link(bus, QDEV_HOTPLUG_HANDLER_PROPERTY, handler)


def qbus_is_hotpluggable(bus: BusState) -> bool:
    """Whether devices can come and go while the machine runs (QEMU include/hw/qdev-core.h)."""
    return bus.hotplug_handler is not None


# ---- realizing


def qbus_realize(bus: BusState) -> None:
    """Make the bus usable."""
    object_property_set_bool(bus, "realized", True)


def qbus_unrealize(bus: BusState) -> None:
    """Take the bus and what is on it out of use."""
    object_property_set_bool(bus, "realized", False)


def bus_get_realized(bus: BusState) -> bool:
    """Whether the bus is usable."""
    return bus.realized


def bus_set_realized(bus: BusState, value: bool) -> None:
    """Make the bus usable, or take it and its devices out of use."""
    bc = bus_get_class(bus)
    if value and not bus.realized:
        if bc.realize:
            bc.realize(bus)
    elif not value and bus.realized:
        for kid in tuple(bus.children):
            qdev_unrealize(kid.child)
        if bc.unrealize:
            bc.unrealize(bus)
    bus.realized = value


def bus_unparent(bus: BusState) -> None:
    """The bus goes, and its devices with it."""
    assert bus.parent_device is not None, "the main system bus stays"
    while bus.children:
        object_unparent(bus.children[0].child)
    bus.parent_device.child_bus.remove(bus)
    bus.parent_device.num_child_bus -= 1
    bus.parent_device = None


# ---- reset


def bus_cold_reset(bus: BusState) -> None:
    """Reset the bus and what is on it."""
    resettable_reset(bus, RESET_TYPE_COLD)


def bus_get_reset_state(bus: BusState) -> ResettableState:
    """How deep in reset the bus is."""
    return bus.reset


def bus_reset_child_foreach(bus: BusState, callback: ChildCallback, type: ResetType) -> None:
    """Call `callback` for every device on the bus."""
    for kid in tuple(bus.children):
        callback(kid.child, type)


def bus_phases_reset(bus: BusState) -> None:
    """The old-style reset of a bus that has phases."""
    phases = resettable_get_class(bus).phases
    if phases.enter:
        phases.enter(bus, RESET_TYPE_COLD)
    if phases.hold:
        phases.hold(bus)
    if phases.exit:
        phases.exit(bus)


def bus_transitional_reset(bus: BusState) -> None:
    """Reset a bus, but not what is on it, whichever way it knows."""
    bc = bus_get_class(bus)
    if bc.reset:
        bc.reset(bus)


def bus_get_transitional_reset(bus: BusState) -> Any:
    """The above if the bus's kind has an old-style reset function of its own."""
    return bus_transitional_reset if bus_get_class(bus).reset is not bus_phases_reset else None


# ---- the type


def qbus_initfn(bus: BusState) -> None:
    """Every bus can be realized and have someone to ask about hotplug."""
    object_property_add_link(
        bus,
        QDEV_HOTPLUG_HANDLER_PROPERTY,
        TYPE_HOTPLUG_HANDLER,
        Pointer(bus, "hotplug_handler"),
        object_property_allow_set_link,
    )
    object_property_add_bool(bus, "realized", bus_get_realized, bus_set_realized)


def qbus_finalize(bus: BusState) -> None:
    """Free the name: Python does."""


def bus_class_init(bc: BusClass) -> None:
    """What buses have in common."""
    rc = object_class_check(bc, ResettableClass, TYPE_RESETTABLE_INTERFACE)
    bc.unparent = bus_unparent
    bc.get_fw_dev_path = object_get_typename  # QEMU default_bus_get_fw_dev_path
    rc.get_state = bus_get_reset_state
    rc.child_foreach = bus_reset_child_foreach
    bc.reset = bus_phases_reset
    rc.get_transitional_function = bus_get_transitional_reset


type_init(
    TypeInfo(
        TYPE_BUS,
        parent=TYPE_OBJECT,
        instance_struct=BusState,
        class_struct=BusClass,
        abstract=True,
        instance_init=qbus_initfn,
        instance_finalize=qbus_finalize,
        class_init=bus_class_init,
        interfaces=(TYPE_RESETTABLE_INTERFACE,),
    )
)
