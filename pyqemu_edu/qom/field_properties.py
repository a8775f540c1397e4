"""Properties that are fields of the object's own struct (Not in QEMU: there each has a getter and a setter).

A dash in the property's name is an underscore in the field's.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

from pyqemu_edu.qapi.visitor import Visitor
from pyqemu_edu.qom.property import object_class_property_add
from pyqemu_edu.qom.property_types import (
    object_class_property_add_bool,
    object_class_property_add_enum,
    object_class_property_add_str,
)
from pyqemu_edu.qom.struct import Object, ObjectClass

Visit = Callable[[Visitor, str, Any], Any]


def struct_defaults(obj: Object) -> None:
    """In place of an `instance_init` that only sets what here are the defaults of the struct's fields."""


def struct_freed(obj: Object) -> None:
    """In place of an `instance_finalize` that only frees the struct's texts and buffers: Python does."""


def field_name(name: str) -> str:
    """The field of a property."""
    return name.replace("-", "_")


def get_field(field: str, obj: Object) -> Any:
    """What the field holds."""
    return getattr(obj, field)


def get_text(field: str, obj: Object) -> str:
    """What a field that may hold nothing holds; nothing reads as the empty text."""
    return getattr(obj, field) or ""


def set_field(field: str, obj: Object, value: Any) -> None:
    """Put a value there."""
    setattr(obj, field, value)


def class_add_str_fields(klass: ObjectClass, *names: str) -> None:
    """Give the class properties that are texts."""
    for name in names:
        field = field_name(name)
        object_class_property_add_str(klass, name, partial(get_text, field), partial(set_field, field))


def class_add_bool_fields(klass: ObjectClass, *names: str) -> None:
    """Give the class properties that are true or false."""
    for name in names:
        field = field_name(name)
        object_class_property_add_bool(klass, name, partial(get_field, field), partial(set_field, field))


def class_add_enum_field(klass: ObjectClass, name: str, typename: str, lookup: Sequence[str]) -> None:
    """Give the class a property that is one of a few words; the field holds its index."""
    field = field_name(name)
    get, set = partial(get_field, field), partial(set_field, field)
    object_class_property_add_enum(klass, name, typename, lookup, get, set)


def class_add_visited_field(
    klass: ObjectClass, name: str, type: str, visit: Visit, check: Callable[[Any, str, Any], None] | None = None
) -> None:
    """Give the class a property of any type; `check(obj, name, value)` refuses values that do not fit."""
    field = field_name(name)

    def get_visited(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
        visit(v, name, getattr(obj, field))

    def set_visited(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
        value = visit(v, name, getattr(obj, field))
        if check is not None:
            check(obj, name, value)
        setattr(obj, field, value)

    object_class_property_add(klass, name, type, get_visited, set_visited)
