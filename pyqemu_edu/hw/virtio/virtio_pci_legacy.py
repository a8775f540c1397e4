"""The registers of a legacy virtio device on PCI, which are ports (QEMU hw/virtio/virtio-pci.c).

Behind them comes the device's configuration; where it begins depends on whether interrupts by message are on.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu_edu.hw.pci.msix import msix_enabled, msix_present
from pyqemu_edu.hw.pci.pci_access import pci_default_write_config
from pyqemu_edu.hw.pci.pci_irq import pci_irq_deassert
from pyqemu_edu.hw.pci.pci_regs import PCI_COMMAND, PCI_COMMAND_MASTER
from pyqemu_edu.hw.virtio.virtio_device import (
    VIRTIO_CONFIG_S_ACKNOWLEDGE,
    VIRTIO_CONFIG_S_DRIVER,
    VIRTIO_F_BAD_FEATURE,
    VIRTIO_QUEUE_MAX,
    VirtIODevice,
    virtio_device_get_class,
)
from pyqemu_edu.hw.virtio.virtio_pci_proxy import (
    VirtIOPCIProxy,
    device_on,
    select_queue,
    set_config_vector,
    set_queue_vector,
)
from pyqemu_edu.hw.virtio.virtio_pci_reset import virtio_pci_reset
from pyqemu_edu.hw.virtio.virtio_state import (
    virtio_config_read,
    virtio_config_write,
    virtio_queue_get_addr,
    virtio_queue_get_num,
    virtio_queue_notify,
    virtio_queue_set_addr,
    virtio_set_features,
    virtio_set_status,
)
from pyqemu_edu.softmmu.memory import AccessSizes, DeviceEndian, MemoryRegionOps
from pyqemu_edu.util.log import LOG_GUEST_ERROR, qemu_log_mask

# fmt: off
VIRTIO_PCI_HOST_FEATURES  = 0   # QEMU include/standard-headers/linux/virtio_pci.h
VIRTIO_PCI_GUEST_FEATURES = 4
VIRTIO_PCI_QUEUE_PFN      = 8
VIRTIO_PCI_QUEUE_NUM      = 12
VIRTIO_PCI_QUEUE_SEL      = 14
VIRTIO_PCI_QUEUE_NOTIFY   = 16
VIRTIO_PCI_STATUS         = 18
VIRTIO_PCI_ISR            = 19
VIRTIO_MSI_CONFIG_VECTOR  = 20
VIRTIO_MSI_QUEUE_VECTOR   = 22
# fmt: on
VIRTIO_PCI_QUEUE_ADDR_SHIFT = 12


def VIRTIO_PCI_CONFIG_OFF(msix: bool) -> int:
    """Where the device's configuration begins (QEMU include/standard-headers/linux/virtio_pci.h)."""
    return 24 if msix else 20


def VIRTIO_PCI_REGION_SIZE(dev: VirtIOPCIProxy) -> int:
    """How many ports there are at most, without the configuration."""
    return VIRTIO_PCI_CONFIG_OFF(msix_present(dev))


# ---- reading


def take_isr(proxy: VirtIOPCIProxy) -> int:
    """Why there is an interrupt; reading it ends the interrupt (in QEMU written out)."""
    vdev = device_on(proxy)
    val, vdev.isr = vdev.isr, 0
    pci_irq_deassert(proxy)
    return val


def queue_pfn(vdev: VirtIODevice) -> int:
    """The number of a queue's first page (in QEMU a part of `virtio_ioport_read`)."""
    return virtio_queue_get_addr(vdev, vdev.queue_sel) >> VIRTIO_PCI_QUEUE_ADDR_SHIFT


