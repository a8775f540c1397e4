"""Time counted in instructions: `-icount` (QEMU softmmu/icount.c).

With `shift=N` each instruction takes 2^N ns of virtual time, whatever the host's clock says.  While every vCPU sleeps
no instruction passes, and yet the timer must come that shall wake one: then time is *warped*, by as much as went by on
the host, or with `sleep=off` at once to the next timer.  With `shift=auto` N follows the host's speed.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.cpus_common import async_run_on_cpu, current_cpu, first_cpu
from pyqemu_edu.cpus_common import statics as cpu_list
from pyqemu_edu.hw.core.cpu import CPUState
from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.accel_ops import qemu_cpu_kick
from pyqemu_edu.softmmu.cpu_timers import cpu_get_clock
from pyqemu_edu.softmmu.cpu_timers import statics as timers_state
from pyqemu_edu.softmmu.cpus import all_cpu_threads_idle, qemu_in_vcpu_thread
from pyqemu_edu.softmmu.runstate_transitions import runstate_is_running
from pyqemu_edu.util.cutils import qemu_strtoi64
from pyqemu_edu.util.error import QemuError, QemuExit, error_report, warn_report
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opt_get_bool
from pyqemu_edu.util.timer import (
    NANOSECONDS_PER_SECOND,
    QEMU_CLOCK_VIRTUAL,
    QEMU_CLOCK_VIRTUAL_RT,
    QEMUTimer,
    main_loop_tlg,
    qemu_clock_expired,
    qemu_clock_get_ms,
    qemu_clock_get_ns,
    qemu_clock_notify,
    register_icount,
    timer_del,
    timer_mod,
    timer_mod_anticipate_ns,
    timer_new_ms,
    timer_new_ns,
    timerlist_deadline_ns,
    timerlist_set_notify,
)

MAX_ICOUNT_SHIFT = 10
ICOUNT_WOBBLE = NANOSECONDS_PER_SECOND // 10
NOT_WARPING = -1


@dataclass(eq=False)
class Statics:
    """What `-icount` said; `use_icount` 0: nothing, 1: a fixed shift, 2: an adaptive one."""

    use_icount: int = 0
    icount_sleep: bool = True
    icount_align_option: bool = False
    icount_warp_timer: QEMUTimer | None = None
    icount_rt_timer: QEMUTimer | None = None
    icount_vm_timer: QEMUTimer | None = None
    notified: bool = False


statics = per_process(Statics)


def icount_enabled() -> int:
    """Whether instructions are time, and how (QEMU include/sysemu/cpu-timers.h)."""
    return statics().use_icount


# How much time it is


def icount_to_ns(icount: int) -> int:
    """How long so many instructions take."""
    return icount << timers_state().icount_time_shift


def icount_round(count: int) -> int:
    """How many instructions take so many ns, or a little longer."""
    shift = timers_state().icount_time_shift
    return count + (1 << shift) - 1 >> shift


def icount_update(cpu: CPUState) -> None:
    """Count what the vCPU has executed since this was asked last.

    In C that is what is left of its budget, here the difference of two counts.
    """
    timers_state().qemu_icount += cpu.instret - cpu.icount_accounted
    cpu.icount_accounted = cpu.instret


def icount_get_raw() -> int:
    """The instructions executed by all vCPUs."""
    cpu = current_cpu()
    if cpu and cpu.running:
        if not cpu.can_do_io:
            error_report("Bad icount read")
            raise QemuExit(1)
        icount_update(cpu)
    return timers_state().qemu_icount


def icount_get() -> int:
    """The virtual time, in ns."""
    icount = icount_get_raw()
    return timers_state().qemu_icount_bias + icount_to_ns(icount)


# Adapting the shift


def icount_adjust() -> None:
    """Let an instruction take half or twice as long if the guest's time runs away from the host's or falls behind."""
    if not runstate_is_running():
        return
    s = timers_state()
    cur_icount = icount_get()
    delta = cur_icount - cpu_get_clock()
    if delta > 0 and s.last_delta + ICOUNT_WOBBLE < delta * 2 and s.icount_time_shift > 0:
        s.icount_time_shift -= 1
    if delta < 0 and s.last_delta - ICOUNT_WOBBLE > delta * 2 and s.icount_time_shift < MAX_ICOUNT_SHIFT:
        s.icount_time_shift += 1
    s.last_delta = delta
    s.qemu_icount_bias = cur_icount - (s.qemu_icount << s.icount_time_shift)


def icount_adjust_rt(opaque: None) -> None:
    """Every second of the host's time, which catches a guest's time that is too slow."""
    timer = statics().icount_rt_timer
    assert timer is not None
    timer_mod(timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL_RT) + 1000)
    icount_adjust()


def icount_adjust_vm(opaque: None) -> None:
    """Every tenth of a second of the guest's, which catches one that is too fast."""
    timer = statics().icount_vm_timer
    assert timer is not None
    timer_mod(timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + NANOSECONDS_PER_SECOND // 10)
    icount_adjust()


# Warping


def icount_warp_rt() -> None:
    """The guest has slept: its time goes on by as much as the host's did."""
    s = timers_state()
    if s.vm_clock_warp_start == NOT_WARPING:
        return
    if runstate_is_running():
        clock = cpu_get_clock()
        warp_delta = clock - s.vm_clock_warp_start
        if icount_enabled() == 2:
            warp_delta = min(warp_delta, max(0, clock - icount_get()))
        s.qemu_icount_bias += warp_delta
    s.vm_clock_warp_start = NOT_WARPING
    if qemu_clock_expired(QEMU_CLOCK_VIRTUAL):
        qemu_clock_notify(QEMU_CLOCK_VIRTUAL)


def icount_timer_cb(opaque: None) -> None:
    """The timer for which the guest sleeps is due."""
    icount_warp_rt()


def icount_start_warp_timer() -> None:
    """If every vCPU sleeps, see to it that the guest's time comes to its next timer."""
    if not runstate_is_running() or not all_cpu_threads_idle():
        return
    s = statics()
    clock = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL_RT)
    deadline = timerlist_deadline_ns(main_loop_tlg(QEMU_CLOCK_VIRTUAL))
    if deadline < 0:
        if not s.icount_sleep and not s.notified:
            warn_report("icount sleep disabled and no active timers")
            s.notified = True
    elif deadline == 0:
        qemu_clock_notify(QEMU_CLOCK_VIRTUAL)
    elif s.icount_sleep:
        _warp_by_host_time(clock, deadline)
    else:
        timers_state().qemu_icount_bias += deadline
        qemu_clock_notify(QEMU_CLOCK_VIRTUAL)


