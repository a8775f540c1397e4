"""Asks an installed QEMU the questions that we answer ourselves (Not in QEMU).

    with RealQemu("-machine spike -smp 2 -bios none") as real:
        real.hmp("info mtree")

Without a QEMU of the reference version `QemuNotInstalled` is raised; `recordings` then has what one answered before.
"""

from pyqemu_edu.real.binary import QemuNotInstalled, qemu_binary
from pyqemu_edu.real.console import ConsoleRun, run_console, type_at_console
from pyqemu_edu.real.qemu import QemuExited, RealQemu, registers_after

__all__ = [
    "ConsoleRun",
    "QemuExited",
    "QemuNotInstalled",
    "RealQemu",
    "qemu_binary",
    "registers_after",
    "run_console",
    "type_at_console",
]
