"""The options that need a function of their own (QEMU softmmu/vl.c).

Each takes the argument to where it ends and returns what it stored there.
"""

from __future__ import annotations

import re
from contextlib import suppress

from pyqemu_edu.process import current_process
from pyqemu_edu.qapi.qjson import qobject_from_json
from pyqemu_edu.qapi.qobject_visitor import KeyvalInputVisitor
from pyqemu_edu.qom.klass import object_class_get_list, object_class_get_name
from pyqemu_edu.softmmu.globals import DeviceOption, statics
from pyqemu_edu.softmmu.object_options import object_option_add_visitor
from pyqemu_edu.softmmu.vl_sinks import machine_merge_property, monitor_parse, no_default, opts_or_exit
from pyqemu_edu.util.config import qemu_config_do_parse, qemu_find_opts, qemu_find_opts_err, qemu_read_config_file
from pyqemu_edu.util.cutils import is_help_option
from pyqemu_edu.util.error import QemuError, QemuExit, cur_loc, error_fatal, error_report
from pyqemu_edu.util.error import statics as messages
from pyqemu_edu.util.keyval import keyval_merge, keyval_parse
from pyqemu_edu.util.option import (
    QemuOpts,
    qemu_opt_get,
    qemu_opt_get_bool,
    qemu_opt_set,
    qemu_opt_set_bool,
    qemu_opts_create,
    qemu_opts_find,
)
from pyqemu_edu.util.option_parse import qemu_opts_parse_noisily
from pyqemu_edu.util.qdict import QDict, qdict_crumple

# --- the four kinds of sink ---


# --- the machine's dictionary ---


# --- devices, consoles, monitors ---


def parse_device(argument: str) -> QemuOpts | DeviceOption:
    """`-device`: into its list, or, in JSON, into a queue."""
    if not argument.startswith("{"):
        return opts_or_exit("device", argument, True)
    option = DeviceOption(qobject_from_json(argument), cur_loc())
    statics().device_opts.append(option)
    return option


def parse_monitor(argument: str) -> QemuOpts | None:
    """`-monitor`, where `none` only turns the default one off."""
    no_default("monitor")
    return None if argument.startswith("none") else monitor_parse(argument, "readline", False)


def vnc_parse(argument: str) -> QemuOpts:
    """`-vnc`: an entry without an id gets one (QEMU ui/vnc.c)."""
    opts = opts_or_exit("vnc", argument, not is_help_option(argument))
    if opts.id is None:
        vnc_auto_assign_id(opts)
    return opts


def vnc_auto_assign_id(opts: QemuOpts) -> None:
    """The first free of `default`, `vnc2`, `vnc3` … (QEMU ui/vnc.c)."""
    id, i = "default", 2
    while qemu_opts_find(opts.list, id):
        id, i = f"vnc{i}", i + 1
    opts.id = id


DISPLAY_TYPES = "default none gtk sdl egl-headless curses cocoa spice-app dbus".split()


def parse_display(argument: str) -> object:
    """`-display`: which window, if any.

    Of the backends we have only `none`; parameters of the others are not looked at.
    """
    if is_help_option(argument):
        current_process().stdout.write("Available display backend types:\nnone\n")
        raise QemuExit(0)
    if argument.startswith("vnc"):
        return parse_display_vnc(argument.removeprefix("vnc"))
    params, _ = keyval_parse(argument, "type")
    return parse_display_qapi(params)


def parse_display_vnc(rest: str) -> QemuOpts:
    """`-display vnc=ADDRESS` is `-vnc ADDRESS`."""
    if not rest.startswith("="):
        error_report("VNC requires a display argument vnc=<display>")
        raise QemuExit(1)
    return vnc_parse(rest[1:])


def parse_display_qapi(params: QDict) -> str:
    """Check the type of display and remember it."""
    if "type" not in params:
        raise QemuError("Parameter 'type' is missing")
    type: str = params.pop("type")
    if type not in DISPLAY_TYPES:
        raise QemuError(f"Parameter 'type' does not accept value '{type}'")
    for name in params if type == "none" else ():
        if name not in ("full-screen", "window-close", "show-cursor", "gl"):
            raise QemuError(f"Parameter '{name}' is unexpected")
    statics().display_type = type
    return type


def parse_nographic(argument: str) -> str:
    """`-nographic`: no window, and serial line and monitor on the terminal."""
    statics().nographic = True
    statics().display_type = "none"
    statics().machine_opts_dict["graphics"] = "off"
    return "graphics=off"


