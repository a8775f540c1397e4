"""Blocks as long as they are cold: their instructions are read on numbers, not yet in names (Not in QEMU).

Two thirds of the code of a boot are executed eight times or less, and to translate a block costs as much as to
interpret it two hundred times.  So a block is translated when it has been entered `WARM` times; until then its `code`
is a `ColdBlock`, which is entered and left in the same way.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from typing import Any

from pyqemu_edu.accel.tcg.cpu_exec_common import CPUHalted
from pyqemu_edu.accel.tcg.cputlb import PAGE_MASK, TARGET_PAGE_SIZE
from pyqemu_edu.accel.tcg.tb import TB_EXIT_LOOKUP, TB_EXIT_NOCHAIN, TCG_MAX_INSNS, TBInsn, TranslationBlock
from pyqemu_edu.accel.tcg.translate_all import tb_translate
from pyqemu_edu.hw.core.cpu import CPUState
from pyqemu_edu.interp.arithmetic import MASK64
from pyqemu_edu.interp.cpu_exec import machine_of
from pyqemu_edu.interp.machine import Step
from pyqemu_edu.target.riscv.cpu_bits import MSTATUS_FS
from pyqemu_edu.target.riscv.insn.decode import Decoder, insn_len
from pyqemu_edu.target.riscv.insn.effects import effects
from pyqemu_edu.target.riscv.translate import comment

WARM = 16


@dataclass(frozen=True, slots=True)
class ColdInsn:
    """What is known of a word wherever it stands: how to execute it, and whether and how a block ends with it."""

    step: Step
    fpu: bool
    ends_block: bool
    branches: bool
    jumps: bool
    known: bool
    imm: int


@lru_cache(maxsize=1 << 16)
def cold_insn(decoder: Decoder, word: int) -> ColdInsn | None:
    """An instruction that may be interpreted; none for what does not exist, and for what must be one indivisible step.

    (that is an atomic operation, which interpreted would be two)
    """
    decoded = decoder.decode(word)
    if decoded is None or decoded[0].extension.name in ("A", "RV64A"):
        return None
    instruction, operands = decoded
    step = (instruction.meaning, operands, getattr(operands, "rd", 0), instruction.length, word)
    does, imm = effects(instruction.meaning, operands), getattr(operands, "imm", 0)
    return ColdInsn(step, instruction.extension.fpu, does.ends_block, does.branches, does.jumps, not does.reads, imm)


@dataclass(eq=False, slots=True)
class ColdBlock:
    """Instructions in a row, and the ways out by the pc to which they lead; `otherwise` is the way out elsewhere."""

    cpu: CPUState
    tb: TranslationBlock
    host_pc: memoryview
    steps: list[Step]
    ways_out: dict[int, int]
    otherwise: int
    runs: int = 0

    def __call__(self, cpu: CPUState, env: Any, loops: int) -> int:
        """Execute the block; when it is warm, translate it first."""
        self.runs += 1
        if self.runs <= WARM:
            return self.interpret(cpu, env)
        tb_translate(cpu, self.tb, self, self.host_pc)
        way_out: int = self.tb.code(cpu, env, 1)
        return way_out

    def insns(self) -> list[TBInsn]:
        """The instructions, for who wants to see them."""
        addresses = accumulate((step[3] for step in self.steps), initial=self.tb.pc)
        return [TBInsn((pc, 0), comment, step[4]) for pc, step in zip(addresses, self.steps, strict=False)]

    def interpret(self, cpu: CPUState, env: Any) -> int:
        """Execute each instruction; a trap finds pc and the count where they are."""
        machine = machine_of(cpu)
        machine.look_around()
        x, pc, index = machine.x, self.tb.pc, 0
        try:
            for index, (meaning, operands, rd, length, _) in enumerate(self.steps):  # noqa: B007
                machine.pc = pc
                machine.next_pc = pc + length
                meaning(machine, operands)
                x[rd] &= MASK64
                x[0] = 0
                pc = machine.next_pc
        except BaseException as exception:
            self.stopped_at(cpu, index, machine.next_pc if isinstance(exception, CPUHalted) else pc)
            raise
        env.pc = pc & MASK64
        return self.ways_out.get(pc, self.otherwise)

    def stopped_at(self, cpu: CPUState, index: int, pc: int) -> None:
        """An instruction was not completed, or was the last: so many were."""
        env, here = cpu.env_ptr, self.insns()[index].data[0]
        cpu.instret -= self.tb.icount - index - (pc != here)
        env.pc, env.bins = pc & MASK64, self.steps[index][4]


def read_block(cpu: CPUState, tb: TranslationBlock, pc: int, host_pc: memoryview) -> ColdBlock | None:
    """The block at `pc`, on this page, as it would be translated; none if it has to be translated at once."""
    decoder, fs = cpu.env_ptr.cpu.decoder, tb.flags & MSTATUS_FS
    insns: list[ColdInsn] = []
    offset = pc & ~PAGE_MASK
    while offset < TARGET_PAGE_SIZE and len(insns) < TCG_MAX_INSNS:
        word = int.from_bytes(host_pc[offset : offset + 4], "little")
        length = insn_len(word)
        if offset + length > TARGET_PAGE_SIZE:
            break
        insn = cold_insn(decoder, word if length == 4 else word & 0xFFFF)
        if insn is None or (insn.fpu and not fs):
            return None
        insns.append(insn)
        offset += length
        if insn.ends_block:
            break
    return cold_block(cpu, tb, host_pc, insns, (pc & PAGE_MASK) + offset) if insns else None


def cold_block(
    cpu: CPUState, tb: TranslationBlock, host_pc: memoryview, insns: list[ColdInsn], behind: int
) -> ColdBlock:
    """The finished block, which ends at `behind`."""
    tb.icount = tb.round = len(insns)
    tb.size = behind - tb.pc
    ways_out, otherwise = ways_out_of(insns[-1], behind)
    on_page = {pc: way for pc, way in ways_out.items() if not (pc ^ tb.pc) & PAGE_MASK}
    return ColdBlock(cpu, tb, host_pc, [insn.step for insn in insns], on_page, otherwise)


def ways_out_of(last: ColdInsn, behind: int) -> tuple[dict[int, int], int]:
    """The ways out by pc, numbered as translation does, and that to anywhere else."""
    target = behind - last.step[3] + last.imm
    if last.branches:
        return {behind: 1, target: 0}, TB_EXIT_LOOKUP
    if last.jumps:
        return ({target: 0} if last.known else {}), TB_EXIT_LOOKUP
    return ({}, TB_EXIT_NOCHAIN) if last.ends_block else ({behind: 0}, TB_EXIT_LOOKUP)
