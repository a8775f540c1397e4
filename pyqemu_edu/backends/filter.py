"""Things between a network and its card (QEMU net/filter.c, net/filter-buffer.c, net/dump.c, net/filter-mirror.c).

Left out: what they would do with packets.  A filter that finds its network is refused in our own words.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyqemu_edu.net.net import qemu_find_netdev
from pyqemu_edu.qapi.introspect import enum_values
from pyqemu_edu.qapi.visitor import visit_type_uint32
from pyqemu_edu.qom.field_properties import (
    class_add_bool_fields,
    class_add_enum_field,
    class_add_str_fields,
    class_add_visited_field,
    struct_defaults,
    struct_freed,
)
from pyqemu_edu.qom.klass import object_check, object_class_check, object_get_typename
from pyqemu_edu.qom.property_types import object_class_property_add_str
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass
from pyqemu_edu.util.error import QemuError, error_report

TYPE_NETFILTER = "netfilter"


@dataclass(eq=False)
class NetFilterState(Object):
    """Which network, which way packets go, and where among other filters; then what only some kinds have."""

    netdev: str | None = None
    queue: int = 0
    status: str = "on"
    position: str = "tail"
    insert: str = "behind"
    interval: int = 0
    maxlen: int = 65536
    file: str | None = None
    indev: str | None = None
    outdev: str | None = None
    vnet_hdr_support: bool = False


def NETFILTER(obj: object) -> NetFilterState:
    """Cast to a filter."""
    return object_check(obj, NetFilterState, TYPE_NETFILTER)


def netfilter_complete(uc: Object) -> None:
    """Look for the network."""
    nf = NETFILTER(uc)
    if nf.netdev is None:
        raise QemuError("Parameter 'netdev' is required")
    if qemu_find_netdev(nf.netdev) is None:
        raise QemuError("Parameter 'netdev' expects a network backend id")
    if nf.position not in ("head", "tail") and not nf.position.startswith("id="):
        raise QemuError("Parameter 'position' expects 'head', 'tail' or 'id=<id>'")
    raise QemuError(f"type '{object_get_typename(nf)}' does nothing here: packets are not filtered")


def set_word(field: str, allowed: Sequence[str], nf: NetFilterState, value: str) -> None:
    """Setter of `status` and `insert` (QEMU `netfilter_set_status`, `netfilter_set_insert`)."""
    if value not in allowed:
        first, second = allowed
        raise QemuError(f"Invalid value for netfilter {field}, should be '{first}' or '{second}'")
    setattr(nf, field, value)


def add_word(oc: ObjectClass, field: str, allowed: Sequence[str]) -> None:
    """A property that is one of two words (Not in QEMU)."""
    object_class_property_add_str(oc, field, lambda nf: getattr(nf, field), partial(set_word, field, allowed))


def netfilter_class_init(oc: ObjectClass) -> None:
    """What all filters have."""
    class_add_str_fields(oc, "netdev")
    class_add_enum_field(oc, "queue", "NetFilterDirection", enum_values("NetFilterDirection"))
    add_word(oc, "status", ("on", "off"))
    class_add_str_fields(oc, "position")
    add_word(oc, "insert", ("before", "behind"))
    object_class_check(oc, UserCreatableClass, TYPE_USER_CREATABLE).complete = netfilter_complete


def netfilter_finalize(obj: Object) -> None:
    """A rewriter that never began has no table of connections, at which GLib wonders."""
    if object_get_typename(obj) == "filter-rewriter":
        error_report("GLib: g_hash_table_destroy: assertion 'hash_table != NULL' failed")


def require_positive(obj: Object, name: str, value: int) -> None:
    """Nothing lasts no time (in QEMU a part of `filter_buffer_set_interval`)."""
    if not value:
        raise QemuError(f"Property '{object_get_typename(obj)}.{name}' requires a positive value")


def refuse_zero(obj: Object, name: str, value: int) -> None:
    """Nothing has no length (in QEMU a part of `filter_dump_set_maxlen`)."""
    if not value:
        raise QemuError(f"Property '{object_get_typename(obj)}.{name}' doesn't take value '{value}'")


def filter_buffer_class_init(oc: ObjectClass) -> None:
    """Holds packets back."""
    class_add_visited_field(oc, "interval", "uint32", visit_type_uint32, require_positive)


def filter_dump_class_init(oc: ObjectClass) -> None:
    """Writes packets to a file."""
    class_add_visited_field(oc, "maxlen", "uint32", visit_type_uint32, refuse_zero)
    class_add_str_fields(oc, "file")


def filter_mirror_class_init(oc: ObjectClass) -> None:
    """Copies packets."""
    class_add_str_fields(oc, "outdev")
    class_add_bool_fields(oc, "vnet_hdr_support")


def filter_redirector_class_init(oc: ObjectClass) -> None:
    """Sends packets elsewhere."""
    class_add_str_fields(oc, "indev", "outdev")
    class_add_bool_fields(oc, "vnet_hdr_support")


def filter_replay_class_init(oc: ObjectClass) -> None:
    """Notes packets so that they come again; nothing to choose (QEMU net/filter-replay.c)."""


def colo_rewriter_class_init(oc: ObjectClass) -> None:
    """Makes two machines' packets alike (QEMU net/filter-rewriter.c)."""
    class_add_bool_fields(oc, "vnet_hdr_support")


KINDS: dict[str, Callable[[Any], None]] = {
    "filter-dump": filter_dump_class_init,
    "filter-mirror": filter_mirror_class_init,
    "filter-redirector": filter_redirector_class_init,
    "filter-replay": filter_replay_class_init,
}

type_init(
    TypeInfo(
        TYPE_NETFILTER,
        parent=TYPE_OBJECT,
        instance_struct=NetFilterState,
        abstract=True,
        class_init=netfilter_class_init,
        instance_init=struct_defaults,
        instance_finalize=netfilter_finalize,
        interfaces=(TYPE_USER_CREATABLE,),
    )
)
type_init(
    *(
        TypeInfo(
            name,
            parent=TYPE_NETFILTER,
            class_init=class_init,
            instance_init=struct_defaults,
            instance_finalize=struct_freed,
        )
        for name, class_init in KINDS.items()
    )
)
type_init(TypeInfo("filter-buffer", parent=TYPE_NETFILTER, class_init=filter_buffer_class_init))
type_init(
    TypeInfo(
        "filter-rewriter",
        parent=TYPE_NETFILTER,
        class_init=colo_rewriter_class_init,
        instance_init=struct_defaults,
    )
)
