"""Physical memory protection: the rules that machine mode makes for the others (QEMU target/riscv/pmp.c).

The first entry that an access touches decides.  With `x-epmp` the register mseccfg says what binds machine mode:
whether all entries do (MML), whether it may go where none matches (MMWP), whether locked ones stay locked (RLB).
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyqemu_edu.accel.tcg.cputlb import TARGET_PAGE_SIZE, tlb_flush
from pyqemu_edu.accel.tcg.tlb_walks import tlb_forget_walks
from pyqemu_edu.target.riscv.cpu_bits import (
    MASK64,
    MAX_RISCV_PMPS,
    MSECCFG_MML,
    MSECCFG_MMWP,
    MSECCFG_RLB,
    PRV_M,
    RISCV_FEATURE_MMU,
    RISCV_FEATURE_PMP,
)
from pyqemu_edu.target.riscv.cpu_helper import riscv_feature

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

PMP_READ, PMP_WRITE, PMP_EXEC = 1 << 0, 1 << 1, 1 << 2
PMP_RWX = PMP_READ | PMP_WRITE | PMP_EXEC
PMP_LOCK = 1 << 7
PMP_AMATCH = 3 << 3
PMP_AMATCH_OFF, PMP_AMATCH_TOR, PMP_AMATCH_NA4, PMP_AMATCH_NAPOT = (mode << 3 for mode in range(4))

# fmt: off
R, W, X, L = PMP_READ, PMP_WRITE, PMP_EXEC, PMP_LOCK
LOCKDOWN = {  # of each configuration: what machine mode may do while mseccfg.MML is set, and what the others
    0:     (0, 0),      X:         (0, X),      R:         (0, R),      R | X:         (0, R | X),
    W:     (R | W, R),  W | X:     (R | W, R | W),  R | W:     (0, R | W),  R | W | X:     (0, R | W | X),
    L:     (0, 0),      L | X:     (X, 0),      L | R:     (R, 0),      L | R | X:     (R | X, 0),
    L | W: (X, X),      L | W | X: (R | X, X),  L | R | W: (R | W, 0),  L | R | W | X: (R, R),
}
# fmt: on


@dataclass(eq=False)
class PmpTable:
    """The sixteen entries of a hart, and the first and last address of each (QEMU `pmp_table_t`).

    Not in QEMU: `bounds` are the addresses where a range begins or has ended, ascending; `privs` is what was worked out
    for what lies between two of them, by how many are below and by mode.
    """

    cfg_reg: list[int] = field(default_factory=lambda: [0] * MAX_RISCV_PMPS)
    addr_reg: list[int] = field(default_factory=lambda: [0] * MAX_RISCV_PMPS)
    addr: list[tuple[int, int]] = field(default_factory=lambda: [(0, 0)] * MAX_RISCV_PMPS)
    num_rules: int = 0
    bounds: list[int] = field(default_factory=list)
    privs: dict[tuple[int, int], int] = field(default_factory=dict)


def pmp_is_locked(env: CPURISCVState, pmp_index: int) -> bool:
    """Whether an entry may not be changed until reset, and binds machine mode too; mseccfg.RLB undoes both."""
    return not env.mseccfg & MSECCFG_RLB and bool(env.pmp_state.cfg_reg[pmp_index] & PMP_LOCK)


def pmp_get_num_rules(env: CPURISCVState) -> int:
    """How many entries match something."""
    return env.pmp_state.num_rules


# From registers to ranges


def pmp_decode_napot(a: int) -> tuple[int, int]:
    """First and last address of a naturally aligned power of two: the trailing ones of `a` tell the size."""
    a = (a << 2 | 3) & MASK64
    above = a + 1 & MASK64
    return a & above, a | above


def pmp_decode_tor(previous: int, this: int) -> tuple[int, int]:
    """From the previous entry's address to below this one's; nothing but address 0 if they are in the wrong order.

    (in QEMU part of `pmp_update_rule_addr`)
    """
    sa, ea = previous << 2 & MASK64, (this << 2) - 1 & MASK64
    return (sa, ea) if sa <= ea else (0, 0)


def pmp_update_rule_addr(env: CPURISCVState, pmp_index: int) -> None:
    """Work out the range of addresses that an entry matches."""
    table = env.pmp_state
    this = table.addr_reg[pmp_index]
    amatch = table.cfg_reg[pmp_index] & PMP_AMATCH
    found = (0, MASK64)
    if amatch == PMP_AMATCH_TOR:
        found = pmp_decode_tor(table.addr_reg[pmp_index - 1] if pmp_index else 0, this)
    elif amatch == PMP_AMATCH_NA4:
        found = (this << 2 & MASK64, (this << 2) + 3 & MASK64)
    elif amatch == PMP_AMATCH_NAPOT:
        found = pmp_decode_napot(this)
    table.addr[pmp_index] = found


def pmp_update_rule_nums(env: CPURISCVState) -> None:
    """Count the entries that match something."""
    env.pmp_state.num_rules = sum(bool(cfg & PMP_AMATCH) for cfg in env.pmp_state.cfg_reg)


def pmp_update_bounds(env: CPURISCVState) -> None:
    """Note the addresses where rights may change, and forget what was worked out between them (Not in QEMU)."""
    table = env.pmp_state
    table.bounds = sorted({bound for sa, ea in table.addr for bound in (sa, ea + 1)})
    table.privs.clear()
    tlb_forget_walks(env.cpu)


def pmp_update_rule(env: CPURISCVState, pmp_index: int) -> None:
    """Follow a change of an entry; the next one, whose range may begin here, keeps its old range, as in QEMU 7.2."""
    pmp_update_rule_addr(env, pmp_index)
    pmp_update_rule_nums(env)
    pmp_update_bounds(env)


# Asking


def pmp_is_in_range(env: CPURISCVState, pmp_index: int, addr: int) -> bool:
    """Whether `addr` lies in an entry's range."""
    sa, ea = env.pmp_state.addr[pmp_index]
    return sa <= addr <= ea


