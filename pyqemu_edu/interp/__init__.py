"""Running instructions one at a time, on numbers (Not in QEMU)."""
