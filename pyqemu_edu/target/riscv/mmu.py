"""From a virtual address to a physical one, and what may be done there (QEMU target/riscv/cpu_helper.c).

Left out: the second stage of translation, which is the hypervisor's.
"""

from __future__ import annotations

from collections.abc import Hashable, Iterator
from typing import TYPE_CHECKING, Any, NamedTuple, NoReturn

from pyqemu_edu.accel.tcg.cpu_exec_common import cpu_loop_exit_restore
from pyqemu_edu.accel.tcg.cputlb import TARGET_PAGE_SIZE, CPUTLBEntry, tlb_set_entry, tlb_set_page
from pyqemu_edu.accel.tcg.tlb_walks import TLBWalk, Word, tlb_recall_walk, tlb_remember_walk
from pyqemu_edu.accel.tcg.watchpoint import cpu_check_watchpoint
from pyqemu_edu.hw.core.cpu import BP_MEM_READ, BP_MEM_WRITE, CPUState, MMUAccessType
from pyqemu_edu.softmmu.memory_region import MemTxResult
from pyqemu_edu.softmmu.physmem import address_space_ld, address_space_translate
from pyqemu_edu.target.riscv.cpu_bits import (
    MSTATUS_MPP,
    MSTATUS_MPRV,
    MSTATUS_MXR,
    MSTATUS_SUM,
    PGSHIFT,
    PRV_M,
    PRV_S,
    PRV_U,
    PTE_A,
    PTE_ATTR,
    PTE_D,
    PTE_N,
    PTE_PBMT,
    PTE_PPN_MASK,
    PTE_PPN_SHIFT,
    PTE_R,
    PTE_U,
    PTE_V,
    PTE_W,
    PTE_X,
    RISCV_EXCP_INST_ACCESS_FAULT,
    RISCV_EXCP_INST_ADDR_MIS,
    RISCV_EXCP_INST_PAGE_FAULT,
    RISCV_EXCP_LOAD_ACCESS_FAULT,
    RISCV_EXCP_LOAD_ADDR_MIS,
    RISCV_EXCP_LOAD_PAGE_FAULT,
    RISCV_EXCP_STORE_AMO_ACCESS_FAULT,
    RISCV_EXCP_STORE_AMO_ADDR_MIS,
    RISCV_EXCP_STORE_PAGE_FAULT,
    RISCV_FEATURE_MMU,
    RISCV_FEATURE_PMP,
    SATP64_MODE,
    SATP64_PPN,
    VM_1_10_MBARE,
    VM_1_10_SV39,
    VM_1_10_SV48,
    VM_1_10_SV57,
    get_field,
)
from pyqemu_edu.target.riscv.cpu_helper import riscv_cpu_mmu_index, riscv_feature
from pyqemu_edu.target.riscv.pmp import pmp_hart_has_privs, pmp_is_range_in_tlb, pmp_privs_of_page
from pyqemu_edu.target.riscv.pmu import (
    RISCV_PMU_EVENT_CACHE_DTLB_READ_MISS,
    RISCV_PMU_EVENT_CACHE_DTLB_WRITE_MISS,
    RISCV_PMU_EVENT_CACHE_ITLB_PREFETCH_MISS,
    riscv_pmu_incr_ctr,
)

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

PAGE_READ, PAGE_WRITE, PAGE_EXEC = 1, 2, 4
PAGE_RWX = PAGE_READ | PAGE_WRITE | PAGE_EXEC
TARGET_PAGE_MASK = -TARGET_PAGE_SIZE

LOAD, STORE, FETCH = MMUAccessType.DATA_LOAD, MMUAccessType.DATA_STORE, MMUAccessType.INST_FETCH

# fmt: off
LEVELS = {VM_1_10_SV39: 3, VM_1_10_SV48: 4, VM_1_10_SV57: 5}
PTIDXBITS, PTESIZE = 9, 8
RESERVED_LEAVES = (PTE_W, PTE_W | PTE_X)  # what may be written can also be read

PAGE_FAULTS   = {LOAD: RISCV_EXCP_LOAD_PAGE_FAULT,   STORE: RISCV_EXCP_STORE_PAGE_FAULT,       FETCH: RISCV_EXCP_INST_PAGE_FAULT}    # noqa: E501
ACCESS_FAULTS = {LOAD: RISCV_EXCP_LOAD_ACCESS_FAULT, STORE: RISCV_EXCP_STORE_AMO_ACCESS_FAULT, FETCH: RISCV_EXCP_INST_ACCESS_FAULT}  # noqa: E501
MISALIGNED    = {LOAD: RISCV_EXCP_LOAD_ADDR_MIS,     STORE: RISCV_EXCP_STORE_AMO_ADDR_MIS,     FETCH: RISCV_EXCP_INST_ADDR_MIS}      # noqa: E501
MISSES        = {LOAD: RISCV_PMU_EVENT_CACHE_DTLB_READ_MISS, STORE: RISCV_PMU_EVENT_CACHE_DTLB_WRITE_MISS, FETCH: RISCV_PMU_EVENT_CACHE_ITLB_PREFETCH_MISS}  # noqa: E501
WATCHED       = {LOAD: BP_MEM_READ,                  STORE: BP_MEM_WRITE,                      FETCH: 0}
# fmt: on


