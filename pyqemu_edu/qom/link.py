"""Properties whose value is an object: child, link, alias (QEMU qom/object.c).

A child is owned: its parent holds a reference, and the chain of parents is its path.  A link only points; a strong one
holds a reference.  Both read as a path.  An alias is another name for a property, perhaps of another object.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import IntFlag
from typing import Any

from pyqemu_edu.qapi.qobject_visitor import ForwardFieldVisitor
from pyqemu_edu.qapi.visitor import Visitor, visit_type_str
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.object import object_ref, object_unref
from pyqemu_edu.qom.path import (
    object_get_canonical_path,
    object_resolve_path,
    object_resolve_path_ambiguous,
    object_resolve_path_component,
)
from pyqemu_edu.qom.property import (
    object_class_property_add,
    object_property_add,
    object_property_find_err,
    object_property_get,
    object_property_get_str,
    object_property_get_type,
    object_property_is_child,
    object_property_set,
    object_property_set_description,
    object_property_set_str,
    object_property_try_add,
)
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.qom.struct import Object, ObjectClass, ObjectProperty
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.assertion import c_assert, error_abort
from pyqemu_edu.util.error import QemuError

trace_object_property_add_child = Event("object_property_add_child", "obj", "name", "child")

# ---- child<T>


def object_property_add_child(obj: Object, name: str, child: Object) -> ObjectProperty:
    """Make `obj` the owner of `child`, which it is known to be able to."""
    if trace_object_property_add_child:
        trace_object_property_add_child(obj, name, child)
    with error_abort("object_property_try_add", "qom/object.c:1238"):
        return object_property_try_add_child(obj, name, child)


def object_property_try_add_child(obj: Object, name: str, child: Object) -> ObjectProperty:
    """Make `obj` the owner of `child`, which has no owner yet; its reference is one of its own."""
    c_assert(not child.parent, "qom/object.c:1757:object_property_try_add_child", "!child->parent")
    prop = object_property_try_add(
        obj,
        name,
        f"child<{object_get_typename(child)}>",
        object_get_child_property,
        None,
        object_finalize_child_property,
        child,
    )
    prop.resolve = object_resolve_child_property
    object_ref(child)
    child.parent = obj
    return prop


def object_get_child_property(obj: Object, v: Visitor, name: str, child: Object) -> None:
    """A child reads as its path."""
    visit_type_str(v, name, object_get_canonical_path(child) or "")


def object_resolve_child_property(parent: Object, child: Object, part: str) -> Object:
    """A child leads to itself."""
    return child


def object_finalize_child_property(obj: Object, name: str, child: Object) -> None:
    """Let the child go: it may tidy up, and then it is nobody's."""
    if child.klass.unparent:
        child.klass.unparent(child)
    child.parent = None
    object_unref(child)


# ---- link<T>

LinkCheck = Callable[[Any, str, Object | None], None]
"""Called with object, property name and value; raises if the link must not be set so."""


class ObjectPropertyLinkFlags(IntFlag):
    """What kind of link it is."""

    NONE = 0
    STRONG = 1
    DIRECT = 2
    CLASS = 4


@dataclass(eq=False)
class LinkProperty:
    """Where a link's target is kept: behind a pointer, right here, or in a field of whatever object it is."""

    target: Any
    check: LinkCheck | None
    flags: ObjectPropertyLinkFlags


def object_link_get_targetp(obj: Object, lprop: LinkProperty) -> Pointer:
    """Where the link's target is kept."""
    if lprop.flags & ObjectPropertyLinkFlags.DIRECT:
        return Pointer(lprop, "target")
    if lprop.flags & ObjectPropertyLinkFlags.CLASS:
        return Pointer(obj, lprop.target)
    pointer = lprop.target
    assert isinstance(pointer, Pointer)
    return pointer


def object_property_allow_set_link(obj: Object, name: str, value: Object | None) -> None:
    """The check of a link that may always be set."""


def object_property_add_link(
    obj: Object,
    name: str,
    type: str,
    targetp: Pointer,
    check: LinkCheck | None = None,
    flags: ObjectPropertyLinkFlags = ObjectPropertyLinkFlags.NONE,
) -> ObjectProperty:
    """Give the object a link, kept behind `targetp`; without a `check` it can only be read."""
    lprop = LinkProperty(targetp, check, flags)
    prop = object_property_add(obj, name, f"link<{type}>", *link_accessors(lprop))
    prop.resolve = object_resolve_link_property
    return prop


def object_class_property_add_link(
    klass: ObjectClass,
    name: str,
    type: str,
    field: str,
    check: LinkCheck | None = None,
    flags: ObjectPropertyLinkFlags = ObjectPropertyLinkFlags.NONE,
) -> ObjectProperty:
    """Give all instances of the class a link, kept in their `field`."""
    lprop = LinkProperty(field, check, flags | ObjectPropertyLinkFlags.CLASS)
    prop = object_class_property_add(klass, name, f"link<{type}>", *link_accessors(lprop))
    prop.resolve = object_resolve_link_property
    return prop


