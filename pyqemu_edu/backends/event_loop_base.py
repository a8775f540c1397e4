"""What all event loops let the user choose (QEMU event-loop-base.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.qapi.visitor import Visitor, visit_type_int64
from pyqemu_edu.qom.field_properties import field_name
from pyqemu_edu.qom.klass import object_check, object_class_check, object_get_class_check
from pyqemu_edu.qom.property import object_class_property_add
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass
from pyqemu_edu.util.cutils import INT64_MAX
from pyqemu_edu.util.error import QemuError

TYPE_EVENT_LOOP_BASE = "event-loop-base"
THREAD_POOL_MAX_THREADS_DEFAULT = 64


@dataclass(eq=False)
class EventLoopBaseClass(ObjectClass):
    """How a kind of loop is begun, told of a change, and asked whether it may go."""

    init: Callable[[Any], None] | None = None
    update_params: Callable[[Any], None] | None = None
    can_be_deleted: Callable[[Any], bool] | None = None


@dataclass(eq=False)
class EventLoopBase(Object):
    """Numbers that say how much a loop does at once; the loops here do one thing at a time."""

    aio_max_batch: int = 0
    thread_pool_min: int = 0
    thread_pool_max: int = 0


def event_loop_class(klass: object) -> EventLoopBaseClass:
    """Cast to the class of an event loop (QEMU `EVENT_LOOP_BASE_CLASS`)."""
    return object_class_check(klass, EventLoopBaseClass, TYPE_EVENT_LOOP_BASE)


def event_loop_class_of(obj: Object) -> EventLoopBaseClass:
    """The class of an event loop (QEMU `EVENT_LOOP_BASE_GET_CLASS`)."""
    return object_get_class_check(obj, EventLoopBaseClass, TYPE_EVENT_LOOP_BASE)


def get_param(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Getter of every such number (QEMU `event_loop_base_get_param`)."""
    visit_type_int64(v, name, getattr(obj, field_name(name)))


def set_param(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Setter of every such number, none of which may be negative (QEMU `event_loop_base_set_param`)."""
    value = visit_type_int64(v, name)
    if value < 0:
        raise QemuError(f"{name} value must be in range [0, {INT64_MAX}]")
    setattr(obj, field_name(name), value)


def event_loop_base_set_param(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Setter of a number of which the loop wants to be told."""
    set_param(obj, v, name, opaque)
    update_params = event_loop_class_of(obj).update_params
    if update_params:
        update_params(obj)


def aio_context_set_thread_pool_params(base: EventLoopBase) -> None:
    """How many threads a loop may employ: the fewest must not be more than the most (QEMU util/async.c)."""
    if base.thread_pool_min > base.thread_pool_max or not base.thread_pool_max or base.thread_pool_max >> 31:
        raise QemuError("bad thread-pool-min/thread-pool-max values")


def event_loop_base_complete(uc: Object) -> None:
    """Begin."""
    init = event_loop_class_of(uc).init
    if init:
        init(uc)


def event_loop_base_can_be_deleted(uc: Object) -> bool:
    """Whether it may be deleted."""
    can_be_deleted = event_loop_class_of(uc).can_be_deleted
    return can_be_deleted is None or can_be_deleted(uc)


def event_loop_base_instance_init(obj: Object) -> None:
    """A fair number of threads."""
    object_check(obj, EventLoopBase, TYPE_EVENT_LOOP_BASE).thread_pool_max = THREAD_POOL_MAX_THREADS_DEFAULT


def event_loop_base_class_init(klass: ObjectClass) -> None:
    """How the interface is implemented, and the numbers."""
    ucc = object_class_check(klass, UserCreatableClass, TYPE_USER_CREATABLE)
    ucc.complete = event_loop_base_complete
    ucc.can_be_deleted = event_loop_base_can_be_deleted
    for name in ("aio-max-batch", "thread-pool-min", "thread-pool-max"):
        object_class_property_add(klass, name, "int", get_param, event_loop_base_set_param)


type_init(
    TypeInfo(
        TYPE_EVENT_LOOP_BASE,
        parent=TYPE_OBJECT,
        instance_struct=EventLoopBase,
        class_struct=EventLoopBaseClass,
        abstract=True,
        class_init=event_loop_base_class_init,
        instance_init=event_loop_base_instance_init,
        interfaces=(TYPE_USER_CREATABLE,),
    )
)