# fmt: off
READERS: dict[int, Callable[[VirtIOPCIProxy, VirtIODevice], int]] = {
    VIRTIO_PCI_HOST_FEATURES:  lambda proxy, vdev: vdev.host_features & 0xFFFFFFFF,
    VIRTIO_PCI_GUEST_FEATURES: lambda proxy, vdev: vdev.guest_features & 0xFFFFFFFF,
    VIRTIO_PCI_QUEUE_PFN:      lambda proxy, vdev: queue_pfn(vdev),
    VIRTIO_PCI_QUEUE_NUM:      lambda proxy, vdev: virtio_queue_get_num(vdev, vdev.queue_sel),
    VIRTIO_PCI_QUEUE_SEL:      lambda proxy, vdev: vdev.queue_sel,
    VIRTIO_PCI_STATUS:         lambda proxy, vdev: vdev.status,
    VIRTIO_PCI_ISR:            lambda proxy, vdev: take_isr(proxy),
    VIRTIO_MSI_CONFIG_VECTOR:  lambda proxy, vdev: vdev.config_vector,
    VIRTIO_MSI_QUEUE_VECTOR:   lambda proxy, vdev: vdev.vq[vdev.queue_sel].vector,
}
# fmt: on


def virtio_ioport_read(proxy: VirtIOPCIProxy, addr: int) -> int:
    """The driver reads from a port; all ones where there is none."""
    read = READERS.get(addr)
    return read(proxy, device_on(proxy)) if read else 0xFFFFFFFF


def virtio_pci_config_read(proxy: VirtIOPCIProxy, addr: int, size: int) -> int:
    """The driver reads from a port, or from the configuration behind."""
    config = VIRTIO_PCI_CONFIG_OFF(msix_enabled(proxy))
    if addr < config:
        return virtio_ioport_read(proxy, addr)
    return virtio_config_read(device_on(proxy), addr - config, size)


# ---- writing


def set_guest_features(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """The driver's choice; one that takes whatever it is offered gets what such drivers can bear."""
    if val >> VIRTIO_F_BAD_FEATURE & 1:
        bad_features = virtio_device_get_class(vdev).bad_features
        val = bad_features(vdev) if bad_features else 0
    virtio_set_features(vdev, val)


def set_queue_pfn(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """The page at which the queue begins; 0 resets the device."""
    if val == 0:
        virtio_pci_reset(proxy)
    else:
        virtio_queue_set_addr(vdev, vdev.queue_sel, val << VIRTIO_PCI_QUEUE_ADDR_SHIFT)


def notify_queue(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """There is something in queue `val`."""
    if val < VIRTIO_QUEUE_MAX:
        virtio_queue_notify(vdev, val)


def write_status(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """How far the driver is; 0 resets the device.  Drivers of old forgot to let it reach memory, so it is let."""
    virtio_set_status(vdev, val & 0xFF)
    if vdev.status == 0:
        virtio_pci_reset(proxy)
    if val == VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER:
        pci_default_write_config(proxy, PCI_COMMAND, proxy.config[PCI_COMMAND] | PCI_COMMAND_MASTER, 1)


# fmt: off
WRITERS: dict[int, Callable[[VirtIOPCIProxy, VirtIODevice, int], None]] = {
    VIRTIO_PCI_GUEST_FEATURES: set_guest_features,
    VIRTIO_PCI_QUEUE_PFN:      set_queue_pfn,
    VIRTIO_PCI_QUEUE_SEL:      select_queue,
    VIRTIO_PCI_QUEUE_NOTIFY:   notify_queue,
    VIRTIO_PCI_STATUS:         write_status,
    VIRTIO_MSI_CONFIG_VECTOR:  set_config_vector,
    VIRTIO_MSI_QUEUE_VECTOR:   set_queue_vector,
}
# fmt: on


def virtio_ioport_write(proxy: VirtIOPCIProxy, addr: int, val: int) -> None:
    """The driver writes to a port."""
    write = WRITERS.get(addr)
    if write:
        write(proxy, device_on(proxy), val)
    else:
        what = f"unexpected address 0x{addr:x} value 0x{val:x}"
        qemu_log_mask(LOG_GUEST_ERROR, f"virtio_ioport_write: {what}\n")


def virtio_pci_config_write(proxy: VirtIOPCIProxy, addr: int, val: int, size: int) -> None:
    """The driver writes to a port, or to the configuration behind."""
    config = VIRTIO_PCI_CONFIG_OFF(msix_enabled(proxy))
    if addr < config:
        virtio_ioport_write(proxy, addr, val)
    else:
        virtio_config_write(device_on(proxy), addr - config, val, size)


virtio_pci_config_ops = MemoryRegionOps(
    virtio_pci_config_read, virtio_pci_config_write, DeviceEndian.LITTLE, impl=AccessSizes(1, 4)
)
