"""An object from its making to its end (QEMU qom/object.c).

Making: room, class, one reference, defaults, then every type of the chain initialises its part, the root first.
The end comes when the last reference goes: properties are released, then every type finalises its part, the leaf first.
"""

from __future__ import annotations

from typing import TypeVar

from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.property import (
    object_class_property_init_all,
    object_property_del_all,
    object_property_del_child,
)
from pyqemu_edu.qom.property_types import object_class_property_add_str
from pyqemu_edu.qom.struct import InterfaceClass, Object, ObjectClass, TypeImpl, TypeInfo
from pyqemu_edu.qom.type import (
    SIZEOF_INTERFACE_CLASS,
    SIZEOF_OBJECT,
    TYPE_INTERFACE,
    TYPE_OBJECT,
    RootTypeInit,
    type_get_by_name,
    type_get_parent,
    type_initialize,
    type_instance_struct,
)
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.assertion import g_assert
from pyqemu_edu.util.error import QemuError, QemuExit, error_report
from pyqemu_edu.util.ghash import GHashTable
from pyqemu_edu.util.module import ModuleInitType, declare, module_load_qom

T = TypeVar("T", bound=Object)

trace_object_initialize = Event("object_initialize", "obj")
trace_instance_init = Event("instance_init", "type", "obj")
trace_instance_post_init = Event("instance_post_init", "type", "obj")
trace_instance_finalize = Event("instance_finalize", "type", "obj")
trace_object_ref = Event("object_ref", "obj")
trace_object_unref = Event("object_unref", "obj")
trace_object_finalize = Event("object_finalize", "obj")


# ---- making


def object_new(typename: str) -> Object:
    """A new object of that type, with one reference, the caller's."""
    return object_new_with_type(type_get_by_name(typename))


def object_new_with_class(klass: ObjectClass) -> Object:
    """A new object of that class, with one reference, the caller's."""
    return object_new_with_type(klass.type)


def object_new_with_type(type: TypeImpl | None) -> Object:
    """A new object that is freed when its last reference goes."""
    g_assert(type is not None, "qom/object.c:721:object_new_with_type", "type != NULL")
    assert type is not None
    type_initialize(type)
    obj = object_initialize_with_type(type)
    obj.free = g_free
    return obj


def object_initialize(typename: str) -> Object:
    """A new object that lives inside another one's struct, so that nobody frees it."""
    type = type_get_by_name(typename)
    if type is None and module_load_qom(typename):
        type = type_get_by_name(typename)
    if type is None:
        error_report(f"missing object type '{typename}'")
        raise QemuExit(1)
    return object_initialize_with_type(type)


def object_initialize_with_type(type: TypeImpl) -> Object:
    """What every object goes through when it comes into being."""
    klass = type_initialize(type)
    where = "qom/object.c:%d:object_initialize_with_type"
    g_assert(type.instance_size >= SIZEOF_OBJECT, where % 509, "type->instance_size >= sizeof(Object)")
    g_assert(not type.abstract, where % 510, "type->abstract == false")
    refuse_paper(type)

    obj = type_instance_struct(type)()
    obj.klass = klass
    object_ref(obj)
    if trace_object_initialize:
        trace_object_initialize(obj)
    object_class_property_init_all(obj)
    obj.properties = GHashTable()
    object_init_with_type(obj, type)
    object_post_init_with_type(obj, type)
    return obj


def refuse_paper(type: TypeImpl) -> None:
    """There are no instances of a type that is known by name only (Not in QEMU)."""
    if type.paper:
        raise QemuError(f"type '{type.name}' is known here by name only: it has a class, but no instances")


def object_init_with_type(obj: Object, ti: TypeImpl) -> None:
    """Let every type initialise its part, from the root to the leaf."""
    parent = type_get_parent(ti)
    if parent is not None:
        object_init_with_type(obj, parent)
    if ti.instance_init:
        if trace_instance_init:
            trace_instance_init(ti, obj)
        ti.instance_init(obj)


def object_post_init_with_type(obj: Object, ti: TypeImpl) -> None:
    """Let every type finish its part, from the leaf to the root."""
    if ti.instance_post_init:
        if trace_instance_post_init:
            trace_instance_post_init(ti, obj)
        ti.instance_post_init(obj)
    parent = type_get_parent(ti)
    if parent is not None:
        object_post_init_with_type(obj, parent)


# ---- references


def object_ref(obj: T | None) -> T | None:
    """One reference more; None is let through."""
    if obj is not None:
        obj.ref += 1
        if trace_object_ref:
            trace_object_ref(obj)
    return obj


def object_unref(obj: Object | None) -> None:
    """One reference less; with the last one goes the object."""
    if obj is None:
        return
    g_assert(obj.ref > 0, "qom/object.c:1198:object_unref", "obj->ref > 0")
    obj.ref -= 1
    if trace_object_unref:
        trace_object_unref(obj)
    if obj.ref == 0:
        object_finalize(obj)


def object_unparent(obj: Object) -> None:
    """Take the object out of the composition tree, and with that its parent's reference from it."""
    if obj.parent is not None:
        object_property_del_child(obj.parent, obj)


# ---- the end


def object_finalize(obj: Object) -> None:
    """Nobody needs the object any more."""
    if trace_object_finalize:
        trace_object_finalize(obj)
    object_property_del_all(obj)
    object_deinit(obj, obj.klass.type)
    g_assert(obj.ref == 0, "qom/object.c:696:object_finalize", "obj->ref == 0")
    g_assert(obj.parent is None, "qom/object.c:697:object_finalize", "obj->parent == NULL")
    if obj.free:
        obj.free(obj)


def object_deinit(obj: Object, type: TypeImpl) -> None:
    """Let every type take down its part, from the leaf to the root."""
    if type.instance_finalize:
        if trace_instance_finalize:
            trace_instance_finalize(type, obj)
        type.instance_finalize(obj)
    parent = type_get_parent(type)
    if parent is not None:
        object_deinit(obj, parent)


def g_free(obj: Object) -> None:
    """Give back the memory: Python does (GLib)."""


# ---- the two roots


def object_class_init(klass: ObjectClass) -> None:
    """The one property that everything has."""
    object_class_property_add_str(klass, "type", object_get_typename)


interface_info = TypeInfo(TYPE_INTERFACE, class_struct=InterfaceClass, class_size=SIZEOF_INTERFACE_CLASS, abstract=True)
object_info = TypeInfo(
    TYPE_OBJECT,
    instance_struct=Object,
    class_struct=ObjectClass,
    instance_size=SIZEOF_OBJECT,
    class_init=object_class_init,
    abstract=True,
)

declare(RootTypeInit((interface_info, object_info)), ModuleInitType.QOM)
