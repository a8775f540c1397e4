"""What QMP and help tell of types (QEMU qom/qom-qmp-cmds.c)."""

from __future__ import annotations

from pyqemu_edu.qom.klass import module_object_class_by_name, object_class_dynamic_cast, object_class_is_abstract
from pyqemu_edu.qom.object import object_new, object_unref
from pyqemu_edu.qom.property import object_property_iter
from pyqemu_edu.qom.struct import ObjectProperty
from pyqemu_edu.util.error import QemuError

TYPE_DEVICE = "device"

# Properties of every object or device, which nobody needs to be told of.
OF_EVERY_DEVICE = ("type", "realized", "hotpluggable", "hotplugged", "parent_bus")


def qmp_device_list_properties(typename: str) -> list[ObjectProperty]:
    """The properties of a kind of device; one is made to ask it, and thrown away."""
    klass = module_object_class_by_name(typename)
    if klass is None:
        raise QemuError(f"Device '{typename}' not found")
    if object_class_dynamic_cast(klass, TYPE_DEVICE) is None or object_class_is_abstract(klass):
        raise QemuError("Parameter 'typename' expects a non-abstract device type")
    obj = object_new(typename)
    try:
        return [
            prop
            for prop in object_property_iter(obj)
            if prop.name not in OF_EVERY_DEVICE and not prop.name.startswith("legacy-")
        ]
    finally:
        object_unref(obj)
