"""Events for programs: what the machine tells of itself (Not in QEMU: generated from the schema there)."""

from __future__ import annotations

from pyqemu_edu.hw.block.block_errors import qapi_event_send_block_io_error
from pyqemu_edu.hw.char.virtio_console import qapi_event_send_vserport_change
from pyqemu_edu.migration.options import qapi_event_send_migration
from pyqemu_edu.monitor.monitor import qapi_event_emit
from pyqemu_edu.softmmu import runstate
from pyqemu_edu.softmmu.runstate_transitions import ShutdownCause
from pyqemu_edu.trace.event import Event


def plain_event(event: Event) -> None:
    """An event that has nothing to add to its name."""
    qapi_event_emit(event.name)


def event_with_cause(event: Event, guest: bool, reason: ShutdownCause) -> None:
    """An event that tells whether the guest wanted it, and why it happened."""
    qapi_event_emit(event.name, {"guest": guest, "reason": reason.name.lower().replace("_", "-")})


def event_with_fields(event: Event, *values: object) -> None:
    """An event that tells what its fields say; one that is None is left out."""
    fields = zip(event.fields, values, strict=True)
    qapi_event_emit(event.name, {name: value for name, value in fields if value is not None})


def attach_events() -> None:
    """Listen to all of them, for every process."""
    for event in (runstate.qapi_event_send_stop, runstate.qapi_event_send_resume, runstate.qapi_event_send_powerdown):
        event.append(plain_event)
    for event in (runstate.qapi_event_send_reset, runstate.qapi_event_send_shutdown):
        event.append(event_with_cause)
    for event in (qapi_event_send_migration, qapi_event_send_vserport_change, qapi_event_send_block_io_error):
        event.append(event_with_fields)
