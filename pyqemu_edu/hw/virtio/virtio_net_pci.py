"""A network card for the guest on the PCI bus (QEMU hw/virtio/virtio-net-pci.c).

It brings a program by which a PC's firmware could start from the network, so that file has to be there.
"""

from __future__ import annotations

from pyqemu_edu.hw.core.qdev_bus import qdev_realize
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_BIT, DEFINE_PROP_UINT32, device_class_set_props
from pyqemu_edu.hw.net.virtio_net import virtio_net_set_netclient_name
from pyqemu_edu.hw.net.virtio_net_packets import TYPE_VIRTIO_NET, virtio_net
from pyqemu_edu.hw.pci.pci_regs import PCI_CLASS_NETWORK_ETHERNET, PCI_DEVICE_ID_VIRTIO_NET
from pyqemu_edu.hw.virtio.virtio import virtio_instance_init_common
from pyqemu_edu.hw.virtio.virtio_pci_proxy import (
    DEV_NVECTORS_UNSPECIFIED,
    VIRTIO_PCI,
    VIRTIO_PCI_FLAG_USE_IOEVENTFD_BIT,
    VirtioPCIClass,
    VirtIOPCIProxy,
)
from pyqemu_edu.hw.virtio.virtio_pci_types import VirtioPCIDeviceTypeInfo, virtio_pci_type_infos
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.link import object_property_add_alias
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.qom.type import type_init

virtio_net_properties = (
    DEFINE_PROP_BIT("ioeventfd", "flags", VIRTIO_PCI_FLAG_USE_IOEVENTFD_BIT, True),
    DEFINE_PROP_UINT32("vectors", "nvectors", DEV_NVECTORS_UNSPECIFIED),
)


def virtio_net_pci_realize(vpci_dev: VirtIOPCIProxy) -> None:
    """Vectors for both directions, for control, and for changes of the configuration; one pair of queues, as ever."""
    if vpci_dev.nvectors == DEV_NVECTORS_UNSPECIFIED:
        vpci_dev.nvectors = 4
    virtio_net_set_netclient_name(virtio_net(vpci_dev.vdev), vpci_dev.id, object_get_typename(vpci_dev))
    qdev_realize(vpci_dev.vdev, vpci_dev.bus)


def virtio_net_pci_class_init(k: VirtioPCIClass) -> None:
    """What a network card says of itself, and how it is realized."""
    k.romfile = "efi-virtio.rom"
    k.device_id = PCI_DEVICE_ID_VIRTIO_NET
    k.class_id = PCI_CLASS_NETWORK_ETHERNET
    k.categories |= {"Network"}
    device_class_set_props(k, virtio_net_properties)
    k.vpci_realize = virtio_net_pci_realize


def virtio_net_pci_instance_init(obj: Object) -> None:
    """The card itself, whose properties are the transport's, too."""
    dev = VIRTIO_PCI(obj)
    dev.vdev = virtio_instance_init_common(dev, TYPE_VIRTIO_NET)
    object_property_add_alias(dev, "bootindex", dev.vdev, "bootindex")


type_init(
    *virtio_pci_type_infos(
        VirtioPCIDeviceTypeInfo(
            base_name="virtio-net-pci-base",
            generic_name="virtio-net-pci",
            transitional_name="virtio-net-pci-transitional",
            non_transitional_name="virtio-net-pci-non-transitional",
            instance_init=virtio_net_pci_instance_init,
            class_init=virtio_net_pci_class_init,
        )
    )
)
