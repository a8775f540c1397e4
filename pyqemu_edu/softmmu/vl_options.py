"""The two passes over the command line, and where each option ends (QEMU softmmu/vl.c).

`SINKS` is the second pass: what in C is a `switch` of 110 cases.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from pyqemu_edu.process import current_process
from pyqemu_edu.softmmu.blockdev import blockdev_option_parse
from pyqemu_edu.softmmu.globals import DeviceConfigType
from pyqemu_edu.softmmu.object_options import object_option_parse
from pyqemu_edu.softmmu.options_def import QEMU_OPTIONS, SECTIONS, QEMUOption
from pyqemu_edu.softmmu.vl_help import parse_machine, version
from pyqemu_edu.softmmu.vl_parse import (
    configure_msg,
    note_guest_name,
    parse_accel,
    parse_device,
    parse_display,
    parse_echr,
    parse_incoming,
    parse_monitor,
    parse_nographic,
    parse_option_rom,
    parse_overcommit,
    parse_readconfig,
    parse_rotate,
    parse_semihosting_config,
    parse_uuid,
    parse_vga,
    parse_virtfs,
    parse_watchdog_action,
    qemu_global_option,
    qemu_set_option,
    vnc_parse,
)
from pyqemu_edu.softmmu.vl_sinks import (
    Sink,
    action,
    data_dir,
    device_config,
    drive,
    exit_after,
    in_list,
    machine_opt,
    machine_property,
    network,
    no_default,
    old_port,
    qmp,
    unsupported,
    variable,
)
from pyqemu_edu.trace.control import trace_opt_parse
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import Location, QemuExit, error_fatal, error_report, loc_push
from pyqemu_edu.util.guest_random import qemu_guest_random_seed_main
from pyqemu_edu.util.log import qemu_set_dfilter_ranges

HD_OPTS = "media=disk"
CDROM_OPTS = "media=cdrom"

option_stored = Event("option_stored", "option", "argument", "sink", "stored")


def help() -> None:
    """Print every option of our target and where it ends; QEMU prints what it means, in some hundred lines."""
    version()
    stdout = current_process().stdout
    stdout.write("usage: qemu-system-riscv64 [options] [disk_image]\n")
    for title, section in SECTIONS.items():
        options = [QEMU_OPTIONS[word.removesuffix("=")] for word in section.split()]
        lines = [help_line(option) for option in options if option.supported]
        stdout.write("".join([f"\n{title}:\n", *lines]) if lines else "")


def help_line(option: QEMUOption) -> str:
    """One option, and where it ends."""
    usage = f"-{option.name} ARGUMENT" if option.has_arg else f"-{option.name}"
    return f"{usage:<30} {SINKS[option.name].place}\n"


NO_PROCESS = unsupported("There is no process here to send to the background or lock in.")
NO_QTEST = unsupported("There is no test protocol here.")
NO_MIGRATION = unsupported("There are no snapshots here.")
NO_SOUND = unsupported("There is no sound here.")

# fmt: off
SINKS: dict[str, Sink] = {
    # the machine
    "machine":            Sink("machine_opts_dict", parse_machine),
    "M":                  Sink("machine_opts_dict", parse_machine),
    "cpu":                variable("cpu_option"),
    "accel":              Sink("list accel", parse_accel),
    "enable-kvm":         machine_opt("accel", "kvm"),
    "smp":                machine_property("smp-opts", "smp"),
    "boot":               machine_property("boot-opts", "boot"),
    "m":                  in_list("memory"),
    "mem-path":           variable("mem_path"),
    "mem-prealloc":       variable("mem_prealloc", True),
    "numa":               in_list("numa"),
    "kernel":             machine_opt("kernel"),
    "initrd":             machine_opt("initrd"),
    "append":             machine_opt("append"),
    "dtb":                machine_opt("dtb"),
    "bios":               machine_opt("firmware"),
    "usb":                machine_opt("usb", "on"),
    "no-acpi":            machine_opt("acpi", "off"),
    "no-hpet":            machine_opt("hpet", "off"),
    # devices and objects
    "device":             Sink("list device", parse_device),
    "object":             Sink("object_opts", object_option_parse),
    "global":             Sink("list global", qemu_global_option),
    "set":                Sink("an earlier option", qemu_set_option),
    "fw_cfg":             in_list("fw_cfg"),
    "option-rom":         in_list("option-rom", then=parse_option_rom),
    "tpmdev":             in_list("tpmdev"),
    "usbdevice":          device_config(DeviceConfigType.USB),
    # drives and file systems
    "drive":              in_list("drive", permit_abbrev=False),
    "hda":                drive(None, 0, HD_OPTS),
    "hdb":                drive(None, 1, HD_OPTS),
    "hdc":                drive(None, 2, HD_OPTS),
    "hdd":                drive(None, 3, HD_OPTS),
    "cdrom":              drive(None, 2, CDROM_OPTS),
    "fda":                drive("floppy", 0),
    "fdb":                drive("floppy", 1),
    "mtdblock":           drive("mtd", -1),
    "sd":                 drive("sd", -1),
    "pflash":             drive("pflash", -1),
    "blockdev":           Sink("blockdev_opts", blockdev_option_parse),
    "snapshot":           variable("snapshot", True),
    "iscsi":              in_list("iscsi", permit_abbrev=False),
    "fsdev":              in_list("fsdev"),
    "virtfs":             Sink("lists virtfs, fsdev, device", parse_virtfs),
    # network
    "netdev":             network("netdev"),
    "nic":                network("nic"),
    "net":                network("net"),
    # consoles and monitors
    "chardev":            in_list("chardev"),
    "serial":             old_port(DeviceConfigType.SERIAL, "serial"),
    "parallel":           old_port(DeviceConfigType.PARALLEL, "parallel"),
    "debugcon":           device_config(DeviceConfigType.DEBUGCON),
    "monitor":            Sink("lists chardev, mon", parse_monitor),
    "qmp":                qmp(pretty=False),
    "qmp-pretty":         qmp(pretty=True),
    "mon":                in_list("mon", then=lambda opts: no_default("monitor")),
    "gdb":                device_config(DeviceConfigType.GDB),
    "s":                  device_config(DeviceConfigType.GDB, "tcp::1234"),
    "echr":               Sink("variable term_escape_char", parse_echr),
    "semihosting":        variable("semihosting", True),
    "semihosting-config": Sink("list semihosting-config", parse_semihosting_config),
    # display and sound
    "display":            Sink("variable display_type", parse_display),
    "nographic":          Sink("machine_opts_dict", parse_nographic),
    "vnc":                Sink("list vnc", vnc_parse),
    "vga":                Sink("variable vga_model", parse_vga),
    "full-screen":        variable("full_screen", True),
    "portrait":           Sink("variable graphic_rotate", lambda argument: parse_rotate("90")),
    "rotate":             Sink("variable graphic_rotate", parse_rotate),
    "k":                  variable("keyboard_layout"),
    "spice":              unsupported("There is no display here."),
    "audio":              NO_SOUND,
    "audiodev":           NO_SOUND,
    "audio-help":         NO_SOUND,
    # how it runs
    "S":                  variable("autostart", False),
    "nodefaults":         variable("has_defaults", False),
    "preconfig":          variable("preconfig_requested", True),
    "icount":             in_list("icount"),
    "rtc":                in_list("rtc", permit_abbrev=False),
    "name":               in_list("name", then=note_guest_name),
    "uuid":               Sink("variable qemu_uuid", parse_uuid),
    "seed":               Sink("random numbers", qemu_guest_random_seed_main),
    "action":             in_list("action", permit_abbrev=False),
    "no-reboot":          action("reboot=shutdown"),
    "no-shutdown":        action("shutdown=pause"),
    "watchdog-action":    Sink("list action", parse_watchdog_action),
    "singlestep":         variable("singlestep", True),
    "loadvm":             NO_MIGRATION,
    "incoming":           Sink("nowhere", parse_incoming),
    "only-migratable":    variable("only_migratable", True),
    "dump-vmstate":       NO_MIGRATION,
    # what it tells
    "d":                  variable("log_mask"),
    "D":                  variable("log_file"),
    "dfilter":            Sink("the log's address ranges", qemu_set_dfilter_ranges),
    "trace":              in_list("trace", then=trace_opt_parse),
    "msg":                in_list("msg", permit_abbrev=False, then=configure_msg),
    "plugin":             unsupported("Plugins are machine code of the host."),
    # the process
    "L":                  Sink("the data folders", data_dir),
    "readconfig":         Sink("lists and machine_opts_dict", parse_readconfig),
    "no-user-config":     Sink("the first pass", lambda argument: None),
    "overcommit":         in_list("overcommit", permit_abbrev=False, then=parse_overcommit),
    "add-fd":             in_list("add-fd", permit_abbrev=False),
    "sandbox":            in_list("sandbox"),
    "compat":             unsupported("No interface here is deprecated."),
    "pidfile":            variable("pid_file"),
    "daemonize":          NO_PROCESS,
    "chroot":             NO_PROCESS,
    "runas":              NO_PROCESS,
    "async-teardown":     NO_PROCESS,
    "enable-sync-profile": unsupported("Locks are not profiled."),
    "qtest":              NO_QTEST,
    "qtest-log":          NO_QTEST,
    "h":                  exit_after(help),
    "help":               exit_after(help),
    "version":            exit_after(version),
}
# fmt: on


@dataclass(frozen=True, slots=True)
class Given:
    """One option as it stands on the command line; a word without a dash is a disk image and no option."""

    option: QEMUOption | None
    argument: str
    loc: Location


def lookup_opt(argv: Sequence[str], optind: int) -> tuple[Given, int]:
    """The option that stands at `optind`, its argument, and where the next one stands; `--foo` is `-foo`."""
    word = argv[optind]
    option = QEMU_OPTIONS.get(word[2:] if word.startswith("--") else word[1:])
    if option is None:
        _refuse(Location(word), "invalid option")
    assert option is not None
    if not option.has_arg:
        return Given(option, "", Location(word)), optind + 1
    if optind + 1 >= len(argv):
        _refuse(Location(word), "requires an argument")
    argument = argv[optind + 1]
    return Given(option, argument, Location(word, argument) if argument else Location(f"{word} ")), optind + 2


def _refuse(loc: Location, message: str) -> None:
    with loc_push(loc):
        error_report(message)
    raise QemuExit(1)


def options(argv: Sequence[str]) -> Iterator[Given]:
    """What stands on the command line, from left to right."""
    optind = 1
    while optind < len(argv):
        if argv[optind].startswith("-"):
            given, optind = lookup_opt(argv, optind)
        else:
            given, optind = Given(None, argv[optind], Location(argv[optind])), optind + 1
        yield given


def first_pass(argv: Sequence[str]) -> bool:
    """Refuse unknown options; whether the user's configuration file is to be read."""
    names = [given.option.name for given in options(argv) if given.option]
    return "no-user-config" not in names


def second_pass(argv: Sequence[str]) -> None:
    """Take each option to where it ends."""
    for given in options(argv):
        with loc_push(given.loc), error_fatal():
            store(given)


def store(given: Given) -> None:
    """Take one option to where it ends."""
    if given.option is None:
        name, sink = "", drive(None, 0, HD_OPTS)
    else:
        if not given.option.supported:
            _refuse(given.loc, "Option not supported for this target")
        name, sink = given.option.name, SINKS[given.option.name]
    stored = sink.store(given.argument)
    if option_stored:
        option_stored(name, given.argument, sink.place, stored)
