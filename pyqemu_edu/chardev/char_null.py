"""Nothing: what is written is lost, nothing is ever read (QEMU chardev/char-null.c)."""

from __future__ import annotations

from typing import Any

from pyqemu_edu.chardev.chardev import TYPE_CHARDEV, Chardev, ChardevClass
from pyqemu_edu.qom.klass import object_class_check
from pyqemu_edu.qom.struct import ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init

TYPE_CHARDEV_NULL = "chardev-null"


def null_chr_open(chr: Chardev, backend: dict[str, Any]) -> bool:
    """There is never an open line."""
    return False


def char_null_class_init(klass: ObjectClass) -> None:
    """How `null` is opened; what is written to it is lost."""
    object_class_check(klass, ChardevClass, TYPE_CHARDEV).open = null_chr_open


type_init(TypeInfo(TYPE_CHARDEV_NULL, parent=TYPE_CHARDEV, class_init=char_null_class_init))
