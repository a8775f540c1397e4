"""What each command of a debugger does (QEMU gdbstub/gdbstub.c)."""

from __future__ import annotations

from pyqemu_edu.cpu import cpu_memory_rw_debug, cpu_memory_rw_debug_write, cpu_single_step
from pyqemu_edu.gdbstub.commands import Params
from pyqemu_edu.gdbstub.features import gdb_read_register, gdb_write_register
from pyqemu_edu.gdbstub.packet import MAX_PACKET_LENGTH
from pyqemu_edu.gdbstub.resume import BadAction, NotSupported, gdb_continue, gdb_handle_vcont, gdb_set_cpu_pc
from pyqemu_edu.gdbstub.state import (
    PID,
    GDBState,
    ThreadId,
    gdb_append_thread_id,
    gdb_exit,
    gdb_first_attached_cpu,
    gdb_get_cpu,
)
from pyqemu_edu.hw.core.cpu import CPUState
from pyqemu_edu.softmmu.accel_ops import cpus_get_accel
from pyqemu_edu.softmmu.physmem import cpu_physical_memory_read, cpu_physical_memory_rw
from pyqemu_edu.util.error import QemuExit, error_report

OK, EINVAL, EFAULT = "OK", "E22", "E14"
ENOSYS = 38
GDB_SIGNAL_TRAP = 5


def looked_at(s: GDBState) -> CPUState:
    """The CPU whose registers and memory are meant (Not in QEMU)."""
    assert s.g_cpu is not None
    return s.g_cpu


def one_cpu(s: GDBState, thread: ThreadId | None) -> CPUState | None:
    """The CPU that a parameter names, if it names one (Not in QEMU)."""
    return gdb_get_cpu(s, thread.pid, thread.tid) if thread is not None else None


# --- running


def handle_target_halt(s: GDBState, params: Params) -> str:
    """`?`: why the machine stands still; a debugger begins with this, so there are no breakpoints yet."""
    assert s.c_cpu is not None
    remove_all = cpus_get_accel().remove_all_breakpoints
    if remove_all is not None:
        remove_all(s.c_cpu)
    return f"T{GDB_SIGNAL_TRAP:02x}thread:{gdb_append_thread_id(s, s.c_cpu)};"


def handle_continue(s: GDBState, params: Params) -> None:
    """`c[addr]`, `C`: go on."""
    if params:
        gdb_set_cpu_pc(s, params[0])
    gdb_continue()


def handle_cont_with_sig(s: GDBState, params: Params) -> None:
    """`Csig`: go on; of signals a machine knows nothing."""
    gdb_continue()


def handle_step(s: GDBState, params: Params) -> None:
    """`s[addr]`: go on for one instruction."""
    if params:
        gdb_set_cpu_pc(s, params[0])
    assert s.c_cpu is not None
    cpu_single_step(s.c_cpu, s.sstep_flags)
    gdb_continue()


def handle_backward(s: GDBState, params: Params) -> str:
    """`bs`, `bc`: go back, which only a recorded run could."""
    return EINVAL


def handle_detach(s: GDBState, params: Params) -> str:
    """`D`: leave the machine alone."""
    if s.multiprocess and not params:
        return EINVAL
    if s.c_cpu is not None and (not s.multiprocess or params[0] == PID):
        handle_target_halt(s, [])
        s.attached, s.c_cpu, s.g_cpu = False, None, None
    gdb_continue()
    return OK


def handle_v_kill(s: GDBState, params: Params) -> None:
    """`k`: end QEMU."""
    error_report("QEMU: Terminated via GDBstub")
    gdb_exit(s, 0)
    raise QemuExit(0)


def handle_v_cont_query(s: GDBState, params: Params) -> str:
    """`vCont?`: how CPUs can be let go on one by one."""
    return "vCont;c;C;s;S"


def handle_v_cont(s: GDBState, params: Params) -> str | None:
    """`vCont;action[:thread]…`."""
    if not params:
        return None
    try:
        gdb_handle_vcont(s, params[0])
    except NotSupported:
        return ""
    except BadAction:
        return EINVAL
    return None