def object_property_add_const_link(obj: Object, name: str, target: Object) -> ObjectProperty:
    """Give the object a link that stays as it is."""
    lprop = LinkProperty(target, None, ObjectPropertyLinkFlags.DIRECT)
    prop = object_property_add(obj, name, f"link<{object_get_typename(target)}>", *link_accessors(lprop))
    prop.resolve = object_resolve_link_property
    return prop


def link_accessors(lprop: LinkProperty) -> tuple[Any, Any, Any, LinkProperty]:
    """What `object_property_add` wants to know of a link (Not in QEMU: there it is written out)."""
    set = object_set_link_property if lprop.check else None
    return object_get_link_property, set, object_release_link_property, lprop


def object_get_link_property(obj: Object, v: Visitor, name: str, lprop: LinkProperty) -> None:
    """A link reads as its target's path, or as nothing."""
    target = object_link_get_targetp(obj, lprop).load()
    visit_type_str(v, name, (object_get_canonical_path(target) or "") if target else "")


def object_set_link_property(obj: Object, v: Visitor, name: str, lprop: LinkProperty) -> None:
    """Point the link to where a path leads; a strong one moves its reference along."""
    targetp = object_link_get_targetp(obj, lprop)
    old_target = targetp.load()
    path = visit_type_str(v, name)
    new_target = object_resolve_link(obj, name, path) if path else None
    assert lprop.check is not None
    lprop.check(obj, name, new_target)
    targetp.store(new_target)
    if lprop.flags & ObjectPropertyLinkFlags.STRONG:
        object_ref(new_target)
        object_unref(old_target)


def object_resolve_link(obj: Object, name: str, path: str) -> Object:
    """The object of the link's type to which the path leads."""
    target_type = object_property_get_type(obj, name)[len("link<") : -1]
    target, ambiguous = object_resolve_path_ambiguous(path, target_type)
    if ambiguous:
        raise QemuError(f"Path '{path}' does not uniquely identify an object")
    if target is not None:
        return target
    if any(object_resolve_path_ambiguous(path)):
        raise QemuError(f"Invalid parameter type for '{name}', expected: {target_type}")
    raise QemuError(f"Device '{path}' not found")


def object_resolve_link_property(parent: Object, lprop: LinkProperty, part: str) -> Object | None:
    """A link leads to its target."""
    target = object_link_get_targetp(parent, lprop).load()
    assert target is None or isinstance(target, Object)
    return target


def object_release_link_property(obj: Object, name: str, lprop: LinkProperty) -> None:
    """A strong link lets its target go."""
    if lprop.flags & ObjectPropertyLinkFlags.STRONG:
        object_unref(object_link_get_targetp(obj, lprop).load())


def object_property_set_link(obj: Object, name: str, value: Object | None) -> None:
    """Point the link to `value`, which must be in the tree."""
    path = object_get_canonical_path(value) if value else None
    object_property_set_str(obj, name, path or "")


def object_property_get_link(obj: Object, name: str) -> Object | None:
    """Where the link points."""
    path = object_property_get_str(obj, name)
    if not path:
        return None
    target = object_resolve_path(path)
    if target is None:
        raise QemuError(f"Device '{path}' not found")
    return target


# ---- alias


@dataclass(frozen=True, eq=False)
class AliasProperty:
    """The property behind another name."""

    target_obj: Object
    target_name: str


def object_property_add_alias(obj: Object, name: str, target_obj: Object, target_name: str) -> ObjectProperty:
    """Give the object another name for a property of `target_obj`; an alias of a child is a link."""
    with error_abort("object_property_find_err", "qom/object.c:1314"):
        target_prop = object_property_find_err(target_obj, target_name)
    type = target_prop.type
    if object_property_is_child(target_prop):
        type = "link" + type.removeprefix("child")
    alias = AliasProperty(target_obj, target_name)
    prop = object_property_add(obj, name, type, property_get_alias, property_set_alias, property_release_alias, alias)
    prop.resolve = property_resolve_alias
    prop.defval = target_prop.defval
    object_property_set_description(obj, prop.name, target_prop.description)
    return prop


def property_get_alias(obj: Object, v: Visitor, name: str, alias: AliasProperty) -> None:
    """Read the property behind the name."""
    object_property_get(alias.target_obj, alias.target_name, ForwardFieldVisitor(v, alias.target_name, name))


def property_set_alias(obj: Object, v: Visitor, name: str, alias: AliasProperty) -> None:
    """Write the property behind the name."""
    object_property_set(alias.target_obj, alias.target_name, ForwardFieldVisitor(v, alias.target_name, name))


def property_resolve_alias(obj: Object, alias: AliasProperty, part: str) -> Object | None:
    """An alias leads where the property behind it leads."""
    return object_resolve_path_component(alias.target_obj, alias.target_name)


def property_release_alias(obj: Object, name: str, alias: AliasProperty) -> None:
    """Free the alias: Python does."""
