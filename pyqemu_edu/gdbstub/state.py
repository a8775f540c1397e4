"""What the server knows: its debugger, and which CPU is meant (QEMU gdbstub/gdbstub.c).

QEMU shows each cluster of CPUs as a process.  No machine here has clusters, so there is one process, number 1, and its
threads are the CPUs.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.chardev.char_fe import CharBackend, qemu_chr_fe_deinit, qemu_chr_fe_write_all
from pyqemu_edu.chardev.chardev import Chardev
from pyqemu_edu.cpus_common import CPU_FOREACH
from pyqemu_edu.gdbstub.packet import PacketReader, packet
from pyqemu_edu.hw.core.cpu import SSTEP_ENABLE, SSTEP_NOIRQ, SSTEP_NOTIMER, CPUState
from pyqemu_edu.process import per_process

PID = 1


@dataclass(eq=False)
class GDBState:
    """The line, the CPU that goes on and the CPU that is looked at, and what the debugger can and wants."""

    chr: CharBackend = field(default_factory=CharBackend)
    mon_chr: Chardev | None = None
    reader: PacketReader | None = None
    """None before a debugger may come."""
    last_packet: bytes = b""
    """What has not been acknowledged yet."""
    c_cpu: CPUState | None = None
    g_cpu: CPUState | None = None
    query_cpu: CPUState | None = None
    attached: bool = False
    multiprocess: bool = False
    has_xml: bool = False
    phy_memory_mode: bool = False
    supported_sstep_flags: int = 0
    sstep_flags: int = SSTEP_ENABLE | SSTEP_NOIRQ | SSTEP_NOTIMER


class Statics:
    def __init__(self) -> None:
        self.gdbserver_state: GDBState | None = None


statics = per_process(Statics)


def gdbserver_state() -> GDBState:
    """The one server (Not in QEMU: a variable there)."""
    s = statics().gdbserver_state
    assert s is not None
    return s


# --- packets


def put_packet(s: GDBState, text: str | bytes) -> None:
    """Send a packet, and keep it until it has arrived."""
    s.last_packet = packet(text if isinstance(text, bytes) else text.encode("latin-1"))
    qemu_chr_fe_write_all(s.chr, s.last_packet)


def gdb_exit(s: GDBState, code: int) -> None:
    """The last packet: the process ends."""
    put_packet(s, f"W{code & 0xFF:02x}")
    qemu_chr_fe_deinit(s.chr)
    s.reader = None


# --- threads


def cpu_gdb_index(cpu: CPUState) -> int:
    """A CPU's number as a thread: 0 would mean any (QEMU gdbstub/internals.h)."""
    return cpu.cpu_index + 1


def gdb_append_thread_id(s: GDBState, cpu: CPUState) -> str:
    """A CPU's name as a thread."""
    index = f"{cpu_gdb_index(cpu):02x}"
    return f"p{PID:02x}.{index}" if s.multiprocess else index


def gdb_first_attached_cpu(s: GDBState) -> CPUState | None:
    """The first CPU that the debugger has to do with."""
    return next(iter(CPU_FOREACH()), None) if s.attached else None


def gdb_next_attached_cpu(s: GDBState, cpu: CPUState) -> CPUState | None:
    """The one behind `cpu`."""
    cpus = list(CPU_FOREACH())
    return next(iter(cpus[cpus.index(cpu) + 1 :]), None) if s.attached else None


def gdb_get_cpu(s: GDBState, pid: int, tid: int) -> CPUState | None:
    """The CPU of that name; 0 stands for any."""
    if not s.attached or pid not in (0, PID):
        return None
    if not tid:
        return gdb_first_attached_cpu(s)
    return next((cpu for cpu in CPU_FOREACH() if cpu_gdb_index(cpu) == tid), None)


@dataclass(frozen=True, slots=True)
class ThreadId:
    """What a debugger calls a thread; -1 means all (QEMU `GDBThreadIdKind`)."""

    pid: int
    tid: int

    @property
    def is_one(self) -> bool:
        """Whether it is one thread, or any one."""
        return -1 not in (self.pid, self.tid)
