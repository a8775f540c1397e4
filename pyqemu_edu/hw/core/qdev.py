"""Devices: making them, their type, the phases of the machine's start (QEMU hw/core/qdev.c).

Left out against QEMU: clocks (hw/core/clock.c), reasons not to unplug, devices hidden from the start, and telling QMP
of a device that is gone.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, cast

from pyqemu_edu.hw.core.bus import qbus_is_hotpluggable
from pyqemu_edu.hw.core.irq import qemu_free_irqs
from pyqemu_edu.hw.core.qdev_bus import (
    bus_remove_child,
    qdev_get_dev_path,
    qdev_unrealize,
)
from pyqemu_edu.hw.core.qdev_core import (
    TYPE_BUS,
    TYPE_DEVICE,
    BusState,
    DeviceClass,
    DeviceHook,
    DeviceState,
    device_get_class,
)
from pyqemu_edu.hw.core.qdev_properties import qdev_prop_set_globals
from pyqemu_edu.hw.core.qdev_realize import device_get_realized, device_set_realized
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
from pyqemu_edu.hw.core.vmstate_if import TYPE_VMSTATE_IF, VMStateIfClass
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.globals import object_apply_compat_props
from pyqemu_edu.qom.klass import (
    object_class_by_name,
    object_class_check,
    object_dynamic_cast,
)
from pyqemu_edu.qom.link import object_class_property_add_link
from pyqemu_edu.qom.object import object_new, object_unparent, object_unref
from pyqemu_edu.qom.path import object_child_foreach_recursive, object_get_root
from pyqemu_edu.qom.property_types import object_class_property_add_bool
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.assertion import c_assert
from pyqemu_edu.util.error import QemuExit, error_report
from pyqemu_edu.util.module import module_load_qom

trace_phase_advance = Event("phase_advance", "phase")
qapi_event_send_device_deleted = Event("DEVICE_DELETED", "device", "path")


class MachineInitPhase(IntEnum):
    """How far the machine's start has come (QEMU include/hw/qdev-core.h)."""

    NO_MACHINE = 0
    MACHINE_CREATED = 1
    ACCEL_CREATED = 2
    MACHINE_INITIALIZED = 3
    MACHINE_READY = 4


@dataclass(eq=False)
class Statics:
    """The phase, and whether devices came after the last one."""

    machine_phase: MachineInitPhase = MachineInitPhase.NO_MACHINE
    qdev_hot_added: bool = False
    qdev_hot_removed: bool = False


statics = per_process(Statics)


# ---- phases


def phase_check(phase: MachineInitPhase) -> bool:
    """Whether the phase has been reached."""
    return statics().machine_phase >= phase


def phase_advance(phase: MachineInitPhase) -> None:
    """Go on to the next phase; none can be left out."""
    c_assert(statics().machine_phase == phase - 1, "hw/core/qdev.c:957:phase_advance", "machine_phase == phase - 1")
    statics().machine_phase = MachineInitPhase(phase)
    if trace_phase_advance:
        trace_phase_advance(statics().machine_phase)


# ---- making


def qdev_new(name: str) -> Any:
    """A new device of that type, to be configured and then realized."""
    if object_class_by_name(name) is None and not module_load_qom(name):
        error_report(f"could not find a module for type '{name}'")
        raise QemuExit(1)
    return object_new(name)


def qdev_set_legacy_instance_id(dev: DeviceState, alias_id: int, required_for_version: int) -> None:
    """Give the number under which older versions saved the device."""
    assert not dev.realized
    dev.instance_id_alias = alias_id
    dev.alias_required_for_version = required_for_version


def qdev_assert_realized_properly() -> None:
    """Every device is realized, and hangs on a bus if its kind needs one."""
    object_child_foreach_recursive(object_get_root(), qdev_assert_realized_properly_cb)


def qdev_assert_realized_properly_cb(obj: Object) -> None:
    """The check for one object."""
    dev = cast("DeviceState | None", object_dynamic_cast(obj, TYPE_DEVICE))
    if dev is not None:
        assert dev.realized
        assert dev.parent_bus or not device_get_class(dev).bus_type


# ---- reset


def device_cold_reset(dev: DeviceState) -> None:
    """Reset the device and all below it, phase by phase."""
    resettable_reset(dev, RESET_TYPE_COLD)


def device_get_reset_state(dev: DeviceState) -> ResettableState:
    """How deep in reset the device is."""
    return dev.reset


def device_reset_child_foreach(dev: DeviceState, callback: ChildCallback, type: ResetType) -> None:
    """Call `callback` for every bus that hangs off the device."""
    for bus in tuple(dev.child_bus):
        callback(bus, type)


