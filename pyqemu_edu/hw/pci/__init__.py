"""The PCI bus (QEMU hw/pci)."""
