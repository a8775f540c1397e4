"""What happened, in order (Not in QEMU as such; its cousin is QEMU's trace/)."""
