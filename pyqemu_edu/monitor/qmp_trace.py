"""Trace events switched on and off at a monitor (QEMU trace/qmp.c, monitor/misc.c)."""

from __future__ import annotations

from typing import Any

from pyqemu_edu.cpus_common import qemu_get_cpu
from pyqemu_edu.monitor.monitor import Monitor, monitor_printf
from pyqemu_edu.trace import control
from pyqemu_edu.util.error import QemuError, error_report_err
from pyqemu_edu.util.qdict import QDict

UINT32_MAX = (1 << 32) - 1


def get_cpu(vcpu: int | None) -> None:
    """Refuse a CPU that there is not."""
    if vcpu is not None and qemu_get_cpu(vcpu) is None:
        raise QemuError(f"invalid vCPU index {vcpu & UINT32_MAX}")


def qmp_trace_event_get_state(name: str, vcpu: int | None = None) -> list[dict[str, Any]]:
    """The events that `name` means, and whether each is on."""
    get_cpu(vcpu)
    return control.qmp_trace_event_get_state(name, vcpu)


def qmp_trace_event_set_state(
    name: str, enable: bool, ignore_unavailable: bool = False, vcpu: int | None = None
) -> None:
    """Switch events on or off."""
    get_cpu(vcpu)
    control.qmp_trace_event_set_state(name, enable, ignore_unavailable, vcpu)


def hmp_trace_event(mon: Monitor, args: QDict) -> None:
    """`trace-event name on|off [vcpu]`."""
    try:
        qmp_trace_event_set_state(args["name"], args["option"], True, args.get("vcpu"))
    except QemuError as error:
        error_report_err(error)


def hmp_info_trace_events(mon: Monitor, args: QDict) -> None:
    """`info trace-events [name] [vcpu]`."""
    try:
        events = qmp_trace_event_get_state(args.get("name", "*"), args.get("vcpu"))
    except QemuError as error:
        error_report_err(error)
        return
    monitor_printf(mon, "".join(f"{each['name']} : state {int(each['state'] == 'enabled')}\n" for each in events))
