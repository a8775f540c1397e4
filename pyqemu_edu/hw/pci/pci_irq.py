"""Interrupts by wire: four for all devices on a bus, INTA to INTD (QEMU hw/pci/pci.c).

Most devices use only INTA; so that they do not all share one wire, each slot has them turned on by one.
"""

from __future__ import annotations

from pyqemu_edu.hw.pci.pci_device import PCI_SLOT, PCIDevice, pci_get_bus, pci_get_word
from pyqemu_edu.hw.pci.pci_regs import (
    PCI_COMMAND,
    PCI_COMMAND_INTX_DISABLE,
    PCI_INTERRUPT_PIN,
    PCI_NUM_PINS,
    PCI_STATUS,
    PCI_STATUS_INTERRUPT,
)


def pci_swizzle_map_irq_fn(pci_dev: PCIDevice, pin: int) -> int:
    """Which of the bus's wires a pin of the device is tied to."""
    return (PCI_SLOT(pci_dev.devfn) + pin) % PCI_NUM_PINS


def pci_irq_state(d: PCIDevice, irq_num: int) -> int:
    """Whether the device would hold the wire up."""
    return d.irq_state >> irq_num & 1


def pci_set_irq_state(d: PCIDevice, irq_num: int, level: int) -> None:
    """Note whether it would."""
    d.irq_state = d.irq_state & ~(1 << irq_num) | level << irq_num


def pci_change_irq_level(pci_dev: PCIDevice, irq_num: int, change: int) -> None:
    """One device more, or less, holds the wire up."""
    bus = pci_get_bus(pci_dev)
    irq_num = bus.map_irq(pci_dev, irq_num)
    bus.irq_count[irq_num] += change
    bus.set_irq(bus.irq_opaque, irq_num, int(bus.irq_count[irq_num] != 0))


def pci_update_irq_status(dev: PCIDevice) -> None:
    """The guest can read whether there is an interrupt."""
    if dev.irq_state:
        dev.config[PCI_STATUS] |= PCI_STATUS_INTERRUPT
    else:
        dev.config[PCI_STATUS] &= ~PCI_STATUS_INTERRUPT


def pci_irq_disabled(d: PCIDevice) -> bool:
    """Whether the guest wants no interrupts by wire."""
    return bool(pci_get_word(d.config, PCI_COMMAND) & PCI_COMMAND_INTX_DISABLE)


def pci_update_irq_disabled(d: PCIDevice, was_irq_disabled: bool) -> None:
    """It has changed its mind, perhaps: pull or let go the wires."""
    disabled = pci_irq_disabled(d)
    if disabled != was_irq_disabled:
        for i in range(PCI_NUM_PINS):
            state = pci_irq_state(d, i)
            pci_change_irq_level(d, i, -state if disabled else state)


def pci_irq_handler(pci_dev: PCIDevice, irq_num: int, level: int) -> None:
    """The device pulls a wire, or lets it go."""
    change = level - pci_irq_state(pci_dev, irq_num)
    if change:
        pci_set_irq_state(pci_dev, irq_num, level)
        pci_update_irq_status(pci_dev)
        if not pci_irq_disabled(pci_dev):
            pci_change_irq_level(pci_dev, irq_num, change)


def pci_set_irq(pci_dev: PCIDevice, level: int) -> None:
    """The same for the pin that the device says it uses."""
    pci_irq_handler(pci_dev, pci_dev.config[PCI_INTERRUPT_PIN] - 1, level)


def pci_irq_deassert(pci_dev: PCIDevice) -> None:
    """Let the wire go (QEMU include/hw/pci/pci.h)."""
    pci_set_irq(pci_dev, 0)


def pci_device_deassert_intx(dev: PCIDevice) -> None:
    """Let all wires go."""
    for i in range(PCI_NUM_PINS):
        pci_irq_handler(dev, i, 0)
