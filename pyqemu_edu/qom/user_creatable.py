"""Objects that a user may make, and making objects with properties (QEMU qom/object_interfaces.c, qom/object.c)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.qom.klass import (
    object_dynamic_cast,
    object_get_class_check,
)
from pyqemu_edu.qom.link import object_property_add_child
from pyqemu_edu.qom.object import object_initialize, object_unparent, object_unref
from pyqemu_edu.qom.property import object_property_parse
from pyqemu_edu.qom.struct import InterfaceClass, Object, TypeInfo
from pyqemu_edu.qom.type import TYPE_INTERFACE, type_init
from pyqemu_edu.util.error import QemuError

TYPE_USER_CREATABLE = "user-creatable"


@dataclass(eq=False)
class UserCreatableClass(InterfaceClass):
    """`complete` makes the object fit for use once its properties are set."""

    complete: Callable[[Any], None] | None = None
    can_be_deleted: Callable[[Any], bool] | None = None


def user_creatable_complete(uc: Object) -> None:
    """All properties are set: make the object fit for use."""
    ucc = object_get_class_check(uc, UserCreatableClass, TYPE_USER_CREATABLE)
    if ucc.complete:
        ucc.complete(uc)


def user_creatable_can_be_deleted(uc: Object) -> bool:
    """Whether nobody uses the object."""
    ucc = object_get_class_check(uc, UserCreatableClass, TYPE_USER_CREATABLE)
    return ucc.can_be_deleted is None or ucc.can_be_deleted(uc)


# ---- making objects with properties (QEMU qom/object.c)


def object_set_props(obj: Object, props: Mapping[str, str]) -> None:
    """Set properties from text."""
    for name, value in props.items():
        object_property_parse(obj, name, value)


def object_initialize_child(parent: Object, propname: str, type: str) -> Any:
    """A new object that lives inside `parent` and is owned by it (QEMU include/qom/object.h).

    The only reference is the parent's.
    """
    return object_initialize_child_internal(parent, propname, type)


def object_initialize_child_internal(parent: Object, propname: str, type: str) -> Object:
    """What C's macro `object_initialize_child` calls."""
    return object_initialize_child_with_props(parent, propname, type, {})


def object_initialize_child_with_props(parent: Object, propname: str, type: str, props: Mapping[str, str]) -> Object:
    """The same with properties set before it gets its parent."""
    obj = object_initialize(type)
    try:
        object_set_props(obj, props)
        adopt(parent, propname, obj)
    finally:
        object_unref(obj)
    return obj


def adopt(parent: Object, propname: str | None, obj: Object) -> None:
    """Own the object, if under a name, and complete it; unless that works, disown it (Not in QEMU as a function)."""
    if propname is not None:
        object_property_add_child(parent, propname, obj)
    if object_dynamic_cast(obj, TYPE_USER_CREATABLE):
        try:
            user_creatable_complete(obj)
        except QemuError:
            object_unparent(obj)
            raise


type_init(TypeInfo(TYPE_USER_CREATABLE, parent=TYPE_INTERFACE, class_struct=UserCreatableClass))
