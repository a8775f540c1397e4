"""Reaching a virtio device's modern registers through its configuration space alone (QEMU hw/virtio/virtio-pci.c).

For firmware that does not map regions: a capability with an address, a length and a window of four bytes.
"""

from __future__ import annotations

from pyqemu_edu.hw.pci.pci_access import pci_default_read_config, pci_default_write_config
from pyqemu_edu.hw.pci.pci_device import pci_get_long, range_covers_byte, ranges_overlap
from pyqemu_edu.hw.pci.pci_regs import PCI_COMMAND, PCI_COMMAND_MASTER
from pyqemu_edu.hw.virtio.virtio_device import VIRTIO_CONFIG_S_DRIVER_OK, VirtIODevice
from pyqemu_edu.hw.virtio.virtio_pci_proxy import VirtIOPCIProxy, device_on
from pyqemu_edu.hw.virtio.virtio_state import virtio_set_status
from pyqemu_edu.softmmu.memory import MemoryRegion, memory_region_dispatch_read, memory_region_dispatch_write

CAP_BAR, CAP_OFFSET, CAP_LENGTH, CAP_PCI_CFG_DATA = 4, 8, 12, 16
"""Where things are in the capability (QEMU `virtio_pci_cfg_cap`)."""


def virtio_address_space_lookup(proxy: VirtIOPCIProxy, off: int, length: int) -> tuple[MemoryRegion, int] | None:
    """The part of the registers that an address is in, and where in it."""
    for reg in proxy.regs.values():
        if reg.offset <= off and off + length <= reg.offset + reg.size:
            return reg.mr, off - reg.offset
    return None


def window(proxy: VirtIOPCIProxy) -> tuple[MemoryRegion, int, int] | None:
    """The register that the driver has chosen, None if it is none (in QEMU a part of the two below)."""
    length = pci_get_long(proxy.config, proxy.config_cap + CAP_LENGTH)
    if length not in (1, 2, 4):
        return None
    off = pci_get_long(proxy.config, proxy.config_cap + CAP_OFFSET) & ~(length - 1)
    found = virtio_address_space_lookup(proxy, off, length)
    return (*found, length) if found else None


def touches_window(proxy: VirtIOPCIProxy, address: int, length: int) -> bool:
    """Whether the driver reads or writes through the window (Not in QEMU as a function)."""
    return bool(proxy.config_cap) and ranges_overlap(address, length, proxy.config_cap + CAP_PCI_CFG_DATA, 4)


def virtio_write_config(proxy: VirtIOPCIProxy, address: int, val: int, length: int) -> None:
    """The driver writes to the configuration space."""
    pci_default_write_config(proxy, address, val, length)
    if range_covers_byte(address, length, PCI_COMMAND):
        follow_bus_master(proxy, device_on(proxy))
    if touches_window(proxy, address, length) and (register := window(proxy)):
        mr, off, size = register
        data = proxy.config_cap + CAP_PCI_CFG_DATA
        memory_region_dispatch_write(mr, off, int.from_bytes(proxy.config[data : data + size], "little"), size)


def follow_bus_master(proxy: VirtIOPCIProxy, vdev: VirtIODevice) -> None:
    """A device that may not reach memory does nothing (in QEMU a part of `virtio_write_config`)."""
    master = bool(proxy.config[PCI_COMMAND] & PCI_COMMAND_MASTER)
    if vdev.use_disabled_flag:
        vdev.disabled = not master
    if not master:
        virtio_set_status(vdev, vdev.status & ~VIRTIO_CONFIG_S_DRIVER_OK)


def virtio_read_config(proxy: VirtIOPCIProxy, address: int, length: int) -> int:
    """The driver reads from the configuration space."""
    if touches_window(proxy, address, length) and (register := window(proxy)):
        mr, off, size = register
        val, _ = memory_region_dispatch_read(mr, off, size)
        data = proxy.config_cap + CAP_PCI_CFG_DATA
        proxy.config[data : data + size] = val.to_bytes(size, "little")
    return pci_default_read_config(proxy, address, length)