MSTATUS_WALK = MSTATUS_MPRV | MSTATUS_MPP | MSTATUS_SUM | MSTATUS_MXR
"""The bits of mstatus that a walk asks."""


class TranslateFail(Exception):
    """An address that may not be used like this, and why in words.  In C it is a return value, `TRANSLATE_FAIL`."""


class TranslatePmpFail(TranslateFail):
    """Physical memory protection forbids it, of the place itself or of a page table on the way."""


# Modes and physical memory protection


def effective_mode(env: CPURISCVState, mmu_idx: int, access_type: MMUAccessType) -> int:
    """The mode whose rights count: the hart's own, or what mstatus.MPRV lends to machine mode's data (Not in QEMU)."""
    if mmu_idx == PRV_M and access_type != FETCH and env.mstatus & MSTATUS_MPRV:
        return get_field(env.mstatus, MSTATUS_MPP)
    return mmu_idx


def get_physical_address_pmp(
    env: CPURISCVState, addr: int, size: int, access_type: MMUAccessType, mode: int
) -> tuple[int, int]:
    """What may be done at `addr`, and for how many bytes around it: a page, or 1. Raises TranslatePmpFail."""
    if not riscv_feature(env, RISCV_FEATURE_PMP):
        return PAGE_RWX, TARGET_PAGE_SIZE
    if (addr & ~TARGET_PAGE_MASK) + size <= TARGET_PAGE_SIZE:
        whole = pmp_privs_of_page(env, addr & TARGET_PAGE_MASK, mode)
        if whole is not None and whole >> access_type & 1:
            return whole, TARGET_PAGE_SIZE
    allowed, prot = pmp_hart_has_privs(env, addr, size, 1 << access_type, mode)
    if not allowed:
        raise TranslatePmpFail("physical memory protection forbids it")
    return prot, pmp_is_range_in_tlb(env, addr & TARGET_PAGE_MASK) or TARGET_PAGE_SIZE


# Page tables


class PageTableStep(NamedTuple):
    """An entry met on the way: where it is, what it holds, and how many bits of page number lie below its level."""

    pte_addr: int
    pte: int
    ptshift: int

    @property
    def ppn(self) -> int:
        """The physical page number in it."""
        return (self.pte & PTE_PPN_MASK) >> PTE_PPN_SHIFT

    @property
    def is_leaf(self) -> bool:
        """Whether it is a page's entry, not that of another table."""
        return self.pte & (PTE_R | PTE_W | PTE_X) != 0


def page_table_walk(env: CPURISCVState, addr: int) -> Iterator[PageTableStep]:
    """The entries from the root that satp names to the leaf for `addr`, each checked when the next is asked for.

    (in QEMU the loop of `get_physical_address`)  Raises TranslateFail where the way breaks off.
    """
    levels = LEVELS[get_field(env.satp, SATP64_MODE)]
    va_bits = PGSHIFT + levels * PTIDXBITS
    if addr >> va_bits - 1 not in (0, (1 << 64 - (va_bits - 1)) - 1):
        raise TranslateFail(f"bits 63 to {va_bits - 1} of the address are not all alike")
    base = get_field(env.satp, SATP64_PPN) << PGSHIFT
    for ptshift in range((levels - 1) * PTIDXBITS, -1, -PTIDXBITS):
        index = addr >> PGSHIFT + ptshift & (1 << PTIDXBITS) - 1
        step = PageTableStep(base + index * PTESIZE, load_pte(env, base + index * PTESIZE), ptshift)
        yield step
        check_pte(env, step)
        if step.is_leaf:
            return
        base = step.ppn << PGSHIFT
    raise TranslateFail("there is no table below the last")


def load_pte(env: CPURISCVState, pte_addr: int) -> int:
    """Read an entry, as supervisor mode may (physical memory protection applies)."""
    get_physical_address_pmp(env, pte_addr, PTESIZE, LOAD, PRV_S)
    pte, result = address_space_ld(env.cpu.as_, pte_addr, PTESIZE)
    if result != MemTxResult.OK:
        raise TranslateFail("there is no memory where the entry should be")
    return pte


