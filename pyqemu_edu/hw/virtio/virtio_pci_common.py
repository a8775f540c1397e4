"""The registers that all modern virtio devices on PCI have (QEMU hw/virtio/virtio-pci.c)."""

from __future__ import annotations

from collections.abc import Callable

from pyqemu_edu.hw.virtio.virtio_device import (
    VirtIODevice,
    virtio_device_get_class,
)
from pyqemu_edu.hw.virtio.virtio_notify import virtio_error
from pyqemu_edu.hw.virtio.virtio_pci_proxy import (
    VirtIOPCIProxy,
    VirtIOPCIQueue,
    device_on,
    select_queue,
    set_config_vector,
    set_queue_vector,
)
from pyqemu_edu.hw.virtio.virtio_pci_reset import virtio_pci_reset
from pyqemu_edu.hw.virtio.virtio_state import (
    virtio_queue_get_num,
    virtio_queue_reset,
    virtio_queue_set_num,
    virtio_queue_set_rings,
    virtio_set_features,
    virtio_set_status,
)

# fmt: off
VIRTIO_PCI_COMMON_DFSELECT      = 0x00   # QEMU include/standard-headers/linux/virtio_pci.h
VIRTIO_PCI_COMMON_DF            = 0x04
VIRTIO_PCI_COMMON_GFSELECT      = 0x08
VIRTIO_PCI_COMMON_GF            = 0x0C
VIRTIO_PCI_COMMON_MSIX          = 0x10
VIRTIO_PCI_COMMON_NUMQ          = 0x12
VIRTIO_PCI_COMMON_STATUS        = 0x14
VIRTIO_PCI_COMMON_CFGGENERATION = 0x15
VIRTIO_PCI_COMMON_Q_SELECT      = 0x16
VIRTIO_PCI_COMMON_Q_SIZE        = 0x18
VIRTIO_PCI_COMMON_Q_MSIX        = 0x1A
VIRTIO_PCI_COMMON_Q_ENABLE      = 0x1C
VIRTIO_PCI_COMMON_Q_NOFF        = 0x1E
VIRTIO_PCI_COMMON_Q_DESCLO      = 0x20
VIRTIO_PCI_COMMON_Q_DESCHI      = 0x24
VIRTIO_PCI_COMMON_Q_AVAILLO     = 0x28
VIRTIO_PCI_COMMON_Q_AVAILHI     = 0x2C
VIRTIO_PCI_COMMON_Q_USEDLO      = 0x30
VIRTIO_PCI_COMMON_Q_USEDHI      = 0x34
VIRTIO_PCI_COMMON_Q_RESET       = 0x3A
# fmt: on


def selected(proxy: VirtIOPCIProxy, vdev: VirtIODevice) -> VirtIOPCIQueue:
    """The queue that the driver speaks of; C has an array of all (Not in QEMU)."""
    return proxy.vqs.setdefault(vdev.queue_sel, VirtIOPCIQueue())


# ---- reading what all devices have


def virtio_pci_common_read(proxy: VirtIOPCIProxy, addr: int, size: int) -> int:
    """The driver reads a register; 0 where there is none."""
    read = READERS.get(addr)
    return read(proxy, device_on(proxy)) if read else 0


def device_features(proxy: VirtIOPCIProxy, vdev: VirtIODevice) -> int:
    """One half of the features, without those of old (in QEMU a part of `virtio_pci_common_read`)."""
    if proxy.dfselect > 1:
        return 0
    features = vdev.host_features & ~virtio_device_get_class(vdev).legacy_features
    return features >> 32 * proxy.dfselect & 0xFFFFFFFF


def guest_features(proxy: VirtIOPCIProxy, vdev: VirtIODevice) -> int:
    """One half of those that the driver has chosen (in QEMU a part of `virtio_pci_common_read`)."""
    return proxy.guest_features[proxy.gfselect] if proxy.gfselect < 2 else 0


def num_queues(proxy: VirtIOPCIProxy, vdev: VirtIODevice) -> int:
    """One more than the number of the last queue (in QEMU a part of `virtio_pci_common_read`)."""
    return max((vq.queue_index + 1 for vq in vdev.vq if vq.vring.num), default=0)


Reader = Callable[[VirtIOPCIProxy, VirtIODevice], int]


def address_reader(table: str, half: int) -> Reader:
    """The function that reads one half of a table's address."""

    def read(proxy: VirtIOPCIProxy, vdev: VirtIODevice) -> int:
        word: int = getattr(selected(proxy, vdev), table)[half]
        return word

    return read