def pmp_hart_has_privs_default(env: CPURISCVState, privs: int, mode: int) -> tuple[bool, int]:
    """What holds where no entry matches: machine mode may do everything, unless mseccfg says no; the others nothing."""
    if env.mseccfg & MSECCFG_MMWP:
        return False, 0
    if env.mseccfg & MSECCFG_MML:
        return (True, PMP_READ | PMP_WRITE) if mode == PRV_M and not privs & PMP_EXEC else (False, 0)
    if not riscv_feature(env, RISCV_FEATURE_PMP) or mode == PRV_M:
        return True, PMP_RWX
    return False, 0


def pmp_allowed_privs(env: CPURISCVState, pmp_index: int, mode: int) -> int:
    """What an entry that matches lets a mode do (in QEMU part of `pmp_hart_has_privs`)."""
    cfg = env.pmp_state.cfg_reg[pmp_index]
    if env.mseccfg & MSECCFG_MML:
        return LOCKDOWN[cfg & (PMP_RWX | PMP_LOCK)][mode != PRV_M]
    return PMP_RWX if mode == PRV_M and not pmp_is_locked(env, pmp_index) else cfg & PMP_RWX


def pmp_hart_has_privs(env: CPURISCVState, addr: int, size: int, privs: int, mode: int) -> tuple[bool, int]:
    """Whether `mode` may do `privs` with `size` bytes at `addr`, and what it may do there at all.

    An access that lies partly in an entry's range is refused, to machine mode too.  Size 0 means to the page's end.
    """
    if not pmp_get_num_rules(env):
        return pmp_hart_has_privs_default(env, privs, mode)
    if size == 0:
        size = TARGET_PAGE_SIZE - addr % TARGET_PAGE_SIZE if riscv_feature(env, RISCV_FEATURE_MMU) else 8
    for index, cfg in enumerate(env.pmp_state.cfg_reg):
        first = pmp_is_in_range(env, index, addr)
        last = pmp_is_in_range(env, index, addr + size - 1 & MASK64)
        if first != last:
            return False, 0
        if first and cfg & PMP_AMATCH != PMP_AMATCH_OFF:
            allowed_privs = pmp_allowed_privs(env, index, mode)
            return privs & allowed_privs == privs, allowed_privs
    return pmp_hart_has_privs_default(env, privs, mode)


def pmp_get_tlb_size(env: CPURISCVState, pmp_index: int, tlb_sa: int, tlb_ea: int) -> int:
    """How many bytes of a page lie in an entry's range; 0 if the range covers the page and more, or none of it."""
    sa, ea = env.pmp_state.addr[pmp_index]
    if sa >= tlb_sa and ea <= tlb_ea:
        return ea - sa + 1
    if tlb_sa <= sa <= tlb_ea <= ea:
        return tlb_ea - sa + 1
    if sa <= tlb_sa <= ea <= tlb_ea:
        return ea - tlb_sa + 1
    return 0


