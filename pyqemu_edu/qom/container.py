"""Objects that only hold others (QEMU qom/container.c)."""

from __future__ import annotations

from pyqemu_edu.qom.link import object_property_add_child
from pyqemu_edu.qom.object import object_new, object_unref
from pyqemu_edu.qom.path import object_get_root, object_resolve_path_component
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init

TYPE_CONTAINER = "container"


def container_get(root: Object, path: str) -> Object:
    """Where an absolute path leads from `root`; what is missing on the way becomes a container."""
    first, *parts = path.split("/")
    assert first == ""
    obj = root
    for part in parts:
        child = object_resolve_path_component(obj, part)
        if child is None:
            child = object_new(TYPE_CONTAINER)
            object_property_add_child(obj, part, child)
            object_unref(child)
        obj = child
    return obj


def object_get_objects_root() -> Object:
    """The container of what users create with -object (QEMU qom/object.c)."""
    return container_get(object_get_root(), "/objects")


type_init(TypeInfo(TYPE_CONTAINER, parent=TYPE_OBJECT))
