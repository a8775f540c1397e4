"""Our machine, to be asked as `RealQemu` is (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.monitor.hmp import qmp_human_monitor_command
from pyqemu_edu.process import Process
from pyqemu_edu.qom.qom_qmp_cmds import qmp_qom_get, qmp_qom_list
from pyqemu_edu.real.questions import Properties
from pyqemu_edu.util.error import QemuError


class OurQemu:
    """The machine of a process that stands still."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def hmp(self, line: str) -> str:
        """What the human monitor prints; lines end in a newline alone."""
        with self._process:
            return qmp_human_monitor_command(line).replace("\r\n", "\n")

    def qom_tree(self, path: str = "/") -> Iterator[tuple[str, Properties]]:
        """Every object from `path` down, parents first: its path and properties."""
        with self._process:
            properties = {prop.name: (prop.type, self._value(path, prop.name)) for prop in qmp_qom_list(path)}
        yield path, properties
        for name, (kind, _) in properties.items():
            if kind.startswith("child<"):
                yield from self.qom_tree(f"{path.rstrip('/')}/{name}")

    def device_tree(self) -> bytes | None:
        """The flattened device tree that the board made; None if it made none."""
        with self._process:
            fdt = current_machine().fdt
            return fdt.blob() if fdt else None

    def _value(self, path: str, name: str) -> Any:
        try:
            return qmp_qom_get(path, name)
        except QemuError as error:
            return error
