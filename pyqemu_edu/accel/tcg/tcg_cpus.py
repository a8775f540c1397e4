"""What the vCPU threads of TCG share, one for each or one for all (QEMU accel/tcg/tcg-accel-ops.c)."""

from __future__ import annotations

from collections.abc import Callable

from pyqemu_edu.accel.tcg.cpu_exec import cpu_exec_step_atomic
from pyqemu_edu.accel.tcg.tb import CF_CLUSTER_SHIFT, CF_PARALLEL, CF_USE_ICOUNT
from pyqemu_edu.cpus_common import cpu_exec_end, cpu_exec_start
from pyqemu_edu.hw.core.cpu import EXCP_ATOMIC, EXCP_DEBUG, NO_LIMIT, CPUState
from pyqemu_edu.softmmu.accel_ops import cpus_get_accel, qemu_cpu_is_self, qemu_cpu_kick
from pyqemu_edu.softmmu.cpus import cpu_thread_signal_destroyed
from pyqemu_edu.softmmu.icount import icount_enabled
from pyqemu_edu.softmmu.runstate import cpu_handle_guest_debug, qemu_system_vmstop_request
from pyqemu_edu.softmmu.runstate_transitions import RunState
from pyqemu_edu.util.main_loop import qemu_mutex_iothread_locked, qemu_mutex_lock_iothread, qemu_mutex_unlock_iothread


def tcg_cpu_init_cflags(cpu: CPUState, parallel: bool) -> None:
    """How to translate for this vCPU: with others at the same time or not."""
    cflags = cpu.cluster_index << CF_CLUSTER_SHIFT & 0xFFFFFFFF
    cflags |= CF_PARALLEL if parallel else 0
    cflags |= CF_USE_ICOUNT if icount_enabled() else 0
    cpu.tcg_cflags = cflags


def tcg_cpus_destroy(cpu: CPUState) -> None:
    """A vCPU's thread ends: take back what was made for it."""
    cpu_thread_signal_destroyed(cpu)


def tcg_cpus_exec(cpu: CPUState) -> int:
    """Execute guest code until there is a reason not to; one of the EXCP_ numbers."""
    cpu_exec = cpus_get_accel().cpu_exec
    assert cpu_exec is not None
    cpu_exec_start(cpu)
    try:
        return cpu_exec(cpu)
    finally:
        cpu_exec_end(cpu)


def tcg_cpu_run(cpu: CPUState, execute: Callable[[CPUState], int] = tcg_cpus_exec) -> int:
    """Execute guest code without the big lock, and act on why it stopped, which is returned (an EXCP_ number).

    (Not in QEMU: a part of both thread functions)
    """
    qemu_mutex_unlock_iothread()
    reason = execute(cpu)
    qemu_mutex_lock_iothread()
    cpu_handle_budget(cpu)
    if reason == EXCP_DEBUG:
        cpu_handle_guest_debug(cpu)
    elif reason == EXCP_ATOMIC:
        qemu_mutex_unlock_iothread()
        cpu_exec_step_atomic(cpu)
        qemu_mutex_lock_iothread()
    return reason


def tcg_handle_interrupt(cpu: CPUState, mask: int) -> None:
    """Note an interrupt; the vCPU looks up before its next block, woken if it sleeps."""
    assert qemu_mutex_iothread_locked()
    cpu.interrupt_request |= mask
    if qemu_cpu_is_self(cpu):
        cpu.icount_limit = -1
    else:
        qemu_cpu_kick(cpu)


def cpu_set_instruction_budget(cpu: CPUState, instructions: int | None) -> None:
    """Let a stopped vCPU execute so many instructions, then stop the machine; None is without end (Not in QEMU)."""
    cpu.budget_end = NO_LIMIT if instructions is None else cpu.instret + instructions
    cpu.icount_limit = cpu.icount_end = cpu.budget_end


def cpu_handle_budget(cpu: CPUState) -> None:
    """If its budget is used up, stop this vCPU now, and the machine soon (Not in QEMU)."""
    if cpu.instret >= cpu.budget_end:
        cpu_set_instruction_budget(cpu, None)
        qemu_system_vmstop_request(RunState.PAUSED)
        cpu.stopped = True
