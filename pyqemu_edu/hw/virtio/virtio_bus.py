"""The bus between a transport and the virtio device that it carries (QEMU hw/virtio/virtio-bus.c).

Left out: notifications by file descriptor (ioeventfd), and saving.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.hw.core.qdev_bus import qdev_get_dev_path
from pyqemu_edu.hw.core.qdev_core import TYPE_BUS, BusClass, BusState, DeviceState
from pyqemu_edu.hw.virtio.virtio_device import (
    VIRTIO_F_IOMMU_PLATFORM,
    VIRTIO_F_RING_PACKED,
    VirtIODevice,
    virtio_device_get_class,
    virtio_host_has_feature,
)
from pyqemu_edu.qom.klass import object_check, object_get_class_check
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import AddressSpace
from pyqemu_edu.softmmu.physmem import address_space_memory

TYPE_VIRTIO_BUS = "virtio-bus"


@dataclass(eq=False)
class VirtioBusState(BusState):
    """A bus for one device."""


@dataclass(eq=False)
class VirtioBusClass(BusClass):
    """What a transport does for its device; each is called with the transport."""

    notify: Callable[[Any, int], None] | None = None
    query_nvectors: Callable[[Any], int] | None = None
    pre_plugged: Callable[[Any], None] | None = None
    device_plugged: Callable[[Any], None] | None = None
    device_unplugged: Callable[[Any], None] | None = None
    vmstate_change: Callable[[Any, bool], None] | None = None
    get_dma_as: Callable[[Any], AddressSpace] | None = None
    has_variable_vring_alignment: bool = False


def virtio_bus_get_device(bus: VirtioBusState) -> VirtIODevice | None:
    """The device on the bus, None without one (QEMU include/hw/virtio/virtio-bus.h)."""
    child = bus.children[0].child if bus.children else None
    assert child is None or isinstance(child, VirtIODevice)
    return child


def virtio_bus_of(vdev: VirtIODevice) -> tuple[VirtioBusState, VirtioBusClass]:
    """The bus that a device is on, and its class (Not in QEMU, where each caller casts)."""
    bus = object_check(vdev.parent_bus, VirtioBusState, TYPE_VIRTIO_BUS)
    return bus, object_get_class_check(bus, VirtioBusClass, TYPE_VIRTIO_BUS)


def virtio_bus_device_plugged(vdev: VirtIODevice) -> None:
    """Settle which features the device offers, and which memory it sees.

    Packed rings are not modelled, so `packed=on` offers nothing.
    """
    bus, klass = virtio_bus_of(vdev)
    has_iommu = virtio_host_has_feature(vdev, VIRTIO_F_IOMMU_PLATFORM)
    if klass.pre_plugged:
        klass.pre_plugged(bus.parent_device)
    get_features = virtio_device_get_class(vdev).get_features
    assert get_features is not None
    vdev.host_features = get_features(vdev, vdev.host_features) & ~(1 << VIRTIO_F_RING_PACKED)
    if klass.device_plugged:
        klass.device_plugged(bus.parent_device)
    vdev.dma_as = klass.get_dma_as(bus.parent_device) if has_iommu and klass.get_dma_as else address_space_memory()


def virtio_bus_device_unplugged(vdev: VirtIODevice) -> None:
    """Tell the transport that its device is leaving."""
    bus, klass = virtio_bus_of(vdev)
    if klass.device_unplugged:
        klass.device_unplugged(bus.parent_device)


def virtio_bus_get_dev_path(dev: DeviceState) -> str | None:
    """The device is where its transport is."""
    assert dev.parent_bus is not None and dev.parent_bus.parent_device is not None
    return qdev_get_dev_path(dev.parent_bus.parent_device)


def virtio_bus_get_fw_dev_path(dev: DeviceState) -> str:
    """The firmware knows the transport only."""
    return ""


def virtio_bus_class_init(bc: BusClass) -> None:
    """How places on the bus are named."""
    bc.get_dev_path = virtio_bus_get_dev_path
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
