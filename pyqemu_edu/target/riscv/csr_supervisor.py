"""The CSRs of supervisor mode: its part of mstatus, its traps, its page table, its timer (QEMU target/riscv/csr.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu_edu.accel.tcg.cputlb import tlb_flush
from pyqemu_edu.target.riscv.cpu_bits import (
    MIP_LCOFIP,
    MIP_SSIP,
    MIP_STIP,
    MIP_UEIP,
    MIP_USIP,
    MSTATUS64_UXL,
    MSTATUS_FS,
    MSTATUS_MXR,
    MSTATUS_SIE,
    MSTATUS_SPIE,
    MSTATUS_SPP,
    MSTATUS_SUM,
    MSTATUS_TVM,
    MSTATUS_UIE,
    MSTATUS_UPIE,
    MSTATUS_VS,
    MSTATUS_XS,
    PRIV_VERSION_1_12_0,
    PRV_S,
    RISCV_FEATURE_MMU,
    VM_1_10_MBARE,
    VM_1_10_SV39,
    VM_1_10_SV48,
    VM_1_10_SV57,
)
from pyqemu_edu.target.riscv.cpu_helper import riscv_feature
from pyqemu_edu.target.riscv.csr_declare import CSR, CsrRefused, shown, stored
from pyqemu_edu.target.riscv.csr_machine import (
    S_MODE_INTERRUPTS,
    SENVCFG_WRITABLE,
    add_status_sd,
    rmw_mie,
    rmw_mip,
    write_mstatus,
)
from pyqemu_edu.target.riscv.csr_predicates import smode, sstc
from pyqemu_edu.target.riscv.time_helper import riscv_timer_write_timecmp

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

# fmt: off
SSTATUS_MASK = (
    MSTATUS_SIE | MSTATUS_SPIE | MSTATUS_UIE | MSTATUS_UPIE | MSTATUS_SPP | MSTATUS_FS | MSTATUS_XS | MSTATUS_SUM
    | MSTATUS_MXR | MSTATUS_VS
)
SIP_WRITABLE = MIP_SSIP | MIP_USIP | MIP_UEIP | MIP_LCOFIP
VALID_VM     = {VM_1_10_MBARE, VM_1_10_SV39, VM_1_10_SV48, VM_1_10_SV57}
# fmt: on


def read_sstatus(env: CPURISCVState, csrno: int) -> int:
    """The part of mstatus that supervisor mode sees."""
    return add_status_sd(env.mstatus & (SSTATUS_MASK | MSTATUS64_UXL))


def write_sstatus(env: CPURISCVState, csrno: int, val: int) -> None:
    """Change the part of mstatus that supervisor mode sees."""
    mask = SSTATUS_MASK | (MSTATUS64_UXL if val & MSTATUS64_UXL else 0)
    write_mstatus(env, csrno, env.mstatus & ~mask | val & mask)


def rmw_sie(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """sie: the delegated part of mie."""
    mask = env.mideleg & S_MODE_INTERRUPTS
    return rmw_mie(env, csrno, new_val, wr_mask & mask) & mask


def rmw_sip(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """sip: the delegated part of mip, of which software may write little."""
    old = rmw_mip(env, csrno, new_val, wr_mask & env.mideleg & SIP_WRITABLE)
    return old & env.mideleg & S_MODE_INTERRUPTS


def write_stvec(env: CPURISCVState, csrno: int, val: int) -> None:
    """The supervisor's trap handler; modes other than direct and vectored are ignored."""
    if val & 3 < 2:
        env.stvec = val


def write_stimecmp(env: CPURISCVState, csrno: int, val: int) -> None:
    """Say when supervisor mode's timer is to interrupt."""
    env.stimecmp = val
    assert env.stimer is not None
    riscv_timer_write_timecmp(env.cpu, env.stimer, val, 0, MIP_STIP)


def read_satp(env: CPURISCVState, csrno: int) -> int:
    """The page table's address and kind, which mstatus.TVM hides from supervisor mode."""
    if not riscv_feature(env, RISCV_FEATURE_MMU):
        return 0
    if env.priv == PRV_S and env.mstatus & MSTATUS_TVM:
        raise CsrRefused
    return env.satp


def write_satp(env: CPURISCVState, csrno: int, val: int) -> None:
    """Change the page table; a mode that the hart does not have is ignored."""
    if not riscv_feature(env, RISCV_FEATURE_MMU) or val >> 60 not in VALID_VM or val == env.satp:
        return
    if env.priv == PRV_S and env.mstatus & MSTATUS_TVM:
        raise CsrRefused
    tlb_flush(env.cpu)
    env.satp = val


# fmt: off
SUPERVISOR_CSRS = (
    CSR(0x100, "sstatus",    smode, read_sstatus, write_sstatus),
    CSR(0x104, "sie",        smode, op=rmw_sie),
    CSR(0x105, "stvec",      smode, shown("stvec"), write_stvec),
    CSR(0x106, "scounteren", smode, *stored("scounteren")),
    CSR(0x10A, "senvcfg",    smode, *stored("senvcfg", SENVCFG_WRITABLE), None, PRIV_VERSION_1_12_0),

    CSR(0x140, "sscratch",   smode, *stored("sscratch")),
    CSR(0x141, "sepc",       smode, *stored("sepc")),
    CSR(0x142, "scause",     smode, *stored("scause")),
    CSR(0x143, "stval",      smode, *stored("stval")),
    CSR(0x144, "sip",        smode, op=rmw_sip),
    CSR(0x14D, "stimecmp",   sstc,  shown("stimecmp"), write_stimecmp, None, PRIV_VERSION_1_12_0),

    CSR(0x180, "satp",       smode, read_satp, write_satp),
)
# fmt: on
