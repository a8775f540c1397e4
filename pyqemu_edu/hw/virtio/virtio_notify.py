"""How a virtio device interrupts its driver, and how it gives up (QEMU hw/virtio/virtio.c)."""

from __future__ import annotations

from pyqemu_edu.hw.virtio.virtio_bus import virtio_bus_of
from pyqemu_edu.hw.virtio.virtio_device import (
    VIRTIO_CONFIG_S_DRIVER_OK,
    VIRTIO_CONFIG_S_NEEDS_RESET,
    VIRTIO_F_VERSION_1,
    VIRTIO_NO_VECTOR,
    VirtIODevice,
    virtio_device_disabled,
    virtio_vdev_has_feature,
)
from pyqemu_edu.util.error import error_report


def virtio_notify_vector(vdev: VirtIODevice, vector: int) -> None:
    """Let the transport set its interrupt as it should be now."""
    bus, k = virtio_bus_of(vdev)
    if not virtio_device_disabled(vdev) and k.notify:
        k.notify(bus.parent_device, vector)


def virtio_update_irq(vdev: VirtIODevice) -> None:
    """The same after a change of `isr`."""
    virtio_notify_vector(vdev, VIRTIO_NO_VECTOR)


def virtio_set_isr(vdev: VirtIODevice, value: int) -> None:
    """Note why there is an interrupt: 1 for a queue, 2 for the configuration."""
    vdev.isr |= value


def virtio_notify_config(vdev: VirtIODevice) -> None:
    """Tell the driver that the configuration has changed."""
    if vdev.status & VIRTIO_CONFIG_S_DRIVER_OK:
        virtio_set_isr(vdev, 3)
        vdev.generation = (vdev.generation + 1) & 0xFFFFFFFF
        virtio_notify_vector(vdev, vdev.config_vector)


def virtio_error(vdev: VirtIODevice, message: str) -> None:
    """The driver has done something that no driver may: say so, and do nothing more until it resets the device."""
    error_report(message)
    if virtio_vdev_has_feature(vdev, VIRTIO_F_VERSION_1):
        vdev.status |= VIRTIO_CONFIG_S_NEEDS_RESET
        virtio_notify_config(vdev)
    vdev.broken = True
