"""Saving a machine's state (QEMU migration/)."""
