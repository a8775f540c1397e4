"""Clocks and timers (QEMU util/qemu-timer.c, include/qemu/timer.h).

A timer belongs to a clock and calls back in the main thread, under the big lock, once its clock has reached its time.
`QEMU_CLOCK_VIRTUAL` is the guest's time: it stands still while the machine is stopped.
"""

from __future__ import annotations

import time
from bisect import insort
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from threading import Lock
from typing import Any

from pyqemu_edu.process import per_process
from pyqemu_edu.trace.event import Event

NANOSECONDS_PER_SECOND = 1_000_000_000
SCALE_MS = 1_000_000
SCALE_US = 1_000
SCALE_NS = 1

timer_fired = Event("timer_fired", "clock", "expire_time", "callback")


class QEMUClockType(IntEnum):
    """Whose time: the host's since it booted, the guest's, the calendar's, or the guest's outside of replay."""

    REALTIME = 0
    VIRTUAL = 1
    HOST = 2
    VIRTUAL_RT = 3


QEMU_CLOCK_REALTIME = QEMUClockType.REALTIME
QEMU_CLOCK_VIRTUAL = QEMUClockType.VIRTUAL
QEMU_CLOCK_HOST = QEMUClockType.HOST
QEMU_CLOCK_VIRTUAL_RT = QEMUClockType.VIRTUAL_RT


@dataclass(eq=False)
class QEMUTimer:
    """Calls `cb(opaque)` when `timer_list`'s clock reaches `expire_time` ns; -1 is never."""

    timer_list: QEMUTimerList
    scale: int
    cb: Callable[[Any], None]
    opaque: Any
    expire_time: int = -1


@dataclass(eq=False)
class QEMUTimerList:
    """The pending timers of one clock, the next one first."""

    clock: QEMUClockType
    active_timers_lock: Lock = field(default_factory=Lock)
    active_timers: list[QEMUTimer] = field(default_factory=list)
    notify_cb: Callable[[], object] = lambda: None


class Statics:
    def __init__(self) -> None:
        self.enabled = dict.fromkeys(QEMUClockType, True)
        self.timer_lists = {clock: QEMUTimerList(clock) for clock in QEMUClockType}
        self.cpus_get_virtual_clock: Callable[[], int] = get_clock
        self.cpu_get_clock: Callable[[], int] = get_clock
        self.icount_start_warp_timer: Callable[[], None] | None = None


def get_clock() -> int:
    """The host's time in ns since some start, never going back (QEMU include/qemu/timer.h)."""
    return time.monotonic_ns()


statics = per_process(Statics)


def main_loop_tlg(clock: QEMUClockType) -> QEMUTimerList:
    """The timers of `clock` that the main loop runs (in C an array of this name)."""
    return statics().timer_lists[clock]


def timerlist_set_notify(timer_list: QEMUTimerList, notify: Callable[[], object]) -> None:
    """Whom to wake when the next deadline of this list changes (Not in QEMU)."""
    timer_list.notify_cb = notify


def register_virtual_clock(clock: Callable[[], int], running: Callable[[], int]) -> None:
    """Say who knows the guest's time, and how long the machine has been running.

    C links `cpus_get_virtual_clock` and `cpu_get_clock`, or stubs in programs without vCPUs.
    """
    statics().cpus_get_virtual_clock = clock
    statics().cpu_get_clock = running


def register_icount(start_warp_timer: Callable[[], None]) -> None:
    """QEMU_CLOCK_VIRTUAL counts instructions: its timers are the vCPU thread's, not the main loop's (Not in QEMU)."""
    statics().icount_start_warp_timer = start_warp_timer


def start_warp_timer() -> None:
    """Where instructions are time and none is executed, let time go on (Not in QEMU: a test before each call)."""
    icount_start_warp_timer = statics().icount_start_warp_timer
    if icount_start_warp_timer is not None:
        icount_start_warp_timer()


def qemu_clock_use_for_deadline(clock: QEMUClockType) -> bool:
    """Whether the main loop waits for the timers of `clock`, and runs them."""
    return clock is not QEMU_CLOCK_VIRTUAL or statics().icount_start_warp_timer is None


def qemu_clock_get_ns(clock: QEMUClockType) -> int:
    """What `clock` shows, in ns."""
    if clock is QEMU_CLOCK_VIRTUAL:
        return statics().cpus_get_virtual_clock()
    if clock is QEMU_CLOCK_VIRTUAL_RT:
        return statics().cpu_get_clock()
    if clock is QEMU_CLOCK_HOST:
        return time.time_ns()
    return get_clock()


def qemu_clock_get_ms(clock: QEMUClockType) -> int:
    """What `clock` shows, in ms."""
    return qemu_clock_get_ns(clock) // SCALE_MS


def qemu_clock_enable(clock: QEMUClockType, enabled: bool) -> None:
    """Let the timers of `clock` fire, or not."""
    enabled_now = statics().enabled
    was_enabled, enabled_now[clock] = enabled_now[clock], enabled
    if enabled and not was_enabled:
        qemu_clock_notify(clock)


def qemu_clock_notify(clock: QEMUClockType) -> None:
    """Have whoever waits for the next timer of `clock` look again."""
    main_loop_tlg(clock).notify_cb()


