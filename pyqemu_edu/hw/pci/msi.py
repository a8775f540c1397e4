"""Interrupts by message: the device stores a number somewhere, as a program would (QEMU hw/pci/msi.c).

Left out: the older kind of it, whose capability no device here has.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.hw.pci.pci_device import MSIMessage, PCIDevice
from pyqemu_edu.process import per_process


@dataclass(eq=False)
class Statics:
    """Whether the interrupt controller lets devices have the capability.

    The PLIC does, although it does not understand messages: what a device sends then is a store to memory, no more.
    """

    msi_nonbroken: bool = False


statics = per_process(Statics)


def msi_send_message(dev: PCIDevice, msg: MSIMessage) -> None:
    """Write the message's data to its address: that is the interrupt."""
    if dev.msi_trigger is not None:
        dev.msi_trigger(dev, msg)
