"""vCPU threads in a whole machine: names, stopping, going on, and leaving nothing behind."""

from __future__ import annotations

import io
import threading
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from pyqemu_edu import modules
from pyqemu_edu.accel.tcg.tcg_cpus import cpu_set_instruction_budget
from pyqemu_edu.cpus_common import CPU_FOREACH, async_run_on_cpu, current_cpu
from pyqemu_edu.hw.core.cpu import CPUState
from pyqemu_edu.process import Process
from pyqemu_edu.qom.zoo import run_program_constructors
from pyqemu_edu.softmmu.cpus import cpus_shutdown, run_on_cpu
from pyqemu_edu.softmmu.runstate import main_loop_should_exit, vm_start, vm_stop
from pyqemu_edu.softmmu.runstate_transitions import RUNSTATE_TRANSITIONS, RunState, runstate_get, runstate_set
from pyqemu_edu.softmmu.vl import qemu_init
from pyqemu_edu.util.error import QemuAbort
from pyqemu_edu.util.main_loop import main_loop_wait, qemu_mutex_unlock_iothread

OPTIONS = "-machine spike -bios none -display none -nodefaults -monitor none -serial null -S"


@contextmanager
def machine(options: str) -> Iterator[list[CPUState]]:
    """A machine that has been built and stands still."""
    modules.link()
    argv = ["qemu-system-riscv64", *OPTIONS.split(), *options.split()]
    with Process(argv, stdout=io.StringIO(), stderr=io.StringIO()):
        run_program_constructors()
        qemu_init(argv)
        try:
            yield list(CPU_FOREACH())
        finally:
            cpus_shutdown()
            qemu_mutex_unlock_iothread()


def vcpu_threads() -> list[str]:
    """The names of the vCPU threads that live."""
    return sorted(thread.name for thread in threading.enumerate() if thread.name.endswith("/TCG"))


def serve_until(state: RunState) -> None:
    """Be the main loop until the machine is in `state`."""
    while runstate_get() is not state:
        assert main_loop_should_exit() is None
        if runstate_get() is not state:
            main_loop_wait(False)


@pytest.mark.parametrize(
    ("options", "names"),
    [
        ("-smp 2", ["CPU 0/TCG", "CPU 1/TCG"]),
        ("-smp 2 -accel tcg,thread=single", ["ALL CPUs/TCG"]),
    ],
)
def test_threads_are_named_as_in_qemu_and_end_with_the_process(options: str, names: list[str]) -> None:
    with machine(options) as cpus:
        assert vcpu_threads() == names
        assert all(cpu.created for cpu in cpus)
    assert vcpu_threads() == []


@pytest.mark.parametrize("thread", ["single", "multi"])
def test_a_machine_stops_where_its_budget_ends_and_goes_on(thread: str) -> None:
    with machine(f"-accel tcg,thread={thread}") as cpus:
        cpu = cpus[0]
        cpu_set_instruction_budget(cpu, 3)
        vm_start()
        serve_until(RunState.PAUSED)
        assert (cpu.instret, cpu.env_ptr.pc) == (3, 0x100C)
        assert cpu.stopped
        cpu_set_instruction_budget(cpu, 2)
        vm_start()
        serve_until(RunState.PAUSED)
        assert (cpu.instret, cpu.env_ptr.pc) == (5, 0x1014)


def test_stopping_waits_until_every_vcpu_stands_still() -> None:
    with machine("-smp 2") as cpus:
        for _ in range(3):
            vm_start()
            vm_stop(RunState.PAUSED)
            assert all(cpu.stopped for cpu in cpus)
            assert runstate_get() is RunState.PAUSED


def test_work_for_a_vcpu_is_done_in_its_own_thread() -> None:
    with machine("-smp 2") as cpus:
        done: list[tuple[str, bool]] = []
        run_on_cpu(cpus[1], lambda cpu, data: done.append((threading.current_thread().name, current_cpu() is cpu)))
        assert done == [("CPU 1/TCG", True)]


def test_an_exception_in_a_vcpu_thread_surfaces_in_the_main_loop() -> None:
    def fail(cpu: CPUState, data: object) -> None:
        raise ZeroDivisionError("ours")

    with machine("") as cpus:
        async_run_on_cpu(cpus[0], fail)
        with pytest.raises(ZeroDivisionError, match="ours"):
            serve_until(RunState.SHUTDOWN)


def test_a_transition_that_the_table_does_not_have_aborts() -> None:
    with Process(["qemu"], stderr=io.StringIO()) as process:
        with pytest.raises(QemuAbort):
            runstate_set(RunState.SAVE_VM)
        assert process.stderr.getvalue() == "qemu: invalid runstate transition: 'prelaunch' -> 'save-vm'\n"  # type: ignore[attr-defined]
    assert sum(map(len, RUNSTATE_TRANSITIONS.values())) == 71
