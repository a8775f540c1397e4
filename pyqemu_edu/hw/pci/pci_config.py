"""Making a device's configuration space, and the list of capabilities in it (QEMU hw/pci/pci.c).

Left out: masks of what must not change by loading a saved machine (`cmask`), and bridges.
"""

from __future__ import annotations

from pyqemu_edu.hw.pci.pci_device import (
    PCI_DEVICE_GET_CLASS,
    PCIDevice,
    pci_config_size,
    pci_set_word,
)
from pyqemu_edu.hw.pci.pci_regs import (
    PCI_CACHE_LINE_SIZE,
    PCI_CAP_LIST_ID,
    PCI_CAP_LIST_NEXT,
    PCI_CAPABILITY_LIST,
    PCI_CLASS_DEVICE,
    PCI_COMMAND,
    PCI_COMMAND_INTX_DISABLE,
    PCI_COMMAND_IO,
    PCI_COMMAND_MASTER,
    PCI_COMMAND_MEMORY,
    PCI_COMMAND_SERR,
    PCI_CONFIG_HEADER_SIZE,
    PCI_CONFIG_SPACE_SIZE,
    PCI_DEVICE_ID,
    PCI_INTERRUPT_LINE,
    PCI_REVISION_ID,
    PCI_STATUS,
    PCI_STATUS_CAP_LIST,
    PCI_STATUS_ERRORS,
    PCI_SUBDEVICE_ID_QEMU,
    PCI_SUBSYSTEM_ID,
    PCI_SUBSYSTEM_VENDOR_ID,
    PCI_VENDOR_ID,
    PCI_VENDOR_ID_REDHAT_QUMRANET,
)

PCI_COMMAND_WRITABLE = (
    PCI_COMMAND_IO | PCI_COMMAND_MEMORY | PCI_COMMAND_MASTER | PCI_COMMAND_INTX_DISABLE | PCI_COMMAND_SERR
)


def pci_config_alloc(pci_dev: PCIDevice) -> None:
    """An empty configuration space, its masks, and a map of which bytes capabilities have taken."""
    size = pci_config_size(pci_dev)
    pci_dev.config, pci_dev.wmask, pci_dev.w1cmask = bytearray(size), bytearray(size), bytearray(size)
    pci_dev.used = bytearray(size)


def pci_config_set_identity(pci_dev: PCIDevice) -> None:
    """Who made the device, and what it is (in QEMU a part of `do_pci_register_device`)."""
    pc = PCI_DEVICE_GET_CLASS(pci_dev)
    pci_set_word(pci_dev.config, PCI_VENDOR_ID, pc.vendor_id)
    pci_set_word(pci_dev.config, PCI_DEVICE_ID, pc.device_id)
    pci_dev.config[PCI_REVISION_ID] = pc.revision
    pci_set_word(pci_dev.config, PCI_CLASS_DEVICE, pc.class_id)
    pci_set_word(pci_dev.config, PCI_SUBSYSTEM_VENDOR_ID, PCI_VENDOR_ID_REDHAT_QUMRANET)
    pci_set_word(pci_dev.config, PCI_SUBSYSTEM_ID, PCI_SUBDEVICE_ID_QEMU)


def pci_init_wmask(dev: PCIDevice) -> None:
    """What the guest may write: some of the header, and all behind it."""
    dev.wmask[PCI_CACHE_LINE_SIZE] = dev.wmask[PCI_INTERRUPT_LINE] = 0xFF
    pci_set_word(dev.wmask, PCI_COMMAND, PCI_COMMAND_WRITABLE)
    dev.wmask[PCI_CONFIG_HEADER_SIZE:] = b"\xff" * (len(dev.wmask) - PCI_CONFIG_HEADER_SIZE)


def pci_init_w1cmask(dev: PCIDevice) -> None:
    """Errors that were seen: writing a 1 says that the guest knows."""
    pci_set_word(dev.w1cmask, PCI_STATUS, PCI_STATUS_ERRORS)


# ---- capabilities


def pci_find_space(pdev: PCIDevice, size: int) -> int:
    """The first place behind the header for `size` bytes."""
    return pdev.used.index(bytes(size), PCI_CONFIG_HEADER_SIZE, PCI_CONFIG_SPACE_SIZE)


def pci_add_capability(pdev: PCIDevice, cap_id: int, size: int) -> int:
    """Room for a capability, at the head of the list and not to be written; where it is.

    A wish for a place of one's own is left out.
    """
    offset, config = pci_find_space(pdev, size), pdev.config
    config[offset + PCI_CAP_LIST_ID] = cap_id
    config[offset + PCI_CAP_LIST_NEXT] = config[PCI_CAPABILITY_LIST]
    config[PCI_CAPABILITY_LIST] = offset
    config[PCI_STATUS] |= PCI_STATUS_CAP_LIST
    aligned = -(-size // 4) * 4
    pdev.used[offset : offset + aligned] = b"\xff" * aligned
    pdev.wmask[offset : offset + size] = bytes(size)
    return offset
