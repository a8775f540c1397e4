"""Writes random programs about memory: page tables, rights, protection, and accesses from every mode (Not in QEMU).

A program is a list of steps.  Each changes something in machine mode (an entry of a table, the table in use, bits of
mstatus, a rule of physical memory protection), then touches an address in user, supervisor or machine mode, and comes
back by a trap.  What the trap told is the step's answer; at the end comes a checksum of all tables and pages.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.target.riscv.cpu_bits import PTE_A, PTE_D, PTE_G, PTE_R, PTE_U, PTE_V, PTE_W, PTE_X

TABLES, PAGES = 4, 3
ANSWER = ("mcause", "mepc", "mtval", "mstatus", "a0")
U, S, M = 0, 1, 3

SLOTS = (0, 1, 511)  # of a table; in the root that Sv39 begins with the code has 2 and 3
ROOT_SLOTS = (0, 1, 511)
OFFSETS = (0, 8, 0x7F0, 0xFF8, 0xFFC, 0xFFE, 0xFFF)
LARGE, NOWHERE = 0x8020_0000, 0xC000_0000  # places for large pages: RAM that nobody uses, and where nothing answers
CODE = (0x8082_8082_8082_8082, 0x0001_0001_0001_0001, 0x0000_0013_0000_0013)  # to be stored, and run: ret, nop, nop
USER_ALIAS = 0x4000_0000  # user mode sees the code so much higher

# fmt: off
ACCESSES = (
    "lb a0, (t1)", "lhu a0, (t1)", "lw a0, (t1)", "ld a0, (t1)", "ld a0, (t1)", "flw f1, (t1)",
    "sb t2, (t1)", "sh t2, (t1)", "sw t2, (t1)", "sd t2, (t1)", "sd t2, (t1)", "fsd f1, (t1)",
    "amoswap.d a0, t2, (t1)", "amoswap.w a0, t2, (t1)", "lr.d a0, (t1)\nsc.d a0, t2, (t1)",
    "jalr ra, (t1)", "jalr ra, (t1)", "csrr a0, satp", "sfence.vma",  # machine mode would jump to the reset vector
)
MPRV, SUM, MXR, TVM = 1 << 17, 1 << 18, 1 << 19, 1 << 20
# fmt: on

ROOTS = {3: "root39", 4: "root48", 5: "root57"}

OPEN_TO_ALL = """        li      t0, -1
        csrw    pmpaddr15, t0
        li      t0, 0x1f << 56          # whatever no rule before says is allowed
        csrw    pmpcfg2, t0
        li      t0, 0x2000
        csrs    mstatus, t0
        la      t0, root39
        li      t1, 0x200000cf          # the code, for supervisor mode
        sd      t1, 16(t0)
        li      t1, 0x200000df          # and for user mode
        sd      t1, 24(t0)
        srli    t1, t0, 2
        ori     t1, t1, 1
        la      t0, root48
        sd      t1, 0(t0)
        srli    t1, t0, 2
        ori     t1, t1, 1
        la      t0, root57
        sd      t1, 0(t0)
"""
"""All memory may be used from all modes, floating point is on, and all tables know where the code is."""

PRELUDE = f"""
        .globl  _start, tohost, fromhost
_start: la      t0, handler
        csrw    mtvec, t0
        la      s0, results
{OPEN_TO_ALL}        la      t0, pages
        li      t1, {PAGES * 512}
        li      t2, {CODE[0]}
fill:   sd      t2, (t0)
        addi    t0, t0, 8
        addi    t1, t1, -1
        bnez    t1, fill
"""
DIGIT = """line:   ld      s4, (s1)
        li      s5, 60
digit:  srl     a0, s4, s5
        andi    a0, a0, 15
        li      t0, 10
        blt     a0, t0, small
        addi    a0, a0, 39
small:  addi    a0, a0, 48
"""
"""The next digit of the next answer at s1, in a0; `line` and `digit` begin another of these."""

EPILOGUE = f"""
        csrw    satp, zero
        la      t0, root39
        li      t1, {(3 + TABLES + PAGES) * 512}
        li      t2, 0
