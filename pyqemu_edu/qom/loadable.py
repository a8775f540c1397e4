"""The reference's loadable modules, as far as they bring devices (Not in QEMU: there the build makes `modinfo.c`).

What a module brings is no part of the 591 types that exist from the start: it is registered when somebody asks for one
of its types, or for the list of all.  All are paper types here.  Which modules there are is a matter of what is
installed; these are those of the reference.
"""

from __future__ import annotations

import re
from functools import partial

from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_register_static_array
from pyqemu_edu.qom.zoo import paper_hook
from pyqemu_edu.util.module import Constructor, ModuleInitType, QemuModinfo, module_info

# Each module: the types that it brings, each with its parent.
MODULES = {
    "chardev-baum": (("chardev-braille", "chardev"),),
    "chardev-spice": (
        ("chardev-spice", "chardev"),
        ("chardev-spicevmc", "chardev-spice"),
        ("chardev-spiceport", "chardev-spice"),
    ),
    "ui-dbus": (("chardev-dbus", "chardev-socket"), ("dbus-display", "object")),
    "hw-usb-host": (("usb-host", "usb-device"),),
    "hw-usb-redirect": (("usb-redir", "usb-device"),),
    "hw-usb-smartcard": (("ccid-card-emulated", "ccid-card"), ("ccid-card-passthru", "ccid-card")),
    "hw-display-virtio-gpu": (
        ("virtio-gpu-base", "virtio-device"),
        ("virtio-gpu-device", "virtio-gpu-base"),
        ("vhost-user-gpu", "virtio-gpu-base"),
    ),
    "hw-display-virtio-gpu-gl": (("virtio-gpu-gl-device", "virtio-gpu-device"),),
    "hw-display-virtio-gpu-pci": (
        ("virtio-gpu-pci-base", "virtio-pci"),
        ("virtio-gpu-pci-base-type", "virtio-gpu-pci-base"),
        ("virtio-gpu-pci", "virtio-gpu-pci-base-type"),
        ("vhost-user-gpu-pci-base-type", "virtio-gpu-pci-base"),
        ("vhost-user-gpu-pci", "vhost-user-gpu-pci-base-type"),
    ),
    "hw-display-virtio-gpu-pci-gl": (
        ("virtio-gpu-gl-pci-base-type", "virtio-gpu-pci-base"),
        ("virtio-gpu-gl-pci", "virtio-gpu-gl-pci-base-type"),
    ),
    "hw-display-virtio-vga": (
        ("virtio-vga-base", "virtio-pci"),
        ("virtio-vga-base-type", "virtio-vga-base"),
        ("virtio-vga", "virtio-vga-base-type"),
        ("vhost-user-vga-base-type", "virtio-vga-base"),
        ("vhost-user-vga", "vhost-user-vga-base-type"),
    ),
    "hw-display-virtio-vga-gl": (
        ("virtio-vga-gl-base-type", "virtio-vga-base"),
        ("virtio-vga-gl", "virtio-vga-gl-base-type"),
    ),
}
# Modules without which another is not whole.
DEPS = {
    "hw-display-virtio-gpu-gl": ("hw-display-virtio-gpu",),
    "hw-display-virtio-gpu-pci-gl": ("hw-display-virtio-gpu-pci",),
    "hw-display-virtio-vga-gl": ("hw-display-virtio-vga",),
}
ABSTRACT = re.compile(r".*-base(-type)?|chardev-spice")


def paper_module(name: str, types: tuple[tuple[str, str], ...]) -> QemuModinfo:
    """A module that registers paper types."""
    infos = [
        TypeInfo(type, parent, abstract=bool(ABSTRACT.fullmatch(type)), class_init=paper_hook, paper=True)
        for type, parent in types
    ]
    register = Constructor(partial(type_register_static_array, infos), ModuleInitType.QOM)
    return QemuModinfo(name, tuple(type for type, _ in types), [register], deps=DEPS.get(name, ()))


module_info.extend(paper_module(name, types) for name, types in MODULES.items())
