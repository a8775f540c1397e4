"""Bytes that must not be touched unnoticed: whether an access does (QEMU softmmu/physmem.c)."""

from __future__ import annotations

from pyqemu_edu.accel.tcg.cpu_exec_common import cpu_loop_exit
from pyqemu_edu.hw.core.cpu import BP_CPU, BP_MEM_ACCESS, CPU_GET_CLASS, EXCP_DEBUG, CPUState, CPUWatchpoint


def watchpoint_address_matches(wp: CPUWatchpoint, addr: int, length: int) -> bool:
    """Whether `length` bytes at `addr` have one in common with those that are watched."""
    return wp.vaddr < addr + length and addr < wp.vaddr + wp.len


def cpu_watchpoint_address_matches(cpu: CPUState, addr: int, length: int) -> int:
    """The kinds of access to these bytes that somebody wants to know of, as BP_MEM_ flags."""
    flags = 0
    for wp in cpu.watchpoints:
        if watchpoint_address_matches(wp, addr, length):
            flags |= wp.flags & BP_MEM_ACCESS
    return flags


def cpu_check_watchpoint(cpu: CPUState, addr: int, length: int, flags: int) -> None:
    """Stop before an access of a kind in `flags`, if somebody watches; the CPU itself may decide not to.

    Left out: to stop behind the access, which no watchpoint on RISC-V asks for.
    """
    ops = CPU_GET_CLASS(cpu).tcg_ops
    for wp in cpu.watchpoints:
        if not wp.flags & flags or not watchpoint_address_matches(wp, addr, length):
            continue
        wp.hitaddr = max(addr, wp.vaddr)
        if wp.flags & BP_CPU and ops and ops.debug_check_watchpoint and not ops.debug_check_watchpoint(cpu, wp):
            continue
        cpu.watchpoint_hit = wp
        cpu.exception_index = EXCP_DEBUG
        cpu_loop_exit(cpu)
