"""Boards and devices (QEMU hw/)."""
