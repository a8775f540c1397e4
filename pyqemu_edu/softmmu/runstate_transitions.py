"""The states that a machine goes through, and who is told (QEMU softmmu/runstate.c, qapi/run-state.json)."""

from __future__ import annotations

from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum, IntEnum
from typing import Any

from pyqemu_edu.process import per_process
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import QemuAbort, error_report


class RunState(Enum):
    """What the machine as a whole is doing; the order is QAPI's, and so is each state's name."""

    DEBUG = "debug"
    INMIGRATE = "inmigrate"
    INTERNAL_ERROR = "internal-error"
    IO_ERROR = "io-error"
    PAUSED = "paused"
    POSTMIGRATE = "postmigrate"
    PRELAUNCH = "prelaunch"
    FINISH_MIGRATE = "finish-migrate"
    RESTORE_VM = "restore-vm"
    RUNNING = "running"
    SAVE_VM = "save-vm"
    SHUTDOWN = "shutdown"
    SUSPENDED = "suspended"
    WATCHDOG = "watchdog"
    GUEST_PANICKED = "guest-panicked"
    COLO = "colo"

    @property
    def number(self) -> int:
        """The enumeration's value in C."""
        return list(RunState).index(self)


class ShutdownCause(IntEnum):
    """Why the machine is reset or ends."""

    NONE = 0
    HOST_ERROR = 1
    HOST_QMP_QUIT = 2
    HOST_QMP_SYSTEM_RESET = 3
    HOST_SIGNAL = 4
    HOST_UI = 5
    GUEST_SHUTDOWN = 6
    GUEST_RESET = 7
    GUEST_PANIC = 8
    SUBSYSTEM_RESET = 9
    SNAPSHOT_LOAD = 10


def shutdown_caused_by_guest(cause: ShutdownCause) -> bool:
    """Whether it was the guest's doing (QEMU include/sysemu/runstate.h)."""
    return cause >= ShutdownCause.GUEST_SHUTDOWN


# fmt: off
_R = RunState
RUNSTATE_TRANSITIONS: dict[RunState, frozenset[RunState]] = {
    _R.PRELAUNCH:      frozenset({_R.INMIGRATE, _R.RUNNING, _R.FINISH_MIGRATE}),
    _R.DEBUG:          frozenset({_R.RUNNING, _R.FINISH_MIGRATE, _R.PRELAUNCH, _R.SUSPENDED}),
    _R.INMIGRATE:      frozenset({_R.INTERNAL_ERROR, _R.IO_ERROR, _R.PAUSED, _R.RUNNING, _R.SHUTDOWN, _R.SUSPENDED,
                                  _R.WATCHDOG, _R.GUEST_PANICKED, _R.FINISH_MIGRATE, _R.PRELAUNCH, _R.POSTMIGRATE,
                                  _R.COLO}),
    _R.INTERNAL_ERROR: frozenset({_R.PAUSED, _R.FINISH_MIGRATE, _R.PRELAUNCH}),
    _R.IO_ERROR:       frozenset({_R.RUNNING, _R.FINISH_MIGRATE, _R.PRELAUNCH}),
    _R.PAUSED:         frozenset({_R.RUNNING, _R.FINISH_MIGRATE, _R.POSTMIGRATE, _R.PRELAUNCH, _R.COLO}),
    _R.POSTMIGRATE:    frozenset({_R.RUNNING, _R.FINISH_MIGRATE, _R.PRELAUNCH}),
    _R.FINISH_MIGRATE: frozenset({_R.RUNNING, _R.PAUSED, _R.POSTMIGRATE, _R.PRELAUNCH, _R.COLO}),
    _R.RESTORE_VM:     frozenset({_R.RUNNING, _R.PRELAUNCH}),
    _R.RUNNING:        frozenset({_R.DEBUG, _R.INTERNAL_ERROR, _R.IO_ERROR, _R.PAUSED, _R.FINISH_MIGRATE, _R.RESTORE_VM,
                                  _R.SAVE_VM, _R.SHUTDOWN, _R.WATCHDOG, _R.GUEST_PANICKED, _R.COLO, _R.SUSPENDED}),
    _R.SAVE_VM:        frozenset({_R.RUNNING}),
    _R.SHUTDOWN:       frozenset({_R.PAUSED, _R.FINISH_MIGRATE, _R.PRELAUNCH, _R.COLO}),
    _R.SUSPENDED:      frozenset({_R.RUNNING, _R.FINISH_MIGRATE, _R.PRELAUNCH, _R.COLO}),
    _R.WATCHDOG:       frozenset({_R.RUNNING, _R.FINISH_MIGRATE, _R.PRELAUNCH, _R.COLO}),
    _R.GUEST_PANICKED: frozenset({_R.RUNNING, _R.FINISH_MIGRATE, _R.PRELAUNCH}),
    _R.COLO:           frozenset({_R.RUNNING, _R.PRELAUNCH, _R.SHUTDOWN}),
}
# fmt: on

