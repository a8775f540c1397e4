"""Checks for the exercises of notebook 05, "Which machine?" (Not in QEMU)."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

from pyqemu_edu import modules
from pyqemu_edu.hw.core.boards import MACHINE_CLASS, TYPE_MACHINE, MachineClass
from pyqemu_edu.lab.nb04 import fresh_process
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.process import Process
from pyqemu_edu.qom.klass import object_class_by_name, object_class_dynamic_cast
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_register
from pyqemu_edu.qom.zoo import run_program_constructors
from pyqemu_edu.softmmu.vl_help import machine_help_func, machine_list
from pyqemu_edu.softmmu.vl_machine import select_machine
from pyqemu_edu.util.error import QemuAbort, QemuError
from pyqemu_edu.util.module import ModuleInitType, module_call_init

# --- exercise 1: a machine that becomes the default


@check
def check_1(info: TypeInfo) -> str:
    """Register `info` where spike is no default any more; is it chosen when nobody is named?"""
    require_type(info)
    with fresh_process():
        MACHINE_CLASS(object_class_by_name("spike-machine")).is_default = False
        try:
            type_register(info)
            chosen = select_machine({})
        except QemuAbort as abort:
            raise NotYet(f"QEMU aborted. {reason(abort)}") from None
        except QemuError as error:
            raise NotYet(f"QEMU says {error.message!r}. {why_not_chosen(info)}") from None
        return f"nobody was named, and QEMU chose {chosen.name}."


def require_type(info: object) -> None:
    """What is registered is a `TypeInfo`."""
    if not isinstance(info, TypeInfo):
        raise NotYet("give me a TypeInfo.")


def reason(abort: QemuAbort) -> str:
    """What an abort means for whoever wrote a machine's type."""
    text = str(abort)
    if "has_suffix" in text:
        return "machine_class_base_init makes the machine's name out of its type's, and looks for the ending of it."
    if "Multiple default machines" in text:
        return "There were two defaults."
    return text


def why_not_chosen(info: TypeInfo) -> str:
    """Which of the conditions on a default machine is not met."""
    klass = object_class_by_name(info.name)
    if object_class_dynamic_cast(klass, TYPE_MACHINE) is None:
        return f"The class of {info.name} cannot be cast to machine, so it never came into the list."
    if klass is not None and klass.type.abstract:
        return f"{info.name} is abstract, and the list is asked for without abstract types."
    return f"{info.name} is in the list, but nothing in its class says that it is the default."


# --- exercise 2: two defaults, without a hook


@check
def check_2(info: TypeInfo) -> str:
    """Register `info`, which has no hooks, and choose without a name: QEMU must abort."""
    require_type(info)
    if info.class_init or info.class_base_init:
        raise NotYet(f"{info.name} has a hook; this time the TypeInfo alone must do it.")
    with fresh_process():
        try:
            type_register(info)
            chosen = select_machine({})
        except QemuAbort as abort:
            if "Multiple default machines" not in str(abort):
                raise NotYet(f"QEMU aborted, but for another reason. {reason(abort)}") from None
            return "two defaults: the new class took over is_default with everything else."
        why = "is abstract" if info.abstract else f"was made from the class of {info.parent}, where it is not set"
        raise NotYet(f"QEMU chose {chosen.name} and did not complain: {info.name} {why}.")


# --- exercise 3: the list that -machine help prints

HelpWriter = Callable[[list[MachineClass]], str]
HEADING = "Supported machines are:"


def example(desc: str, alias: str | None = None, deprecated: str | None = None) -> Callable[[Any], None]:
    """The class_init of a board that exists for its line of text."""

    def example_class_init(klass: MachineClass) -> None:
        klass.desc, klass.alias, klass.deprecation_reason = desc, alias, deprecated

    return example_class_init


EXAMPLES = (
    TypeInfo("zebra-machine", "machine", class_init=example("Striped board")),
    TypeInfo("abacus-machine", "machine", class_init=example("Board of beads", deprecated="use spike")),
    TypeInfo("tractor-machine", "machine", class_init=example("Board for the field", alias="diesel")),
)


def boards() -> tuple[list[MachineClass], str]:
    """The machines of a small QEMU with some more, and what `-machine help` prints about them."""
    modules.link()
    stdout = io.StringIO()
    with Process(stdout=stdout):
        run_program_constructors("modelled")
        module_call_init(ModuleInitType.QOM)
        for info in EXAMPLES:
            type_register(info)
        machine_help_func({})
        return machine_list(), stdout.getvalue()


@check
def check_3(write_help: HelpWriter) -> str:
    """Compare `write_help(machines)` with what `-machine help` prints."""
    machines, printed = boards()
    text = write_help(machines)
    if not isinstance(text, str):
        raise NotYet(f"your function returned {type(text).__name__}, not text.")
    wanted, got = printed.splitlines(), text.splitlines()
    if got[:1] != wanted[:1]:
        raise NotYet(f"QEMU's first line is a heading; yours is {got[0] if got else ''!r}.")
    compare_names(first_words(wanted), first_words(got))
    for theirs, ours in zip(wanted[1:], got[1:], strict=True):
        compare_lines(theirs, ours)
    return f"{len(wanted)} lines, letter by letter those of -machine help."


def first_words(lines: list[str]) -> list[str]:
    """The names in a list of machines."""
    return [(line.split() or [""])[0] for line in lines[1:]]


def compare_names(wanted: list[str], got: list[str]) -> None:
    """All names must be there, in QEMU's order."""
    if "diesel" not in got:
        raise NotYet(f"your list has {', '.join(got)}. One machine answers to a second name, and QEMU lists that too.")
    if sorted(wanted) != sorted(got):
        raise NotYet(f"your list has {', '.join(got)}: {len(got)} names, and QEMU's has {len(wanted)}.")
    if wanted != got:
        raise NotYet(f"your order is {', '.join(got)}; QEMU sorts by the names of the types, and puts an alias first.")


def compare_lines(wanted: str, got: str) -> None:
    """One machine's line; blanks at its end do not count."""
    if wanted.rstrip() == got.rstrip():
        return
    name = wanted.split()[0]
    for mark in ("(default)", "(deprecated)", "(alias of"):
        if mark in wanted and mark not in got:
            raise NotYet(f"your line for {name} does not tell all that its class says: it is {got!r}.")
        if mark in got and mark not in wanted:
            raise NotYet(f"your line for {name} says {mark!r}, but its class does not.")
    if wanted.split() == got.split():
        raise NotYet(f"the words for {name} are right; the description begins in another column than QEMU's.")
    raise NotYet(f"your line for {name} is {got!r}.")
