"""What has a name in a saved machine (QEMU hw/core/vmstate-if.c, include/hw/vmstate-if.h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.qom.struct import InterfaceClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_INTERFACE, type_init

TYPE_VMSTATE_IF = "vmstate-if"


@dataclass(eq=False)
class VMStateIfClass(InterfaceClass):
    """`get_id(obj)` is the name, or None."""

    get_id: Callable[[Any], str | None] | None = None


type_init(TypeInfo(TYPE_VMSTATE_IF, parent=TYPE_INTERFACE, class_struct=VMStateIfClass))
