"""A virtio device is put on its PCI transport, which shows the guest what it is now (QEMU hw/virtio/virtio-pci.c).

Its regions, by number:

    0    the legacy registers: ports
    1    the table of interrupts by message
    2    one port to notify modern queues, if the user wants it
    4    the modern registers: memory, 64 bits of address
"""

from __future__ import annotations

import struct

from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.hw.pci.msix import msix_init_exclusive_bar
from pyqemu_edu.hw.pci.pci_bar import pci_register_bar
from pyqemu_edu.hw.pci.pci_config import pci_add_capability
from pyqemu_edu.hw.pci.pci_device import pci_set_word
from pyqemu_edu.hw.pci.pci_regs import (
    PCI_BASE_ADDRESS_MEM_PREFETCH,
    PCI_BASE_ADDRESS_MEM_TYPE_64,
    PCI_BASE_ADDRESS_SPACE_IO,
    PCI_BASE_ADDRESS_SPACE_MEMORY,
    PCI_CAP_FLAGS,
    PCI_CAP_ID_VNDR,
    PCI_CLASS_DEVICE,
    PCI_DEVICE_ID,
    PCI_DEVICE_ID_VIRTIO_10_BASE,
    PCI_INTERRUPT_PIN,
    PCI_REVISION_ID,
    PCI_SUBSYSTEM_ID,
)
from pyqemu_edu.hw.virtio.virtio_device import (
    VIRTIO_F_BAD_FEATURE,
    VIRTIO_F_IOMMU_PLATFORM,
    VIRTIO_F_VERSION_1,
    VIRTIO_QUEUE_MAX,
    VirtIODevice,
    virtio_host_has_feature,
)
from pyqemu_edu.hw.virtio.virtio_pci_config import CAP_BAR, CAP_OFFSET, virtio_read_config, virtio_write_config
from pyqemu_edu.hw.virtio.virtio_pci_legacy import VIRTIO_PCI_REGION_SIZE, virtio_pci_config_ops
from pyqemu_edu.hw.virtio.virtio_pci_modern import REGION_OPS
from pyqemu_edu.hw.virtio.virtio_pci_proxy import (
    VIRTIO_PCI,
    VIRTIO_PCI_FLAG_MODERN_PIO_NOTIFY_BIT,
    VirtIOPCIProxy,
    VirtIOPCIRegion,
    device_on,
    virtio_pci_flag,
    virtio_pci_legacy,
    virtio_pci_modern,
    virtio_pci_queue_mem_mult,
)
from pyqemu_edu.softmmu.memory import (
    MemoryRegion,
    memory_region_add_subregion,
    memory_region_del_subregion,
    memory_region_init,
    memory_region_init_io,
)
from pyqemu_edu.util.error import QemuError, warn_report

LEGACY_IO_BAR, MSIX_BAR, MODERN_IO_BAR, MODERN_MEM_BAR = 0, 1, 2, 4
"""Which region is which (QEMU `legacy_io_bar_idx` and the like)."""

VIRTIO_PCI_CAP_COMMON_CFG, VIRTIO_PCI_CAP_NOTIFY_CFG, VIRTIO_PCI_CAP_ISR_CFG = 1, 2, 3
VIRTIO_PCI_CAP_DEVICE_CFG, VIRTIO_PCI_CAP_PCI_CFG = 4, 5

CAP = struct.Struct("<BBBxxxII")
"""Length, kind of part, region, offset, size: a capability without its first two bytes (QEMU `virtio_pci_cap`)."""


def pow2ceil(size: int) -> int:
    """The smallest power of two that is enough (QEMU include/qemu/host-utils.h)."""
    return 1 << (size - 1).bit_length()


