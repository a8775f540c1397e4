"""Modes, pending interrupts, and how a hart takes a trap (QEMU target/riscv/cpu_helper.c).

Addresses are translated in `mmu.py`.  Left out: virtual supervisor mode, and the interrupt priorities of the advanced
interrupt architecture.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyqemu_edu.hw.core.cpu import CPU_INTERRUPT_HARD, CPUState
from pyqemu_edu.softmmu.cpus import cpu_interrupt, cpu_reset_interrupt
from pyqemu_edu.target.riscv.cpu_bits import (
    IRQ_M_EXT,
    MASK64,
    MSTATUS_FS,
    MSTATUS_MIE,
    MSTATUS_MPIE,
    MSTATUS_MPP,
    MSTATUS_MPV,
    MSTATUS_SIE,
    MSTATUS_SPIE,
    MSTATUS_SPP,
    PRV_H,
    PRV_M,
    PRV_S,
    PRV_U,
    RISCV_EXCP_ILLEGAL_INST,
    RISCV_EXCP_INST_ACCESS_FAULT,
    RISCV_EXCP_INST_ADDR_MIS,
    RISCV_EXCP_INST_PAGE_FAULT,
    RISCV_EXCP_INT_FLAG,
    RISCV_EXCP_INT_MASK,
    RISCV_EXCP_LOAD_ACCESS_FAULT,
    RISCV_EXCP_LOAD_ADDR_MIS,
    RISCV_EXCP_LOAD_PAGE_FAULT,
    RISCV_EXCP_M_ECALL,
    RISCV_EXCP_NONE,
    RISCV_EXCP_S_ECALL,
    RISCV_EXCP_STORE_AMO_ACCESS_FAULT,
    RISCV_EXCP_STORE_AMO_ADDR_MIS,
    RISCV_EXCP_STORE_PAGE_FAULT,
    RISCV_EXCP_U_ECALL,
    RVH,
    get_field,
    set_field,
)
from pyqemu_edu.target.riscv.timer_storm import timer_interrupt_taken
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.log import CPU_LOG_INT, qemu_log, qemu_loglevel_mask
from pyqemu_edu.util.main_loop import (
    qemu_mutex_iothread_locked,
    qemu_mutex_lock_iothread,
    qemu_mutex_unlock_iothread,
)

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import RISCVCPU, CPURISCVState

riscv_trap = Event("riscv_trap", "hartid", "async", "cause", "epc", "tval", "desc")

TB_FLAGS_VILL, TB_FLAGS_HLSX, TB_FLAGS_XL = 1 << 12, 1 << 15, 20

# fmt: off
TVAL_IS_ADDRESS = {
    RISCV_EXCP_INST_ADDR_MIS, RISCV_EXCP_INST_ACCESS_FAULT, RISCV_EXCP_INST_PAGE_FAULT,
    RISCV_EXCP_LOAD_ADDR_MIS, RISCV_EXCP_LOAD_ACCESS_FAULT, RISCV_EXCP_LOAD_PAGE_FAULT,
    RISCV_EXCP_STORE_AMO_ADDR_MIS, RISCV_EXCP_STORE_AMO_ACCESS_FAULT, RISCV_EXCP_STORE_PAGE_FAULT,
}

riscv_excp_names = (
    "misaligned_fetch", "fault_fetch", "illegal_instruction", "breakpoint",
    "misaligned_load", "fault_load", "misaligned_store", "fault_store",
    "user_ecall", "supervisor_ecall", "hypervisor_ecall", "machine_ecall",
    "exec_page_fault", "load_page_fault", "reserved", "store_page_fault",
    "reserved", "reserved", "reserved", "reserved",
    "guest_exec_page_fault", "guest_load_page_fault", "reserved", "guest_store_page_fault",
)
riscv_intr_names = (
    "u_software", "s_software", "vs_software", "m_software",
    "u_timer", "s_timer", "vs_timer", "m_timer",
    "u_external", "s_external", "vs_external", "m_external",
    "reserved", "reserved", "reserved", "reserved",
)
# fmt: on


def riscv_cpu_get_trap_name(cause: int, is_async: bool) -> str:
    """What a trap is called in `-d int` (QEMU target/riscv/cpu.c)."""
    names = riscv_intr_names if is_async else riscv_excp_names
    return names[cause] if cause < len(names) else "(unknown)"


def riscv_has_ext(env: CPURISCVState, ext: int) -> bool:
    """Whether misa has one of these bits (QEMU target/riscv/cpu.h)."""
    return env.misa_ext & ext != 0


def riscv_feature(env: CPURISCVState, feature: int) -> bool:
    """Whether the hart has something that misa does not tell (QEMU target/riscv/cpu.h)."""
    return bool(env.features >> feature & 1)


def riscv_cpu_mmu_index(env: CPURISCVState, ifetch: bool) -> int:
    """Which of the TLBs an access goes through: one for each mode."""
    return env.priv


def riscv_cpu_set_mode(env: CPURISCVState, newpriv: int) -> None:
    """Change the privilege mode; a reservation does not outlive it."""
    assert newpriv <= PRV_M
    env.priv = PRV_U if newpriv == PRV_H else newpriv
    env.load_res = MASK64


def riscv_cpu_fp_enabled(env: CPURISCVState) -> bool:
    """Whether mstatus lets floating-point instructions run."""
    return env.mstatus & MSTATUS_FS != 0


# Pending interrupts


def riscv_cpu_all_pending(env: CPURISCVState) -> int:
    """The interrupts that are pending and individually enabled, whatever the mode says."""
    return env.mip & env.mie


def riscv_cpu_pending_to_irq(env: CPURISCVState, extirq: int, pending: int) -> int:
    """The first interrupt to take.

    QEMU 7.2 takes the lowest number, against the order of the privileged manual, unless the advanced interrupt
    architecture (`x-smaia`, not modelled) is on.
    """
    return (pending & -pending).bit_length() - 1 if pending else RISCV_EXCP_NONE


def riscv_cpu_local_irq_pending(env: CPURISCVState) -> int:
    """The interrupt to take now, or RISCV_EXCP_NONE: those of machine mode before delegated ones."""
    mie = env.priv < PRV_M or bool(env.mstatus & MSTATUS_MIE)
    hsie = env.priv < PRV_S or (env.priv == PRV_S and bool(env.mstatus & MSTATUS_SIE))
    pending = riscv_cpu_all_pending(env)
    if mie and pending & ~env.mideleg:
        return riscv_cpu_pending_to_irq(env, IRQ_M_EXT, pending & ~env.mideleg)
    if hsie and pending & env.mideleg & ~env.hideleg:
        return riscv_cpu_pending_to_irq(env, IRQ_M_EXT, pending & env.mideleg & ~env.hideleg)
    return RISCV_EXCP_NONE


def riscv_cpu_interrupt_enabled(cs: CPUState) -> bool:
    """Whether there is an interrupt to take now (Not in QEMU)."""
    return riscv_cpu_local_irq_pending(cs.env_ptr) >= 0


def riscv_cpu_exec_interrupt(cs: CPUState, interrupt_request: int) -> bool:
    """Take a pending interrupt, if one is enabled; whether it was."""
    if interrupt_request & CPU_INTERRUPT_HARD:
        interruptno = riscv_cpu_local_irq_pending(cs.env_ptr)
        if interruptno >= 0:
            timer_interrupt_taken(cs.env_ptr, interruptno)
            cs.exception_index = RISCV_EXCP_INT_FLAG | interruptno
            riscv_cpu_do_interrupt(cs)
            return True
    return False


def riscv_cpu_update_mip(cpu: RISCVCPU, mask: int, value: int) -> int:
    """Change the bits of mip under `mask`, wake or calm the vCPU; the old mip."""
    env = cpu.env
    old = env.mip
    locked = False
    if not qemu_mutex_iothread_locked():
        locked = True
        qemu_mutex_lock_iothread()
    env.mip = env.mip & ~mask | value & mask
    if env.mip:
        cpu_interrupt(cpu, CPU_INTERRUPT_HARD)
    else:
        cpu_reset_interrupt(cpu, CPU_INTERRUPT_HARD)
    if locked:
        qemu_mutex_unlock_iothread()
    return old


def riscv_cpu_claim_interrupts(cpu: RISCVCPU, interrupts: int) -> int:
    """Reserve interrupt lines for one device; -1 if another has them already."""
    if cpu.env.miclaim & interrupts:
        return -1
    cpu.env.miclaim |= interrupts
    return 0


def riscv_cpu_set_rdtime_fn(env: CPURISCVState, fn: Callable[[Any], int], arg: Any) -> None:
    """Say who answers a read of the `time` CSR: the machine's timer."""
    env.rdtime_fn = fn
    env.rdtime_fn_arg = arg


