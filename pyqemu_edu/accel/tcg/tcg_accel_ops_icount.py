"""Turns that are as long as the next timer is away, in instructions (QEMU accel/tcg/tcg-accel-ops-icount.c)."""

from __future__ import annotations

from pyqemu_edu.accel.tcg.tcg_cpus import tcg_handle_interrupt
from pyqemu_edu.hw.core.cpu import CPUState
from pyqemu_edu.softmmu.accel_ops import qemu_cpu_is_self
from pyqemu_edu.softmmu.icount import icount_round, icount_update
from pyqemu_edu.util.error import QemuAbort
from pyqemu_edu.util.main_loop import qemu_mutex_lock_iothread, qemu_mutex_unlock_iothread
from pyqemu_edu.util.timer import (
    QEMU_CLOCK_REALTIME,
    QEMU_CLOCK_VIRTUAL,
    main_loop_tlg,
    qemu_clock_notify,
    qemu_clock_run_timers,
    timerlist_deadline_ns,
)

INT32_MAX = (1 << 31) - 1


def icount_get_limit() -> int:
    """How many instructions until the next timer; some if there is none."""
    deadlines = [timerlist_deadline_ns(main_loop_tlg(clock)) for clock in (QEMU_CLOCK_VIRTUAL, QEMU_CLOCK_REALTIME)]
    return icount_round(min([INT32_MAX, *(deadline for deadline in deadlines if deadline >= 0)]))


def icount_notify_aio_contexts() -> None:
    """Run the timers that are due, here, in the vCPU thread."""
    qemu_clock_notify(QEMU_CLOCK_VIRTUAL)
    qemu_clock_run_timers(QEMU_CLOCK_VIRTUAL)


def icount_handle_deadline() -> None:
    """Between two turns: run the timers that are due."""
    if timerlist_deadline_ns(main_loop_tlg(QEMU_CLOCK_VIRTUAL)) == 0:
        icount_notify_aio_contexts()


def icount_prepare_for_run(cpu: CPUState) -> None:
    """Give the vCPU as many instructions as there are until the next timer."""
    cpu.icount_budget = icount_get_limit()
    cpu.icount_accounted = cpu.instret
    cpu.icount_end = min(cpu.budget_end, cpu.instret + cpu.icount_budget)
    if cpu.icount_budget == 0:
        qemu_mutex_lock_iothread()
        icount_notify_aio_contexts()
        qemu_mutex_unlock_iothread()


def icount_process_data(cpu: CPUState) -> None:
    """Count what it has executed."""
    icount_update(cpu)
    cpu.icount_budget = 0
    cpu.icount_end = cpu.budget_end


def icount_handle_interrupt(cpu: CPUState, mask: int) -> None:
    """Note an interrupt.  One that a vCPU raises itself in the middle of a block would not be repeatable."""
    old_mask = cpu.interrupt_request
    tcg_handle_interrupt(cpu, mask)
    if qemu_cpu_is_self(cpu) and not cpu.can_do_io and mask & ~old_mask:
        raise QemuAbort("Raised interrupt while not in I/O function")
