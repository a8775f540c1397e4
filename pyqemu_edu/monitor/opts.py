"""Monitors from `-monitor`, `-mon`, `-qmp` and `mon:` (QEMU monitor/monitor.c)."""

from __future__ import annotations

from pyqemu_edu.chardev.char import qemu_chr_find
from pyqemu_edu.chardev.chardev import Chardev, register_monitor
from pyqemu_edu.monitor.events import attach_events
from pyqemu_edu.monitor.hmp import make_tables, monitor_init_hmp
from pyqemu_edu.monitor.hmp import statics as hmp
from pyqemu_edu.monitor.hmp_table import COMMANDS, INFO
from pyqemu_edu.monitor.monitor import monitor_cleanup
from pyqemu_edu.monitor.qmp import monitor_init_qmp
from pyqemu_edu.monitor.qmp_table import qmp_commands
from pyqemu_edu.softmmu.globals import monitor_init_globals, monitor_init_opts
from pyqemu_edu.softmmu.runstate import qemu_add_exit_notifier
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opt_get_bool


def init_globals() -> None:
    """The tables of commands (QEMU `monitor_init_globals`)."""
    hmp().hmp_cmds = make_tables(COMMANDS, INFO)
    register_monitor(monitor_init_hmp)
    qemu_add_exit_notifier(lambda data: monitor_cleanup())


def init_opts(opts: QemuOpts) -> None:
    """The monitor that `-mon` describes, whose options have been checked (QEMU `monitor_init_opts`)."""
    chr = qemu_chr_find(qemu_opt_get(opts, "chardev") or "")
    assert chr is not None
    monitor_init(chr, qemu_opt_get(opts, "mode") or "readline", qemu_opt_get_bool(opts, "pretty", False))


def monitor_init(chr: Chardev, mode: str, pretty: bool) -> None:
    """A monitor of one kind or the other."""
    if mode == "control":
        monitor_init_qmp(chr, pretty, qmp_commands())
        return
    if pretty:
        raise QemuError("'pretty' is not compatible with HMP monitors")
    monitor_init_hmp(chr, True)


attach_events()
monitor_init_globals.append(init_globals)
monitor_init_opts.append(init_opts)
