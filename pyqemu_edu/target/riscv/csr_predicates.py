"""Which harts, in which mode, see a CSR (QEMU target/riscv/csr.c).

Left out: the predicates of V, AIA, pointer masking and RV32, whose registers we do not have.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu_edu.target.riscv.cpu_bits import (
    COUNTEREN_TM,
    CSR_CYCLE,
    CSR_INSTRET,
    CSR_MHPMCOUNTER3,
    CSR_VSTIMECMP,
    MENVCFG_STCE,
    MSECCFG_SSEED,
    MSECCFG_USEED,
    PRV_M,
    PRV_S,
    PRV_U,
    RISCV_FEATURE_DEBUG,
    RISCV_FEATURE_EPMP,
    RISCV_FEATURE_PMP,
    RVH,
    RVS,
    RVU,
)
from pyqemu_edu.target.riscv.cpu_helper import riscv_cpu_fp_enabled, riscv_feature, riscv_has_ext

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState


def any_(env: CPURISCVState, csrno: int) -> bool:
    """Every hart has it."""
    return True


def fs(env: CPURISCVState, csrno: int) -> bool:
    """The floating-point unit is on, a debugger asks, or there are floats in the integer registers (Zfinx)."""
    return env.debugger or riscv_cpu_fp_enabled(env) or bool(env.cpu.cfg.ext_zfinx)


def smode(env: CPURISCVState, csrno: int) -> bool:
    """Harts with supervisor mode have it."""
    return riscv_has_ext(env, RVS)


def umode(env: CPURISCVState, csrno: int) -> bool:
    """Harts with user mode have it."""
    return riscv_has_ext(env, RVU)


def hmode(env: CPURISCVState, csrno: int) -> bool:
    """Harts with the hypervisor extension have it."""
    return riscv_has_ext(env, RVH)


def pmp(env: CPURISCVState, csrno: int) -> bool:
    """Harts with physical memory protection have it."""
    return riscv_feature(env, RISCV_FEATURE_PMP)


def epmp(env: CPURISCVState, csrno: int) -> bool:
    """Machine mode of harts with the enhanced protection (`x-epmp`) has it."""
    return env.priv == PRV_M and riscv_feature(env, RISCV_FEATURE_EPMP)


def debug(env: CPURISCVState, csrno: int) -> bool:
    """Harts with the trigger module have it."""
    return riscv_feature(env, RISCV_FEATURE_DEBUG)


def ctr(env: CPURISCVState, csrno: int) -> bool:
    """A counter that user code may see: there is one, and the modes above let it through."""
    bit = 1 << csrno - CSR_CYCLE
    if csrno > CSR_INSTRET and not env.cpu.pmu_avail_ctrs & bit:
        return False
    if env.priv < PRV_M and not env.mcounteren & bit:
        return False
    return not (riscv_has_ext(env, RVS) and env.priv == PRV_U and not env.scounteren & bit)


def mctr(env: CPURISCVState, csrno: int) -> bool:
    """A counter of machine mode that the hart has."""
    return bool(csrno - CSR_MHPMCOUNTER3 < env.cpu.cfg.pmu_num)


def sscofpmf(env: CPURISCVState, csrno: int) -> bool:
    """Harts whose counters tell when they overflow have it."""
    return bool(env.cpu.cfg.ext_sscofpmf)


def sstc(env: CPURISCVState, csrno: int) -> bool:
    """Supervisor mode's own timer: there is a clock, and machine mode lets the others have both."""
    if not env.cpu.cfg.ext_sstc or not env.rdtime_fn:
        return False
    if env.priv == PRV_M:
        return True
    if not (env.mcounteren & COUNTEREN_TM and env.menvcfg & MENVCFG_STCE):
        return False
    return hmode(env, csrno) if csrno == CSR_VSTIMECMP else smode(env, csrno)


def seed(env: CPURISCVState, csrno: int) -> bool:
    """Harts with an entropy source (Zkr): machine mode, and whom mseccfg lets."""
    permission = {PRV_S: MSECCFG_SSEED, PRV_U: MSECCFG_USEED}
    return bool(env.cpu.cfg.ext_zkr) and (env.priv == PRV_M or bool(env.mseccfg & permission[env.priv]))
