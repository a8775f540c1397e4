"""Leaving guest code in the middle of an instruction (QEMU accel/tcg/cpu-exec-common.c).

Where C jumps to the `sigsetjmp` in `cpu_exec`, we raise `CPULoopExit`, which `cpu_exec` catches.
"""

from __future__ import annotations

from typing import NoReturn

from pyqemu_edu.hw.core.cpu import EXCP_ATOMIC, EXCP_HLT, CPUState


class CPULoopExit(Exception):
    """Back to `cpu_exec`; `cpu.exception_index` says why."""


class IORecompile(CPULoopExit):
    """The same where a device is touched in the middle of a block that counts instructions (Not in QEMU)."""


class TrapByInstruction(CPULoopExit):
    """The same by an instruction whose meaning is to trap (Not in QEMU: `cpu_loop_exit_restore` with pc 0).

    C puts nothing back for it, so that `-icount` counts it, unlike one that failed.
    """


class CPUHalted(CPULoopExit):
    """The same by an instruction that is completed with it: pc stands behind it already (Not in QEMU)."""


def cpu_loop_exit(cpu: CPUState) -> NoReturn:
    """Leave the running block."""
    cpu.can_do_io = 1
    raise CPULoopExit


def cpu_loop_exit_halted(cpu: CPUState) -> NoReturn:
    """Leave the running block to sleep (Not in QEMU: `cpu_loop_exit`, which puts nothing back)."""
    cpu.halted = 1
    cpu.exception_index = EXCP_HLT
    cpu.can_do_io = 1
    raise CPUHalted


def cpu_loop_exit_trap(cpu: CPUState) -> NoReturn:
    """Leave the running block by an instruction that does nothing else (Not in QEMU: see `TrapByInstruction`)."""
    cpu.can_do_io = 1
    raise TrapByInstruction


def cpu_loop_exit_restore(cpu: CPUState, pc: int) -> NoReturn:
    """Leave the running block with registers as they were before the running instruction.

    In C the host address `pc` tells which instruction that is; ours is found in the exception's traceback by
    whoever runs the block, so the argument is not used.
    """
    cpu_loop_exit(cpu)


def cpu_loop_exit_atomic(cpu: CPUState, pc: int) -> NoReturn:
    """Leave to repeat the running instruction while all other vCPUs stand still."""
    cpu.exception_index = EXCP_ATOMIC
    cpu_loop_exit_restore(cpu, pc)
