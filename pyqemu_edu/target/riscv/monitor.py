"""What a hart's page tables map, for people (QEMU target/riscv/monitor.c)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu_edu.softmmu.physmem import cpu_physical_memory_read
from pyqemu_edu.target.riscv.cpu_bits import (
    MASK64,
    PGSHIFT,
    PTE_PPN_SHIFT,
    PTE_R,
    PTE_V,
    PTE_W,
    PTE_X,
    RISCV_FEATURE_MMU,
    SATP64_MODE,
    SATP64_PPN,
    get_field,
)
from pyqemu_edu.target.riscv.cpu_helper import riscv_feature
from pyqemu_edu.target.riscv.mmu import LEVELS, PTIDXBITS

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

PTE_SIZE = 8
PTE_HEADER = f"{'vaddr':16} {'paddr':16} {'size':16} attr\n{'-' * 16} {'-' * 16} {'-' * 16} {'-' * 7}\n"


@dataclass(slots=True)
class Mapping:
    """Some pages in a row, to some in a row, all with the same bits in their entries."""

    vaddr: int
    paddr: int
    size: int
    attr: int

    def goes_on(self, leaf: Mapping) -> bool:
        """Whether the leaf lies behind it on both sides and is like it."""
        return (self.vaddr + self.size, self.paddr + self.size, self.attr) == (leaf.vaddr, leaf.paddr, leaf.attr)


def mem_info(env: CPURISCVState) -> str:
    """What `satp` maps, or why nothing (QEMU `hmp_info_mem`)."""
    if not riscv_feature(env, RISCV_FEATURE_MMU):
        return "S-mode MMU unavailable\n"
    if not env.satp & SATP64_MODE:
        return "No translation or protection\n"
    return mem_info_svxx(env)


def mem_info_svxx(env: CPURISCVState) -> str:
    """One line for each mapping; pages of two tables are never joined."""
    levels = LEVELS[get_field(env.satp, SATP64_MODE)]
    va_bits = PGSHIFT + levels * PTIDXBITS
    base = get_field(env.satp, SATP64_PPN) << PGSHIFT
    return PTE_HEADER + "".join(print_pte(va_bits, mapping) for mapping in walk_pte(base, 0, levels - 1))


def walk_pte(base: int, start: int, level: int) -> Iterator[Mapping]:
    """The mappings of the table at `base`, whose first entry is for the address `start`."""
    if level < 0:
        return
    mapping: Mapping | None = None
    pgsize = 1 << PGSHIFT + level * PTIDXBITS
    for vaddr, pte in zip(range(start, start + (pgsize << PTIDXBITS), pgsize), page_table(base), strict=True):
        leaf = Mapping(vaddr, pte >> PTE_PPN_SHIFT << PGSHIFT, pgsize, pte & 0xFF)
        if not pte & PTE_V:
            continue
        if not pte & (PTE_R | PTE_W | PTE_X):
            if mapping:
                yield mapping
                mapping = None
            yield from walk_pte(leaf.paddr, vaddr, level - 1)
        elif mapping and mapping.goes_on(leaf):
            mapping.size += pgsize
        else:
            if mapping:
                yield mapping
            mapping = leaf
    if mapping:
        yield mapping


def page_table(base: int) -> list[int]:
    """The entries of a table."""
    data = cpu_physical_memory_read(base, PTE_SIZE << PTIDXBITS)
    return [int.from_bytes(data[at : at + PTE_SIZE], "little") for at in range(0, len(data), PTE_SIZE)]


def addr_canonical(va_bits: int, addr: int) -> int:
    """The address with the bits above it as they must be."""
    return (addr | -(1 << va_bits)) & MASK64 if addr >> va_bits - 1 & 1 else addr


def print_pte(va_bits: int, mapping: Mapping) -> str:
    """One line of `info mem`."""
    letters = "".join(letter if mapping.attr >> bit & 1 else "-" for bit, letter in enumerate("rwxugad", 1))
    return f"{addr_canonical(va_bits, mapping.vaddr):016x} {mapping.paddr:016x} {mapping.size:016x} {letters}\n"
