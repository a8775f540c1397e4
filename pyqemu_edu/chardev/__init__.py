"""Character streams to and from the host (QEMU chardev/)."""
