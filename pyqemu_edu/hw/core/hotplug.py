"""Who is asked when a device is plugged in (QEMU hw/core/hotplug.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.qom.klass import object_get_class_check
from pyqemu_edu.qom.struct import InterfaceClass, Object, TypeInfo
from pyqemu_edu.qom.type import TYPE_INTERFACE, type_init

TYPE_HOTPLUG_HANDLER = "hotplug-handler"

HotplugFn = Callable[[Any, Any], None]
"""Called with the handler and the device."""


@dataclass(eq=False)
class HotplugHandlerClass(InterfaceClass):
    """`pre_plug` may refuse, `plug` wires up; `unplug_request` and `unplug` are the way back."""

    pre_plug: HotplugFn | None = None
    plug: HotplugFn | None = None
    unplug_request: HotplugFn | None = None
    unplug: HotplugFn | None = None


def handler_class(plug_handler: Object) -> HotplugHandlerClass:
    """The handler's class (Not in QEMU: there it is a macro)."""
    return object_get_class_check(plug_handler, HotplugHandlerClass, TYPE_HOTPLUG_HANDLER)


def hotplug_handler_pre_plug(plug_handler: Object, plugged_dev: Object) -> None:
    """Ask before the device is realized."""
    if pre_plug := handler_class(plug_handler).pre_plug:
        pre_plug(plug_handler, plugged_dev)


def hotplug_handler_plug(plug_handler: Object, plugged_dev: Object) -> None:
    """Tell after the device has been realized."""
    if plug := handler_class(plug_handler).plug:
        plug(plug_handler, plugged_dev)


def hotplug_handler_unplug(plug_handler: Object, plugged_dev: Object) -> None:
    """Have the device unplugged."""
    if unplug := handler_class(plug_handler).unplug:
        unplug(plug_handler, plugged_dev)


type_init(TypeInfo(TYPE_HOTPLUG_HANDLER, parent=TYPE_INTERFACE, class_struct=HotplugHandlerClass))