def pmp_is_range_in_tlb(env: CPURISCVState, tlb_sa: int) -> int:
    """The size for which a page's rights may be remembered: the page, or 1 if entries divide it; 0 if none is near."""
    tlb_ea = tlb_sa + TARGET_PAGE_SIZE - 1
    sizes = [pmp_get_tlb_size(env, index, tlb_sa, tlb_ea) for index in range(MAX_RISCV_PMPS)]
    smallest = min(filter(None, sizes), default=0)
    return 1 if 0 < smallest < TARGET_PAGE_SIZE else smallest


def pmp_privs_of_page(env: CPURISCVState, start: int, mode: int) -> int | None:
    """What `mode` may do in the page that begins at `start`, if that is the same everywhere in it (Not in QEMU)."""
    table = env.pmp_state
    below = bisect_right(table.bounds, start)
    if below != bisect_right(table.bounds, start + TARGET_PAGE_SIZE - 1):
        return None
    if (below, mode) not in table.privs:
        table.privs[below, mode] = pmp_hart_has_privs(env, start, 1, 0, mode)[1]
    return table.privs[below, mode]


# The registers


def pmpcfg_csr_read(env: CPURISCVState, reg_index: int) -> int:
    """Eight entries' configuration bytes, which is what an even pmpcfg register holds on RV64."""
    first = reg_index * 4
    return int.from_bytes(bytes(env.pmp_state.cfg_reg[first : first + 8]), "little")


def pmpcfg_csr_write(env: CPURISCVState, reg_index: int, val: int) -> None:
    """Set eight entries' configuration, except of those that are locked; what was allowed before is forgotten."""
    for offset, cfg in enumerate(val.to_bytes(8, "little")):
        pmp_write_cfg(env, reg_index * 4 + offset, cfg)
    tlb_flush(env.cpu)


def pmp_write_cfg(env: CPURISCVState, pmp_index: int, val: int) -> None:
    """Set one entry's configuration byte, unless it is locked.

    While mseccfg.MML is set no entry counts as locked, but none may be added by which machine mode could execute more.
    """
    locked = pmp_is_locked(env, pmp_index)
    if env.mseccfg & MSECCFG_MML and not env.mseccfg & MSECCFG_RLB:
        locked = bool(val & PMP_EXEC) if val & PMP_LOCK else val & PMP_RWX == PMP_WRITE | PMP_EXEC
    if not locked:
        env.pmp_state.cfg_reg[pmp_index] = val
        pmp_update_rule(env, pmp_index)


def pmpaddr_csr_read(env: CPURISCVState, addr_index: int) -> int:
    """An entry's address register."""
    return env.pmp_state.addr_reg[addr_index]


def pmpaddr_csr_write(env: CPURISCVState, addr_index: int, val: int) -> None:
    """Set an entry's address, unless it is locked or the start of the next entry, which is locked.

    As in QEMU 7.2 pages that the TLB knows keep their rights until a configuration is written.
    """
    if addr_index + 1 < MAX_RISCV_PMPS:
        following = env.pmp_state.cfg_reg[addr_index + 1]
        if following & PMP_LOCK and following & PMP_AMATCH == PMP_AMATCH_TOR:
            return
    if not pmp_is_locked(env, addr_index):
        env.pmp_state.addr_reg[addr_index] = val
        pmp_update_rule(env, addr_index)


def mseccfg_csr_read(env: CPURISCVState) -> int:
    """How strictly machine mode itself is bound by the entries."""
    return env.mseccfg


def mseccfg_csr_write(env: CPURISCVState, val: int) -> None:
    """Be stricter: MML and MMWP stay until reset, and RLB cannot come once something is locked.

    As in QEMU 7.2 pages that the TLB knows keep their rights.
    """
    if not env.mseccfg & MSECCFG_RLB and any(pmp_is_locked(env, index) for index in range(MAX_RISCV_PMPS)):
        val &= ~MSECCFG_RLB
    env.pmp_state.privs.clear()
    tlb_forget_walks(env.cpu)
    env.mseccfg = val | env.mseccfg & (MSECCFG_MMWP | MSECCFG_MML)
