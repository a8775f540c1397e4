"""A debugger comes, and hears when the machine stops (QEMU gdbstub/gdbstub.c)."""

from __future__ import annotations

from typing import Any

from pyqemu_edu.accel.accel_softmmu import accel_supported_gdbstub_sstep_flags
from pyqemu_edu.accel.tcg.tb_maint import tb_flush
from pyqemu_edu.chardev.char import qemu_chardev_new, qemu_chr_new_mux_mon
from pyqemu_edu.chardev.char_fe import (
    qemu_chr_fe_deinit,
    qemu_chr_fe_init,
    qemu_chr_fe_set_handlers,
    qemu_chr_fe_write_all,
)
from pyqemu_edu.chardev.chardev import TYPE_CHARDEV, Chardev, ChardevClass, QEMUChrEvent
from pyqemu_edu.cpu import cpu_single_step
from pyqemu_edu.cpus_common import CPU_FOREACH
from pyqemu_edu.gdbstub.commands import gdb_handle_packet
from pyqemu_edu.gdbstub.handlers import GDB_SIGNAL_TRAP
from pyqemu_edu.gdbstub.packet import MAX_PACKET_LENGTH, PacketReader
from pyqemu_edu.gdbstub.state import (
    GDBState,
    gdb_append_thread_id,
    gdb_exit,
    gdb_first_attached_cpu,
    gdbserver_state,
    put_packet,
    statics,
)
from pyqemu_edu.gdbstub.table import COMMANDS
from pyqemu_edu.hw.core.cpu import BP_MEM_ACCESS, BP_MEM_READ, CPUState
from pyqemu_edu.monitor.hmp import monitor_init_hmp
from pyqemu_edu.qom.klass import object_class_check
from pyqemu_edu.qom.struct import ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu import globals as softmmu_globals
from pyqemu_edu.softmmu.accel_ops import cpus_get_accel
from pyqemu_edu.softmmu.runstate import statics as runstate
from pyqemu_edu.softmmu.runstate import vm_stop
from pyqemu_edu.softmmu.runstate_transitions import (
    RunState,
    qemu_add_vm_change_state_handler,
    runstate_is_running,
)
from pyqemu_edu.util.error import error_report
from pyqemu_edu.util.id import IdSubSystems, id_generate

TYPE_CHARDEV_GDB = "chardev-gdb"

GDB_SIGNALS = {
    RunState.DEBUG: GDB_SIGNAL_TRAP,
    RunState.PAUSED: 2,
    RunState.SHUTDOWN: 3,
    RunState.IO_ERROR: 23,
    RunState.WATCHDOG: 14,
    RunState.INTERNAL_ERROR: 6,
    RunState.FINISH_MIGRATE: 24,
}
GDB_SIGNAL_UNKNOWN = 143
SILENT = (RunState.SAVE_VM, RunState.RESTORE_VM)


# --- the machine stops


def gdb_vm_state_change(opaque: Any, running: bool, state: RunState) -> None:
    """Tell the debugger that the machine stands still, and why."""
    s = gdbserver_state()
    if running or s.reader is None or s.c_cpu is None or state in SILENT:
        return
    if state is RunState.DEBUG:
        gdb_set_stop_cpu(s, runstate().debug_cpu)
        tb_flush(s.c_cpu)
    signal = GDB_SIGNALS.get(state, GDB_SIGNAL_UNKNOWN)
    thread = gdb_append_thread_id(s, s.c_cpu)
    put_packet(s, f"T{signal:02x}thread:{thread};{watchpoint_hit(s.c_cpu) if state is RunState.DEBUG else ''}")
    cpu_single_step(s.c_cpu, 0)


def watchpoint_hit(cpu: CPUState) -> str:
    """Which watchpoint it was, if it was one (in QEMU a part of `gdb_vm_state_change`)."""
    wp, cpu.watchpoint_hit = cpu.watchpoint_hit, None
    if wp is None:
        return ""
    kind = {BP_MEM_READ: "r", BP_MEM_ACCESS: "a"}.get(wp.flags & BP_MEM_ACCESS, "")
    return f"{kind}watch:{wp.vaddr:016x};"


def gdb_set_stop_cpu(s: GDBState, cpu: CPUState | None) -> None:
    """The CPU that stopped is the one that is talked about; in QEMU it says so itself."""
    if cpu is not None and s.attached:
        s.c_cpu = s.g_cpu = cpu


# --- the debugger speaks


def gdb_chr_can_receive(s: GDBState) -> int:
    """How much may come: no more than a packet."""
    return MAX_PACKET_LENGTH


