"""Where the operands of an instruction stand in its bits (QEMU target/riscv/insn32.decode, insn16.decode).

A format is written as the ISA manual draws it, from the highest bit to the lowest: `imm[12|10:5]` holds bits 12 and
10 to 5 of the operand `imm`.  `imm` is signed, `uimm` is an `imm` without a sign, `rd'` is one of the eight registers
x8 to x15, and `rd/rs1` is both operands at once.  Operands that a compressed form leaves out are given behind it.
Decoding, encoding and drawing all read these lines.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

Operands = Any
"""One of the tuples below; a meaning names the one that it takes."""


# fmt: off
# ruff: noqa: E701, E702, E742
class R(NamedTuple):        rd: int; rs1: int; rs2: int
class I(NamedTuple):        rd: int; rs1: int; imm: int
class Shift(NamedTuple):    rd: int; rs1: int; shamt: int
class S(NamedTuple):        rs1: int; rs2: int; imm: int
class B(NamedTuple):        rs1: int; rs2: int; imm: int
class U(NamedTuple):        rd: int; imm: int
class J(NamedTuple):        rd: int; imm: int
class Csr(NamedTuple):      rd: int; csr: int; rs1: int
class CsrI(NamedTuple):     rd: int; csr: int; imm: int
class Atomic(NamedTuple):   rd: int; rs1: int; rs2: int; aq: int; rl: int
class Unary(NamedTuple):    rd: int; rs1: int
class UnaryR(NamedTuple):   rd: int; rs1: int; rm: int
class Rounded(NamedTuple):  rd: int; rs1: int; rs2: int; rm: int
class Fused(NamedTuple):    rd: int; rs1: int; rs2: int; rs3: int; rm: int
class Round(NamedTuple):    rd: int; rs1: int; rnum: int
class Byte(NamedTuple):     rd: int; rs1: int; rs2: int; bs: int
class Fence(NamedTuple):    pred: int; succ: int
class Vma(NamedTuple):      rs1: int; rs2: int
class Empty(NamedTuple):    pass

WIDTHS = {
    "rd": 5, "rs1": 5, "rs2": 5, "rs3": 5, "rm": 3, "rd/rs1": 5, "rd'": 3, "rs1'": 3, "rs2'": 3, "rd'/rs1'": 3,
    "opcode": 7, "op": 2, "funct2": 2, "funct3": 3, "funct4": 4, "funct5": 5, "funct6": 6, "funct7": 7, "funct12": 12,
    "funct8": 8, "rnum": 4, "bs": 2,
    "csr": 12, "aq": 1, "rl": 1, "fm": 4, "pred": 4, "succ": 4,
}
# fmt: on
"""Bits of the fields that are written without their bit numbers."""


@dataclass(frozen=True, slots=True)
class Piece:
    """Bits `high` to `low` of a word hold bits from `shift` upwards of the operands `names`; `add` makes rd' of rd."""

    label: str
    high: int
    low: int
    names: tuple[str, ...]
    shift: int
    add: int

    @property
    def mask(self) -> int:
        return (1 << (self.high - self.low + 1)) - 1


@dataclass(frozen=True)
class Format:
    """A drawing of a word: `operands` is the tuple to fill, `fixed` the operands that no bit tells."""

    name: str
    operands: type[Any]
    drawing: str
    pieces: tuple[Piece, ...]
    signed: Mapping[str, int]
    fixed: Mapping[str, int]

    def decode(self, word: int) -> Operands:
        """The operands in `word`."""
        values: dict[str, int] = {**dict.fromkeys(self.operands._fields, 0), **self.fixed}
        for piece in self.pieces:
            for name in piece.names:
                values[name] |= (word >> piece.low & piece.mask) + piece.add << piece.shift
        for name, width in self.signed.items():
            values[name] -= (values[name] >> width - 1) << width
        return self.operands(**values)

    def encode(self, values: Mapping[str, int]) -> int:
        """The bits of a word that hold `values`; `ValueError` for one that does not fit."""
        word = 0
        for piece in self.pieces:
            for name in piece.names:
                if name in values:
                    word |= ((values[name] >> piece.shift) - piece.add & piece.mask) << piece.low
        for name, value in zip(self.operands._fields, self.decode(word), strict=True):
            if values.get(name, value) != value:
                raise ValueError(f"{name} cannot be {values[name]}")
        return word


def _operand_names(label: str) -> tuple[str, ...]:
    plain = label.partition("[")[0].replace("uimm", "imm").replace("'", "")
    return tuple(plain.split("/"))


def _runs(label: str) -> list[tuple[int, int]]:
    """The runs of operand bits that a field holds, highest first: `imm[4:1|11]` gives (4, 1), (11, 11)."""
    if "[" not in label:
        return [(WIDTHS[label] - 1, 0)]
    runs = [run.split(":") for run in label[label.index("[") + 1 : -1].split("|")]
    return [(int(run[0]), int(run[-1])) for run in runs]


def format_(name: str, operands: type[Any], drawing: str, **fixed: int) -> Format:
    """Read a drawing of 16 or 32 bits."""
    pieces: list[Piece] = []
    signed: dict[str, int] = {}
    labels = drawing.split()
    position = sum(high - low + 1 for label in labels for high, low in _runs(label))
    assert position in (16, 32), f"{name} draws {position} bits"
    for label in labels:
        names = tuple(each for each in _operand_names(label) if each in operands._fields)
        for high, low in _runs(label):
            position -= high - low + 1
            pieces.append(Piece(label, position + high - low, position, names, low, 8 if "'" in label else 0))
            if re.match(r"imm\b", label):
                signed["imm"] = max(signed.get("imm", 0), high + 1)
    return Format(name, operands, drawing, tuple(pieces), signed, fixed)


