"""The registers of a modern virtio device on PCI (QEMU hw/virtio/virtio-pci.c).

Four parts: what all devices have (`common`, in `virtio_pci_common`), why there is an interrupt (`isr`), the device's
configuration (`device`), and a place for each queue where the driver says that there is something in it (`notify`).
"""

from __future__ import annotations

from pyqemu_edu.hw.virtio.virtio_device import VIRTIO_QUEUE_MAX
from pyqemu_edu.hw.virtio.virtio_pci_common import virtio_pci_common_read, virtio_pci_common_write
from pyqemu_edu.hw.virtio.virtio_pci_legacy import take_isr
from pyqemu_edu.hw.virtio.virtio_pci_proxy import VirtIOPCIProxy, device_on, virtio_pci_queue_mem_mult
from pyqemu_edu.hw.virtio.virtio_state import virtio_config_read, virtio_config_write, virtio_queue_notify
from pyqemu_edu.softmmu.memory import AccessSizes, DeviceEndian, MemoryRegionOps
from pyqemu_edu.trace.event import Event

virtio_pci_notify_write_event = Event("virtio_pci_notify_write", "addr", "val", "size")
virtio_pci_notify_write_pio_event = Event("virtio_pci_notify_write_pio", "addr", "val", "size")


def virtio_pci_notify_read(proxy: VirtIOPCIProxy, addr: int, size: int) -> int:
    """Nothing to read there."""
    return 0


def virtio_pci_notify_write(proxy: VirtIOPCIProxy, addr: int, val: int, size: int) -> None:
    """There is something in the queue whose place this is."""
    queue = addr // virtio_pci_queue_mem_mult(proxy)
    if queue < VIRTIO_QUEUE_MAX:
        if virtio_pci_notify_write_event:
            virtio_pci_notify_write_event(addr, val, size)
        virtio_queue_notify(device_on(proxy), queue)


def virtio_pci_notify_write_pio(proxy: VirtIOPCIProxy, addr: int, val: int, size: int) -> None:
    """There is something in queue `val`: the one port for all queues, which `modern-pio-notify` adds."""
    if val < VIRTIO_QUEUE_MAX:
        if virtio_pci_notify_write_pio_event:
            virtio_pci_notify_write_pio_event(addr, val, size)
        virtio_queue_notify(device_on(proxy), val)


def virtio_pci_isr_read(proxy: VirtIOPCIProxy, addr: int, size: int) -> int:
    """Why there is an interrupt; reading it ends the interrupt."""
    return take_isr(proxy)


def virtio_pci_isr_write(proxy: VirtIOPCIProxy, addr: int, val: int, size: int) -> None:
    """Nothing to write there."""


def virtio_pci_device_read(proxy: VirtIOPCIProxy, addr: int, size: int) -> int:
    """Read the device's own configuration."""
    return virtio_config_read(device_on(proxy), addr, size)


def virtio_pci_device_write(proxy: VirtIOPCIProxy, addr: int, val: int, size: int) -> None:
    """Write the device's own configuration."""
    virtio_config_write(device_on(proxy), addr, val, size)


IMPL = AccessSizes(1, 4)
REGION_OPS = {
    "common": MemoryRegionOps(virtio_pci_common_read, virtio_pci_common_write, DeviceEndian.LITTLE, impl=IMPL),
    "isr": MemoryRegionOps(virtio_pci_isr_read, virtio_pci_isr_write, DeviceEndian.LITTLE, impl=IMPL),
    "device": MemoryRegionOps(virtio_pci_device_read, virtio_pci_device_write, DeviceEndian.LITTLE, impl=IMPL),
    "notify": MemoryRegionOps(virtio_pci_notify_read, virtio_pci_notify_write, DeviceEndian.LITTLE, impl=IMPL),
    "notify-pio": MemoryRegionOps(virtio_pci_notify_read, virtio_pci_notify_write_pio, DeviceEndian.LITTLE, impl=IMPL),
}
"""By part, in QEMU's order (in QEMU `virtio_pci_modern_regions_init`)."""
