"""Accelerators: who runs the guest code (QEMU accel/)."""
