"""A translated block (QEMU include/exec/exec-all.h, include/exec/translate-all.h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType
from typing import Any

from pyqemu_edu.trace.event import Event

# fmt: off
CF_COUNT_MASK  = 0x000001FF     # at most so many instructions, 0: as many as there are
CF_NO_GOTO_TB  = 0x00000200     # do not chain with goto_tb
CF_NO_GOTO_PTR = 0x00000400     # do not chain with goto_ptr
CF_SINGLE_STEP = 0x00000800     # for a debugger's single step
CF_LAST_IO     = 0x00008000     # the last instruction may touch devices
CF_MEMI_ONLY   = 0x00010000
CF_USE_ICOUNT  = 0x00020000
CF_INVALID     = 0x00040000     # the guest has overwritten it
CF_PARALLEL    = 0x00080000     # other vCPUs may run at the same time
CF_NOIRQ       = 0x00100000     # take no interrupt before it
CF_CLUSTER_SHIFT = 24
# fmt: on

TCG_MAX_INSNS = 512

TB_EXIT_IDX0 = 0  # went out by jump 0, where another block may be linked
TB_EXIT_IDX1 = 1  # by jump 1
TB_EXIT_NOCHAIN = 2  # to the main loop (in C index 0 of no block)
TB_EXIT_REQUESTED = 3  # did not even begin: somebody asks for the vCPU, or its budget is used up
TB_EXIT_LOOKUP = 4  # to whatever block is at env.pc (in C `goto_ptr`, which returns nothing)

translate_block = Event("translate_block", "tb", "pc", "tb_code")
exec_tb = Event("exec_tb", "tb", "pc")
exec_tb_exit = Event("exec_tb_exit", "last_tb", "flags")


@dataclass(eq=False, slots=True)
class TBInsn:
    """A guest instruction of a block: the data of its `insn_start`, its bits, the line where its Python begins."""

    data: tuple[int, ...]
    disassemble: Callable[[int, int], str] | None = None
    opcode: int = 0
    line: int = 0

    @property
    def text(self) -> str:
        """Its assembly, made only when somebody looks."""
        return self.disassemble(self.data[0], self.opcode) if self.disassemble else ""


@dataclass(eq=False)
class TranslationBlock:
    """Guest instructions in a row, and the Python function that does what they do.

    `code(cpu, env, loops)` runs the block and gives the TB_EXIT by which it was left; one that jumps to its own
    beginning goes round at most `loops` times.  `jmp_dest` are the blocks linked to its two jumps; `jmp_list` are the
    jumps of others linked to it.

    `round` counts the instructions of one time round.  `warm` has counted how a block is left; the last three are what
    accel/tcg/superblock.py knows: what its `code` is made of if that does more than the block, whose members they are,
    and the blocks that go on into this one.
    """

    pc: int
    cs_base: int
    flags: int
    cflags: int
    size: int = 0
    icount: int = 0
    page_addr: list[int] = field(default_factory=lambda: [-1, -1])
    jmp_dest: list[TranslationBlock | None] = field(default_factory=lambda: [None, None])
    jmp_list: list[tuple[TranslationBlock, int]] = field(default_factory=list)
    code: Any = None
    code_object: CodeType | None = None
    text: str = ""
    insns: list[TBInsn] = field(default_factory=list)
    registers: dict[str, str] = field(default_factory=dict)
    tc_ptr: int = 0
    loops: int = 1
    max_loops: int = 1
    round: int = 0
    warm: Any = None
    superblock: TranslationBlock | None = None
    members: list[TranslationBlock] = field(default_factory=list)
    superblocks: list[TranslationBlock] = field(default_factory=list)

    @property
    def source(self) -> str:
        """The function's text: each instruction's assembly stands as a comment before what it does.

        As long as a block is interpreted that is all there is.
        """
        if not self.text:
            return "".join(f"# {insn.data[0]:#x}: {insn.text}\n" for insn in self.assembly())
        lines = self.text.splitlines()
        for insn in self.insns:
            lines[insn.line - 1] += f" {insn.text}"
        return "\n".join(lines) + "\n"

    def assembly(self) -> list[TBInsn]:
        """Its instructions, whether it is translated or interpreted."""
        found: list[TBInsn] = self.insns if self.text else self.code.insns()
        return found

    def __repr__(self) -> str:
        return f"<TranslationBlock {self.pc:#x}, {self.icount} instructions>"


def tb_cflags(tb: TranslationBlock) -> int:
    """How it was translated."""
    return tb.cflags
