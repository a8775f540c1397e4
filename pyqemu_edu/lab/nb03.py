"""Checks for the exercises of notebook 03, "What is a class before it is a class?" (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Callable

from pyqemu_edu.lab.nb04 import fresh_process
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.process import Process
from pyqemu_edu.qom.klass import object_class_by_name
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_register, type_table_lookup
from pyqemu_edu.util.error import QemuAbort
from pyqemu_edu.view.types import home_slot, type_table

SIZE = 1024


def registered(process: Process, info: TypeInfo) -> str:
    """What the process says when it aborts over `info`, or nothing."""
    with process:
        try:
            type_register(info)
        except QemuAbort as abort:
            return str(abort)
    return ""


# --- exercise 1: a name that is taken


@check
def check_1(info: TypeInfo) -> str:
    """Register `info` in a process that has all types; its name must be taken."""
    if not isinstance(info, TypeInfo):
        raise NotYet("make a TypeInfo.")
    process = fresh_process()
    before = len(type_table(process))
    said = registered(process, info)
    if not said:
        raise NotYet(f"{info.name} was registered: the table has {before + 1} types now. Its name was free.")
    if "already exists" not in said:
        raise NotYet(f"QEMU refused it, but not for its name: {said}")
    return f"QEMU ends with {said!r}. It would do so however different the two types are: only the name counts."


# --- exercise 2: a parent that is missing

STEPS: dict[str, Callable[[TypeInfo], object]] = {
    "register": type_register,
    "look up": lambda info: type_table_lookup(info.name),
    "ask for": lambda info: object_class_by_name(info.name),
}


def fatal_step(info: TypeInfo) -> tuple[str, str]:
    """The first of the steps that aborts, or "none", and what was said."""
    with fresh_process():
        for name, step in STEPS.items():
            try:
                step(info)
            except QemuAbort as abort:
                return name, str(abort)
    return "none", ""


@check
def check_2(info: TypeInfo, answer: str) -> str:
    """Take `info`, whose parent is missing, through `STEPS`; at which of them does QEMU abort?"""
    if not isinstance(info, TypeInfo) or not info.parent:
        raise NotYet("make a TypeInfo that names a parent.")
    if type_table(fresh_process()).lookup(info.parent) is not None:
        raise NotYet(f"{info.parent} is registered. Name a parent that is not.")
    if answer not in (*STEPS, "none"):
        raise NotYet(f"answer with one of {', '.join(STEPS)}, none.")
    step, said = fatal_step(info)
    if answer == step:
        return f"QEMU ends with {said!r}, and not before somebody needs the parent."
    if answer == "none":
        raise NotYet("one of the steps needs the parent itself, and not only its name.")
    if list(STEPS).index(answer) < list(STEPS).index(step):
        raise NotYet(f"the step {answer!r} went well. What does it need to know of the parent?")
    raise NotYet(f"QEMU did not live to see the step {answer!r}: an earlier one ended it.")


# --- exercise 3: where will a name land?


@check
def check_3(name: str, slot: int) -> str:
    """Register a type of this name, when all others are; will it be in `slot`?"""
    process = fresh_process()
    table = type_table(process)
    before = table.slots
    if name in table:
        raise NotYet(f"{name} is in the table already. Think of a new name.")
    registered(process, TypeInfo(name, "object"))
    landed, home = table.slots.index(name), home_slot(name, SIZE)
    if slot == landed:
        way = "its home" if landed == home else f"though its home is {home}, where {before[home]} lives"
        return f"{name} lies in slot {landed}, {way}."
    if slot == home:
        raise NotYet(
            f"slot {home} is its home, but {before[home]} lives there. A newcomer goes on, by 1, then 2, then 3 …"
        )
    if isinstance(slot, int) and 0 <= slot < SIZE and before[slot]:
        raise NotYet(f"in slot {slot} lives {before[slot]}, and nobody is turned out.")
    raise NotYet(f"{name} does not lie in slot {slot}. Where does it look first?")
