"""Defaults from outside, set on every object of a type as it is made (QEMU qom/object.c).

Three lists, applied in this order so that the later one wins: what the accelerator, what the machine, and what
old-fashioned options ask for.  The user's own `-global` come after them, in hw/core/qdev_properties.py.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.process import per_process
from pyqemu_edu.qom.klass import object_dynamic_cast
from pyqemu_edu.qom.property import object_property_find, object_property_parse
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.util.assertion import c_assert, error_abort
from pyqemu_edu.util.error import QemuError, error_fatal, warn_report


@dataclass(eq=False)
class GlobalProperty:
    """A value for a property of all objects of type `driver` (QEMU include/hw/qdev-properties.h).

    `optional`: types without the property are let be.  `used`: it has been set on some object.
    """

    driver: str
    property: str
    value: str
    used: bool = False
    optional: bool = False


@dataclass(eq=False)
class Statics:
    """The three lists; the accelerator's and the machine's are set at most once."""

    accelerator: list[GlobalProperty] | None = None
    machine: list[GlobalProperty] | None = None
    sugar: list[GlobalProperty] = field(default_factory=list)


statics = per_process(Statics)


def object_apply_global_props(obj: Object, props: list[GlobalProperty] | None, only_warn: bool = False) -> None:
    """Set on the object what the list says for its type or for one of its ancestors.

    A value that does not fit is an error, or a warning, after which it goes on (in QEMU if `errp` is NULL).
    """
    for prop in props or ():
        if object_dynamic_cast(obj, prop.driver) is None:
            continue
        if prop.optional and not object_property_find(obj, prop.property):
            continue
        prop.used = True
        try:
            object_property_parse(obj, prop.property, prop.value)
        except QemuError as error:
            explained = error.prepend(f"can't apply global {prop.driver}.{prop.property}={prop.value}: ")
            if not only_warn:
                raise explained from None
            warn_report(explained.message)


def object_register_sugar_prop(driver: str, prop: str, value: str, optional: bool) -> None:
    """Note what an old-fashioned option asks for."""
    statics().sugar.append(GlobalProperty(driver, prop, value, optional=optional))


def object_set_machine_compat_props(compat_props: list[GlobalProperty]) -> None:
    """Note the machine's list, once."""
    where = "qom/object.c:468:object_set_machine_compat_props"
    c_assert(statics().machine is None, where, "!object_compat_props[1]")
    statics().machine = compat_props


def object_set_accelerator_compat_props(compat_props: list[GlobalProperty]) -> None:
    """Note the accelerator's list, once."""
    where = "qom/object.c:478:object_set_accelerator_compat_props"
    c_assert(statics().accelerator is None, where, "!object_compat_props[0]")
    statics().accelerator = compat_props


def object_apply_compat_props(obj: Object) -> None:
    """Set on the object what the three lists say; only the user can be to blame for the third."""
    with error_abort("object_apply_global_props", "qom/object.c:431"):
        object_apply_global_props(obj, statics().accelerator)
        object_apply_global_props(obj, statics().machine)
    with error_fatal():
        object_apply_global_props(obj, statics().sugar)
