"""Programs and checks for notebook 15, "Whose memory is it?" (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from random import Random

from pyqemu_edu.guests import assembled
from pyqemu_edu.hw.core.cpu import MMUAccessType
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.softmmu.physmem import address_space_ld, address_space_memory, address_space_st
from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.target.riscv.cpu_bits import PRV_S, PRV_U, PTE_A, PTE_D, PTE_R, PTE_U, PTE_V, PTE_W, PTE_X
from pyqemu_edu.target.riscv.mmu import TranslateFail, get_physical_address
from pyqemu_edu.view.pagewalk import take_walk
from pyqemu_edu.vm import Qemu

BOARD = "-machine spike -bios none -display none"

PAGED = """
        .globl  _start
_start: la      t0, trapped             # machine mode makes ready
        csrw    mtvec, t0
        li      t0, -1
        csrw    pmpaddr0, t0
        li      t0, 0x1f
        csrw    pmpcfg0, t0
        la      t0, root
        li      t1, 0x200000cf          # entry 2: a page of 1 GiB at 0x80000000, for supervisor mode
        sd      t1, 16(t0)
        la      t1, middle              # entry 0: another table
        srli    t1, t1, 2
        ori     t1, t1, 1
        sd      t1, 0(t0)
        la      t0, middle              # its entry 2: another table
        la      t1, leaves
        srli    t1, t1, 2
        ori     t1, t1, 1
        sd      t1, 16(t0)
        la      t0, leaves              # its entry 1: our page, to be read and written
        la      t1, page
        srli    t1, t1, 2
        ori     t1, t1, 7
        sd      t1, 8(t0)
        la      t1, root                # from here on supervisor mode sees through these tables
        srli    t1, t1, 12
        li      t0, 8 << 60
        or      t0, t0, t1
        csrw    satp, t0
        li      t0, 0x800               # MPP = S
        csrs    mstatus, t0
        la      t0, super
        csrw    mepc, t0
        mret
super:  li      t0, 0x401008
        li      t1, 42
load:   ld      a0, (t0)
store:  sd      t1, (t0)
again:  ld      a1, (t0)
moved:  j       again
trapped: j      trapped
        .data
        .align  12
root:   .space  4096
middle: .space  4096
leaves: .space  4096
page:   .dword  1, 2, 3, 4
        .space  4064
other:  .dword  10, 20, 30, 40
        .space  4064
