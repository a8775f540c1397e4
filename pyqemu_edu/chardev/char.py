"""Making character devices: from `-chardev` and from short forms such as `-serial stdio` (QEMU chardev/char.c)."""

from __future__ import annotations

import re
from typing import Any

from pyqemu_edu.chardev.chardev import (
    CHARDEV,
    CHARDEV_GET_CLASS,
    TYPE_CHARDEV,
    TYPE_CHARDEV_MUX,
    Chardev,
    ChardevClass,
    QEMUChrEvent,
    get_chardevs_root,
    qemu_chr_be_can_write,
    qemu_chr_be_event,
    qemu_chr_be_push,
    qemu_chr_be_write,
    qemu_chr_write,
    qemu_create,
    statics,
)
from pyqemu_edu.qom.klass import (
    module_object_class_by_name,
    object_class_check,
    object_class_dynamic_cast,
    object_class_foreach,
    object_class_get_name,
    object_class_is_abstract,
)
from pyqemu_edu.qom.link import object_property_try_add_child
from pyqemu_edu.qom.object import object_new, object_unparent, object_unref
from pyqemu_edu.qom.path import object_resolve_path_component
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.error import QemuError, error_report, error_report_err, warn_report
from pyqemu_edu.util.option import (
    QemuOpts,
    qemu_opt_get,
    qemu_opt_get_bool,
    qemu_opt_set,
    qemu_opts_create,
    qemu_opts_del,
)
from pyqemu_edu.util.option_parse import qemu_opts_do_parse
from pyqemu_edu.util.qemu_print import qemu_printf

__all__ = [
    "Chardev",
    "QEMUChrEvent",
    "qemu_chr_be_can_write",
    "qemu_chr_be_event",
    "qemu_chr_be_push",
    "qemu_chr_be_write",
    "qemu_chr_find",
    "qemu_chr_new",
    "qemu_chr_new_from_opts",
    "qemu_chr_new_mux_mon",
    "qemu_chr_parse_compat",
    "qemu_chr_write",
]

# ---- making back ends


def char_get_class(driver: str) -> ChardevClass:
    """The class of the back ends that users call `driver`."""
    oc = module_object_class_by_name(f"chardev-{driver}")
    if object_class_dynamic_cast(oc, TYPE_CHARDEV) is None:
        raise QemuError(f"'{driver}' is not a valid char driver name")
    cc = object_class_check(oc, ChardevClass, TYPE_CHARDEV)
    if object_class_is_abstract(cc):
        raise QemuError("Parameter 'driver' expects a non-abstract device type")
    if cc.internal:
        raise QemuError(f"'{driver}' is not a valid char driver name")
    return cc


def chardev_alias_translate(name: str) -> str:
    """The name that replaced an old one, with a warning the first time."""
    typename = {"parport": "parallel", "tty": "serial"}.get(name, name)
    if typename != name and name not in statics().warned_aliases:
        statics().warned_aliases.add(name)
        warn_report(f"The alias '{name}' is deprecated, use '{typename}' instead")
    return typename


def qemu_chr_new_from_opts(opts: QemuOpts) -> Chardev | None:
    """The back end that `-chardev` describes; None after `help`.  `QemuError` if there is no such thing."""
    name = chardev_alias_translate(qemu_opt_get(opts, "backend") or "")
    if name in ("help", "?"):
        qemu_printf(chardev_help())
        return None
    if opts.id is None:
        raise QemuError("chardev: no id specified")
    if not name:
        raise QemuError(f'chardev: "{opts.id}" missing backend')
    cc = char_get_class(name)
    backend = qemu_chr_parse_opts(cc, opts)
    if not qemu_opt_get_bool(opts, "mux", False):
        return qemu_chardev_new(opts.id, object_class_get_name(cc), backend)
    base = qemu_chardev_new(f"{opts.id}-base", object_class_get_name(cc), backend)
    try:
        return qemu_chardev_new(opts.id, TYPE_CHARDEV_MUX, {"chardev": base.label})
    except QemuError:
        object_unparent(base)
        raise


def chardev_names() -> list[str]:
    """What kinds of back ends there are, in the order of the table of types (QEMU `chardev_name_foreach`)."""
    names: list[str] = []
    object_class_foreach(
        lambda klass: None if getattr(klass, "internal", False) else names.append(object_class_get_name(klass)[8:]),
        TYPE_CHARDEV,
        include_abstract=False,
    )
    return names


def chardev_help() -> str:
    """The same for people (Not in QEMU as a function)."""
    return "Available chardev backend types: " + "".join(f"\n  {name}" for name in chardev_names()) + "\n"


def qemu_chr_parse_opts(cc: ChardevClass, opts: QemuOpts) -> dict[str, Any]:
    """The options as the kind of back end wants them, with those that all have."""
    backend = cc.parse(opts) if cc.parse is not None else {}
    backend["logfile"] = qemu_opt_get(opts, "logfile")
    backend["logappend"] = qemu_opt_get_bool(opts, "logappend", False)
    return backend


def qemu_chardev_new(id: str, typename: str, backend: dict[str, Any]) -> Chardev:
    """A back end, open, in /chardevs."""
    chr = chardev_new(id, typename, backend)
    try:
        object_property_try_add_child(get_chardevs_root(), id, chr)
    finally:
        object_unref(chr)
    return chr


