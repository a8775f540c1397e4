"""One thread for all vCPUs, which take turns (QEMU accel/tcg/tcg-accel-ops-rr.c)."""

from __future__ import annotations

import threading

from pyqemu_edu.accel.tcg.tcg_accel_ops_icount import (
    icount_handle_deadline,
    icount_prepare_for_run,
    icount_process_data,
)
from pyqemu_edu.accel.tcg.tcg_cpus import tcg_cpu_init_cflags, tcg_cpu_run, tcg_cpus_destroy, tcg_cpus_exec
from pyqemu_edu.cpus_common import CPU_FOREACH, CPU_NEXT, first_cpu, set_current_cpu
from pyqemu_edu.hw.core.cpu import EXCP_ATOMIC, EXCP_DEBUG, SSTEP_NOTIMER, CPUState, cpu_exit
from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.cpus import (
    all_cpu_threads_idle,
    cpu_can_run,
    cpu_thread_signal_created,
    cpu_work_list_empty,
    qemu_thread_create,
    qemu_wait_io_event_common,
    vcpu_thread,
)
from pyqemu_edu.softmmu.icount import icount_account_warp_timer, icount_enabled
from pyqemu_edu.tcg.tcg import tcg_register_thread
from pyqemu_edu.util.guest_random import qemu_guest_random_seed_thread_part2
from pyqemu_edu.util.main_loop import (
    qemu_cond_init,
    qemu_cond_wait_iothread,
    qemu_mutex_lock_iothread,
    qemu_notify_event,
)
from pyqemu_edu.util.timer import (
    QEMU_CLOCK_VIRTUAL,
    QEMUTimer,
    qemu_clock_enable,
    qemu_clock_get_ns,
    timer_del,
    timer_mod,
    timer_new_ns,
    timer_pending,
)

TCG_KICK_PERIOD = 100_000_000
"""How long a turn is, in ns."""


class Statics:
    def __init__(self) -> None:
        self.rr_kick_vcpu_timer: QEMUTimer | None = None
        self.rr_current_cpu: CPUState | None = None
        self.single_tcg_halt_cond: threading.Condition | None = None
        self.single_tcg_cpu_thread: threading.Thread | None = None


statics = per_process(Statics)


# Turns


def rr_kick_vcpu_thread(unused: CPUState) -> None:
    """Have whichever vCPU runs come back soon."""
    for cpu in CPU_FOREACH():
        cpu_exit(cpu)


def rr_next_kick_time() -> int:
    """When the next turn begins."""
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + TCG_KICK_PERIOD


def rr_kick_next_cpu() -> None:
    """End the running vCPU's turn."""
    cpu = statics().rr_current_cpu
    if cpu:
        cpu_exit(cpu)


def rr_kick_thread(opaque: None) -> None:
    """The timer: a turn is over."""
    timer = statics().rr_kick_vcpu_timer
    assert timer is not None
    timer_mod(timer, rr_next_kick_time())
    rr_kick_next_cpu()


def rr_start_kick_timer() -> None:
    """Let turns end by time, if there is more than one vCPU."""
    s = statics()
    if s.rr_kick_vcpu_timer is None and CPU_NEXT(first_cpu()):
        s.rr_kick_vcpu_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, rr_kick_thread)
    if s.rr_kick_vcpu_timer and not timer_pending(s.rr_kick_vcpu_timer):
        timer_mod(s.rr_kick_vcpu_timer, rr_next_kick_time())


def rr_stop_kick_timer() -> None:
    """Nobody runs: no turns."""
    timer = statics().rr_kick_vcpu_timer
    if timer and timer_pending(timer):
        timer_del(timer)


# The thread


def rr_wait_io_event() -> None:
    """Sleep while no vCPU has anything to do."""
    while all_cpu_threads_idle():
        rr_stop_kick_timer()
        halt_cond = first_cpu().halt_cond
        assert halt_cond is not None
        qemu_cond_wait_iothread(halt_cond)
    rr_start_kick_timer()
    for cpu in CPU_FOREACH():
        qemu_wait_io_event_common(cpu)


