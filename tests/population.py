"""A process whose types are registered: the whole population, or whatever a test registers besides."""

from __future__ import annotations

import io
from collections.abc import Iterator
from contextlib import contextmanager

from pyqemu_edu import modules
from pyqemu_edu.process import Process
from pyqemu_edu.qom.zoo import Population, run_program_constructors
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.module import ModuleInitType, module_call_init


@contextmanager
def registered(types: Population = "all") -> Iterator[Process]:
    """A process just after `module_call_init(QOM)`."""
    modules.link()
    with Process(["qemu-system-riscv64"], stdout=io.StringIO(), stderr=io.StringIO()) as process:
        run_program_constructors(types)
        module_call_init(ModuleInitType.QOM)
        yield process


@contextmanager
def heard(*events: Event) -> Iterator[list[tuple[object, ...]]]:
    """What these events say: the event's name and its values."""
    lines: list[tuple[object, ...]] = []

    def listen(event: Event, *values: object) -> None:
        lines.append((event.name, *values))

    for event in events:
        event.append(listen)
    try:
        yield lines
    finally:
        for event in events:
            event.remove(listen)
