"""Every instruction, stated once: bit pattern, assembly form, meaning (Not in QEMU, which says each three times)."""
