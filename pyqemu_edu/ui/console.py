"""A console in a window: `-serial vc`, and the default of every serial line (QEMU ui/console.c).

There is no window here.  What the guest writes is seen by whoever listens to `chardev_write`, as the front door does.
"""

from __future__ import annotations

from typing import Any

from pyqemu_edu.chardev.chardev import TYPE_CHARDEV, Chardev, ChardevClass
from pyqemu_edu.qom.klass import object_class_by_name, object_class_check
from pyqemu_edu.qom.struct import ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_register
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get_number

TYPE_CHARDEV_VC = "chardev-vc"


def vc_chr_write(chr: Chardev, buf: bytes) -> int:
    """Draw characters, of which there is nobody to see any."""
    return len(buf)


def vc_chr_open(chr: Chardev, backend: dict[str, Any]) -> bool:
    """A window is always open."""
    return True


def qemu_chr_parse_vc(opts: QemuOpts) -> dict[str, Any]:
    """The size of the window, in pixels or in characters."""
    return {name: qemu_opt_get_number(opts, name, 0) for name in ("width", "height", "cols", "rows")}


def char_vc_class_init(klass: ObjectClass) -> None:
    """The class."""
    cc = object_class_check(klass, ChardevClass, TYPE_CHARDEV)
    cc.parse = qemu_chr_parse_vc
    cc.open = vc_chr_open
    cc.chr_write = vc_chr_write


char_vc_type_info = TypeInfo(TYPE_CHARDEV_VC, parent=TYPE_CHARDEV, instance_size=160, class_init=char_vc_class_init)


def qemu_console_early_init() -> None:
    """Bring the type, which no constructor does, unless a display has brought one of its own."""
    if object_class_by_name(TYPE_CHARDEV_VC) is None:
        type_register(char_vc_type_info)
