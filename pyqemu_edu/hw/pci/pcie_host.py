"""Bridges to PCI Express: configuration spaces in memory (QEMU hw/pci/pcie_host.c, include/hw/pci/pcie_host.h).

Bus, device, function and register are the digits of an address, 8, 5, 3 and 12 bits.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.hw.pci.pci_device import PCIDevice
from pyqemu_edu.hw.pci.pci_host import (
    TYPE_PCI_HOST_BRIDGE,
    PCIHostState,
    pci_host_config_read_common,
    pci_host_config_write_common,
)
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

TYPE_PCIE_HOST_BRIDGE = "pcie-host-bridge"
PCIE_MMCFG_SIZE_MIN, PCIE_MMCFG_SIZE_MAX = 1 << 20, 1 << 28


@dataclass(eq=False)
class PCIExpressHost(PCIHostState):
    """A bridge with the configuration spaces in memory."""

    mmcfg: MemoryRegion = field(init=False, repr=False)
    size: int = 0


def PCIE_MMCFG_BUS(addr: int) -> int:
    """The bus that an address names."""
    return addr >> 20 & 0xFF


def PCIE_MMCFG_DEVFN(addr: int) -> int:
    """The device and its function."""
    return addr >> 12 & 0xFF


def PCIE_MMCFG_CONFOFFSET(addr: int) -> int:
    """The place in the configuration space."""
    return addr & 0xFFF


def pcie_dev_find_by_mmcfg_addr(e: PCIExpressHost, mmcfg_addr: int) -> PCIDevice | None:
    """Whose configuration space an address is in; only bus 0 exists."""
    return None if PCIE_MMCFG_BUS(mmcfg_addr) else e.bus.devices.get(PCIE_MMCFG_DEVFN(mmcfg_addr))


def pcie_mmcfg_data_read(e: PCIExpressHost, mmcfg_addr: int, length: int) -> int:
    """A hart reads from a configuration space; all ones if nobody is there."""
    pci_dev = pcie_dev_find_by_mmcfg_addr(e, mmcfg_addr)
    if pci_dev is None:
        return 0xFFFFFFFF
    return pci_host_config_read_common(pci_dev, PCIE_MMCFG_CONFOFFSET(mmcfg_addr), length)


def pcie_mmcfg_data_write(e: PCIExpressHost, mmcfg_addr: int, value: int, length: int) -> None:
    """A hart writes to a configuration space."""
    pci_dev = pcie_dev_find_by_mmcfg_addr(e, mmcfg_addr)
    if pci_dev is not None:
        pci_host_config_write_common(pci_dev, PCIE_MMCFG_CONFOFFSET(mmcfg_addr), value, length)


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
        TYPE_PCIE_HOST_BRIDGE,
        parent=TYPE_PCI_HOST_BRIDGE,
        instance_struct=PCIExpressHost,
        abstract=True,
        instance_init=pcie_host_init,
    )
)
