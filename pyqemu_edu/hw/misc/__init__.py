"""Devices that fit nowhere else (QEMU hw/misc)."""
