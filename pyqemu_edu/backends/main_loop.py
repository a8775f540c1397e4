"""The main loop as an object that a user may adjust (QEMU util/main-loop.c)."""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.backends.event_loop_base import (
    TYPE_EVENT_LOOP_BASE,
    EventLoopBase,
    aio_context_set_thread_pool_params,
    event_loop_class,
)
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.struct import ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.main_loop import qemu_main_loop_ready

TYPE_MAIN_LOOP = "main-loop"


@dataclass(eq=False)
class Statics:
    """The one object of its kind."""

    mloop: EventLoopBase | None = None


statics = per_process(Statics)


def main_loop_update_params(base: EventLoopBase) -> None:
    """The user has changed a number."""
    if not qemu_main_loop_ready():
        raise QemuError("qemu aio context not ready")
    aio_context_set_thread_pool_params(base)


def main_loop_init(base: EventLoopBase) -> None:
    """There is but one main loop."""
    if statics().mloop is not None:
        raise QemuError("only one main-loop instance allowed")
    main_loop_update_params(base)
    statics().mloop = base


def main_loop_can_be_deleted(base: EventLoopBase) -> bool:
    """It cannot: there is one main loop."""
    return False


def main_loop_class_init(oc: ObjectClass) -> None:
    """How this kind differs."""
    bc = event_loop_class(oc)
    bc.init = main_loop_init
    bc.update_params = main_loop_update_params
    bc.can_be_deleted = main_loop_can_be_deleted


type_init(
    TypeInfo(
        TYPE_MAIN_LOOP, parent=TYPE_EVENT_LOOP_BASE, instance_struct=EventLoopBase, class_init=main_loop_class_init
    )
)