def handle_v_attach(s: GDBState, params: Params) -> str:
    """`vAttach;pid`."""
    if not params or params[0] != PID:
        return EINVAL
    s.attached = True
    s.c_cpu = s.g_cpu = gdb_first_attached_cpu(s)
    assert s.c_cpu is not None
    return f"T{GDB_SIGNAL_TRAP:02x}thread:{gdb_append_thread_id(s, s.c_cpu)};"


# --- registers and memory


def handle_read_all_regs(s: GDBState, params: Params) -> str:
    """`g`."""
    cpu = looked_at(s)
    return b"".join(gdb_read_register(cpu, reg) for reg in range(cpu.gdb_num_g_regs)).hex()


def handle_write_all_regs(s: GDBState, params: Params) -> str | None:
    """`Gbytes`."""
    if not params:
        return None
    data, cpu = hextomem(params[0]), looked_at(s)
    for reg in range(cpu.gdb_num_g_regs):
        if data:
            data = data[gdb_write_register(cpu, data, reg) :]
    return OK


def handle_get_reg(s: GDBState, params: Params) -> str:
    """`pnumber`: for a debugger that has read which registers there are."""
    if not s.has_xml:
        return ""
    return (gdb_read_register(looked_at(s), params[0]).hex() if params else "") or EFAULT


def handle_set_reg(s: GDBState, params: Params) -> str:
    """`Pnumber=bytes`."""
    if not s.has_xml:
        return ""
    if len(params) != 2:
        return EINVAL
    gdb_write_register(looked_at(s), hextomem(params[1]), params[0])
    return OK


def hextomem(text: str) -> bytes:
    """Bytes from digits; what is no digit is a zero."""
    digits = "".join(char if char in "0123456789abcdefABCDEF" else "0" for char in text)
    return bytes.fromhex(digits[: len(digits) & ~1])


def handle_read_mem(s: GDBState, params: Params) -> str:
    """`maddr,length`."""
    if len(params) != 2 or not 0 <= params[1] <= MAX_PACKET_LENGTH // 2:
        return EINVAL
    if s.phy_memory_mode:
        return cpu_physical_memory_read(*params).hex()
    data = cpu_memory_rw_debug(looked_at(s), *params)
    return EFAULT if data is None else data.hex()


def handle_write_mem(s: GDBState, params: Params) -> str:
    """`Maddr,length:bytes`."""
    if len(params) != 3 or params[1] > len(params[2]) // 2:
        return EINVAL
    addr, data = params[0], hextomem(params[2])[: params[1]]
    if s.phy_memory_mode:
        cpu_physical_memory_rw(addr, data)
        return OK
    return OK if cpu_memory_rw_debug_write(looked_at(s), addr, data) else EFAULT


# --- breakpoints


def handle_insert_bp(s: GDBState, params: Params) -> str:
    """`Ztype,addr,kind`."""
    return change_breakpoint(s, params, insert=True)


def handle_remove_bp(s: GDBState, params: Params) -> str:
    """`ztype,addr,kind`."""
    return change_breakpoint(s, params, insert=False)


def change_breakpoint(s: GDBState, params: Params, insert: bool) -> str:
    """Ask the accelerator (in QEMU a part of both above)."""
    if len(params) != 3:
        return EINVAL
    ops = cpus_get_accel()
    change = ops.insert_breakpoint if insert else ops.remove_breakpoint
    result = change(s.c_cpu, *params) if change is not None and s.c_cpu is not None else -ENOSYS
    return OK if result >= 0 else "" if result == -ENOSYS else EINVAL


# --- threads


def handle_set_thread(s: GDBState, params: Params) -> str:
    """`Hop thread`: which CPU `c` or `g` commands are about."""
    if len(params) != 2 or params[1] is None:
        return EINVAL
    if not params[1].is_one:
        return OK
    cpu = one_cpu(s, params[1])
    if cpu is None or params[0] not in "cg":
        return EINVAL
    setattr(s, f"{params[0]}_cpu", cpu)
    return OK


def handle_thread_alive(s: GDBState, params: Params) -> str:
    """`Tthread`."""
    return OK if params and one_cpu(s, params[0]) is not None else EINVAL
