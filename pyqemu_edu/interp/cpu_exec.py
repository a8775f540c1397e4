"""The main loop of the accelerator `interp`: TCG's, with instructions where that has blocks (Not in QEMU)."""

from __future__ import annotations

from pyqemu_edu.accel.tcg.cpu_exec import (
    check_for_breakpoints,
    cpu_handle_exception,
    cpu_handle_halt,
    cpu_handle_interrupt,
)
from pyqemu_edu.accel.tcg.cpu_exec_common import CPULoopExit, TrapByInstruction
from pyqemu_edu.cpus_common import set_current_cpu
from pyqemu_edu.hw.core.cpu import EXCP_DEBUG, EXCP_HALTED, CPUState
from pyqemu_edu.interp.machine import NumberMachine
from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.icount import icount_enabled
from pyqemu_edu.target.riscv.cpu_state import RISCVCPU
from pyqemu_edu.util.main_loop import qemu_mutex_iothread_locked, qemu_mutex_unlock_iothread

TURN = 10_000
"""Instructions between two looks at what others want: some milliseconds."""


class Statics:
    def __init__(self) -> None:
        self.machines: dict[int, NumberMachine] = {}


statics = per_process(Statics)


def machine_of(cpu: CPUState) -> NumberMachine:
    """The machine that interprets for this vCPU."""
    assert isinstance(cpu, RISCVCPU)
    machines = statics().machines
    if cpu.cpu_index not in machines:
        machines[cpu.cpu_index] = NumberMachine(cpu)
    return machines[cpu.cpu_index]


def interp_cpu_exec(cpu: CPUState) -> int:
    """Execute guest code until there is a reason to stop: one of the EXCP_ numbers."""
    set_current_cpu(cpu)
    if cpu_handle_halt(cpu):
        return EXCP_HALTED
    machine = machine_of(cpu)
    machine.forget()
    while True:
        try:
            return interp_exec_loop(cpu, machine)
        except CPULoopExit:
            if qemu_mutex_iothread_locked():
                qemu_mutex_unlock_iothread()


def interp_exec_loop(cpu: CPUState, machine: NumberMachine) -> int:
    """Traps outside, turns of instructions inside."""
    while (ret := cpu_handle_exception(cpu)) is None:
        while not cpu_handle_interrupt(cpu, None)[0] and not check_for_breakpoints(cpu, machine.env.pc, 0)[0]:
            interp_turn(cpu, machine)
            if cpu.singlestep_enabled and cpu.exception_index == -1:
                cpu.exception_index = EXCP_DEBUG
                break
    return ret


def interp_turn(cpu: CPUState, machine: NumberMachine) -> None:
    """Some instructions; with `-icount` one, which is in the count already when it looks at the clock."""
    if not icount_enabled():
        machine.run(turn_length(cpu))
        return
    cpu.instret += 1
    try:
        machine.run(1)
    except TrapByInstruction:
        cpu.instret += 1
        raise
    finally:
        cpu.instret -= 1


def turn_length(cpu: CPUState) -> int:
    """How many instructions to run before looking up: one where somebody watches each."""
    if cpu.singlestep_enabled or cpu.breakpoints:
        return 1
    return min(TURN, cpu.icount_end - cpu.instret)
