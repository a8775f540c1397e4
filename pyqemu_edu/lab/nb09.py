"""Checks for the exercises of notebook 09, "How many times must you say add?" (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from types import SimpleNamespace

from pyqemu_edu.guests import assembled
from pyqemu_edu.interp.arithmetic import MASK64, Arithmetic
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.target.riscv.asm import AssemblyError, assemble
from pyqemu_edu.target.riscv.insn.declare import Extension, Instruction
from pyqemu_edu.target.riscv.insn.decode import decode, decoder, extended_by
from pyqemu_edu.target.riscv.insn.formats import R
from pyqemu_edu.target.riscv.names import Undecided
from pyqemu_edu.view.readings import operations
from pyqemu_edu.vm import Qemu

# --- exercise 1: decode by hand

WORD = 0xFEB1_3C23


@check
def check_1(answer: str) -> str:
    """`WORD` as a line of assembly: compare what the answer assembles to, field by field."""
    if not answer.strip():
        raise NotYet("write one line of assembly.")
    try:
        data = assemble(answer).data
    except AssemblyError as error:
        raise NotYet(f"the assembler says: {error}") from None
    if len(data) != 4:
        raise NotYet(f"your line assembles to {len(data)} bytes; this is one instruction of four.")
    compare_fields(int.from_bytes(data, "little"))
    return f"{answer.strip()} is {WORD:#010x}."


def compare_fields(word: int) -> None:
    """Say which fields of a wrong word differ."""
    found = decode(WORD)
    assert found is not None
    differing = [piece for piece in found[0].format.pieces if (word ^ WORD) >> piece.low & piece.mask]
    if differing:
        where = ", ".join(f"{piece.label} (bits {piece.high} to {piece.low})" for piece in differing)
        raise NotYet(f"your line is {word:#010x}, which differs in {where}.")


# --- exercise 2: an instruction of your own

CASES = ((0x1234_5678_9ABC_DEF0, 12), (1, 1), (1, 0), (0x8000_0000_0000_0001, 63), (0x8000_0000_0000_0000, 3), (6, 65))
GUEST = """
_start: la   t0, stop
        csrw mtvec, t0
        li   a1, 0x123456789abcdef0
        li   a2, 12
        ror  a0, a1, a2
        ror  a3, a1, zero
stop:   j    stop
"""


@check
def check_2(extension: Extension) -> str:
    """Read `ror` on bits, on numbers and on names; then run a guest that uses it, interpreted and translated."""
    instruction = named_ror(extension)
    check_pattern(instruction)
    for value, distance in CASES:
        check_numbers(instruction, value, distance)
    check_names(instruction, extension)
    for accelerator in ("interp", "tcg"):
        check_guest(extension, accelerator)
    return "interpreted and translated, a guest rotates 0x123456789abcdef0 by 12 to 0xef0123456789abcd."


def named_ror(extension: Extension) -> Instruction:
    """The instruction of that name."""
    found = [each for each in extension.instructions if each.name == "ror"]
    if not found:
        names = ", ".join(each.name for each in extension.instructions) or "no instruction"
        raise NotYet(f"the extension declares {names}; its name is that of the decorated function: ror.")
    return found[-1]


def check_pattern(instruction: Instruction) -> None:
    """Nobody else's word, and the one that the manual gives it."""
    if instruction.format.operands is not R or instruction.form != "{rd}, {rs1}, {rs2}":
        raise NotYet(
            f"ror takes {{rd}}, {{rs1}}, {{rs2}} in the format @r; yours takes {instruction.form or 'nothing'}."
        )
    word = instruction.encode(rd=10, rs1=11, rs2=12)
    if (known := decode(word)) and known[0].name != "ror":  # the library's own does not count
        raise NotYet(f"your word for ror a0, a1, a2 is {word:#010x}, but that is {known[0].name}: look at the pattern.")
    if word != 0x60C5_D533:
        raise NotYet(f"your word for ror a0, a1, a2 is {word:#010x}; in the manual it is 0x60c5d533.")