def check_pte(env: CPURISCVState, step: PageTableStep) -> None:
    """Refuse an entry that is not valid, or has bits that nobody has given a meaning."""
    cfg, pte = env.cpu.cfg, step.pte
    if not pte & PTE_V:
        raise TranslateFail("V is 0")
    if (pte & ~PTE_PPN_MASK) >> PTE_PPN_SHIFT and not (cfg.ext_svpbmt or cfg.ext_svnapot):
        raise TranslateFail("reserved bits are set")
    if pte & PTE_PBMT and not cfg.ext_svpbmt:
        raise TranslateFail("PBMT is set without Svpbmt")
    if not step.is_leaf and pte & (PTE_D | PTE_A | PTE_U | PTE_ATTR):
        raise TranslateFail("D, A, U, PBMT or N is set, but it names a table")
    if pte & (PTE_R | PTE_W | PTE_X) in RESERVED_LEAVES:
        raise TranslateFail("W is set without R")


def page_rights(env: CPURISCVState, pte: int) -> int:
    """What a leaf allows; mstatus.MXR makes readable what is executable."""
    readable = pte & PTE_R or (pte & PTE_X and env.mstatus & MSTATUS_MXR)
    return (readable and PAGE_READ) | (pte & PTE_W and PAGE_WRITE) | (pte & PTE_X and PAGE_EXEC)


def check_leaf(env: CPURISCVState, step: PageTableStep, access_type: MMUAccessType, mode: int, is_debug: bool) -> None:
    """Refuse what a leaf does not allow: to this mode, of this kind, or as large a page at this address."""
    if step.pte & PTE_U:
        lent = (env.mstatus & MSTATUS_SUM or is_debug) and access_type != FETCH
        if mode != PRV_U and not lent:
            raise TranslateFail("U is 1: not for supervisor mode")
    elif mode != PRV_S:
        raise TranslateFail("U is 0: not for user mode")
    if step.ppn & (1 << step.ptshift) - 1:
        raise TranslateFail("a large page that does not begin at a multiple of its size")
    if not page_rights(env, step.pte) & 1 << access_type:
        raise TranslateFail(f"{'RWX'[access_type]} is 0")


def update_pte(env: CPURISCVState, step: PageTableStep, access_type: MMUAccessType) -> int | None:
    """Set A in a leaf, and D for a store; its new value, or None if another hart has just changed it.

    No function is called between comparison and store, so no other vCPU's thread comes between (in C
    `qatomic_cmpxchg`).  Raises TranslateFail for a table that is not in RAM.
    """
    updated_pte = step.pte | PTE_A | (PTE_D if access_type == STORE else 0)
    if updated_pte == step.pte:
        return updated_pte
    place = ram_words(env, step.pte_addr)
    if place is None:
        raise TranslateFail("A or D cannot be set in a table that is not in RAM")
    words, index = place
    pte = step.pte
    if words[index] == pte:
        words[index] = updated_pte
        return updated_pte
    return None


def ram_words(env: CPURISCVState, addr: int) -> tuple[memoryview, int] | None:
    """The RAM that the 64 bits at `addr` are in, as such words, and their index; none for a device's (Not in QEMU)."""
    mr, xlat, _ = address_space_translate(env.cpu.as_, addr, PTESIZE)
    return (mr.ram_block.view.cast("Q"), xlat >> 3) if mr.ram and mr.ram_block is not None else None


def get_physical_address(
    env: CPURISCVState,
    addr: int,
    access_type: MMUAccessType,
    mmu_idx: int,
    is_debug: bool = False,
    met: list[PageTableStep] | None = None,
) -> tuple[int, int]:
    """The physical address, and what may be done with its page; `met` gets the entries. Raises TranslateFail."""
    mode = effective_mode(env, mmu_idx, access_type)
    translated = get_field(env.satp, SATP64_MODE) != VM_1_10_MBARE
    if mode == PRV_M or not riscv_feature(env, RISCV_FEATURE_MMU) or not translated:
        return addr, PAGE_RWX
    while True:
        *tables, leaf = page_table_walk(env, addr)
        check_leaf(env, leaf, access_type, mode, is_debug)
        pte = update_pte(env, leaf, access_type)
        if pte is not None:
            break
    if met is not None:
        met += [*tables, leaf._replace(pte=pte)]
    prot = page_rights(env, pte)
    if not pte & PTE_D:  # so that the first store comes here and sets it
        prot &= ~PAGE_WRITE
    return page_address(env, leaf, addr), prot


