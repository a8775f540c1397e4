"""From a word to an instruction and its operands (QEMU target/riscv/translate.c).

QEMU's build generates a decoder out of `insn32.decode` and `insn16.decode`; ours fills a table from the declarations.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from functools import lru_cache

from pyqemu_edu.target.riscv.insn import privileged, rva, rvb, rvc, rvf, rvi, rvk, rvm, xventana, zicsr
from pyqemu_edu.target.riscv.insn.declare import RESERVED, Extension, Instruction
from pyqemu_edu.target.riscv.insn.formats import Operands
from pyqemu_edu.target.riscv.insn.zfinx import EXTENSIONS_IN_X

EXTENSIONS = {
    extension.name: extension
    for extension in (
        *(rvi.insn, rvi.Zihintpause, rvm.Zmmul, rvm.insn, rva.A, rva.RV64A, rvc.C, rvc.Zcd),
        *(rvf.F, rvf.D, rvf.Zfh, rvf.Zfhmin, rvf.Zfhmin_D),
        *(rvb.Zba, rvb.Zbb, rvb.Zbb_Zbkb, rvb.Zbc, rvb.Zbc_Zbkc, rvb.Zbs, rvb.Zbkb, rvb.Zbkx, xventana.insn),
        *(rvk.Zkne, rvk.Zknd, rvk.Zkne_Zknd, rvk.Zknh, rvk.Zksed, rvk.Zksh),
        *(zicsr.insn, zicsr.Zifencei),
        *(privileged.insn, privileged.S, privileged.Svinval),
    )
}
"""The extensions that words are decoded by where no hart is asked, by name."""

IN_X = {extension.name: extension for extension in EXTENSIONS_IN_X}
"""Extensions that give words of F, D and Zfh another meaning, so that only a hart can tell which is meant."""

_added: ContextVar[tuple[Extension, ...]] = ContextVar("pyqemu_edu_extensions", default=())

Decoded = tuple[Instruction, Operands]


def insn_len(first_word: int) -> int:
    """Bytes of the instruction that begins with these 16 bits: 2 or 4."""
    return 4 if first_word & 3 == 3 else 2


def _slot(word: int) -> int:
    """Which list a word is looked up in: major opcode and funct3, whether the word is short or long."""
    return (word & 0x7F) << 3 | (word >> 12 & 7) if word & 3 == 3 else (word & 3) << 3 | (word >> 13 & 7)


class Decoder:
    """What a hart with these instructions understands; `decode(word)` gives (instruction, operands) or None."""

    def __init__(self, instructions: tuple[Instruction, ...]) -> None:
        self.instructions = sorted(instructions, key=lambda each: -each.mask.bit_count())
        self._slots: dict[int, list[Instruction]] = {}
        self.decode = lru_cache(maxsize=1 << 16)(self._decode)

    def _candidates(self, word: int) -> list[Instruction]:
        slot = _slot(word)
        if slot not in self._slots:
            bits = 0x707F if word & 3 == 3 else 0xE003
            self._slots[slot] = [each for each in self.instructions if not (word ^ each.match) & each.mask & bits]
        return self._slots[slot]

    def _decode(self, word: int) -> Decoded | None:
        """The instruction that `word` holds; only its low 16 bits count if they say that it is compressed."""
        if word & 3 != 3:
            word &= 0xFFFF
        for instruction in self._candidates(word):
            if word & instruction.mask == instruction.match:
                return None if instruction.name == RESERVED else (instruction, instruction.operands(word))
        return None


@contextmanager
def extended_by(*extensions: Extension) -> Iterator[None]:
    """Inside, assembler and disassembler know more extensions, and every hart that is made has them, for good.

    Nobody else notices.  Where a pattern of theirs and one of the library's are equal, theirs is meant.
    """
    token = _added.set((*extensions, *_added.get()))
    try:
        yield
    finally:
        _added.reset(token)


def known_extensions(names: frozenset[str] | None = None) -> tuple[Extension, ...]:
    """The extensions with these names, or all of EXTENSIONS; those of `extended_by` in any case, and first."""
    if names is None:
        return *_added.get(), *EXTENSIONS.values()
    return *_added.get(), *(each for name, each in (EXTENSIONS | IN_X).items() if name in names)


@lru_cache(maxsize=64)
def _decoder(extensions: tuple[Extension, ...], sizes: tuple[int, ...]) -> Decoder:
    """The decoder for these extensions while they have so many instructions each."""
    return Decoder(tuple(each for extension in extensions for each in extension.instructions))


def decoder(names: frozenset[str] | None = None) -> Decoder:
    """The decoder for the extensions with these names, or for all that there are."""
    extensions = known_extensions(names)
    return _decoder(extensions, tuple([len(each.instructions) for each in extensions]))


def decode(word: int) -> Decoded | None:
    """Decode with all extensions on."""
    return decoder().decode(word)
