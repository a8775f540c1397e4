"""Properties of devices: name, type, field, default (QEMU hw/core/qdev-properties.c, include/hw/qdev-properties.h).

    device_class_set_props(dc, (
        DEFINE_PROP_UINT32("num-harts", "num_harts", 1),
        DEFINE_PROP_STRING("cpu-type", "cpu_type"),
    ))

They can be set until the device is realized.  A field may lie deeper: "cfg.ext_m".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.hw.core.qdev_core import TYPE_DEVICE, DeviceClass, DeviceState, device
from pyqemu_edu.hw.core.qdev_property_types import (
    Property,
    PropertyInfo,
    qdev_prop_bit,
    qdev_prop_bool,
    qdev_prop_int32,
    qdev_prop_link,
    qdev_prop_on_off_auto,
    qdev_prop_size,
    qdev_prop_size32,
    qdev_prop_string,
    qdev_prop_uint8,
    qdev_prop_uint16,
    qdev_prop_uint32,
    qdev_prop_uint64,
)
from pyqemu_edu.process import per_process
from pyqemu_edu.qapi.visitor import (
    Visitor,
    visit_type_str,
)
from pyqemu_edu.qom.globals import GlobalProperty, object_apply_global_props
from pyqemu_edu.qom.klass import (
    object_class_by_name,
    object_class_dynamic_cast,
    object_class_get_parent,
    object_dynamic_cast,
    object_get_typename,
)
from pyqemu_edu.qom.link import (
    object_property_add_alias,
)
from pyqemu_edu.qom.property import (
    object_class_property_add,
    object_class_property_set_description,
    object_property_add,
    object_property_init_defval,
    object_property_set_bool,
    object_property_set_description,
    object_property_set_int,
    object_property_set_str,
)
from pyqemu_edu.qom.struct import Accessor, Object, ObjectClass, ObjectProperty
from pyqemu_edu.util.error import QemuError, error_fatal, warn_report

# ---- what device authors write


def DEFINE_PROP(name: str, field: str, info: PropertyInfo, defval: Any = None) -> Property:
    """A property of any type."""
    return Property(name, info, field, defval)


def DEFINE_PROP_BIT(name: str, field: str, bit: int, defval: bool) -> Property:
    """Bit `bit` of a field."""
    return Property(name, qdev_prop_bit, field, defval, bitnr=bit)


def DEFINE_PROP_BIT64(name: str, field: str, bit: int, defval: bool) -> Property:
    """Bit `bit` of a field of 64 bits; to Python the same."""
    return DEFINE_PROP_BIT(name, field, bit, defval)


def DEFINE_PROP_LINK(name: str, field: str, type: str) -> Property:
    """A link to an object of `type`."""
    return Property(name, qdev_prop_link, field, link_type=type)


def DEFINE_PROP_STRING(name: str, field: str) -> Property:
    """A text, not there at first."""
    return Property(name, qdev_prop_string, field)


def DEFINE_PROP_BOOL(name: str, field: str, defval: bool) -> Property:
    """True or false."""
    return Property(name, qdev_prop_bool, field, defval)


def DEFINE_PROP_UINT8(name: str, field: str, defval: int) -> Property:
    """A number of 8 bits."""
    return Property(name, qdev_prop_uint8, field, defval)


def DEFINE_PROP_UINT16(name: str, field: str, defval: int) -> Property:
    """A number of 16 bits."""
    return Property(name, qdev_prop_uint16, field, defval)


def DEFINE_PROP_UINT32(name: str, field: str, defval: int) -> Property:
    """A number of 32 bits."""
    return Property(name, qdev_prop_uint32, field, defval)


def DEFINE_PROP_UINT64(name: str, field: str, defval: int) -> Property:
    """A number of 64 bits."""
    return Property(name, qdev_prop_uint64, field, defval)


def DEFINE_PROP_INT32(name: str, field: str, defval: int) -> Property:
    """A signed number of 32 bits."""
    return Property(name, qdev_prop_int32, field, defval)


def DEFINE_PROP_SIZE(name: str, field: str, defval: int) -> Property:
    """A number of bytes."""
    return Property(name, qdev_prop_size, field, defval)


def DEFINE_PROP_SIZE32(name: str, field: str, defval: int) -> Property:
    """A number of bytes below 4 GiB."""
    return Property(name, qdev_prop_size32, field, defval)


def DEFINE_PROP_ON_OFF_AUTO(name: str, field: str, defval: str) -> Property:
    """On, off, or as it fits."""
    return Property(name, qdev_prop_on_off_auto, field, defval)


# ---- from list to properties


def device_class_set_props(dc: DeviceClass, props: Sequence[Property]) -> None:
    """Give all devices of the class these properties."""
    dc.props_ = tuple(props)
    for prop in props:
        qdev_class_add_legacy_property(dc, prop)
        qdev_class_add_property(dc, prop.name, prop)


def qdev_class_add_property(klass: DeviceClass, name: str, prop: Property) -> None:
    """Give the class one property, with its default."""
    info = prop.info
    if info.create:
        op = info.create(klass, name, prop)
    else:
        op = object_class_property_add(klass, name, info.name, *field_accessors(info), info.release, prop)
    qdev_prop_set_default(op, prop)
    object_class_property_set_description(klass, name, info.description)


def qdev_property_add_static(dev: DeviceState, prop: Property) -> None:
    """Give one device a property, and set it to its default."""
    info = prop.info
    assert not info.create
    op = object_property_add(dev, prop.name, info.name, *field_accessors(info), info.release, prop)
    object_property_set_description(dev, prop.name, info.description)
    qdev_prop_set_default(op, prop)
    if op.init:
        op.init(dev, op)


def qdev_prop_set_default(op: ObjectProperty, prop: Property) -> None:
    """Give the property its default (Not in QEMU: there each type has its `set_default_value`)."""
    if prop.defval is not None:
        op.defval = prop.defval
        op.init = object_property_init_defval


def qdev_class_add_legacy_property(dc: DeviceClass, prop: Property) -> None:
    """Give the class the property a second time, as text, if its type has a way of its own to print."""
    if not prop.info.print and prop.info.get:
        return
    get = qdev_get_legacy_property if prop.info.print else None
    object_class_property_add(dc, f"legacy-{prop.name}", "str", get, None, None, prop)


def qdev_get_legacy_property(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """The value as its type prints it."""
    assert prop.info.print is not None
    visit_type_str(v, name, prop.info.print(obj, prop))


def qdev_alias_all_properties(target: DeviceState, source: Object) -> None:
    """Let `source` have the target's properties under the same names."""
    for prop in qdev_props(target):
        object_property_add_alias(source, prop.name, target, prop.name)


