"""Devices that want to know when the machine starts and stops (QEMU hw/core/vm-change-state-handler.c)."""

from __future__ import annotations

from typing import Any

from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.softmmu.runstate_transitions import (
    VMChangeStateEntry,
    VMChangeStateHandler,
    qemu_add_vm_change_state_handler_prio,
)


def qdev_get_dev_tree_depth(dev: DeviceState) -> int:
    """How many buses lie between the device and the root."""
    depth = 0
    while dev.parent_bus is not None and dev.parent_bus.parent_device is not None:
        dev, depth = dev.parent_bus.parent_device, depth + 1
    return depth + (dev.parent_bus is not None)


def qdev_add_vm_change_state_handler(dev: DeviceState, cb: VMChangeStateHandler, opaque: Any) -> VMChangeStateEntry:
    """Call `cb(opaque, running, state)`; a controller is told before the devices on its bus, after them of a stop."""
    return qemu_add_vm_change_state_handler_prio(cb, opaque, qdev_get_dev_tree_depth(dev))
