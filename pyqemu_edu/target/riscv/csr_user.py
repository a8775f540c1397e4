"""The CSRs of user mode that do not count: floating point, and the entropy source (QEMU target/riscv/csr.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu_edu.target.riscv.cpu_bits import CSR_SEED
from pyqemu_edu.target.riscv.csr_declare import CSR
from pyqemu_edu.target.riscv.csr_predicates import fs, seed
from pyqemu_edu.target.riscv.fcsr import read_fcsr, read_fflags, read_frm, write_fcsr, write_fflags, write_frm
from pyqemu_edu.util.guest_random import qemu_guest_getrandom_nofail

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

SEED_OPST_ES16 = 0b10 << 30


def rmw_seed(env: CPURISCVState, csrno: int, new_val: int, wr_mask: int) -> int:
    """Sixteen random bits, and that they are some."""
    return SEED_OPST_ES16 | int.from_bytes(qemu_guest_getrandom_nofail(2), "little")


# fmt: off
USER_CSRS = (
    CSR(0x001,    "fflags", fs,   read_fflags, write_fflags),
    CSR(0x002,    "frm",    fs,   read_frm, write_frm),
    CSR(0x003,    "fcsr",   fs,   read_fcsr, write_fcsr),
    CSR(CSR_SEED, "seed",   seed, op=rmw_seed),
)
# fmt: on
