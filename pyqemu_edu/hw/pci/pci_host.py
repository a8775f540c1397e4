"""What bridges from the processor to a PCI bus have in common (QEMU hw/pci/pci_host.c).

Left out: the two ports by which PCs reach configuration spaces, and saving.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.hw.core.qdev_core import DeviceClass
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_BOOL, device_class_set_props
from pyqemu_edu.hw.core.sysbus import TYPE_SYS_BUS_DEVICE, SysBusDevice, SysBusDeviceClass
from pyqemu_edu.hw.pci.pci_device import PCIBus, PCIDevice, pci_config_size
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.trace.event import Event

TYPE_PCI_HOST_BRIDGE = "pci-host-bridge"

pci_cfg_read = Event("pci_cfg_read", "dev", "addr", "val")
pci_cfg_write = Event("pci_cfg_write", "dev", "addr", "val")


@dataclass(eq=False)
class PCIHostState(SysBusDevice):
    """A bridge, and its bus."""

    mig_enabled: bool = False
    bypass_iommu: bool = False
    bus: PCIBus = field(init=False, repr=False)


@dataclass(eq=False)
class PCIHostBridgeClass(SysBusDeviceClass):
    """A kind of bridge."""


def pci_host_config_read_common(pci_dev: PCIDevice, addr: int, length: int) -> int:
    """Read from a configuration space; all ones behind its end."""
    limit = pci_config_size(pci_dev)
    if limit <= addr:
        return 0xFFFFFFFF
    val = pci_dev.config_read(pci_dev, addr, min(length, limit - addr))
    if pci_cfg_read:
        pci_cfg_read(pci_dev, addr, val)
    return val


def pci_host_config_write_common(pci_dev: PCIDevice, addr: int, val: int, length: int) -> None:
    """Write to one."""
    limit = pci_config_size(pci_dev)
    if limit > addr:
        if pci_cfg_write:
            pci_cfg_write(pci_dev, addr, val)
        pci_dev.config_write(pci_dev, addr, val, min(length, limit - addr))


pci_host_properties_common = (
    DEFINE_PROP_BOOL("x-config-reg-migration-enabled", "mig_enabled", True),
    DEFINE_PROP_BOOL("bypass-iommu", "bypass_iommu", False),
)
vmstate_pcihost = VMStateDescription("PCIHost", version_id=1, minimum_version_id=1)


def pci_host_class_init(dc: DeviceClass) -> None:
    """Properties that all PCI host bridges share."""
    device_class_set_props(dc, pci_host_properties_common)
    dc.vmsd = vmstate_pcihost


type_init(
    TypeInfo(
        TYPE_PCI_HOST_BRIDGE,
        parent=TYPE_SYS_BUS_DEVICE,
        instance_struct=PCIHostState,
        class_struct=PCIHostBridgeClass,
        abstract=True,
        class_init=pci_host_class_init,
    )
)
