"""One name is allowed in (QEMU authz/simple.c)."""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.authz.base import TYPE_QAUTHZ, authz_class
from pyqemu_edu.qom.field_properties import class_add_str_fields, struct_freed
from pyqemu_edu.qom.klass import object_check, object_class_check
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass
from pyqemu_edu.util.error import QemuError

TYPE_QAUTHZ_SIMPLE = "authz-simple"


@dataclass(eq=False)
class QAuthZSimple(Object):
    """The name."""

    identity: str | None = None


def QAUTHZ_SIMPLE(obj: object) -> QAuthZSimple:
    """Cast to a list of one."""
    return object_check(obj, QAuthZSimple, TYPE_QAUTHZ_SIMPLE)


def qauthz_simple_is_allowed(authz: Object, identity: str) -> bool:
    """Is it this one?"""
    return QAUTHZ_SIMPLE(authz).identity == identity


def qauthz_simple_complete(uc: Object) -> None:
    """There must be a name."""
    if QAUTHZ_SIMPLE(uc).identity is None:
        raise QemuError("The 'identity' property must be set")


def qauthz_simple_class_init(oc: ObjectClass) -> None:
    """How this kind decides."""
    object_class_check(oc, UserCreatableClass, TYPE_USER_CREATABLE).complete = qauthz_simple_complete
    authz_class(oc).is_allowed = qauthz_simple_is_allowed
    class_add_str_fields(oc, "identity")


type_init(
    TypeInfo(
        TYPE_QAUTHZ_SIMPLE,
        parent=TYPE_QAUTHZ,
        instance_struct=QAuthZSimple,
        class_init=qauthz_simple_class_init,
        instance_finalize=struct_freed,
        interfaces=(TYPE_USER_CREATABLE,),
    )
)
