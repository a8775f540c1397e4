"""How TCG runs vCPUs: it chooses between one thread and many (QEMU accel/tcg/tcg-accel-ops.c)."""

from __future__ import annotations

from pyqemu_edu.accel.tcg.cpu_exec import cpu_exec
from pyqemu_edu.accel.tcg.tcg_accel_ops_icount import icount_handle_interrupt
from pyqemu_edu.accel.tcg.tcg_accel_ops_mttcg import mttcg_kick_vcpu_thread, mttcg_start_vcpu_thread
from pyqemu_edu.accel.tcg.tcg_accel_ops_rr import rr_kick_vcpu_thread, rr_start_vcpu_thread
from pyqemu_edu.accel.tcg.tcg_all import TYPE_TCG_ACCEL, qemu_tcg_mttcg_enabled
from pyqemu_edu.accel.tcg.tcg_cpus import tcg_handle_interrupt
from pyqemu_edu.cpu import (
    cpu_breakpoint_insert,
    cpu_breakpoint_remove,
    cpu_breakpoint_remove_all,
    cpu_watchpoint_insert,
    cpu_watchpoint_remove,
    cpu_watchpoint_remove_all,
)
from pyqemu_edu.cpus_common import CPU_FOREACH
from pyqemu_edu.hw.core.cpu import (
    BP_GDB,
    BP_MEM_ACCESS,
    BP_MEM_READ,
    BP_MEM_WRITE,
    BP_STOP_BEFORE_ACCESS,
    CPU_GET_CLASS,
    CPUState,
)
from pyqemu_edu.qom.struct import ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.accel_ops import ACCEL_OPS_NAME, TYPE_ACCEL_OPS, AccelOpsClass
from pyqemu_edu.softmmu.icount import icount_enabled, icount_get

ENOSYS, EINVAL = 38, 22
WATCHED = {2: BP_MEM_WRITE, 3: BP_MEM_READ, 4: BP_MEM_ACCESS}


def tcg_supports_guest_debug() -> bool:
    """A debugger may ask for breakpoints."""
    return True


def xlat_gdb_type(cpu: CPUState, gdbtype: int) -> int:
    """What kind of watchpoint gdb means by 2 (write), 3 (read) or 4 (access), as BP_ flags."""
    before = BP_STOP_BEFORE_ACCESS if CPU_GET_CLASS(cpu).gdb_stop_before_watchpoint else 0
    return BP_GDB | WATCHED[gdbtype] | before


def tcg_insert_breakpoint(cs: CPUState, type: int, addr: int, length: int) -> int:
    """Stop all vCPUs at `addr` (types 0 and 1), or before they touch what is there; an error number if they cannot."""
    if type > 1 and type not in WATCHED:
        return -ENOSYS
    for cpu in CPU_FOREACH():
        if type <= 1:
            cpu_breakpoint_insert(cpu, addr, BP_GDB)
        elif cpu_watchpoint_insert(cpu, addr, length, xlat_gdb_type(cpu, type)) is None:
            return -EINVAL
    return 0


def tcg_remove_breakpoint(cs: CPUState, type: int, addr: int, length: int) -> int:
    """Do not stop there any more; an error number if nobody did."""
    if type > 1 and type not in WATCHED:
        return -ENOSYS
    if type <= 1:
        errors = [cpu_breakpoint_remove(cpu, addr, BP_GDB) for cpu in CPU_FOREACH()]
    else:
        errors = [cpu_watchpoint_remove(cpu, addr, length, xlat_gdb_type(cpu, type)) for cpu in CPU_FOREACH()]
    return min(errors, default=0)


def tcg_remove_all_breakpoints(cpu: CPUState) -> None:
    """Do not stop anywhere."""
    cpu_breakpoint_remove_all(cpu, BP_GDB)
    cpu_watchpoint_remove_all(cpu, BP_GDB)


def tcg_accel_ops_init(ops: AccelOpsClass) -> None:
    """Choose: threads, interrupts, debugging."""
    if qemu_tcg_mttcg_enabled():
        ops.create_vcpu_thread = mttcg_start_vcpu_thread
        ops.kick_vcpu_thread = mttcg_kick_vcpu_thread
    else:
        ops.create_vcpu_thread = rr_start_vcpu_thread
        ops.kick_vcpu_thread = rr_kick_vcpu_thread
    assert not icount_enabled() or not qemu_tcg_mttcg_enabled()
    if icount_enabled():
        ops.handle_interrupt = icount_handle_interrupt
        ops.get_virtual_clock = ops.get_elapsed_ticks = icount_get
    else:
        ops.handle_interrupt = tcg_handle_interrupt
    ops.cpu_exec = cpu_exec
    ops.supports_guest_debug = tcg_supports_guest_debug
    ops.insert_breakpoint = tcg_insert_breakpoint
    ops.remove_breakpoint = tcg_remove_breakpoint
    ops.remove_all_breakpoints = tcg_remove_all_breakpoints


def tcg_accel_ops_class_init(oc: ObjectClass) -> None:
    """Only how to choose is known yet."""
    assert isinstance(oc, AccelOpsClass)
    oc.ops_init = tcg_accel_ops_init


type_init(
    TypeInfo(
        ACCEL_OPS_NAME(TYPE_TCG_ACCEL),
        parent=TYPE_ACCEL_OPS,
        class_init=tcg_accel_ops_class_init,
        abstract=True,
    )
)