# fmt: off
FORMATS = {each.name: each for each in (
    # 32 bits wide
    format_("@r",        R,       "funct7            rs2   rs1         funct3  rd           opcode"),
    format_("@i",        I,       "imm[11:0]               rs1         funct3  rd           opcode"),
    format_("@sh",       Shift,   "funct6       shamt[5:0] rs1         funct3  rd           opcode"),
    format_("@sh5",      Shift,   "funct7       shamt[4:0] rs1         funct3  rd           opcode"),
    format_("@s",        S,       "imm[11:5]         rs2   rs1         funct3  imm[4:0]     opcode"),
    format_("@b",        B,       "imm[12|10:5]      rs2   rs1         funct3  imm[4:1|11]  opcode"),
    format_("@u",        U,       "imm[31:12]                                  rd           opcode"),
    format_("@j",        J,       "imm[20|10:1|11|19:12]                       rd           opcode"),
    format_("@csr",      Csr,     "csr                     rs1         funct3  rd           opcode"),
    format_("@csri",     CsrI,    "csr                     uimm[4:0]   funct3  rd           opcode"),
    format_("@atom",     Atomic,  "funct5  aq rl     rs2   rs1         funct3  rd           opcode"),
    format_("@r_rm",     Rounded, "funct7            rs2   rs1         rm      rd           opcode"),
    format_("@r2_rm",    UnaryR,  "funct12                 rs1         rm      rd           opcode"),
    format_("@r2",       Unary,   "funct12                 rs1         funct3  rd           opcode"),
    format_("@r4_rm",    Fused,   "rs3        funct2 rs2   rs1         rm      rd           opcode"),
    format_("@i_aes",    Round,   "funct8            rnum  rs1         funct3  rd           opcode"),
    format_("@k_aes",    Byte,    "bs   funct5       rs2   rs1         funct3  rd           opcode"),
    format_("@fence",    Fence,   "fm pred succ            rs1         funct3  rd           opcode"),
    format_("@vma",      Vma,     "funct7            rs2   rs1         funct3  rd           opcode"),
    format_("@empty",    Empty,   "funct12                 rs1         funct3  rd           opcode"),
    # 16 bits wide, each filling the operands of the instruction that it stands for
    format_("@ciw",      I,       "funct3  uimm[5:4|9:6|2|3]                   rd'      op", rs1=2),
    format_("@cl_w",     I,       "funct3  uimm[5:3]  rs1'  uimm[2|6]          rd'      op"),
    format_("@cl_d",     I,       "funct3  uimm[5:3]  rs1'  uimm[7:6]          rd'      op"),
    format_("@cs_w",     S,       "funct3  uimm[5:3]  rs1'  uimm[2|6]          rs2'     op"),
    format_("@cs_d",     S,       "funct3  uimm[5:3]  rs1'  uimm[7:6]          rs2'     op"),
    format_("@ci",       I,       "funct3  imm[5]        rd/rs1    imm[4:0]             op"),
    format_("@ci_li",    I,       "funct3  imm[5]        rd        imm[4:0]             op", rs1=0),
    format_("@ci_lui",   U,       "funct3  imm[17]       rd        imm[16:12]           op"),
    format_("@ci_16sp",  I,       "funct3  imm[9]        rd/rs1    imm[4|6|8:7|5]       op"),
    format_("@ci_sh",    Shift,   "funct3  shamt[5]      rd/rs1    shamt[4:0]           op"),
    format_("@ci_lwsp",  I,       "funct3  uimm[5]       rd        uimm[4:2|7:6]        op", rs1=2),
    format_("@ci_ldsp",  I,       "funct3  uimm[5]       rd        uimm[4:3|8:6]        op", rs1=2),
    format_("@css_w",    S,       "funct3  uimm[5:2|7:6]           rs2                  op", rs1=2),
    format_("@css_d",    S,       "funct3  uimm[5:3|8:6]           rs2                  op", rs1=2),
    format_("@cb_sh",    Shift,   "funct3  shamt[5] funct2  rd'/rs1'  shamt[4:0]        op"),
    format_("@cb_andi",  I,       "funct3  imm[5]   funct2  rd'/rs1'  imm[4:0]          op"),
    format_("@ca",       R,       "funct6                   rd'/rs1'  funct2  rs2'      op"),
    format_("@cb",       B,       "funct3  imm[8|4:3]       rs1'      imm[7:6|2:1|5]    op", rs2=0),
    format_("@cj",       J,       "funct3  imm[11|4|9:8|10|6|7|3:1|5]                   op", rd=0),
    format_("@cr",       R,       "funct4                rd/rs1    rs2                  op"),
    format_("@cr_mv",    I,       "funct4                rd        rs1                  op", imm=0),
    format_("@cr_jr",    I,       "funct4                rs1       funct5               op", rd=0, imm=0),
    format_("@cr_jalr",  I,       "funct4                rs1       funct5               op", rd=1, imm=0),
    format_("@c_empty",  Empty,   "funct4                funct5    funct5               op"),
)}
# fmt: on
