"""The bus: who is where on it, its wires, and each device's way to memory (QEMU hw/pci/pci.c)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from pyqemu_edu.hw.core.bus import qbus_new
from pyqemu_edu.hw.core.machine_run import qemu_add_machine_init_done_notifier
from pyqemu_edu.hw.core.qdev_core import TYPE_BUS, DeviceState
from pyqemu_edu.hw.pci.pci_access import pci_do_device_reset
from pyqemu_edu.hw.pci.pci_bar import is_io
from pyqemu_edu.hw.pci.pci_class import get_class_desc, pci_dev_fw_name
from pyqemu_edu.hw.pci.pci_device import (
    INTERFACE_CONVENTIONAL_PCI_DEVICE,
    INTERFACE_PCIE_DEVICE,
    PCI_BUS,
    PCI_DEVICE,
    PCI_FUNC,
    PCI_SLOT,
    TYPE_PCI_BUS,
    TYPE_PCIE_BUS,
    MSIMessage,
    PCIBus,
    PCIBusClass,
    PCIDevice,
    pci_get_word,
)
from pyqemu_edu.hw.pci.pci_regs import (
    PCI_CLASS_DEVICE,
    PCI_DEVICE_ID,
    PCI_SUBSYSTEM_ID,
    PCI_SUBSYSTEM_VENDOR_ID,
    PCI_VENDOR_ID,
)
from pyqemu_edu.migration.vmstate import VMSTATE_INSTANCE_ID_ANY, VMStateDescription, vmstate_register
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import TYPE_INTERFACE, type_init
from pyqemu_edu.softmmu.memory import (
    MemoryRegion,
    address_space_destroy,
    memory_region_add_subregion,
    memory_region_del_subregion,
    memory_region_init_alias,
    memory_region_set_enabled,
    memory_region_size,
)
from pyqemu_edu.softmmu.physmem import address_space_memory, address_space_st

# ---- the bus


def pci_register_root_bus(
    parent: DeviceState,
    name: str,
    set_irq: Callable[[Any, int, int], None],
    map_irq: Callable[[PCIDevice, int], int],
    irq_opaque: Any,
    address_space_mem: MemoryRegion,
    address_space_io: MemoryRegion,
    nirq: int,
    type: str,
) -> PCIBus:
    """The bus that hangs off a host bridge; where its two spaces are, and whom its wires lead to."""
    bus = PCI_BUS(qbus_new(type, parent, name))
    bus.address_space_mem, bus.address_space_io = address_space_mem, address_space_io
    pci_bus_irqs(bus, set_irq, map_irq, irq_opaque, nirq)
    return bus


def pci_bus_irqs(
    bus: PCIBus,
    set_irq: Callable[[Any, int, int], None],
    map_irq: Callable[[PCIDevice, int], int],
    irq_opaque: Any,
    nirq: int,
) -> None:
    """Say who raises the bus's interrupt wires, and how many there are."""
    bus.set_irq, bus.map_irq, bus.irq_opaque, bus.irq_count = set_irq, map_irq, irq_opaque, [0] * nirq


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
    """The same: the root bus always knows the long configuration spaces of PCI Express."""
    pci_bus_realize(bus)


def pcibus_reset(bus: PCIBus) -> None:
    """Reset what the devices have in common; their own part is done."""
    for devfn in sorted(bus.devices):
        pci_do_device_reset(bus.devices[devfn])
    assert not any(bus.irq_count)


def pcibus_dev_print(dev: DeviceState) -> str:
    """A device in `info qtree`; without the indentation."""
    d = PCI_DEVICE(dev)
    fields = (PCI_CLASS_DEVICE, PCI_VENDOR_ID, PCI_DEVICE_ID, PCI_SUBSYSTEM_VENDOR_ID, PCI_SUBSYSTEM_ID)
    class_id, vendor, device, sub_vendor, sub_device = (pci_get_word(d.config, offset) for offset in fields)
    kind = get_class_desc(class_id) or f"Class {class_id:04x}"
    bars = (
        f"bar {i}: {'i/o' if is_io(r.type) else 'mem'} at {r.addr:#x} [{r.addr + r.size - 1 & 2**64 - 1:#x}]\n"
        for i, r in sorted(d.io_regions.items())
    )
    return (
        f"class {kind}, addr 00:{PCI_SLOT(d.devfn):02x}.{PCI_FUNC(d.devfn):x}, "
        f"pci id {vendor:04x}:{device:04x} (sub {sub_vendor:04x}:{sub_device:04x})\n" + "".join(bars)
    )


def pcibus_get_dev_path(dev: DeviceState) -> str:
    """Where the device is: domain, bus, slot and function (in QEMU the bridge says the first two)."""
    devfn = PCI_DEVICE(dev).devfn
    return f"0000:00:{PCI_SLOT(devfn):02x}.{PCI_FUNC(devfn):x}"


def pcibus_get_fw_dev_path(dev: DeviceState) -> str:
    """How the firmware calls it and its place."""
    d = PCI_DEVICE(dev)
    function = f",{PCI_FUNC(d.devfn):x}" if PCI_FUNC(d.devfn) else ""
    return f"{pci_dev_fw_name(d)}@{PCI_SLOT(d.devfn):x}{function}"


def pci_bus_class_init(k: PCIBusClass) -> None:
    """How a PCI bus is realized, reset and printed, and how it calls its places."""
    k.print_dev = pcibus_dev_print
    k.get_dev_path = pcibus_get_dev_path
    k.get_fw_dev_path = pcibus_get_fw_dev_path
    k.realize = pci_bus_realize
    k.reset = pcibus_reset


def pcie_bus_class_init(k: PCIBusClass) -> None:
    """A PCI Express bus is realized in a way of its own."""
    k.realize = pcie_bus_realize


# ---- a device's way to memory


def pci_init_bus_master(pci_dev: PCIDevice) -> None:
    """A window on memory through which the device may read and write, shut until the guest opens it."""
    root = address_space_memory().root
    region = memory_region_init_alias(pci_dev, "bus master", root, 0, memory_region_size(root))
    pci_dev.bus_master_enable_region = region
    memory_region_set_enabled(region, False)
    memory_region_add_subregion(pci_dev.bus_master_container_region, 0, region)


def pci_msi_trigger(dev: PCIDevice, msg: MSIMessage) -> None:
    """Send an interrupt by message: a store, as the device would make any other."""
    address_space_st(dev.bus_master_as, msg.address, msg.data, 4)


def destroy_bus_master(pci_dev: PCIDevice) -> None:
    """Close the device's way to memory (in QEMU a part of `do_pci_unregister_device`)."""
    container = pci_dev.bus_master_container_region
    for region in tuple(container.subregions):
        memory_region_del_subregion(container, region)
    address_space_destroy(pci_dev.bus_master_as)


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
)