def chardev_new(id: str, typename: str, backend: dict[str, Any]) -> Chardev:
    """A back end, open."""
    chr = CHARDEV(object_new(typename))
    chr.label = id
    try:
        be_opened = qemu_char_open(chr, backend)
    except QemuError:
        object_unref(chr)
        raise
    chr.filename = chr.filename or typename.removeprefix("chardev-")
    if be_opened:
        qemu_chr_be_event(chr, QEMUChrEvent.OPENED)
    return chr


def qemu_char_open(chr: Chardev, backend: dict[str, Any]) -> bool:
    """Open the log if there is to be one, then whatever kind it is; is it open at once?"""
    logfile = backend.get("logfile")
    if logfile:
        chr.logfile = qemu_create(logfile, append=backend.get("logappend", False))
    open_ = CHARDEV_GET_CLASS(chr).open
    return open_(chr, backend) if open_ is not None else True


def qemu_chr_find(name: str) -> Chardev | None:
    """The back end of that name."""
    obj = object_resolve_path_component(get_chardevs_root(), name)
    return CHARDEV(obj) if obj is not None else None


def qemu_chr_is_busy(s: Chardev) -> bool:
    """Does a front end use it already?"""
    return s.be is not None


# ---- from the short form: -serial stdio


PLAIN_NAMES = ("null", "pty", "msmouse", "wctablet", "braille", "testdev", "stdio")


def short_form(filename: str) -> dict[str, str] | None:
    """The options that a short form stands for; None if it is none.  Left out: `telnet:`, `udp:` and their kin."""
    if filename in PLAIN_NAMES:
        return {"backend": filename}
    if filename.startswith("vc"):
        return vc_form(filename[2:])
    for prefix in ("file", "pipe"):
        if filename.startswith(f"{prefix}:"):
            return {"backend": prefix, "path": filename.removeprefix(f"{prefix}:")}
    if filename.startswith("tcp:"):
        return tcp_form(filename.removeprefix("tcp:"))
    if filename.startswith("unix:"):
        return {"backend": "socket", "": filename.removeprefix("unix:")}
    for start, backend in (("/dev/parport", "parallel"), ("/dev/ppi", "parallel"), ("/dev/", "serial")):
        if filename.startswith(start):
            return {"backend": backend, "path": filename}
    return None


def tcp_form(address: str) -> dict[str, str]:
    """`host:port`, perhaps with options behind a comma; nothing if that cannot be read."""
    match = re.match(r"([^:]{1,64}):([^,]{1,32})|:([^,]{1,32})", address)
    if match is None:
        return {}
    rest = address[match.end() :]
    values = {"backend": "socket", "host": match[1] or "", "port": match[2] or match[3]}
    return values | ({"": rest[1:]} if rest.startswith(",") else {})


def vc_form(size: str) -> dict[str, str]:
    """`vc`, a text console in a window, with its size in pixels or, with C behind the numbers, in characters.

    Nothing if the size cannot be read, of which QEMU says nothing either.
    """
    if not size.startswith(":"):
        return {"backend": "vc"}
    match = re.match(r":(\d{1,7})(C?)x(\d{1,7})(C?)", size)
    if match is None or match[2] != match[4]:
        return {}
    width, height = ("cols", "rows") if match[2] else ("width", "height")
    return {"backend": "vc", width: match[1], height: match[3]}


def qemu_chr_parse_compat(label: str, filename: str, permit_mux_mon: bool) -> QemuOpts | None:
    """The options that a short form stands for, in the list `chardev`; None, with a message, if it is none."""
    opts = qemu_opts_create(qemu_find_opts("chardev"), label, True)
    device = filename
    if device.startswith("mon:"):
        if not permit_mux_mon:
            error_report("mon: isn't supported in this context")
            qemu_opts_del(opts)
            return None
        device = device.removeprefix("mon:")
        qemu_opt_set(opts, "mux", "on")
        if device == "stdio":
            qemu_opt_set(opts, "signal", "off")
    values = short_form(device)
    if not values:
        if values is None:
            error_report(f"'{device}' is not a valid char driver")
        qemu_opts_del(opts)
        return None
    try:
        for name, value in values.items():
            if name:
                qemu_opt_set(opts, name, value)
            else:
                qemu_opts_do_parse(opts, value, "path")
    except QemuError as error:
        error_report_err(error)
        qemu_opts_del(opts)
        return None
    return opts


def qemu_chr_new_noreplay(label: str, filename: str, permit_mux_mon: bool) -> Chardev | None:
    """The back end that a short form means; None, with a message, if there is none."""
    if filename.startswith("chardev:"):
        return qemu_chr_find(filename.removeprefix("chardev:"))
    opts = qemu_chr_parse_compat(label, filename, permit_mux_mon)
    if opts is None:
        return None
    try:
        chr = qemu_chr_new_from_opts(opts)
        monitor_init_hmp = statics().monitor_init_hmp
        if chr is not None and qemu_opt_get_bool(opts, "mux", False) and monitor_init_hmp is not None:
            monitor_init_hmp(chr, True)
        return chr
    except QemuError as error:
        error_report_err(error)
        return None
    finally:
        qemu_opts_del(opts)


def qemu_chr_new(label: str, filename: str) -> Chardev | None:
    """The same without `mon:`."""
    return qemu_chr_new_noreplay(label, filename, False)


def qemu_chr_new_mux_mon(label: str, filename: str) -> Chardev | None:
    """The same with `mon:` allowed: the line is shared with a monitor."""
    return qemu_chr_new_noreplay(label, filename, True)