"""
"""Supervisor mode, three tables, and a page that it sees at 0x401000."""

VA = 0x401008


def paged(until: str = "super") -> tuple[Qemu, dict[str, int]]:
    """A machine whose supervisor mode sees through page tables, stopped at a label; and where the labels are."""
    places = dict(assemble(PAGED).symbols)
    vm = Qemu(f"{BOARD} -kernel {assembled(PAGED)}", record=False, types="modelled")
    return vm.run(until=places[until]), places


def peek(vm: Qemu, address: int) -> int:
    """The doubleword at a physical address."""
    with vm.process:
        return address_space_ld(address_space_memory(), address, 8)[0]


def poke(vm: Qemu, address: int, value: int) -> None:
    """Put a doubleword at a physical address, as a device would."""
    with vm.process:
        address_space_st(address_space_memory(), address, value, 8)


def verdict(vm: Qemu, access: str, mode: str, address: int = VA) -> str:
    """What comes of an access: a mark, or the name of the trap."""
    walk = take_walk(vm.harts[0].env, address, access, {"U": PRV_U, "S": PRV_S}[mode])
    return walk.fault or "yes"


# --- exercise 1: walk

Read = Callable[[int], int]
Attempt = Callable[[Read, int, int], int | None]
FAULT_RULES = {
    "pages of 4 KiB": "three tables, nine bits of the address for each; the last entry holds the page's number",
    "large pages": "an entry with R, W or X is a leaf, on whatever level; all of the address below it comes along",
    "entries that are not valid": "an entry without V ends the walk: None",
    "tables without end": "an entry of the last level that has none of R, W and X leads nowhere: None",
}


def random_tables(kind: str, rng: Random) -> tuple[dict[int, int], int, int]:
    """Memory with three tables, a root, and an address that goes through them."""
    root, middle, leaves = rng.sample(range(0x80000, 0x80100), 3)
    vpn = [rng.randrange(256) if level == 2 else rng.randrange(512) for level in range(3)]
    va = sum(index << 12 + 9 * level for level, index in enumerate(vpn)) + rng.randrange(4096)
    rwx = rng.choice((PTE_R, PTE_R | PTE_W, PTE_R | PTE_X))
    tables = {
        (root << 12) + 8 * vpn[2]: middle << 10 | PTE_V,
        (middle << 12) + 8 * vpn[1]: leaves << 10 | PTE_V,
        (leaves << 12) + 8 * vpn[0]: rng.randrange(0x80100, 0x80200) << 10 | PTE_V | rwx,
    }
    if kind == "large pages":
        tables[(middle << 12) + 8 * vpn[1]] = rng.randrange(0x400, 0x410) << 19 | PTE_V | rwx
    if kind == "entries that are not valid":
        broken = rng.choice(list(tables))
        tables[broken] &= ~PTE_V
    if kind == "tables without end":
        tables[(leaves << 12) + 8 * vpn[0]] &= ~(PTE_R | PTE_W | PTE_X)
    return tables, root, va


def expected_address(tables: dict[int, int], root: int, va: int) -> int | None:
    """The right answer, in a walk of its own."""
    base = root
    for shift in (30, 21, 12):
        pte = tables.get((base << 12) + 8 * (va >> shift & 511), 0)
        if not pte & PTE_V:
            return None
        base = pte >> 10
        if pte & (PTE_R | PTE_W | PTE_X):
            return base << 12 | va & (1 << shift) - 1
    return None


@check
def check_1(attempt: Attempt) -> str:
    """Let `attempt(read, root, va)` walk through tables of four kinds, 25 of each."""
    rng, entries = Random(15), 0
    for kind, rule in FAULT_RULES.items():
        for _ in range(25):
            tables, root, va = random_tables(kind, rng)
            asked: list[int] = []

            def read(address: int, tables: dict[int, int] = tables, asked: list[int] = asked) -> int:
                asked.append(address)
                return tables.get(address, 0)

            seen, right = attempt(read, root << 12, va), expected_address(tables, root, va)
            if seen != right:
                shown = "None" if seen is None else f"{seen:#x}" if isinstance(seen, int) else repr(seen)
                what = f"for {va:#x} the answer was {shown}, not {right if right is None else hex(right)}"
                raise NotYet(f"{kind}: {what}. You read {len(asked)} entries.\nThe rule: {rule}.")
            entries += len(asked)
    return f"100 addresses, {entries} entries read."


# --- exercise 2: an entry


@check
def check_2(pte: int) -> str:
    """Put the entry into the last table, and let user and supervisor mode try."""
    vm, places = paged()
    env = vm.harts[0].env
    poke(vm, places["leaves"] + 16, pte)
    wanted = places["other"]
    for mode, access, allowed in (("U", "r", True), ("U", "x", True), ("U", "w", False), ("S", "r", False)):
        walk = take_walk(env, 0x402010, access, {"U": PRV_U, "S": PRV_S}[mode])
        verb = {"r": "read", "w": "write", "x": "execute"}[access]
        if allowed and walk.physical is None:
            raise NotYet(f"{mode}-mode cannot {verb} there: {walk.verdict}.")
        if allowed and walk.physical != wanted + 0x10:
            raise NotYet(
                f"0x402010 leads to {walk.physical:#x}, not to {wanted + 0x10:#x}. Where does the number begin?"
            )
        if not allowed and walk.physical is not None:
            raise NotYet(f"{mode}-mode can {verb} there, which it is not to.")
    if not pte & PTE_A:
        raise NotYet("all rights are right. But A is 0: the hart would have to set it at the first access.")
    vm.close()
    return f"user mode reads and runs the other page at 0x402000, and nobody else does: {pte:#x}."


# --- exercise 3: what the hart writes

QUESTIONS = {
    "a": ("a load from a page with A = 0, D = 0", PTE_V | PTE_R | PTE_W, MMUAccessType.DATA_LOAD),
    "b": ("a store to a page with A = 0, D = 0", PTE_V | PTE_R | PTE_W, MMUAccessType.DATA_STORE),
    "c": ("a store to a page that may only be read", PTE_V | PTE_R, MMUAccessType.DATA_STORE),
    "d": ("a load by supervisor mode from a page of user mode", PTE_V | PTE_R | PTE_U, MMUAccessType.DATA_LOAD),
}
WHY = {
    "a": "a load accesses the page; it does not make it dirty",
    "b": "who writes, accesses too",
    "c": "an access that is refused leaves no mark",
    "d": "without SUM this is refused, and what is refused leaves no mark",
}


def marks(pte: int, access: MMUAccessType) -> str:
    """The bits that a hart sets in an entry by an access of supervisor mode."""
    vm, places = paged()
    poke(vm, places["leaves"] + 8, places["page"] >> 2 | pte)
    with vm.process, suppress(TranslateFail):
        get_physical_address(vm.harts[0].env, VA, access, PRV_S)
    after = peek(vm, places["leaves"] + 8)
    vm.close()
    return "".join(letter for letter, bit in (("A", PTE_A), ("D", PTE_D)) if after & bit)


@check
def check_3(answers: dict[str, str]) -> str:
    """Compare "", "A" or "AD" for each question with what a hart does."""
    for letter, (question, pte, access) in QUESTIONS.items():
        if letter not in answers:
            raise NotYet(f'there is no answer to {letter}: "", "A" or "AD".')
        if answers[letter] != marks(pte, access):
            raise NotYet(f"{letter}, {question}: not {answers[letter]!r}. The rule: {WHY[letter]}.")
    return "all four. Who wants to know which pages are worth writing to a disk, looks for D."