sum:    ld      t3, (t0)                # what is left of tables and pages
        slli    t4, t2, 5
        add     t2, t2, t4
        xor     t2, t2, t3
        addi    t0, t0, 8
        addi    t1, t1, -1
        bnez    t1, sum
        sd      t2, (s0)
        addi    s0, s0, 8
        la      s1, results
        li      s2, 0x0101000000000000
        la      s3, tohost
{DIGIT}        or      a0, a0, s2
        sd      a0, (s3)
        addi    s5, s5, -4
        bgez    s5, digit
        ori     a0, s2, 10
        sd      a0, (s3)
        addi    s1, s1, 8
        bltu    s1, s0, line
        li      a0, 1
        sd      a0, (s3)
        j       .
        .align  2
handler: csrr   t0, mcause
        sd      t0, 0(s0)
        csrr    t0, mepc
        sub     t0, t0, s10
        sd      t0, 8(s0)
        csrr    t0, mtval
        sd      t0, 16(s0)
        csrr    t0, mstatus
        sd      t0, 24(s0)
        sd      a0, 32(s0)
        addi    s0, s0, 40
        li      t0, 0x20000             # MPRV would lend machine mode other rights
        csrc    mstatus, t0
        jr      s11
        .data
        .align  12                      # QEMU 7.2 forgets mtval where code and data share a page
tohost: .dword  0
        .align  6
fromhost: .dword 0
        .align  12
root39: .space  4096
root48: .space  4096
root57: .space  4096
tables: .space  {TABLES * 4096}
pages:  .space  {PAGES * 4096}
results: .space 0x10000
"""


@dataclass(frozen=True)
class PagingProgram:
    """A random program about memory, step by step in assembly."""

    seed: int
    chunks: tuple[str, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What it prints: the answer of each step but the first, which makes ready, and the checksum."""
        return (*(f"{step}.{name}" for step in range(1, len(self.chunks)) for name in ANSWER), "memory")

    def cut(self, length: int) -> PagingProgram:
        """The same program, ended behind so many steps."""
        return replace(self, chunks=self.chunks[:length])

    def write(self, path: Path) -> None:
        """Write the program as an ELF for `-kernel`."""
        path.write_bytes(assemble(PRELUDE + "".join(self.chunks) + EPILOGUE).elf())


def random_paging_program(seed: int, length: int = 60) -> PagingProgram:
    """A program of `length` steps; the same one for the same seed."""
    rng = Random(seed)
    levels = rng.choice(list(ROOTS))
    return PagingProgram(seed, (table_in_use(Random(0), levels), *(step(rng, n, levels) for n in range(1, length))))


def step(rng: Random, number: int, levels: int) -> str:
    """Some changes, an access, and the way back."""
    changes = "".join(rng.choice((entry, entry, entry, entry, table_in_use, protection))(rng, levels) for _ in range(3))
    mode = rng.choice((U, S, S, M))
    lent = rng.choice((0, MPRV)) if mode == M else 0
    return f"""{changes}{status(rng, lent)}
        li      t1, {address(rng, levels):#x}
        li      t2, {rng.choice(CODE):#x}
        la      s11, after{number}
        la      s10, begin{number}
        li      t0, {USER_ALIAS if mode == U else 0:#x}
        add     s10, s10, t0
        csrw    mepc, s10
        li      t0, 0x1800
        csrc    mstatus, t0
        li      t0, {(rng.choice((U, S)) if lent else mode) << 11:#x}
        csrs    mstatus, t0
        li      a0, 0
        {"sfence.vma" if mode == M else "mret"}
begin{number}:
        {rng.choice(ACCESSES if mode != M else ACCESSES[:-4])}
        ecall
after{number}:
"""


def address(rng: Random, levels: int) -> int:
    """A virtual address that the tables may know; now and then one that is not properly extended."""
    vpn = [rng.choice((0, 0, *SLOTS)), rng.choice((0, 0, *SLOTS)), rng.choice((0, 0, *ROOT_SLOTS))]
    vpn += [rng.choice((0, 0, 0, *ROOT_SLOTS)) for _ in range(levels - 3)]
    bits = 12 + 9 * levels
    va = rng.choice(OFFSETS) + sum(index << 12 + 9 * level for level, index in enumerate(vpn))
    negative = (va >> bits - 1 == 1) != (rng.random() < 0.02)
    return va | (-1 << bits & (1 << 64) - 1 if negative else 0)


