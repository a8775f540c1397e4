"""Who wants to know when the machine is reset (QEMU hw/core/reset.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.runstate_transitions import ShutdownCause
from pyqemu_edu.trace.event import Event

QEMUResetHandler = Callable[[Any], None]

trace_qemu_register_reset = Event("qemu_register_reset", "func", "opaque")
trace_qemu_reset_handler = Event("qemu_reset_handler", "func", "opaque")


@dataclass(frozen=True, eq=False)
class QEMUResetEntry:
    """A function to be called with `opaque`."""

    func: QEMUResetHandler
    opaque: Any
    skip_on_snapshot_load: bool = False


@dataclass(eq=False)
class Statics:
    """The functions, first registered first."""

    reset_handlers: list[QEMUResetEntry] = field(default_factory=list)


statics = per_process(Statics)


def qemu_register_reset(func: QEMUResetHandler, opaque: Any) -> None:
    """Have `func(opaque)` called at every reset, after those registered before."""
    if trace_qemu_register_reset:
        trace_qemu_register_reset(func, opaque)
    statics().reset_handlers.append(QEMUResetEntry(func, opaque))


def qemu_register_reset_nosnapshotload(func: QEMUResetHandler, opaque: Any) -> None:
    """The same, except when the reset is for loading a snapshot."""
    statics().reset_handlers.append(QEMUResetEntry(func, opaque, skip_on_snapshot_load=True))


def qemu_unregister_reset(func: QEMUResetHandler, opaque: Any) -> None:
    """Have it no longer called."""
    handlers = statics().reset_handlers
    for entry in handlers:
        if entry.func is func and entry.opaque is opaque:
            handlers.remove(entry)
            return


def qemu_devices_reset(reason: ShutdownCause) -> None:
    """Call every registered reset handler, in order of registration."""
    for entry in tuple(statics().reset_handlers):
        if reason == ShutdownCause.SNAPSHOT_LOAD and entry.skip_on_snapshot_load:
            continue
        if trace_qemu_reset_handler:
            trace_qemu_reset_handler(entry.func, entry.opaque)
        entry.func(entry.opaque)
