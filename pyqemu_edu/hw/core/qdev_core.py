"""What devices and buses are made of (QEMU include/hw/qdev-core.h).

A device hangs on a bus, a bus hangs off a device: `DeviceState.parent_bus` and `DeviceState.child_bus`.  That tree is
the way of resets; who owns whom is told by the composition tree, which may look different.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.hw.core.irq import IRQState
from pyqemu_edu.hw.core.resettable import ResettableState
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.qom.klass import object_check, object_class_check, object_get_class_check
from pyqemu_edu.qom.struct import Object, ObjectClass

TYPE_DEVICE = "device"
TYPE_BUS = "bus"

DeviceHook = Callable[[Any], None]
"""`realize(dev)`, `unrealize(dev)`, `reset(dev)`."""


@dataclass(eq=False)
class NamedGPIOList:
    """A device's wires of one name: its inputs, and the number of its outputs."""

    name: str | None
    inputs: list[IRQState] = field(default_factory=list)
    num_out: int = 0


@dataclass(eq=False)
class DeviceState(Object):
    """A device.  Made, it can be configured; realized, it can be used."""

    id: str | None = None
    canonical_path: str | None = None
    realized: bool = False
    pending_deleted_event: bool = False
    opts: dict[str, Any] | None = None
    hotplugged: bool = False
    allow_unplug_during_migration: bool = False
    parent_bus: BusState | None = None
    gpios: list[NamedGPIOList] = field(default_factory=list)
    child_bus: list[BusState] = field(default_factory=list)
    num_child_bus: int = 0
    instance_id_alias: int = 0
    alias_required_for_version: int = 0
    reset: ResettableState = field(default_factory=ResettableState)
    engaged_in_io: bool = False


@dataclass(eq=False)
class DeviceClass(ObjectClass):
    """What a kind of device does; `bus_type` is the kind of bus that it needs, None for none."""

    categories: frozenset[str] = frozenset()
    fw_name: str | None = None
    desc: str | None = None
    props_: tuple[Any, ...] = ()
    user_creatable: bool = False
    hotpluggable: bool = False
    reset: DeviceHook | None = None
    realize: DeviceHook | None = None
    unrealize: DeviceHook | None = None
    vmsd: VMStateDescription | None = None
    bus_type: str | None = None


@dataclass(eq=False)
class BusChild:
    """A device's place on a bus."""

    child: DeviceState
    index: int


@dataclass(eq=False)
class BusState(Object):
    """A bus; its children are in the order in which resets reach them, the newest first."""

    parent_device: DeviceState | None = None
    name: str = ""
    hotplug_handler: Object | None = None
    max_index: int = 0
    realized: bool = False
    full: bool = False
    num_children: int = 0
    children: list[BusChild] = field(default_factory=list)
    reset: ResettableState = field(default_factory=ResettableState)


@dataclass(eq=False)
class BusClass(ObjectClass):
    """What a kind of bus does."""

    print_dev: Callable[[Any], str] | None = None
    get_dev_path: Callable[[Any], str | None] | None = None
    get_fw_dev_path: Callable[[Any], str] | None = None
    check_address: Callable[[Any, Any], None] | None = None
    realize: DeviceHook | None = None
    unrealize: DeviceHook | None = None
    reset: DeviceHook | None = None
    max_dev: int = 0
    automatic_ids: int = 0


def device(obj: object) -> DeviceState:
    """The object as a device (QEMU `DEVICE`)."""
    return object_check(obj, DeviceState, TYPE_DEVICE)


def device_class(klass: object) -> DeviceClass:
    """The class as a class of devices (QEMU `DEVICE_CLASS`)."""
    return object_class_check(klass, DeviceClass, TYPE_DEVICE)


def device_get_class(obj: object) -> DeviceClass:
    """The device's class (QEMU `DEVICE_GET_CLASS`)."""
    return object_get_class_check(obj, DeviceClass, TYPE_DEVICE)


def bus_get_class(obj: object) -> BusClass:
    """The bus's class (QEMU `BUS_GET_CLASS`)."""
    return object_get_class_check(obj, BusClass, TYPE_BUS)
