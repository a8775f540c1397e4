"""Properties of the common types: text, truth value, word out of a list, time, number (QEMU qom/object.c).

The author gives a getter and a setter over plain values; what stands between them and the visitor is here.  Each kind
can belong to one object or to a class.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import IntFlag
from functools import partial
from typing import Any

from pyqemu_edu.qapi.visitor import (
    Visitor,
    visit_check_struct,
    visit_end_struct,
    visit_start_struct,
    visit_type_bool,
    visit_type_enum,
    visit_type_int32,
    visit_type_str,
    visit_type_uint8,
    visit_type_uint16,
    visit_type_uint32,
    visit_type_uint64,
)
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.property import (
    Release,
    object_class_property_add,
    object_property_add,
    object_property_find_err,
    object_property_get_str,
)
from pyqemu_edu.qom.struct import Object, ObjectClass, ObjectProperty
from pyqemu_edu.util.error import QemuError

Getter = Callable[[Any], Any]
Setter = Callable[[Any, Any], None]


@dataclass(frozen=True, eq=False)
class Pointer:
    """Where a value lies: a field of a struct, or an element of a list (Not in QEMU: there it is an address)."""

    owner: Any
    key: str | int

    def load(self) -> Any:
        """The value there."""
        return getattr(self.owner, self.key) if isinstance(self.key, str) else self.owner[self.key]

    def store(self, value: Any) -> None:
        """Put a value there."""
        if isinstance(self.key, str):
            setattr(self.owner, self.key, value)
        else:
            self.owner[self.key] = value


@dataclass(frozen=True, eq=False)
class ValueProperty:
    """The author's getter and setter, and how to visit the value (QEMU `StringProperty`, `BoolProperty` ...)."""

    visit: Callable[..., Any]
    get: Getter | None = None
    set: Setter | None = None


def property_get_value(obj: Object, v: Visitor, name: str, opaque: ValueProperty) -> None:
    """Hand what the getter says to the visitor (QEMU `property_get_str`, `property_get_bool` ...)."""
    assert opaque.get is not None
    opaque.visit(v, name, opaque.get(obj))


def property_set_value(obj: Object, v: Visitor, name: str, opaque: ValueProperty) -> None:
    """Hand what the visitor says to the setter (QEMU `property_set_str`, `property_set_bool` ...)."""
    assert opaque.set is not None
    opaque.set(obj, opaque.visit(v, name))


def property_release_data(obj: Object, name: str, opaque: Any) -> None:
    """Free the opaque data: Python does."""


def add_value(
    obj: Object, name: str, type: str, value: ValueProperty, release: Release | None = property_release_data
) -> ObjectProperty:
    """A property of one object (Not in QEMU: what its functions for each type share)."""
    get = property_get_value if value.get else None
    set = property_set_value if value.set else None
    return object_property_add(obj, name, type, get, set, release, value)


def class_add_value(klass: ObjectClass, name: str, type: str, value: ValueProperty) -> ObjectProperty:
    """A property of a class (Not in QEMU: what its functions for each type share)."""
    get = property_get_value if value.get else None
    set = property_set_value if value.set else None
    return object_class_property_add(klass, name, type, get, set, None, value)


# ---- text


def object_class_property_add_str(
    klass: ObjectClass, name: str, get: Getter | None = None, set: Setter | None = None
) -> ObjectProperty:
    """Give the class a text property."""
    return class_add_value(klass, name, "string", ValueProperty(visit_type_str, get, set))


# ---- true or false


def object_property_add_bool(
    obj: Object, name: str, get: Getter | None = None, set: Setter | None = None
) -> ObjectProperty:
    """Give the object a property that is true or false."""
    return add_value(obj, name, "bool", ValueProperty(visit_type_bool, get, set))


def object_class_property_add_bool(
    klass: ObjectClass, name: str, get: Getter | None = None, set: Setter | None = None
) -> ObjectProperty:
    """Give the class a property that is true or false."""
    return class_add_value(klass, name, "bool", ValueProperty(visit_type_bool, get, set))


# ---- one word out of a list


def object_property_add_enum(
    obj: Object, name: str, typename: str, lookup: Sequence[str], get: Getter | None = None, set: Setter | None = None
) -> ObjectProperty:
    """Give the object a property that is a word of `lookup`; getter and setter deal in its index."""
    return add_value(obj, name, typename, ValueProperty(partial(visit_type_enum, lookup=lookup), get, set))


