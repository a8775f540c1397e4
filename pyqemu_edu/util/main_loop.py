"""The big lock, and the loop of the main thread (QEMU util/main-loop.c, softmmu/cpus.c, include/qemu/main-loop.h).

Devices and all that the machine shares are touched only under the *big QEMU lock* (BQL).  The main thread holds it
except while it waits; a vCPU thread takes it to touch a device and drops it to execute guest code.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from queue import Empty, SimpleQueue
from typing import Any

from pyqemu_edu.process import per_process
from pyqemu_edu.util.timer import (
    QEMUClockType,
    main_loop_tlg,
    qemu_clock_run_all_timers,
    start_warp_timer,
    timerlist_set_notify,
    timerlistgroup_deadline_ns,
)


class Statics:
    def __init__(self) -> None:
        self.qemu_global_mutex = threading.Lock()
        self.tls = threading.local()
        self.events: SimpleQueue[None] = SimpleQueue()
        self.bottom_halves: deque[QEMUBH] = deque()
        self.ready = False


statics = per_process(Statics)


# The big lock


def qemu_mutex_iothread_locked() -> bool:
    """Whether this thread holds the big lock."""
    return getattr(statics().tls, "iothread_locked", False)


def qemu_mutex_lock_iothread() -> None:
    """Take the big lock; a thread that holds it already must not."""
    s = statics()
    assert not qemu_mutex_iothread_locked(), "the big lock is not recursive"
    s.qemu_global_mutex.acquire()
    s.tls.iothread_locked = True


def qemu_mutex_unlock_iothread() -> None:
    """Give the big lock back."""
    s = statics()
    assert qemu_mutex_iothread_locked(), "the big lock is not held"
    s.tls.iothread_locked = False
    s.qemu_global_mutex.release()


def qemu_mutex_take_over() -> None:
    """Hold the big lock in the place of a thread that holds it and will not come back (Not in QEMU)."""
    s = statics()
    s.tls.iothread_locked = s.qemu_global_mutex.locked()


def qemu_cond_init() -> threading.Condition:
    """A condition that is waited for under the big lock, as all of ours are (QEMU util/qemu-thread-posix.c)."""
    return threading.Condition(statics().qemu_global_mutex)


def qemu_cond_wait_iothread(cond: threading.Condition) -> None:
    """Sleep without the big lock until `cond` is signalled."""
    cond.wait()


def qemu_cond_broadcast(cond: threading.Condition) -> None:
    """Wake all who sleep on `cond` (QEMU util/qemu-thread-posix.c); Python wants the lock held for that."""
    if qemu_mutex_iothread_locked():
        cond.notify_all()
    else:
        with cond:
            cond.notify_all()


# The loop


@dataclass(eq=False)
class QEMUBH:
    """A bottom half: a function for the main loop to call soon (QEMU util/async.c)."""

    callback: Callable[[Any], None]
    opaque: Any = None
    scheduled: bool = False


def qemu_bh_new(callback: Callable[[Any], None], opaque: Any = None) -> QEMUBH:
    """A bottom half, not yet scheduled."""
    return QEMUBH(callback, opaque)


def qemu_bh_schedule(bh: QEMUBH) -> None:
    """Have the main loop call it once; may be called from any thread and more than once (QEMU util/async.c)."""
    if not bh.scheduled:
        bh.scheduled = True
        statics().bottom_halves.append(bh)
    qemu_notify_event()


def qemu_bh_delete(bh: QEMUBH) -> None:
    """Forget a bottom half; if it is scheduled, it will not be called (QEMU util/async.c)."""
    if bh.scheduled:
        statics().bottom_halves.remove(bh)


def aio_bh_schedule_oneshot(callback: Callable[[Any], None], opaque: Any = None) -> None:
    """Have the main loop call `callback` once (QEMU util/async.c) (QEMU include/block/aio.h)."""
    qemu_bh_schedule(QEMUBH(callback, opaque))


def aio_bh_poll() -> bool:
    """Call the bottom halves that are scheduled now; whether there were any (QEMU util/async.c)."""
    pending = statics().bottom_halves
    for _ in range(count := len(pending)):
        bh = pending.popleft()
        bh.scheduled = False
        bh.callback(bh.opaque)
    return count > 0


def qemu_notify_event() -> None:
    """Wake the main loop from any thread, also from a signal handler."""
    statics().events.put(None)


def qemu_init_main_loop() -> None:
    """Have a timer that is set to an earlier time wake the main loop."""
    notify = statics().events.put
    for clock in QEMUClockType:
        timerlist_set_notify(main_loop_tlg(clock), lambda: notify(None))
    statics().ready = True


def qemu_main_loop_ready() -> bool:
    """Whether there is a main loop yet (Not in QEMU: there its context is looked for)."""
    return statics().ready


def os_host_main_loop_wait(timeout_ns: int) -> None:
    """Sleep without the big lock until an event or for `timeout_ns`; a negative time is for ever.

    C polls file descriptors here; our character devices read theirs in threads and schedule bottom halves.
    """
    events = statics().events
    qemu_mutex_unlock_iothread()
    try:
        events.get(timeout=None if timeout_ns < 0 else timeout_ns / 1e9)
        while True:
            events.get_nowait()
    except Empty:
        pass
    finally:
        qemu_mutex_lock_iothread()


def main_loop_wait(nonblocking: bool) -> None:
    """One turn of the main loop: wait for an event or the next timer, then serve both."""
    ready = bool(statics().bottom_halves)
    os_host_main_loop_wait(0 if nonblocking or ready else timerlistgroup_deadline_ns())
    aio_bh_poll()
    start_warp_timer()
    qemu_clock_run_all_timers()