def qdev_props(dev: DeviceState) -> list[Property]:
    """All that were given with `device_class_set_props`, the device's own class first (Not in QEMU)."""
    props: list[Property] = []
    klass: ObjectClass | None = dev.klass
    while isinstance(klass, DeviceClass):
        props += klass.props_
        klass = object_class_get_parent(klass)
    return props


# ---- reading and writing


def field_accessors(info: PropertyInfo) -> tuple[Accessor | None, Accessor | None]:
    """The property's `get` and `set` (QEMU `field_prop_getter`, `field_prop_setter`)."""
    return (field_prop_get if info.get else None), (field_prop_set if info.set else None)


def field_prop_get(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """Hand the field's value to the visitor."""
    assert prop.info.get is not None
    prop.info.get(obj, v, name, prop)


def field_prop_set(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """Set the field to what the visitor says, before the device is realized."""
    assert prop.info.set is not None
    qdev_prop_allow_set(obj, name, prop.info)
    prop.info.set(obj, v, name, prop)


def qdev_prop_allow_set(obj: Object, name: str, info: PropertyInfo) -> None:
    """Refuse once the device is realized."""
    dev = device(obj)
    if dev.realized and not info.realized_set_allowed:
        qdev_prop_set_after_realize(dev, name)


def qdev_prop_set_after_realize(dev: DeviceState, name: str) -> None:
    """Say that it is too late."""
    which = f"device '{dev.id}'" if dev.id else "anonymous device"
    raise QemuError(
        f"Attempt to set property '{name}' on {which} (type '{object_get_typename(dev)}') after it was realized"
    )


def qdev_prop_set_bit(dev: DeviceState, name: str, value: bool) -> None:
    """Set a property that is true or false."""
    object_property_set_bool(dev, name, value)


def qdev_prop_set_uint8(dev: DeviceState, name: str, value: int) -> None:
    """Set a property that is a number of 8 bits."""
    object_property_set_int(dev, name, value)


def qdev_prop_set_uint16(dev: DeviceState, name: str, value: int) -> None:
    """Set a property that is a number of 16 bits."""
    object_property_set_int(dev, name, value)


def qdev_prop_set_uint32(dev: DeviceState, name: str, value: int) -> None:
    """Set a property that is a number of 32 bits."""
    object_property_set_int(dev, name, value)


def qdev_prop_set_uint64(dev: DeviceState, name: str, value: int) -> None:
    """Set a property that is a number of 64 bits; one above 2^63 goes in as a negative one, as in C."""
    object_property_set_int(dev, name, value - (value >> 63 << 64))


def qdev_prop_set_string(dev: DeviceState, name: str, value: str) -> None:
    """Set a text property."""
    object_property_set_str(dev, name, value)


# ---- the user's own defaults


@dataclass(eq=False)
class Statics:
    """What `-global` says, in order."""

    global_props: list[GlobalProperty] = field(default_factory=list)


statics = per_process(Statics)


def qdev_prop_register_global(prop: GlobalProperty) -> None:
    """Note what the user wants; of two that fit the later wins."""
    statics().global_props.append(prop)


def qdev_find_global_prop(obj: Object, name: str) -> GlobalProperty | None:
    """What the user wants of this property of this object."""
    for prop in statics().global_props:
        if object_dynamic_cast(obj, prop.driver) and prop.property == name:
            return prop
    return None


def qdev_prop_check_globals() -> bool:
    """Warn of what could not be used; whether there was any."""
    unused = [prop for prop in statics().global_props if not prop.used and warn_unused_global(prop)]
    return bool(unused)


def warn_unused_global(prop: GlobalProperty) -> bool:
    """Warn of one that was not used, if no device to come could use it (Not in QEMU as a function)."""
    dc = object_class_dynamic_cast(object_class_by_name(prop.driver), TYPE_DEVICE)
    if not isinstance(dc, DeviceClass):
        warn_report(f"global {prop.driver}.{prop.property} has invalid class name")
        return True
    if not dc.hotpluggable:
        warn_report(f"global {prop.driver}.{prop.property}={prop.value} not used")
        return True
    return False


def qdev_prop_set_globals(dev: DeviceState) -> None:
    """Set on the device what the user wants; what does not fit ends the process, unless the device comes late."""
    with error_fatal():
        object_apply_global_props(dev, statics().global_props, only_warn=dev.hotplugged)
