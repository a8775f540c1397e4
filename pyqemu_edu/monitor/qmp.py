"""The monitor for programs: JSON requests, responses and events (QEMU monitor/qmp.c).

Requests are queued and served one at a time in the main loop's thread.  A response is written one turn of the main loop
after the command was executed, as QEMU's dispatcher, a coroutine, happens to do: so what the main loop does on request,
a reset or the end, is told of before the response.  Only what a client with that capability asks to be done out of turn
(`exec-oob`) is done and answered as soon as it is read: in the main loop's thread, where QEMU has one for reading.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.chardev.char_fd import TYPE_CHARDEV_FD
from pyqemu_edu.chardev.char_fe import qemu_chr_fe_accept_input, qemu_chr_fe_init, qemu_chr_fe_set_handlers
from pyqemu_edu.chardev.char_socket import TYPE_CHARDEV_SOCKET
from pyqemu_edu.chardev.chardev import TYPE_CHARDEV_MUX, Chardev, QEMUChrEvent
from pyqemu_edu.hw.core.qdev import MachineInitPhase, phase_check
from pyqemu_edu.monitor.monitor import Monitor, monitor_can_read, monitor_list_append, monitor_puts, monitor_set_cur
from pyqemu_edu.monitor.qmp_cmds_control import qmp_query_version
from pyqemu_edu.process import current_process
from pyqemu_edu.qapi.json_parser import JSONMessageParser
from pyqemu_edu.qapi.qjson import qobject_to_json_pretty
from pyqemu_edu.qapi.qmp_dispatch import (
    CommandNotFound,
    QmpCommand,
    QmpCommandList,
    qmp_dispatch,
    qmp_error_response,
    qmp_is_oob,
)
from pyqemu_edu.qom.klass import object_dynamic_cast
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.main_loop import aio_bh_schedule_oneshot
from pyqemu_edu.util.qdict import QDict

READ_SIZE = 4096
QMP_REQ_QUEUE_LEN_MAX = 8

Request = tuple[Any, QemuError | None]
"""A request, or what is wrong with one."""


@dataclass(eq=False)
class MonitorQMP(Monitor):
    """A monitor for programs: which commands there are depends on whether capabilities have been negotiated."""

    pretty: bool = False
    commands: QmpCommandList = field(default_factory=dict)
    capab_offered: tuple[str, ...] = ()
    capab: tuple[str, ...] = ()
    negotiated: bool = False
    qmp_requests: deque[Request] = field(default_factory=deque)
    responses: list[QDict] = field(default_factory=list)
    busy: bool = False
    """Whether a request is being served, or its response waits."""

    def __post_init__(self) -> None:
        self.start_parsing()

    def start_parsing(self) -> None:
        """Forget half a request."""
        self.parser = JSONMessageParser(lambda request, error: handle_qmp_command(self, request, error))

    def on_cleanup(self) -> None:
        """Write the response that waits: the one to `quit`."""
        self.qmp_requests.clear()
        monitor_qmp_respond(self)

    def send_event(self, event: QDict) -> None:
        """Tell the client, if it has said which QMP it speaks."""
        if self.negotiated:
            qmp_send_response(self, event)


def qmp_send_response(mon: MonitorQMP, response: QDict) -> None:
    """Write a response or an event."""
    monitor_puts(mon, qobject_to_json_pretty(response, mon.pretty) + "\n")


def handle_qmp_command(mon: MonitorQMP, request: Any, error: QemuError | None) -> None:
    """A message has come, or something that is none: it is served out of turn or gets into the queue."""
    if "oob" in mon.capab and qmp_is_oob(request):
        qmp_send_response(mon, monitor_qmp_dispatch(mon, request))
    else:
        mon.qmp_requests.append((request, error))
        serve_next(mon)


def serve_next(mon: MonitorQMP) -> None:
    """Serve the next request, unless one is being served (QEMU `monitor_qmp_dispatcher_co`)."""
    if mon.qmp_requests and not mon.busy:
        mon.busy = True
        aio_bh_schedule_oneshot(lambda opaque: serve(mon))


def serve(mon: MonitorQMP) -> None:
    """Execute a request; its response comes a turn of the main loop later (in QEMU a part of the same)."""
    if not mon.qmp_requests:
        mon.busy = False
        return
    request, error = mon.qmp_requests.popleft()
    response = monitor_qmp_dispatch(mon, request) if error is None else qmp_error_response(error)
    mon.responses.append(response)
    aio_bh_schedule_oneshot(lambda opaque: monitor_qmp_respond(mon))


def monitor_qmp_respond(mon: MonitorQMP) -> None:
    """Write the response that waits, and go on to the next request."""
    for response in mon.responses:
        qmp_send_response(mon, response)
    mon.responses.clear()
    mon.busy = False
    serve_next(mon)
    if not mon.qmp_requests:
        qemu_chr_fe_accept_input(mon.chr)


def monitor_qmp_dispatch(mon: MonitorQMP, request: Any) -> QDict:
    """The response to a request; messages that are not part of it go to the error stream."""
    negotiating = not mon.negotiated
    commands = {**(mon.commands if mon.negotiated else {}), "qmp_capabilities": capabilities_command(mon)}
    with monitor_set_cur(mon, current_process().stderr.write):
        response = qmp_dispatch(commands, request, "oob" in mon.capab, machine_is_ready)
    error = response.get("error", {})
    if negotiating and error.get("class") == CommandNotFound.error_class:
        error["desc"] = "Expecting capabilities negotiation with 'qmp_capabilities'"
    return response


def machine_is_ready() -> bool:
    """Whether all commands may be used (in QEMU `qmp_command_available`)."""
    return phase_check(MachineInitPhase.MACHINE_READY)


# --- capabilities


def capabilities_command(mon: MonitorQMP) -> QmpCommand:
    """`qmp_capabilities` on this monitor: a command for which it matters who asks (Not in QEMU)."""
    return QmpCommand(lambda enable=(): qmp_qmp_capabilities(mon, enable), allow_preconfig=True)


def qmp_qmp_capabilities(mon: MonitorQMP, enable: list[str]) -> None:
    """The client speaks QMP, with these capabilities (QEMU monitor/qmp-cmds-control.c)."""
    if mon.negotiated:
        raise CommandNotFound("Capabilities negotiation is already complete, command ignored")
    unavailable = [name for name in enable if name not in mon.capab_offered]
    if unavailable:
        raise QemuError(f"Capability {', '.join(unavailable)} not available")
    mon.capab = tuple(enable)
    mon.negotiated = True


def qmp_greeting(mon: MonitorQMP) -> QDict:
    """What a client hears first."""
    return {"QMP": {"version": qmp_query_version(), "capabilities": list(mon.capab_offered)}}


# --- a monitor's life


def monitor_qmp_can_read(mon: MonitorQMP) -> int:
    """How much may come: nothing while as many requests wait as may (Not in QEMU, which reads byte by byte)."""
    most = QMP_REQ_QUEUE_LEN_MAX if "oob" in mon.capab else 1
    return 0 if len(mon.qmp_requests) >= most else READ_SIZE * monitor_can_read(mon)


def monitor_qmp_read(mon: MonitorQMP, buf: bytes) -> None:
    """Bytes have come."""
    mon.parser.feed(buf)


def monitor_qmp_event(mon: MonitorQMP, event: QEMUChrEvent) -> None:
    """A client has come or gone: nothing is left over from the one before."""
    if event is QEMUChrEvent.OPENED:
        mon.negotiated, mon.capab = False, ()
        qmp_send_response(mon, qmp_greeting(mon))
    elif event is QEMUChrEvent.CLOSED:
        mon.negotiated = False
        mon.qmp_requests.clear()
        mon.responses.clear()
        mon.start_parsing()


def chr_has_gcontext(chr: Chardev) -> bool:
    """Whether the device can be read in another thread (in QEMU the feature `QEMU_CHAR_FEATURE_GCONTEXT`)."""
    return any(object_dynamic_cast(chr, name) for name in (TYPE_CHARDEV_FD, TYPE_CHARDEV_SOCKET, TYPE_CHARDEV_MUX))


def monitor_init_qmp(chr: Chardev, pretty: bool, commands: QmpCommandList) -> None:
    """A monitor on a character device; on one that can be read in a thread commands may be executed out of turn."""
    offered = ("oob",) if chr_has_gcontext(chr) else ()
    mon = MonitorQMP(pretty=pretty, commands=commands, capab_offered=offered)
    qemu_chr_fe_init(mon.chr, chr)
    qemu_chr_fe_set_handlers(mon.chr, monitor_qmp_can_read, monitor_qmp_read, monitor_qmp_event, mon)
    monitor_list_append(mon)
