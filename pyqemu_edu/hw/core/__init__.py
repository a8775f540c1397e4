"""What all boards and devices rest on (QEMU hw/core/)."""
