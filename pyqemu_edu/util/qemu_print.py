"""Printing to whoever asked: the user at a monitor, else the one at the terminal (QEMU util/qemu-print.c)."""

from __future__ import annotations

from pyqemu_edu.process import current_process
from pyqemu_edu.util.error import statics


def qemu_printf(text: str) -> None:
    """Print on the monitor whose command this is, if it is one's, else on the output of the process."""
    (statics().monitor_puts or current_process().stdout.write)(text)