def timerlist_deadline_ns(timer_list: QEMUTimerList) -> int:
    """How many ns until the next timer fires; -1 if none will."""
    if not statics().enabled[timer_list.clock]:
        return -1
    with timer_list.active_timers_lock:
        if not timer_list.active_timers:
            return -1
        expire_time = timer_list.active_timers[0].expire_time
    return max(0, expire_time - qemu_clock_get_ns(timer_list.clock))


def qemu_clock_expired(clock: QEMUClockType) -> bool:
    """Whether a timer of `clock` is due."""
    return timerlist_deadline_ns(main_loop_tlg(clock)) == 0


def timerlistgroup_deadline_ns() -> int:
    """How many ns until the main loop has a timer to run; -1 if it will have none."""
    clocks = filter(qemu_clock_use_for_deadline, QEMUClockType)
    deadlines = [timerlist_deadline_ns(main_loop_tlg(clock)) for clock in clocks]
    return min((deadline for deadline in deadlines if deadline >= 0), default=-1)


def timer_new_full(clock: QEMUClockType, scale: int, cb: Callable[[Any], None], opaque: Any = None) -> QEMUTimer:
    """A timer, not yet set, whose times are given in units of `scale` ns."""
    return QEMUTimer(main_loop_tlg(clock), scale, cb, opaque)


def timer_new_ns(clock: QEMUClockType, cb: Callable[[Any], None], opaque: Any = None) -> QEMUTimer:
    """A timer in ns."""
    return timer_new_full(clock, SCALE_NS, cb, opaque)


def timer_new_ms(clock: QEMUClockType, cb: Callable[[Any], None], opaque: Any = None) -> QEMUTimer:
    """A timer in ms."""
    return timer_new_full(clock, SCALE_MS, cb, opaque)


def timer_del_locked(timer_list: QEMUTimerList, ts: QEMUTimer) -> None:
    """Take `ts` out of the list, if it is there."""
    ts.expire_time = -1
    if ts in timer_list.active_timers:
        timer_list.active_timers.remove(ts)


def timer_del(ts: QEMUTimer) -> None:
    """Stop a timer; it may be set again."""
    with ts.timer_list.active_timers_lock:
        timer_del_locked(ts.timer_list, ts)


def timer_mod_ns(ts: QEMUTimer, expire_time: int) -> None:
    """Set a timer to fire when its clock shows `expire_time` ns."""
    timer_list = ts.timer_list
    with timer_list.active_timers_lock:
        timer_del_locked(timer_list, ts)
        ts.expire_time = max(expire_time, 0)
        insort(timer_list.active_timers, ts, key=lambda timer: timer.expire_time)
        rearm = timer_list.active_timers[0] is ts
    if rearm:
        timerlist_rearm(timer_list)


def timerlist_rearm(timer_list: QEMUTimerList) -> None:
    """The next deadline of a list has changed: who waits for it must look again."""
    if timer_list.clock is QEMU_CLOCK_VIRTUAL:
        start_warp_timer()
    timer_list.notify_cb()


def timer_mod(ts: QEMUTimer, expire_time: int) -> None:
    """Set a timer in its own unit."""
    timer_mod_ns(ts, expire_time * ts.scale)


def timer_mod_anticipate_ns(ts: QEMUTimer, expire_time: int) -> None:
    """Have the timer fire at a time in ns, or earlier if it is set to already."""
    if not timer_pending(ts) or timer_expire_time_ns(ts) > expire_time:
        timer_mod_ns(ts, expire_time)


def timer_pending(ts: QEMUTimer) -> bool:
    """Whether the timer is set."""
    return ts.expire_time >= 0


def timer_expire_time_ns(ts: QEMUTimer) -> int:
    """When it will fire; -1 if it is not set."""
    return ts.expire_time


def timerlist_run_timers(timer_list: QEMUTimerList) -> bool:
    """Call the timers that are due; whether there were any."""
    if not timer_list.active_timers or not statics().enabled[timer_list.clock]:
        return False
    now = qemu_clock_get_ns(timer_list.clock)
    progress = False
    while ts := _take_expired(timer_list, now):
        ts.cb(ts.opaque)
        progress = True
    return progress


def _take_expired(timer_list: QEMUTimerList, now: int) -> QEMUTimer | None:
    with timer_list.active_timers_lock:
        if not timer_list.active_timers or timer_list.active_timers[0].expire_time > now:
            return None
        ts = timer_list.active_timers.pop(0)
        if timer_fired:
            timer_fired(timer_list.clock.name, ts.expire_time, getattr(ts.cb, "__name__", str(ts.cb)))
        ts.expire_time = -1
        return ts


def qemu_clock_run_timers(clock: QEMUClockType) -> bool:
    """Call the timers of `clock` that are due."""
    return timerlist_run_timers(main_loop_tlg(clock))


def qemu_clock_run_all_timers() -> bool:
    """Call the timers that are due, of all clocks that the main loop serves."""
    return sum(map(qemu_clock_run_timers, filter(qemu_clock_use_for_deadline, QEMUClockType))) > 0