def plan_registers(proxy: VirtIOPCIProxy) -> None:
    """Where the parts of the modern registers will be (in QEMU a part of `virtio_pci_realize`)."""
    notify_size = virtio_pci_queue_mem_mult(proxy) * VIRTIO_QUEUE_MAX
    proxy.regs = {
        "common": VirtIOPCIRegion(0x0000, 0x1000, VIRTIO_PCI_CAP_COMMON_CFG),
        "isr": VirtIOPCIRegion(0x1000, 0x1000, VIRTIO_PCI_CAP_ISR_CFG),
        "device": VirtIOPCIRegion(0x2000, 0x1000, VIRTIO_PCI_CAP_DEVICE_CFG),
        "notify": VirtIOPCIRegion(0x3000, notify_size, VIRTIO_PCI_CAP_NOTIFY_CFG),
        "notify-pio": VirtIOPCIRegion(0x0000, 0x0004, VIRTIO_PCI_CAP_NOTIFY_CFG),
    }
    proxy.modern_bar = memory_region_init(proxy, "virtio-pci", pow2ceil(0x3000 + notify_size))


def virtio_pci_pre_plugged(d: DeviceState) -> None:
    """On a modern transport the device is a modern one; the bit that no driver may take is a trap for bad ones."""
    proxy = VIRTIO_PCI(d)
    vdev = device_on(proxy)
    vdev.host_features |= int(virtio_pci_modern(proxy)) << VIRTIO_F_VERSION_1 | 1 << VIRTIO_F_BAD_FEATURE


def virtio_pci_device_plugged(d: DeviceState) -> None:
    """Give the transport the face of its device: numbers, capabilities, regions."""
    proxy = VIRTIO_PCI(d)
    vdev = device_on(proxy)
    settle_modern(proxy, vdev)
    settle_identity(proxy, vdev)
    if virtio_pci_modern(proxy):
        virtio_pci_modern_plugged(proxy, vdev)
    if proxy.nvectors:
        settle_vectors(proxy)
    proxy.config_write, proxy.config_read = virtio_write_config, virtio_read_config
    if virtio_pci_legacy(proxy):
        size = VIRTIO_PCI_REGION_SIZE(proxy) + vdev.config_len
        proxy.bar = memory_region_init_io(proxy, virtio_pci_config_ops, proxy, "virtio-pci", pow2ceil(size))
        pci_register_bar(proxy, LEGACY_IO_BAR, PCI_BASE_ADDRESS_SPACE_IO, proxy.bar)


def settle_modern(proxy: VirtIOPCIProxy, vdev: VirtIODevice) -> None:
    """Without the feature, no capabilities that speak of it (in QEMU a part of `virtio_pci_device_plugged`)."""
    if not proxy.ignore_backend_features and not virtio_host_has_feature(vdev, VIRTIO_F_VERSION_1):
        proxy.disable_modern = True
        if not virtio_pci_legacy(proxy):
            hint = "Set disable-legacy to off\n"
            raise QemuError("Device doesn't support modern mode, and legacy mode is disabled", hint)


def settle_identity(proxy: VirtIOPCIProxy, vdev: VirtIODevice) -> None:
    """A pure modern device has other numbers (in QEMU a part of `virtio_pci_device_plugged`)."""
    if proxy.class_code:
        pci_set_word(proxy.config, PCI_CLASS_DEVICE, proxy.class_code)
    if not virtio_pci_legacy(proxy):
        pci_set_word(proxy.config, PCI_DEVICE_ID, PCI_DEVICE_ID_VIRTIO_10_BASE + vdev.device_id)
        proxy.config[PCI_REVISION_ID] = 1
    elif virtio_host_has_feature(vdev, VIRTIO_F_IOMMU_PLATFORM):
        raise QemuError("VIRTIO_F_IOMMU_PLATFORM was supported by neither legacy nor transitional device")
    else:
        pci_set_word(proxy.config, PCI_SUBSYSTEM_ID, vdev.device_id)
    proxy.config[PCI_INTERRUPT_PIN] = 1


