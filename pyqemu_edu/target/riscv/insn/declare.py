"""How an instruction is declared: bit pattern, assembly form and meaning in one place (Not in QEMU).

    insn = Extension("M", "Integer multiplication and division")

    @insn("0000001 ..... ..... 000 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
    def mul(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] * m.x[a.rs2]

In a pattern `0` and `1` are fixed bits, `.` are bits of the format's operands, and `-` are bits that nobody looks at.
Where two patterns match a word, the one with more fixed bits is meant.  In an assembly form `{pc+imm}` is an address,
`{imm>>12}` is an operand without its low 12 bits, `{frd}` is the floating-point register whose number is `rd`, and
`{rm}`, always last, is a rounding mode that may be left out.

What there is for every format of floating-point numbers, or for words and doublewords, is declared once, by a `Family`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from types import FunctionType
from typing import Any, NamedTuple, TypeVar

from pyqemu_edu.fpu.parts import FLOAT16, FLOAT32, FLOAT64, FloatFmt
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

    Those of one with `fpu` are illegal while mstatus.FS says that the floating-point unit is off.  `needs` says which
    harts have it: letters of misa and properties of `-cpu`, all of them or, where there are several texts, all of one.
    """

    name: str
    title: str
    needs: tuple[str, ...] = ("",)
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
        layout = "@empty" if len(pattern.replace(" ", "")) == 32 else "@c_empty"
        self.instructions.append(_instruction(RESERVED, f"{pattern} {layout}", "", _no_meaning, self))


Kind = FloatFmt | int
"""What the members of a family differ in: the format of their numbers, or how many bytes these have."""


class Spelling(NamedTuple):
    """How an instruction says which member of its family it is, in its name and in its bits.

    One that computes with floating-point numbers says so in the field `fmt`; one that loads, stores or moves bits
    speaks of a `width`.
    """

    fmt: str
    fmt_bits: str
    width: str
    width_bits: str


SPELLINGS: dict[Kind, Spelling] = {
    FLOAT16: Spelling("h", "10", "h", "001"),
    FLOAT32: Spelling("s", "00", "w", "010"),
    FLOAT64: Spelling("d", "01", "d", "011"),
    4: Spelling("", "", "w", "010"),
    8: Spelling("", "", "d", "011"),
}


@dataclass(frozen=True)
class Family:
    """Extensions that differ in the kind of their numbers, and the decorator for what all of them have.

    `fmt` in the name of the meaning stands for the letter of a format, in the pattern for its bits; so does `width`.
    The meaning is told the kind as its third parameter.
    """

    extensions: Mapping[Any, Extension]

    def __call__(self, pattern: str, form: str) -> Callable[[Meaning], dict[Kind, Meaning]]:
        """Declare the decorated meaning for each kind: `fadd_fmt` is `fadd.h`, `fadd.s` and `fadd.d`."""

        def declare(meaning: Meaning) -> dict[Kind, Meaning]:
            return {kind: self._declare(meaning, kind, pattern, form) for kind in self.extensions}

        return declare

    def _declare(self, meaning: Meaning, kind: Kind, pattern: str, form: str) -> Meaning:
        assert isinstance(meaning, FunctionType)
        spelling = SPELLINGS[kind]
        name = meaning.__name__.replace("fmt", spelling.fmt).replace("width", spelling.width)
        bits = pattern.replace("fmt", spelling.fmt_bits).replace("width", spelling.width_bits)
        special = FunctionType(meaning.__code__, meaning.__globals__, name, argdefs=(kind,))
        return self.extensions[kind](bits, form)(special)


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