def gdb_chr_receive(s: GDBState, buf: bytes) -> None:
    """Bytes have come."""
    for ch in buf:
        gdb_read_byte(s, ch)


def gdb_read_byte(s: GDBState, ch: int) -> None:
    """A byte: an answer to the last packet, a part of a command, or, while the machine runs, the wish to stop it."""
    if s.last_packet:
        if ch == ord("-"):
            qemu_chr_fe_write_all(s.chr, s.last_packet)
        elif ch in b"+$":
            s.last_packet = b""
        if ch != ord("$"):
            return
    if runstate_is_running():
        vm_stop(RunState.PAUSED)
    else:
        assert s.reader is not None
        s.reader.feed(ch)


def gdb_chr_event(s: GDBState, event: QEMUChrEvent) -> None:
    """A debugger has come: the machine stops for it."""
    if event is QEMUChrEvent.OPENED:
        s.attached = True
        s.c_cpu = s.g_cpu = gdb_first_attached_cpu(s)
        vm_stop(RunState.PAUSED)
        s.has_xml = False


def gdb_monitor_write(chr: Chardev, buf: bytes) -> int:
    """What the monitor prints, as a packet for the debugger's user."""
    put_packet(gdbserver_state(), f"O{buf.hex()}")
    return len(buf)


# --- beginning and end


def gdbserver_start(device: str) -> int:
    """Serve debuggers on a character device; `none` ends that.  -1, with a message, if it cannot be."""
    if next(iter(CPU_FOREACH()), None) is None:
        error_report("gdbstub: meaningless to attach gdb to a machine without any CPU.")
        return -1
    supports_guest_debug = cpus_get_accel().supports_guest_debug
    if supports_guest_debug is None or not supports_guest_debug():
        error_report("gdbstub: current accelerator doesn't support guest debugging")
        return -1
    chr = None
    if device != "none":
        chr = qemu_chr_new_mux_mon("gdb", f"{device},wait=off,nodelay=on,server=on" if is_tcp(device) else device)
        if chr is None:
            return -1
    serve(chr)
    return 0


def is_tcp(device: str) -> bool:
    """Whether it is a TCP port, on which we listen without waiting (Not in QEMU)."""
    return device.startswith("tcp:")


def serve(chr: Chardev | None) -> None:
    """Serve debuggers on this line from now on (in QEMU a part of `gdbserver_start`)."""
    s = statics().gdbserver_state
    if s is None:
        s = statics().gdbserver_state = init_gdbserver_state()
    else:
        qemu_chr_fe_deinit(s.chr)
        s.reader, s.last_packet, s.attached, s.multiprocess = None, b"", False, False
        s.c_cpu = s.g_cpu = None
    if chr is not None:
        s.reader = PacketReader(lambda text: gdb_handle_packet(s, text, COMMANDS), lambda byte: acknowledge(s, byte))
        qemu_chr_fe_init(s.chr, chr)
        qemu_chr_fe_set_handlers(s.chr, gdb_chr_can_receive, gdb_chr_receive, gdb_chr_event, s)


def acknowledge(s: GDBState, byte: bytes) -> None:
    """Say that a packet has come, or come badly (Not in QEMU as a function)."""
    qemu_chr_fe_write_all(s.chr, byte)


def init_gdbserver_state() -> GDBState:
    """The server, and its own monitor, which nobody can type at directly."""
    s = GDBState(supported_sstep_flags=accel_supported_gdbstub_sstep_flags())
    s.sstep_flags &= s.supported_sstep_flags
    qemu_add_vm_change_state_handler(gdb_vm_state_change, None)
    s.mon_chr = qemu_chardev_new(id_generate(IdSubSystems.CHR), TYPE_CHARDEV_GDB, {})
    monitor_init_hmp(s.mon_chr, False)
    return s


def tell_of_exit(code: int) -> None:
    """The process ends: so does the debugger's (Not in QEMU as a function)."""
    s = statics().gdbserver_state
    if s is not None:
        gdb_exit(s, code)


def char_gdb_class_init(klass: ObjectClass) -> None:
    """The class: not for users."""
    cc = object_class_check(klass, ChardevClass, TYPE_CHARDEV)
    cc.internal = True
    cc.open = gdb_monitor_open
    cc.chr_write = gdb_monitor_write


def gdb_monitor_open(chr: Chardev, backend: dict[str, Any]) -> bool:
    """It is never open: the monitor greets nobody."""
    return False


softmmu_globals.gdbserver_start.append(gdbserver_start)
softmmu_globals.gdb_exit.append(tell_of_exit)
type_init(TypeInfo(TYPE_CHARDEV_GDB, parent=TYPE_CHARDEV, class_init=char_gdb_class_init))
