"""Blocks that are interpreted until they are warm: the same instructions, the same result, the same count."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from bare_hart import RAM_BASE, BareHart
from pyqemu_edu.accel.tcg.tb import TranslationBlock
from pyqemu_edu.accel.tcg.translate_all import tb_gen_code
from pyqemu_edu.interp.cold import WARM, ColdBlock, read_block
from pyqemu_edu.process import Process
from pyqemu_edu.target.riscv.cpu_bits import MSTATUS_FS
from pyqemu_edu.target.riscv.insn.decode import decoder

FLAGS = 3 | MSTATUS_FS
COUNT = (0x4281, 0x4329, 0x0285, 0xFE629FE3, 0xA001)  # li t0,0; li t1,10; 1: addi t0,t0,1; bne t0,t1,1b; j .


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    with Process(["qemu"], stderr=io.StringIO()):
        yield


def made(word: int, how: object) -> TranslationBlock:
    """The block that begins with this instruction, and goes on with two that do nothing and a jump."""
    hart = BareHart(word.to_bytes(4 if word & 3 == 3 else 2, "little"), 0x0001, 0x0001, 0xA001, read_block=how)
    return tb_gen_code(hart.cpu, RAM_BASE, 0, FLAGS, 0)


def test_a_cold_block_ends_where_a_translated_one_ends() -> None:
    """Every instruction, its operands all zero."""
    words = {each.match for each in decoder().instructions}
    cold = {word: tb for word in words if isinstance((tb := made(word, read_block)).code, ColdBlock)}
    assert len(cold) > 200
    for word, tb in cold.items():
        warm = made(word, None)
        assert (tb.icount, tb.size) == (warm.icount, warm.size), hex(word)


def test_a_block_is_translated_when_it_is_warm() -> None:
    hart = BareHart(*COUNT, read_block=read_block)
    for entered in range(1, WARM + 2):
        hart.env.pc = RAM_BASE
        hart.run(22)
        tb = hart.cpu.tb_jmp_cache[RAM_BASE]
        assert isinstance(tb.code, ColdBlock) == (entered <= WARM)
        assert hart[5] == 10
    assert "# 0x80000004: addi t0,t0,1" in tb.source


def test_what_is_interpreted_first_and_translated_then_counts_every_instruction() -> None:
    for budget in range(1, 60):
        hart = BareHart(*COUNT, read_block=read_block)
        hart.run(budget)
        assert hart.cpu.instret == budget
        assert hart[5] == min(max(0, (budget - 1) // 2), 10)


def test_a_trap_in_a_cold_block_finds_pc_and_count_at_its_instruction() -> None:
    hart = BareHart(0x0385, 0x0002B303, 0x0385, 0xA001, read_block=read_block)  # addi t2; ld t1,0(t0); addi t2; j .
    hart.env.gpr[5] = 8
    hart.env.mtvec = RAM_BASE + 0x800
    hart.load(RAM_BASE + 0x800, 0xA001)
    hart.run(10)
    assert (hart.env.mcause, hart.env.mepc, hart.env.mtval) == (5, RAM_BASE + 2, 8)
    assert (hart[7], hart.cpu.instret) == (1, 10)
