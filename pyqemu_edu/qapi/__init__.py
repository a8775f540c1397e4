"""Values on their way in and out of properties (QEMU qapi/)."""
