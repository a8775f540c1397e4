"""Consoles and serial ports (QEMU hw/char/)."""
