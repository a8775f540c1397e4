"""Plug devices in and out while the machine is there (QEMU softmmu/qdev-monitor.c)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.hw.core.bus import qbus_is_hotpluggable
from pyqemu_edu.hw.core.hotplug import handler_class, hotplug_handler_unplug
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.hw.core.qdev_core import DeviceState, device_class
from pyqemu_edu.hw.core.qdev_hotplug import qdev_get_hotplug_handler
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.object import object_ref, object_unparent, object_unref
from pyqemu_edu.qom.path import object_resolve_path, object_resolve_path_component
from pyqemu_edu.qom.qom_qmp_cmds import DeviceNotFound
from pyqemu_edu.softmmu.qdev_help import qdev_device_help
from pyqemu_edu.softmmu.qdev_monitor import qdev_device_add
from pyqemu_edu.util.assertion import g_assert
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.option import qemu_opts_del, qemu_opts_from_qdict
from pyqemu_edu.util.qdict import QDict
from pyqemu_edu.util.timer import QEMUClockType, qemu_clock_get_ms, timer_mod, timer_new_ms

CALL_RCU_DELAY = 50
"""For how many ms QEMU waits, when little is to be freed, until no thread can be reading a list."""


@dataclass(eq=False)
class Statics:
    """Devices that are no longer there, though somebody could still be reading a list of them."""

    unplugged: list[DeviceState] = field(default_factory=list)


statics = per_process(Statics)


def qmp_device_add(options: QDict, may_ask: bool = False) -> None:
    """Plug a device in; whatever JSON has for a property becomes text, as on a command line.  People may ask how."""
    opts = qemu_opts_from_qdict(qemu_find_opts("device"), options)
    try:
        if not (may_ask and qdev_device_help(opts)):
            qdev_device_add(opts)
    except QemuError:
        drain_call_rcu()
        raise
    finally:
        qemu_opts_del(opts)


def qmp_device_del(id: str) -> None:
    """Unplug a device."""
    qdev_unplug(find_device_state(id))


def find_device_state(id: str) -> DeviceState:
    """The device that the user has named, or whose path was given."""
    if id.startswith("/"):
        obj = object_resolve_path(id)
    else:
        obj = object_resolve_path_component(container_get(current_machine(), "/peripheral"), id)
    if obj is None:
        raise DeviceNotFound(f"Device '{id}' not found")
    if not isinstance(obj, DeviceState):
        raise QemuError(f"{id} is not a hotpluggable device")
    return obj


def qdev_unplug(dev: DeviceState) -> None:
    """Take the device away if its bus and its kind allow it; no board here has a bus where the guest must agree."""
    if dev.parent_bus is not None and not qbus_is_hotpluggable(dev.parent_bus):
        raise QemuError(f"Bus '{dev.parent_bus.name}' does not support hotplugging")
    if not device_class(dev.klass).hotpluggable:
        raise QemuError(f"Device '{object_get_typename(dev)}' does not support hotplugging")
    hotplug_ctrl = qdev_get_hotplug_handler(dev)
    g_assert(hotplug_ctrl, "softmmu/qdev-monitor.c:926:qdev_unplug", "hotplug_ctrl")
    assert hotplug_ctrl is not None
    assert handler_class(hotplug_ctrl).unplug_request is None
    hotplug_handler_unplug(hotplug_ctrl, dev)
    object_ref(dev)
    object_unparent(dev)
    call_rcu(dev)


def call_rcu(dev: DeviceState) -> None:
    """Let go of the device a little later, when its end is told of (QEMU include/qemu/rcu.h).

    In QEMU its bus does so, in a thread for that.
    """
    statics().unplugged.append(dev)
    timer = timer_new_ms(QEMUClockType.REALTIME, drain_call_rcu)
    timer_mod(timer, qemu_clock_get_ms(QEMUClockType.REALTIME) + CALL_RCU_DELAY)


def drain_call_rcu(opaque: object = None) -> None:
    """Let go of all devices that have been unplugged (QEMU util/rcu.c)."""
    unplugged = statics().unplugged
    while unplugged:
        object_unref(unplugged.pop(0))
