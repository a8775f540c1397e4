"""A device's life on the PCI bus (QEMU hw/pci/pci.c).

The rest of that file stands in `pci_bus`, `pci_config`, `pci_access`, `pci_bar`, `pci_irq`, `pci_rom`, `pci_class` and
`pci_qmp`.  Left out: bridges, and with them all buses but the first; PCI Express ports and what a device says only
behind one; virtual functions (SR-IOV), I/O memory units, graphics cards, and saving.
"""

from __future__ import annotations

from typing import Any

from pyqemu_edu.hw.core.qdev import MachineInitPhase, phase_check
from pyqemu_edu.hw.core.qdev_core import TYPE_DEVICE, DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_BIT,
    DEFINE_PROP_STRING,
    DEFINE_PROP_UINT32,
    device_class_set_props,
)
from pyqemu_edu.hw.core.qdev_properties_system import DEFINE_PROP_PCI_DEVFN
from pyqemu_edu.hw.pci.pci_access import pci_default_read_config, pci_default_write_config
from pyqemu_edu.hw.pci.pci_bar import pci_unregister_io_regions
from pyqemu_edu.hw.pci.pci_bus import destroy_bus_master, pci_init_bus_master, pci_msi_trigger
from pyqemu_edu.hw.pci.pci_config import (
    pci_config_alloc,
    pci_config_set_identity,
    pci_init_w1cmask,
    pci_init_wmask,
)
from pyqemu_edu.hw.pci.pci_device import (
    PCI_DEVICE,
    PCI_DEVICE_GET_CLASS,
    PCI_FUNC,
    PCI_SLOT,
    QEMU_PCI_CAP_MULTIFUNCTION_BITNR,
    QEMU_PCIE_EXTCAP_INIT_BITNR,
    QEMU_PCIE_LNKSTA_DLLLA_BITNR,
    TYPE_PCI_BUS,
    TYPE_PCI_DEVICE,
    PCIBus,
    PCIDevice,
    PCIDeviceClass,
    pci_get_bus,
    pci_get_word,
)
from pyqemu_edu.hw.pci.pci_irq import pci_device_deassert_intx
from pyqemu_edu.hw.pci.pci_regs import (
    PCI_CLASS_DEVICE,
    PCI_CLASS_NETWORK_ETHERNET,
    PCI_FUNC_MAX,
    PCI_HEADER_TYPE,
    PCI_HEADER_TYPE_MULTI_FUNCTION,
)
from pyqemu_edu.hw.pci.pci_rom import ROMSIZE_OF_FILE, pci_add_option_rom
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import address_space_init, memory_region_init
from pyqemu_edu.util.error import QemuError

# ---- a device's place


def pci_init_multifunction(bus: PCIBus, dev: PCIDevice) -> None:
    """`QemuError` if function 0 says that it is alone and it is not."""
    slot, func = PCI_SLOT(dev.devfn), PCI_FUNC(dev.devfn)
    if is_multifunction(dev):
        dev.config[PCI_HEADER_TYPE] |= PCI_HEADER_TYPE_MULTI_FUNCTION
    first = bus.devices.get(dev.devfn - func)
    if func and first is not None and not is_multifunction(first):
        raise QemuError(f"PCI: single function device can't be populated in function {slot:x}.{func:x}")
    if func or is_multifunction(dev):
        return
    other = next((other for other in range(1, PCI_FUNC_MAX) if dev.devfn + other in bus.devices), None)
    if other is not None:
        raise QemuError(f"PCI: {slot:x}.0 indicates single function, but {slot:x}.{other:x} is already populated.")


def is_multifunction(dev: PCIDevice) -> bool:
    """Whether the user says that there are more in its slot (Not in QEMU as a function)."""
    return bool(dev.cap_present >> QEMU_PCI_CAP_MULTIFUNCTION_BITNR & 1)


def find_devfn(bus: PCIBus, name: str, devfn: int) -> int:
    """The place that is wished for, or the first free slot (in QEMU a part of `do_pci_register_device`)."""
    if devfn < 0:
        devfn = next((free for free in range(0, 256, PCI_FUNC_MAX) if free not in bus.devices), -1)
        if devfn < 0:
            raise QemuError(f"PCI: no slot/function available for {name}, all in use or reserved")
    elif devfn in bus.devices:
        other = bus.devices[devfn]
        raise QemuError(
            f"PCI: slot {PCI_SLOT(devfn)} function {PCI_FUNC(devfn)} not available for {name},"
            f" in use by {other.name},id={other.id or '(null)'}"
        )
    return devfn


