"""Checks for the exercises of notebook 01, "Where do sixty words of command line go?" (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.process import Process
from pyqemu_edu.softmmu.vl_options import SINKS
from pyqemu_edu.util import config
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.option import QemuOpts, QemuOptsList
from pyqemu_edu.util.option_parse import qemu_opts_parse
from pyqemu_edu.vm import CommandLineError, Qemu

# --- exercise 1: route five options

KINDS = ("list", "dictionary", "variable", "queue")
PLACES = {"list": "list", "machine_opts_dict": "dictionary", "variable": "variable", "device_configs": "queue"}
SECOND_LOOK = {
    ("-smp", "list"): "there is a list of that kind, but nothing is ever stored in it: it prints the help.",
    ("-cpu", "list"): "no list describes it: what may follow the comma depends on the CPU.",
    ("-cpu", "dictionary"): "the CPU's name is no property of the machine; it waits until the accelerator is known.",
    ("-serial", "list"): "it is older than lists: what it asks for is made into a -chardev when its turn comes.",
    ("-kernel", "variable"): "it was one, long ago; now the machine has a property of that name.",
}


def kind_of_place(option: str) -> str:
    """The kind of place where the machine's own table takes an option."""
    return PLACES[SINKS[option.lstrip("-")].place.partition("[")[0].partition(" ")[0]]


@check
def check_1(routes: Mapping[str, str]) -> str:
    """Compare a table of option and kind of place with the one that the second pass works by."""
    for option, kind in routes.items():
        if kind not in KINDS:
            raise NotYet(f"{option}: choose one of {', '.join(KINDS)}.")
    wrong = [option for option, kind in routes.items() if kind != kind_of_place(option)]
    if wrong:
        option = wrong[0]
        reason = SECOND_LOOK.get((option, routes[option]), "give it to a Qemu and look at its word_routes.")
        raise NotYet(f"{len(wrong)} of {len(routes)} went elsewhere. {option} to a {routes[option]}? {reason}")
    return "each goes where you say."


# --- exercise 2: a list with typed fields

WANTED = {"kind": ("espresso", None), "cups": ("0x10", 16), "milk": ("off", False), "water": ("1.5k", 1536)}


def stored(options: QemuOptsList, text: str) -> QemuOpts:
    """Parse `text` as one occurrence of the option."""
    try:
        return qemu_opts_parse(options, text, permit_abbrev=bool(options.implied_opt_name))
    except QemuError as error:
        raise NotYet(f"-coffee {text} is refused: {error}") from None


@check
def check_2(coffee: QemuOptsList) -> str:
    """Parse good and bad text into `coffee`, and look at what is stored."""
    pot = replace(coffee, head=[])
    with Process():
        opts = stored(pot, ",".join(["espresso", *(f"{name}={text}" for name, (text, _) in list(WANTED.items())[1:])]))
        compare_fields(opts)
        refuses_sugar(replace(coffee, head=[]))
        stored(pot, "milk=on")
    if len(pot.head) != 1:
        raise NotYet(f"two -coffee made {len(pot.head)} entries; -m 64 -m 128 makes one.")
    return "typed, checked, and one pot."


def compare_fields(opts: QemuOpts) -> None:
    """Say which field is not stored as wanted."""
    found = {opt.name: (opt.str, opt.value) for opt in opts}
    for name, (text, value) in WANTED.items():
        if name not in found:
            raise NotYet(f"nothing is stored as {name!r}; stored are {', '.join(map(repr, found))}.")
        if found[name] != (text, value):
            raise NotYet(f"{name}={found[name][0]} has the typed value {found[name][1]!r}. What is its type?")


def refuses_sugar(options: QemuOptsList) -> None:
    """A list that describes something accepts nothing else."""
    try:
        qemu_opts_parse(options, "espresso,sugar=2", permit_abbrev=True)
    except QemuError:
        return
    raise NotYet("-coffee espresso,sugar=2 is accepted: a list without descriptions accepts anything.")


# --- exercise 3: repair a command line

BROKEN = "-machine spike,usb -m 64MB -smp 4,sockets=2,cores=3 -chardev null,id=log -chardev null,id=log -display none"


@check
def check_3(line: str) -> str:
    """Start a QEMU with `line`, and compare its machine with the one that was wanted."""
    try:
        vm = Qemu(line, record=False)
    except CommandLineError as error:
        raise NotYet(f"QEMU does not take it: {error}") from None
    try:
        compare_machine(vm)
    finally:
        vm.close()
    return "QEMU starts it, and it is the machine that was wanted."


def compare_machine(vm: Qemu) -> None:
    """Say in what the machine is another one than was wanted."""
    machine = vm.machine
    found = {
        "machine": machine.klass.type.name if machine.klass else "none",
        "usb": machine.usb,
        "MiB of RAM": machine.ram_size / 2**20,
        "harts": len(vm.harts),
        "sockets": machine.smp.sockets,
        "character devices": len([o for o in config_entries(vm, "chardev") if not (o.id or "").startswith("compat")]),
    }
    wanted = {"machine": "spike-machine", "usb": True, "MiB of RAM": 64, "harts": 4, "sockets": 2}
    for what, value in {**wanted, "character devices": 2}.items():
        if found[what] != value:
            raise NotYet(f"it starts, but {what}: {found[what]}; wanted: {value}.")


def config_entries(vm: Qemu, name: str) -> list[QemuOpts]:
    """What a QEMU has stored in the list of that name."""
    lists = vm.process.statics_of(config.Statics).vm_config_groups
    return next(each.head for each in lists if each.name == name)
