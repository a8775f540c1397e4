"""Properties that name back ends and places on a bus (QEMU hw/core/qdev-properties-system.c).

Left out against QEMU: networks, MAC addresses, and all that belongs to devices that are not modelled.
"""

from __future__ import annotations

import re

from pyqemu_edu.chardev.char import qemu_chr_find
from pyqemu_edu.chardev.char_fe import qemu_chr_fe_deinit, qemu_chr_fe_init
from pyqemu_edu.chardev.chardev import Chardev
from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.hw.core.qdev_property_types import Property, PropertyInfo, object_field_prop_ptr
from pyqemu_edu.qapi.visitor import Visitor, visit_type_int32, visit_type_str
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.property import object_property_set_str
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.util.error import QemuError

# ---- character devices


def get_chr(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """The label of the line's back end, empty without one."""
    chr = object_field_prop_ptr(obj, prop).load().chr
    visit_type_str(v, name, (chr.label if chr is not None else None) or "")


def set_chr(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """Use the back end of that label.  `QemuError` if there is none or it is taken."""
    be = object_field_prop_ptr(obj, prop).load()
    label = visit_type_str(v, name)
    if not label:
        be.chr = None
        return
    chr = qemu_chr_find(label)
    prefix = f"Property '{object_get_typename(obj)}.{name}' can't"
    if chr is None:
        raise QemuError(f"{prefix} find value '{label}'")
    try:
        qemu_chr_fe_init(be, chr)
    except QemuError as error:
        raise QemuError(f"{prefix} take value '{label}': {error.message}", error.hint) from None


def release_chr(obj: Object, name: str, prop: Property) -> None:
    """Use the back end no longer."""
    qemu_chr_fe_deinit(object_field_prop_ptr(obj, prop).load())


qdev_prop_chr = PropertyInfo("str", get_chr, set_chr, "ID of a chardev to use as a backend", release_chr)


def DEFINE_PROP_CHR(name: str, field: str) -> Property:
    """A line to the host: the field is a `CharBackend` (QEMU include/hw/qdev-properties-system.h)."""
    return Property(name, qdev_prop_chr, field)


def qdev_prop_set_chr(dev: DeviceState, name: str, value: Chardev | None) -> None:
    """Set a property that is a line; None for no line."""
    assert value is None or value.label
    object_property_set_str(dev, name, (value.label if value is not None else None) or "")


# ---- places on a PCI bus


HEX = r"\s*\+?(?:0[xX])?[0-9a-fA-F]+"
PCI_DEVFN = re.compile(rf"({HEX})(?:\.({HEX}))?")
"""What C's `%x.%x` reads."""


def get_pci_devfn(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """Slot and function as one number, -1 while it is open."""
    visit_type_int32(v, name, object_field_prop_ptr(obj, prop).load())


def set_pci_devfn(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """A number, or `slot.function` in hexadecimal, which is how users write it."""
    pointer = object_field_prop_ptr(obj, prop)
    try:
        text = visit_type_str(v, name)
    except QemuError:
        value = visit_type_int32(v, name)
        if not -1 <= value <= 255:
            raise QemuError(f"Parameter '{name}' expects a value between -1 and 255") from None
        pointer.store(value)
        return
    match = PCI_DEVFN.fullmatch(text)
    if match is None or int(match[1], 16) > 31 or int(match[2] or "0", 16) > 7:
        raise QemuError(f"Property '{object_get_typename(obj)}.{name}' doesn't take value '{text}'")
    pointer.store(int(match[1], 16) << 3 | int(match[2] or "0", 16))


def print_pci_devfn(obj: Object, prop: Property) -> str:
    """As users write it."""
    devfn = object_field_prop_ptr(obj, prop).load()
    return "<unset>" if devfn == -1 else f"{devfn >> 3:02x}.{devfn & 7:x}"


qdev_prop_pci_devfn = PropertyInfo(
    "int32",
    get_pci_devfn,
    set_pci_devfn,
    "Slot and optional function number, example: 06.0 or 06",
    print=print_pci_devfn,
)


def DEFINE_PROP_PCI_DEVFN(name: str, field: str, defval: int) -> Property:
    """Slot and function (QEMU include/hw/qdev-properties-system.h)."""
    return Property(name, qdev_prop_pci_devfn, field, defval)
