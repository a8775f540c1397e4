"""An event loop beside the main one, for devices that a user gives to it (QEMU iothread.c).

Left out: the thread.  What devices ask of it is done by the main loop.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from pyqemu_edu.backends.event_loop_base import (
    TYPE_EVENT_LOOP_BASE,
    EventLoopBase,
    aio_context_set_thread_pool_params,
    event_loop_class,
    get_param,
    set_param,
)
from pyqemu_edu.qom.field_properties import struct_freed
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.property import object_class_property_add
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init

TYPE_IOTHREAD = "iothread"
IOTHREAD_POLL_MAX_NS_DEFAULT = 32768


@dataclass(eq=False)
class IOThread(EventLoopBase):
    """How long the loop may look for work before it goes to sleep, and which thread of the host runs it."""

    poll_max_ns: int = 0
    poll_grow: int = 0
    poll_shrink: int = 0
    thread_id: int = -1


def IOTHREAD(obj: object) -> IOThread:
    """Cast to such a loop."""
    return object_check(obj, IOThread, TYPE_IOTHREAD)


def iothread_set_aio_context_params(iothread: IOThread) -> None:
    """The user has changed a number of a loop that runs."""
    if iothread.thread_id != -1:
        aio_context_set_thread_pool_params(iothread)


def iothread_init(iothread: IOThread) -> None:
    """Begin: the main loop's thread does this loop's work."""
    aio_context_set_thread_pool_params(iothread)
    iothread.thread_id = threading.get_native_id()


def iothread_instance_init(obj: Object) -> None:
    """Look for a moment before going to sleep."""
    IOTHREAD(obj).poll_max_ns = IOTHREAD_POLL_MAX_NS_DEFAULT


def iothread_class_init(klass: ObjectClass) -> None:
    """How this kind differs, and how it looks for work."""
    bc = event_loop_class(klass)
    bc.init = iothread_init
    bc.update_params = iothread_set_aio_context_params
    for name in ("poll-max-ns", "poll-grow", "poll-shrink"):
        object_class_property_add(klass, name, "int", get_param, set_param)


type_init(
    TypeInfo(
        TYPE_IOTHREAD,
        parent=TYPE_EVENT_LOOP_BASE,
        instance_struct=IOThread,
        class_init=iothread_class_init,
        instance_finalize=struct_freed,
        instance_init=iothread_instance_init,
    )
)
