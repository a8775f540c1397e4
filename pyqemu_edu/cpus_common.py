"""The list of vCPUs, work sent to them, and running one alone (QEMU cpus-common.c)."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import Any

from pyqemu_edu.hw.core.cpu import UNASSIGNED_CPU_INDEX, CPUState, WorkItem
from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.accel_ops import qemu_cpu_is_self, qemu_cpu_kick
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.main_loop import (
    qemu_cond_init,
    qemu_mutex_iothread_locked,
)

RunOnCpuFunc = Callable[[CPUState, Any], None]

cpu_list_add_event = Event("cpu_list_add", "cpu", "cpu_index")
_current_cpu: ContextVar[CPUState | None] = ContextVar("current_cpu", default=None)


class Statics:
    def __init__(self) -> None:
        self.cpus: list[CPUState] = []
        self.qemu_cpu_list_lock = threading.RLock()
        self.exclusive_cond = threading.Condition(self.qemu_cpu_list_lock)
        self.exclusive_resume = threading.Condition(self.qemu_cpu_list_lock)
        self.qemu_work_cond = qemu_cond_init()
        self.pending_cpus = 0


statics = per_process(Statics)


def current_cpu() -> CPUState | None:
    """The vCPU that this thread runs; none in the main thread (in C a thread-local variable)."""
    return _current_cpu.get()


def set_current_cpu(cpu: CPUState | None) -> None:
    """This thread runs `cpu` now."""
    _current_cpu.set(cpu)


def CPU_FOREACH() -> Iterator[CPUState]:
    """The vCPUs, in order of creation."""
    return iter(tuple(statics().cpus))


def first_cpu() -> CPUState:
    """The oldest vCPU."""
    return statics().cpus[0]


def CPU_NEXT(cpu: CPUState) -> CPUState | None:
    """The vCPU made after this one."""
    cpus = statics().cpus
    following = cpus.index(cpu) + 1
    return cpus[following] if following < len(cpus) else None


def qemu_init_cpu_list() -> None:
    """Make the lock and the conditions."""
    statics()


def cpu_get_free_index() -> int:
    """One more than the highest index."""
    return max((cpu.cpu_index + 1 for cpu in CPU_FOREACH()), default=0)


def cpu_list_add(cpu: CPUState) -> None:
    """Let everybody see a new vCPU, which gets its index here."""
    with statics().qemu_cpu_list_lock:
        if cpu.cpu_index == UNASSIGNED_CPU_INDEX:
            cpu.cpu_index = cpu_get_free_index()
        statics().cpus.append(cpu)
    if cpu_list_add_event:
        cpu_list_add_event(cpu, cpu.cpu_index)


def qemu_get_cpu(index: int) -> CPUState | None:
    """The vCPU with this index."""
    return next((cpu for cpu in CPU_FOREACH() if cpu.cpu_index == index), None)


# Work for other threads


def queue_work_on_cpu(cpu: CPUState, wi: WorkItem) -> None:
    """Put work on a vCPU's list and wake it."""
    with cpu.work_mutex:
        cpu.work_list.append(wi)
    qemu_cpu_kick(cpu)


def do_run_on_cpu(cpu: CPUState, func: RunOnCpuFunc, data: Any) -> None:
    """Have the vCPU's thread call `func(cpu, data)`, and wait until it has; needs the big lock."""
    if qemu_cpu_is_self(cpu):
        func(cpu, data)
        return
    wi = WorkItem(func, data)
    queue_work_on_cpu(cpu, wi)
    while not wi.done:
        statics().qemu_work_cond.wait()


def async_run_on_cpu(cpu: CPUState, func: RunOnCpuFunc, data: Any = None) -> None:
    """Have the vCPU's thread call `func(cpu, data)` soon, under the big lock."""
    queue_work_on_cpu(cpu, WorkItem(func, data))


def process_queued_cpu_work(cpu: CPUState) -> None:
    """Do what others have asked this vCPU to do; needs the big lock."""
    while wi := _next_work(cpu):
        wi.func(cpu, wi.data)
        wi.done = True
    statics().qemu_work_cond.notify_all()


def _next_work(cpu: CPUState) -> WorkItem | None:
    with cpu.work_mutex:
        return cpu.work_list.popleft() if cpu.work_list else None


# One vCPU alone


def exclusive_idle() -> None:
    """Wait until nobody runs alone; needs the list's lock."""
    s = statics()
    while s.pending_cpus:
        s.exclusive_resume.wait()


def start_exclusive() -> None:
    """Wait until no other vCPU executes guest code, and keep it so."""
    s = statics()
    assert not qemu_mutex_iothread_locked(), "others may need the big lock to come to rest"
    with s.qemu_cpu_list_lock:
        exclusive_idle()
        s.pending_cpus = 1
        running = [cpu for cpu in CPU_FOREACH() if cpu.running]
        s.pending_cpus += len(running)
        for cpu in running:
            cpu.has_waiter = True
    for cpu in running:
        qemu_cpu_kick(cpu)
    with s.qemu_cpu_list_lock:
        while s.pending_cpus > 1:
            s.exclusive_cond.wait()
    if cpu_ := current_cpu():
        cpu_.in_exclusive_context = True


def end_exclusive() -> None:
    """Let the others run again."""
    s = statics()
    if cpu := current_cpu():
        cpu.in_exclusive_context = False
    with s.qemu_cpu_list_lock:
        s.pending_cpus = 0
        s.exclusive_resume.notify_all()


def cpu_exec_start(cpu: CPUState) -> None:
    """This vCPU is about to execute guest code; wait for one that runs alone.

    C avoids the lock where nobody waits; ours takes it, once for each entry of `cpu_exec`.
    """
    with statics().qemu_cpu_list_lock:
        exclusive_idle()
        cpu.running = True


def cpu_exec_end(cpu: CPUState) -> None:
    """This vCPU executes no guest code now."""
    s = statics()
    with s.qemu_cpu_list_lock:
        cpu.running = False
        if cpu.has_waiter:
            cpu.has_waiter = False
            s.pending_cpus -= 1
            s.exclusive_cond.notify_all()
