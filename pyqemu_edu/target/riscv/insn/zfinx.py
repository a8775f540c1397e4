"""Zfinx, Zdinx, Zhinx: floating point in the integer registers (QEMU target/riscv/translate.c).

Words and meanings are those of F, D and Zfh (insn/rvf.py), less what loads, stores and moves bits.  They are read on a
machine whose `f` is its `x`: there a number of less than 64 bits stands sign-extended, and nobody asks what is above.
As in 7.2, against the manual, fmv.x.w and fmv.w.x have remained; and the latter puts its number into a box.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from pyqemu_edu.fpu.parts import FLOAT64, FORMATS, FloatFmt
from pyqemu_edu.target.riscv.insn.declare import SPELLINGS, Extension, Instruction
from pyqemu_edu.target.riscv.insn.protocol import Machine, Value
from pyqemu_edu.target.riscv.insn.rvf import D, F, Zfh, Zfhmin, Zfhmin_D, boxed

FORMAT_OF = {SPELLINGS[fmt].fmt: fmt for fmt in FORMATS}


class FloatsInX:
    """The integer registers as those of an instruction that reads one format and writes one.

    (QEMU `get_fpr_hs`, `gen_set_fpr_hs`, and for the helpers `check_nanbox_s`, `nanbox_s`)
    """

    def __init__(self, m: Machine, reads: FloatFmt, writes: FloatFmt) -> None:
        self.m, self.reads, self.bits = m, reads, 8 * writes.size

    def __getitem__(self, index: int) -> Value:
        return boxed(self.m.x[index], self.reads)

    def __setitem__(self, index: int, value: Value) -> None:
        self.m.x[index] = self.m.sext(value, self.bits) if self.bits < 64 else value


class MachineInX:
    """As much of a `Machine` as computing needs; its floating-point registers are `FloatsInX`."""

    def __init__(self, m: Machine, reads: FloatFmt, writes: FloatFmt) -> None:
        self.x, self.f = m.x, FloatsInX(m, reads, writes)
        self.sext, self.select, self.helper, self.rounded = m.sext, m.select, m.helper, m.rounded


def formats(name: str) -> tuple[FloatFmt, FloatFmt]:
    """What an instruction reads and what it writes: `fcvt.s.d` doubles and singles, `fcvt.w.s` singles.

    Where none is named it moves bits, all there are.
    """
    named = [FORMAT_OF[part] for part in name.split(".")[1:] if part in FORMAT_OF] or [FLOAT64]
    return named[-1], named[0]


def in_x(instruction: Instruction, extension: Extension) -> Instruction:
    """The same instruction on the integer registers."""
    reads, writes = formats(instruction.name)

    def meaning(m: Any, a: Any) -> None:
        instruction.meaning(MachineInX(m, reads, writes), a)

    meaning.__name__ = instruction.meaning.__name__
    return replace(instruction, meaning=meaning, extension=extension, form=instruction.form.replace("{f", "{"))


def has_twin(instruction: Instruction) -> bool:
    """Whether it is there on the integer registers too: it computes, or is one of the two moves that have remained."""
    return "(" not in instruction.form and instruction.name not in ("fmv.x.d", "fmv.d.x", "fmv.x.h", "fmv.h.x")


def twin(extension: Extension, name: str, *needs: str) -> Extension:
    """An extension with the instructions of another."""
    made = Extension(name, f"{extension.title}, in the integer registers", needs)
    made.instructions += [in_x(each, made) for each in extension.instructions if has_twin(each)]
    return made


def twins() -> Iterator[Extension]:
    """The extensions of F, D and Zfh on the integer registers."""
    yield twin(F, "Zfinx", "zfinx")
    yield twin(D, "Zdinx", "zdinx")
    yield twin(Zfh, "Zhinx", "zhinx")
    yield twin(Zfhmin, "Zhinxmin", "zhinx", "zhinxmin")
    yield twin(Zfhmin_D, "Zhinxmin+Zdinx", "zdinx zhinx", "zdinx zhinxmin")


EXTENSIONS_IN_X = tuple(twins())
