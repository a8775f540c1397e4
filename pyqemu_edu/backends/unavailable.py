"""Objects that lean on what is not here: a daemon, a keyboard, another machine (Not in QEMU as a module).

Each has QEMU's properties.  Completing it fails in QEMU's words as far as the reference would fail for want of the
thing; where the thing is there, in our own.  They stand in QEMU's ui/input-linux.c, ui/input-barrier.c,
backends/dbus-vmstate.c, scsi/pr-manager-helper.c, softmmu/qtest.c, net/can/ and backends/cryptodev-vhost-user.c.
"""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from functools import partial
from typing import Any

from pyqemu_edu.backends.cryptodev import TYPE_CRYPTODEV_BACKEND, CryptoDevBackend, cryptodev_class
from pyqemu_edu.chardev.char import qemu_chr_find
from pyqemu_edu.qapi.introspect import enum_values
from pyqemu_edu.qom.field_properties import (
    class_add_bool_fields,
    class_add_enum_field,
    class_add_str_fields,
    struct_defaults,
    struct_freed,
)
from pyqemu_edu.qom.klass import object_class_check, object_get_typename
from pyqemu_edu.qom.link import (
    ObjectPropertyLinkFlags,
    object_class_property_add_link,
    object_property_allow_set_link,
)
from pyqemu_edu.qom.property_types import object_class_property_add_str
from pyqemu_edu.qom.qom_qmp_cmds import DeviceNotFound
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.qom.user_creatable import TYPE_USER_CREATABLE, UserCreatableClass
from pyqemu_edu.util.cutils import qemu_strtoi64
from pyqemu_edu.util.error import QemuError

SHRT_MAX = 32767
GRAB_TOGGLE_KEYS = enum_values("GrabToggleKeys")


def not_modelled(obj: Object) -> QemuError:
    """What the reference could use and we cannot."""
    return QemuError(f"type '{object_get_typename(obj)}' does nothing here: what it needs is not modelled")


def user_creatable(oc: ObjectClass) -> UserCreatableClass:
    """The class as one that users may have instances of (QEMU `USER_CREATABLE_CLASS`)."""
    return object_class_check(oc, UserCreatableClass, TYPE_USER_CREATABLE)


def connect(family: int, address: Any, name: str) -> None:
    """Try to reach somebody (QEMU util/qemu-sockets.c)."""
    try:
        with socket.socket(family) as s:
            s.settimeout(1.0)
            s.connect(address)
    except OSError as error:
        raise QemuError(f"Failed to connect to '{name}': {error.strerror or error}") from None


# ---- a keyboard or mouse of the host


@dataclass(eq=False)
class InputLinux(Object):
    """Which of the host's input devices."""

    evdev: str | None = None
    grab_all: bool = False
    repeat: bool = False
    grab_toggle: int = 0


def input_linux_complete(il: InputLinux) -> None:
    """Open it."""
    if il.evdev is None:
        raise QemuError("no input device specified")
    try:
        os.close(os.open(il.evdev, os.O_RDWR))
    except OSError as error:
        raise QemuError(f"Could not open '{il.evdev}': {error.strerror}") from None
    if not il.evdev.startswith("/dev/input/"):
        raise QemuError(f"{il.evdev}: is not an evdev device")
    raise not_modelled(il)


def input_linux_set_evdev(il: InputLinux, value: str) -> None:
    """Setter of `evdev`."""
    if il.evdev:
        raise QemuError("evdev property already set")
    il.evdev = value


def input_linux_class_init(oc: ObjectClass) -> None:
    """Its properties, and what completes it."""
    user_creatable(oc).complete = input_linux_complete
    object_class_property_add_str(oc, "evdev", lambda il: il.evdev or "", input_linux_set_evdev)
    class_add_bool_fields(oc, "grab_all", "repeat")
    class_add_enum_field(oc, "grab-toggle", "GrabToggleKeys", GRAB_TOGGLE_KEYS)


# ---- a keyboard and mouse of another computer


