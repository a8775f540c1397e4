"""What an instruction does that is more than arithmetic: traps, CSRs, returns, wfi (QEMU target/riscv/op_helper.c).

Left out: going back into a hypervisor's guest (`hstatus.SPV`, `mstatus.MPV`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pyqemu_edu.accel.tcg.cpu_exec_common import (
    cpu_loop_exit_halted,
    cpu_loop_exit_restore,
    cpu_loop_exit_trap,
)
from pyqemu_edu.accel.tcg.cputlb import tlb_flush
from pyqemu_edu.target.riscv.cpu_bits import (
    CSR_SEED,
    MASK64,
    MSTATUS_MIE,
    MSTATUS_MPIE,
    MSTATUS_MPP,
    MSTATUS_MPV,
    MSTATUS_SIE,
    MSTATUS_SPIE,
    MSTATUS_SPP,
    MSTATUS_TSR,
    MSTATUS_TVM,
    MSTATUS_TW,
    PRV_M,
    PRV_S,
    PRV_U,
    RISCV_EXCP_ILLEGAL_INST,
    RISCV_EXCP_INST_ADDR_MIS,
    RISCV_FEATURE_PMP,
    RVC,
    RVS,
    get_field,
    set_field,
)
from pyqemu_edu.target.riscv.cpu_helper import riscv_cpu_set_mode, riscv_feature, riscv_has_ext
from pyqemu_edu.target.riscv.csr import riscv_csrrw
from pyqemu_edu.target.riscv.csr_declare import CsrRefused
from pyqemu_edu.target.riscv.pmp import pmp_get_num_rules

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState


def riscv_raise_exception(env: CPURISCVState, exception: int, pc: int = 0) -> NoReturn:
    """Trap: leave the running instruction for the main loop, which takes the exception."""
    cs = env.cpu
    cs.exception_index = exception
    cpu_loop_exit_restore(cs, pc)


def helper_raise_exception(env: CPURISCVState, exception: int) -> NoReturn:
    """Trap from translated code, because that is what the instruction means, or because it means nothing."""
    env.cpu.exception_index = exception
    cpu_loop_exit_trap(env.cpu)


def helper_csrr(env: CPURISCVState, csr: int) -> int:
    """Read a CSR without writing it, which the entropy source does not allow."""
    if csr == CSR_SEED:
        riscv_raise_exception(env, RISCV_EXCP_ILLEGAL_INST)
    return helper_csrrw(env, csr, 0, 0)


def helper_csrw(env: CPURISCVState, csr: int, src: int) -> None:
    """Write a CSR whose old value nobody wants."""
    helper_csrrw(env, csr, src, MASK64)


def helper_csrrw(env: CPURISCVState, csr: int, src: int, write_mask: int) -> int:
    """Replace the bits in `write_mask`; the old value.  An access that is not allowed traps."""
    try:
        return riscv_csrrw(env, csr, src, write_mask)
    except CsrRefused as refused:
        riscv_raise_exception(env, refused.cause)


def helper_mret(env: CPURISCVState) -> int:
    """Return from a machine-mode trap: to the mode before it; the address at which to go on."""
    if env.priv < PRV_M:
        riscv_raise_exception(env, RISCV_EXCP_ILLEGAL_INST)
    retpc = env.mepc
    if not riscv_has_ext(env, RVC) and retpc & 3:
        riscv_raise_exception(env, RISCV_EXCP_INST_ADDR_MIS)
    mstatus = env.mstatus
    prev_priv = get_field(mstatus, MSTATUS_MPP)
    if riscv_feature(env, RISCV_FEATURE_PMP) and not pmp_get_num_rules(env) and prev_priv != PRV_M:
        riscv_raise_exception(env, RISCV_EXCP_ILLEGAL_INST)
    mstatus = set_field(mstatus, MSTATUS_MIE, get_field(mstatus, MSTATUS_MPIE))
    mstatus = set_field(mstatus, MSTATUS_MPIE, 1)
    mstatus = set_field(mstatus, MSTATUS_MPP, PRV_U)
    env.mstatus = set_field(mstatus, MSTATUS_MPV, 0)
    riscv_cpu_set_mode(env, prev_priv)
    return retpc


def helper_sret(env: CPURISCVState) -> int:
    """Return from a supervisor-mode trap: to the mode before it; the address at which to go on."""
    if env.priv < PRV_S:
        riscv_raise_exception(env, RISCV_EXCP_ILLEGAL_INST)
    retpc = env.sepc
    if not riscv_has_ext(env, RVC) and retpc & 3:
        riscv_raise_exception(env, RISCV_EXCP_INST_ADDR_MIS)
    if env.mstatus & MSTATUS_TSR and env.priv < PRV_M:
        riscv_raise_exception(env, RISCV_EXCP_ILLEGAL_INST)
    mstatus = env.mstatus
    prev_priv = get_field(mstatus, MSTATUS_SPP)
    mstatus = set_field(mstatus, MSTATUS_SIE, get_field(mstatus, MSTATUS_SPIE))
    mstatus = set_field(mstatus, MSTATUS_SPIE, 1)
    env.mstatus = set_field(mstatus, MSTATUS_SPP, PRV_U)
    riscv_cpu_set_mode(env, prev_priv)
    return retpc


def helper_tlb_flush(env: CPURISCVState) -> None:
    """`sfence.vma`: forget all translations, whichever the operands name."""
    if env.priv < PRV_S or (env.priv == PRV_S and env.mstatus & MSTATUS_TVM):
        riscv_raise_exception(env, RISCV_EXCP_ILLEGAL_INST)
    tlb_flush(env.cpu)


def helper_wfi(env: CPURISCVState) -> NoReturn:
    """Sleep until an interrupt is pending."""
    cs = env.cpu
    timeout_wait = bool(get_field(env.mstatus, MSTATUS_TW))
    rvs = riscv_has_ext(env, RVS)
    prv_u, prv_s = env.priv == PRV_U, env.priv == PRV_S
    if ((prv_s or (not rvs and prv_u)) and timeout_wait) or (rvs and prv_u):
        riscv_raise_exception(env, RISCV_EXCP_ILLEGAL_INST)
    cpu_loop_exit_halted(cs)
