"""The types that a device's property can have (QEMU hw/core/qdev-properties.c).

A type says how a value gets from a visitor into a field of the device's struct, and back.  Left out against QEMU:
arrays of properties, and the types of hw/core/qdev-properties-system.c, for drives, networks, PCI and the like.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.qapi.visitor import (
    Visitor,
    visit_type_bool,
    visit_type_enum,
    visit_type_int32,
    visit_type_int64,
    visit_type_size,
    visit_type_str,
    visit_type_uint8,
    visit_type_uint16,
    visit_type_uint32,
    visit_type_uint64,
)
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.link import ObjectPropertyLinkFlags, object_class_property_add_link
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.qom.struct import Accessor, Object, ObjectClass, ObjectProperty
from pyqemu_edu.util.error import QemuError


@dataclass(frozen=True, eq=False)
class PropertyInfo:
    """A type of properties: its name, and how to visit a value of it."""

    name: str
    get: Accessor | None = None
    set: Accessor | None = None
    description: str | None = None
    release: Callable[[Any, str, Any], None] | None = None
    print: Callable[[Any, Property], str] | None = None
    create: Callable[[ObjectClass, str, Property], ObjectProperty] | None = None
    enum_table: Sequence[str] = ()
    realized_set_allowed: bool = False


@dataclass(frozen=True, eq=False)
class Property:
    """One property: where in the device's struct its value lies, and what it is at first (None: left as it is)."""

    name: str
    info: PropertyInfo
    field: str
    defval: Any = None
    link_type: str | None = None
    bitnr: int = 0


def object_field_prop_ptr(obj: Object, prop: Property) -> Pointer:
    """Where the property's value lies in this object."""
    *outer, last = prop.field.split(".")
    owner: Any = obj
    for name in outer:
        owner = getattr(owner, name)
    return Pointer(owner, last)


# ---- ways of keeping a value


def field_info(name: str, visit: Callable[..., Any], **more: Any) -> PropertyInfo:
    """A type whose values are kept as they are visited (Not in QEMU: there each type has its two functions)."""

    def get(obj: Object, v: Visitor, name: str, prop: Property) -> None:
        visit(v, name, object_field_prop_ptr(obj, prop).load())

    def set(obj: Object, v: Visitor, name: str, prop: Property) -> None:
        object_field_prop_ptr(obj, prop).store(visit(v, name))

    return PropertyInfo(name, get, set, **more)


def enum_info(name: str, lookup: Sequence[str], description: str | None = None) -> PropertyInfo:
    """A type whose values are words of `lookup`, kept as their index (QEMU `qdev_propinfo_get_enum`)."""
    return field_info(name, partial(visit_type_enum, lookup=lookup), description=description, enum_table=lookup)


def get_string(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """A text that is not there reads as empty."""
    visit_type_str(v, name, object_field_prop_ptr(obj, prop).load() or "")


def set_string(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """Keep the text."""
    object_field_prop_ptr(obj, prop).store(visit_type_str(v, name))


def release_string(obj: Object, name: str, prop: Property) -> None:
    """Free the text: Python does."""


def prop_get_bit(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """One bit of a number, as true or false."""
    visit_type_bool(v, name, bool(object_field_prop_ptr(obj, prop).load() >> prop.bitnr & 1))


def prop_set_bit(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """Set or clear one bit of a number."""
    pointer = object_field_prop_ptr(obj, prop)
    mask = 1 << prop.bitnr
    pointer.store(pointer.load() | mask if visit_type_bool(v, name) else pointer.load() & ~mask)


def qdev_propinfo_get_size32(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """A number of bytes."""
    visit_type_size(v, name, object_field_prop_ptr(obj, prop).load())


def set_size32(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """Keep a number of bytes below 4 GiB."""
    value = visit_type_size(v, name)
    if value > 0xFFFFFFFF:
        where = f"{object_get_typename(obj)}.{name}"
        raise QemuError(f"Property {where} doesn't take value {value} (maximum: {0xFFFFFFFF})")
    object_field_prop_ptr(obj, prop).store(value)


def create_link_property(klass: ObjectClass, name: str, prop: Property) -> ObjectProperty:
    """A strong link to an object of the property's `link_type`."""
    assert prop.link_type is not None
    return object_class_property_add_link(
        klass,
        name,
        prop.link_type,
        prop.field,
        qdev_prop_allow_set_link_before_realize,
        ObjectPropertyLinkFlags.STRONG,
    )


def qdev_prop_allow_set_link_before_realize(dev: DeviceState, name: str, value: Object | None) -> None:
    """The check of a device's link."""
    if dev.realized:
        raise QemuError(
            f"Attempt to set link property '{name}' on device '{dev.id or '(null)'}' "
            f"(type '{object_get_typename(dev)}') after it was realized"
        )


# ---- the types

ON_OFF_AUTO = ("auto", "on", "off")

qdev_prop_bit = PropertyInfo("bool", prop_get_bit, prop_set_bit, description="on/off")
qdev_prop_bool = field_info("bool", visit_type_bool)
qdev_prop_uint8 = field_info("uint8", visit_type_uint8)
qdev_prop_uint16 = field_info("uint16", visit_type_uint16)
qdev_prop_uint32 = field_info("uint32", visit_type_uint32)
qdev_prop_uint64 = field_info("uint64", visit_type_uint64)
qdev_prop_int32 = field_info("int32", visit_type_int32)
qdev_prop_int64 = field_info("int64", visit_type_int64)
qdev_prop_size = field_info("size", visit_type_size)
qdev_prop_size32 = PropertyInfo("size", qdev_propinfo_get_size32, set_size32)
qdev_prop_string = PropertyInfo("str", get_string, set_string, release=release_string)
qdev_prop_on_off_auto = enum_info("OnOffAuto", ON_OFF_AUTO, "on/off/auto")
qdev_prop_link = PropertyInfo("link", create=create_link_property)
