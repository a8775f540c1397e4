"""Events for programs: what the machine tells of itself (QEMU monitor/monitor.c, qapi/qmp-event.c)."""

from __future__ import annotations

import time
from dataclasses import dataclass, field

from pyqemu_edu.hw.block.block_errors import qapi_event_send_block_io_error
from pyqemu_edu.hw.char.virtio_console import qapi_event_send_vserport_change
from pyqemu_edu.hw.core.qdev import qapi_event_send_device_deleted
from pyqemu_edu.migration.options import qapi_event_send_migration
from pyqemu_edu.monitor.monitor import monitor_qapi_event_emit
from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu import runstate
from pyqemu_edu.softmmu.runstate_transitions import ShutdownCause
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.qdict import QDict
from pyqemu_edu.util.timer import QEMUClockType, QEMUTimer, qemu_clock_get_ms, timer_mod, timer_new_ms

RATES = {"VSERPORT_CHANGE": 1000}
"""In how many ms a guest can cause an event once for each `id` (QEMU `monitor_qapi_event_conf`): of those we have."""

Key = tuple[str, str]
"""An event's name, and what it is about."""


@dataclass(eq=False)
class MonitorQAPIEventState:
    """An event that was sent lately, and the newest one of its kind that has to wait."""

    timer: QEMUTimer
    waiting: QDict | None = None


@dataclass(eq=False)
class Statics:
    """All events that were sent lately."""

    monitor_qapi_event_state: dict[Key, MonitorQAPIEventState] = field(default_factory=dict)


statics = per_process(Statics)


def qapi_event_send(name: str, data: QDict | None = None) -> None:
    """Send an event (Not in QEMU, where one such function for each is generated)."""
    monitor_qapi_event_queue(qmp_event_build_dict(name) | ({} if data is None else {"data": data}))


def qmp_event_build_dict(name: str) -> QDict:
    """An event that has only a name and a time."""
    now = time.time_ns() // 1000
    return {"event": name, "timestamp": {"seconds": now // 1_000_000, "microseconds": now % 1_000_000}}


def monitor_qapi_event_queue(event: QDict) -> None:
    """Send the event now, or, if one of its kind was sent lately, in a while and only if no newer one comes.

    (Not in QEMU: there `monitor_qapi_event_queue_no_reenter`.)
    """
    name = event["event"]
    states = statics().monitor_qapi_event_state
    key = name, event["data"]["id"] if name in RATES else ""
    if key in states:
        states[key].waiting = event
        return
    monitor_qapi_event_emit(event)
    if name in RATES:
        states[key] = MonitorQAPIEventState(timer_new_ms(QEMUClockType.REALTIME, monitor_qapi_event_handler, key))
        wait_again(states[key].timer, name)


def monitor_qapi_event_handler(key: Key) -> None:
    """Send what waits; if nothing does, the next event of the kind need not wait."""
    state = statics().monitor_qapi_event_state[key]
    if state.waiting:
        monitor_qapi_event_emit(state.waiting)
        state.waiting = None
        wait_again(state.timer, key[0])
    else:
        del statics().monitor_qapi_event_state[key]


def wait_again(timer: QEMUTimer, name: str) -> None:
    """Set the timer of an event that has just been sent (Not in QEMU)."""
    timer_mod(timer, qemu_clock_get_ms(QEMUClockType.REALTIME) + RATES[name])


# --- what the machine tells


EVENTS_WITH_FIELDS = (
    qapi_event_send_block_io_error,
    qapi_event_send_device_deleted,
    qapi_event_send_migration,
    qapi_event_send_vserport_change,
)


def plain_event(event: Event) -> None:
    """An event that has nothing to add to its name."""
    qapi_event_send(event.name)


def event_with_cause(event: Event, guest: bool, reason: ShutdownCause) -> None:
    """An event that tells whether the guest wanted it, and why it happened."""
    qapi_event_send(event.name, {"guest": guest, "reason": reason.name.lower().replace("_", "-")})


def event_with_fields(event: Event, *values: object) -> None:
    """An event that tells what its fields say; one that is None is left out."""
    fields = zip(event.fields, values, strict=True)
    qapi_event_send(event.name, {name: value for name, value in fields if value is not None})


def attach_events() -> None:
    """Listen to all of them, for every process."""
    for event in (runstate.qapi_event_send_stop, runstate.qapi_event_send_resume, runstate.qapi_event_send_powerdown):
        event.append(plain_event)
    for event in (runstate.qapi_event_send_reset, runstate.qapi_event_send_shutdown):
        event.append(event_with_cause)
    for event in EVENTS_WITH_FIELDS:
        event.append(event_with_fields)