# fmt: off
READERS: dict[int, Reader] = {
    VIRTIO_PCI_COMMON_DFSELECT:      lambda proxy, vdev: proxy.dfselect,
    VIRTIO_PCI_COMMON_DF:            device_features,
    VIRTIO_PCI_COMMON_GFSELECT:      lambda proxy, vdev: proxy.gfselect,
    VIRTIO_PCI_COMMON_GF:            guest_features,
    VIRTIO_PCI_COMMON_MSIX:          lambda proxy, vdev: vdev.config_vector,
    VIRTIO_PCI_COMMON_NUMQ:          num_queues,
    VIRTIO_PCI_COMMON_STATUS:        lambda proxy, vdev: vdev.status,
    VIRTIO_PCI_COMMON_CFGGENERATION: lambda proxy, vdev: vdev.generation,
    VIRTIO_PCI_COMMON_Q_SELECT:      lambda proxy, vdev: vdev.queue_sel,
    VIRTIO_PCI_COMMON_Q_SIZE:        lambda proxy, vdev: virtio_queue_get_num(vdev, vdev.queue_sel),
    VIRTIO_PCI_COMMON_Q_MSIX:        lambda proxy, vdev: vdev.vq[vdev.queue_sel].vector,
    VIRTIO_PCI_COMMON_Q_ENABLE:      lambda proxy, vdev: selected(proxy, vdev).enabled,
    VIRTIO_PCI_COMMON_Q_NOFF:        lambda proxy, vdev: vdev.queue_sel,
    VIRTIO_PCI_COMMON_Q_DESCLO:      address_reader("desc", 0),
    VIRTIO_PCI_COMMON_Q_DESCHI:      address_reader("desc", 1),
    VIRTIO_PCI_COMMON_Q_AVAILLO:     address_reader("avail", 0),
    VIRTIO_PCI_COMMON_Q_AVAILHI:     address_reader("avail", 1),
    VIRTIO_PCI_COMMON_Q_USEDLO:      address_reader("used", 0),
    VIRTIO_PCI_COMMON_Q_USEDHI:      address_reader("used", 1),
    VIRTIO_PCI_COMMON_Q_RESET:       lambda proxy, vdev: selected(proxy, vdev).reset,
}
# fmt: on


# ---- writing it


def virtio_pci_common_write(proxy: VirtIOPCIProxy, addr: int, val: int, size: int) -> None:
    """The driver writes a register."""
    write = WRITERS.get(addr)
    if write:
        write(proxy, device_on(proxy), val)


def select_device_features(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """Which half to read."""
    proxy.dfselect = val


def select_guest_features(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """Which half to write."""
    proxy.gfselect = val


def set_guest_features(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """The driver's choice counts at once."""
    if proxy.gfselect < 2:
        proxy.guest_features[proxy.gfselect] = val
        virtio_set_features(vdev, proxy.guest_features[1] << 32 | proxy.guest_features[0])


def write_status(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """How far the driver is; 0 resets the device."""
    virtio_set_status(vdev, val & 0xFF)
    if vdev.status == 0:
        virtio_pci_reset(proxy)


def set_queue_size(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """How many entries the driver has made."""
    vq = selected(proxy, vdev)
    vq.num = val & 0xFFFF
    virtio_queue_set_num(vdev, vdev.queue_sel, vq.num)


def enable_queue(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """Use the queue with what was said of it."""
    if val != 1:
        virtio_error(vdev, f"wrong value for queue_enable {val:x}")
        return
    vq = selected(proxy, vdev)
    virtio_queue_set_num(vdev, vdev.queue_sel, vq.num)
    desc, avail, used = (high << 32 | low for low, high in (vq.desc, vq.avail, vq.used))
    virtio_queue_set_rings(vdev, vdev.queue_sel, desc, avail, used)
    vq.enabled, vq.reset = True, False


def reset_queue(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """Forget what the driver said of one queue."""
    if val == 1:
        vq = selected(proxy, vdev)
        vq.reset = True
        virtio_queue_reset(vdev, vdev.queue_sel)
        vq.reset = vq.enabled = False


Writer = Callable[[VirtIOPCIProxy, VirtIODevice, int], None]


def address_writer(table: str, half: int) -> Writer:
    """The function that takes one half of a table's address."""

    def write(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
        getattr(selected(proxy, vdev), table)[half] = val

    return write


# fmt: off
WRITERS: dict[int, Writer] = {
    VIRTIO_PCI_COMMON_DFSELECT:  select_device_features,
    VIRTIO_PCI_COMMON_GFSELECT:  select_guest_features,
    VIRTIO_PCI_COMMON_GF:        set_guest_features,
    VIRTIO_PCI_COMMON_MSIX:      set_config_vector,
    VIRTIO_PCI_COMMON_STATUS:    write_status,
    VIRTIO_PCI_COMMON_Q_SELECT:  select_queue,
    VIRTIO_PCI_COMMON_Q_SIZE:    set_queue_size,
    VIRTIO_PCI_COMMON_Q_MSIX:    set_queue_vector,
    VIRTIO_PCI_COMMON_Q_ENABLE:  enable_queue,
    VIRTIO_PCI_COMMON_Q_DESCLO:  address_writer("desc", 0),
    VIRTIO_PCI_COMMON_Q_DESCHI:  address_writer("desc", 1),
    VIRTIO_PCI_COMMON_Q_AVAILLO: address_writer("avail", 0),
    VIRTIO_PCI_COMMON_Q_AVAILHI: address_writer("avail", 1),
    VIRTIO_PCI_COMMON_Q_USEDLO:  address_writer("used", 0),
    VIRTIO_PCI_COMMON_Q_USEDHI:  address_writer("used", 1),
    VIRTIO_PCI_COMMON_Q_RESET:   reset_queue,
}
# fmt: on
