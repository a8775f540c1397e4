"""Memory that outlives the power, or pretends to (QEMU hw/nvram)."""