VMChangeStateHandler = Callable[[Any, bool, RunState], None]
runstate_set_event = Event("runstate_set", "current_state", "current_state_str", "new_state", "new_state_str")
vm_state_notify_event = Event("vm_state_notify", "running", "reason", "reason_str")


@dataclass(eq=False)
class VMChangeStateEntry:
    """Somebody who is told when the machine starts or stops; low priorities start first and stop last."""

    cb: VMChangeStateHandler
    opaque: Any
    priority: int


class Statics:
    def __init__(self) -> None:
        self.current_run_state = RunState.PRELAUNCH
        self.vm_change_state_head: list[VMChangeStateEntry] = []


statics = per_process(Statics)


def runstate_check(state: RunState) -> bool:
    """Whether the machine is in this state."""
    return statics().current_run_state is state


def runstate_get() -> RunState:
    """The machine's state (in C the variable `current_run_state`)."""
    return statics().current_run_state


def runstate_is_running() -> bool:
    """Whether guest code may run."""
    return runstate_check(RunState.RUNNING)


def runstate_needs_reset() -> bool:
    """Whether the machine can only go on after a reset."""
    return runstate_check(RunState.INTERNAL_ERROR) or runstate_check(RunState.SHUTDOWN)


def runstate_set(new_state: RunState) -> None:
    """Go to another state; a transition that the table does not have ends the process."""
    current = statics().current_run_state
    if runstate_set_event:
        runstate_set_event(current.number, current.value, new_state.number, new_state.value)
    if current is new_state:
        return
    if new_state not in RUNSTATE_TRANSITIONS[current]:
        text = f"invalid runstate transition: '{current.value}' -> '{new_state.value}'"
        error_report(text)
        raise QemuAbort(text)
    statics().current_run_state = new_state


def qemu_add_vm_change_state_handler_prio(cb: VMChangeStateHandler, opaque: Any, priority: int) -> VMChangeStateEntry:
    """Have `cb(opaque, running, state)` called when the machine starts or stops."""
    entry = VMChangeStateEntry(cb, opaque, priority)
    insort(statics().vm_change_state_head, entry, key=lambda e: e.priority)
    return entry


def qemu_add_vm_change_state_handler(cb: VMChangeStateHandler, opaque: Any) -> VMChangeStateEntry:
    """The same with priority 0."""
    return qemu_add_vm_change_state_handler_prio(cb, opaque, 0)


def qemu_del_vm_change_state_handler(entry: VMChangeStateEntry) -> None:
    """Call it no more."""
    statics().vm_change_state_head.remove(entry)


def vm_state_notify(running: bool, state: RunState) -> None:
    """Tell everybody that the machine has started or is stopping."""
    if vm_state_notify_event:
        vm_state_notify_event(running, state.number, state.value)
    entries = statics().vm_change_state_head
    for entry in list(entries if running else reversed(entries)):
        entry.cb(entry.opaque, running, state)
