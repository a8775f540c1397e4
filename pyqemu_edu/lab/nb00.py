"""Checks for the exercises of notebook 00, "From Enter to the first byte" (Not in QEMU)."""

from __future__ import annotations

from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.trace.brief import show
from pyqemu_edu.trace.log import Log, Record


def record_at(log: Log, number: int) -> Record:
    """The record of this number, if there is one."""
    if not isinstance(number, int) or not 0 <= number < len(log):
        raise NotYet(f"there is no record {number!r}. They are numbered from 0 to len(log) - 1.")
    return log[number]


# --- exercise 1: the machine object appears


def first_machine(log: Log) -> Record:
    """The event that says that the machine came into being."""
    born = log.find(lambda r: r.kind == "event" and r.name == "object_initialize" and "-machine#" in show(r["obj"]))
    if born is None:
        raise NotYet("in this log no machine is made. Did QEMU stop before select_machine had an answer?")
    return born


@check
def check_1(log: Log, number: int) -> str:
    """The record at which the machine object comes into being."""
    record, born = record_at(log, number), first_machine(log)
    machine = show(born["obj"])
    if record.index == born.index:
        return f"{machine} came into being here. It is made before the root of the tree that it will hang in."
    if "class_init" in record.name or record.name == "select_machine":
        raise NotYet(f"record {number} is about a class. A machine has a class long before there is a machine.")
    if record.index > born.index and machine in str(record):
        raise NotYet(f"{machine} is there at record {number}, but it was there before: an event said that it began.")
    if record.index > born.index:
        raise NotYet(f"record {number} is too late: the machine is there already.")
    if record.name.startswith("object_new"):
        raise NotYet(
            f"{record.name} is on its way to an object, but at record {number} there is none. Go into the call."
        )
    raise NotYet(f"record {number} is too early: there is no machine yet.")


# --- exercise 2: the second vCPU thread starts


@check
def check_2(log: Log, number: int) -> str:
    """The first record that the second hart's thread itself has written."""
    record = record_at(log, number)
    harts = [n + 1 for n, name in enumerate(log.threads) if name.startswith("CPU ")]
    if len(harts) < 2:
        raise NotYet("in this log there is one thread for all harts. Say -smp 2, and nothing of thread=single.")
    second = harts[1]
    start = log.find(lambda r: r.thread == second)
    assert start is not None
    if record.index == start.index:
        return f"{log.threads[second - 1]} begins with {record.name}, while the machine is still being built."
    writer = log.threads[record.thread - 1]
    if record.thread == second:
        raise NotYet(f"{writer} wrote record {number}, but it had written others before.")
    if record.name == "qemu_thread_create":
        raise NotYet(f"record {number} was written by {writer}: it asks for a thread. What does the new one write?")
    if record.thread == harts[0]:
        raise NotYet(f"{writer} wrote record {number}: that is the first hart's thread.")
    raise NotYet(f"record {number} was written by {writer}. A record tells its writer: record.thread, and log.threads.")


# --- exercise 3: which function ran most often?


@check
def check_3(log: Log, name: str) -> str:
    """The function with the most calls."""
    counts = log.call_counts
    most, calls = counts.most_common(1)[0]
    if name == most:
        return f"{name} was called {calls:,} times: who needs a class asks for it, and most times it is there already."
    if name in counts:
        raise NotYet(f"{name} was called {counts[name]:,} times. Another was called more often.")
    if log.events(name):
        raise NotYet(f"{name} is an event: it tells of a moment, and is not a function that runs.")
    raise NotYet(f"no function {name!r} was recorded. Look at log.call_counts.most_common(3) once you have guessed.")
