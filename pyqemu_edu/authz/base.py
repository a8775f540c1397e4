"""Asking whether somebody is allowed in (QEMU authz/base.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.qom.klass import object_class_check, object_get_class_check
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init

TYPE_QAUTHZ = "authz"


@dataclass(eq=False)
class QAuthZClass(ObjectClass):
    """How a kind of list decides."""

    is_allowed: Callable[[Any, str], bool] | None = None


def authz_class(klass: object) -> QAuthZClass:
    """Cast to the class of such a list (QEMU `QAUTHZ_CLASS`)."""
    return object_class_check(klass, QAuthZClass, TYPE_QAUTHZ)


def qauthz_is_allowed(authz: Object, identity: str) -> bool:
    """May somebody of that name come in?"""
    is_allowed = object_get_class_check(authz, QAuthZClass, TYPE_QAUTHZ).is_allowed
    assert is_allowed is not None
    return is_allowed(authz, identity)


type_init(TypeInfo(TYPE_QAUTHZ, parent=TYPE_OBJECT, class_struct=QAuthZClass, abstract=True))
