"""A program for the firmware of the guest that a device brings along (QEMU hw/pci/pci.c).

It is written for one kind of processor, so that on RISC-V nobody runs it; but there it is.  Left out: handing it over
by way of fw_cfg (`rombar=0`), after which the guest does not see it.
"""

from __future__ import annotations

from pyqemu_edu.hw.core.loader import get_image_size
from pyqemu_edu.hw.core.qdev_bus import qdev_get_dev_path
from pyqemu_edu.hw.core.qdev_realize import qdev_get_vmsd
from pyqemu_edu.hw.pci.pci_bar import pci_register_bar
from pyqemu_edu.hw.pci.pci_device import PCIDevice, pci_get_word, pci_set_word
from pyqemu_edu.hw.pci.pci_regs import PCI_BASE_ADDRESS_SPACE_MEMORY, PCI_DEVICE_ID, PCI_ROM_SLOT, PCI_VENDOR_ID
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.softmmu.datadir import qemu_find_file
from pyqemu_edu.softmmu.memory import MemoryRegion, memory_region_get_ram_ptr, memory_region_init_rom_nomigrate
from pyqemu_edu.softmmu.ram_block import qemu_ram_set_idstr
from pyqemu_edu.util.error import QemuError

ROMSIZE_OF_FILE = 0xFFFFFFFF
"""`romsize` as it is unless the user says otherwise: as large as the file needs."""

ROM_MAGIC, ROM_CHECKSUM, ROM_PCIR_POINTER = 0xAA55, 6, 0x18
PCIR_VENDOR_ID, PCIR_DEVICE_ID = 4, 6


def pci_patch_ids(pdev: PCIDevice, rom: bytearray) -> None:
    """Tell the program on which device it is, if it was made for a sister of it; its checksum stays right."""
    pcir = pci_get_word(rom, ROM_PCIR_POINTER)
    if pci_get_word(rom, 0) != ROM_MAGIC or pcir + 8 >= len(rom) or rom[pcir : pcir + 4] != b"PCIR":
        return
    for theirs, ours in ((pcir + PCIR_VENDOR_ID, PCI_VENDOR_ID), (pcir + PCIR_DEVICE_ID, PCI_DEVICE_ID)):
        old, new = pci_get_word(rom, theirs), pci_get_word(pdev.config, ours)
        rom[ROM_CHECKSUM] = rom[ROM_CHECKSUM] + sum(divmod(old, 256)) - sum(divmod(new, 256)) & 0xFF
        pci_set_word(rom, theirs, new)


def pci_add_option_rom(pdev: PCIDevice, is_default_rom: bool) -> None:
    """Load the file, and give the device a region for it.  `QemuError` without a file that will do."""
    if not pdev.romfile or not pdev.rom_bar:
        return
    path = qemu_find_file(pdev.romfile) or pdev.romfile
    check_rom_size(pdev, get_image_size(path))
    with open(path, "rb") as file:
        content = bytearray(file.read())
    if is_default_rom:
        pci_patch_ids(pdev, content)
    rom = make_rom(pdev)
    memory_region_get_ram_ptr(rom)[: len(content)] = content
    pci_register_bar(pdev, PCI_ROM_SLOT, PCI_BASE_ADDRESS_SPACE_MEMORY, rom)


def check_rom_size(pdev: PCIDevice, size: int) -> None:
    """Whether the file is there, and of a size that will do (in QEMU a part of `pci_add_option_rom`)."""
    if size < 0:
        raise QemuError(f'failed to find romfile "{pdev.romfile}"')
    if size == 0:
        raise QemuError(f'romfile "{pdev.romfile}" is empty')
    if size > 2 << 30:
        raise QemuError(f'romfile "{pdev.romfile}" too large (size cannot exceed 2 GiB)')
    if pdev.romsize == ROMSIZE_OF_FILE:
        pdev.romsize = 1 << (size - 1).bit_length()
    elif size > pdev.romsize:
        raise QemuError(f'romfile "{pdev.romfile}" ({size} bytes) is too large for ROM size {pdev.romsize}')


def make_rom(pdev: PCIDevice) -> MemoryRegion:
    """The memory, which is known by the device's place (in QEMU a part of `pci_add_option_rom`)."""
    vmsd = qdev_get_vmsd(pdev)
    name = f"{vmsd.name if vmsd else object_get_typename(pdev)}.rom"
    rom = memory_region_init_rom_nomigrate(pdev, name, pdev.romsize)
    assert rom.ram_block is not None
    qemu_ram_set_idstr(rom.ram_block, name, qdev_get_dev_path(pdev) or "")
    return rom
