"""Classes: finding them, walking over them, casting to them (QEMU qom/object.c).

An enumeration gives a class to every type in the table, whatever it is looking for.  That is why asking for the
machines initialises network cards.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar, cast

from pyqemu_edu.process import per_process
from pyqemu_edu.qom import type as qom_type
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeImpl
from pyqemu_edu.qom.type import type_get_by_name, type_get_parent, type_initialize, type_is_ancestor
from pyqemu_edu.util.error import QemuAbort
from pyqemu_edu.util.module import module_load_qom

Instance = TypeVar("Instance", bound=Object)
Class = TypeVar("Class", bound=ObjectClass)

OBJECT_CLASS_CAST_CACHE = 4


@dataclass(eq=False)
class Statics:
    """Whether a wrong cast aborts; Debian builds QEMU without, upstream's default is with."""

    qom_cast_debug: bool = True


statics = per_process(Statics)


# ---- finding classes


def object_get_class(obj: Object) -> ObjectClass:
    """The object's class."""
    return obj.klass


def object_get_typename(obj: Object) -> str:
    """The name of the object's type."""
    return obj.klass.type.name


def object_class_get_name(klass: ObjectClass) -> str:
    """The name of the class's type."""
    return klass.type.name


def object_class_is_abstract(klass: ObjectClass) -> bool:
    """Whether the class's type has no instances."""
    return klass.type.abstract


def object_class_by_name(typename: str | None) -> ObjectClass | None:
    """The class of a type, initialised if need be, or None."""
    type = type_get_by_name(typename)
    return None if type is None else type_initialize(type)


def module_object_class_by_name(typename: str) -> ObjectClass | None:
    """Like `object_class_by_name`, loading the module that provides the type if need be."""
    klass = object_class_by_name(typename)
    if klass is None and module_load_qom(typename):
        klass = object_class_by_name(typename)
    return klass


def object_class_get_parent(klass: ObjectClass) -> ObjectClass | None:
    """The class of the parent type; None for a root."""
    type = type_get_parent(klass.type)
    return None if type is None else type_initialize(type)


# ---- walking over all classes


def object_class_foreach(
    fn: Callable[[ObjectClass], None], implements_type: str | None = None, include_abstract: bool = True
) -> None:
    """Call `fn` for every class that can be cast to `implements_type`, in the order of the table.

    Types cannot be registered meanwhile.  The C function also takes an opaque pointer for `fn`; here that is a closure.
    """
    statics_of_types = qom_type.statics()
    statics_of_types.enumerating_types = True
    try:
        for type in statics_of_types.type_table.values():
            object_class_foreach_tramp(type, fn, implements_type, include_abstract)
    finally:
        statics_of_types.enumerating_types = False


def object_class_foreach_tramp(
    type: TypeImpl, fn: Callable[[ObjectClass], None], implements_type: str | None, include_abstract: bool
) -> None:
    """Initialise first, ask afterwards whether the type is wanted."""
    klass = type_initialize(type)
    if not include_abstract and type.abstract:
        return
    if implements_type is not None and object_class_dynamic_cast(klass, implements_type) is None:
        return
    fn(klass)


def object_class_get_list(implements_type: str | None, include_abstract: bool) -> list[ObjectClass]:
    """All classes that can be cast to `implements_type`, the last met first."""
    classes: list[ObjectClass] = []

    def object_class_get_list_tramp(klass: ObjectClass) -> None:
        classes.insert(0, klass)

    object_class_foreach(object_class_get_list_tramp, implements_type, include_abstract)
    return classes


def object_class_get_list_sorted(implements_type: str | None, include_abstract: bool) -> list[ObjectClass]:
    """The same, by name, upper and lower case alike."""
    return sorted(
        object_class_get_list(implements_type, include_abstract), key=lambda klass: object_class_get_name(klass).lower()
    )


# ---- casts that may fail


def object_dynamic_cast(obj: Object | None, typename: str) -> Object | None:
    """The object if it is a `typename`, by inheritance or by interface; else None."""
    if obj is not None and object_class_dynamic_cast(obj.klass, typename) is not None:
        return obj
    return None


def object_class_dynamic_cast(klass: ObjectClass | None, typename: str) -> ObjectClass | None:
    """The class if its type descends from `typename`; for an interface the class that implements it; else None.

    With two implementations to choose from, the answer is None.
    """
    if klass is None or klass.type.name == typename:
        return klass
    target_type = type_get_by_name(typename)
    if target_type is None:
        return None
    if klass.interfaces and type_is_ancestor(target_type, qom_type.statics().type_interface):
        found = [iface for iface in klass.interfaces if type_is_ancestor(iface.type, target_type)]
        return found[0] if len(found) == 1 else None
    return klass if type_is_ancestor(klass.type, target_type) else None


# ---- casts that must not fail


def object_dynamic_cast_assert(obj: Object, typename: str) -> Object:
    """The object, which had better be a `typename`."""
    klass = obj.klass
    if typename in klass.object_cast_cache or not statics().qom_cast_debug:
        return obj
    if object_dynamic_cast(obj, typename) is None:
        raise QemuAbort(not_an_instance(obj, typename))
    klass.object_cast_cache = (*klass.object_cast_cache, typename)[-OBJECT_CLASS_CAST_CACHE:]
    return obj


def object_class_dynamic_cast_assert(klass: ObjectClass, typename: str) -> ObjectClass:
    """The class, or its implementation of the interface `typename`; it had better have one."""
    debug = statics().qom_cast_debug
    if typename in klass.class_cast_cache or not (debug or klass.interfaces):
        return klass
    ret = object_class_dynamic_cast(klass, typename)
    if ret is None:
        raise QemuAbort(not_an_instance(klass, typename))
    if ret is klass:
        klass.class_cast_cache = (*klass.class_cast_cache, typename)[-OBJECT_CLASS_CAST_CACHE:]
    return ret


def not_an_instance(thing: object, typename: str) -> str:
    """What a failed cast says; the place is the line of Python that cast (Not in QEMU: there it is a macro's)."""
    frame = sys._getframe(2)
    while frame.f_code.co_filename == __file__ and frame.f_back:
        frame = frame.f_back
    place = f"{frame.f_code.co_filename}:{frame.f_lineno}:{frame.f_code.co_name}"
    return f"{place}: Object {id(thing):#x} is not an instance of type {typename}"


def object_check(obj: object, struct: type[Instance], typename: str) -> Instance:
    """The object as a `struct`, for the reader and the type checker (Not in QEMU: a macro, `OBJECT_CHECK`)."""
    return cast(Instance, object_dynamic_cast_assert(cast(Object, obj), typename))


def object_class_check(klass: object, struct: type[Class], typename: str) -> Class:
    """The class, or its implementation of an interface, as a `struct` (Not in QEMU: a macro, `OBJECT_CLASS_CHECK`)."""
    return cast(Class, object_class_dynamic_cast_assert(cast(ObjectClass, klass), typename))


def object_get_class_check(obj: object, struct: type[Class], typename: str) -> Class:
    """The object's class as a `struct` (Not in QEMU: a macro, `OBJECT_GET_CLASS`)."""
    return object_class_check(cast(Object, obj).klass, struct, typename)
