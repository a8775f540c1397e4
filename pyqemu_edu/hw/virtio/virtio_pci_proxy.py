"""What a virtio transport on PCI is made of (QEMU include/hw/virtio/virtio-pci.h).

A *legacy* driver finds its registers in a region of ports, a *modern* one in a region of memory, whose four parts the
device's capabilities tell apart.  A device that has both is *transitional*.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.hw.pci.msix import msix_vector_unuse, msix_vector_use
from pyqemu_edu.hw.pci.pci_device import PCIDevice, PCIDeviceClass
from pyqemu_edu.hw.virtio.virtio_bus import VirtioBusState, virtio_bus_get_device
from pyqemu_edu.hw.virtio.virtio_device import VIRTIO_NO_VECTOR, VIRTIO_QUEUE_MAX, VirtIODevice
from pyqemu_edu.qom.klass import object_check, object_get_class_check
from pyqemu_edu.softmmu.memory import MemoryRegion

TYPE_VIRTIO_PCI = "virtio-pci"

DEV_NVECTORS_UNSPECIFIED = 0xFFFFFFFF
ON_OFF_AUTO_AUTO, ON_OFF_AUTO_ON, ON_OFF_AUTO_OFF = range(3)

# Bits of `flags`.
VIRTIO_PCI_FLAG_BUS_MASTER_BUG_MIGRATION_BIT = 0
VIRTIO_PCI_FLAG_USE_IOEVENTFD_BIT = 1
VIRTIO_PCI_FLAG_MIGRATE_EXTRA_BIT = 4
VIRTIO_PCI_FLAG_MODERN_PIO_NOTIFY_BIT = 5
VIRTIO_PCI_FLAG_DISABLE_PCIE_BIT = 6
VIRTIO_PCI_FLAG_PAGE_PER_VQ_BIT = 7
VIRTIO_PCI_FLAG_ATS_BIT = 8
VIRTIO_PCI_FLAG_INIT_DEVERR_BIT = 9
VIRTIO_PCI_FLAG_INIT_LNKCTL_BIT = 10
VIRTIO_PCI_FLAG_INIT_PM_BIT = 11
VIRTIO_PCI_FLAG_INIT_FLR_BIT = 12
VIRTIO_PCI_FLAG_AER_BIT = 13
VIRTIO_PCI_FLAG_ATS_PAGE_ALIGNED_BIT = 14


@dataclass(eq=False)
class VirtIOPCIRegion:
    """A part of the modern registers: where it is in its region, and what kind of part."""

    offset: int
    size: int
    type: int
    mr: MemoryRegion = field(init=False, repr=False)


@dataclass(eq=False, slots=True)
class VirtIOPCIQueue:
    """What a modern driver has said of a queue; addresses as low and high word."""

    num: int = 0
    enabled: bool = False
    reset: bool = False
    desc: list[int] = field(default_factory=lambda: [0, 0])
    avail: list[int] = field(default_factory=lambda: [0, 0])
    used: list[int] = field(default_factory=lambda: [0, 0])


@dataclass(eq=False)
class VirtIOPCIProxy(PCIDevice):
    """A PCI device that carries a virtio device: its transport."""

    bar: MemoryRegion = field(init=False, repr=False)
    regs: dict[str, VirtIOPCIRegion] = field(default_factory=dict)
    modern_bar: MemoryRegion = field(init=False, repr=False)
    io_bar: MemoryRegion = field(init=False, repr=False)
    config_cap: int = 0
    flags: int = 0
    disable_modern: bool = False
    ignore_backend_features: bool = False
    disable_legacy: int = ON_OFF_AUTO_AUTO
    class_code: int = 0
    nvectors: int = 0
    dfselect: int = 0
    gfselect: int = 0
    guest_features: list[int] = field(default_factory=lambda: [0, 0])
    vqs: dict[int, VirtIOPCIQueue] = field(default_factory=dict)
    bus: VirtioBusState = field(init=False, repr=False)
    vdev: VirtIODevice = field(init=False, repr=False)


@dataclass(eq=False)
class VirtioPCIClass(PCIDeviceClass):
    """A kind of transport; `vpci_realize` puts the virtio device on its bus."""

    vpci_realize: Callable[[Any], None] | None = None


def VIRTIO_PCI(obj: object) -> VirtIOPCIProxy:
    """Cast to a transport."""
    return object_check(obj, VirtIOPCIProxy, TYPE_VIRTIO_PCI)


def VIRTIO_PCI_GET_CLASS(obj: object) -> VirtioPCIClass:
    """The class of such a transport."""
    return object_get_class_check(obj, VirtioPCIClass, TYPE_VIRTIO_PCI)


def virtio_pci_modern(proxy: VirtIOPCIProxy) -> bool:
    """Whether modern drivers find what they look for."""
    return not proxy.disable_modern


def virtio_pci_legacy(proxy: VirtIOPCIProxy) -> bool:
    """Whether legacy drivers do."""
    return proxy.disable_legacy == ON_OFF_AUTO_OFF


def virtio_pci_flag(proxy: VirtIOPCIProxy, bit: int) -> bool:
    """Whether a property that is a bit of `flags` is on (Not in QEMU as a function)."""
    return bool(proxy.flags >> bit & 1)


def virtio_pci_queue_mem_mult(proxy: VirtIOPCIProxy) -> int:
    """How far apart the places are where a modern driver notifies the queues (QEMU hw/virtio/virtio-pci.c)."""
    return 0x1000 if virtio_pci_flag(proxy, VIRTIO_PCI_FLAG_PAGE_PER_VQ_BIT) else 4


def device_on(proxy: VirtIOPCIProxy) -> VirtIODevice:
    """The virtio device, which is there while registers are (Not in QEMU)."""
    vdev = virtio_bus_get_device(proxy.bus)
    assert vdev is not None
    return vdev


def choose_vector(proxy: VirtIOPCIProxy, old: int, val: int) -> int:
    """The driver wants another vector for something; the driver sees if it does not get it (in QEMU written out)."""
    if old != VIRTIO_NO_VECTOR:
        msix_vector_unuse(proxy, old)
    if val >= proxy.nvectors:
        return VIRTIO_NO_VECTOR
    msix_vector_use(proxy, val)
    return val


def set_config_vector(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """Which message says that the configuration has changed (in QEMU written out)."""
    vdev.config_vector = choose_vector(proxy, vdev.config_vector, val)


def set_queue_vector(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """Which message says that something in the queue is done (in QEMU written out)."""
    vq = vdev.vq[vdev.queue_sel]
    vq.vector = choose_vector(proxy, vq.vector, val)


def select_queue(proxy: VirtIOPCIProxy, vdev: VirtIODevice, val: int) -> None:
    """Which queue the registers are about (in QEMU written out)."""
    if val < VIRTIO_QUEUE_MAX:
        vdev.queue_sel = val
