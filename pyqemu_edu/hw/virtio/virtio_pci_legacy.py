"""The registers of a legacy virtio device on PCI, which are ports (QEMU hw/virtio/virtio-pci.c).

Behind them comes the device's configuration; where it begins depends on whether interrupts by message are on.
"""

from __future__ import annotations

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
from pyqemu_edu.hw.virtio.virtio_pci_proxy import VirtIOPCIProxy, choose_vector, device_on
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


# ---- writing


def virtio_ioport_write(proxy: VirtIOPCIProxy, addr: int, val: int) -> None:
    """The driver writes to a port."""
    vdev = device_on(proxy)
    if addr == VIRTIO_PCI_GUEST_FEATURES:
        virtio_set_features(vdev, usable_features(vdev, val))
    elif addr == VIRTIO_PCI_QUEUE_PFN:
        set_queue_pfn(proxy, vdev, val)
    elif addr == VIRTIO_PCI_QUEUE_SEL:
        vdev.queue_sel = val if val < VIRTIO_QUEUE_MAX else vdev.queue_sel
    elif addr == VIRTIO_PCI_QUEUE_NOTIFY:
        if val < VIRTIO_QUEUE_MAX:
            virtio_queue_notify(vdev, val)
    elif addr == VIRTIO_PCI_STATUS:
        set_status(proxy, vdev, val)
    elif addr == VIRTIO_MSI_CONFIG_VECTOR:
        vdev.config_vector = choose_vector(proxy, vdev.config_vector, val)
    elif addr == VIRTIO_MSI_QUEUE_VECTOR:
        vq = vdev.vq[vdev.queue_sel]
        vq.vector = choose_vector(proxy, vq.vector, val)
    else:
        what = f"unexpected address 0x{addr:x} value 0x{val:x}"
        qemu_log_mask(LOG_GUEST_ERROR, f"virtio_ioport_write: {what}\n")


def usable_features(vdev: VirtIODevice, val: int) -> int:
    """A driver that takes whatever it is offered gets what such drivers can bear (in QEMU a part of the above)."""
    if not val >> VIRTIO_F_BAD_FEATURE & 1:
        return val
    bad_features = virtio_device_get_class(vdev).bad_features
    return bad_features(vdev) if bad_features else 0


def set_queue_pfn(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """The page at which the queue begins; 0 resets the device (in QEMU a part of `virtio_ioport_write`)."""
    if val == 0:
        virtio_pci_reset(proxy)
    else:
        virtio_queue_set_addr(vdev, vdev.queue_sel, val << VIRTIO_PCI_QUEUE_ADDR_SHIFT)


def set_status(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """How far the driver is; 0 resets the device (in QEMU a part of `virtio_ioport_write`).

    Drivers of old forgot to let the device reach memory, so it is let.
    """
    virtio_set_status(vdev, val & 0xFF)
    if vdev.status == 0:
        virtio_pci_reset(proxy)
    if val == VIRTIO_CONFIG_S_ACKNOWLEDGE | VIRTIO_CONFIG_S_DRIVER:
        pci_default_write_config(proxy, PCI_COMMAND, proxy.config[PCI_COMMAND] | PCI_COMMAND_MASTER, 1)


def virtio_pci_config_write(proxy: VirtIOPCIProxy, addr: int, val: int, size: int) -> None:
    """The driver writes to a port, or to the configuration behind."""
    config = VIRTIO_PCI_CONFIG_OFF(msix_enabled(proxy))
    if addr < config:
        virtio_ioport_write(proxy, addr, val)
    else:
        virtio_config_write(device_on(proxy), addr - config, val, size)


# ---- reading


def virtio_ioport_read(proxy: VirtIOPCIProxy, addr: int) -> int:
    """The driver reads from a port; all ones where there is none."""
    vdev = device_on(proxy)
    if addr == VIRTIO_PCI_HOST_FEATURES:
        return vdev.host_features & 0xFFFFFFFF
    if addr == VIRTIO_PCI_GUEST_FEATURES:
        return vdev.guest_features & 0xFFFFFFFF
    if addr == VIRTIO_PCI_QUEUE_PFN:
        return virtio_queue_get_addr(vdev, vdev.queue_sel) >> VIRTIO_PCI_QUEUE_ADDR_SHIFT
    if addr == VIRTIO_PCI_QUEUE_NUM:
        return virtio_queue_get_num(vdev, vdev.queue_sel)
    if addr == VIRTIO_PCI_QUEUE_SEL:
        return vdev.queue_sel
    if addr == VIRTIO_PCI_STATUS:
        return vdev.status
    if addr == VIRTIO_PCI_ISR:
        return take_isr(proxy)
    if addr == VIRTIO_MSI_CONFIG_VECTOR:
        return vdev.config_vector
    if addr == VIRTIO_MSI_QUEUE_VECTOR:
        return vdev.vq[vdev.queue_sel].vector
    return 0xFFFFFFFF


def take_isr(proxy: VirtIOPCIProxy) -> int:
    """Why there is an interrupt; reading it ends the interrupt (in QEMU written out)."""
    vdev = device_on(proxy)
    val, vdev.isr = vdev.isr, 0
    pci_irq_deassert(proxy)
    return val


def virtio_pci_config_read(proxy: VirtIOPCIProxy, addr: int, size: int) -> int:
    """The driver reads from a port, or from the configuration behind."""
    config = VIRTIO_PCI_CONFIG_OFF(msix_enabled(proxy))
    if addr < config:
        return virtio_ioport_read(proxy, addr)
    return virtio_config_read(device_on(proxy), addr - config, size)


virtio_pci_config_ops = MemoryRegionOps(
    virtio_pci_config_read, virtio_pci_config_write, DeviceEndian.LITTLE, impl=AccessSizes(1, 4)
)
