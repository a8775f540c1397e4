"""A virtio device on PCI: the transport, with a bus for the device (QEMU hw/virtio/virtio-pci.c).

Left out: notifications by file descriptor (ioeventfd), which shows in nothing but time; what a device says behind a PCI
Express port (its capabilities of power, errors and address translation), as there are no ports; and saving.
"""

from __future__ import annotations

from pyqemu_edu.hw.core.bus import qbus_init
from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_BIT, DEFINE_PROP_BOOL, device_class_set_props
from pyqemu_edu.hw.pci.msix import msix_enabled, msix_notify, msix_uninit_exclusive_bar
from pyqemu_edu.hw.pci.pci_device import TYPE_PCI_DEVICE
from pyqemu_edu.hw.pci.pci_irq import pci_set_irq
from pyqemu_edu.hw.pci.pci_regs import PCI_CLASS_OTHERS, PCI_VENDOR_ID_REDHAT_QUMRANET
from pyqemu_edu.hw.virtio import virtio_pci_proxy as flag
from pyqemu_edu.hw.virtio.virtio_bus import TYPE_VIRTIO_BUS, VirtioBusClass, VirtioBusState
from pyqemu_edu.hw.virtio.virtio_device import VIRTIO_NO_VECTOR
from pyqemu_edu.hw.virtio.virtio_pci_plug import (
    plan_registers,
    virtio_pci_device_plugged,
    virtio_pci_device_unplugged,
    virtio_pci_pre_plugged,
)
from pyqemu_edu.hw.virtio.virtio_pci_proxy import (
    ON_OFF_AUTO_AUTO,
    ON_OFF_AUTO_OFF,
    TYPE_VIRTIO_PCI,
    VIRTIO_PCI,
    VIRTIO_PCI_GET_CLASS,
    VirtioPCIClass,
    VirtIOPCIProxy,
    device_on,
    virtio_pci_legacy,
    virtio_pci_modern,
)
from pyqemu_edu.hw.virtio.virtio_pci_reset import virtio_pci_reset
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import AddressSpace
from pyqemu_edu.util.error import QemuError

TYPE_VIRTIO_PCI_BUS = "virtio-pci-bus"
VIRTIO_PCI_ABI_VERSION = 0

# ---- the transport


def virtio_pci_realize(proxy: VirtIOPCIProxy) -> None:
    """The plan of the registers, the bus, the device.  `QemuError` for a transport that no driver could use.

    On the root bus a device is transitional unless the user says otherwise; behind a port it would be modern.
    """
    plan_registers(proxy)
    if proxy.disable_legacy == ON_OFF_AUTO_AUTO:
        proxy.disable_legacy = ON_OFF_AUTO_OFF
    if not virtio_pci_modern(proxy) and not virtio_pci_legacy(proxy):
        hint = "Set either disable-modern or disable-legacy to off\n"
        raise QemuError("device cannot work as neither modern nor legacy mode is enabled", hint)
    virtio_pci_bus_new(proxy)
    k = VIRTIO_PCI_GET_CLASS(proxy)
    if k.vpci_realize:
        k.vpci_realize(proxy)


def virtio_pci_bus_new(dev: VirtIOPCIProxy) -> None:
    """The bus for the device."""
    dev.bus = object_check(qbus_init(TYPE_VIRTIO_PCI_BUS, dev, "virtio-bus"), VirtioBusState, TYPE_VIRTIO_BUS)


def virtio_pci_exit(proxy: VirtIOPCIProxy) -> None:
    """Give up the interrupts by message."""
    msix_uninit_exclusive_bar(proxy)


