"""What a PCI bus and the devices on it are made of (QEMU include/hw/pci/pci.h, include/hw/pci/pci_bus.h).

A device says in its *configuration space* what it is, and the guest writes there where its registers shall be: in each
*base address register* (BAR) the address of one region.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyqemu_edu.hw.core.qdev_core import BusClass, BusState, DeviceClass, DeviceState
from pyqemu_edu.hw.pci.pci_regs import (
    PCI_BAR_UNMAPPED,
    PCI_CONFIG_SPACE_SIZE,
    PCIE_CONFIG_SPACE_SIZE,
)
from pyqemu_edu.qom.klass import object_check, object_get_class_check
from pyqemu_edu.softmmu.memory import AddressSpace, MemoryRegion

TYPE_PCI_BUS, TYPE_PCIE_BUS, TYPE_PCI_DEVICE = "PCI", "PCIE", "pci-device"
INTERFACE_CONVENTIONAL_PCI_DEVICE = "conventional-pci-device"
INTERFACE_PCIE_DEVICE = "pci-express-device"

# What `cap_present` says, by bit.
QEMU_PCI_CAP_MSIX = 1 << 1
QEMU_PCI_CAP_EXPRESS = 1 << 2
QEMU_PCI_CAP_MULTIFUNCTION_BITNR, QEMU_PCIE_LNKSTA_DLLLA_BITNR, QEMU_PCIE_EXTCAP_INIT_BITNR = 3, 8, 9


class MSIMessage(NamedTuple):
    """An interrupt that is a store of `data` to `address` (QEMU include/hw/pci/msi.h)."""

    address: int
    data: int


@dataclass(eq=False)
class PCIBus(BusState):
    """A bus, and which device is in which of its 256 places; `irq_count` says how many devices hold each wire up."""

    address_space_mem: MemoryRegion = field(init=False, repr=False)
    address_space_io: MemoryRegion = field(init=False, repr=False)
    devices: dict[int, PCIDevice] = field(default_factory=dict)
    set_irq: Callable[[Any, int, int], None] = field(init=False, repr=False)
    map_irq: Callable[[PCIDevice, int], int] = field(init=False, repr=False)
    irq_opaque: Any = None
    irq_count: list[int] = field(default_factory=list)

    @property
    def nirq(self) -> int:
        """How many wires there are."""
        return len(self.irq_count)


@dataclass(eq=False)
class PCIBusClass(BusClass):
    """A kind of bus."""


@dataclass(eq=False)
class PCIIORegion:
    """A region of a device's registers: where the guest has put it (`addr`), and where it can be put."""

    size: int
    type: int
    memory: MemoryRegion
    address_space: MemoryRegion
    addr: int = PCI_BAR_UNMAPPED


@dataclass(eq=False)
class PCIDevice(DeviceState):
    """A device: `config` is what the guest reads; it may write what is in `wmask`, and clear by a 1 `w1cmask`."""

    devfn: int = 0
    name: str = ""
    romfile: str | None = None
    romsize: int = 0
    rom_bar: int = 0
    cap_present: int = 0
    failover_pair_id: str | None = None
    acpi_index: int = 0
    config: bytearray = field(default_factory=bytearray)
    wmask: bytearray = field(default_factory=bytearray)
    w1cmask: bytearray = field(default_factory=bytearray)
    used: bytearray = field(default_factory=bytearray)
    config_read: Callable[[Any, int, int], int] = field(init=False, repr=False)
    config_write: Callable[[Any, int, int, int], None] = field(init=False, repr=False)
    io_regions: dict[int, PCIIORegion] = field(default_factory=dict)
    irq_state: int = 0
    bus_master_as: AddressSpace = field(init=False, repr=False)
    bus_master_container_region: MemoryRegion = field(init=False, repr=False)
    bus_master_enable_region: MemoryRegion = field(init=False, repr=False)
    msi_trigger: Callable[[Any, MSIMessage], None] | None = None
    msix: MSIX | None = None


