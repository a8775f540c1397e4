"""What `-object` and its QMP twin do: make, list, explain and delete objects (QEMU qom/object_interfaces.c)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pyqemu_edu.qapi.qobject_visitor import KeyvalInputVisitor, QObjectInputVisitor
from pyqemu_edu.qapi.visitor import Visitor, visit_check_struct, visit_end_struct, visit_start_struct
from pyqemu_edu.qom.container import object_get_objects_root
from pyqemu_edu.qom.klass import (
    object_class_by_name,
    object_class_dynamic_cast,
    object_class_get_list_sorted,
    object_class_get_name,
    object_class_is_abstract,
)
from pyqemu_edu.qom.link import object_property_try_add_child
from pyqemu_edu.qom.object import object_new, object_unparent, object_unref
from pyqemu_edu.qom.path import object_resolve_path_component
from pyqemu_edu.qom.property import object_class_property_iter, object_property_del, object_property_set
from pyqemu_edu.qom.struct import Object, ObjectProperty
from pyqemu_edu.qom.user_creatable import (
    TYPE_USER_CREATABLE,
    user_creatable_can_be_deleted,
    user_creatable_complete,
)
from pyqemu_edu.util.config import qemu_find_opts_err
from pyqemu_edu.util.cutils import is_help_option
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.id import id_wellformed
from pyqemu_edu.util.option import QemuOpts, qemu_opt_has_help_opt, qemu_opts_del, qemu_opts_find
from pyqemu_edu.util.qdict import QDict, qdict_entries
from pyqemu_edu.util.qemu_print import qemu_printf

# ---- setting properties


def object_set_properties_from_qdict(obj: Object, qdict: QDict, v: Visitor) -> None:
    """Set every property that `qdict` names, in the order in which QEMU's table of them has it."""
    visit_start_struct(v, None)
    try:
        for key, _ in qdict_entries(qdict):
            object_property_set(obj, key, v)
        visit_check_struct(v)
    finally:
        visit_end_struct(v)


def object_set_properties_from_keyval(obj: Object, qdict: QDict, from_json: bool) -> None:
    """Set properties from JSON, which has types, or from options, which are all text."""
    v = QObjectInputVisitor(qdict) if from_json else KeyvalInputVisitor(qdict)
    object_set_properties_from_qdict(obj, qdict, v)


# ---- making


def user_creatable_add_type(type: str, id: str | None, qdict: QDict, v: Visitor) -> Object:
    """Make an object of that type with these properties, in /objects if it has an id."""
    if id is not None and not id_wellformed(id):
        hint = "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.\n"
        raise QemuError("Parameter 'id' expects an identifier", hint)
    check_user_creatable(type)
    obj = object_new(type)
    try:
        object_set_properties_from_qdict(obj, qdict, v)
        if id is not None:
            object_property_try_add_child(object_get_objects_root(), id, obj)
        complete_or_remove(obj, id)
    except QemuError:
        object_unref(obj)
        raise
    return obj


def check_user_creatable(type: str) -> None:
    """Refuse a type that users cannot have (Not in QEMU as a function)."""
    klass = object_class_by_name(type)
    if klass is None:
        raise QemuError(f"invalid object type: {type}")
    if object_class_dynamic_cast(klass, TYPE_USER_CREATABLE) is None:
        raise QemuError(f"object type '{type}' isn't supported by object-add")
    if object_class_is_abstract(klass):
        raise QemuError(f"object type '{type}' is abstract")


def complete_or_remove(obj: Object, id: str | None) -> None:
    """Make the object fit for use; if that fails it leaves /objects again (Not in QEMU as a function)."""
    try:
        user_creatable_complete(obj)
    except QemuError:
        if id is not None:
            object_property_del(object_get_objects_root(), id)
        raise


def user_creatable_add_qapi(options: QDict) -> None:
    """Make the object that `options`, checked already, describe."""
    props = {name: value for name, value in options.items() if name not in ("qom-type", "id")}
    object_unref(user_creatable_add_type(options["qom-type"], options["id"], props, QObjectInputVisitor(props)))


# ---- deleting


def user_creatable_del(id: str) -> None:
    """Delete an object from /objects, unless it is in use."""
    obj = object_resolve_path_component(object_get_objects_root(), id)
    if obj is None:
        raise QemuError(f"object '{id}' not found")
    if not user_creatable_can_be_deleted(obj):
        raise QemuError(f"object '{id}' is in use, can not be deleted")
    opts_list = qemu_find_opts_err("object")
    opts = qemu_opts_find(opts_list, id)
    if opts is not None:
        qemu_opts_del(opts)
    object_unparent(obj)


# ---- explaining


def object_property_help(prop: ObjectProperty) -> str:
    """One line of help on a property."""
    line = f"  {prop.name}=<{prop.type}>"
    if prop.description or prop.defval is not None:
        line = f"{line:24} - {prop.description or ''}"
    if prop.defval is not None:
        line += f" (default: {json.dumps(prop.defval)})"
    return line


def user_creatable_print_types() -> None:
    """List the types that users can have."""
    classes = object_class_get_list_sorted(TYPE_USER_CREATABLE, False)
    print_lines(["List of user creatable objects:", *(f"  {object_class_get_name(klass)}" for klass in classes)])


def type_print_class_properties(type: str) -> bool:
    """List the properties of the type that can be set; false where there is no such type."""
    klass = object_class_by_name(type)
    if klass is None:
        return False
    settable = [prop for prop in object_class_property_iter(klass) if prop.set]
    lines = sorted(object_property_help(prop) for prop in settable)
    print_lines([f"{type} options:" if lines else f"There are no options for {type}.", *lines])
    return True


def user_creatable_print_help(type: str, opts: QemuOpts) -> bool:
    """Print help if `-object` asks for it; whether it did."""
    if is_help_option(type):
        user_creatable_print_types()
        return True
    return qemu_opt_has_help_opt(opts) and type_print_class_properties(type)


def print_lines(lines: Iterable[str]) -> None:
    """Print lines (Not in QEMU)."""
    qemu_printf("".join(f"{line}\n" for line in lines))
