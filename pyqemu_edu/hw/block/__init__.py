"""Devices that store (QEMU hw/block)."""