def object_class_property_add_enum(
    klass: ObjectClass,
    name: str,
    typename: str,
    lookup: Sequence[str],
    get: Getter | None = None,
    set: Setter | None = None,
) -> ObjectProperty:
    """Give the class a property that is a word of `lookup`; getter and setter deal in its index."""
    return class_add_value(klass, name, typename, ValueProperty(partial(visit_type_enum, lookup=lookup), get, set))


def object_property_get_enum(obj: Object, name: str, typename: str) -> int:
    """The index of the word that the property has."""
    prop = object_property_find_err(obj, name)
    if prop.type != typename:
        raise QemuError(f"Property {name} on {object_get_typename(obj)} is not '{typename}' enum type")
    word = object_property_get_str(obj, name)
    return qapi_enum_parse(prop.opaque.visit.keywords["lookup"], word)


def qapi_enum_parse(lookup: Sequence[str], word: str) -> int:
    """The index of a word (QEMU qapi/qapi-util.c)."""
    if word not in lookup:
        raise QemuError(f"invalid parameter value: {word}")
    return lookup.index(word)


# ---- a date and time


def visit_tm(v: Visitor, name: str, value: time.struct_time) -> None:
    """A broken-down time, counted as C does: years from 1900, months from 0 (QEMU `property_get_tm`)."""
    visit_start_struct(v, name)
    visit_type_int32(v, "tm_year", value.tm_year - 1900)
    visit_type_int32(v, "tm_mon", value.tm_mon - 1)
    visit_type_int32(v, "tm_mday", value.tm_mday)
    visit_type_int32(v, "tm_hour", value.tm_hour)
    visit_type_int32(v, "tm_min", value.tm_min)
    visit_type_int32(v, "tm_sec", value.tm_sec)
    visit_check_struct(v)
    visit_end_struct(v)


def object_property_add_tm(obj: Object, name: str, get: Getter) -> ObjectProperty:
    """Give the object a time, which can only be read."""
    return add_value(obj, name, "struct tm", ValueProperty(visit_tm, get))


# ---- a number that lies somewhere


class ObjectPropertyFlags(IntFlag):
    """What may be done to such a number."""

    READ = 1
    WRITE = 2
    READWRITE = READ | WRITE


VISIT_UINT = {8: visit_type_uint8, 16: visit_type_uint16, 32: visit_type_uint32, 64: visit_type_uint64}


def uint_value(bits: int, pointer: Pointer, flags: ObjectPropertyFlags) -> ValueProperty:
    """How to get at the number behind `pointer` (QEMU `property_get_uint32_ptr` and its kin)."""

    def property_get_uint_ptr(obj: Object) -> Any:
        return pointer.load()

    def property_set_uint_ptr(obj: Object, value: int) -> None:
        pointer.store(value)

    return ValueProperty(
        VISIT_UINT[bits],
        property_get_uint_ptr if flags & ObjectPropertyFlags.READ else None,
        property_set_uint_ptr if flags & ObjectPropertyFlags.WRITE else None,
    )


def object_property_add_uint_ptr(
    obj: Object, name: str, bits: int, pointer: Pointer, flags: ObjectPropertyFlags = ObjectPropertyFlags.READ
) -> ObjectProperty:
    """Give the object the number behind `pointer` (QEMU `object_property_add_uint8_ptr` ... `_uint64_ptr`)."""
    return add_value(obj, name, f"uint{bits}", uint_value(bits, pointer, flags), None)


def object_property_add_uint64_ptr(
    obj: Object, name: str, pointer: Pointer, flags: ObjectPropertyFlags = ObjectPropertyFlags.READ
) -> ObjectProperty:
    """Give the object the 64-bit number behind `pointer`."""
    return object_property_add_uint_ptr(obj, name, 64, pointer, flags)


def object_property_add_uint32_ptr(
    obj: Object, name: str, pointer: Pointer, flags: ObjectPropertyFlags = ObjectPropertyFlags.READ
) -> ObjectProperty:
    """Give the object the 32-bit number behind `pointer`."""
    return object_property_add_uint_ptr(obj, name, 32, pointer, flags)
