"""vCPU threads: how they are born, stopped, woken and sent to sleep (QEMU softmmu/cpus.c).

Two flags say whether a vCPU may run: others set `stop` to ask, its own thread answers with `stopped`.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from pyqemu_edu.cpus_common import (
    CPU_FOREACH,
    RunOnCpuFunc,
    current_cpu,
    do_run_on_cpu,
    process_queued_cpu_work,
)
from pyqemu_edu.hw.core.cpu import CPUState, cpu_exit, cpu_has_work
from pyqemu_edu.hw.core.machine import qdev_get_machine
from pyqemu_edu.process import per_process, thread_in_process
from pyqemu_edu.softmmu.accel_ops import (
    cpus_get_accel,
    qemu_cpu_is_self,
    qemu_cpu_kick,
)
from pyqemu_edu.softmmu.physmem import cpu_address_space_init
from pyqemu_edu.softmmu.runstate_transitions import runstate_is_running
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.guest_random import qemu_guest_random_seed_thread_part1
from pyqemu_edu.util.log import qemu_log_close
from pyqemu_edu.util.main_loop import (
    qemu_cond_broadcast,
    qemu_cond_init,
    qemu_cond_wait_iothread,
    qemu_mutex_iothread_locked,
    qemu_mutex_lock_iothread,
    qemu_mutex_unlock_iothread,
    qemu_notify_event,
)
from pyqemu_edu.util.timer import QEMU_CLOCK_VIRTUAL, qemu_clock_enable

cpu_thread_created = Event("cpu_thread_created", "cpu", "name")
cpu_interrupt_event = Event("cpu_interrupt", "cpu", "mask")

TURN_SECONDS = 0.0005
"""After how long a thread that runs makes room for another one that could."""

JOIN_SECONDS = 60
"""How long the end of a process waits for a thread that should need no time at all."""


class Statics:
    def __init__(self) -> None:
        self.io_thread: threading.Thread | None = None
        self.qemu_cpu_cond = qemu_cond_init()
        self.qemu_pause_cond = qemu_cond_init()
        self.failure: BaseException | None = None


statics = per_process(Statics)


def qemu_init_cpu_loop() -> None:
    """Make the conditions; the thread that calls this is the main one.

    Python's threads take turns: a vCPU that runs on must not keep other vCPUs, and the devices that the main thread
    serves, waiting for as long as Python would let it.
    """
    statics().io_thread = threading.current_thread()
    sys.setswitchinterval(TURN_SECONDS)


# May it run?


def cpu_is_stopped(cpu: CPUState) -> bool:
    """Whether this vCPU or the whole machine stands still."""
    return cpu.stopped or not runstate_is_running()


def cpu_work_list_empty(cpu: CPUState) -> bool:
    """Whether nobody has asked it for anything."""
    return not cpu.work_list


def cpu_thread_is_idle(cpu: CPUState) -> bool:
    """Whether its thread has nothing to do but sleep."""
    if cpu.stop or not cpu_work_list_empty(cpu):
        return False
    if cpu_is_stopped(cpu):
        return not cpu.unplug
    if not cpu.halted or cpu_has_work(cpu):
        return False
    is_idle = cpus_get_accel().cpu_thread_is_idle
    return is_idle(cpu) if is_idle else True


def all_cpu_threads_idle() -> bool:
    """Whether no vCPU has anything to do."""
    return all(cpu_thread_is_idle(cpu) for cpu in CPU_FOREACH())


def cpu_can_run(cpu: CPUState) -> bool:
    """Whether it may execute guest code."""
    return not cpu.stop and not cpu_is_stopped(cpu)


# State that an accelerator may keep elsewhere


def cpu_synchronize_state(cpu: CPUState) -> None:
    """Fetch the registers from the accelerator, if they are not in `env`."""
    synchronize = cpus_get_accel().synchronize_state
    if synchronize:
        synchronize(cpu)


def cpu_synchronize_all_states() -> None:
    """Fetch all registers."""
    for cpu in CPU_FOREACH():
        cpu_synchronize_state(cpu)


def cpu_synchronize_all_post_reset() -> None:
    """Give the accelerator the registers after a reset."""
    synchronize = cpus_get_accel().synchronize_post_reset
    if synchronize:
        for cpu in CPU_FOREACH():
            synchronize(cpu)


def cpu_synchronize_all_post_init() -> None:
    """Give the accelerator the registers once the machine is built."""
    synchronize = cpus_get_accel().synchronize_post_init
    if synchronize:
        for cpu in CPU_FOREACH():
            synchronize(cpu)


def cpus_are_resettable() -> bool:
    """Whether the accelerator can reset vCPUs."""
    are_resettable = cpus_get_accel().cpus_are_resettable
    return are_resettable() if are_resettable else True


# Interrupts


def generic_handle_interrupt(cpu: CPUState, mask: int) -> None:
    """Note an interrupt, and wake the vCPU."""
    cpu.interrupt_request |= mask
    if not qemu_cpu_is_self(cpu):
        qemu_cpu_kick(cpu)


def cpu_interrupt(cpu: CPUState, mask: int) -> None:
    """Request an interrupt; needs the big lock."""
    if cpu_interrupt_event:
        cpu_interrupt_event(cpu, mask)
    (cpus_get_accel().handle_interrupt or generic_handle_interrupt)(cpu, mask)


def cpu_reset_interrupt(cpu: CPUState, mask: int) -> None:
    """Withdraw an interrupt (QEMU hw/core/cpu-common.c)."""
    need_lock = not qemu_mutex_iothread_locked()
    if need_lock:
        qemu_mutex_lock_iothread()
    cpu.interrupt_request &= ~mask
    if need_lock:
        qemu_mutex_unlock_iothread()


# Birth


def qemu_thread_create(name: str, start_routine: Callable[[Any], None], arg: Any) -> threading.Thread:
    """A thread that runs `start_routine(arg)`, started (QEMU util/qemu-thread-posix.c)."""
    thread = thread_in_process(start_routine, arg, name=name)
    if isinstance(arg, CPUState):
        arg.thread = thread
    thread.start()
    return thread


def cpu_thread_signal_created(cpu: CPUState) -> None:
    """Tell `qemu_init_vcpu` that the thread is there; needs the big lock."""
    cpu.created = True
    if cpu_thread_created:
        cpu_thread_created(cpu, threading.current_thread().name)
    statics().qemu_cpu_cond.notify_all()


def cpu_thread_signal_destroyed(cpu: CPUState) -> None:
    """Tell whoever waits that the thread ends; needs the big lock."""
    cpu.created = False
    statics().qemu_cpu_cond.notify_all()


def qemu_init_vcpu(cpu: CPUState) -> None:
    """Give a vCPU its memory and its thread, and wait until that thread says hello."""
    ms = qdev_get_machine()
    cpu.nr_cores = ms.smp.cores
    cpu.nr_threads = ms.smp.threads
    cpu.stopped = True
    cpu.random_seed = qemu_guest_random_seed_thread_part1()
    if cpu.as_ is None:
        assert cpu.memory is not None
        cpu.num_ases = 1
        cpu_address_space_init(cpu, 0, "cpu-memory", cpu.memory)
    create_vcpu_thread = cpus_get_accel().create_vcpu_thread
    assert create_vcpu_thread is not None
    create_vcpu_thread(cpu)
    while not cpu.created:
        qemu_cond_wait_iothread(statics().qemu_cpu_cond)
        raise_failure()


# A vCPU thread's rest


def qemu_cpu_stop(cpu: CPUState, leave: bool) -> None:
    """The vCPU's own thread answers a request to stop."""
    cpu.stop = False
    cpu.stopped = True
    if leave:
        cpu_exit(cpu)
    statics().qemu_pause_cond.notify_all()