def parse_vga(argument: str) -> str:
    """`-vga`: looked at when the machine is known."""
    no_default("vga")
    statics().vga_model = argument
    return argument


def parse_rotate(argument: str) -> int:
    """`-rotate`: by right angles only."""
    digits = re.match(r"[0-9]+", argument)
    degrees = int(digits[0]) if digits else 0
    if degrees not in (0, 90, 180, 270):
        error_report("only 90, 180, 270 deg rotation is available")
        raise QemuExit(1)
    statics().graphic_rotate = degrees
    return degrees


# --- drives and file systems ---


VIRTFS_TO_FSDEV = ("writeout", "fsdriver", "path", "security_model", "socket", "sock_fd", "readonly", "multidevs")


def parse_virtfs(argument: str) -> QemuOpts:
    """`-virtfs`: short for a `-fsdev` and the `-device` that shows it to the guest."""
    opts = opts_or_exit("virtfs", argument, True)
    mount_tag = qemu_opt_get(opts, "mount_tag")
    if qemu_opt_get(opts, "fsdriver") is None or mount_tag is None:
        error_report("Usage: -virtfs fsdriver,mount_tag=tag")
        raise QemuExit(1)
    fsdev = virtfs_fsdev(opts, mount_tag)
    device = qemu_opts_create(qemu_find_opts("device"), None)
    for name, value in (("driver", "virtio-9p-pci"), ("fsdev", fsdev.id or ""), ("mount_tag", mount_tag)):
        qemu_opt_set(device, name, value)
    return fsdev


def virtfs_fsdev(opts: QemuOpts, mount_tag: str) -> QemuOpts:
    """The `-fsdev` inside a `-virtfs`."""
    try:
        fsdev = qemu_opts_create(qemu_find_opts("fsdev"), opts.id or mount_tag, True)
    except QemuError:
        error_report(f"duplicate or invalid fsdev id: {mount_tag}")
        raise QemuExit(1) from None
    for name in VIRTFS_TO_FSDEV:
        value = qemu_opt_get(opts, name)
        if name == "readonly":
            qemu_opt_set_bool(fsdev, name, qemu_opt_get_bool(opts, name, False))
        elif value is not None:
            qemu_opt_set(fsdev, name, value)
    return fsdev


# --- the rest ---


def parse_accel(argument: str) -> QemuOpts:
    """`-accel`: into its list, or the names of all there are."""
    opts = opts_or_exit("accel", argument, True)
    accel = qemu_opt_get(opts, "accel")
    if not accel or is_help_option(accel):
        print_accelerators()
        raise QemuExit(0)
    return opts


def print_accelerators() -> None:
    """The accelerators that this binary has, but for the one that tests use."""
    stdout = current_process().stdout
    stdout.write("Accelerators supported in QEMU binary:\n")
    for klass in object_class_get_list("accel", False):
        name = object_class_get_name(klass)
        if name.endswith("-accel") and name != "qtest-accel":
            stdout.write(f"{name.removesuffix('-accel')}\n")


def is_qemuopts_group(group: str) -> bool:
    """Whether options of that kind are kept in an option list."""
    return group not in ("object", "machine", "smp-opts", "boot-opts")


_SET = re.compile(r"([^.]{1,63})\.([^.]{1,63})\.([^=]{1,63})=(.*)", re.DOTALL)


def qemu_set_option(argument: str) -> QemuOpts:
    """`-set group.id.name=value`: change what an earlier option stored."""
    match = _SET.fullmatch(argument)
    if match is None:
        raise QemuError(f'can\'t parse: "{argument}"')
    group, id, name, value = match.groups()
    if not is_qemuopts_group(group):
        raise QemuError(f"-set is not supported with {group}")
    opts = qemu_opts_find(qemu_find_opts_err(group), id)
    if opts is None:
        raise QemuError(f'there is no {group} "{id}" defined')
    qemu_opt_set(opts, name, value)
    return opts


_GLOBAL = re.compile(r"([^.=]{1,63})\.([^=]{1,63})=(.*)", re.DOTALL)


def qemu_global_option(argument: str) -> QemuOpts:
    """`-global driver.property=value`, or the three named one by one (QEMU softmmu/qdev-monitor.c)."""
    match = _GLOBAL.fullmatch(argument)
    if match is None:
        return global_option_in_full(argument)
    opts = qemu_opts_create(qemu_find_opts("global"), None)
    for name, value in zip(("driver", "property", "value"), match.groups(), strict=True):
        qemu_opt_set(opts, name, value)
    return opts


