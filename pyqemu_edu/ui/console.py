"""A console in a window: `-serial vc`, and the default of every serial line (QEMU ui/console.c).

There is no window here.  What the guest writes is seen by whoever listens to `chardev_write`, as the front door does.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyqemu_edu.chardev.chardev import TYPE_CHARDEV, Chardev, ChardevClass
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.container import container_get
from pyqemu_edu.qom.klass import object_check, object_class_by_name, object_class_check
from pyqemu_edu.qom.link import (
    ObjectPropertyLinkFlags,
    object_property_add_child,
    object_property_add_link,
    object_property_allow_set_link,
)
from pyqemu_edu.qom.object import object_new
from pyqemu_edu.qom.path import object_get_root
from pyqemu_edu.qom.property_types import Pointer, object_property_add_uint32_ptr
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init, type_register
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get_number

TYPE_CHARDEV_VC = "chardev-vc"
TYPE_QEMU_CONSOLE = "qemu-console"


@dataclass(eq=False)
class QemuConsole(Object):
    """One screen that a window could show: of a graphics card, which there is none of here, or of characters."""

    index: int = 0
    device: Object | None = None
    head: int = 0
    """Which screen of the device."""


class Statics:
    def __init__(self) -> None:
        self.consoles: list[QemuConsole] = []


statics = per_process(Statics)


def new_console(head: int) -> QemuConsole:
    """A console of characters, not yet in the tree: that waits until all are there."""
    consoles = statics().consoles
    s = object_check(object_new(TYPE_QEMU_CONSOLE), QemuConsole, TYPE_QEMU_CONSOLE)
    s.index, s.head = len(consoles), head
    check, strong = object_property_allow_set_link, ObjectPropertyLinkFlags.STRONG
    object_property_add_link(s, "device", "device", Pointer(s, "device"), check, strong)
    object_property_add_uint32_ptr(s, "head", Pointer(s, "head"))
    consoles.append(s)
    return s


def init_displaystate() -> None:
    """Give every console its place in the tree."""
    for con in statics().consoles:
        object_property_add_child(container_get(object_get_root(), "/backend"), f"console[{con.index}]", con)


def vc_chr_write(chr: Chardev, buf: bytes) -> int:
    """Draw characters, of which there is nobody to see any."""
    return len(buf)


def vc_chr_open(chr: Chardev, backend: dict[str, Any]) -> bool:
    """A window is always open."""
    new_console(0)
    return True


def qemu_chr_parse_vc(opts: QemuOpts) -> dict[str, Any]:
    """The size of the window, in pixels or in characters."""
    return {name: qemu_opt_get_number(opts, name, 0) for name in ("width", "height", "cols", "rows")}


def char_vc_class_init(klass: ObjectClass) -> None:
    """How a virtual console is parsed, opened and written to."""
    cc = object_class_check(klass, ChardevClass, TYPE_CHARDEV)
    cc.parse = qemu_chr_parse_vc
    cc.open = vc_chr_open
    cc.chr_write = vc_chr_write


char_vc_type_info = TypeInfo(TYPE_CHARDEV_VC, parent=TYPE_CHARDEV, instance_size=160, class_init=char_vc_class_init)


def qemu_console_early_init() -> None:
    """Bring the type, which no constructor does, unless a display has brought one of its own."""
    if object_class_by_name(TYPE_CHARDEV_VC) is None:
        type_register(char_vc_type_info)


type_init(TypeInfo(TYPE_QEMU_CONSOLE, parent=TYPE_OBJECT, instance_struct=QemuConsole))
