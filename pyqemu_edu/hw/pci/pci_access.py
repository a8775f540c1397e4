"""The guest reads and writes a device's configuration space, and what that leads to (QEMU hw/pci/pci.c).

Left out: slots whose power is switched off.
"""

from __future__ import annotations

from pyqemu_edu.hw.pci.msix import msix_reset, msix_write_config
from pyqemu_edu.hw.pci.pci_bar import pci_reset_regions, pci_update_mappings
from pyqemu_edu.hw.pci.pci_device import PCIDevice, pci_get_word, pci_set_word, range_covers_byte, ranges_overlap
from pyqemu_edu.hw.pci.pci_irq import pci_device_deassert_intx, pci_irq_disabled, pci_update_irq_disabled
from pyqemu_edu.hw.pci.pci_regs import (
    PCI_BASE_ADDRESS_0,
    PCI_CACHE_LINE_SIZE,
    PCI_COMMAND,
    PCI_COMMAND_MASTER,
    PCI_INTERRUPT_LINE,
    PCI_ROM_ADDRESS,
    PCI_STATUS,
)
from pyqemu_edu.softmmu.memory import memory_region_set_enabled


def pci_default_read_config(d: PCIDevice, address: int, length: int) -> int:
    """Read from the configuration space."""
    return int.from_bytes(d.config[address : address + length], "little")


def pci_default_write_config(d: PCIDevice, addr: int, val: int, length: int) -> None:
    """Write to it what may be written; base addresses and the command register have consequences."""
    was_irq_disabled = pci_irq_disabled(d)
    for i in range(addr, addr + length):
        byte, val = val & 0xFF, val >> 8
        d.config[i] = d.config[i] & ~d.wmask[i] | byte & d.wmask[i]
        d.config[i] &= ~(byte & d.w1cmask[i])
    command = range_covers_byte(addr, length, PCI_COMMAND)
    rom = ranges_overlap(addr, length, PCI_ROM_ADDRESS, 4)
    if command or rom or ranges_overlap(addr, length, PCI_BASE_ADDRESS_0, 24):
        pci_update_mappings(d)
    if command:
        pci_update_irq_disabled(d, was_irq_disabled)
        enabled = bool(pci_get_word(d.config, PCI_COMMAND) & PCI_COMMAND_MASTER)
        memory_region_set_enabled(d.bus_master_enable_region, enabled)
    msix_write_config(d, addr, length)


def pci_do_device_reset(dev: PCIDevice) -> None:
    """No interrupts, no regions, nothing enabled."""
    pci_device_deassert_intx(dev)
    assert dev.irq_state == 0
    for offset in (PCI_COMMAND, PCI_STATUS):
        writable = pci_get_word(dev.wmask, offset) | pci_get_word(dev.w1cmask, offset)
        pci_set_word(dev.config, offset, pci_get_word(dev.config, offset) & ~writable)
    dev.config[PCI_INTERRUPT_LINE] &= ~dev.wmask[PCI_INTERRUPT_LINE]
    dev.config[PCI_CACHE_LINE_SIZE] = 0
    pci_reset_regions(dev)
    pci_update_mappings(dev)
    msix_reset(dev)
