"""Base address registers: where a device's regions are, as the guest says (QEMU hw/pci/pci.c).

All bits of such a register can be written but the lowest, so writing ones and reading back tells the region's size.
"""

from __future__ import annotations

from pyqemu_edu.hw.pci.pci_device import (
    PCIDevice,
    PCIIORegion,
    pci_get_bus,
    pci_get_long,
    pci_get_quad,
    pci_get_word,
    pci_set_long,
    pci_set_quad,
)
from pyqemu_edu.hw.pci.pci_regs import (
    PCI_BAR_UNMAPPED,
    PCI_BASE_ADDRESS_0,
    PCI_BASE_ADDRESS_MEM_TYPE_64,
    PCI_BASE_ADDRESS_SPACE_IO,
    PCI_COMMAND,
    PCI_COMMAND_IO,
    PCI_COMMAND_MEMORY,
    PCI_ROM_ADDRESS,
    PCI_ROM_ADDRESS_ENABLE,
    PCI_ROM_SLOT,
)
from pyqemu_edu.softmmu.memory import (
    MemoryRegion,
    memory_region_add_subregion_overlap,
    memory_region_del_subregion,
    memory_region_size,
)
from pyqemu_edu.trace.event import Event

HWADDR_MAX = UINT64_MAX = 2**64 - 1
UINT32_MAX = 2**32 - 1

pci_update_mappings_add = Event("pci_update_mappings_add", "d", "bar", "addr", "size")
pci_update_mappings_del = Event("pci_update_mappings_del", "d", "bar", "addr", "size")


def pci_bar(reg: int) -> int:
    """Where in the configuration space a base address register is."""
    return PCI_ROM_ADDRESS if reg == PCI_ROM_SLOT else PCI_BASE_ADDRESS_0 + reg * 4


def is_io(type: int) -> bool:
    """Whether a region is one of ports (Not in QEMU as a function)."""
    return bool(type & PCI_BASE_ADDRESS_SPACE_IO)


def is_64bit(type: int) -> bool:
    """Whether a region can be anywhere in memory, so that it has two registers (Not in QEMU as a function)."""
    return not is_io(type) and bool(type & PCI_BASE_ADDRESS_MEM_TYPE_64)


def pci_register_bar(pci_dev: PCIDevice, region_num: int, type: int, memory: MemoryRegion) -> None:
    """Give the device a region, which is nowhere yet; its size must be a power of two."""
    size, bus = memory_region_size(memory), pci_get_bus(pci_dev)
    assert 0 <= region_num <= PCI_ROM_SLOT and size & size - 1 == 0
    address_space = bus.address_space_io if is_io(type) else bus.address_space_mem
    pci_dev.io_regions[region_num] = PCIIORegion(size, type, memory, address_space)
    wmask = UINT64_MAX & ~(size - 1)
    if region_num == PCI_ROM_SLOT:
        wmask |= PCI_ROM_ADDRESS_ENABLE
    addr = pci_bar(region_num)
    pci_set_long(pci_dev.config, addr, type)
    (pci_set_quad if is_64bit(type) else pci_set_long)(pci_dev.wmask, addr, wmask)


def pci_config_get_bar_addr(d: PCIDevice, reg: int, type: int, size: int) -> int:
    """The address that the guest has written."""
    get = pci_get_quad if type & PCI_BASE_ADDRESS_MEM_TYPE_64 else pci_get_long
    return get(d.config, pci_bar(reg)) & ~(size - 1)


def pci_bar_address(d: PCIDevice, reg: int, type: int, size: int) -> int:
    """Where the region is: nowhere if its space is switched off, or where it would not fit.

    Left out: boards on which address 0 means nowhere, too (`pci_allow_0_address`).
    """
    enable = PCI_COMMAND_IO if is_io(type) else PCI_COMMAND_MEMORY
    if not pci_get_word(d.config, PCI_COMMAND) & enable:
        return PCI_BAR_UNMAPPED
    if reg == PCI_ROM_SLOT and not d.config[PCI_ROM_ADDRESS] & PCI_ROM_ADDRESS_ENABLE:
        return PCI_BAR_UNMAPPED
    addr = pci_config_get_bar_addr(d, reg, type, size)
    last, limit = addr + size - 1, HWADDR_MAX if is_64bit(type) else UINT32_MAX
    return addr if addr < last < limit else PCI_BAR_UNMAPPED


def pci_update_mappings(d: PCIDevice) -> None:
    """Put each region where the guest wants it now."""
    for reg, r in sorted(d.io_regions.items()):
        new_addr = pci_bar_address(d, reg, r.type, r.size)
        if new_addr != r.addr:
            pci_unmap_region(d, reg, r)
            r.addr = new_addr
            pci_map_region(d, reg, r)


def pci_map_region(d: PCIDevice, reg: int, r: PCIIORegion) -> None:
    """Let the region be seen, over what else may be there (in QEMU a part of `pci_update_mappings`)."""
    if r.addr != PCI_BAR_UNMAPPED:
        if pci_update_mappings_add:
            pci_update_mappings_add(d, reg, r.addr, r.size)
        memory_region_add_subregion_overlap(r.address_space, r.addr, r.memory, 1)


def pci_unmap_region(d: PCIDevice, reg: int, r: PCIIORegion) -> None:
    """Let it be seen no longer (in QEMU a part of `pci_update_mappings`)."""
    if r.addr != PCI_BAR_UNMAPPED:
        if pci_update_mappings_del:
            pci_update_mappings_del(d, reg, r.addr, r.size)
        memory_region_del_subregion(r.address_space, r.memory)


def pci_reset_regions(dev: PCIDevice) -> None:
    """Forget what the guest has written."""
    for reg, region in dev.io_regions.items():
        (pci_set_quad if is_64bit(region.type) else pci_set_long)(dev.config, pci_bar(reg), region.type)


def pci_unregister_io_regions(pci_dev: PCIDevice) -> None:
    """The device goes: nothing of it is mapped any more."""
    for reg, region in pci_dev.io_regions.items():
        pci_unmap_region(pci_dev, reg, region)
