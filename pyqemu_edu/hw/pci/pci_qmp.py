"""What QMP and people are told of PCI buses (QEMU hw/pci/pci.c, monitor/hmp-cmds.c).

Left out, as there are none: bridges and what is behind them.
"""

from __future__ import annotations

from typing import Any

from pyqemu_edu.hw.core.sysbus import sysbus_get_default
from pyqemu_edu.hw.pci.pci_bar import is_io
from pyqemu_edu.hw.pci.pci_class import get_class_desc
from pyqemu_edu.hw.pci.pci_device import PCI_FUNC, PCI_SLOT, PCIBus, PCIDevice, PCIIORegion, pci_get_word
from pyqemu_edu.hw.pci.pci_regs import (
    PCI_BAR_UNMAPPED,
    PCI_BASE_ADDRESS_MEM_PREFETCH,
    PCI_BASE_ADDRESS_MEM_TYPE_64,
    PCI_CLASS_DEVICE,
    PCI_DEVICE_ID,
    PCI_INTERRUPT_LINE,
    PCI_INTERRUPT_PIN,
    PCI_SUBSYSTEM_ID,
    PCI_SUBSYSTEM_VENDOR_ID,
    PCI_VENDOR_ID,
)

Info = dict[str, Any]


def root_buses() -> list[PCIBus]:
    """The buses behind host bridges (in QEMU a list that bridges put themselves into)."""
    hosts = (kid.child for kid in sysbus_get_default().children)
    return [bus for host in hosts for bus in host.child_bus if isinstance(bus, PCIBus)]


def qmp_query_pci() -> list[Info]:
    """Each bus, and the devices on it."""
    return [
        {"bus": 0, "devices": [qmp_query_pci_device(bus.devices[devfn], 0) for devfn in sorted(bus.devices)]}
        for bus in root_buses()
    ]


def qmp_query_pci_device(dev: PCIDevice, bus_num: int) -> Info:
    """Where a device is, and what its configuration space says of it."""

    def word(offset: int) -> int:
        return pci_get_word(dev.config, offset)

    kind, pin = word(PCI_CLASS_DEVICE), dev.config[PCI_INTERRUPT_PIN]
    desc = get_class_desc(kind)
    return {
        "bus": bus_num,
        "slot": PCI_SLOT(dev.devfn),
        "function": PCI_FUNC(dev.devfn),
        "class_info": {"class": kind} | ({"desc": desc} if desc else {}),
        "id": {
            "vendor": word(PCI_VENDOR_ID),
            "device": word(PCI_DEVICE_ID),
            "subsystem": word(PCI_SUBSYSTEM_ID),
            "subsystem-vendor": word(PCI_SUBSYSTEM_VENDOR_ID),
        },
        "regions": [qmp_query_pci_region(bar, r) for bar, r in sorted(dev.io_regions.items())],
        "qdev_id": dev.id or "",
        "irq_pin": pin,
    } | ({"irq": dev.config[PCI_INTERRUPT_LINE]} if pin else {})


def qmp_query_pci_region(bar: int, r: PCIIORegion) -> Info:
    """One of its regions; nowhere is -1 (in QEMU a part of `qmp_query_pci_regions`)."""
    address = -1 if r.addr == PCI_BAR_UNMAPPED else r.addr
    region: Info = {"bar": bar, "type": "io" if is_io(r.type) else "memory", "address": address, "size": r.size}
    if not is_io(r.type):
        region["prefetch"] = bool(r.type & PCI_BASE_ADDRESS_MEM_PREFETCH)
        region["mem_type_64"] = bool(r.type & PCI_BASE_ADDRESS_MEM_TYPE_64)
    return region


def info_pci() -> str:
    """The same for people (QEMU `hmp_info_pci`)."""
    return "".join(info_pci_device(dev) for bus in qmp_query_pci() for dev in bus["devices"])


def info_pci_device(dev: Info) -> str:
    """One device (QEMU `hmp_info_pci_device`)."""
    number, ids = dev["class_info"]["class"], dev["id"]
    kind = dev["class_info"].get("desc") or f"Class {number:04}"
    lines = [
        f"  Bus {dev['bus']:2}, device {dev['slot']:3}, function {dev['function']}:",
        f"    {kind}: PCI device {ids['vendor']:04x}:{ids['device']:04x}",
        f"      PCI subsystem {ids['subsystem-vendor']:04x}:{ids['subsystem']:04x}",
    ]
    if dev["irq_pin"]:
        lines.append(f"      IRQ {dev['irq']}, pin {chr(ord('A') + dev['irq_pin'] - 1)}")
    lines += map(info_pci_region, dev["regions"])
    lines.append(f'      id "{dev["qdev_id"]}"')
    return "".join(f"{line}\n" for line in lines)


def info_pci_region(region: Info) -> str:
    """One of its regions (in QEMU a part of `hmp_info_pci_device`)."""
    addr = region["address"] & 2**64 - 1
    last = addr + region["size"] - 1 & 2**64 - 1
    if region["type"] == "io":
        return f"      BAR{region['bar']}: I/O at 0x{addr:04x} [0x{last:04x}]."
    bits, prefetch = 64 if region["mem_type_64"] else 32, " prefetchable" if region["prefetch"] else ""
    return f"      BAR{region['bar']}: {bits} bit{prefetch} memory at 0x{addr:08x} [0x{last:08x}]."