# Taking a trap


def riscv_cpu_do_interrupt(cs: CPUState) -> None:
    """Take the trap in `cs.exception_index`: save what was, and go to the handler.

    Left out against QEMU: semihosting, guest addresses, and the transformed instruction in mtinst.
    """
    env: CPURISCVState = cs.env_ptr
    is_async = bool(cs.exception_index & RISCV_EXCP_INT_FLAG)
    cause = cs.exception_index & RISCV_EXCP_INT_MASK
    tval = 0 if is_async else _trap_value(env, cause)
    if not is_async and cause == RISCV_EXCP_U_ECALL:
        cause = {PRV_M: RISCV_EXCP_M_ECALL, PRV_S: RISCV_EXCP_S_ECALL}.get(env.priv, RISCV_EXCP_U_ECALL)
    desc = riscv_cpu_get_trap_name(cause, is_async)
    if riscv_trap:
        riscv_trap(env.mhartid, is_async, cause, env.pc, tval, desc)
    if qemu_loglevel_mask(CPU_LOG_INT):
        qemu_log(
            f"riscv_cpu_do_interrupt: hart:{env.mhartid}, async:{int(is_async)}, cause:{cause:016x}, "
            f"epc:0x{env.pc:016x}, tval:0x{tval:016x}, desc={desc}\n"
        )
    deleg = env.mideleg if is_async else env.medeleg
    trap = _trap_to_s_mode if env.priv <= PRV_S and deleg >> cause & 1 else _trap_to_m_mode
    trap(env, cause, is_async, tval)
    cs.exception_index = RISCV_EXCP_NONE


