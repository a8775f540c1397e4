"""Checks for the exercises of notebook 04, "How does C inherit?" (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import zip_longest
from unittest.mock import patch

from pyqemu_edu import modules
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.process import Process, current_process
from pyqemu_edu.qom import klass as klass_c
from pyqemu_edu.qom import type as type_c
from pyqemu_edu.qom.klass import object_class_by_name, object_class_dynamic_cast, object_class_get_list
from pyqemu_edu.qom.struct import ObjectClass, TypeImpl, TypeInfo
from pyqemu_edu.qom.type import trace_class_base_init, trace_class_init, trace_type_initialize, type_register
from pyqemu_edu.qom.zoo import run_program_constructors
from pyqemu_edu.softmmu.vl import qemu_init_subsystems
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import QemuAbort

Initializer = Callable[[TypeImpl], ObjectClass]
Attempt = Callable[[TypeImpl, Initializer], ObjectClass]

EVENTS = {
    trace_type_initialize.name: "TYPEINIT",
    trace_class_base_init.name: "BASEINIT",
    trace_class_init.name: "CLASSINIT",
}


def fresh_process() -> Process:
    """A process in which every type is registered and none has a class."""
    modules.link()
    process = Process()
    with process:
        run_program_constructors()
        qemu_init_subsystems()
    return process


def events_of_a_search(process: Process, happened: list[str]) -> None:
    """Append what happens when the list of machines is asked for, as the recordings of the real QEMU write it."""

    def listen(event: Event, *types: TypeImpl) -> None:
        if current_process() is process:
            happened.append(" ".join([EVENTS[event.name], " FOR ".join(ti.name for ti in types)]))

    events = (trace_type_initialize, trace_class_base_init, trace_class_init)
    for event in events:
        event.append(listen)
    try:
        with process:
            object_class_get_list("machine", False)
    finally:
        for event in events:
            event.remove(listen)


# --- exercise 1: write type_initialize


@check
def check_1(attempt: Attempt) -> str:
    """Put `attempt(ti, type_initialize)` in the place of `type_initialize`, and look for the first difference."""
    expected: list[str] = []
    happened: list[str] = []
    events_of_a_search(reference := fresh_process(), expected)
    process = fresh_process()

    def watched(ti: TypeImpl) -> ObjectClass:
        if ti.klass is None:
            trace_type_initialize(ti)
            attempt(ti, watched)
            if ti.klass is None:
                raise NotYet(f"after your function, {ti.name} has no class: ti.klass is still None.")
        return ti.klass

    with patch.object(type_c, "type_initialize", watched), patch.object(klass_c, "type_initialize", watched):
        try:
            events_of_a_search(process, happened)
        except RecursionError:
            raise NotYet(
                "your function calls itself without end. Set ti.klass before you ask for anybody else's class."
            ) from None
        except QemuAbort as abort:
            compare_events(expected[: len(happened)], happened)
            raise NotYet(f"the events are right, but then the process aborted: {abort}") from None
    compare_events(expected, happened)
    compare_classes(reference, process)
    return f"all {len(expected):,} events are those of the real QEMU, in the same order."


def compare_events(expected: Sequence[str], happened: Sequence[str]) -> None:
    """Point at the first event that differs, and at the rule behind it."""
    for number, (wanted, got) in enumerate(zip_longest(expected, happened, fillvalue="nothing more")):
        if wanted != got:
            raise NotYet(f"event {number} was {got!r}; in QEMU it is {wanted!r}. {rule(wanted, got)}")


def rule(wanted: str, got: str) -> str:
    """The rule that a wrong event breaks, without saying how to keep it."""
    match wanted.split()[0], got.split()[0]:
        case "TYPEINIT", "CLASSINIT" if "::" in wanted:
            return "A class has its interfaces before anybody fills it in."
        case "TYPEINIT", "CLASSINIT" | "BASEINIT":
            return "A class is filled in only when its parent has one."
        case "BASEINIT", "BASEINIT":
            return "Of several ancestors, the nearest one's base_init comes first."
        case "BASEINIT", _:
            return "The ancestors' base_inits come between the copy and the type's own class_init."
        case "CLASSINIT", "BASEINIT":
            return "A type's own base_init is for its descendants' classes, not for its own."
        case "CLASSINIT", "TYPEINIT":
            return "Nobody has filled in the class yet."
        case _:
            return "Which classes must exist before this one, and in which order?"


def compare_classes(reference: Process, process: Process) -> None:
    """The events may be right and the classes empty."""
    for name in ("device", "riscv-cpu", "rv64-riscv-cpu", "spike-machine"):
        wanted, got = fields_of(reference, name), fields_of(process, name)
        missing = sorted(field for field, value in wanted.items() if value and not got.get(field))
        if missing:
            raise NotYet(
                f"the events are right, but the class of {name} lacks {missing[0]!r}, which its ancestors have set: "
                "a class begins as a copy."
            )


def fields_of(process: Process, typename: str) -> dict[str, object]:
    """What a class holds."""
    with process:
        klass = object_class_by_name(typename)
    return vars(klass) if klass else {}


# --- exercise 2: which rule does a shuffled trace break?

SHUFFLED = (
    "TYPEINIT rv64-riscv-cpu",
    "TYPEINIT riscv-cpu",
    "TYPEINIT cpu",
    "TYPEINIT device",
    "CLASSINIT device",
    "CLASSINIT cpu",
    "BASEINIT device FOR cpu",
    "BASEINIT device FOR riscv-cpu",
    "CLASSINIT riscv-cpu",
    "BASEINIT device FOR rv64-riscv-cpu",
    "CLASSINIT rv64-riscv-cpu",
)
RULES = {
    "a": "a parent's class is made before its child's",
    "b": "an ancestor's base_init runs before the type's own class_init",
    "c": "a type's own base_init never runs on its own class",
    "d": "a class_init runs once for each class",
}


@check
def check_2(answer: str) -> str:
    """The letter of the rule that `SHUFFLED` breaks."""
    letter = answer.strip().lower()
    if letter not in RULES:
        raise NotYet(f"choose one of {', '.join(RULES)}.")
    witness = {
        "a": "TYPEINIT says who asked; look at which CLASSINIT came first, device's or cpu's.",
        "c": "is there a BASEINIT of a type for itself? Read the two names in each.",
        "d": "count the CLASSINIT of each name.",
    }
    if letter in witness:
        raise NotYet(f"the trace keeps the rule that {RULES[letter]}: {witness[letter]}")
    return f"for one class of the trace it is not so that {RULES[letter]}."


# --- exercise 3: a type with an interface, and a cast


@check
def check_3(info: TypeInfo, prediction: str | None) -> str:
    """Register `info`, a type with one interface, and cast its class to `interface`; what will the result be called?"""
    if not isinstance(info, TypeInfo) or len(info.interfaces) != 1:
        raise NotYet("make a TypeInfo that names exactly one interface.")
    with fresh_process():
        try:
            type_register(info)
            klass = object_class_by_name(info.name)
        except QemuAbort as abort:
            raise NotYet(f"the process aborted: {abort}") from None
        assert klass is not None
        found = object_class_dynamic_cast(klass, "interface")
        count = len(klass.interfaces)
    result = found.type.name if found else None
    if prediction != result:
        raise NotYet(
            f"your class implements {count} interface{'s' * (count != 1)}, its parents' among them; "
            "a cast to an interface finds a class only where exactly one fits."
        )
    return f"the cast gives {result}." if result else f"{count} interfaces fit, so the cast finds none."