def entry(rng: Random, levels: int) -> str:
    """Write an entry somewhere, and forget the translations that it may have changed."""
    table = rng.choice((*list(ROOTS.values())[: levels - 2], *("tables",) * 4))
    slot = rng.choice((0, 0, *SLOTS) if table == "tables" else ROOT_SLOTS[table != "root39" :])
    where = slot * 8 + (rng.randrange(TABLES) * 4096 if table == "tables" else 0)
    return f"{pte(rng)}        la      t0, {table}\n        li      t2, {where}\n        add     t0, t0, t2\n" + (
        "        sd      t1, (t0)\n        sfence.vma\n"
    )


def pte(rng: Random) -> str:
    """An entry in t1: most often another table's or a page's, with some of the bits."""
    kind = rng.random()
    if kind < 0.45:
        return named("tables", rng.randrange(TABLES), PTE_V | rng.choice((0, 0, 0, 0, PTE_G, PTE_U, PTE_A, 1 << 54)))
    flags = PTE_V | rng.choice((PTE_R | PTE_W, PTE_R, PTE_R | PTE_X, PTE_R | PTE_W | PTE_X, PTE_X, PTE_W))
    flags |= rng.choice((0, PTE_U, PTE_U)) | rng.choice((0, PTE_A, PTE_A | PTE_D)) | rng.choice((0, PTE_G))
    if kind < 0.8:
        return named("pages", rng.randrange(PAGES), flags)
    if kind < 0.95:
        return f"        li      t1, {rng.choice((LARGE, LARGE, LARGE + 0x1000, NOWHERE)) >> 2 | flags:#x}\n"
    return f"        li      t1, {rng.choice((0, rng.getrandbits(64), flags & ~PTE_V)):#x}\n"


def named(label: str, number: int, flags: int) -> str:
    """The entry for one of our own pages, in t1."""
    return (
        f"        la      t1, {label}\n        li      t2, {number * 4096}\n        add     t1, t1, t2\n"
        f"        srli    t1, t1, 2\n        li      t2, {flags:#x}\n        or      t1, t1, t2\n"
    )


def table_in_use(rng: Random, levels: int) -> str:
    """Use the table again, under another name; now and then none, or a kind that there is not."""
    mode, asid = rng.choice((*5 * (levels + 5,), 0, 5)), rng.choice((0, 7))
    return (
        f"        la      t0, {ROOTS[levels]}\n        srli    t0, t0, 12\n"
        f"        li      t1, {mode << 60 | asid << 44:#x}\n        or      t0, t0, t1\n        csrw    satp, t0\n"
    )


def status(rng: Random, lent: int = 0) -> str:
    """Lend rights, or take them back; `lent` is what is lent besides."""
    bits = rng.choice((0, SUM, MXR, SUM | MXR, TVM)) | lent
    return (
        f"        li      t0, {MPRV | SUM | MXR | TVM:#x}\n        csrc    mstatus, t0\n"
        f"        li      t0, {bits:#x}\n        csrs    mstatus, t0\n"
    )


def protection(rng: Random, levels: int) -> str:
    """A rule for some of the pages and tables: a power of two of them, or up to here, or off."""
    place = rng.choice(("pages", "pages", "tables"))
    napot = rng.choice((0x1FF, 0x1FF, 0x3FF))
    cfg = rng.choice((0, 0, 0x18, 0x08)) | rng.choice((0, 1, 3, 4, 5, 7, 7))
    return (
        f"        la      t0, {place}\n        li      t1, {rng.randrange(PAGES) * 4096}\n        add     t0, t0, t1\n"
        f"        srli    t0, t0, 2\n        ori     t0, t0, {napot if cfg & 0x10 else 0:#x}\n"
        f"        csrw    pmpaddr1, t0\n        la      t0, {place}\n        srli    t0, t0, 2\n"
        f"        csrw    pmpaddr0, t0\n        li      t0, {cfg << 8:#x}\n        csrw    pmpcfg0, t0\n"
    )
