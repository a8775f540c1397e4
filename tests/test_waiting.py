"""Loops that only wait for another vCPU: which these are, and that they let the other one run."""

from __future__ import annotations

import io
from collections.abc import Iterator

import pytest

from bare_hart import RAM_BASE, BareHart
from pyqemu_edu.accel.tcg.tb import CF_PARALLEL
from pyqemu_edu.accel.tcg.translate_all import tb_gen_code
from pyqemu_edu.process import Process
from pyqemu_edu.target.riscv.asm.assembler import assemble

WAITING = {
    "a flag": "1: lw a5, 0(a4); beqz a5, 1b",
    "a spinlock": "1: mv a5, a4; amoswap.w.aq a5, a5, (s1); bnez a5, 1b",
    "a hart that is parked": "1: j 1b",
    "a bit": "1: ld a5, 8(a4); andi a5, a5, 4; beqz a5, 1b",
}
BUSY = {
    "a delay": "1: addi a5, a5, -1; bnez a5, 1b",
    "a timeout": "1: lw a3, 0(a4); addi a5, a5, -1; bnez a5, 1b",
    "a counter in memory": "1: lw a5, 0(a4); addi a5, a5, 1; sw a5, 0(a4); bnez a5, 1b",
    "an atomic counter": "1: amoadd.w a5, a3, (a4); bnez a5, 1b",
    "a list": "1: ld a4, 0(a4); bnez a4, 1b",
}


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    with Process(["qemu"], stderr=io.StringIO()):
        yield


def source(text: str, cflags: int) -> str:
    """The Python of such a loop."""
    hart = BareHart(assemble(text).data)
    return tb_gen_code(hart.cpu, RAM_BASE, 0, 3, cflags).source


@pytest.mark.parametrize("name", [*WAITING, *BUSY])
def test_a_loop_that_only_waits_lets_others_run(name: str) -> None:
    text = {**WAITING, **BUSY}[name]
    assert ("let_others_run()" in source(text, CF_PARALLEL)) == (name in WAITING)


def test_a_vcpu_that_is_alone_does_not_wait_for_others() -> None:
    assert "let_others_run()" not in source(WAITING["a flag"], 0)


def test_waiting_counts_every_instruction() -> None:
    hart = BareHart(assemble(f"{WAITING['a flag']}").data)
    hart.cpu.tcg_cflags |= CF_PARALLEL
    hart.env.gpr[14] = RAM_BASE + 0x1000
    hart.run(1001)
    assert (hart.cpu.instret, hart.env.pc) == (1001, RAM_BASE + 4)
