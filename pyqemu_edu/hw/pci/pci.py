"""The PCI bus and what is on it, as far as a host bridge needs them (QEMU hw/pci/pci.c).

A device has 256 bytes that say what it is (its *configuration space*).  Left out: base address registers, interrupts,
capabilities, option ROMs, bridges; so no device but the host bridge's own can be made yet.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.hw.core.bus import qbus_new
from pyqemu_edu.hw.core.machine_run import qemu_add_machine_init_done_notifier
from pyqemu_edu.hw.core.qdev_core import TYPE_BUS, TYPE_DEVICE, BusClass, BusState, DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_BIT,
    DEFINE_PROP_STRING,
    DEFINE_PROP_UINT32,
    device_class_set_props,
)
from pyqemu_edu.hw.core.qdev_properties_system import DEFINE_PROP_PCI_DEVFN
from pyqemu_edu.migration.vmstate import VMSTATE_INSTANCE_ID_ANY, VMStateDescription, vmstate_register
from pyqemu_edu.qom.klass import object_check, object_get_class_check, object_get_typename
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import TYPE_INTERFACE, type_init
from pyqemu_edu.softmmu.memory import (
    AddressSpace,
    MemoryRegion,
    address_space_init,
    memory_region_add_subregion,
    memory_region_init,
    memory_region_init_alias,
    memory_region_set_enabled,
    memory_region_size,
)
from pyqemu_edu.softmmu.physmem import address_space_memory
from pyqemu_edu.util.error import QemuError

TYPE_PCI_BUS, TYPE_PCIE_BUS, TYPE_PCI_DEVICE = "PCI", "PCIE", "pci-device"
INTERFACE_CONVENTIONAL_PCI_DEVICE = "conventional-pci-device"
INTERFACE_PCIE_DEVICE = "pci-express-device"

# fmt: off
PCI_VENDOR_ID           = 0x00   # the configuration space: where what stands
PCI_DEVICE_ID           = 0x02
PCI_COMMAND             = 0x04
PCI_REVISION_ID         = 0x08
PCI_CLASS_DEVICE        = 0x0A
PCI_CACHE_LINE_SIZE     = 0x0C
PCI_SUBSYSTEM_VENDOR_ID = 0x2C
PCI_SUBSYSTEM_ID        = 0x2E
PCI_INTERRUPT_LINE      = 0x3C
PCI_CONFIG_HEADER_SIZE  = 0x40
PCI_CONFIG_SPACE_SIZE   = 0x100
# fmt: on

PCI_VENDOR_ID_REDHAT = 0x1B36
PCI_SUBVENDOR_ID_REDHAT_QUMRANET, PCI_SUBDEVICE_ID_QEMU = 0x1AF4, 0x1100
PCI_CLASS_BRIDGE_HOST = 0x0600
PCI_COMMAND_WRITABLE = 0x0507
QEMU_PCI_CAP_MULTIFUNCTION_BITNR, QEMU_PCIE_LNKSTA_DLLLA_BITNR, QEMU_PCIE_EXTCAP_INIT_BITNR = 3, 8, 9


@dataclass(eq=False)
class PCIBus(BusState):
    """A bus, and which device is in which of its 256 places."""

    address_space_mem: MemoryRegion = field(init=False, repr=False)
    address_space_io: MemoryRegion = field(init=False, repr=False)
    devices: dict[int, PCIDevice] = field(default_factory=dict)
    nirq: int = 0


@dataclass(eq=False)
class PCIBusClass(BusClass):
    """A kind of bus."""


@dataclass(eq=False)
class PCIDevice(DeviceState):
    """A device: `config` is what the guest reads, `wmask` says which bits it may write."""

    devfn: int = 0
    romfile: str | None = None
    romsize: int = 0
    rom_bar: int = 0
    cap_present: int = 0
    failover_pair_id: str | None = None
    acpi_index: int = 0
    config: bytearray = field(default_factory=bytearray)
    wmask: bytearray = field(default_factory=bytearray)
    bus_master_as: AddressSpace = field(init=False, repr=False)
    bus_master_container_region: MemoryRegion = field(init=False, repr=False)
    bus_master_enable_region: MemoryRegion = field(init=False, repr=False)


@dataclass(eq=False)
class PCIDeviceClass(DeviceClass):
    """What a kind of device says of itself in its configuration space."""

    vendor_id: int = 0
    device_id: int = 0
    revision: int = 0
    class_id: int = 0
    is_bridge: bool = False


def PCI_DEVICE(obj: object) -> PCIDevice:
    """Cast to a PCI device."""
    return object_check(obj, PCIDevice, TYPE_PCI_DEVICE)


def PCI_BUS(obj: object) -> PCIBus:
    """Cast to a PCI bus."""
    return object_check(obj, PCIBus, TYPE_PCI_BUS)


# ---- the bus


def pci_register_root_bus(
    parent: DeviceState,
    name: str,
    address_space_mem: MemoryRegion,
    address_space_io: MemoryRegion,
    nirq: int,
    type: str,
) -> PCIBus:
    """The bus that hangs off a host bridge; interrupt routing is left out, as no device has any."""
    bus = PCI_BUS(qbus_new(type, parent, name))
    bus.address_space_mem, bus.address_space_io, bus.nirq = address_space_mem, address_space_io, nirq
    return bus


def pcibus_machine_done(bus: PCIBus) -> None:
    """The machine is complete: give every device its way to memory."""
    for devfn in sorted(bus.devices):
        pci_init_bus_master(bus.devices[devfn])


vmstate_pcibus = VMStateDescription("PCIBUS", version_id=1, minimum_version_id=1)


def pci_bus_realize(bus: PCIBus) -> None:
    """Wait for the machine to be complete."""
    qemu_add_machine_init_done_notifier(lambda: pcibus_machine_done(bus))
    vmstate_register(None, VMSTATE_INSTANCE_ID_ANY, vmstate_pcibus, bus)


def pcie_bus_realize(bus: PCIBus) -> None:
    """The same; what is only PCI Express is left out."""
    pci_bus_realize(bus)


def pcibus_reset(bus: PCIBus) -> None:
    """Interrupts fall: there are none."""


def pcibus_dev_print(dev: DeviceState) -> str:
    """A device in `info qtree`; without the indentation."""
    d = PCI_DEVICE(dev)
    fields = (PCI_CLASS_DEVICE, PCI_VENDOR_ID, PCI_DEVICE_ID, PCI_SUBSYSTEM_VENDOR_ID, PCI_SUBSYSTEM_ID)
    class_id, vendor, device, sub_vendor, sub_device = (pci_default_read_config(d, offset, 2) for offset in fields)
    kind = "Host bridge" if class_id == PCI_CLASS_BRIDGE_HOST else f"Class {class_id:04x}"
    return (
        f"class {kind}, addr 00:{d.devfn >> 3:02x}.{d.devfn & 7:x}, "
        f"pci id {vendor:04x}:{device:04x} (sub {sub_vendor:04x}:{sub_device:04x})\n"
    )


def pci_bus_class_init(k: PCIBusClass) -> None:
    """How a PCI bus is realized, reset and printed."""
    k.print_dev = pcibus_dev_print
    k.realize = pci_bus_realize
    k.reset = pcibus_reset


def pcie_bus_class_init(k: PCIBusClass) -> None:
    """A PCI Express bus is realized in a way of its own."""
    k.realize = pcie_bus_realize


# ---- devices


def pci_init_bus_master(pci_dev: PCIDevice) -> None:
    """A window on memory through which the device may read and write, shut until the guest opens it."""
    root = address_space_memory().root
    region = memory_region_init_alias(pci_dev, "bus master", root, 0, memory_region_size(root))
    pci_dev.bus_master_enable_region = region
    memory_region_set_enabled(region, False)
    memory_region_add_subregion(pci_dev.bus_master_container_region, 0, region)


def do_pci_register_device(pci_dev: PCIDevice, name: str, devfn: int) -> None:
    """Give the device its place, its address space and its configuration space.  `QemuError` if the place is taken."""
    bus = PCI_BUS(pci_dev.parent_bus)
    if devfn < 0:
        devfn = next((free for free in range(0, 256, 8) if free not in bus.devices), -1)
        if devfn < 0:
            raise QemuError(f"PCI: no slot/function available for {name}, all in use or reserved")
    elif devfn in bus.devices:
        other = bus.devices[devfn]
        raise QemuError(
            f"PCI: slot {devfn >> 3} function {devfn & 7} not available for {name},"
            f" in use by {object_get_typename(other)},id={other.id or '(null)'}"
        )
    pci_dev.devfn = devfn
    pci_dev.bus_master_container_region = memory_region_init(pci_dev, "bus master container", 2**64 - 1)
    pci_dev.bus_master_as = address_space_init(pci_dev.bus_master_container_region, name)
    pci_config_alloc(pci_dev)
    bus.devices[devfn] = pci_dev


def pci_config_alloc(pci_dev: PCIDevice) -> None:
    """The configuration space of a device that is no bridge (in QEMU also `do_pci_register_device`)."""
    pc = object_get_class_check(pci_dev, PCIDeviceClass, TYPE_PCI_DEVICE)
    pci_dev.config = bytearray(PCI_CONFIG_SPACE_SIZE)
    for offset, value in (
        (PCI_VENDOR_ID, pc.vendor_id),
        (PCI_DEVICE_ID, pc.device_id),
        (PCI_CLASS_DEVICE, pc.class_id),
        (PCI_SUBSYSTEM_VENDOR_ID, PCI_SUBVENDOR_ID_REDHAT_QUMRANET),
        (PCI_SUBSYSTEM_ID, PCI_SUBDEVICE_ID_QEMU),
    ):
        pci_dev.config[offset : offset + 2] = value.to_bytes(2, "little")
    pci_dev.config[PCI_REVISION_ID] = pc.revision
    pci_init_wmask(pci_dev)


def pci_init_wmask(pci_dev: PCIDevice) -> None:
    """What the guest may write: some of the header, and all behind it."""
    rest = PCI_CONFIG_SPACE_SIZE - PCI_CONFIG_HEADER_SIZE
    pci_dev.wmask = bytearray(PCI_CONFIG_HEADER_SIZE) + bytearray(b"\xff" * rest)
    pci_dev.wmask[PCI_CACHE_LINE_SIZE] = pci_dev.wmask[PCI_INTERRUPT_LINE] = 0xFF
    pci_dev.wmask[PCI_COMMAND : PCI_COMMAND + 2] = PCI_COMMAND_WRITABLE.to_bytes(2, "little")


def pci_default_read_config(d: PCIDevice, address: int, length: int) -> int:
    """Read from the configuration space."""
    return int.from_bytes(d.config[address : address + length], "little")


def pci_default_write_config(d: PCIDevice, address: int, value: int, length: int) -> None:
    """Write to the configuration space what may be written; the command register opens the way to memory."""
    for i, byte in enumerate(value.to_bytes(length, "little"), address):
        d.config[i] = d.config[i] & ~d.wmask[i] | byte & d.wmask[i]
    memory_region_set_enabled(d.bus_master_enable_region, bool(d.config[PCI_COMMAND] & 4))


def pci_qdev_realize(dev: DeviceState) -> None:
    """Put the device on its bus."""
    pci_dev = PCI_DEVICE(dev)
    do_pci_register_device(pci_dev, object_get_typename(dev), pci_dev.devfn)


def pci_qdev_unrealize(dev: DeviceState) -> None:
    """Take the device off its bus."""
    pci_dev = PCI_DEVICE(dev)
    PCI_BUS(pci_dev.parent_bus).devices.pop(pci_dev.devfn)


pci_props = (
    DEFINE_PROP_PCI_DEVFN("addr", "devfn", -1),
    DEFINE_PROP_STRING("romfile", "romfile"),
    DEFINE_PROP_UINT32("romsize", "romsize", 0xFFFFFFFF),
    DEFINE_PROP_UINT32("rombar", "rom_bar", 1),
    DEFINE_PROP_BIT("multifunction", "cap_present", QEMU_PCI_CAP_MULTIFUNCTION_BITNR, False),
    DEFINE_PROP_BIT("x-pcie-lnksta-dllla", "cap_present", QEMU_PCIE_LNKSTA_DLLLA_BITNR, True),
    DEFINE_PROP_BIT("x-pcie-extcap-init", "cap_present", QEMU_PCIE_EXTCAP_INIT_BITNR, True),
    DEFINE_PROP_STRING("failover_pair_id", "failover_pair_id"),
    DEFINE_PROP_UINT32("acpi-index", "acpi_index", 0),
)


def pci_device_class_init(k: DeviceClass) -> None:
    """What all PCI devices share: realize, unrealize, and the bus they sit on."""
    k.realize = pci_qdev_realize
    k.unrealize = pci_qdev_unrealize
    k.bus_type = TYPE_PCI_BUS
    device_class_set_props(k, pci_props)


def pci_device_class_base_init(klass: Any) -> None:
    """QEMU asserts here that the device says which kind of PCI it is made for."""


type_init(
    TypeInfo(
        TYPE_PCI_BUS,
        parent=TYPE_BUS,
        instance_struct=PCIBus,
        class_struct=PCIBusClass,
        class_init=pci_bus_class_init,
    ),
    TypeInfo(TYPE_PCIE_BUS, parent=TYPE_PCI_BUS, class_init=pcie_bus_class_init),
    TypeInfo(INTERFACE_CONVENTIONAL_PCI_DEVICE, parent=TYPE_INTERFACE),
    TypeInfo(INTERFACE_PCIE_DEVICE, parent=TYPE_INTERFACE),
    TypeInfo(
        TYPE_PCI_DEVICE,
        parent=TYPE_DEVICE,
        instance_struct=PCIDevice,
        class_struct=PCIDeviceClass,
        abstract=True,
        class_init=pci_device_class_init,
        class_base_init=pci_device_class_base_init,
    ),
)