@dataclass(eq=False)
class InputBarrier(Object):
    """Under which name, and from where."""

    name: str | None = None
    server: str = "localhost"
    port: str = "24800"
    x_origin: str = "0"
    y_origin: str = "0"
    width: str = "1920"
    height: str = "1080"


def input_barrier_complete(ib: InputBarrier) -> None:
    """Connect."""
    if ib.name is None:
        raise QemuError("Parameter 'name' is missing")
    port = int(ib.port) if ib.port.isdigit() else 0
    connect(socket.AF_INET, (ib.server, port), f"{ib.server}:{ib.port}")
    raise not_modelled(ib)


def set_coordinate(name: str, ib: InputBarrier, value: str) -> None:
    """Setter of a place or size on the other's screen (QEMU `input_barrier_set_x_origin` and its kin)."""
    try:
        fits = 0 <= qemu_strtoi64(value) <= SHRT_MAX
    except (ValueError, OverflowError):
        fits = False
    if not fits:
        raise QemuError(f"{name} property must be in the range [0..{SHRT_MAX}]")
    setattr(ib, name.replace("-", "_"), value)


def get_coordinate(name: str, ib: InputBarrier) -> str:
    """Getter of one."""
    return str(getattr(ib, name.replace("-", "_")))


def input_barrier_class_init(oc: ObjectClass) -> None:
    """Its properties, and what completes it."""
    user_creatable(oc).complete = input_barrier_complete
    class_add_str_fields(oc, "name", "server", "port")
    for name in ("x-origin", "y-origin", "width", "height"):
        object_class_property_add_str(oc, name, partial(get_coordinate, name), partial(set_coordinate, name))


# ---- daemons


@dataclass(eq=False)
class PRManagerHelper(Object):
    """Who may make reservations on disks."""

    path: str | None = None


def pr_manager_helper_complete(prm: PRManagerHelper) -> None:
    """Connect."""
    connect(socket.AF_UNIX, prm.path or "", prm.path or "")
    raise not_modelled(prm)


def pr_manager_helper_class_init(oc: ObjectClass) -> None:
    """Its property, and what completes it."""
    class_add_str_fields(oc, "path")
    user_creatable(oc).complete = pr_manager_helper_complete


@dataclass(eq=False)
class DBusVMState(Object):
    """Who else has state that must move along."""

    addr: str | None = None
    id_list: str | None = None


def dbus_vmstate_complete(self: DBusVMState) -> None:
    """Connect."""
    if self.addr is None:
        raise QemuError("Parameter 'addr' is missing")
    if ":" not in self.addr:
        why = f"Address element “{self.addr}” does not contain a colon (:)"
        raise QemuError(f"failed to connect to DBus: '{why}'")
    raise not_modelled(self)


def dbus_vmstate_class_init(oc: ObjectClass) -> None:
    """Its properties, and what completes it."""
    user_creatable(oc).complete = dbus_vmstate_complete
    class_add_str_fields(oc, "addr", "id-list")


# ---- somebody at the other end of a character device


@dataclass(eq=False)
class QTest(Object):
    """A test program."""

    chardev: str | None = None
    log: str | None = None


def qtest_set_chardev(q: QTest, value: str) -> None:
    """Setter of `chardev`."""
    if qemu_chr_find(value) is None:
        raise QemuError(f"Cannot find character device '{value}'")
    q.chardev = value


def qtest_complete(q: QTest) -> None:
    """Begin."""
    if q.chardev is None:
        raise QemuError("No backend specified")
    raise not_modelled(q)


def qtest_class_init(oc: ObjectClass) -> None:
    """Its properties, and what completes it."""
    user_creatable(oc).complete = qtest_complete
    object_class_property_add_str(oc, "chardev", lambda q: q.chardev or "", qtest_set_chardev)
    class_add_str_fields(oc, "log")


@dataclass(eq=False)
class CryptoDevBackendVhostUser(CryptoDevBackend):
    """A program that encrypts."""

    chardev: str | None = None