def qemu_wait_io_event_common(cpu: CPUState) -> None:
    """Do what others have asked for while the thread ran."""
    cpu.thread_kicked = False
    if cpu.stop:
        qemu_cpu_stop(cpu, False)
    process_queued_cpu_work(cpu)


def qemu_wait_io_event(cpu: CPUState) -> None:
    """Sleep as long as there is nothing to do; a wfi ends up here."""
    assert cpu.halt_cond is not None
    while cpu_thread_is_idle(cpu):
        qemu_cond_wait_iothread(cpu.halt_cond)
    qemu_wait_io_event_common(cpu)


def run_on_cpu(cpu: CPUState, func: RunOnCpuFunc, data: Any = None) -> None:
    """Have the vCPU's own thread call `func(cpu, data)` now; needs the big lock."""
    do_run_on_cpu(cpu, func, data)


# Stopping and going on


def all_vcpus_paused() -> bool:
    """Whether every vCPU has answered."""
    return all(cpu.stopped for cpu in CPU_FOREACH())


def pause_all_vcpus() -> None:
    """Ask all vCPUs to stop, and wait until they have; needs the big lock, and lets it go meanwhile."""
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, False)
    for cpu in CPU_FOREACH():
        if qemu_cpu_is_self(cpu):
            qemu_cpu_stop(cpu, True)
        else:
            cpu.stop = True
            qemu_cpu_kick(cpu)
    while not all_vcpus_paused():
        qemu_cond_wait_iothread(statics().qemu_pause_cond)
        for cpu in CPU_FOREACH():
            qemu_cpu_kick(cpu)


