"""The composition tree: its root, names, paths (QEMU qom/object.c).

A path that begins with "/" goes down from the root.  Any other is a partial path: it is tried at every object of the
tree, and counts if it leads somewhere from exactly one of them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from pyqemu_edu.process import per_process
from pyqemu_edu.qom.klass import object_dynamic_cast
from pyqemu_edu.qom.object import object_new
from pyqemu_edu.qom.property import object_property_find, object_property_is_child
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.qom.type import TYPE_OBJECT


@dataclass(eq=False)
class Statics:
    """The two roots; each is made when first asked for."""

    root: Object | None = None
    internal_root: Object | None = None


statics = per_process(Statics)


def object_get_root() -> Object:
    """The root of the composition tree."""
    if statics().root is None:
        statics().root = object_new("container")
    root = statics().root
    assert root is not None
    return root


def object_children(obj: Object) -> list[Object]:
    """What the object owns, in the order of its property table (Not in QEMU: its loops spell this out)."""
    return [prop.opaque for prop in obj.properties.values() if object_property_is_child(prop)]


# ---- walking


def object_child_foreach(obj: Object, fn: Callable[[Object], int | None]) -> int:
    """Call `fn` for every child until it returns other than 0 (or None); return that."""
    return do_object_child_foreach(obj, fn, recurse=False)


def object_child_foreach_recursive(obj: Object, fn: Callable[[Object], int | None]) -> int:
    """The same for children, their children, and so on; a child comes before its own."""
    return do_object_child_foreach(obj, fn, recurse=True)


def do_object_child_foreach(obj: Object, fn: Callable[[Object], int | None], recurse: bool) -> int:
    """What the two above share."""
    for child in object_children(obj):
        ret = fn(child) or (do_object_child_foreach(child, fn, True) if recurse else 0)
        if ret:
            return ret
    return 0


# ---- from object to path


def object_get_canonical_path_component(obj: Object) -> str | None:
    """The name under which its parent owns the object; None without a parent."""
    if obj.parent is None:
        return None
    children = (prop for prop in obj.parent.properties.values() if object_property_is_child(prop))
    return next(prop.name for prop in children if prop.opaque is obj)


def object_get_canonical_path(obj: Object) -> str | None:
    """The path from the root; None if the object is not in the tree."""
    root = object_get_root()
    if obj is root:
        return "/"
    path = ""
    node: Object | None = obj
    while node is not root:
        component = None if node is None else object_get_canonical_path_component(node)
        if node is None or component is None:
            return None
        path = f"/{component}{path}"
        node = node.parent
    return path


# ---- from path to object


def object_resolve_path_component(parent: Object, part: str) -> Object | None:
    """Where one name leads from `parent`: to a child, or along a link or an alias."""
    prop = object_property_find(parent, part)
    if prop is None or prop.resolve is None:
        return None
    return prop.resolve(parent, prop.opaque, part)


def object_resolve_abs_path(parent: Object, parts: Sequence[str], typename: str) -> Object | None:
    """Where the names lead from `parent`, one after the other; empty ones stay put."""
    obj: Object | None = parent
    for part in parts:
        if part and obj is not None:
            obj = object_resolve_path_component(obj, part)
    return object_dynamic_cast(obj, typename)


def object_resolve_partial_path(parent: Object, parts: Sequence[str], typename: str) -> tuple[Object | None, bool]:
    """Where the names lead from `parent` or from anything below it, and whether that is ambiguous."""
    obj = object_resolve_abs_path(parent, parts, typename)
    for child in object_children(parent):
        found, ambiguous = object_resolve_partial_path(child, parts, typename)
        if ambiguous or (found and obj):
            return None, True
        obj = obj or found
    return obj, False


def object_resolve_path_ambiguous(path: str, typename: str = TYPE_OBJECT) -> tuple[Object | None, bool]:
    """Where the path leads, and whether a partial path was ambiguous (QEMU `object_resolve_path_type`)."""
    if path.startswith("/"):
        return object_resolve_abs_path(object_get_root(), path.split("/"), typename), False
    return object_resolve_partial_path(object_get_root(), path.split("/") if path else [], typename)


def object_resolve_path_type(path: str, typename: str) -> Object | None:
    """The one object of that type to which the path leads, or None."""
    return object_resolve_path_ambiguous(path, typename)[0]


def object_resolve_path(path: str) -> Object | None:
    """The one object to which the path leads, or None."""
    return object_resolve_path_type(path, TYPE_OBJECT)


def object_resolve_path_at(parent: Object, path: str) -> Object | None:
    """Where the path leads from `parent`; from the root if it begins with "/"."""
    start = object_get_root() if path.startswith("/") else parent
    return object_resolve_abs_path(start, path.split("/"), TYPE_OBJECT)
