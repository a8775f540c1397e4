"""The loop that every target's translation goes through (QEMU accel/tcg/translator.c, include/exec/translator.h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from pyqemu_edu.accel.tcg.cputlb import (
    MASK64,
    PAGE_MASK,
    TARGET_PAGE_SIZE,
    cpu_lduw_code,
    get_page_addr_code_hostp,
)
from pyqemu_edu.accel.tcg.tb import CF_LAST_IO, CF_NO_GOTO_TB, CF_SINGLE_STEP, TranslationBlock
from pyqemu_edu.hw.core.cpu import CPUState
from pyqemu_edu.tcg.tcg import gen_io_start, tcg_ctx
from pyqemu_edu.util.log import CPU_LOG_TB_IN_ASM, qemu_log, qemu_log_in_addr_range, qemu_loglevel_mask


class DisasJumpType(IntEnum):
    """What comes behind the instruction just translated."""

    NEXT = 0  # the next one
    TOO_MANY = 1  # the next one, but in another block
    NORETURN = 2  # nothing: it leaves the block by itself


DISAS_NEXT, DISAS_TOO_MANY, DISAS_NORETURN = DisasJumpType


@dataclass(eq=False)
class DisasContextBase:
    """How far a translation has come; `host_addr` are the pages of RAM that the code is on, where known."""

    tb: TranslationBlock
    pc_first: int = 0
    pc_next: int = 0
    is_jmp: DisasJumpType = DISAS_NEXT
    num_insns: int = 0
    max_insns: int = 0
    singlestep_enabled: bool = False
    host_addr: list[memoryview | None] = field(default_factory=lambda: [None, None])


@dataclass(frozen=True, slots=True)
class TranslatorOps:
    """A target's part in the loop."""

    init_disas_context: Callable[[Any, CPUState], None]
    tb_start: Callable[[Any, CPUState], None]
    insn_start: Callable[[Any, CPUState], None]
    translate_insn: Callable[[Any, CPUState], None]
    tb_stop: Callable[[Any, CPUState], None]
    disas_log: Callable[[Any, CPUState], str]


def translator_use_goto_tb(db: DisasContextBase, dest: int) -> bool:
    """Whether a jump to `dest` may be linked: only within the page where the block began, for others may move."""
    return not db.tb.cflags & CF_NO_GOTO_TB and not (db.pc_first ^ dest) & PAGE_MASK


def translator_access(env: Any, db: DisasContextBase, pc: int, length: int) -> memoryview | None:
    """Code as memory of the host; none if it is not in RAM, or begins on one page and ends on the next.

    Whether the guest may fetch is asked once for each page, not for each instruction.
    """
    if db.host_addr[0] is None:
        return None
    second = (db.pc_first & PAGE_MASK) + TARGET_PAGE_SIZE
    if pc + length <= second:
        host: memoryview | None = db.host_addr[0]
    else:
        if db.host_addr[1] is None:
            db.tb.page_addr[1], db.host_addr[1] = get_page_addr_code_hostp(env, second & MASK64)
        host = db.host_addr[1] if pc >= second else None
    offset = pc & ~PAGE_MASK
    return host[offset : offset + length] if host is not None else None


def translator_lduw(env: Any, db: DisasContextBase, pc: int) -> int:
    """Two bytes of code."""
    host = translator_access(env, db, pc, 2)
    return cpu_lduw_code(env, pc & MASK64) if host is None else int.from_bytes(host, "little")


def translator_loop(
    cpu: CPUState,
    tb: TranslationBlock,
    max_insns: int,
    pc: int,
    host_pc: memoryview | None,
    ops: TranslatorOps,
    db: DisasContextBase,
) -> None:
    """Translate one instruction after another until something ends the block.

    C emits a test for a wanted exit at the head of every block (`gen_tb_start`); ours is made between blocks, in
    `tcg_qemu_tb_exec`.
    """
    db.tb = tb
    db.pc_first = db.pc_next = pc
    db.is_jmp = DISAS_NEXT
    db.num_insns, db.max_insns = 0, max_insns
    db.host_addr[0] = host_pc
    db.singlestep_enabled = bool(tb.cflags & CF_SINGLE_STEP)
    ops.init_disas_context(db, cpu)
    ops.tb_start(db, cpu)
    while db.is_jmp == DISAS_NEXT:
        db.num_insns += 1
        ops.insn_start(db, cpu)
        if tb.cflags & CF_LAST_IO and db.num_insns == max_insns:
            gen_io_start(tcg_ctx())
        ops.translate_insn(db, cpu)
        if db.is_jmp == DISAS_NEXT and db.num_insns >= max_insns:
            db.is_jmp = DISAS_TOO_MANY
    ops.tb_stop(db, cpu)
    tb.size = db.pc_next - db.pc_first
    tb.icount = tb.round = db.num_insns
    if qemu_loglevel_mask(CPU_LOG_TB_IN_ASM) and qemu_log_in_addr_range(db.pc_first):
        qemu_log(f"----------------\n{ops.disas_log(db, cpu)}\n")
