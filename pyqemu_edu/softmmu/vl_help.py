"""`-version` and `-machine help` (QEMU softmmu/vl.c)."""

from __future__ import annotations

from functools import cmp_to_key

from pyqemu_edu.hw.core.boards import MACHINE_CLASS, TYPE_MACHINE, MachineClass
from pyqemu_edu.process import current_process
from pyqemu_edu.qom.klass import object_class_get_list, object_class_get_name
from pyqemu_edu.qom.object_interfaces import type_print_class_properties
from pyqemu_edu.softmmu.globals import statics
from pyqemu_edu.util.error import QemuExit
from pyqemu_edu.util.keyval import keyval_parse_into
from pyqemu_edu.util.qdict import QDict

QEMU_FULL_VERSION = "7.2.22"


def version() -> None:
    """Print whose behaviour this is, and that it is not the original."""
    current_process().stdout.write(f"QEMU emulator version {QEMU_FULL_VERSION} (re-created by pyqemu_edu)\n")


def machine_list() -> list[MachineClass]:
    """Every machine, newest first: to know them all, every type's class is initialised (Not in QEMU)."""
    return [MACHINE_CLASS(klass) for klass in object_class_get_list(TYPE_MACHINE, False)]


def find_machine(name: str, machines: list[MachineClass]) -> MachineClass | None:
    """The machine of that name or alias."""
    return next((mc for mc in machines if name in (mc.name, mc.alias)), None)


def machine_class_cmp(mc1: MachineClass, mc2: MachineClass) -> int:
    """Families first, by name and each from new to old; then the machines that stand alone, by name."""

    def strcmp(a: str, b: str) -> int:
        return (a > b) - (a < b)

    name1, name2 = object_class_get_name(mc1), object_class_get_name(mc2)
    if mc1.family is None or mc2.family is None:
        alone = (mc1.family is None) - (mc2.family is None)
        return alone or strcmp(name1, name2)
    return strcmp(mc1.family, mc2.family) or strcmp(name2, name1)


def machine_help_func(qdict: QDict) -> None:
    """`-machine help`: the machines; `-machine X,help`: the properties of one."""
    machines = machine_list()
    machine_class = find_machine(qdict["type"], machines) if "type" in qdict else None
    if machine_class is not None:
        type_print_class_properties(object_class_get_name(machine_class))
        return
    stdout = current_process().stdout
    stdout.write("Supported machines are:\n")
    for mc in sorted(machines, key=cmp_to_key(machine_class_cmp)):
        stdout.writelines(machine_help_lines(mc))


def machine_help_lines(mc: MachineClass) -> list[str]:
    """What the list of machines says about one (Not in QEMU as a function)."""
    desc = mc.desc or "(null)"
    alias = [f"{mc.alias:<20} {desc} (alias of {mc.name})\n"] if mc.alias else []
    default = " (default)" if mc.is_default else ""
    deprecated = " (deprecated)" if mc.deprecation_reason else ""
    return [*alias, f"{mc.name:<20} {desc}{default}{deprecated}\n"]


def parse_machine(argument: str) -> QDict:
    """`-machine`: into the machine's dictionary, over what is there; or help."""
    machine_opts = statics().machine_opts_dict
    if keyval_parse_into(machine_opts, argument, "type"):
        machine_help_func(machine_opts)
        raise QemuExit(0)
    return machine_opts
