"""Loops that fill or copy memory: what they do many rounds at once is what they do one round after the other."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any

import pytest

from bare_hart import RAM_BASE, RAM_SIZE, BareHart
from pyqemu_edu.accel.tcg import tb_maint
from pyqemu_edu.process import Process
from pyqemu_edu.target.riscv.asm.assembler import assemble
from pyqemu_edu.tcg.python_backend import GLOBALS
from pyqemu_edu.tcg.strides import fill

HERE, THERE = RAM_BASE + 0x10000, RAM_BASE + 0x20000

LOOPS = {
    "bytes, up to an end": "sb a1, 0(a0); addi a0, a0, 1; bne a0, a2, 1b",
    "halfwords, below an end": "sh a1, -2(a0); addi a0, a0, 2; bltu a0, a2, 1b",
    "words, the end named first": "addi a0, a0, 4; sw a1, -4(a0); bne a2, a0, 1b",
    "doublewords, counted down": "sd a1, 8(a0); addi a0, a0, 8; addi a4, a4, -1; bnez a4, 1b",
    "zeros": "sd zero, 0(a0); addi a0, a0, 8; bne a0, a2, 1b",
    "the number of the round": "sb a4, 0(a0); addi a4, a4, 1; addi a0, a0, 1; bne a0, a2, 1b",
    "a copy of bytes": "addi a3, a3, 1; addi a0, a0, 1; lbu a5, -1(a3); sb a5, -1(a0); bne a0, a2, 1b",
    "a copy of words": "lw a5, 0(a3); sw a5, 0(a0); addi a3, a3, 4; addi a0, a0, 4; bne a0, a2, 1b",
    "a copy of signed bytes": "lb a5, 0(a3); sb a5, 0(a0); addi a3, a3, 1; addi a0, a0, 1; bne a0, a2, 1b",
    "a copy of doublewords": "ld a5, 0(a3); sd a5, 0(a0); addi a3, a3, 8; addi a0, a0, 8; bne a0, a2, 1b",
    "a copy downwards": "addi a0, a0, -1; addi a3, a3, -1; lbu a5, 0(a3); sb a5, 0(a0); addi a4, a4, -1; bnez a4, 1b",
    "what was loaded before": "sb a5, 0(a0); lbu a5, 0(a3); addi a3, a3, 1; addi a0, a0, 1; bne a0, a2, 1b",
    "a load for nothing": "lbu zero, 0(a3); sb a1, 0(a0); addi a3, a3, 1; addi a0, a0, 1; bne a0, a2, 1b",
    "a sum on the way": "lbu a5, 0(a3); add a6, a6, a5; sb a5, 0(a0); addi a3, a3, 1; addi a0, a0, 1; bne a0, a2, 1b",
}
ONE_BY_ONE = ["the number of the round", "what was loaded before", "a copy downwards", "a load for nothing"]
AT_ONCE = [name for name in LOOPS if name not in (*ONE_BY_ONE, "a sum on the way")]


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    with Process(["qemu"], stderr=io.StringIO()):
        yield


def machine(loop: str, to: int = HERE, source: int = THERE, length: int = 0x2400) -> BareHart:
    """A hart before such a loop, with something to copy."""
    hart = BareHart(assemble(f"1: {loop}\nj .").data)
    hart.ram[THERE - RAM_BASE :][:0x4000] = bytes(i * 7 + (i >> 8) & 0xFF for i in range(0x4000))
    hart.env.gpr[10:17] = [to, 0x123456789ABCDEF1, to + length, source, length, 0, 0]
    return hart


def outcome(hart: BareHart, instructions: int, piece: int) -> tuple[list[int], int, int, bytes]:
    """Registers, pc, count and memory after so many instructions, with a look-up after each `piece` of them."""
    while (left := instructions - hart.cpu.instret) > 0:
        hart.run(min(piece, left))
    return list(hart.env.gpr), hart.env.pc, hart.cpu.instret, bytes(hart.ram)


@pytest.mark.parametrize("instructions", [40_000, 1000, 997])
@pytest.mark.parametrize("name", LOOPS)
def test_many_rounds_at_once_do_what_one_after_the_other_does(name: str, instructions: int) -> None:
    once = outcome(machine(LOOPS[name]), instructions, instructions)
    assert once == outcome(machine(LOOPS[name]), instructions, 50)


@pytest.mark.parametrize("name", LOOPS)
def test_only_loops_whose_rounds_are_known_beforehand_go_many_at_once(name: str) -> None:
    hart = machine(LOOPS[name])
    hart.run(1000)
    texts = [tb.source for tb in tb_maint.statics().htable.values()]
    assert any("fill(" in text or "copy(" in text for text in texts) == (name in AT_ONCE)


@pytest.mark.parametrize("distance", [-0x1001, -0x40, -1, 0, 1, 2, 0x40, 0xFFF, 0x1001])
def test_a_copy_onto_itself_repeats_what_it_has_copied(distance: int) -> None:
    name = "a copy of bytes"
    once = outcome(machine(LOOPS[name], THERE + 0x1010 + distance, THERE + 0x1010), 40_000, 40_000)
    assert once == outcome(machine(LOOPS[name], THERE + 0x1010 + distance, THERE + 0x1010), 40_000, 50)


def overwriting() -> BareHart:
    """A loop that clears memory, with itself at the end of it; illegal instructions trap to where nothing happens."""
    hart = machine("sb zero, 0(a0); addi a0, a0, 1; bne a0, a2, 1b", RAM_BASE + 0x1000 - 0x80, length=0x400)
    hart.ram[0x1000:0x1020] = bytes(hart.ram[:0x20])
    hart.env.pc, hart.env.mtvec = RAM_BASE + 0x1000, RAM_BASE + 0x8000
    hart.load(RAM_BASE + 0x8000, 0xA001)
    return hart


def test_a_fill_that_overwrites_the_loop_itself_meets_what_it_has_written() -> None:
    registers, pc, *_ = once = outcome(overwriting(), 2000, 2000)
    assert once == outcome(overwriting(), 2000, 50)
    assert pc == RAM_BASE + 0x8000
    assert registers[10] < RAM_BASE + 0x1010


def test_most_of_a_page_is_filled_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    done: list[int] = []

    def noted(*args: Any) -> int:
        done.append(fill(*args))
        return done[-1]

    monkeypatch.setitem(GLOBALS, "fill", noted)
    outcome(machine(LOOPS["bytes, up to an end"], length=RAM_SIZE // 4), 3 * RAM_SIZE // 4, 1 << 20)
    assert sum(done) > 0.9 * RAM_SIZE // 4
