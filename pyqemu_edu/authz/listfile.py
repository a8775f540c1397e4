"""Rules that are in a file (QEMU authz/listfile.c).

Left out: reading them again when the file changes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

from pyqemu_edu.authz.base import TYPE_QAUTHZ, authz_class, qauthz_is_allowed
from pyqemu_edu.authz.list import TYPE_QAUTHZ_LIST
from pyqemu_edu.qapi.qjson import qobject_from_json
from pyqemu_edu.qapi.qobject_visitor import QObjectInputVisitor
from pyqemu_edu.qom.field_properties import class_add_bool_fields, class_add_str_fields
from pyqemu_edu.qom.klass import object_check, object_class_check
from pyqemu_edu.qom.object import object_unref
from pyqemu_edu.qom.object_interfaces import user_creatable_add_type
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.glib import g_file_get_contents

TYPE_QAUTHZ_LIST_FILE = "authz-list-file"


@dataclass(eq=False)
class QAuthZListFile(Object):
    """The file, and the list that was in it."""

    filename: str | None = None
    refresh: bool = False
    list: Object | None = None


def QAUTHZ_LIST_FILE(obj: object) -> QAuthZListFile:
    """Cast to a list from a file."""
    return object_check(obj, QAuthZListFile, TYPE_QAUTHZ_LIST_FILE)


def qauthz_list_file_is_allowed(authz: Object, identity: str) -> bool:
    """What the list says."""
    fauthz = QAUTHZ_LIST_FILE(authz)
    return fauthz.list is not None and qauthz_is_allowed(fauthz.list, identity)


def qauthz_list_file_load(fauthz: QAuthZListFile) -> Object:
    """The list that the file describes in JSON."""
    try:
        content = g_file_get_contents(fauthz.filename or "")
    except QemuError as error:
        raise error.prepend(f"Unable to read '{fauthz.filename}': ") from None
    obj = qobject_from_json(content.decode(errors="surrogateescape"))
    if not isinstance(obj, dict):
        raise QemuError(f"File '{fauthz.filename}' must contain a JSON object")
    return user_creatable_add_type(TYPE_QAUTHZ_LIST, None, obj, QObjectInputVisitor(obj))


def qauthz_list_file_complete(uc: Object) -> None:
    """Read the file; one that shall be watched must be named in full."""
    fauthz = QAUTHZ_LIST_FILE(uc)
    if fauthz.filename is None:
        raise QemuError("filename not provided")
    fauthz.list = qauthz_list_file_load(fauthz)
    if fauthz.refresh and os.path.dirname(fauthz.filename) in ("", "."):
        raise QemuError("Filename must be an absolute path")


def qauthz_list_file_finalize(obj: Object) -> None:
    """Let go of the list."""
    object_unref(QAUTHZ_LIST_FILE(obj).list)


def qauthz_list_file_init(obj: Object) -> None:
    """Files are watched unless the user says otherwise."""
    QAUTHZ_LIST_FILE(obj).refresh = True


def qauthz_list_file_class_init(oc: ObjectClass) -> None:
    """How this kind decides."""
    object_class_check(oc, UserCreatableClass, TYPE_USER_CREATABLE).complete = qauthz_list_file_complete
    class_add_str_fields(oc, "filename")
    class_add_bool_fields(oc, "refresh")
    authz_class(oc).is_allowed = qauthz_list_file_is_allowed


type_init(
    TypeInfo(
        TYPE_QAUTHZ_LIST_FILE,
        parent=TYPE_QAUTHZ,
        instance_struct=QAuthZListFile,
        class_init=qauthz_list_file_class_init,
        instance_init=qauthz_list_file_init,
        instance_finalize=qauthz_list_file_finalize,
        interfaces=(TYPE_USER_CREATABLE,),
    )
)
