"""The CSRs of physical memory protection and of the trigger module (QEMU target/riscv/csr.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu_edu.target.riscv.cpu_bits import MAX_RISCV_PMPS, PRIV_VERSION_1_11_0
from pyqemu_edu.target.riscv.csr_declare import CSR, CsrRefused, write_ignore
from pyqemu_edu.target.riscv.csr_predicates import debug, epmp, pmp
from pyqemu_edu.target.riscv.debug import (
    tdata_available,
    tdata_csr_read,
    tdata_csr_write,
    tinfo_csr_read,
    tselect_csr_read,
    tselect_csr_write,
)
from pyqemu_edu.target.riscv.pmp import (
    mseccfg_csr_read,
    mseccfg_csr_write,
    pmpaddr_csr_read,
    pmpaddr_csr_write,
    pmpcfg_csr_read,
    pmpcfg_csr_write,
)

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

CSR_PMPCFG0, CSR_PMPADDR0, CSR_TDATA1 = 0x3A0, 0x3B0, 0x7A1


def read_mseccfg(env: CPURISCVState, csrno: int) -> int:
    """How strictly machine mode itself is bound by the entries."""
    return mseccfg_csr_read(env)


def write_mseccfg(env: CPURISCVState, csrno: int, val: int) -> None:
    """Bind it more strictly."""
    mseccfg_csr_write(env, val)


def read_pmpcfg(env: CPURISCVState, csrno: int) -> int:
    """The configuration bytes of eight entries; RV64 has no odd registers."""
    if csrno & 1:
        raise CsrRefused
    return pmpcfg_csr_read(env, csrno - CSR_PMPCFG0)


def write_pmpcfg(env: CPURISCVState, csrno: int, val: int) -> None:
    """Set the configuration bytes of eight entries."""
    pmpcfg_csr_write(env, csrno - CSR_PMPCFG0, val)


def read_pmpaddr(env: CPURISCVState, csrno: int) -> int:
    """The address register of an entry."""
    return pmpaddr_csr_read(env, csrno - CSR_PMPADDR0)


def write_pmpaddr(env: CPURISCVState, csrno: int, val: int) -> None:
    """Set the address register of an entry."""
    pmpaddr_csr_write(env, csrno - CSR_PMPADDR0, val)


def read_tselect(env: CPURISCVState, csrno: int) -> int:
    """The number of the chosen trigger."""
    return tselect_csr_read(env)


def write_tselect(env: CPURISCVState, csrno: int, val: int) -> None:
    """Choose the trigger that tdata1 to tdata3 show."""
    tselect_csr_write(env, val)


def read_tdata(env: CPURISCVState, csrno: int) -> int:
    """A register of the chosen trigger."""
    if not tdata_available(env, csrno - CSR_TDATA1):
        raise CsrRefused
    return tdata_csr_read(env, csrno - CSR_TDATA1)


def write_tdata(env: CPURISCVState, csrno: int, val: int) -> None:
    """Change a register of the chosen trigger."""
    tdata_csr_write(env, csrno - CSR_TDATA1, val)


def read_tinfo(env: CPURISCVState, csrno: int) -> int:
    """Which types a trigger can have."""
    return tinfo_csr_read(env)


# fmt: off
PROTECTION_CSRS = (
    CSR(0x747, "mseccfg", epmp, read_mseccfg, write_mseccfg, None, PRIV_VERSION_1_11_0),
    *(CSR(CSR_PMPCFG0 + i, f"pmpcfg{i}", pmp, read_pmpcfg, write_pmpcfg) for i in range(MAX_RISCV_PMPS // 4)),
    *(CSR(CSR_PMPADDR0 + i, f"pmpaddr{i}", pmp, read_pmpaddr, write_pmpaddr) for i in range(MAX_RISCV_PMPS)),
)
TRIGGER_CSRS = (
    CSR(0x7A0, "tselect", debug, read_tselect, write_tselect),
    CSR(0x7A1, "tdata1",  debug, read_tdata, write_tdata),
    CSR(0x7A2, "tdata2",  debug, read_tdata, write_tdata),
    CSR(0x7A3, "tdata3",  debug, read_tdata, write_tdata),
    CSR(0x7A4, "tinfo",   debug, read_tinfo, write_ignore),
)
# fmt: on
