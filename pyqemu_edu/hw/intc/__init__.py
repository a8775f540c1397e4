"""Interrupt controllers and timers (QEMU hw/intc/)."""
