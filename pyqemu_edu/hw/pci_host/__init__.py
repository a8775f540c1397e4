"""Bridges from the processor to a PCI bus (QEMU hw/pci-host)."""
