"""What an accelerator does for vCPUs, and waking one (QEMU include/sysemu/accel-ops.h, softmmu/cpus.c)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass

from pyqemu_edu.hw.core.cpu import CPUState, cpu_exit
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.struct import ObjectClass
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.main_loop import qemu_cond_broadcast

TYPE_ACCEL_OPS = "accel-ops"
ACCEL_OPS_SUFFIX = "-ops"

qemu_cpu_kick_event = Event("qemu_cpu_kick", "cpu")


def ACCEL_OPS_NAME(name: str) -> str:
    """The type of an accelerator's operations: `tcg-accel` has `tcg-accel-ops`."""
    return name + ACCEL_OPS_SUFFIX


@dataclass(eq=False)
class AccelOpsClass(ObjectClass):
    """Only the class is ever used, never an instance; `create_vcpu_thread` is the one that each must have."""

    ops_init: Callable[[AccelOpsClass], None] | None = None
    cpus_are_resettable: Callable[[], bool] | None = None
    create_vcpu_thread: Callable[[CPUState], None] | None = None
    kick_vcpu_thread: Callable[[CPUState], None] | None = None
    cpu_thread_is_idle: Callable[[CPUState], bool] | None = None
    synchronize_post_reset: Callable[[CPUState], None] | None = None
    synchronize_post_init: Callable[[CPUState], None] | None = None
    synchronize_state: Callable[[CPUState], None] | None = None
    synchronize_pre_loadvm: Callable[[CPUState], None] | None = None
    synchronize_pre_resume: Callable[[bool], None] | None = None
    handle_interrupt: Callable[[CPUState, int], None] | None = None
    get_virtual_clock: Callable[[], int] | None = None
    get_elapsed_ticks: Callable[[], int] | None = None
    supports_guest_debug: Callable[[], bool] | None = None
    insert_breakpoint: Callable[[CPUState, int, int, int], int] | None = None
    remove_breakpoint: Callable[[CPUState, int, int, int], int] | None = None
    remove_all_breakpoints: Callable[[CPUState], None] | None = None
    cpu_exec: Callable[[CPUState], int] | None = None
    """Not in QEMU: what the vCPU threads call to run guest code, so that `interp` can share TCG's threads."""


class Statics:
    def __init__(self) -> None:
        self.cpus_accel: AccelOpsClass | None = None


statics = per_process(Statics)


def cpus_register_accel(ops: AccelOpsClass) -> None:
    """The chosen accelerator says how it runs vCPUs."""
    assert ops.create_vcpu_thread is not None
    statics().cpus_accel = ops


def cpus_get_accel() -> AccelOpsClass:
    """What the chosen accelerator has registered."""
    ops = statics().cpus_accel
    assert ops is not None, "no accelerator yet"
    return ops


def qemu_cpu_is_self(cpu: CPUState) -> bool:
    """Whether the running thread is this vCPU's."""
    return cpu.thread is threading.current_thread()


def cpus_kick_thread(cpu: CPUState) -> None:
    """What a kick does where the accelerator has no way of its own; in C a signal to the thread."""
    if not cpu.thread_kicked:
        cpu.thread_kicked = True
        cpu_exit(cpu)


def qemu_cpu_kick(cpu: CPUState) -> None:
    """Wake a vCPU thread that sleeps, and have one that runs come back soon."""
    if qemu_cpu_kick_event:
        qemu_cpu_kick_event(cpu)
    assert cpu.halt_cond is not None
    qemu_cond_broadcast(cpu.halt_cond)
    (cpus_get_accel().kick_vcpu_thread or cpus_kick_thread)(cpu)