def device_phases_reset(dev: DeviceState) -> None:
    """The old-style reset of a device that has phases."""
    phases = resettable_get_class(dev).phases
    if phases.enter:
        phases.enter(dev, RESET_TYPE_COLD)
    if phases.hold:
        phases.hold(dev)
    if phases.exit:
        phases.exit(dev)


def device_transitional_reset(dev: DeviceState) -> None:
    """Reset a device, but nothing below it, whichever way it knows."""
    dc = device_get_class(dev)
    if dc.reset:
        dc.reset(dev)


def device_get_transitional_reset(dev: DeviceState) -> Any:
    """The above if the device's kind has an old-style reset function of its own."""
    return device_transitional_reset if device_get_class(dev).reset is not device_phases_reset else None


# ---- a class's own functions


def device_class_set_parent_reset(dc: DeviceClass, dev_reset: DeviceHook) -> DeviceHook | None:
    """Put `dev_reset` in place of the parent's function; return that, to be called from it."""
    parent_reset, dc.reset = dc.reset, dev_reset
    return parent_reset


def device_class_set_parent_realize(dc: DeviceClass, dev_realize: DeviceHook) -> DeviceHook | None:
    """Put `dev_realize` in place of the parent's function; return that, to be called from it."""
    parent_realize, dc.realize = dc.realize, dev_realize
    return parent_realize


# ---- the type


def device_get_hotpluggable(dev: DeviceState) -> bool:
    """Whether the device can come and go while the machine runs."""
    return device_get_class(dev).hotpluggable and (dev.parent_bus is None or qbus_is_hotpluggable(dev.parent_bus))


def device_get_hotplugged(dev: DeviceState) -> bool:
    """Whether the device came while the machine ran."""
    return dev.hotplugged


def device_initfn(dev: DeviceState) -> None:
    """A device begins unrealized."""
    if phase_check(MachineInitPhase.MACHINE_READY):
        dev.hotplugged = True
        statics().qdev_hot_added = True
    dev.instance_id_alias = -1
    dev.realized = False
    dev.allow_unplug_during_migration = False


def device_post_init(dev: DeviceState) -> None:
    """Defaults from outside; the user's come last, so that they win."""
    object_apply_compat_props(dev)
    qdev_prop_set_globals(dev)


def device_finalize(dev: DeviceState) -> None:
    """Let the device's inputs go, and tell of the end of one that had been realized."""
    for gpio_list in dev.gpios:
        qemu_free_irqs(gpio_list.inputs)
    dev.gpios.clear()
    if dev.pending_deleted_event and qapi_event_send_device_deleted:
        qapi_event_send_device_deleted(dev.id, dev.canonical_path)


def device_unparent(dev: DeviceState) -> None:
    """The device leaves the tree: out of use, without its buses, off its bus."""
    if dev.realized:
        qdev_unrealize(dev)
    while dev.child_bus:
        object_unparent(dev.child_bus[0])
    if dev.parent_bus is not None:
        bus: BusState = dev.parent_bus
        bus_remove_child(bus, dev)
        object_unref(bus)
        dev.parent_bus = None


def device_class_base_init(dc: DeviceClass) -> None:
    """A derived class does not inherit the list of properties: they are looked up in the parent's class."""
    dc.props_ = ()


def device_class_init(dc: DeviceClass) -> None:
    """What devices have in common."""
    dc.unparent = device_unparent
    dc.hotpluggable = True
    dc.user_creatable = True
    vc = object_class_check(dc, VMStateIfClass, TYPE_VMSTATE_IF)
    vc.get_id = qdev_get_dev_path  # QEMU device_vmstate_if_get_id
    rc = object_class_check(dc, ResettableClass, TYPE_RESETTABLE_INTERFACE)
    rc.get_state = device_get_reset_state
    rc.child_foreach = device_reset_child_foreach
    dc.reset = device_phases_reset
    rc.get_transitional_function = device_get_transitional_reset

    object_class_property_add_bool(dc, "realized", device_get_realized, device_set_realized)
    object_class_property_add_bool(dc, "hotpluggable", device_get_hotpluggable)
    object_class_property_add_bool(dc, "hotplugged", device_get_hotplugged)
    object_class_property_add_link(dc, "parent_bus", TYPE_BUS, "parent_bus")


type_init(
    TypeInfo(
        TYPE_DEVICE,
        parent=TYPE_OBJECT,
        instance_struct=DeviceState,
        class_struct=DeviceClass,
        instance_init=device_initfn,
        instance_post_init=device_post_init,
        instance_finalize=device_finalize,
        class_base_init=device_class_base_init,
        class_init=device_class_init,
        abstract=True,
        interfaces=(TYPE_VMSTATE_IF, TYPE_RESETTABLE_INTERFACE),
    )
)
