"""What both kinds of monitor have: a line to the user, output that waits, a place in the list (QEMU monitor/monitor.c).

All of a monitor runs in the main loop's thread, under the big lock.  QEMU gives QMP monitors on sockets a thread of
their own, `mon_iothread`, which only reads, writes and answers out of turn.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from pyqemu_edu.chardev.char_fe import CharBackend, qemu_chr_fe_accept_input, qemu_chr_fe_deinit, qemu_chr_fe_write
from pyqemu_edu.cpus_common import CPU_FOREACH
from pyqemu_edu.hw.core.cpu import CPUState
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.path import object_get_canonical_path, object_resolve_path
from pyqemu_edu.util.error import monitor_set_cur as set_printer
from pyqemu_edu.util.main_loop import aio_bh_schedule_oneshot
from pyqemu_edu.util.qdict import QDict


@dataclass(eq=False)
class Monitor:
    """A line, and what is to be written to it; nothing is read while `suspend_cnt` is not zero."""

    chr: CharBackend = field(default_factory=CharBackend)
    suspend_cnt: int = 0
    mux_out: bool = False
    reset_seen: bool = False
    mon_cpu_path: str | None = None
    outbuf: bytearray = field(default_factory=bytearray)
    fds: dict[str, int] = field(default_factory=dict)
    """Open files that the client has passed, by the names that it gave them."""

    def on_resume(self) -> None:
        """What a kind of monitor does when it may be talked to again."""

    def on_cleanup(self) -> None:
        """What a kind of monitor does before its line is cut."""

    def send_event(self, event: QDict) -> None:
        """What a kind of monitor does with an event; people are not told."""


class Statics:
    def __init__(self) -> None:
        self.mon_list: list[Monitor] = []
        self.cur_mon: Monitor | None = None


statics = per_process(Statics)


@contextmanager
def monitor_set_cur(mon: Monitor, puts: Callable[[str], object]) -> Iterator[None]:
    """What is done inside is this monitor's command; what it reports is printed by `puts`."""
    s = statics()
    before, s.cur_mon = s.cur_mon, mon
    try:
        with set_printer(puts):
            yield
    finally:
        s.cur_mon = before


def monitor_cur() -> Monitor:
    """The monitor whose command is being executed."""
    mon = statics().cur_mon
    assert mon is not None
    return mon


# --- output


def monitor_flush(mon: Monitor) -> None:
    """Write what waits, unless another device has the terminal."""
    if mon.outbuf and not mon.mux_out:
        data = bytes(mon.outbuf)
        mon.outbuf.clear()
        qemu_chr_fe_write(mon.chr, data)


def monitor_puts(mon: Monitor, text: str) -> None:
    """Print; a terminal wants a carriage return before each end of line, where what waits is also written out."""
    for line in text.splitlines(keepends=True):
        mon.outbuf += line.replace("\n", "\r\n").encode(errors="surrogateescape")
        if line.endswith("\n"):
            monitor_flush(mon)


def monitor_printf(mon: Monitor, text: str) -> None:
    """Print, unless it is a program that listens; formatting is the caller's business."""
    monitor_puts(mon, text)


# --- who may be talked to


def monitor_suspend(mon: Monitor) -> None:
    """Read nothing more for now."""
    mon.suspend_cnt += 1


def monitor_resume(mon: Monitor) -> None:
    """Read again, once everybody who has suspended it agrees."""
    mon.suspend_cnt -= 1
    if mon.suspend_cnt == 0:
        mon.on_resume()
        aio_bh_schedule_oneshot(lambda opaque: qemu_chr_fe_accept_input(mon.chr))


def monitor_can_read(mon: Monitor) -> int:
    """Whether a byte may come."""
    return int(mon.suspend_cnt == 0)


def monitor_list_append(mon: Monitor) -> None:
    """Into the list, the newest first."""
    statics().mon_list.insert(0, mon)


# --- events


def monitor_qapi_event_emit(event: QDict) -> None:
    """Tell every QMP monitor."""
    for mon in statics().mon_list:
        mon.send_event(event)


# --- the CPU that commands are about


def monitor_set_cpu(mon: Monitor, cpu_index: int) -> bool:
    """Choose a CPU; false if there is none of that number (QEMU monitor/misc.c)."""
    cpu = next((cpu for cpu in CPU_FOREACH() if cpu.cpu_index == cpu_index), None)
    if cpu is None:
        return False
    mon.mon_cpu_path = object_get_canonical_path(cpu)
    return True


def mon_get_cpu(mon: Monitor) -> CPUState | None:
    """The chosen CPU, else the first; None if there is none (QEMU monitor/misc.c)."""
    cpu = object_resolve_path(mon.mon_cpu_path) if mon.mon_cpu_path else None
    if not isinstance(cpu, CPUState):
        cpu = next(iter(CPU_FOREACH()), None)
        mon.mon_cpu_path = object_get_canonical_path(cpu) if cpu is not None else None
    return cpu


# --- the end


def monitor_cleanup() -> None:
    """Write what still waits, and let go of all lines."""
    monitors = statics().mon_list
    while monitors:
        mon = monitors.pop(0)
        mon.on_cleanup()
        monitor_flush(mon)
        for fd in mon.fds.values():
            os.close(fd)
        qemu_chr_fe_deinit(mon.chr)