@dataclass(eq=False)
class MSIX:
    """A device's table of interrupts by message, if it has one (fields of QEMU's `PCIDevice`).

    `pba` has a bit for each that waits for its mask to go; `entry_used` counts who has chosen it.
    """

    cap: int
    entries_nr: int
    table: bytearray
    pba: bytearray
    entry_used: list[int]
    function_masked: bool = True
    exclusive_bar: MemoryRegion = field(init=False, repr=False)
    table_mmio: MemoryRegion = field(init=False, repr=False)
    pba_mmio: MemoryRegion = field(init=False, repr=False)


@dataclass(eq=False)
class PCIDeviceClass(DeviceClass):
    """What a kind of device says of itself in its configuration space; `pci_realize` is called from `realize`."""

    pci_realize: Callable[[Any], None] | None = None
    exit: Callable[[Any], None] | None = None
    vendor_id: int = 0
    device_id: int = 0
    revision: int = 0
    class_id: int = 0
    romfile: str | None = None


def PCI_DEVICE(obj: object) -> PCIDevice:
    """Cast to a PCI device."""
    return object_check(obj, PCIDevice, TYPE_PCI_DEVICE)


def PCI_DEVICE_GET_CLASS(obj: object) -> PCIDeviceClass:
    """The class of a PCI device."""
    return object_get_class_check(obj, PCIDeviceClass, TYPE_PCI_DEVICE)


def PCI_BUS(obj: object) -> PCIBus:
    """Cast to a PCI bus."""
    return object_check(obj, PCIBus, TYPE_PCI_BUS)


def pci_get_bus(dev: PCIDevice) -> PCIBus:
    """The bus that the device is on."""
    return PCI_BUS(dev.parent_bus)


def PCI_SLOT(devfn: int) -> int:
    """The first part of a place on a bus."""
    return devfn >> 3


def PCI_FUNC(devfn: int) -> int:
    """The second: a device in a slot can have eight functions."""
    return devfn & 7


def pci_is_express(d: PCIDevice) -> bool:
    """Whether the device speaks PCI Express."""
    return bool(d.cap_present & QEMU_PCI_CAP_EXPRESS)


def pci_config_size(d: PCIDevice) -> int:
    """Bytes of its configuration space."""
    return PCIE_CONFIG_SPACE_SIZE if pci_is_express(d) else PCI_CONFIG_SPACE_SIZE


# ---- numbers in bytes


def pci_get_word(config: bytearray, offset: int) -> int:
    """Two bytes of configuration space."""
    return int.from_bytes(config[offset : offset + 2], "little")


def pci_set_word(config: bytearray, offset: int, val: int) -> None:
    """Set two bytes of configuration space."""
    config[offset : offset + 2] = (val & 0xFFFF).to_bytes(2, "little")


def pci_get_long(config: bytearray, offset: int) -> int:
    """Four bytes of configuration space."""
    return int.from_bytes(config[offset : offset + 4], "little")


def pci_set_long(config: bytearray, offset: int, val: int) -> None:
    """Set four bytes of configuration space."""
    config[offset : offset + 4] = (val & 0xFFFFFFFF).to_bytes(4, "little")


def pci_get_quad(config: bytearray, offset: int) -> int:
    """Eight bytes of configuration space."""
    return int.from_bytes(config[offset : offset + 8], "little")


def pci_set_quad(config: bytearray, offset: int, val: int) -> None:
    """Set eight bytes of configuration space."""
    config[offset : offset + 8] = (val & 2**64 - 1).to_bytes(8, "little")


def range_covers_byte(offset: int, length: int, byte: int) -> bool:
    """Whether an access touches a byte (QEMU include/qemu/range.h)."""
    return offset <= byte < offset + length


def ranges_overlap(first1: int, len1: int, first2: int, len2: int) -> bool:
    """Whether two pieces have a byte in common (QEMU include/qemu/range.h)."""
    return first1 < first2 + len2 and first2 < first1 + len1
