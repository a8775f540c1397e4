"""Objects from the command line and from QMP: made, described, deleted (QEMU qom/object_interfaces.c)."""

from __future__ import annotations

import json
from collections.abc import Iterable

from pyqemu_edu.process import current_process
from pyqemu_edu.qapi.qobject_visitor import KeyvalInputVisitor, QObjectInputVisitor
from pyqemu_edu.qapi.visitor import Visitor
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
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.cutils import is_help_option
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.id import id_wellformed
from pyqemu_edu.util.option import QemuOpts, qemu_opt_has_help_opt, qemu_opts_del, qemu_opts_find
from pyqemu_edu.util.qdict import QDict, qdict_entries

# ---- setting properties


def object_set_properties_from_qdict(obj: Object, qdict: QDict, v: Visitor) -> None:
    """Set a property for each entry, in the order in which C walks through a dictionary."""
    v.start_struct(None)
    try:
        for name, _ in qdict_entries(qdict):
            object_property_set(obj, name, v)
        v.check_struct()
    finally:
        v.end_struct()


def object_set_properties_from_keyval(obj: Object, qdict: QDict, from_json: bool = False) -> None:
    """The same, with values that are all strings unless they come from JSON."""
    v: Visitor = QObjectInputVisitor(qdict) if from_json else KeyvalInputVisitor(qdict)
    object_set_properties_from_qdict(obj, qdict, v)


# ---- making and deleting


def user_creatable_add_type(type: str, id: str | None, qdict: QDict, v: Visitor) -> Object:
    """A new object below /objects, its properties set, complete; the caller has a reference."""
    if id is not None and not id_wellformed(id):
        hint = "Identifiers consist of letters, digits, '-', '.', '_', starting with a letter.\n"
        raise QemuError("Parameter 'id' expects an identifier", hint)
    klass = object_class_by_name(type)
    if klass is None:
        raise QemuError(f"invalid object type: {type}")
    if object_class_dynamic_cast(klass, TYPE_USER_CREATABLE) is None:
        raise QemuError(f"object type '{type}' isn't supported by object-add")
    if object_class_is_abstract(klass):
        raise QemuError(f"object type '{type}' is abstract")
    obj = object_new(type)
    try:
        object_set_properties_from_qdict(obj, qdict, v)
        _adopt(id, obj)
    except QemuError:
        object_unref(obj)
        raise
    return obj


def _adopt(id: str | None, obj: Object) -> None:
    if id is not None:
        object_property_try_add_child(object_get_objects_root(), id, obj)
    try:
        user_creatable_complete(obj)
    except QemuError:
        if id is not None:
            object_property_del(object_get_objects_root(), id)
        raise


def user_creatable_add_qapi(options: QDict, from_json: bool = False) -> None:
    """Make the object that QAPI's `ObjectOptions` describe."""
    props = {name: value for name, value in options.items() if name not in ("qom-type", "id")}
    v: Visitor = QObjectInputVisitor(props) if from_json else KeyvalInputVisitor(props)
    object_unref(user_creatable_add_type(options["qom-type"], options["id"], props, v))


def user_creatable_del(id: str) -> None:
    """Delete an object, and forget that it was asked for."""
    obj = object_resolve_path_component(object_get_objects_root(), id)
    if obj is None:
        raise QemuError(f"object '{id}' not found")
    if not user_creatable_can_be_deleted(obj):
        raise QemuError(f"object '{id}' is in use, can not be deleted")
    opts = qemu_opts_find(qemu_find_opts("object"), id)
    if opts is not None:
        qemu_opts_del(opts)
    object_unparent(obj)


# ---- help


def object_property_help(prop: ObjectProperty) -> str:
    """One line about a property: type, description, default."""
    usage = f"  {prop.name}=<{prop.type}>"
    if prop.description is None and prop.defval is None:
        return usage
    default = f" (default: {json.dumps(prop.defval)})" if prop.defval is not None else ""
    return f"{usage:<24} - {prop.description or ''}{default}"


def print_properties(type: str, props: Iterable[ObjectProperty]) -> None:
    """Print a line about each of them, sorted (Not in QEMU as a function of its own)."""
    stdout = current_process().stdout
    lines = sorted(object_property_help(prop) for prop in props)
    stdout.write(f"{type} options:\n" if lines else f"There are no options for {type}.\n")
    stdout.writelines(f"{line}\n" for line in lines)


def type_print_class_properties(type: str) -> bool:
    """Print the properties that can be set on all objects of a type; false where there is no such type."""
    klass = object_class_by_name(type)
    if klass is None:
        return False
    print_properties(type, (prop for prop in object_class_property_iter(klass) if prop.set))
    return True


def user_creatable_print_types() -> None:
    """Print the types that users can make objects of."""
    stdout = current_process().stdout
    stdout.write("List of user creatable objects:\n")
    for klass in object_class_get_list_sorted(TYPE_USER_CREATABLE, False):
        stdout.write(f"  {object_class_get_name(klass)}\n")


def user_creatable_print_help(type: str, opts: QemuOpts) -> bool:
    """Print help if that is what a `-object` asks for; whether it was."""
    if is_help_option(type):
        user_creatable_print_types()
        return True
    return qemu_opt_has_help_opt(opts) and type_print_class_properties(type)