def cryptodev_vhost_user_init(s: CryptoDevBackendVhostUser) -> None:
    """Begin."""
    if s.chardev is None:
        raise QemuError("Parameter 'chardev' expects a valid character device")
    if qemu_chr_find(s.chardev) is None:
        raise DeviceNotFound(f"Device '{s.chardev}' not found")
    raise not_modelled(s)


def cryptodev_vhost_user_class_init(oc: ObjectClass) -> None:
    """Its property, and what opens it."""
    cryptodev_class(oc).init = cryptodev_vhost_user_init
    class_add_str_fields(oc, "chardev")


# ---- a field bus, as cars have it


@dataclass(eq=False)
class CanBusState(Object):
    """The bus; no board here has a card for it."""


@dataclass(eq=False)
class CanHostSocketCAN(Object):
    """The host's bus, connected to ours."""

    canbus: Object | None = None
    ifname: str | None = None


def can_host_complete(ch: CanHostSocketCAN) -> None:
    """Connect."""
    if ch.ifname is None:
        raise QemuError("'if' property not set")
    try:
        with socket.socket(socket.PF_CAN, socket.SOCK_RAW, socket.CAN_RAW) as s:
            s.bind((ch.ifname,))
    except OSError as error:
        raise QemuError(f"failed to create CAN_RAW socket: {error.strerror}") from None
    raise not_modelled(ch)


def can_host_class_init(oc: ObjectClass) -> None:
    """What the host's end takes."""
    object_class_property_add_link(
        oc, "canbus", "can-bus", "canbus", object_property_allow_set_link, ObjectPropertyLinkFlags.STRONG
    )
    user_creatable(oc).complete = can_host_complete


def set_if(ch: CanHostSocketCAN, value: str) -> None:
    """Setter of `if` (QEMU `can_host_socketcan_set_if`)."""
    ch.ifname = value


def can_host_socketcan_class_init(oc: ObjectClass) -> None:
    """What it takes besides."""
    object_class_property_add_str(oc, "if", lambda ch: ch.ifname or "", set_if)


def can_bus_class_init(oc: ObjectClass) -> None:
    """Nothing to choose."""


INIT = {"instance_init": struct_defaults}
FINALIZE = {"instance_finalize": struct_freed}
BOTH = INIT | FINALIZE


def declare(name: str, parent: str, struct: type[Object] | None, **more: Any) -> None:
    """Declare a type; what descends from nothing else may be made by users (Not in QEMU)."""
    interfaces = (TYPE_USER_CREATABLE,) if parent == TYPE_OBJECT else ()
    type_init(TypeInfo(name, parent, struct, interfaces=interfaces, **more))


declare("input-linux", TYPE_OBJECT, InputLinux, class_init=input_linux_class_init, **BOTH)
declare("input-barrier", TYPE_OBJECT, InputBarrier, class_init=input_barrier_class_init, **BOTH)
declare("pr-manager", TYPE_OBJECT, PRManagerHelper, abstract=True)
declare("pr-manager-helper", "pr-manager", None, class_init=pr_manager_helper_class_init, **BOTH)
declare("qtest", TYPE_OBJECT, QTest, class_init=qtest_class_init)
declare("can-bus", TYPE_OBJECT, CanBusState, class_init=can_bus_class_init, **INIT)
declare("can-host", TYPE_OBJECT, CanHostSocketCAN, abstract=True, class_init=can_host_class_init)
declare("can-host-socketcan", "can-host", None, class_init=can_host_socketcan_class_init, **INIT)
declare(
    "cryptodev-vhost-user",
    TYPE_CRYPTODEV_BACKEND,
    CryptoDevBackendVhostUser,
    class_init=cryptodev_vhost_user_class_init,
    **FINALIZE,
)
type_init(
    TypeInfo(
        "dbus-vmstate",
        parent=TYPE_OBJECT,
        instance_struct=DBusVMState,
        class_init=dbus_vmstate_class_init,
        instance_finalize=struct_freed,
        interfaces=(TYPE_USER_CREATABLE, "vmstate-if"),
    )
)