virtio_pci_properties = (
    DEFINE_PROP_BIT(
        "virtio-pci-bus-master-bug-migration", "flags", flag.VIRTIO_PCI_FLAG_BUS_MASTER_BUG_MIGRATION_BIT, False
    ),
    DEFINE_PROP_BIT("migrate-extra", "flags", flag.VIRTIO_PCI_FLAG_MIGRATE_EXTRA_BIT, True),
    DEFINE_PROP_BIT("modern-pio-notify", "flags", flag.VIRTIO_PCI_FLAG_MODERN_PIO_NOTIFY_BIT, False),
    DEFINE_PROP_BIT("x-disable-pcie", "flags", flag.VIRTIO_PCI_FLAG_DISABLE_PCIE_BIT, False),
    DEFINE_PROP_BIT("page-per-vq", "flags", flag.VIRTIO_PCI_FLAG_PAGE_PER_VQ_BIT, False),
    DEFINE_PROP_BOOL("x-ignore-backend-features", "ignore_backend_features", False),
    DEFINE_PROP_BIT("ats", "flags", flag.VIRTIO_PCI_FLAG_ATS_BIT, False),
    DEFINE_PROP_BIT("x-ats-page-aligned", "flags", flag.VIRTIO_PCI_FLAG_ATS_PAGE_ALIGNED_BIT, True),
    DEFINE_PROP_BIT("x-pcie-deverr-init", "flags", flag.VIRTIO_PCI_FLAG_INIT_DEVERR_BIT, True),
    DEFINE_PROP_BIT("x-pcie-lnkctl-init", "flags", flag.VIRTIO_PCI_FLAG_INIT_LNKCTL_BIT, True),
    DEFINE_PROP_BIT("x-pcie-pm-init", "flags", flag.VIRTIO_PCI_FLAG_INIT_PM_BIT, True),
    DEFINE_PROP_BIT("x-pcie-flr-init", "flags", flag.VIRTIO_PCI_FLAG_INIT_FLR_BIT, True),
    DEFINE_PROP_BIT("aer", "flags", flag.VIRTIO_PCI_FLAG_AER_BIT, False),
)


def virtio_pci_class_init(k: VirtioPCIClass) -> None:
    """What all transports on PCI say of themselves until they have a device."""
    device_class_set_props(k, virtio_pci_properties)
    k.pci_realize = virtio_pci_realize
    k.exit = virtio_pci_exit
    k.vendor_id = PCI_VENDOR_ID_REDHAT_QUMRANET
    k.revision = VIRTIO_PCI_ABI_VERSION
    k.class_id = PCI_CLASS_OTHERS
    k.reset = virtio_pci_reset


# ---- the bus, and what it does for the device


def virtio_pci_notify(d: DeviceState, vector: int) -> None:
    """Interrupt, by message or by wire."""
    proxy = VIRTIO_PCI(d)
    if not msix_enabled(proxy):
        pci_set_irq(proxy, device_on(proxy).isr & 1)
    elif vector != VIRTIO_NO_VECTOR:
        msix_notify(proxy, vector)


def virtio_pci_get_dma_as(d: DeviceState) -> AddressSpace:
    """The memory that the device may reach."""
    return VIRTIO_PCI(d).bus_master_as


def virtio_pci_bus_class_init(k: VirtioBusClass) -> None:
    """The bus has room for one device."""
    k.max_dev = 1
    k.notify = virtio_pci_notify
    k.pre_plugged = virtio_pci_pre_plugged
    k.device_plugged = virtio_pci_device_plugged
    k.device_unplugged = virtio_pci_device_unplugged
    k.get_dma_as = virtio_pci_get_dma_as


type_init(
    TypeInfo(
        TYPE_VIRTIO_PCI_BUS,
        parent=TYPE_VIRTIO_BUS,
        instance_struct=VirtioBusState,
        class_init=virtio_pci_bus_class_init,
    ),
    TypeInfo(
        TYPE_VIRTIO_PCI,
        parent=TYPE_PCI_DEVICE,
        instance_struct=VirtIOPCIProxy,
        class_struct=VirtioPCIClass,
        class_init=virtio_pci_class_init,
        abstract=True,
    ),
)