def _warp_by_host_time(clock: int, deadline: int) -> None:
    s, timer = timers_state(), statics().icount_warp_timer
    assert timer is not None
    if s.vm_clock_warp_start == NOT_WARPING or s.vm_clock_warp_start > clock:
        s.vm_clock_warp_start = clock
    timer_mod_anticipate_ns(timer, clock + deadline)


def icount_account_warp_timer() -> None:
    """Somebody wakes up: count the time slept so far."""
    timer = statics().icount_warp_timer
    if timer is not None and runstate_is_running():
        timer_del(timer)
        icount_warp_rt()


def qemu_timer_notify_cb() -> None:
    """The next deadline of the guest's clock has changed: have the vCPU thread look (QEMU softmmu/cpu-timers.c)."""
    cpu = current_cpu()
    if cpu is not None and qemu_in_vcpu_thread():
        qemu_cpu_kick(cpu)
    elif cpu_list().cpus:
        async_run_on_cpu(first_cpu(), lambda cpu, data: None)


# The option


def icount_configure(opts: QemuOpts) -> None:
    """Understand `-icount`."""
    option = qemu_opt_get(opts, "shift")
    sleep, align = qemu_opt_get_bool(opts, "sleep", True), qemu_opt_get_bool(opts, "align", False)
    if option is None:
        if qemu_opt_get(opts, "align") is not None:
            raise QemuError("Please specify shift option when using align")
        return
    if align and not sleep:
        raise QemuError("align=on and sleep=off are incompatible")
    s = statics()
    time_shift = check_against_auto(s) if option == "auto" else fixed_time_shift(option)
    s.icount_sleep, s.icount_align_option = sleep, align
    if sleep:
        s.icount_warp_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL_RT, icount_timer_cb)
    timers_state().icount_time_shift = time_shift
    s.use_icount = 2 if option == "auto" else 1
    register_icount(icount_start_warp_timer)
    timerlist_set_notify(main_loop_tlg(QEMU_CLOCK_VIRTUAL), qemu_timer_notify_cb)
    if option == "auto":
        icount_enable_adaptive(s)


def fixed_time_shift(option: str) -> int:
    """The shift that is asked for (in QEMU a part of `icount_configure`)."""
    try:
        shift = qemu_strtoi64(option)
    except (ValueError, OverflowError):
        shift = -1
    if not 0 <= shift <= MAX_ICOUNT_SHIFT:
        raise QemuError("icount: Invalid shift value")
    return shift


def check_against_auto(s: Statics) -> int:
    """The first guess: 125 million instructions a second.

    As in QEMU 7.2 what an *earlier* `-icount` has said is compared, so that nobody is ever told (in QEMU a part of
    `icount_configure`).
    """
    if s.icount_align_option:
        raise QemuError("shift=auto and align=on are incompatible")
    if not s.icount_sleep:
        raise QemuError("shift=auto and sleep=off are incompatible")
    return 3


def icount_enable_adaptive(s: Statics) -> None:
    """Compare the clocks from time to time, by either of them."""
    timers_state().vm_clock_warp_start = NOT_WARPING
    s.icount_rt_timer = timer_new_ms(QEMU_CLOCK_VIRTUAL_RT, icount_adjust_rt)
    timer_mod(s.icount_rt_timer, qemu_clock_get_ms(QEMU_CLOCK_VIRTUAL_RT) + 1000)
    s.icount_vm_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, icount_adjust_vm)
    timer_mod(s.icount_vm_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + NANOSECONDS_PER_SECOND // 10)
