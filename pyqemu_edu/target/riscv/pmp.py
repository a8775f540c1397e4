"""The registers of physical memory protection (QEMU target/riscv/pmp.c).

They hold what is written, locks are respected, and rules are counted; accesses are not checked against them.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyqemu_edu.target.riscv.cpu_bits import MAX_RISCV_PMPS

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu import CPURISCVState

PMP_LOCK = 1 << 7
PMP_AMATCH = 3 << 3
PMP_AMATCH_OFF, PMP_AMATCH_TOR, PMP_AMATCH_NA4, PMP_AMATCH_NAPOT = (mode << 3 for mode in range(4))


@dataclass(eq=False)
class PmpTable:
    """The sixteen entries of a hart (QEMU `pmp_table_t`)."""

    cfg_reg: list[int] = field(default_factory=lambda: [0] * MAX_RISCV_PMPS)
    addr_reg: list[int] = field(default_factory=lambda: [0] * MAX_RISCV_PMPS)


def pmp_is_locked(env: CPURISCVState, pmp_index: int) -> bool:
    """Whether an entry may not be changed until reset."""
    return bool(env.pmp_state.cfg_reg[pmp_index] & PMP_LOCK)


def pmp_get_num_rules(env: CPURISCVState) -> int:
    """How many entries match something."""
    return sum(bool(cfg & PMP_AMATCH) for cfg in env.pmp_state.cfg_reg)


def pmpcfg_csr_read(env: CPURISCVState, reg_index: int) -> int:
    """Eight entries' configuration bytes, which is what an even pmpcfg register holds on RV64."""
    first = reg_index * 4
    return int.from_bytes(bytes(env.pmp_state.cfg_reg[first : first + 8]), "little")


def pmpcfg_csr_write(env: CPURISCVState, reg_index: int, val: int) -> None:
    """Set eight entries' configuration, except of those that are locked."""
    for offset, cfg in enumerate(val.to_bytes(8, "little")):
        if not pmp_is_locked(env, reg_index * 4 + offset):
            env.pmp_state.cfg_reg[reg_index * 4 + offset] = cfg


def pmpaddr_csr_read(env: CPURISCVState, addr_index: int) -> int:
    """An entry's address register."""
    return env.pmp_state.addr_reg[addr_index]


def pmpaddr_csr_write(env: CPURISCVState, addr_index: int, val: int) -> None:
    """Set an entry's address, unless it is locked or the start of the next entry, which is locked."""
    if addr_index + 1 < MAX_RISCV_PMPS:
        following = env.pmp_state.cfg_reg[addr_index + 1]
        if following & PMP_LOCK and following & PMP_AMATCH == PMP_AMATCH_TOR:
            return
    if not pmp_is_locked(env, addr_index):
        env.pmp_state.addr_reg[addr_index] = val
