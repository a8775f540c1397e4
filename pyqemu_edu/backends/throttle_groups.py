"""Limits that several disks share (QEMU block/throttle-groups.c)."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import partial
from typing import Any

from pyqemu_edu.process import per_process
from pyqemu_edu.qapi.visit import visit_type
from pyqemu_edu.qapi.visitor import Visitor, visit_type_int64
from pyqemu_edu.qom.field_properties import struct_defaults
from pyqemu_edu.qom.klass import object_check, object_class_check
from pyqemu_edu.qom.path import object_get_canonical_path_component
from pyqemu_edu.qom.property import object_class_property_add
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.throttle import BUCKETS, LeakyBucket, ThrottleConfig, throttle_is_valid

TYPE_THROTTLE_GROUP = "throttle-group"
UINT_MAX = (1 << 32) - 1

# A limit's name: a bucket's with one of these behind it; and the field of the bucket.
PARTS = {"": "avg", "-max": "max", "-max-length": "burst_length"}
LIMITS = {bucket + end: (bucket, part) for bucket in BUCKETS for end, part in PARTS.items()}


@dataclass(eq=False)
class ThrottleGroup(Object):
    """The limits; `is_initialized` once they have been found to make sense."""

    is_initialized: bool = False
    name: str | None = None
    cfg: ThrottleConfig = field(default_factory=ThrottleConfig)


class Statics:
    def __init__(self) -> None:
        self.throttle_groups: list[ThrottleGroup] = []


statics = per_process(Statics)


def THROTTLE_GROUP(obj: object) -> ThrottleGroup:
    """Cast to a group."""
    return object_check(obj, ThrottleGroup, TYPE_THROTTLE_GROUP)


def get_limit(cfg: ThrottleConfig, limit: str) -> int:
    """One of the limits (Not in QEMU as a function)."""
    if limit == "iops-size":
        return cfg.op_size
    bucket, part = LIMITS[limit]
    return int(getattr(cfg.buckets[bucket], part))


def set_limit(cfg: ThrottleConfig, limit: str, value: int) -> None:
    """Change one of the limits (Not in QEMU as a function)."""
    if limit == "iops-size":
        cfg.op_size = value
    else:
        bucket, part = LIMITS[limit]
        setattr(cfg.buckets[bucket], part, value)


def throttle_group_get(limit: str, obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Getter of one limit."""
    visit_type_int64(v, name, get_limit(THROTTLE_GROUP(obj).cfg, limit))


def throttle_group_set(limit: str, obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Setter of one limit, until the group is complete."""
    tg = THROTTLE_GROUP(obj)
    if tg.is_initialized:
        raise QemuError("Property cannot be set after initialization")
    value = visit_type_int64(v, name)
    if value < 0:
        raise QemuError("Property values cannot be negative")
    if limit.endswith("-length") and value > UINT_MAX:
        raise QemuError(f"{name} value must be in therange [0, {UINT_MAX}]")
    set_limit(tg.cfg, limit, value)


def throttle_group_get_limits(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Getter of all limits."""
    cfg = THROTTLE_GROUP(obj).cfg
    visit_type(v, name, "ThrottleLimits", {limit: get_limit(cfg, limit) for limit in (*LIMITS, "iops-size")})


def throttle_group_set_limits(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Setter of all limits that are given, at any time."""
    tg = THROTTLE_GROUP(obj)
    limits = visit_type(v, name, "ThrottleLimits")
    cfg = ThrottleConfig({name: LeakyBucket(**vars(bucket)) for name, bucket in tg.cfg.buckets.items()}, tg.cfg.op_size)
    for limit, value in limits.items():
        if limit.endswith("-length") and not 0 <= value <= UINT_MAX:
            raise QemuError(f"{limit} value must be in the range [0, {UINT_MAX}]")
        set_limit(cfg, limit, value)
    throttle_is_valid(cfg)
    tg.cfg = cfg


def throttle_group_exists(name: str | None) -> bool:
    """Is there a group of that name?"""
    return any(group.name == name for group in statics().throttle_groups)


def throttle_group_obj_complete(uc: Object) -> None:
    """The limits must make sense, and the name must be new."""
    tg = THROTTLE_GROUP(uc)
    tg.name = tg.name or object_get_canonical_path_component(tg)
    if throttle_group_exists(tg.name):
        raise QemuError("A group with this name already exists")
    throttle_is_valid(tg.cfg)
    statics().throttle_groups.append(tg)
    tg.is_initialized = True


def throttle_group_can_be_deleted(uc: Object) -> bool:
    """Only if no disk uses it."""
    return uc.ref == 1


def throttle_group_obj_finalize(obj: Object) -> None:
    """The name is free again."""
    tg = THROTTLE_GROUP(obj)
    if tg.is_initialized:
        statics().throttle_groups.remove(tg)


def throttle_group_obj_class_init(klass: ObjectClass) -> None:
    """How the interface is implemented, and the limits, one by one and all together."""
    ucc = object_class_check(klass, UserCreatableClass, TYPE_USER_CREATABLE)
    ucc.complete = throttle_group_obj_complete
    ucc.can_be_deleted = throttle_group_can_be_deleted
    for limit in (*LIMITS, "iops-size"):
        get, set = partial(throttle_group_get, limit), partial(throttle_group_set, limit)
        object_class_property_add(klass, f"x-{limit}", "int", get, set)
    object_class_property_add(klass, "limits", "ThrottleLimits", throttle_group_get_limits, throttle_group_set_limits)


type_init(
    TypeInfo(
        TYPE_THROTTLE_GROUP,
        parent=TYPE_OBJECT,
        instance_struct=ThrottleGroup,
        class_init=throttle_group_obj_class_init,
        instance_init=struct_defaults,
        instance_finalize=throttle_group_obj_finalize,
        interfaces=(TYPE_USER_CREATABLE,),
    )
)
