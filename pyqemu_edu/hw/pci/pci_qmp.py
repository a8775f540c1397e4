"""What QMP and people are told of PCI buses (QEMU hw/pci/pci.c, monitor/hmp-cmds.c).

Left out, as there are none: bridges and what is behind them, and memory that a device asks for.
"""

from __future__ import annotations

from typing import Any

from pyqemu_edu.hw.core.sysbus import sysbus_get_default
from pyqemu_edu.hw.pci.pci import (
    PCI_CLASS_BRIDGE_HOST,
    PCI_CLASS_DEVICE,
    PCI_DEVICE_ID,
    PCI_INTERRUPT_LINE,
    PCI_SUBSYSTEM_ID,
    PCI_SUBSYSTEM_VENDOR_ID,
    PCI_VENDOR_ID,
    PCIBus,
    PCIDevice,
    pci_default_read_config,
)

Info = dict[str, Any]

PCI_INTERRUPT_PIN = PCI_INTERRUPT_LINE + 1
PCI_CLASS_DESCRIPTIONS = {PCI_CLASS_BRIDGE_HOST: "Host bridge"}


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
        return pci_default_read_config(dev, offset, 2)

    kind, pin = word(PCI_CLASS_DEVICE), dev.config[PCI_INTERRUPT_PIN]
    desc = {"desc": PCI_CLASS_DESCRIPTIONS[kind]} if kind in PCI_CLASS_DESCRIPTIONS else {}
    return {
        "bus": bus_num,
        "slot": dev.devfn >> 3,
        "function": dev.devfn & 7,
        "class_info": {"class": kind} | desc,
        "id": {
            "vendor": word(PCI_VENDOR_ID),
            "device": word(PCI_DEVICE_ID),
            "subsystem": word(PCI_SUBSYSTEM_ID),
            "subsystem-vendor": word(PCI_SUBSYSTEM_VENDOR_ID),
        },
        "regions": [],
        "qdev_id": dev.id or "",
        "irq_pin": pin,
    } | ({"irq": dev.config[PCI_INTERRUPT_LINE]} if pin else {})


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
    lines.append(f'      id "{dev["qdev_id"]}"')
    return "".join(f"{line}\n" for line in lines)