def page_address(env: CPURISCVState, leaf: PageTableStep, addr: int) -> int:
    """Where `addr` is in what a leaf describes: a page, a large one, sixteen pages (Svnapot) (Not in QEMU)."""
    open_bits = leaf.ptshift
    if env.cpu.cfg.ext_svnapot and leaf.pte & PTE_N:
        open_bits = (leaf.ppn & -leaf.ppn).bit_length()
        if leaf.ptshift or open_bits != 4:
            raise TranslateFail("N is set for a size that there is not")
    offset = (1 << PGSHIFT + open_bits) - 1
    return (leaf.ppn << PGSHIFT) & ~offset | addr & offset


# What the TLB and the rest of the machine ask


def pmu_tlb_fill_incr_ctr(env: CPURISCVState, access_type: MMUAccessType) -> None:
    """Count that the TLB did not know a page, if a programmable counter was asked to."""
    if env.cpu.pmu_event_ctr_map:
        riscv_pmu_incr_ctr(env.cpu, MISSES[access_type])


def riscv_cpu_tlb_fill(
    cs: CPUState, address: int, size: int, access_type: MMUAccessType, mmu_idx: int, probe: bool, retaddr: int
) -> bool:
    """Let the TLB know the page at `address`; whether the guest may go there: if not, it traps unless only probed."""
    env: CPURISCVState = cs.env_ptr
    pmu_tlb_fill_incr_ctr(env, access_type)
    key = (address & TARGET_PAGE_MASK, access_type, mmu_idx, env.satp, env.mstatus & MSTATUS_WALK)
    known = tlb_recall_walk(cs, key)
    if known is not None:
        tlb_set_entry(cs, address, mmu_idx, known)
        return True
    met: list[PageTableStep] = []
    try:
        pa, prot = get_physical_address(env, address, access_type, mmu_idx, False, met)
        mode = effective_mode(env, mmu_idx, access_type)
        prot_pmp, tlb_size = get_physical_address_pmp(env, pa, size, access_type, mode)
    except TranslateFail as failure:
        if probe:
            return False
        cpu_check_watchpoint(cs, address, size, WATCHED[access_type])
        raise_mmu_exception(env, address, access_type, isinstance(failure, TranslatePmpFail))
        cpu_loop_exit_restore(cs, retaddr)
    entry = tlb_set_page(cs, address & -tlb_size, pa & -tlb_size, prot & prot_pmp, mmu_idx, tlb_size)
    if entry.valid:
        remember_walk(env, key, met, entry)
    return True


def remember_walk(env: CPURISCVState, key: Hashable, met: list[PageTableStep], entry: CPUTLBEntry) -> None:
    """Let a walk be recalled as long as the entries it met are the same, if all are in RAM (Not in QEMU)."""
    words: list[Word] = []
    for step in met:
        place = ram_words(env, step.pte_addr)
        if place is None:
            return
        words.append((*place, step.pte))
    tlb_remember_walk(env.cpu, key, TLBWalk(words, entry))


def raise_mmu_exception(env: CPURISCVState, address: int, access_type: MMUAccessType, pmp_violation: bool) -> None:
    """Note a page fault; an access fault without page tables, or where protection of physical memory forbids."""
    paging = get_field(env.satp, SATP64_MODE) != VM_1_10_MBARE
    causes = PAGE_FAULTS if paging and not pmp_violation else ACCESS_FAULTS
    env.cpu.exception_index = causes[access_type]
    env.badaddr = address


def riscv_cpu_get_phys_page_debug(cs: CPUState, addr: int) -> int:
    """The physical page behind an address, for the monitor and gdb; -1 if there is none."""
    env: CPURISCVState = cs.env_ptr
    try:
        phys_addr, _ = get_physical_address(env, addr, LOAD, riscv_cpu_mmu_index(env, False), True)
    except TranslateFail:
        return -1
    return phys_addr & TARGET_PAGE_MASK


def riscv_cpu_do_transaction_failed(
    cs: CPUState,
    physaddr: int,
    addr: int,
    size: int,
    access_type: MMUAccessType,
    mmu_idx: int,
    attrs: Any,
    response: Any,
    retaddr: int,
) -> NoReturn:
    """Nothing answers at this address: an access fault."""
    cs.exception_index = ACCESS_FAULTS[access_type]
    cs.env_ptr.badaddr = addr
    cpu_loop_exit_restore(cs, retaddr)


def riscv_cpu_do_unaligned_access(
    cs: CPUState, addr: int, access_type: MMUAccessType, mmu_idx: int, retaddr: int
) -> NoReturn:
    """An address that must be aligned is not: atomics, and jumps without compressed instructions."""
    cs.exception_index = MISALIGNED[access_type]
    cs.env_ptr.badaddr = addr
    cpu_loop_exit_restore(cs, retaddr)
