"""Properties: adding, finding, walking over, reading and writing them (QEMU qom/object.c, qom/qom-qobject.c).

An object has its own properties and those of its class and its class's ancestors.  When one is looked for, the class
properties come first, from the root down; when all are listed, the object's own come first, then upwards.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from pyqemu_edu.qapi.qobject_visitor import QObjectInputVisitor, QObjectOutputVisitor, is_number
from pyqemu_edu.qapi.string_visitor import StringInputVisitor, StringOutputVisitor
from pyqemu_edu.qapi.visitor import Visitor
from pyqemu_edu.qom.klass import object_class_get_parent, object_get_typename
from pyqemu_edu.qom.struct import Accessor, Object, ObjectClass, ObjectProperty
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.assertion import c_assert, error_abort
from pyqemu_edu.util.error import QemuError

Release = Callable[[Any, str, Any], None]

trace_object_property_add = Event("object_property_add", "obj", "property")
trace_object_class_property_add = Event("object_class_property_add", "klass", "property")
trace_object_property_set = Event("object_property_set", "obj", "property", "visitor")
trace_object_property_release = Event("object_property_release", "obj", "property")


# ---- adding


def object_property_try_add(
    obj: Object,
    name: str,
    type: str,
    get: Accessor | None = None,
    set: Accessor | None = None,
    release: Release | None = None,
    opaque: Any = None,
) -> ObjectProperty:
    """Give the object a property; a name that ends in "[*]" gets the first free number."""
    if name.endswith("[*]"):
        name = first_free_name(obj, name.removesuffix("[*]"))
    if object_property_find(obj, name) is not None:
        raise QemuError(f"attempt to add duplicate property '{name}' to object (type '{object_get_typename(obj)}')")
    prop = ObjectProperty(name, type, get, set, release, opaque)
    obj.properties[name] = prop
    if trace_object_property_add:
        trace_object_property_add(obj, prop)
    return prop


def first_free_name(obj: Object, stem: str) -> str:
    """The first of stem[0], stem[1] ... that the object has not (Not in QEMU: there it tries to add each in turn)."""
    index = 0
    while object_property_find(obj, f"{stem}[{index}]") is not None:
        index += 1
    return f"{stem}[{index}]"


def object_property_add(
    obj: Object,
    name: str,
    type: str,
    get: Accessor | None = None,
    set: Accessor | None = None,
    release: Release | None = None,
    opaque: Any = None,
) -> ObjectProperty:
    """Give the object a property that it is known not to have."""
    with error_abort("object_property_try_add", "qom/object.c:1238"):
        return object_property_try_add(obj, name, type, get, set, release, opaque)


def object_class_property_add(
    klass: ObjectClass,
    name: str,
    type: str,
    get: Accessor | None = None,
    set: Accessor | None = None,
    release: Release | None = None,
    opaque: Any = None,
) -> ObjectProperty:
    """Give all instances of the class, and of those derived from it, a property."""
    c_assert(
        object_class_property_find(klass, name) is None,
        "qom/object.c:1279:object_class_property_add",
        "!object_class_property_find(klass, name)",
    )
    prop = ObjectProperty(name, type, get, set, release, opaque)
    klass.properties[name] = prop
    if trace_object_class_property_add:
        trace_object_class_property_add(klass, prop)
    return prop


# ---- finding


def object_property_find(obj: Object, name: str) -> ObjectProperty | None:
    """The property of that name: the class's, else the object's own."""
    return object_class_property_find(obj.klass, name) or obj.properties.lookup(name)


def object_property_find_err(obj: Object, name: str) -> ObjectProperty:
    """The property of that name; not having it is an error."""
    prop = object_property_find(obj, name)
    if prop is None:
        raise QemuError(f"Property '{object_get_typename(obj)}.{name}' not found")
    return prop


def object_class_property_find(klass: ObjectClass, name: str) -> ObjectProperty | None:
    """The class property of that name; the most distant ancestor's wins."""
    parent = object_class_get_parent(klass)
    prop = object_class_property_find(parent, name) if parent else None
    return prop or klass.properties.lookup(name)


def object_property_iter(obj: Object) -> Iterator[ObjectProperty]:
    """All properties: the object's own, then its class's and its ancestors' (QEMU `object_property_iter_init`)."""
    yield from obj.properties.values()
    yield from object_class_property_iter(obj.klass)


def object_class_property_iter(klass: ObjectClass | None) -> Iterator[ObjectProperty]:
    """The properties of a class, then of its ancestors (QEMU `object_class_property_iter_init`)."""
    while klass is not None:
        yield from klass.properties.values()
        klass = object_class_get_parent(klass)


def object_property_is_child(prop: ObjectProperty) -> bool:
    """Whether the property's value is an object that it owns."""
    return prop.type.startswith("child<")


# ---- removing


def object_property_release(obj: Object, prop: ObjectProperty) -> None:
    """Let go of what the property holds (Not in QEMU: a step that three functions there share)."""
    if prop.release is not None:
        if trace_object_property_release:
            trace_object_property_release(obj, prop)
        prop.release(obj, prop.name, prop.opaque)


def object_property_del(obj: Object, name: str) -> None:
    """Take one of its own properties from the object."""
    object_property_release(obj, obj.properties[name])
    del obj.properties[name]