def cpu_resume(cpu: CPUState) -> None:
    """Let one vCPU run."""
    cpu.stop = False
    cpu.stopped = False
    qemu_cpu_kick(cpu)


def resume_all_vcpus() -> None:
    """Let all vCPUs run, if the machine does."""
    if not runstate_is_running():
        return
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, True)
    for cpu in CPU_FOREACH():
        cpu_resume(cpu)


def qemu_in_vcpu_thread() -> bool:
    """Whether the running thread is a vCPU's."""
    cpu = current_cpu()
    return cpu is not None and qemu_cpu_is_self(cpu)


def cpu_stop_current() -> None:
    """If called from a vCPU thread, stop that one after this block."""
    cpu = current_cpu()
    if cpu:
        cpu.stop = True
        cpu_exit(cpu)


# The end of a thread, and of a process (Not in QEMU, where exit() ends all threads)


@contextmanager
def vcpu_thread(cpu: CPUState) -> Iterator[None]:
    """Around a vCPU thread's life, which ends with the big lock held."""
    cpu.thread_id = threading.get_native_id()
    try:
        yield
    except BaseException as failure:
        if not qemu_mutex_iothread_locked():
            qemu_mutex_lock_iothread()
        vcpu_thread_failed(cpu, failure)
    qemu_mutex_unlock_iothread()


def vcpu_thread_failed(cpu: CPUState, failure: BaseException) -> None:
    """A vCPU thread ends by an exception: the main thread will raise it; needs the big lock.

    So ends a guest that asks its host to exit: where C calls exit() in any thread, ours raises `QemuExit`.
    """
    s = statics()
    s.failure = s.failure or failure
    for other in CPU_FOREACH():
        if other.thread is cpu.thread:
            other.stopped = True
    s.qemu_pause_cond.notify_all()
    s.qemu_cpu_cond.notify_all()
    qemu_notify_event()


def raise_failure() -> None:
    """Raise in this thread what ended a vCPU's."""
    failure, statics().failure = statics().failure, None
    if failure is not None:
        raise failure


def cpus_shutdown() -> None:
    """End all vCPU threads and wait for them: nothing of a process is left behind (Not in QEMU)."""
    locked = qemu_mutex_iothread_locked()
    if not locked:
        qemu_mutex_lock_iothread()
    for cpu in CPU_FOREACH():
        cpu.unplug = True
        cpu.stop = True
        if cpu.halt_cond is not None:
            qemu_cond_broadcast(cpu.halt_cond)
        cpu_exit(cpu)
    statics().qemu_pause_cond.notify_all()
    qemu_mutex_unlock_iothread()
    for thread in {cpu.thread for cpu in CPU_FOREACH() if cpu.thread is not None}:
        if thread is not threading.current_thread():
            thread.join(JOIN_SECONDS)
    qemu_log_close()
    if locked:
        qemu_mutex_lock_iothread()