def rr_cpu_thread_fn(cpu: CPUState) -> None:
    """The life of the one thread in which all vCPUs take turns."""
    with vcpu_thread(cpu):
        tcg_register_thread()
        qemu_mutex_lock_iothread()
        cpu.can_do_io = 1
        cpu_thread_signal_created(cpu)
        qemu_guest_random_seed_thread_part2(cpu.random_seed)
        rr_wait_for_start(cpu)
        rr_start_kick_timer()
        cpu.exit_request = True
        turn: CPUState | None = first_cpu()
        while not rr_unplugged():
            rr_account_time()
            turn = rr_take_turns(turn or first_cpu())
            statics().rr_current_cpu = None
            if turn and turn.exit_request:
                turn.exit_request = False
            if icount_enabled() and all_cpu_threads_idle():
                qemu_notify_event()  # who starts the timer for which all sleep
            rr_wait_io_event()
        for each in CPU_FOREACH():
            tcg_cpus_destroy(each)


def rr_wait_for_start(cpu: CPUState) -> None:
    """Sleep until the machine starts for the first time (Not in QEMU)."""
    assert cpu.halt_cond is not None
    while first_cpu().stopped and not first_cpu().unplug:
        qemu_cond_wait_iothread(cpu.halt_cond)
        for each in CPU_FOREACH():
            set_current_cpu(each)
            qemu_wait_io_event_common(each)


def rr_account_time() -> None:
    """With `-icount`, before the turns: what was slept becomes time, and the timers are run here (Not in QEMU)."""
    if icount_enabled():
        icount_account_warp_timer()
        icount_handle_deadline()


def rr_unplugged() -> bool:
    """Whether the thread is to end: C takes vCPUs away one by one, we only end the process (Not in QEMU)."""
    return all(cpu.unplug and not cpu_can_run(cpu) for cpu in CPU_FOREACH())


def rr_take_turns(cpu: CPUState) -> CPUState | None:
    """Run one vCPU after another until one is wanted elsewhere; where to go on (Not in QEMU)."""
    turn: CPUState | None = cpu
    while turn and cpu_work_list_empty(turn) and not turn.exit_request:
        statics().rr_current_cpu = turn
        set_current_cpu(turn)
        qemu_clock_enable(QEMU_CLOCK_VIRTUAL, not turn.singlestep_enabled & SSTEP_NOTIMER)
        if cpu_can_run(turn):
            if rr_run(turn):
                break
        elif turn.stop:
            break
        turn = CPU_NEXT(turn)
    return turn


def rr_run(cpu: CPUState) -> bool:
    """One turn; whether to look up at once (Not in QEMU)."""
    reason = tcg_cpu_run(cpu, rr_cpus_exec)
    return reason in (EXCP_DEBUG, EXCP_ATOMIC) or cpu.stopped


def rr_cpus_exec(cpu: CPUState) -> int:
    """Execute guest code, with `-icount` up to the next timer (Not in QEMU)."""
    if not icount_enabled():
        return tcg_cpus_exec(cpu)
    icount_prepare_for_run(cpu)
    reason = tcg_cpus_exec(cpu)
    icount_process_data(cpu)
    return reason


def rr_start_vcpu_thread(cpu: CPUState) -> None:
    """Start the thread for the first vCPU; the others share it."""
    s = statics()
    tcg_cpu_init_cflags(cpu, False)
    if s.single_tcg_cpu_thread is None:
        cpu.halt_cond = s.single_tcg_halt_cond = qemu_cond_init()
        cpu.thread = s.single_tcg_cpu_thread = qemu_thread_create("ALL CPUs/TCG", rr_cpu_thread_fn, cpu)
    else:
        cpu.thread = s.single_tcg_cpu_thread
        cpu.halt_cond = s.single_tcg_halt_cond
        cpu.thread_id = first_cpu().thread_id
        cpu.can_do_io = 1
        cpu.created = True
