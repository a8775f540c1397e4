"""Control and status registers: all of them, and how an instruction gets at one (QEMU target/riscv/csr.c).

Each is declared once, with those of its privilege level: `csr_user`, `csr_counters`, `csr_supervisor`, `csr_machine`,
`csr_hypervisor`, `csr_protection`.  Left out: the registers of V, AIA, pointer masking and RV32.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu_edu.target.riscv.cpu_bits import PRV_S, RVH
from pyqemu_edu.target.riscv.cpu_helper import riscv_has_ext
from pyqemu_edu.target.riscv.csr_counters import COUNTER_CSRS
from pyqemu_edu.target.riscv.csr_declare import CSR, CsrRefused
from pyqemu_edu.target.riscv.csr_hypervisor import HYPERVISOR_CSRS
from pyqemu_edu.target.riscv.csr_machine import MACHINE_CSRS
from pyqemu_edu.target.riscv.csr_protection import PROTECTION_CSRS, TRIGGER_CSRS
from pyqemu_edu.target.riscv.csr_supervisor import SUPERVISOR_CSRS
from pyqemu_edu.target.riscv.csr_user import USER_CSRS

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

CSRS = (
    *USER_CSRS,
    *COUNTER_CSRS,
    *SUPERVISOR_CSRS,
    *MACHINE_CSRS,
    *HYPERVISOR_CSRS,
    *PROTECTION_CSRS,
    *TRIGGER_CSRS,
)

csr_ops = {csr.number: csr for csr in CSRS}
"""Every register by its number."""

csr_number = {csr.name: csr.number for csr in CSRS}
"""Every register's number by its name."""


def riscv_csrrw_check(env: CPURISCVState, csrno: int, write_mask: int) -> CSR:
    """The register, if this hart has it and its mode may do this with it; else `CsrRefused`."""
    csr = csr_ops.get(csrno)
    if csr is None or not env.cpu.cfg.ext_icsr or env.priv_ver < csr.min_priv_ver:
        raise CsrRefused
    if write_mask and csrno >> 10 == 3:
        raise CsrRefused
    if not csr.predicate(env, csrno):
        raise CsrRefused
    effective_priv = env.priv + (env.priv == PRV_S and riscv_has_ext(env, RVH))
    if not env.debugger and effective_priv < csrno >> 8 & 3:
        raise CsrRefused
    return csr


def riscv_csrrw(env: CPURISCVState, csrno: int, new_value: int, write_mask: int) -> int:
    """Replace the bits in `write_mask` by those of `new_value`; the old value.  `CsrRefused` if not allowed."""
    csr = riscv_csrrw_check(env, csrno, write_mask)
    if csr.op:
        return csr.op(env, csrno, new_value, write_mask)
    assert csr.read
    old_value = csr.read(env, csrno)
    if write_mask and csr.write:
        csr.write(env, csrno, old_value & ~write_mask | new_value & write_mask)
    return old_value


def riscv_csrrw_debug(env: CPURISCVState, csrno: int, new_value: int, write_mask: int) -> int:
    """The same for a debugger, to whom the mode does not matter."""
    env.debugger = True
    try:
        return riscv_csrrw(env, csrno, new_value, write_mask)
    finally:
        env.debugger = False
