"""Checks for the exercises of notebook 02, "How can main call functions that it has never heard of?" (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Sequence

from pyqemu_edu import modules
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.process import Process
from pyqemu_edu.qom.type import TypeInit
from pyqemu_edu.qom.zoo import run_program_constructors
from pyqemu_edu.trace.functions import describe
from pyqemu_edu.util import config
from pyqemu_edu.util.module import (
    Constructor,
    ModuleEntry,
    ModuleInitType,
    find_type,
    module_call_init,
    register_module_init,
)


def process_before_main() -> Process:
    """A process whose constructors have run, and nothing else."""
    modules.link()
    process = Process()
    with process:
        run_program_constructors()
    return process


# --- exercise 1: register one


@check
def check_1(constructor: Constructor) -> str:
    """Run a constructor with all others; when does the list `coffee` appear?"""
    with process_before_main() as process:
        lists = process.statics_of(config.Statics).vm_config_groups
        constructor.run()
        called = ModuleInitType.OPTS
        module_call_init(called)
        if "coffee" not in [each.name for each in lists]:
            raise NotYet(late_or_never(process, constructor))
    if [each.name for each in lists].count("coffee") > 1:
        raise NotYet("coffee is in the table twice: your function added it twice.")
    return f"your function is number {len(waiting(process, called))} of OPTS, and coffee is the last list added."


def waiting(process: Process, kind: ModuleInitType) -> list[ModuleEntry]:
    """The functions noted for one init type."""
    with process:
        return find_type(kind)


def late_or_never(process: Process, constructor: Constructor) -> str:
    """Why there is no `coffee` after OPTS."""
    if constructor.type is ModuleInitType.OPTS:
        return "your function was called with OPTS, and yet there is no list named coffee. What did it add?"
    with process:
        module_call_init(constructor.type)
        names = [each.name for each in process.statics_of(config.Statics).vm_config_groups]
    kind = constructor.type.name
    if "coffee" in names:
        return f"coffee appears when {kind} is called, which is after OPTS: look at which list you note it in."
    return f"your function is noted in {kind}, and even when {kind} is called, there is no list named coffee."


# --- exercise 2: call a list twice


def what_runs() -> list[str]:
    """Note f, call the list, note g, call the list."""
    happened: list[str] = []
    with Process():
        for name in "fg":
            register_module_init(lambda name=name: happened.append(name), ModuleInitType.OPTS)  # type: ignore[misc]
            module_call_init(ModuleInitType.OPTS)
    return happened


@check
def check_2(answer: Sequence[str]) -> str:
    """Compare a prediction of what runs with what runs."""
    if not answer:
        raise NotYet("something runs; put its name into the list.")
    if (happened := what_runs()) != list(answer):
        raise NotYet(why_not(list(answer), len(happened)))
    return "a list that was called is done; who comes later waits for ever. (Loadable modules are called directly.)"


def why_not(answer: list[str], count: int) -> str:
    """What a wrong prediction overlooks."""
    if "f" not in answer:
        return "f stood in the list when it was called for the first time."
    if answer.count("f") > 1:
        return "the second call does not run anybody a second time: a list remembers that it was called."
    return f"only {count} of them ran. What does module_call_init look at before it looks at the entries?"


# --- exercise 3: find who registers spike


def door_of(entries: Sequence[ModuleEntry], typename: str) -> int:
    """The place, from 1, of the function that registers a type."""
    for door, entry in enumerate(entries, 1):
        if isinstance(entry.init, TypeInit) and typename in [info.name for info in entry.init.infos]:
            return door
    raise LookupError(typename)


def qemu_file(entry: ModuleEntry) -> str:
    """The QEMU file of the function that fills in the class of the first type that `entry` registers."""
    assert isinstance(entry.init, TypeInit)
    hook = entry.init.infos[0].class_init
    assert hook is not None
    return describe(hook.__code__, hook.__module__).qemu_file


@check
def check_3(door: int, file: str) -> str:
    """Compare with the door behind which `spike-machine` is."""
    with process_before_main():
        entries = find_type(ModuleInitType.QOM)
    found = door_of(entries, "spike-machine")
    if door == found - 1:
        raise NotYet(f"door {door} is the one before it. Python counts from 0, these doors from 1.")
    if not 1 <= door <= len(entries):
        raise NotYet(f"there are {len(entries)} doors in the row of QOM.")
    if door != found:
        raise NotYet(f"behind door {door} is {entries[door - 1].init!r}.")
    if file != qemu_file(entries[found - 1]):
        raise NotYet(
            f"the door is right. {file} is not the file: the first line of each module here names QEMU's file."
        )
    return f"door {door} of {len(entries)}, in {file}."
