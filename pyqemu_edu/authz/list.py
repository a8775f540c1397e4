"""Rules, of which the first that fits decides (QEMU authz/list.c)."""

from __future__ import annotations

from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from pyqemu_edu.authz.base import TYPE_QAUTHZ, authz_class
from pyqemu_edu.qapi.introspect import enum_values
from pyqemu_edu.qapi.visit import visit_type
from pyqemu_edu.qapi.visitor import Visitor
from pyqemu_edu.qom.field_properties import class_add_enum_field, struct_freed
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.property import object_class_property_add
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE
from pyqemu_edu.util.qdict import QDict

TYPE_QAUTHZ_LIST = "authz-list"
POLICIES = enum_values("QAuthZListPolicy")


@dataclass(eq=False)
class QAuthZList(Object):
    """The rules, and what holds if none fits."""

    policy: int = 0
    rules: list[QDict] = field(default_factory=list)


def QAUTHZ_LIST(obj: object) -> QAuthZList:
    """Cast to a list of rules."""
    return object_check(obj, QAuthZList, TYPE_QAUTHZ_LIST)


def fits(rule: QDict, identity: str) -> bool:
    """Does the rule speak of this name, which may be written with `*` and `?`? (Not in QEMU as a function)"""
    match = rule["match"]
    if rule.get("format", "exact") == "exact":
        return bool(match == identity)
    return fnmatchcase(identity, match.replace("[", "[[]"))


def qauthz_list_is_allowed(authz: Object, identity: str) -> bool:
    """What the first rule says that fits."""
    lauthz = QAUTHZ_LIST(authz)
    policies = (rule["policy"] for rule in lauthz.rules if fits(rule, identity))
    return next(policies, POLICIES[lauthz.policy]) == "allow"


def qauthz_list_prop_get_rules(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Getter of `rules`."""
    visit_type(v, name, "[QAuthZListRule]", QAUTHZ_LIST(obj).rules)


def qauthz_list_prop_set_rules(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Setter of `rules`."""
    QAUTHZ_LIST(obj).rules = visit_type(v, name, "[QAuthZListRule]")


def qauthz_list_class_init(oc: ObjectClass) -> None:
    """How this kind decides."""
    class_add_enum_field(oc, "policy", "QAuthZListPolicy", POLICIES)
    object_class_property_add(oc, "rules", "QAuthZListRule", qauthz_list_prop_get_rules, qauthz_list_prop_set_rules)
    authz_class(oc).is_allowed = qauthz_list_is_allowed


type_init(
    TypeInfo(
        TYPE_QAUTHZ_LIST,
        parent=TYPE_QAUTHZ,
        instance_struct=QAuthZList,
        class_init=qauthz_list_class_init,
        instance_finalize=struct_freed,
        interfaces=(TYPE_USER_CREATABLE,),
    )
)
