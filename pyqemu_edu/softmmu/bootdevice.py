"""Which device the firmware should start from first (QEMU softmmu/bootdevice.c).

Devices have the property `bootindex`.  Left out: telling the firmware, for RISC-V's does not ask.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.process import per_process
from pyqemu_edu.qapi.visitor import Visitor, visit_type_int32
from pyqemu_edu.qom.property import object_property_add, object_property_set_int
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.util.error import QemuError


@dataclass(eq=False)
class FWBootEntry:
    """A device's place in the order."""

    bootindex: int
    dev: Object
    suffix: str


@dataclass(eq=False)
class BootIndexProperty:
    """Where the number is kept, and whose it is."""

    bootindex: Pointer
    suffix: str
    dev: Object


@dataclass(eq=False)
class Statics:
    """The boot order."""

    fw_boot_order: list[FWBootEntry] = field(default_factory=list)


statics = per_process(Statics)


def check_boot_index(bootindex: int) -> None:
    """Each number may be given once; negative ones mean no place at all."""
    if bootindex >= 0 and any(entry.bootindex == bootindex for entry in statics().fw_boot_order):
        raise QemuError(f"The bootindex {bootindex} has already been used")


def del_boot_device_path(dev: Object, suffix: str) -> None:
    """The device has no place any more."""
    order = statics().fw_boot_order
    order[:] = [entry for entry in order if (entry.dev, entry.suffix) != (dev, suffix)]


def add_boot_device_path(bootindex: int, dev: Object, suffix: str) -> None:
    """Give the device its place."""
    del_boot_device_path(dev, suffix)
    if bootindex >= 0:
        order = statics().fw_boot_order
        order.append(FWBootEntry(bootindex, dev, suffix))
        order.sort(key=lambda entry: entry.bootindex)


def device_get_bootindex(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """The device's place in the boot order, as a property."""
    visit_type_int32(v, name, opaque.bootindex.load())


def device_set_bootindex(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Give the device another place in the boot order."""
    boot_index = visit_type_int32(v, name)
    check_boot_index(boot_index)
    opaque.bootindex.store(boot_index)
    add_boot_device_path(boot_index, opaque.dev, opaque.suffix)


def property_release_bootindex(obj: Object, name: str, opaque: Any) -> None:
    """The device goes, and its place in the boot order is free."""
    del_boot_device_path(opaque.dev, opaque.suffix)


def device_add_bootindex_property(obj: Object, bootindex: Pointer, name: str, suffix: str, dev: Object) -> None:
    """Give the device the property, without a place in the order."""
    prop = BootIndexProperty(bootindex, suffix, dev)
    object_property_add(
        obj, name, "int32", device_get_bootindex, device_set_bootindex, property_release_bootindex, prop
    )
    object_property_set_int(obj, name, -1)
