"""The CSRs of the floating-point unit: exceptions so far, and how to round (QEMU target/riscv/csr.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu_edu.fpu.parts import (
    float_flag_divbyzero,
    float_flag_inexact,
    float_flag_invalid,
    float_flag_overflow,
    float_flag_underflow,
)
from pyqemu_edu.target.riscv.cpu_bits import (
    FPEXC_DZ,
    FPEXC_NV,
    FPEXC_NX,
    FPEXC_OF,
    FPEXC_UF,
    FSR_AEXC,
    FSR_RD,
    FSR_RD_SHIFT,
    MSTATUS_FS,
    RVF,
)
from pyqemu_edu.target.riscv.cpu_helper import riscv_has_ext

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

# fmt: off
EXCEPTIONS = {
    float_flag_inexact:   FPEXC_NX,
    float_flag_underflow: FPEXC_UF,
    float_flag_overflow:  FPEXC_OF,
    float_flag_divbyzero: FPEXC_DZ,
    float_flag_invalid:   FPEXC_NV,
}
# fmt: on


def riscv_cpu_get_fflags(env: CPURISCVState) -> int:
    """The accrued exceptions as fflags numbers them (QEMU target/riscv/fpu_helper.c)."""
    soft = env.fp_status.float_exception_flags
    return sum(hard for flag, hard in EXCEPTIONS.items() if soft & flag)


def riscv_cpu_set_fflags(env: CPURISCVState, hard: int) -> None:
    """Replace the accrued exceptions (QEMU target/riscv/fpu_helper.c)."""
    env.fp_status.float_exception_flags = sum(flag for flag, bit in EXCEPTIONS.items() if hard & bit)


def mark_fs_dirty(env: CPURISCVState) -> None:
    """Say in mstatus.FS that whoever switches tasks must save the registers (QEMU target/riscv/translate.c)."""
    if riscv_has_ext(env, RVF):
        env.mstatus |= MSTATUS_FS


def read_fflags(env: CPURISCVState, csrno: int) -> int:
    """The accrued exceptions."""
    return riscv_cpu_get_fflags(env)


def write_fflags(env: CPURISCVState, csrno: int, val: int) -> None:
    """Set or clear accrued exceptions."""
    mark_fs_dirty(env)
    riscv_cpu_set_fflags(env, val & FSR_AEXC)


def read_frm(env: CPURISCVState, csrno: int) -> int:
    """The rounding mode."""
    return env.frm


def write_frm(env: CPURISCVState, csrno: int, val: int) -> None:
    """Set the rounding mode, be it to one that does not exist: only an instruction that rounds so is illegal."""
    mark_fs_dirty(env)
    env.frm = val & FSR_RD >> FSR_RD_SHIFT


def read_fcsr(env: CPURISCVState, csrno: int) -> int:
    """Rounding mode and accrued exceptions in one register."""
    return riscv_cpu_get_fflags(env) | env.frm << FSR_RD_SHIFT


def write_fcsr(env: CPURISCVState, csrno: int, val: int) -> None:
    """Set rounding mode and accrued exceptions at once."""
    write_frm(env, csrno, (val & FSR_RD) >> FSR_RD_SHIFT)
    write_fflags(env, csrno, val)