def settle_vectors(proxy: VirtIOPCIProxy) -> None:
    """A table for interrupts by message, if there can be one (in QEMU a part of `virtio_pci_device_plugged`)."""
    try:
        possible = msix_init_exclusive_bar(proxy, proxy.nvectors & 0xFFFF, MSIX_BAR)
    except QemuError:
        warn_report(f"unable to init msix vectors to {proxy.nvectors}")
        possible = False
    if not possible:
        proxy.nvectors = 0


# ---- modern registers


def virtio_pci_modern_plugged(proxy: VirtIOPCIProxy, vdev: VirtIODevice) -> None:
    """The parts of the registers, a capability for each, and one to reach them without a region.

    (in QEMU a part of `virtio_pci_device_plugged`)
    """
    virtio_pci_modern_regions_init(proxy, vdev.name)
    for name in ("common", "isr", "device"):
        virtio_pci_modern_region_map(proxy, proxy.regs[name], proxy.modern_bar, MODERN_MEM_BAR)
    multiplier = virtio_pci_queue_mem_mult(proxy).to_bytes(4, "little")
    virtio_pci_modern_region_map(proxy, proxy.regs["notify"], proxy.modern_bar, MODERN_MEM_BAR, multiplier)
    if virtio_pci_flag(proxy, VIRTIO_PCI_FLAG_MODERN_PIO_NOTIFY_BIT):
        proxy.io_bar = memory_region_init(proxy, "virtio-pci-io", 4)
        pci_register_bar(proxy, MODERN_IO_BAR, PCI_BASE_ADDRESS_SPACE_IO, proxy.io_bar)
        virtio_pci_modern_region_map(proxy, proxy.regs["notify-pio"], proxy.io_bar, MODERN_IO_BAR, bytes(4))
    memory = PCI_BASE_ADDRESS_SPACE_MEMORY | PCI_BASE_ADDRESS_MEM_PREFETCH | PCI_BASE_ADDRESS_MEM_TYPE_64
    pci_register_bar(proxy, MODERN_MEM_BAR, memory, proxy.modern_bar)
    proxy.config_cap = virtio_pci_add_mem_cap(proxy, VIRTIO_PCI_CAP_PCI_CFG, 0, 0, 0, bytes(4))
    proxy.wmask[proxy.config_cap + CAP_BAR] = 0xFF
    proxy.wmask[proxy.config_cap + CAP_OFFSET : proxy.config_cap + CAP_OFFSET + 12] = b"\xff" * 12


def virtio_pci_modern_regions_init(proxy: VirtIOPCIProxy, vdev_name: str) -> None:
    """The registers, each part on its own."""
    for name, region in proxy.regs.items():
        full = f"virtio-pci-{name}-{vdev_name}"
        region.mr = memory_region_init_io(proxy, REGION_OPS[name], proxy, full, region.size)


def virtio_pci_modern_region_map(
    proxy: VirtIOPCIProxy, region: VirtIOPCIRegion, mr: MemoryRegion, bar: int, more: bytes = b""
) -> None:
    """Put a part where its capability says that it is."""
    memory_region_add_subregion(mr, region.offset, region.mr)
    virtio_pci_add_mem_cap(proxy, region.type, bar, region.offset, region.size, more)


def virtio_pci_add_mem_cap(
    proxy: VirtIOPCIProxy, cfg_type: int, bar: int, offset: int, length: int, more: bytes = b""
) -> int:
    """Say where a part is; where that is said."""
    cap_len = PCI_CAP_FLAGS + CAP.size + len(more)
    cap = pci_add_capability(proxy, PCI_CAP_ID_VNDR, cap_len)
    proxy.config[cap + PCI_CAP_FLAGS : cap + cap_len] = CAP.pack(cap_len, cfg_type, bar, offset, length) + more
    return cap


def virtio_pci_device_unplugged(d: DeviceState) -> None:
    """The device goes, and its registers with it."""
    for region in VIRTIO_PCI(d).regs.values():
        container = region.mr.container
        if container is not None:
            memory_region_del_subregion(container, region.mr)
