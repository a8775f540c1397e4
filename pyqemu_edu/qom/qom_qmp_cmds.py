"""The object tree and the types, as QMP shows and sets them (QEMU qom/qom-qmp-cmds.c).

What C returns as a list of `ObjectPropertyInfo` is here the properties themselves.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.qom.klass import (
    module_object_class_by_name,
    object_class_by_name,
    object_class_dynamic_cast,
    object_class_foreach,
    object_class_get_name,
    object_class_get_parent,
    object_class_is_abstract,
)
from pyqemu_edu.qom.object import object_new, object_unref
from pyqemu_edu.qom.object_interfaces import user_creatable_add_qapi, user_creatable_del
from pyqemu_edu.qom.paper_properties import paper_properties
from pyqemu_edu.qom.path import object_resolve_path_ambiguous
from pyqemu_edu.qom.property import (
    object_class_property_iter,
    object_property_get_qobject,
    object_property_iter,
    object_property_set_qobject,
)
from pyqemu_edu.qom.struct import Object, ObjectClass, ObjectProperty
from pyqemu_edu.qom.type import TYPE_OBJECT
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.module import module_load_qom_all
from pyqemu_edu.util.qdict import QDict

TYPE_DEVICE = "device"

DEVICE_STATE_PROPERTIES = frozenset({"type", "realized", "hotpluggable", "hotplugged", "parent_bus"})
"""What every device has."""


@dataclass(frozen=True, slots=True)
class ObjectTypeInfo:
    """What users are told of a type (QEMU qapi/qom.json)."""

    name: str
    abstract: bool
    parent: str | None


class DeviceNotFound(QemuError):
    """A `QemuError` of QMP's class of that name (QEMU `ERROR_CLASS_DEVICE_NOT_FOUND`)."""

    error_class = "DeviceNotFound"


# ---- objects


def qmp_qom_list(path: str) -> list[ObjectProperty]:
    """The properties of the object at that path."""
    obj, ambiguous = object_resolve_path_ambiguous(path)
    if ambiguous:
        raise QemuError(f"Path '{path}' is ambiguous")
    if obj is None:
        raise DeviceNotFound(f"Device '{path}' not found")
    return reversed_list(object_property_iter(obj))


def qmp_qom_get(path: str, property: str) -> Any:
    """The value of a property of the object at that path."""
    return object_property_get_qobject(resolve(path), property)


def qmp_qom_set(path: str, property: str, value: Any) -> None:
    """Set a property of the object at that path."""
    object_property_set_qobject(resolve(path), property, value)


def resolve(path: str) -> Object:
    """The object at that path (Not in QEMU as a function)."""
    obj, _ = object_resolve_path_ambiguous(path)
    if obj is None:
        raise DeviceNotFound(f"Device '{path}' not found")
    return obj


def qmp_object_add(options: QDict) -> None:
    """Make an object."""
    user_creatable_add_qapi(options)


def qmp_object_del(id: str) -> None:
    """Delete an object."""
    user_creatable_del(id)


# ---- types


def qmp_qom_list_types(implements: str | None = None, abstract: bool = False) -> list[ObjectTypeInfo]:
    """The types that can be cast to `implements`, abstract ones if wanted."""
    infos: list[ObjectTypeInfo] = []

    def qom_list_types_tramp(klass: ObjectClass) -> None:
        parent = object_class_get_parent(klass)
        name = object_class_get_name(klass)
        infos.insert(
            0, ObjectTypeInfo(name, object_class_is_abstract(klass), object_class_get_name(parent) if parent else None)
        )

    module_load_qom_all()
    object_class_foreach(qom_list_types_tramp, implements, abstract)
    return infos


def qmp_qom_list_properties(typename: str) -> list[ObjectProperty]:
    """The properties of a type; unless it is abstract, an object is made to see them all."""
    klass = object_class_by_name(typename)
    if klass is None:
        raise DeviceNotFound(f"Class '{typename}' not found")
    if object_class_dynamic_cast(klass, TYPE_OBJECT) is None:
        raise QemuError("Parameter 'typename' expects a QOM type")
    if object_class_is_abstract(klass):
        return reversed_list(object_class_property_iter(klass))
    obj = object_new(typename)
    infos = reversed_list(object_property_iter(obj))
    object_unref(obj)
    return infos


def reversed_list(props: Iterable[ObjectProperty]) -> list[ObjectProperty]:
    """These, the last first, since QAPI's lists grow at the front (Not in QEMU as a function)."""
    return list(props)[::-1]


def qmp_device_list_properties(typename: str) -> list[ObjectProperty]:
    """The properties of a kind of device beyond those that all devices have."""
    klass = module_object_class_by_name(typename)
    if klass is None:
        raise DeviceNotFound(f"Device '{typename}' not found")
    if object_class_dynamic_cast(klass, TYPE_DEVICE) is None or object_class_is_abstract(klass):
        raise QemuError("Parameter 'typename' expects a non-abstract device type")
    known = paper_properties(typename) if klass.type.paper else None
    if known is not None:
        return known
    obj = object_new(typename)
    own = [
        prop
        for prop in reversed_list(object_property_iter(obj))
        if prop.name not in DEVICE_STATE_PROPERTIES and not prop.name.startswith("legacy-")
    ]
    object_unref(obj)
    return own
