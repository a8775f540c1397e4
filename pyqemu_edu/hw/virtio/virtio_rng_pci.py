"""A source of random numbers on the PCI bus (QEMU hw/virtio/virtio-rng-pci.c)."""

from __future__ import annotations

from pyqemu_edu.hw.core.qdev_bus import qdev_realize
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_BIT, DEFINE_PROP_UINT32, device_class_set_props
from pyqemu_edu.hw.pci.pci_regs import PCI_CLASS_OTHERS, PCI_DEVICE_ID_VIRTIO_RNG
from pyqemu_edu.hw.virtio.virtio import virtio_instance_init_common
from pyqemu_edu.hw.virtio.virtio_pci_proxy import (
    DEV_NVECTORS_UNSPECIFIED,
    VIRTIO_PCI,
    VIRTIO_PCI_FLAG_USE_IOEVENTFD_BIT,
    VirtioPCIClass,
    VirtIOPCIProxy,
)
from pyqemu_edu.hw.virtio.virtio_pci_types import VirtioPCIDeviceTypeInfo, virtio_pci_type_infos
from pyqemu_edu.hw.virtio.virtio_rng import TYPE_VIRTIO_RNG
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.qom.type import type_init

virtio_rng_properties = (
    DEFINE_PROP_BIT("ioeventfd", "flags", VIRTIO_PCI_FLAG_USE_IOEVENTFD_BIT, True),
    DEFINE_PROP_UINT32("vectors", "nvectors", DEV_NVECTORS_UNSPECIFIED),
)


def virtio_rng_pci_realize(vpci_dev: VirtIOPCIProxy) -> None:
    """A vector for the queue and one for changes of the configuration."""
    if vpci_dev.nvectors == DEV_NVECTORS_UNSPECIFIED:
        vpci_dev.nvectors = 2
    qdev_realize(vpci_dev.vdev, vpci_dev.bus)


def virtio_rng_pci_class_init(k: VirtioPCIClass) -> None:
    """What a source of random numbers says of itself, and how it is realized."""
    k.vpci_realize = virtio_rng_pci_realize
    k.categories |= {"Misc"}
    k.device_id = PCI_DEVICE_ID_VIRTIO_RNG
    k.class_id = PCI_CLASS_OTHERS
    device_class_set_props(k, virtio_rng_properties)


def virtio_rng_initfn(obj: Object) -> None:
    """The source itself, whose properties are the transport's, too."""
    dev = VIRTIO_PCI(obj)
    dev.vdev = virtio_instance_init_common(dev, TYPE_VIRTIO_RNG)


type_init(
    *virtio_pci_type_infos(
        VirtioPCIDeviceTypeInfo(
            base_name="virtio-rng-pci-base",
            generic_name="virtio-rng-pci",
            transitional_name="virtio-rng-pci-transitional",
            non_transitional_name="virtio-rng-pci-non-transitional",
            instance_init=virtio_rng_initfn,
            class_init=virtio_rng_pci_class_init,
        )
    )
)
