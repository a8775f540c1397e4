"""Which of QEMU's own trace events are switched on (QEMU trace/control.c, trace/qmp.c).

Their names are the reference's, in `data/trace_events.txt.gz`.  Only the switch is kept: the events that our own code
fires are those of `trace.event`, and nothing is written into the log for these.
"""

from __future__ import annotations

import gzip
from collections.abc import Iterator
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from pyqemu_edu.process import per_process
from pyqemu_edu.util.cutils import is_help_option
from pyqemu_edu.util.error import Location, QemuError, QemuExit, error_report, loc_push, loc_set_file, warn_report
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get
from pyqemu_edu.util.qemu_print import qemu_printf


@dataclass(frozen=True, slots=True)
class TraceEvent:
    """An event: whether each CPU has a switch of its own for it, and whether it was built in."""

    name: str
    vcpu: bool
    available: bool


@dataclass(eq=False)
class Statics:
    """The events that are on: by name, and by name and CPU."""

    enabled: set[str] = field(default_factory=set)
    enabled_on: set[tuple[str, int]] = field(default_factory=set)


statics = per_process(Statics)


@cache
def trace_events() -> dict[str, TraceEvent]:
    """All events by name, in QEMU's order (Not in QEMU: an array there)."""
    data = files("pyqemu_edu.data").joinpath("trace_events.txt.gz").read_bytes()
    rows = [line.split() for line in gzip.decompress(data).decode().splitlines()]
    return {name: TraceEvent(name, "vcpu" in words, "unavailable" not in words) for name, *words in rows}


def trace_event_is_pattern(text: str) -> bool:
    """Whether this may name several events (QEMU trace/control-internal.h)."""
    return "*" in text or "?" in text


def trace_event_iter(pattern: str = "*") -> Iterator[TraceEvent]:
    """The events whose name fits (QEMU `trace_event_iter_init_pattern`)."""
    return (event for event in trace_events().values() if fnmatchcase(event.name, pattern))


def trace_event_set_state_dynamic(event: TraceEvent, state: bool) -> None:
    """Switch it on or off (QEMU trace/control-target.c)."""
    (statics().enabled.add if state else statics().enabled.discard)(event.name)


# --- the command line


def trace_opt_parse(opts: QemuOpts) -> None:
    """`-trace`: switch events on and off, one by one or by a file; `file` is looked at by nobody."""
    if enable := qemu_opt_get(opts, "enable"):
        trace_enable_events(enable)
    if filename := qemu_opt_get(opts, "events"):
        trace_init_events(filename)


def trace_init_events(filename: str) -> None:
    """Switch on and off what the lines of a file say; the process ends if it cannot be read."""
    with loc_push(Location(filename=filename)):
        try:
            lines = Path(filename).read_text(errors="surrogateescape").split("\n")
        except OSError as error:
            error_report(error.strerror or "")
            raise QemuExit(1) from None
        for number, line in enumerate(lines, 1):
            loc_set_file(filename, number)
            if line and not line.startswith("#"):
                trace_enable_events(line)


def trace_enable_events(line: str) -> None:
    """Switch on what a name or a pattern means, off behind a `-`; a warning if there is nothing of that name.

    Asked for help, the process lists the names and ends.
    """
    if is_help_option(line):
        trace_list_events()
        raise QemuExit(0)
    pattern = line.removeprefix("-")
    found = list(trace_event_iter(pattern)) if trace_event_is_pattern(pattern) else one_event(pattern)
    for event in found:
        if event.available:
            trace_event_set_state_dynamic(event, not line.startswith("-"))


def one_event(name: str) -> list[TraceEvent]:
    """The event of that name; none, with a warning, if it cannot be had (in QEMU a part of the above)."""
    event = trace_events().get(name)
    if event is not None and event.available:
        return [event]
    warn_report(f"trace event '{name}' {'does not exist' if event is None else 'is not traceable'}")
    return []


def trace_list_events() -> None:
    """Print all names."""
    qemu_printf("".join(f"{name}\n" for name in trace_events()))


# --- QMP


def check_events(name: str, vcpu: int | None, ignore_unavailable: bool) -> list[TraceEvent]:
    """The events that `name` means; `QemuError` where a command cannot be about them (QEMU trace/qmp.c)."""
    if trace_event_is_pattern(name):
        found = list(trace_event_iter(name))
    elif name not in trace_events():
        raise QemuError(f'unknown event "{name}"')
    else:
        found = [trace_events()[name]]
        if vcpu is not None and not found[0].vcpu:
            raise QemuError(f'event "{name}" is not vCPU-specific')
    for event in found:
        if not ignore_unavailable and not event.available:
            raise QemuError(f'event "{event.name}" is disabled')
    return [event for event in found if vcpu is None or event.vcpu]


def qmp_trace_event_get_state(name: str, vcpu: int | None = None) -> list[dict[str, Any]]:
    """The events that `name` means and whether each is on, the last one first (QEMU trace/qmp.c)."""
    events = check_events(name, vcpu, ignore_unavailable=True)
    return [{"vcpu": event.vcpu, "name": event.name, "state": state_of(event, vcpu)} for event in reversed(events)]


def state_of(event: TraceEvent, vcpu: int | None) -> str:
    """On, off, or not to be had (QEMU qapi/trace.json)."""
    if not event.available:
        return "unavailable"
    s = statics()
    on = event.name in s.enabled if vcpu is None else (event.name, vcpu) in s.enabled_on
    return "enabled" if on else "disabled"


def qmp_trace_event_set_state(
    name: str, enable: bool, ignore_unavailable: bool = False, vcpu: int | None = None
) -> None:
    """Switch events on or off, for one CPU or for all (QEMU trace/qmp.c)."""
    s = statics()
    for event in check_events(name, vcpu, ignore_unavailable):
        if vcpu is not None:
            (s.enabled_on.add if enable else s.enabled_on.discard)((event.name, vcpu))
        elif event.available:
            trace_event_set_state_dynamic(event, enable)
