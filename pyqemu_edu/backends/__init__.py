"""What stands behind the guest's hardware on the host (QEMU backends/)."""
