"""A thread for each vCPU (QEMU accel/tcg/tcg-accel-ops-mttcg.c)."""

from __future__ import annotations

from pyqemu_edu.accel.tcg.tcg_cpus import tcg_cpu_init_cflags, tcg_cpu_run, tcg_cpus_destroy
from pyqemu_edu.cpus_common import set_current_cpu
from pyqemu_edu.hw.core.cpu import CPUState, cpu_exit
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.softmmu.cpus import (
    cpu_can_run,
    cpu_thread_signal_created,
    qemu_thread_create,
    qemu_wait_io_event,
    vcpu_thread,
)
from pyqemu_edu.tcg.tcg import tcg_register_thread
from pyqemu_edu.util.guest_random import qemu_guest_random_seed_thread_part2
from pyqemu_edu.util.main_loop import qemu_cond_init, qemu_mutex_lock_iothread


def mttcg_cpu_thread_fn(cpu: CPUState) -> None:
    """A vCPU's life: run while it may, sleep while there is nothing to do."""
    with vcpu_thread(cpu):
        tcg_register_thread()
        qemu_mutex_lock_iothread()
        cpu.can_do_io = 1
        set_current_cpu(cpu)
        cpu_thread_signal_created(cpu)
        qemu_guest_random_seed_thread_part2(cpu.random_seed)
        cpu.exit_request = True
        while True:
            if cpu_can_run(cpu):
                tcg_cpu_run(cpu)
            cpu.exit_request = False
            qemu_wait_io_event(cpu)
            if cpu.unplug and not cpu_can_run(cpu):
                break
        tcg_cpus_destroy(cpu)


def mttcg_kick_vcpu_thread(cpu: CPUState) -> None:
    """Have a running vCPU come back soon."""
    cpu_exit(cpu)


def mttcg_start_vcpu_thread(cpu: CPUState) -> None:
    """Start a vCPU's thread, named as in QEMU."""
    tcg_cpu_init_cflags(cpu, current_machine().smp.max_cpus > 1)
    cpu.halt_cond = qemu_cond_init()
    cpu.thread = qemu_thread_create(f"CPU {cpu.cpu_index}/TCG", mttcg_cpu_thread_fn, cpu)
