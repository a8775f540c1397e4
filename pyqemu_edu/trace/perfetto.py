"""A trace as JSON for Perfetto and Chrome's tracing page (Not in QEMU; the Trace Event Format)."""

from __future__ import annotations

import json
from typing import Any

from pyqemu_edu.trace.brief import show
from pyqemu_edu.trace.log import Log, Record

PHASE = {"call": "B", "return": "E", "raise": "E", "event": "i"}


def perfetto(log: Log) -> str:
    """Calls as begin and end, events as instants, one track for each thread; times in microseconds."""
    threads = [
        {"name": "thread_name", "ph": "M", "pid": 1, "tid": number, "args": {"name": name}}
        for number, name in enumerate(log.threads, 1)
    ]
    return json.dumps({"traceEvents": threads + [_event(record) for record in log]}, separators=(",", ":"))


def _event(record: Record) -> dict[str, Any]:
    event: dict[str, Any] = {
        "name": record.name,
        "ph": PHASE[record.kind],
        "ts": record.microseconds,
        "pid": 1,
        "tid": record.thread,
    }
    if record.kind == "event":
        event["s"] = "t"
    if record.kind in ("call", "event"):
        event["args"] = {name: show(value) for name, value in record.fields.items()}
    return event
