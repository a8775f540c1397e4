"""What a machine shows to a person (QEMU ui/)."""
