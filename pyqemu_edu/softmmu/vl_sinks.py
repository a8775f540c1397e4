"""Where an option ends (QEMU softmmu/vl.c).

In C the second pass over the command line is one big `switch`.  Most of its cases do one of a few things: parse the
argument into an option list, put it into the machine's dictionary, remember it in a variable, queue a device.  Each of
these is a small function here that makes a `Sink`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.chardev.char import qemu_chr_parse_compat
from pyqemu_edu.net.clients import netdev_parse_modern
from pyqemu_edu.softmmu.blockdev import drive_add
from pyqemu_edu.softmmu.datadir import qemu_add_data_dir
from pyqemu_edu.softmmu.globals import DeviceConfig, DeviceConfigType, statics
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.cutils import is_help_option
from pyqemu_edu.util.error import QemuExit, cur_loc, error_printf, error_report
from pyqemu_edu.util.keyval import keyval_merge, keyval_parse
from pyqemu_edu.util.option import (
    QemuOpts,
    QemuOptsList,
    qemu_opt_set,
    qemu_opt_set_bool,
    qemu_opts_create,
)
from pyqemu_edu.util.option_parse import opt_tokens, qemu_opts_parse_noisily, qemu_opts_print_help
from pyqemu_edu.util.qdict import QDict

Store = Callable[[str], Any]


@dataclass(frozen=True, slots=True)
class Sink:
    """A place where options end, in words, and the function that takes one there; it returns what it stored."""

    place: str
    store: Store


def opts_or_exit(name: str, argument: str, permit_abbrev: bool) -> QemuOpts:
    """Parse into a list; whoever got an error or help printed has seen enough."""
    opts = qemu_opts_parse_noisily(qemu_find_opts(name), argument, permit_abbrev)
    if opts is None:
        raise QemuExit(1)
    return opts


def in_list(
    name: str,
    *,
    permit_abbrev: bool = True,
    then: Callable[[QemuOpts], object] | None = None,
) -> Sink:
    """Into the option list of that name; `then` looks at what was parsed."""

    def store(argument: str) -> QemuOpts:
        opts = opts_or_exit(name, argument, permit_abbrev)
        if then is not None:
            then(opts)
        return opts

    return Sink(f"list {name}", store)


def machine_opt(key: str, value: str | None = None) -> Sink:
    """Into `machine_opts_dict`, the argument or a fixed value (Not in QEMU)."""

    def store(argument: str) -> str:
        text = statics().machine_opts_dict[key] = argument if value is None else value
        return f"{key}={text}"

    return Sink("machine_opts_dict", store)


def variable(name: str, value: bool | None = None) -> Sink:
    """Into a variable, the argument or a fixed value."""

    def store(argument: str) -> Any:
        setattr(statics(), name, argument if value is None else value)
        return argument if value is None else value

    return Sink(f"variable {name}", store)


def device_config(type: DeviceConfigType, fixed: str | None = None) -> Sink:
    """Into the queue of devices of the old kind."""
    return Sink("device_configs", lambda argument: add_device_config(type, argument if fixed is None else fixed))


def add_device_config(type: DeviceConfigType, cmdline: str) -> DeviceConfig:
    """Queue a device, and remember where it was asked for."""
    config = DeviceConfig(type, cmdline, cur_loc())
    statics().device_configs.append(config)
    return config


def exit_after(show: Callable[[], object]) -> Sink:
    """Nowhere: show something and end."""

    def store(argument: str) -> None:
        show()
        raise QemuExit(0)

    return Sink("standard output", store)


def machine_merge_property(propname: str, prop: QDict) -> None:
    """Merge what `-smp` or `-boot` says into the machine's dictionary."""
    keyval_merge(statics().machine_opts_dict, {propname: prop})


def machine_parse_property_opt(opts_list: QemuOptsList, propname: str, argument: str) -> QDict:
    """Parse an option that stands for a compound property of the machine; the list only serves for help."""
    prop, help_wanted = keyval_parse(argument, opts_list.implied_opt_name)
    if help_wanted:
        qemu_opts_print_help(opts_list, print_caption=True)
        raise QemuExit(0)
    machine_merge_property(propname, prop)
    return prop


def machine_property(list_name: str, propname: str) -> Sink:
    """Into the machine's dictionary, as one compound property (Not in QEMU)."""
    return Sink(
        f"machine_opts_dict[{propname}]",
        lambda argument: machine_parse_property_opt(qemu_find_opts(list_name), propname, argument),
    )


def no_default(*names: str) -> None:
    """The user takes care of these devices."""
    for name in names:
        assert hasattr(statics().default, name)
        setattr(statics().default, name, False)


def old_port(type: DeviceConfigType, default: str) -> Sink:
    """`-serial` and `-parallel`: `mon:` in front takes the monitor along."""

    def store(argument: str) -> DeviceConfig:
        no_default(default, *(["monitor"] if argument.startswith("mon:") else []))
        return add_device_config(type, argument)

    return Sink("device_configs", store)


def monitor_parse(argument: str, mode: str, pretty: bool) -> QemuOpts:
    """Turn `-monitor` or `-qmp` into a `-chardev` and a `-mon`."""
    if argument.startswith("chardev:"):
        label = argument.removeprefix("chardev:")
    else:
        label = f"compat_monitor{statics().monitor_device_index}"
        if qemu_chr_parse_compat(label, argument, True) is None:
            error_report(f"parse error: {argument}")
            raise QemuExit(1)
    opts = qemu_opts_create(qemu_find_opts("mon"), label, True)
    qemu_opt_set(opts, "mode", mode)
    qemu_opt_set(opts, "chardev", label)
    if mode == "control":
        qemu_opt_set_bool(opts, "pretty", pretty)
    statics().monitor_device_index += 1
    return opts


def qmp(pretty: bool) -> Sink:
    """`-qmp`, `-qmp-pretty`: a monitor that speaks JSON."""

    def store(argument: str) -> QemuOpts:
        opts = monitor_parse(argument, "control", pretty)
        no_default("monitor")
        return opts

    return Sink("list mon", store)


def network(name: str) -> Sink:
    """`-netdev`, `-nic`, `-net`: one of these, and there is no default network (QEMU net/net.c net_client_parse)."""

    def store(argument: str) -> QemuOpts | str:
        no_default("net")
        if name != "netdev" or not netdev_is_modern(argument):
            return opts_or_exit(name, argument, True)
        netdev_parse_modern(argument)
        return argument

    return Sink(f"list {name}", store)


def netdev_is_modern(argument: str) -> bool:
    """Whether `-netdev` describes a device that never was in an option list (QEMU net/net.c)."""
    types = [token.value for token in opt_tokens(argument, "type") if token.name == "type"]
    return argument.startswith("{") or types[-1:] in (["stream"], ["dgram"])


def drive(type: str | None, index: int, optstr: str = "") -> Sink:
    """Into the list of drives, by a short form."""
    return Sink("list drive", lambda argument: drive_add(type, index, argument, optstr))


def action(what: str) -> Sink:
    """Into the list of actions, by a short form."""
    return Sink("list action", lambda argument: opts_or_exit("action", what, False))


def unsupported(what: str) -> Sink:
    """Refused, in our own words: QEMU has this, we have not."""

    def store(argument: str) -> None:
        error_report("not supported by this model of QEMU")
        error_printf(f"{what}\n")
        raise QemuExit(1)

    return Sink("nowhere", store)


def data_dir(argument: str) -> str:
    """`-L`: one more folder to look for firmware in, or the list of all."""
    if is_help_option(argument):
        statics().list_data_dirs = True
    else:
        qemu_add_data_dir(argument)
    return argument
