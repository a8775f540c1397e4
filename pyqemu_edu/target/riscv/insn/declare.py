"""How an instruction is declared: bit pattern, assembly form and meaning in one place (Not in QEMU).

    insn = Extension("M", "Integer multiplication and division")

    @insn("0000001 ..... ..... 000 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
    def mul(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] * m.x[a.rs2]

In a pattern `0` and `1` are fixed bits, `.` are bits of the format's operands, and `-` are bits that nobody looks at.
Where two patterns match a word, the one with more fixed bits is meant.  In an assembly form `{pc+imm}` is an address,
`{imm>>12}` is an operand without its low 12 bits, `{frd}` is the floating-point register whose number is `rd`, and
`{rm}`, always last, is a rounding mode that may be left out.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, TypeVar

from pyqemu_edu.target.riscv.insn.formats import FORMATS, Format, Operands

Meaning = Callable[..., None]
"""`meaning(m, a)`: `m` a reading of the machine (`insn/protocol.py`), `a` the operands."""

M = TypeVar("M", bound=Meaning)


@dataclass(frozen=True, eq=False)
class Instruction:
    """One instruction; a compressed one shares the meaning, and so the kind of operands, of the one it stands for."""

    name: str
    pattern: str
    mask: int
    match: int
    format: Format
    form: str
    meaning: Meaning
    extension: Extension

    @property
    def length(self) -> int:
        """Bytes: 2 or 4."""
        return 4 if self.match & 3 == 3 else 2

    def operands(self, word: int) -> Operands:
        """The operands in `word`, which must match."""
        return self.format.decode(word)

    def encode(self, **values: int) -> int:
        """The word with these operands, those not named being zero; `ValueError` for one that does not fit."""
        fields = self.format.encode(values)
        if fields & self.mask & ~self.match:
            raise ValueError(f"{self.name} cannot have these operands")
        return self.match | fields

    def __repr__(self) -> str:
        return f"<Instruction {self.name} ({self.extension.name})>"


@dataclass(eq=False)
class Extension:
    """A part of the instruction set, and the decorator that declares its instructions.

    Those of one with `fpu` are illegal while mstatus.FS says that the floating-point unit is off.
    """

    name: str
    title: str
    fpu: bool = False
    instructions: list[Instruction] = field(default_factory=list)

    def __call__(self, pattern: str, form: str = "") -> Callable[[M], M]:
        """Declare the decorated meaning: `amoadd_w` is `amoadd.w`, `and_` is `and`."""

        def declare(meaning: M) -> M:
            name = meaning.__name__.rstrip("_").replace("_", ".")
            self.instructions.append(_instruction(name, pattern, form, meaning, self))
            return meaning

        return declare

    def short(self, name: str, pattern: str, full: Meaning, form: str) -> None:
        """Declare a compressed form of an instruction, whose meaning it shares."""
        self.instructions.append(_instruction(name, pattern, form, full, self))

    def reserved(self, pattern: str) -> None:
        """Declare words that would match another pattern but mean nothing."""
        self.instructions.append(_instruction(RESERVED, f"{pattern} @c_empty", "", _no_meaning, self))


RESERVED = "reserved"


def _no_meaning(m: Any, a: Any) -> None:
    raise AssertionError("a reserved word was executed")


def _instruction(name: str, pattern: str, form: str, meaning: Meaning, extension: Extension) -> Instruction:
    *groups, layout = pattern.split()
    bits = "".join(groups)
    assert len(bits) in (16, 32), f"{name}: {len(bits)} bits in {pattern!r}"
    assert not bits.strip("01.-"), f"{name}: bad pattern {pattern!r}"
    mask = int(re.sub("[.-]", "0", re.sub("[01]", "1", bits)), 2)
    match = int(re.sub("[.-]", "0", bits), 2)
    return Instruction(name, " ".join(groups), mask, match, FORMATS[layout], form, meaning, extension)
