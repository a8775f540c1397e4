"""What happens when a device's `realized` is set (QEMU hw/core/qdev.c).

dev = qdev_new("riscv.aclint.swi")          # configurable
qdev_realize(dev, bus)                      # usable: its kind's realize function has run
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pyqemu_edu.hw.core.bus import qbus_realize, qbus_unrealize
from pyqemu_edu.hw.core.hotplug import hotplug_handler_plug, hotplug_handler_pre_plug
from pyqemu_edu.hw.core.qdev_core import DeviceState, device_get_class
from pyqemu_edu.hw.core.qdev_hotplug import qdev_get_hotplug_handler, qdev_get_machine
from pyqemu_edu.hw.core.resettable import (
    RESET_TYPE_COLD,
    resettable_assert_reset,
    resettable_change_parent,
    resettable_release_reset,
    resettable_state_clear,
)
from pyqemu_edu.migration.vmstate import (
    VMSTATE_INSTANCE_ID_ANY,
    VMStateDescription,
    vmstate_register_with_alias_id,
    vmstate_unregister,
)
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.link import object_property_add_child
from pyqemu_edu.qom.object import object_unparent
from pyqemu_edu.qom.path import object_get_canonical_path
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import QemuError

trace_device_realize = Event("device_realize", "dev")
trace_device_realized = Event("device_realized", "dev")
trace_device_unrealize = Event("device_unrealize", "dev")


@dataclass(eq=False)
class DeviceListener:
    """Someone who is told of every device."""

    realize: Callable[[DeviceState], None] | None = None
    unrealize: Callable[[DeviceState], None] | None = None


@dataclass(eq=False)
class Statics:
    """How many devices nobody owned, and who is told of devices."""

    unattached_count: int = 0
    device_listeners: list[DeviceListener] = field(default_factory=list)


statics = per_process(Statics)


def qdev_get_vmsd(dev: DeviceState) -> VMStateDescription | None:
    """What is saved of the device."""
    return device_get_class(dev).vmsd


def device_get_realized(dev: DeviceState) -> bool:
    """Whether the device can be used."""
    return dev.realized


def device_set_realized(dev: DeviceState, value: bool) -> None:
    """Make the device usable, or take it out of use."""
    if dev.hotplugged and not device_get_class(dev).hotpluggable:
        raise QemuError(f"Device '{object_get_typename(dev)}' does not support hotplugging")
    if value and not dev.realized:
        device_realize(dev)
    elif not value and dev.realized:
        device_unrealize(dev)


def device_realize(dev: DeviceState) -> None:
    """Make the device usable; if that fails, undo what was done (Not in QEMU: a part of `device_set_realized`).

    Left out against QEMU: --only-migratable, clocks.
    """
    if trace_device_realize:
        trace_device_realize(dev)
    unattached = dev.parent is None
    if unattached:
        device_attach(dev)
    undo: list[Callable[[DeviceState], None]] = []
    try:
        device_realize_steps(dev, undo)
    except QemuError:
        for step in reversed(undo):
            step(dev)
        if unattached:
            device_detach(dev)
        raise
    dev.realized = True
    if trace_device_realized:
        trace_device_realized(dev)


def device_realize_steps(dev: DeviceState, undo: list[Callable[[DeviceState], None]]) -> None:
    """The steps in order; `undo` collects how to go back (Not in QEMU: there they are gotos)."""
    dc = device_get_class(dev)
    hotplug_ctrl = qdev_get_hotplug_handler(dev)
    if hotplug_ctrl:
        hotplug_handler_pre_plug(hotplug_ctrl, dev)
    if dc.realize:
        dc.realize(dev)
    for listener in statics().device_listeners:
        if listener.realize:
            listener.realize(dev)
    undo.append(device_forget_path)
    dev.canonical_path = object_get_canonical_path(dev)
    device_register_vmsd(dev)
    undo.append(device_unregister_vmsd)
    resettable_state_clear(dev.reset)
    undo.append(device_unrealize_buses)
    for bus in tuple(dev.child_bus):
        qbus_realize(bus)
    if dev.hotplugged:
        device_reset_hotplugged(dev)
    dev.pending_deleted_event = False
    if hotplug_ctrl:
        hotplug_handler_plug(hotplug_ctrl, dev)


# ---- the single steps


def device_attach(dev: DeviceState) -> None:
    """Own what nobody owns, as /machine/unattached/device[N] (Not in QEMU: a part of `device_set_realized`)."""
    name = f"device[{statics().unattached_count}]"
    statics().unattached_count += 1
    object_property_add_child(container_get(qdev_get_machine(), "/unattached"), name, dev)


def device_detach(dev: DeviceState) -> None:
    """Take that place back (Not in QEMU: a part of `device_set_realized`)."""
    object_unparent(dev)
    statics().unattached_count -= 1


def device_register_vmsd(dev: DeviceState) -> None:
    """Have the device's state saved, if it has any (Not in QEMU: a part of `device_set_realized`)."""
    vmsd = qdev_get_vmsd(dev)
    if vmsd:
        vmstate_register_with_alias_id(
            dev, VMSTATE_INSTANCE_ID_ANY, vmsd, dev, dev.instance_id_alias, dev.alias_required_for_version
        )


def device_unregister_vmsd(dev: DeviceState) -> None:
    """Have it no longer saved (Not in QEMU: a part of `device_set_realized`)."""
    vmsd = qdev_get_vmsd(dev)
    if vmsd:
        vmstate_unregister(dev, vmsd, dev)


def device_unrealize_buses(dev: DeviceState) -> None:
    """Take the buses that hang off the device out of use (Not in QEMU: a part of `device_set_realized`)."""
    for bus in tuple(dev.child_bus):
        qbus_unrealize(bus)


def device_forget_path(dev: DeviceState) -> None:
    """Undo the device's own realize function (Not in QEMU: a part of `device_set_realized`)."""
    dev.canonical_path = None
    device_run_unrealize(dev)


def device_run_unrealize(dev: DeviceState) -> None:
    """Call the unrealize function of its kind (Not in QEMU: a part of `device_set_realized`)."""
    dc = device_get_class(dev)
    if dc.unrealize:
        dc.unrealize(dev)


def device_reset_hotplugged(dev: DeviceState) -> None:
    """Reset a latecomer until it is as deep in reset as its bus (Not in QEMU: a part of `device_set_realized`)."""
    resettable_assert_reset(dev, RESET_TYPE_COLD)
    resettable_change_parent(dev, dev.parent_bus, None)
    resettable_release_reset(dev, RESET_TYPE_COLD)


def device_unrealize(dev: DeviceState) -> None:
    """Take the device out of use (Not in QEMU: a part of `device_set_realized`)."""
    if trace_device_unrealize:
        trace_device_unrealize(dev)
    dev.realized = False
    device_unrealize_buses(dev)
    device_unregister_vmsd(dev)
    device_run_unrealize(dev)
    dev.pending_deleted_event = True
    for listener in reversed(statics().device_listeners):
        if listener.unrealize:
            listener.unrealize(dev)
