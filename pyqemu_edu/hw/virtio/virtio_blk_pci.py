"""A disk for the guest on the PCI bus (QEMU hw/virtio/virtio-blk-pci.c)."""

from __future__ import annotations

from pyqemu_edu.hw.block.virtio_blk import TYPE_VIRTIO_BLK, VIRTIO_BLK_AUTO_NUM_QUEUES, virtio_blk
from pyqemu_edu.hw.core.qdev_bus import qdev_realize
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_BIT, DEFINE_PROP_UINT32, device_class_set_props
from pyqemu_edu.hw.pci.pci_regs import PCI_CLASS_STORAGE_SCSI, PCI_DEVICE_ID_VIRTIO_BLOCK
from pyqemu_edu.hw.virtio.virtio import virtio_instance_init_common
from pyqemu_edu.hw.virtio.virtio_pci_proxy import (
    DEV_NVECTORS_UNSPECIFIED,
    VIRTIO_PCI,
    VIRTIO_PCI_FLAG_USE_IOEVENTFD_BIT,
    VirtioPCIClass,
    VirtIOPCIProxy,
)
from pyqemu_edu.hw.virtio.virtio_pci_types import (
    VirtioPCIDeviceTypeInfo,
    virtio_pci_optimal_num_queues,
    virtio_pci_type_infos,
)
from pyqemu_edu.qom.link import object_property_add_alias
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.qom.type import type_init

virtio_blk_pci_properties = (
    DEFINE_PROP_UINT32("class", "class_code", 0),
    DEFINE_PROP_BIT("ioeventfd", "flags", VIRTIO_PCI_FLAG_USE_IOEVENTFD_BIT, True),
    DEFINE_PROP_UINT32("vectors", "nvectors", DEV_NVECTORS_UNSPECIFIED),
)


def virtio_blk_pci_realize(vpci_dev: VirtIOPCIProxy) -> None:
    """A queue for each hart, and a vector for each queue."""
    conf = virtio_blk(vpci_dev.vdev).conf
    if conf.num_queues == VIRTIO_BLK_AUTO_NUM_QUEUES:
        conf.num_queues = virtio_pci_optimal_num_queues(0)
    if vpci_dev.nvectors == DEV_NVECTORS_UNSPECIFIED:
        vpci_dev.nvectors = conf.num_queues + 1
    qdev_realize(vpci_dev.vdev, vpci_dev.bus)


def virtio_blk_pci_class_init(k: VirtioPCIClass) -> None:
    """What a disk says of itself, and how it is realized."""
    k.categories |= {"Storage"}
    device_class_set_props(k, virtio_blk_pci_properties)
    k.vpci_realize = virtio_blk_pci_realize
    k.device_id = PCI_DEVICE_ID_VIRTIO_BLOCK
    k.class_id = PCI_CLASS_STORAGE_SCSI


def virtio_blk_pci_instance_init(obj: Object) -> None:
    """The disk itself, whose properties are the transport's, too."""
    dev = VIRTIO_PCI(obj)
    dev.vdev = virtio_instance_init_common(dev, TYPE_VIRTIO_BLK)
    object_property_add_alias(dev, "bootindex", dev.vdev, "bootindex")


type_init(
    *virtio_pci_type_infos(
        VirtioPCIDeviceTypeInfo(
            base_name="virtio-blk-pci-base",
            generic_name="virtio-blk-pci",
            transitional_name="virtio-blk-pci-transitional",
            non_transitional_name="virtio-blk-pci-non-transitional",
            instance_init=virtio_blk_pci_instance_init,
            class_init=virtio_blk_pci_class_init,
        )
    )
)
