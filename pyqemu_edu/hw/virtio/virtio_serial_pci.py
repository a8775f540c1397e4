"""Serial lines and consoles on the PCI bus (QEMU hw/virtio/virtio-serial-pci.c)."""

from __future__ import annotations

from pyqemu_edu.hw.char.virtio_serial import TYPE_VIRTIO_SERIAL, virtio_serial
from pyqemu_edu.hw.core.qdev_bus import qdev_realize
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_BIT, DEFINE_PROP_UINT32, device_class_set_props
from pyqemu_edu.hw.pci.pci_regs import (
    PCI_CLASS_COMMUNICATION_OTHER,
    PCI_CLASS_DISPLAY_OTHER,
    PCI_CLASS_OTHERS,
    PCI_DEVICE_ID_VIRTIO_CONSOLE,
)
from pyqemu_edu.hw.virtio.virtio import virtio_instance_init_common
from pyqemu_edu.hw.virtio.virtio_pci_proxy import (
    DEV_NVECTORS_UNSPECIFIED,
    VIRTIO_PCI,
    VIRTIO_PCI_FLAG_USE_IOEVENTFD_BIT,
    VirtioPCIClass,
    VirtIOPCIProxy,
)
from pyqemu_edu.hw.virtio.virtio_pci_types import VirtioPCIDeviceTypeInfo, virtio_pci_type_infos
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.qom.type import type_init

CLASSES = (PCI_CLASS_COMMUNICATION_OTHER, PCI_CLASS_DISPLAY_OTHER, PCI_CLASS_OTHERS)
"""What such a device may say it is; the last two for guests that were used to it."""

virtio_serial_pci_properties = (
    DEFINE_PROP_BIT("ioeventfd", "flags", VIRTIO_PCI_FLAG_USE_IOEVENTFD_BIT, True),
    DEFINE_PROP_UINT32("vectors", "nvectors", 2),
    DEFINE_PROP_UINT32("class", "class_code", 0),
)


def virtio_serial_pci_realize(vpci_dev: VirtIOPCIProxy) -> None:
    """The bus for lines is called after the transport, as command lines expect."""
    vser = virtio_serial(vpci_dev.vdev)
    if vpci_dev.class_code not in CLASSES:
        vpci_dev.class_code = PCI_CLASS_COMMUNICATION_OTHER
    if vpci_dev.nvectors == DEV_NVECTORS_UNSPECIFIED:
        vpci_dev.nvectors = vser.max_virtserial_ports + 1
    if vpci_dev.id:
        vser.bus_name = f"{vpci_dev.id}.0"
    qdev_realize(vser, vpci_dev.bus)


def virtio_serial_pci_class_init(k: VirtioPCIClass) -> None:
    """What a console says of itself, and how it is realized."""
    k.vpci_realize = virtio_serial_pci_realize
    k.categories |= {"Input"}
    device_class_set_props(k, virtio_serial_pci_properties)
    k.device_id = PCI_DEVICE_ID_VIRTIO_CONSOLE
    k.class_id = PCI_CLASS_COMMUNICATION_OTHER


def virtio_serial_pci_instance_init(obj: Object) -> None:
    """The device itself, whose properties are the transport's, too."""
    dev = VIRTIO_PCI(obj)
    dev.vdev = virtio_instance_init_common(dev, TYPE_VIRTIO_SERIAL)


type_init(
    *virtio_pci_type_infos(
        VirtioPCIDeviceTypeInfo(
            base_name="virtio-serial-pci-base",
            generic_name="virtio-serial-pci",
            transitional_name="virtio-serial-pci-transitional",
            non_transitional_name="virtio-serial-pci-non-transitional",
            instance_init=virtio_serial_pci_instance_init,
            class_init=virtio_serial_pci_class_init,
        )
    )
)
