"""What bridges from the processor to a PCI bus have in common (QEMU hw/pci/pci_host.c, hw/pci/pcie_host.c).

With PCI Express the configuration space of every device lies in memory: bus, device, function and register are the
digits of the address.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.hw.core.qdev_core import DeviceClass
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_BOOL, device_class_set_props
from pyqemu_edu.hw.core.sysbus import TYPE_SYS_BUS_DEVICE, SysBusDevice, SysBusDeviceClass
from pyqemu_edu.hw.pci.pci import PCIBus, PCIDevice, pci_default_read_config, pci_default_write_config
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import (
    DeviceEndian,
    MemoryRegion,
    MemoryRegionOps,
    memory_region_init_io,
    memory_region_set_size,
)

TYPE_PCI_HOST_BRIDGE = "pci-host-bridge"
TYPE_PCIE_HOST_BRIDGE = "pcie-host-bridge"
PCIE_MMCFG_SIZE_MIN, PCIE_MMCFG_SIZE_MAX = 1 << 20, 1 << 28


@dataclass(eq=False)
class PCIHostState(SysBusDevice):
    """A bridge, and its bus."""

    mig_enabled: bool = False
    bypass_iommu: bool = False
    bus: PCIBus = field(init=False, repr=False)


@dataclass(eq=False)
class PCIHostBridgeClass(SysBusDeviceClass):
    """A kind of bridge."""


@dataclass(eq=False)
class PCIExpressHost(PCIHostState):
    """A bridge with the configuration spaces in memory."""

    mmcfg: MemoryRegion = field(init=False, repr=False)
    size: int = 0


pci_host_properties_common = (
    DEFINE_PROP_BOOL("x-config-reg-migration-enabled", "mig_enabled", True),
    DEFINE_PROP_BOOL("bypass-iommu", "bypass_iommu", False),
)
vmstate_pcihost = VMStateDescription("PCIHost", version_id=1, minimum_version_id=1)


def pci_host_class_init(dc: DeviceClass) -> None:
    """Properties that all PCI host bridges share."""
    device_class_set_props(dc, pci_host_properties_common)
    dc.vmsd = vmstate_pcihost


def pcie_dev_find_by_mmcfg_addr(e: PCIExpressHost, mmcfg_addr: int) -> PCIDevice | None:
    """Whose configuration space an address is in; only bus 0 exists."""
    return None if mmcfg_addr >> 20 else e.bus.devices.get(mmcfg_addr >> 12 & 0xFF)


def pcie_mmcfg_data_read(e: PCIExpressHost, mmcfg_addr: int, length: int) -> int:
    """A hart reads from a configuration space; all ones if nobody is there."""
    pci_dev, addr = pcie_dev_find_by_mmcfg_addr(e, mmcfg_addr), mmcfg_addr & 0xFFF
    if pci_dev is None or addr >= len(pci_dev.config):
        return (1 << 8 * length) - 1
    return pci_default_read_config(pci_dev, addr, length)


def pcie_mmcfg_data_write(e: PCIExpressHost, mmcfg_addr: int, value: int, length: int) -> None:
    """A hart writes to a configuration space."""
    pci_dev, addr = pcie_dev_find_by_mmcfg_addr(e, mmcfg_addr), mmcfg_addr & 0xFFF
    if pci_dev is not None and addr < len(pci_dev.config):
        pci_default_write_config(pci_dev, addr, value, length)


pcie_mmcfg_ops = MemoryRegionOps(pcie_mmcfg_data_read, pcie_mmcfg_data_write, DeviceEndian.LITTLE)


def pcie_host_init(obj: Object) -> None:
    """The window on all configuration spaces, as large as it can be."""
    e = object_check(obj, PCIExpressHost, TYPE_PCIE_HOST_BRIDGE)
    e.mmcfg = memory_region_init_io(e, pcie_mmcfg_ops, e, "pcie-mmcfg-mmio", PCIE_MMCFG_SIZE_MAX)


def pcie_host_mmcfg_init(e: PCIExpressHost, size: int) -> None:
    """Make the window `size` bytes large: a megabyte for each bus."""
    assert not size & (size - 1)
    assert PCIE_MMCFG_SIZE_MIN <= size <= PCIE_MMCFG_SIZE_MAX
    e.size = size
    memory_region_set_size(e.mmcfg, size)


type_init(
    TypeInfo(
        TYPE_PCI_HOST_BRIDGE,
        parent=TYPE_SYS_BUS_DEVICE,
        instance_struct=PCIHostState,
        class_struct=PCIHostBridgeClass,
        abstract=True,
        class_init=pci_host_class_init,
    ),
    TypeInfo(
        TYPE_PCIE_HOST_BRIDGE,
        parent=TYPE_PCI_HOST_BRIDGE,
        instance_struct=PCIExpressHost,
        abstract=True,
        instance_init=pcie_host_init,
    ),
)
