"""The four types of transports on PCI for one kind of virtio device (QEMU hw/virtio/virtio-pci.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.hw.core.qdev_core import DeviceClass
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_BOOL, DEFINE_PROP_ON_OFF_AUTO, device_class_set_props
from pyqemu_edu.hw.pci.pci_device import INTERFACE_CONVENTIONAL_PCI_DEVICE, INTERFACE_PCIE_DEVICE
from pyqemu_edu.hw.pci.pci_regs import PCI_MSIX_FLAGS_QSIZE
from pyqemu_edu.hw.virtio.virtio_device import VIRTIO_QUEUE_MAX
from pyqemu_edu.hw.virtio.virtio_pci_proxy import (
    ON_OFF_AUTO_OFF,
    ON_OFF_AUTO_ON,
    TYPE_VIRTIO_PCI,
    VIRTIO_PCI,
    VirtioPCIClass,
    VirtIOPCIProxy,
)
from pyqemu_edu.qom.struct import Object, TypeInfo


def virtio_pci_optimal_num_queues(fixed_queues: int) -> int:
    """A queue for each hart, as far as there are queues and vectors for them."""
    return min(current_machine().smp.cpus, PCI_MSIX_FLAGS_QSIZE - fixed_queues, VIRTIO_QUEUE_MAX - fixed_queues)


@dataclass(frozen=True)
class VirtioPCIDeviceTypeInfo:
    """What an abstract type says for one of each way to be (QEMU include/hw/virtio/virtio-pci.h)."""

    base_name: str
    generic_name: str
    transitional_name: str
    non_transitional_name: str
    instance_init: Callable[[Object], None]
    class_init: Callable[[VirtioPCIClass], None]


virtio_pci_generic_properties = (
    DEFINE_PROP_ON_OFF_AUTO("disable-legacy", "disable_legacy", "auto"),
    DEFINE_PROP_BOOL("disable-modern", "disable_modern", False),
)


def virtio_pci_generic_class_init(dc: DeviceClass) -> None:
    """The two properties of those that can be both."""
    device_class_set_props(dc, virtio_pci_generic_properties)


def virtio_pci_transitional_instance_init(obj: Object) -> None:
    """For legacy drivers, too."""
    proxy = VIRTIO_PCI(obj)
    proxy.disable_legacy, proxy.disable_modern = ON_OFF_AUTO_OFF, False


def virtio_pci_non_transitional_instance_init(obj: Object) -> None:
    """For modern drivers only."""
    proxy = VIRTIO_PCI(obj)
    proxy.disable_legacy, proxy.disable_modern = ON_OFF_AUTO_ON, False


def virtio_pci_type_infos(t: VirtioPCIDeviceTypeInfo) -> tuple[TypeInfo, ...]:
    """The four types (QEMU `virtio_pci_types_register`, which registers them, too)."""
    conventional = (INTERFACE_CONVENTIONAL_PCI_DEVICE,)
    both = (INTERFACE_PCIE_DEVICE, INTERFACE_CONVENTIONAL_PCI_DEVICE)
    base = TypeInfo(
        t.base_name,
        parent=TYPE_VIRTIO_PCI,
        instance_struct=VirtIOPCIProxy,
        instance_init=t.instance_init,
        abstract=True,
        class_init=t.class_init,
    )
    generic = TypeInfo(t.generic_name, t.base_name, class_init=virtio_pci_generic_class_init, interfaces=both)
    return (
        base,
        generic,
        TypeInfo(
            t.non_transitional_name,
            t.base_name,
            instance_init=virtio_pci_non_transitional_instance_init,
            interfaces=both,
        ),
        TypeInfo(
            t.transitional_name,
            t.base_name,
            instance_init=virtio_pci_transitional_instance_init,
            interfaces=conventional,
        ),
    )
