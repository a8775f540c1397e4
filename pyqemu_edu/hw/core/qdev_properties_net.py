"""Properties of network cards: address and back end (QEMU hw/core/qdev-properties-system.c)."""

from __future__ import annotations

import re
from collections.abc import Iterable

from pyqemu_edu.hw.core.qdev_properties_block import check_prop_still_unset
from pyqemu_edu.hw.core.qdev_property_types import Property, PropertyInfo, object_field_prop_ptr
from pyqemu_edu.net.net import NetClientState, qemu_find_netdev, qemu_mac_strdup_printf
from pyqemu_edu.qapi.visitor import Visitor, visit_type_str
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.util.error import QemuError


def get_mac(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """The address as people write it."""
    visit_type_str(v, name, qemu_mac_strdup_printf(object_field_prop_ptr(obj, prop).load()))


def set_mac(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """Six bytes with five signs between them.  `QemuError`."""
    text = visit_type_str(v, name)
    if not re.fullmatch(r"[0-9a-fA-F]{2}([:-][0-9a-fA-F]{2}){5}", text):
        raise QemuError(f"Property '{object_get_typename(obj)}.{name}' doesn't take value '{text}'")
    object_field_prop_ptr(obj, prop).store(bytes.fromhex(re.sub("[:-]", "", text)))


qdev_prop_macaddr = PropertyInfo("str", get_mac, set_mac, "Ethernet 6-byte MAC Address, example: 52:54:00:12:34:56")


def get_netdev(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """The name of the back end, empty without one."""
    peer: NetClientState | None = object_field_prop_ptr(obj, prop).load()
    visit_type_str(v, name, peer.name if peer is not None else "")


def set_netdev(obj: Object, v: Visitor, name: str, prop: Property) -> None:
    """Connect the card.  `QemuError` if there is no such back end or it has a card already."""
    text = visit_type_str(v, name)
    pointer = object_field_prop_ptr(obj, prop)
    prefix = f"Property '{object_get_typename(obj)}.{name}' can't"
    peer = qemu_find_netdev(text)
    if peer is None:
        raise QemuError(f"{prefix} find value '{text}'")
    if peer.peer is not None:
        raise QemuError(f"{prefix} take value '{text}', it's in use")
    check_prop_still_unset(obj, name, pointer.load(), text, False)
    pointer.store(peer)


qdev_prop_netdev = PropertyInfo("str", get_netdev, set_netdev, "ID of a netdev to use as a backend")


def DEFINE_NIC_PROPERTIES(conf: str) -> Iterable[Property]:
    """What every card has; `conf` is the field that holds a `NICConf` (QEMU include/net/net.h)."""
    return (
        Property("mac", qdev_prop_macaddr, f"{conf}.macaddr"),
        Property("netdev", qdev_prop_netdev, f"{conf}.peer"),
    )
