"""Draws what a random program for a hart executes: any instruction, any bits, at any address (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from random import Random

from pyqemu_edu.real.random_setting import Setting
from pyqemu_edu.target.riscv.csr import csr_number
from pyqemu_edu.target.riscv.insn.declare import Instruction
from pyqemu_edu.target.riscv.insn.decode import decode, decoder

# fmt: off
CLOCKS  = frozenset({*range(0xB00, 0xB20), *range(0xC00, 0xC20), *(csr_number[n] for n in ("stimecmp", "vstimecmp"))})
"""CSRs that tell of time: what they say depends on the host, unless it is counted in instructions."""
LEFT_OUT = frozenset(csr_number[name] for name in ("seed", "tdata1"))
"""One whose value is chance, and one at which QEMU 7.2 gives up if a trigger's type is between 7 and 14."""
WIDTHS = frozenset(csr_number[name] for name in ("mstatus", "sstatus", "vsstatus"))
"""Those that could give user mode 32-bit registers, which ours does not have: only their low bits are written."""
STATUS  = tuple(
    "mstatus sstatus medeleg mideleg mie mip sie sip stvec mcounteren scounteren menvcfg senvcfg mcountinhibit "
    "fflags frm fcsr misa".split()
)

EVERY    = [each for each in decoder().instructions if each.name not in ("wfi", "reserved")]
ACCESSES = [each for each in EVERY if "(" in each.form]
ATOMICS  = [each for each in EVERY if each.format.operands.__name__ == "Atomic"]
FLOATS   = [each for each in EVERY if each.extension.fpu]
CSR      = [each for each in EVERY if each.format.operands.__name__ in ("Csr", "CsrI")]
JUMPS    = [each for each in EVERY if each.format.operands.__name__ == "B" or "j" in each.name]
OTHERS   = ("fence.i", "fence", "sfence.vma", "sfence.vma", "sret", "mret", "ebreak", "c.ebreak", "pause")
# fmt: on

POINTERS = (8, 9, 10, 11, 12, 13)
"""Registers that hold addresses when a piece begins: those that compressed instructions can name too."""


def as_data(word: int, length: int) -> str:
    """An instruction in halves: the hart may be one that has no compressed ones, and the assembler would mind."""
    return "".join(f"        .2byte  {word >> 16 * i & 0xFFFF:#x}\n" for i in range(length // 2))


def is_fair(word: int, setting: Setting) -> bool:
    """Not asleep for good, nor asking for what depends on the host."""
    found = decode(word)
    if found is None:
        return True
    csr, takes_register = getattr(found[1], "csr", None), hasattr(found[1], "rs1")
    if found[0].name == "wfi" or csr in LEFT_OUT or (csr in WIDTHS and takes_register):
        return False
    return setting.icount or csr not in CLOCKS


def drawn(rng: Random, kinds: Sequence[Instruction], setting: Setting, **wanted: int) -> tuple[int, int]:
    """The word and length of one of these instructions with random operands, `wanted` excepted where it fits."""
    while True:
        instruction = rng.choice(kinds)
        word = instruction.match | rng.getrandbits(8 * instruction.length) & ~instruction.mask
        operands = instruction.operands(word)._asdict()
        if operands.keys() & wanted:
            with suppress(ValueError):
                word = instruction.encode(**operands | {n: wanted[n] for n in operands.keys() & wanted})
        if is_fair(word, setting):
            return word, instruction.length


def any_instruction(rng: Random, setting: Setting) -> str:
    """Any that is declared."""
    return as_data(*drawn(rng, EVERY, setting))


def any_word(rng: Random, setting: Setting) -> str:
    """Any bits at all, 16 or 32."""
    word = rng.getrandbits(32)
    return as_data(word, 4 if word & 3 == 3 else 2) if is_fair(word, setting) else ""


def access(rng: Random, setting: Setting) -> str:
    """A load or a store, most often very near to one of the pointers."""
    near = {"imm": rng.randrange(-8, 9)} if rng.random() < 0.7 else {}
    return as_data(*drawn(rng, ACCESSES, setting, rs1=rng.choice(POINTERS), **near))


def atomic(rng: Random, setting: Setting) -> str:
    """An atomic operation, or a reservation, something else, and a store that may or may not find it."""
    where = rng.choice(POINTERS)
    if rng.random() < 0.5:
        return as_data(*drawn(rng, ATOMICS, setting, rs1=where))
    reserve, store = ([each for each in ATOMICS if each.name[:2] == kind] for kind in ("lr", "sc"))
    between = rng.choice((any_instruction, access, csr_access, lambda *_: "", lambda *_: ""))(rng, setting)
    first = as_data(*drawn(rng, reserve, setting, rs1=where, rd=5))
    return first + between + as_data(*drawn(rng, store, setting, rs1=where))


def csr_access(rng: Random, setting: Setting) -> str:
    """An access to a CSR: one that there is, or any number."""
    known = list(csr_number.values())
    number = rng.choice((rng.choice(known), csr_number[rng.choice(STATUS)], rng.getrandbits(12)))
    kinds = [each for each in CSR if number not in WIDTHS or each.name.endswith("i")]
    if number in LEFT_OUT or (number in CLOCKS and not setting.icount):
        return ""
    return as_data(*drawn(rng, kinds, setting, csr=number))


def floats(rng: Random, setting: Setting) -> str:
    """Floating point, with whatever is in the registers, rounded in any way or in one that there is not."""
    return "".join(as_data(*drawn(rng, FLOATS, setting)) for _ in range(3))


def jump(rng: Random, setting: Setting) -> str:
    """A branch or a jump, most often not far; through a register to anywhere."""
    near = {"imm": rng.choice((4, 6, 8, 10, 12))} if rng.random() < 0.9 else {}
    return as_data(*drawn(rng, JUMPS, setting, rs1=rng.choice((0, *POINTERS)), **near))


def other(rng: Random, setting: Setting) -> str:
    """What orders, forgets or returns."""
    return f"        {rng.choice(OTHERS)}\n"


BODY: dict[Callable[[Random, Setting], str], int] = {
    any_instruction: 30, any_word: 8, access: 20, atomic: 8, csr_access: 12, floats: 10, jump: 6, other: 4,
}  # fmt: skip
"""What is executed, and how often."""


def body(rng: Random, setting: Setting) -> str:
    """A few of them."""
    return "".join(make(rng, setting) for make in rng.choices(list(BODY), list(BODY.values()), k=rng.randint(1, 10)))
