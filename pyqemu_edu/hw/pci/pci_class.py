"""What kinds of devices are called, by people and by firmware (QEMU hw/pci/pci.c)."""

from __future__ import annotations

from typing import NamedTuple

from pyqemu_edu.hw.pci.pci_device import PCIDevice, pci_get_word
from pyqemu_edu.hw.pci.pci_regs import PCI_CLASS_DEVICE, PCI_DEVICE_ID, PCI_VENDOR_ID


class PciClassDesc(NamedTuple):
    """A kind's name, the firmware's name for it, and which bits of a number the firmware does not look at."""

    desc: str
    fw_name: str | None = None
    fw_ign_bits: int = 0


# fmt: off
pci_class_descriptions: dict[int, PciClassDesc] = {
    0x0001: PciClassDesc("VGA controller", "display"),
    0x0100: PciClassDesc("SCSI controller", "scsi"),
    0x0101: PciClassDesc("IDE controller", "ide"),
    0x0102: PciClassDesc("Floppy controller", "fdc"),
    0x0103: PciClassDesc("IPI controller", "ipi"),
    0x0104: PciClassDesc("RAID controller", "raid"),
    0x0106: PciClassDesc("SATA controller"),
    0x0107: PciClassDesc("SAS controller"),
    0x0180: PciClassDesc("Storage controller"),
    0x0200: PciClassDesc("Ethernet controller", "ethernet"),
    0x0201: PciClassDesc("Token Ring controller", "token-ring"),
    0x0202: PciClassDesc("FDDI controller", "fddi"),
    0x0203: PciClassDesc("ATM controller", "atm"),
    0x0280: PciClassDesc("Network controller"),
    0x0300: PciClassDesc("VGA controller", "display", 0x00FF),
    0x0301: PciClassDesc("XGA controller"),
    0x0302: PciClassDesc("3D controller"),
    0x0380: PciClassDesc("Display controller"),
    0x0400: PciClassDesc("Video controller", "video"),
    0x0401: PciClassDesc("Audio controller", "sound"),
    0x0402: PciClassDesc("Phone"),
    0x0403: PciClassDesc("Audio controller", "sound"),
    0x0480: PciClassDesc("Multimedia controller"),
    0x0500: PciClassDesc("RAM controller", "memory"),
    0x0501: PciClassDesc("Flash controller", "flash"),
    0x0580: PciClassDesc("Memory controller"),
    0x0600: PciClassDesc("Host bridge", "host"),
    0x0601: PciClassDesc("ISA bridge", "isa"),
    0x0602: PciClassDesc("EISA bridge", "eisa"),
    0x0603: PciClassDesc("MC bridge", "mca"),
    0x0604: PciClassDesc("PCI bridge", "pci-bridge"),
    0x0605: PciClassDesc("PCMCIA bridge", "pcmcia"),
    0x0606: PciClassDesc("NUBUS bridge", "nubus"),
    0x0607: PciClassDesc("CARDBUS bridge", "cardbus"),
    0x0608: PciClassDesc("RACEWAY bridge"),
    0x0680: PciClassDesc("Bridge"),
    0x0700: PciClassDesc("Serial port", "serial"),
    0x0701: PciClassDesc("Parallel port", "parallel"),
    0x0800: PciClassDesc("Interrupt controller", "interrupt-controller"),
    0x0801: PciClassDesc("DMA controller", "dma-controller"),
    0x0802: PciClassDesc("Timer", "timer"),
    0x0803: PciClassDesc("RTC", "rtc"),
    0x0900: PciClassDesc("Keyboard", "keyboard"),
    0x0901: PciClassDesc("Pen", "pen"),
    0x0902: PciClassDesc("Mouse", "mouse"),
    0x0A00: PciClassDesc("Dock station", "dock", 0x00FF),
    0x0B00: PciClassDesc("i386 cpu", "cpu", 0x00FF),
    0x0C00: PciClassDesc("Firewire controller", "firewire"),
    0x0C01: PciClassDesc("Access bus controller", "access-bus"),
    0x0C02: PciClassDesc("SSA controller", "ssa"),
    0x0C03: PciClassDesc("USB controller", "usb"),
    0x0C04: PciClassDesc("Fibre channel controller", "fibre-channel"),
    0x0C05: PciClassDesc("SMBus"),
}
# fmt: on


def get_class_desc(number: int) -> str | None:
    """The name of a kind, if it has one."""
    return pci_class_descriptions[number].desc if number in pci_class_descriptions else None


def pci_dev_fw_name(d: PCIDevice) -> str:
    """The firmware's name for the device, made of its numbers if its kind has none."""
    number = pci_get_word(d.config, PCI_CLASS_DEVICE)
    for known, desc in pci_class_descriptions.items():
        if (number ^ known) & ~desc.fw_ign_bits == 0 and desc.fw_name:
            return desc.fw_name
    return f"pci{pci_get_word(d.config, PCI_VENDOR_ID):04x},{pci_get_word(d.config, PCI_DEVICE_ID):04x}"