def object_property_del_all(obj: Object) -> None:
    """Release every property once; start over after each, because releasing may change the table."""
    done: set[int] = set()

    def next_to_release() -> ObjectProperty | None:
        for prop in object_property_iter(obj):
            if id(prop) not in done:
                done.add(id(prop))
                if prop.release is not None:
                    return prop
        return None

    while (prop := next_to_release()) is not None:
        object_property_release(obj, prop)


def object_property_del_child(obj: Object, child: Object) -> None:
    """Take from the object the property that owns `child`."""
    for prop in obj.properties.values():
        if object_property_is_child(prop) and prop.opaque is child:
            object_property_release(obj, prop)
            prop.release = None
            break
    for name, prop in obj.properties.items():
        if object_property_is_child(prop) and prop.opaque is child:
            obj.properties.iter_remove(name)
            break


# ---- reading and writing


def object_property_get(obj: Object, name: str, v: Visitor) -> None:
    """Hand the property's value to the visitor."""
    prop = object_property_find_err(obj, name)
    if prop.get is None:
        raise QemuError(f"Property '{object_get_typename(obj)}.{name}' is not readable")
    prop.get(obj, v, name, prop.opaque)


def object_property_set(obj: Object, name: str, v: Visitor) -> None:
    """Let the property take its value from the visitor."""
    prop = object_property_find_err(obj, name)
    if prop.set is None:
        raise QemuError(f"Property '{object_get_typename(obj)}.{name}' is not writable")
    prop.set(obj, v, name, prop.opaque)
    if trace_object_property_set:
        trace_object_property_set(obj, prop, v)


def object_property_parse(obj: Object, name: str, string: str) -> None:
    """Set the property to what `string` spells."""
    object_property_set(obj, name, StringInputVisitor(string))


def object_property_print(obj: Object, name: str, human: bool = False) -> str:
    """The property's value as text."""
    v = StringOutputVisitor(human)
    object_property_get(obj, name, v)
    return v.string


def object_property_get_type(obj: Object, name: str) -> str:
    """The name of the property's type."""
    return object_property_find_err(obj, name).type


def object_property_set_qobject(obj: Object, name: str, value: Any) -> None:
    """Set the property to plain data."""
    object_property_set(obj, name, QObjectInputVisitor(value))


def object_property_get_qobject(obj: Object, name: str) -> Any:
    """The property's value as plain data."""
    v = QObjectOutputVisitor()
    object_property_get(obj, name, v)
    return v.root


def object_property_set_str(obj: Object, name: str, value: str) -> None:
    """Set a text property."""
    object_property_set_qobject(obj, name, value)


def object_property_get_str(obj: Object, name: str) -> str:
    """The value of a text property."""
    value = object_property_get_qobject(obj, name)
    if not isinstance(value, str):
        raise QemuError(f"Invalid parameter type for '{name}', expected: string")
    return value


def object_property_set_bool(obj: Object, name: str, value: bool) -> None:
    """Set a property that is true or false."""
    object_property_set_qobject(obj, name, value)


def object_property_get_bool(obj: Object, name: str) -> bool:
    """The value of a property that is true or false."""
    value = object_property_get_qobject(obj, name)
    if not isinstance(value, bool):
        raise QemuError(f"Invalid parameter type for '{name}', expected: boolean")
    return value


def object_property_set_int(obj: Object, name: str, value: int) -> None:
    """Set a property that is a signed number."""
    object_property_set_qobject(obj, name, value)


def object_property_get_int(obj: Object, name: str) -> int:
    """The value of a property that is a signed number."""
    value = object_property_get_qobject(obj, name)
    if not is_number(value) or not -(1 << 63) <= value < 1 << 63:
        raise QemuError(f"Invalid parameter type for '{name}', expected: int")
    return int(value)


def object_property_get_uint(obj: Object, name: str) -> int:
    """The value of a property that is an unsigned number."""
    value = object_property_get_qobject(obj, name)
    if not is_number(value) or not 0 <= value < 1 << 64:
        raise QemuError(f"Invalid parameter type for '{name}', expected: uint")
    return int(value)


# ---- defaults and descriptions


def object_property_init_defval(obj: Any, prop: ObjectProperty) -> None:
    """Set the property of a new object to its default."""
    assert prop.set is not None
    prop.set(obj, QObjectInputVisitor(prop.defval), prop.name, prop.opaque)


def object_property_set_default(prop: ObjectProperty, defval: Any) -> None:
    """Give the property a default, as plain data (QEMU `object_property_set_default_bool` and its kin)."""
    assert prop.defval is None
    assert prop.init is None
    prop.defval = defval
    prop.init = object_property_init_defval


def object_property_set_description(obj: Object, name: str, description: str | None) -> None:
    """Say what the property is for."""
    with error_abort("object_property_find_err", "qom/object.c:1314"):
        object_property_find_err(obj, name).description = description


def object_class_property_set_description(klass: ObjectClass, name: str, description: str | None) -> None:
    """Say what the class property is for."""
    klass.properties[name].description = description


def object_class_property_init_all(obj: Object) -> None:
    """Set the class properties that have a default to it."""
    for prop in object_class_property_iter(obj.klass):
        if prop.init is not None:
            prop.init(obj, prop)
