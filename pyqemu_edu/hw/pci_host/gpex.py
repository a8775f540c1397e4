"""A generic bridge to PCI Express: three windows in memory, four wires (QEMU hw/pci-host/gpex.c)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.hw.core.irq import qemu_irq, qemu_set_irq
from pyqemu_edu.hw.core.qdev_bus import qdev_realize
from pyqemu_edu.hw.core.qdev_core import DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_BOOL, device_class_set_props, qdev_prop_set_bit
from pyqemu_edu.hw.core.sysbus import sysbus_init_irq, sysbus_init_mmio
from pyqemu_edu.hw.pci.pci_bus import pci_register_root_bus
from pyqemu_edu.hw.pci.pci_device import (
    INTERFACE_CONVENTIONAL_PCI_DEVICE,
    TYPE_PCI_DEVICE,
    TYPE_PCIE_BUS,
    PCIDevice,
    PCIDeviceClass,
)
from pyqemu_edu.hw.pci.pci_irq import pci_swizzle_map_irq_fn
from pyqemu_edu.hw.pci.pci_regs import (
    PCI_CLASS_BRIDGE_HOST,
    PCI_DEVICE_ID_REDHAT_PCIE_HOST,
    PCI_VENDOR_ID_REDHAT,
)
from pyqemu_edu.hw.pci.pcie_host import (
    PCIE_MMCFG_SIZE_MAX,
    TYPE_PCIE_HOST_BRIDGE,
    PCIExpressHost,
    pcie_host_mmcfg_init,
)
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.property import object_property_set_int
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.qom.user_creatable import object_initialize_child
from pyqemu_edu.softmmu.memory import (
    MemoryRegionOps,
    memory_region_add_subregion,
    memory_region_init,
    memory_region_init_io,
)

TYPE_GPEX_HOST = "gpex-pcihost"
TYPE_GPEX_ROOT_DEVICE = "gpex-root"
GPEX_NUM_IRQS = 4


@dataclass(eq=False)
class GPEXRootState(PCIDevice):
    """The bridge as its own bus sees it: device 0, function 0."""


@dataclass(eq=False)
class GPEXHost(PCIExpressHost):
    """The bridge as the processor sees it."""

    gpex_root: GPEXRootState = field(init=False, repr=False)
    irq: list[qemu_irq] = field(default_factory=list)
    irq_num: list[int] = field(default_factory=list)
    allow_unmapped_accesses: bool = False


def GPEX_HOST(obj: object) -> GPEXHost:
    """Cast to such a bridge."""
    return object_check(obj, GPEXHost, TYPE_GPEX_HOST)


unassigned_io_ops = MemoryRegionOps(
    read=lambda opaque, addr, size: 2**64 - 1,
    write=lambda opaque, addr, value, size: None,
)
"""Nobody is there, and nobody minds: reads give all ones (QEMU softmmu/ioport.c)."""


def gpex_set_irq(s: GPEXHost, irq_num: int, level: int) -> None:
    """Some device holds the wire up, or none does."""
    qemu_set_irq(s.irq[irq_num], level)


def gpex_set_irq_num(s: GPEXHost, index: int, gsi: int) -> None:
    """Say which input of the interrupt controller one of the four wires leads to."""
    assert 0 <= index < GPEX_NUM_IRQS
    s.irq_num[index] = gsi


def gpex_host_realize(dev: DeviceState) -> None:
    """The windows, the wires, the bus, and the bridge's own device on it."""
    s = GPEX_HOST(dev)
    pcie_host_mmcfg_init(s, PCIE_MMCFG_SIZE_MAX)
    sysbus_init_mmio(s, s.mmcfg)
    io_mmio = memory_region_init(s, "gpex_mmio", 2**64 - 1)
    io_ioport = memory_region_init(s, "gpex_ioport", 64 << 10)
    if s.allow_unmapped_accesses:
        io_mmio_window = memory_region_init_io(s, unassigned_io_ops, s, "gpex_mmio_window", 2**64 - 1)
        io_ioport_window = memory_region_init_io(s, unassigned_io_ops, s, "gpex_ioport_window", 64 << 10)
        memory_region_add_subregion(io_mmio_window, 0, io_mmio)
        memory_region_add_subregion(io_ioport_window, 0, io_ioport)
    else:
        io_mmio_window, io_ioport_window = io_mmio, io_ioport
    sysbus_init_mmio(s, io_mmio_window)
    sysbus_init_mmio(s, io_ioport_window)
    s.irq, s.irq_num = [None] * GPEX_NUM_IRQS, [-1] * GPEX_NUM_IRQS
    for i in range(GPEX_NUM_IRQS):
        sysbus_init_irq(s, Pointer(s.irq, i))
    irqs = gpex_set_irq, pci_swizzle_map_irq_fn, s
    s.bus = pci_register_root_bus(dev, "pcie.0", *irqs, io_mmio, io_ioport, GPEX_NUM_IRQS, TYPE_PCIE_BUS)
    qdev_realize(s.gpex_root, s.bus)


gpex_host_properties = (DEFINE_PROP_BOOL("allow-unmapped-accesses", "allow_unmapped_accesses", True),)


def gpex_host_class_init(dc: DeviceClass) -> None:
    """Properties, realize, and the name in firmware's device paths."""
    dc.realize = gpex_host_realize
    dc.categories |= {"Controller/Bridge/Hub"}
    dc.fw_name = "pci"
    device_class_set_props(dc, gpex_host_properties)


def gpex_host_initfn(obj: Object) -> None:
    """The bridge's own device."""
    s = GPEX_HOST(obj)
    s.gpex_root = object_initialize_child(obj, "gpex_root", TYPE_GPEX_ROOT_DEVICE)
    object_property_set_int(s.gpex_root, "addr", 0)
    qdev_prop_set_bit(s.gpex_root, "multifunction", False)


vmstate_gpex_root = VMStateDescription("gpex_root", version_id=1, minimum_version_id=1)


def gpex_root_class_init(k: PCIDeviceClass) -> None:
    """The class; users get it with the bridge only."""
    k.categories |= {"Controller/Bridge/Hub"}
    k.desc = "QEMU generic PCIe host bridge"
    k.vmsd = vmstate_gpex_root
    k.vendor_id = PCI_VENDOR_ID_REDHAT
    k.device_id = PCI_DEVICE_ID_REDHAT_PCIE_HOST
    k.revision = 0
    k.class_id = PCI_CLASS_BRIDGE_HOST
    k.user_creatable = False


type_init(
    TypeInfo(
        TYPE_GPEX_ROOT_DEVICE,
        parent=TYPE_PCI_DEVICE,
        instance_struct=GPEXRootState,
        class_init=gpex_root_class_init,
        interfaces=(INTERFACE_CONVENTIONAL_PCI_DEVICE,),
    ),
    TypeInfo(
        TYPE_GPEX_HOST,
        parent=TYPE_PCIE_HOST_BRIDGE,
        instance_struct=GPEXHost,
        instance_init=gpex_host_initfn,
        class_init=gpex_host_class_init,
    ),
)