class Numbers(Arithmetic):
    """As much of a machine as a rotation needs."""

    def __init__(self, value: int, distance: int) -> None:
        self.x = [0] * 11 + [value, distance] + [0] * 19


def check_numbers(instruction: Instruction, value: int, distance: int) -> None:
    """The meaning, read on two numbers."""
    machine = Numbers(value, distance)
    try:
        instruction.meaning(machine, R(rd=10, rs1=11, rs2=12))
    except ValueError as error:
        raise NotYet(f"read on the numbers {value:#x} and {distance}: {error}. {rule_of_distances(distance)}") from None
    got, shift = machine.x[10] & MASK64, distance & 63
    right = (value >> shift | value << (64 - shift)) & MASK64
    if got == right:
        return
    left = (value << shift | value >> (64 - shift)) & MASK64
    said = f"read on numbers, ror of {value:#x} by {distance} gave {got:#x}. "
    if got == left:
        raise NotYet(said + "That is a rotation to the left.")
    raise NotYet(said + rule_of_distances(distance))


def rule_of_distances(distance: int) -> str:
    """Why a number may be wrong."""
    if distance in (0, 65):
        return "Only the low six bits of rs2 count, and 64 minus that has only six bits that count, too."
    return "What falls out at the right comes in at the left; a value has no sign unless m.signed says so."


def check_names(instruction: Instruction, extension: Extension) -> None:
    """The same text, read on names."""
    try:
        with extended_by(extension):
            operations(instruction.encode(rd=10, rs1=11, rs2=12))
    except Undecided as error:
        raise NotYet(f"on numbers it is right, but read on names: {error}.") from None
    except (TypeError, AttributeError) as error:
        raise NotYet(f"on numbers it is right, but names cannot do this: {error}.") from None


def check_guest(extension: Extension, accelerator: str) -> None:
    """A guest that uses it."""
    with extended_by(extension):
        line = f"-machine spike -bios none -display none -accel {accelerator} -kernel {assembled(GUEST)}"
        vm = Qemu(line, record=False, types="modelled")
    vm.run(budget=60)
    got = SimpleNamespace(turned=vm.harts[0].env.gpr[10], same=vm.harts[0].env.gpr[13])
    if (got.turned, got.same) != (0xEF01_2345_6789_ABCD, 0x1234_5678_9ABC_DEF0):
        raise NotYet(
            f"in a guest under -accel {accelerator}, rotating by 12 and by 0 gave {got.turned:#x} and {got.same:#x}. "
            "A shift by 64 or more means nothing there."
        )


# --- exercise 3: two patterns that overlap


@check
def check_3(overlap: Callable[[Instruction, Instruction], bool]) -> str:
    """Ask `overlap` about every pair of patterns; the proof is a word that matches both, or a bit that forbids it."""
    pairs = list(combinations(decoder().instructions, 2))
    for a, b in pairs:
        for one, other in ((a, b), (b, a)):
            compare_overlap(one, other, bool(overlap(one, other)))
    count = sum(forbidding(a, b) == 0 for a, b in pairs)
    return f"of {len(pairs):,} pairs {count} overlap, and in each of them one pattern fixes more bits than the other."


def forbidding(a: Instruction, b: Instruction) -> int:
    """The bits that both fix, and differently."""
    return (a.match ^ b.match) & a.mask & b.mask


def compare_overlap(a: Instruction, b: Instruction, said: bool) -> None:
    """Whether the answer for one pair holds; if not, the proof."""
    differing = forbidding(a, b)
    if said == (differing == 0):
        return
    shown = f"{a.name} is {a.pattern}, {b.name} is {b.pattern}. You say {'yes' if said else 'no'}; "
    if differing:
        bit = differing.bit_length() - 1
        raise NotYet(
            f"{shown}but bit {bit} must be {a.match >> bit & 1} in the one and {b.match >> bit & 1} in the other."
        )
    raise NotYet(f"{shown}but the word {a.match | b.match:#x} matches both.")
