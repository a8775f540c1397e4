"""Engines that encrypt for a guest (QEMU backends/cryptodev.c, backends/cryptodev-builtin.c).

Left out: encrypting; no board here has the device that would ask for it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.qapi.visitor import visit_type_uint32
from pyqemu_edu.qom.field_properties import class_add_visited_field, struct_freed
from pyqemu_edu.qom.klass import object_check, object_class_check, object_get_class_check, object_get_typename
from pyqemu_edu.qom.property import object_property_set_int
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass
from pyqemu_edu.util.error import QemuError

TYPE_CRYPTODEV_BACKEND = "cryptodev-backend"
TYPE_CRYPTODEV_BACKEND_BUILTIN = "cryptodev-backend-builtin"


@dataclass(eq=False)
class CryptoDevBackendClass(ObjectClass):
    """How a kind of engine is begun."""

    init: Callable[[Any], None] | None = None


@dataclass(eq=False)
class CryptoDevBackend(Object):
    """An engine with some queues."""

    queues: int = 0
    is_used: bool = False


def CRYPTODEV_BACKEND(obj: object) -> CryptoDevBackend:
    """Cast to an engine."""
    return object_check(obj, CryptoDevBackend, TYPE_CRYPTODEV_BACKEND)


def cryptodev_class(klass: object) -> CryptoDevBackendClass:
    """Cast to the class of one (QEMU `CRYPTODEV_BACKEND_CLASS`)."""
    return object_class_check(klass, CryptoDevBackendClass, TYPE_CRYPTODEV_BACKEND)


def refuse_no_queue(obj: Object, name: str, value: int) -> None:
    """There must be a queue (in QEMU a part of `cryptodev_backend_set_queues`)."""
    if not value:
        raise QemuError(f"Property '{object_get_typename(obj)}.{name}' doesn't take value '{value}'")


def cryptodev_backend_complete(uc: Object) -> None:
    """Begin."""
    init = object_get_class_check(uc, CryptoDevBackendClass, TYPE_CRYPTODEV_BACKEND).init
    if init:
        init(uc)


def cryptodev_backend_can_be_deleted(uc: Object) -> bool:
    """Only if no device uses it."""
    return not CRYPTODEV_BACKEND(uc).is_used


def cryptodev_backend_instance_init(obj: Object) -> None:
    """One queue unless the user says otherwise."""
    object_property_set_int(obj, "queues", 1)


def cryptodev_backend_class_init(oc: ObjectClass) -> None:
    """What all engines have."""
    ucc = object_class_check(oc, UserCreatableClass, TYPE_USER_CREATABLE)
    ucc.complete = cryptodev_backend_complete
    ucc.can_be_deleted = cryptodev_backend_can_be_deleted
    class_add_visited_field(oc, "queues", "uint32", visit_type_uint32, refuse_no_queue)


def cryptodev_builtin_init(backend: CryptoDevBackend) -> None:
    """QEMU's own engine has but one queue."""
    if backend.queues != 1:
        raise QemuError("Only support one queue in cryptdov-builtin backend")


def cryptodev_builtin_class_init(oc: ObjectClass) -> None:
    """How QEMU's own engine differs."""
    cryptodev_class(oc).init = cryptodev_builtin_init


type_init(
    TypeInfo(
        TYPE_CRYPTODEV_BACKEND,
        parent=TYPE_OBJECT,
        instance_struct=CryptoDevBackend,
        class_struct=CryptoDevBackendClass,
        class_init=cryptodev_backend_class_init,
        instance_finalize=struct_freed,
        instance_init=cryptodev_backend_instance_init,
        interfaces=(TYPE_USER_CREATABLE,),
    )
)
type_init(
    TypeInfo(
        TYPE_CRYPTODEV_BACKEND_BUILTIN,
        parent=TYPE_CRYPTODEV_BACKEND,
        class_init=cryptodev_builtin_class_init,
    )
)
