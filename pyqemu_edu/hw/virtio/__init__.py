"""Virtio: how a guest that knows it is one talks to its host (QEMU hw/virtio)."""
