"""Facts of the reference QEMU, as data (Not in QEMU)."""