def _trap_value(env: CPURISCVState, cause: int) -> int:
    """What mtval tells about an exception: the bad address, or the illegal instruction."""
    if cause in TVAL_IS_ADDRESS:
        return env.badaddr
    return env.bins if cause == RISCV_EXCP_ILLEGAL_INST else 0


def _trap_to_m_mode(env: CPURISCVState, cause: int, is_async: bool, tval: int) -> None:
    s = env.mstatus
    if riscv_has_ext(env, RVH):
        s = set_field(s, MSTATUS_MPV, 0)
    s = set_field(s, MSTATUS_MPIE, get_field(s, MSTATUS_MIE))
    s = set_field(s, MSTATUS_MPP, env.priv)
    env.mstatus = set_field(s, MSTATUS_MIE, 0)
    env.mcause = cause | is_async << 63
    env.mepc = env.pc
    env.mtval = tval
    env.pc = _handler(env.mtvec, cause, is_async)
    riscv_cpu_set_mode(env, PRV_M)


def _trap_to_s_mode(env: CPURISCVState, cause: int, is_async: bool, tval: int) -> None:
    s = env.mstatus
    s = set_field(s, MSTATUS_SPIE, get_field(s, MSTATUS_SIE))
    s = set_field(s, MSTATUS_SPP, env.priv)
    env.mstatus = set_field(s, MSTATUS_SIE, 0)
    env.scause = cause | is_async << 63
    env.sepc = env.pc
    env.stval = tval
    env.pc = _handler(env.stvec, cause, is_async)
    riscv_cpu_set_mode(env, PRV_S)


def _handler(tvec: int, cause: int, is_async: bool) -> int:
    """Where a trap goes: one place, or with mode 1 (vectored) four bytes for each interrupt."""
    return (tvec & ~3) + (4 * cause if is_async and tvec & 3 == 1 else 0)


def cpu_get_tb_cpu_state(env: CPURISCVState) -> tuple[int, int, int]:
    """What a translated block depends on: pc, nothing (x86's segment base), and flags that say the mode."""
    flags = riscv_cpu_mmu_index(env, False) | TB_FLAGS_VILL | env.mstatus & MSTATUS_FS | env.misa_mxl << TB_FLAGS_XL
    if riscv_has_ext(env, RVH) and env.priv >= PRV_S:
        flags |= TB_FLAGS_HLSX
    return env.pc, 0, flags
