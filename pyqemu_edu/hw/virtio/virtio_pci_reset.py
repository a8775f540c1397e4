"""Resetting a virtio device on PCI (QEMU hw/virtio/virtio-pci.c)."""

from __future__ import annotations

from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.hw.pci.msix import msix_unuse_all_vectors
from pyqemu_edu.hw.virtio.virtio_pci_proxy import VIRTIO_PCI
from pyqemu_edu.hw.virtio.virtio_state import virtio_bus_reset


def virtio_pci_reset(qdev: DeviceState) -> None:
    """Forget what the driver said of the device and of its queues; which half of the features it was at, stays."""
    proxy = VIRTIO_PCI(qdev)
    virtio_bus_reset(proxy.bus)
    msix_unuse_all_vectors(proxy)
    proxy.vqs.clear()
