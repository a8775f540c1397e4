"""Who is asked about a device: the machine, else the bus (QEMU hw/core/qdev-hotplug.c)."""

from __future__ import annotations

from typing import Any

from pyqemu_edu.hw.core.qdev_bus import qdev_unrealize
from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.klass import object_dynamic_cast
from pyqemu_edu.qom.path import object_get_root
from pyqemu_edu.qom.struct import Object

TYPE_MACHINE = "machine"


def qdev_get_machine() -> Object:
    """The machine, or a container in its place where there is none (QEMU hw/core/qdev.c)."""
    return container_get(object_get_root(), "/machine")


def qdev_get_machine_hotplug_handler(dev: DeviceState) -> Object | None:
    """Whom the machine names for this device."""
    machine = object_dynamic_cast(qdev_get_machine(), TYPE_MACHINE)
    if machine is None:
        return None
    mc: Any = machine.klass
    handler: Object | None = mc.get_hotplug_handler and mc.get_hotplug_handler(machine, dev)
    return handler


def qdev_hotplug_allowed(dev: DeviceState) -> bool:
    """Whether the machine lets the device be plugged in while it runs; it may also raise a `QemuError`."""
    machine = object_dynamic_cast(qdev_get_machine(), TYPE_MACHINE)
    if machine is None:
        return True
    mc: Any = machine.klass
    return mc.hotplug_allowed is None or bool(mc.hotplug_allowed(machine, dev))


def qdev_get_bus_hotplug_handler(dev: DeviceState) -> Object | None:
    """Whom the device's bus names."""
    return dev.parent_bus.hotplug_handler if dev.parent_bus else None


def qdev_get_hotplug_handler(dev: DeviceState) -> Object | None:
    """Whom to ask about the device, or None."""
    return qdev_get_machine_hotplug_handler(dev) or qdev_get_bus_hotplug_handler(dev)


def qdev_simple_device_unplug_cb(hotplug_dev: Object, dev: DeviceState) -> None:
    """Unplugging where nothing else needs doing."""
    qdev_unrealize(dev)
