"""Network cards (QEMU hw/net)."""