def global_option_in_full(argument: str) -> QemuOpts:
    """`-global driver=…,property=…,value=…`, which a driver with a dot in its name needs."""
    opts = opts_or_exit("global", argument, False)
    if any(qemu_opt_get(opts, name) is None for name in ("driver", "property", "value")):
        error_report("options 'driver', 'property', and 'value' are required")
        raise QemuExit(1)
    return opts


def parse_readconfig(argument: str) -> None:
    """`-readconfig`: options from a file."""
    try:
        qemu_read_config_file(argument, qemu_parse_config_group)
    except IsADirectoryError as error:
        raise QemuError(f"Cannot read config file: {error.strerror}") from error
    except OSError as error:
        raise QemuError(f"Could not open '{argument}': {error.strerror}") from error


CONFIG_QEMU_CONFDIR = "/etc/qemu"


def qemu_read_default_config_file() -> None:
    """Options from the host's own configuration file, where there is one."""
    with suppress(FileNotFoundError), error_fatal():
        qemu_read_config_file(f"{CONFIG_QEMU_CONFDIR}/qemu.conf", qemu_parse_config_group)


def qemu_parse_config_group(group: str, qdict: QDict) -> None:
    """Store a group of a configuration file where the option of that name would be stored."""
    if is_qemuopts_group(group):
        qemu_config_do_parse(group, qdict)
        return
    crumpled = qdict_crumple(qdict)
    if isinstance(crumpled, list):
        raise QemuError("Lists cannot be at top level of a configuration section")
    if group == "object":
        object_option_add_visitor(KeyvalInputVisitor(crumpled))
    elif group == "machine":
        keyval_merge(statics().machine_opts_dict, crumpled)
    else:
        machine_merge_property(group.removesuffix("-opts"), crumpled)


def configure_msg(opts: QemuOpts) -> None:
    """`-msg`: what stands before every message from now on."""
    messages().message_with_timestamp = qemu_opt_get_bool(opts, "timestamp", False)
    messages().error_with_guestname = qemu_opt_get_bool(opts, "guest-name", False)


def note_guest_name(opts: QemuOpts) -> None:
    """`-name`: messages may be asked to begin with the guest's (in QEMU a part of `qemu_init`)."""
    messages().error_guest_name = qemu_opt_get(opts, "guest")


def parse_semihosting_config(argument: str) -> QemuOpts:
    """`-semihosting-config`: checked and kept; no guest of ours asks for semihosting (QEMU semihosting/config.c)."""
    opts = qemu_opts_parse_noisily(qemu_find_opts("semihosting-config"), argument, False)
    if opts is None or qemu_opt_get(opts, "target") not in (None, "native", "gdb", "auto"):
        error_report(f"unsupported semihosting-config {argument}")
        raise QemuExit(1)
    return opts


def parse_option_rom(opts: QemuOpts) -> None:
    """`-option-rom` needs a file."""
    if qemu_opt_get(opts, "romfile") is None:
        error_report("Option ROM file is not specified")
        raise QemuExit(1)
    statics().option_rom.append(opts)


def parse_overcommit(opts: QemuOpts) -> None:
    """`-overcommit` is remembered; there is no memory to lock."""
    statics().enable_mlock = qemu_opt_get_bool(opts, "mem-lock", False)
    statics().enable_cpu_pm = qemu_opt_get_bool(opts, "cpu-pm", False)


def parse_watchdog_action(argument: str) -> QemuOpts:
    """`-watchdog-action`: an action, too."""
    opts = qemu_opts_create(qemu_find_opts("action"), None)
    qemu_opt_set(opts, "watchdog", argument)
    return opts


_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")


def parse_uuid(argument: str) -> str:
    """`-uuid`: 36 characters of one form."""
    if _UUID.fullmatch(argument) is None:
        error_report("failed to parse UUID string: wrong format")
        raise QemuExit(1)
    statics().qemu_uuid = argument
    return argument


def parse_echr(argument: str) -> None:
    """`-echr`: the key that speaks to the terminal's multiplexer."""
    digits = re.match(r"0[xX][0-9a-fA-F]+|[0-9]+", argument)
    if digits is None:
        current_process().stdout.write("Bad argument to echr\n")
    else:
        statics().term_escape_char = int(digits[0], 0)


def parse_incoming(argument: str) -> None:
    """`-incoming`: refused, for there is no migration here."""
    error_report(f"unknown migration protocol: {argument}")
    raise QemuExit(1)