def do_pci_register_device(pci_dev: PCIDevice, name: str, devfn: int) -> None:
    """Give the device its place, its address space and its configuration space.  `QemuError` if the place is taken."""
    bus = pci_get_bus(pci_dev)
    pci_dev.devfn, pci_dev.name = find_devfn(bus, name, devfn), name
    pci_dev.bus_master_container_region = memory_region_init(pci_dev, "bus master container", 2**64 - 1)
    pci_dev.bus_master_as = address_space_init(pci_dev.bus_master_container_region, name)
    if phase_check(MachineInitPhase.MACHINE_READY):
        pci_init_bus_master(pci_dev)
    pci_config_alloc(pci_dev)
    pci_config_set_identity(pci_dev)
    pci_init_wmask(pci_dev)
    pci_init_w1cmask(pci_dev)
    try:
        pci_init_multifunction(bus, pci_dev)
    except QemuError:
        destroy_bus_master(pci_dev)
        raise
    pci_dev.config_read, pci_dev.config_write = pci_default_read_config, pci_default_write_config
    bus.devices[pci_dev.devfn] = pci_dev


def do_pci_unregister_device(pci_dev: PCIDevice) -> None:
    """Give all that back."""
    del pci_get_bus(pci_dev).devices[pci_dev.devfn]
    destroy_bus_master(pci_dev)


# ---- a device's life


def pci_qdev_realize(dev: DeviceState) -> None:
    """Put the device on its bus, let it do its own part, and load its ROM."""
    pci_dev, pc = PCI_DEVICE(dev), PCI_DEVICE_GET_CLASS(dev)
    if pci_dev.romsize != ROMSIZE_OF_FILE and (not pci_dev.romsize or pci_dev.romsize & pci_dev.romsize - 1):
        raise QemuError(f"ROM size {pci_dev.romsize} is not a power of two")
    do_pci_register_device(pci_dev, object_get_typename(dev), pci_dev.devfn)
    try:
        if pc.pci_realize:
            pc.pci_realize(pci_dev)
    except QemuError:
        do_pci_unregister_device(pci_dev)
        raise
    is_default_rom = pci_dev.romfile is None and pc.romfile is not None
    if is_default_rom:
        pci_dev.romfile = pc.romfile
    try:
        check_failover(pci_dev)
        pci_add_option_rom(pci_dev, is_default_rom)
    except QemuError:
        pci_qdev_unrealize(dev)
        raise
    pci_dev.msi_trigger = pci_msi_trigger


def check_failover(pci_dev: PCIDevice) -> None:
    """Whether the device can stand in for a network card, if it shall (in QEMU a part of `pci_qdev_realize`)."""
    if pci_dev.failover_pair_id is None:
        return
    if pci_get_word(pci_dev.config, PCI_CLASS_DEVICE) != PCI_CLASS_NETWORK_ETHERNET:
        raise QemuError("failover primary device is not an Ethernet device")
    if is_multifunction(pci_dev) or PCI_FUNC(pci_dev.devfn):
        raise QemuError("failover: primary device must be in its own PCI slot")


def pci_qdev_unrealize(dev: DeviceState) -> None:
    """Take the device off its bus."""
    pci_dev, pc = PCI_DEVICE(dev), PCI_DEVICE_GET_CLASS(dev)
    pci_unregister_io_regions(pci_dev)
    if pc.exit:
        pc.exit(pci_dev)
    pci_device_deassert_intx(pci_dev)
    do_pci_unregister_device(pci_dev)
    pci_dev.msi_trigger = None


pci_props = (
    DEFINE_PROP_PCI_DEVFN("addr", "devfn", -1),
    DEFINE_PROP_STRING("romfile", "romfile"),
    DEFINE_PROP_UINT32("romsize", "romsize", ROMSIZE_OF_FILE),
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
        TYPE_PCI_DEVICE,
        parent=TYPE_DEVICE,
        instance_struct=PCIDevice,
        class_struct=PCIDeviceClass,
        abstract=True,
        class_init=pci_device_class_init,
        class_base_init=pci_device_class_base_init,
    ),
)
