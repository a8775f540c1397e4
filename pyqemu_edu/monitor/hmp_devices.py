"""Commands for people that make devices, objects and lines, and look at them (QEMU monitor/hmp-cmds.c)."""

from __future__ import annotations

from pyqemu_edu.chardev import char_cmds
from pyqemu_edu.chardev.char_ringbuf import qmp_ringbuf_read, qmp_ringbuf_write
from pyqemu_edu.monitor.monitor import Monitor
from pyqemu_edu.qapi.qobject_visitor import KeyvalInputVisitor
from pyqemu_edu.qapi.visit import visit_type
from pyqemu_edu.qom.object_interfaces import (
    type_print_class_properties,
    user_creatable_add_qapi,
    user_creatable_print_types,
)
from pyqemu_edu.softmmu.qdev_help import qdev_print_devinfos
from pyqemu_edu.softmmu.qdev_unplug import qmp_device_add
from pyqemu_edu.util.keyval import keyval_parse
from pyqemu_edu.util.qdict import QDict


def hmp_device_add(mon: Monitor, args: QDict) -> None:
    """`device_add driver[,prop=value]` (QEMU softmmu/qdev-monitor.c)."""
    qmp_device_add(args, may_ask=True)


def hmp_info_qdm(mon: Monitor, args: QDict) -> None:
    """`info qdm`: all devices, also those that users cannot make (QEMU softmmu/qdev-monitor.c)."""
    qdev_print_devinfos(True)


def hmp_object_add(mon: Monitor, args: QDict) -> None:
    """`object_add type,id=id[,prop=value]` (QEMU qom/object_interfaces.c: `user_creatable_add_from_str`)."""
    options, help_wanted = keyval_parse(args["object"], "qom-type")
    if not help_wanted:
        user_creatable_add_qapi(visit_type(KeyvalInputVisitor(options), None, "ObjectOptions"))
    elif not type_print_class_properties(options.get("qom-type", "")):
        user_creatable_print_types()


# --- character devices


def hmp_chardev_add(mon: Monitor, args: QDict) -> None:
    """`chardev-add backend,id=id`."""
    char_cmds.hmp_chardev_add(args["args"])


def hmp_chardev_change(mon: Monitor, args: QDict) -> None:
    """`chardev-change id backend`."""
    char_cmds.hmp_chardev_change(args["id"], args["args"])


def hmp_ringbuf_write(mon: Monitor, args: QDict) -> None:
    """`ringbuf_write device text`."""
    qmp_ringbuf_write(args["device"], args["data"].encode(errors="surrogateescape"))


def hmp_ringbuf_read(mon: Monitor, args: QDict) -> str:
    """`ringbuf_read device size`: what cannot be printed is written as a number."""
    return "".join(map(visible, qmp_ringbuf_read(args["device"], args["size"]).decode(errors="replace"))) + "\n"


def visible(char: str) -> str:
    """A character, or what stands for it (in QEMU a part of `hmp_ringbuf_read`)."""
    if char == "\\":
        return "\\\\"
    return f"\\u{ord(char):04X}" if (char < " " and char not in "\n\t") or char == "\x7f" else char
