"""The bus between a transport and the virtio device that it carries (QEMU hw/virtio/virtio-bus.c).

Left out: everything that happens once a device is there, since none is modelled.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.hw.core.qdev_core import TYPE_BUS, BusClass, BusState, DeviceState
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init

TYPE_VIRTIO_BUS = "virtio-bus"


@dataclass(eq=False)
class VirtioBusState(BusState):
    """A bus for one device."""


@dataclass(eq=False)
class VirtioBusClass(BusClass):
    """What a transport does for its device."""

    has_variable_vring_alignment: bool = False


def virtio_bus_get_device(bus: VirtioBusState) -> DeviceState | None:
    """The device on the bus, None without one (QEMU include/hw/virtio/virtio-bus.h)."""
    return bus.children[0].child if bus.children else None


def virtio_bus_get_fw_dev_path(dev: DeviceState) -> str:
    """The firmware knows the transport only."""
    return ""


def virtio_bus_class_init(bc: BusClass) -> None:
    """The class."""
    bc.get_fw_dev_path = virtio_bus_get_fw_dev_path


type_init(
    TypeInfo(
        TYPE_VIRTIO_BUS,
        parent=TYPE_BUS,
        instance_struct=VirtioBusState,
        class_struct=VirtioBusClass,
        abstract=True,
        class_init=virtio_bus_class_init,
    )
)
