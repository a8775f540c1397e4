"""Superblocks: whatever a hot block goes on into, the guest cannot tell, nor can who counts its instructions."""

from __future__ import annotations

import io
import random
from collections.abc import Iterator

import pytest

from bare_hart import RAM_BASE, BareHart
from pyqemu_edu.accel.tcg import superblock
from pyqemu_edu.interp import cold
from pyqemu_edu.process import Process
from pyqemu_edu.target.riscv.asm import assemble

DATA = RAM_BASE + 0x8000
HANDLER = RAM_BASE + 0x4000
NEVER = 1 << 60


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    with Process(["qemu"], stderr=io.StringIO()):
        yield


def instruction(rng: random.Random) -> str:
    """Arithmetic, or an access to memory; some of those trap."""
    a, b, c = (f"x{rng.randrange(5, 16)}" for _ in range(3))
    offset = rng.choice((0, 8, 16, 24, 24, 2))
    return rng.choice(
        (f"add {a}, {b}, {c}", f"addi {a}, {b}, {rng.randrange(-9, 9)}", f"xor {a}, {b}, {c}", f"srli {a}, {b}, 1",
         f"mul {a}, {b}, {c}", f"sltu {a}, {b}, {c}", f"ld {a}, {offset}(x20)", f"sd {a}, {offset}(x20)",
         f"lw {a}, {offset}(x20)", f"amoadd.w {a}, {b}, (x20)", f"lr.w {a}, (x21)")
    )  # fmt: skip


def program(rng: random.Random, blocks: int = 9) -> str:
    """Blocks that jump to one another without end; x21 is not aligned."""
    lines = [f"li x20, {DATA:#x}", f"li x21, {DATA + 1:#x}"]
    lines += [f"li x{i}, {rng.randrange(1 << 16)}" for i in range(5, 16)]
    for i in range(blocks):
        lines += [f"b{i}:", *(instruction(rng) for _ in range(rng.randrange(1, 6)))]
        lines.append(f"andi x16, x{rng.randrange(5, 16)}, {rng.choice((1, 3, 7))}")
        lines.append(f"{rng.choice(('beqz', 'bnez'))} x16, b{rng.randrange(blocks)}")
        lines.append(rng.choice((f"j b{rng.randrange(blocks)}", "nop", f"jal x1, b{rng.randrange(blocks)}")))
    return "\n".join([*lines, "j b0"])


def stops(seed: int, hot: int, monkeypatch: pytest.MonkeyPatch) -> list[tuple[object, ...]]:
    """Where the hart is whenever its budget is used up: registers, pc, memory, traps, the count."""
    monkeypatch.setattr(superblock, "HOT", hot)
    monkeypatch.setattr(cold, "WARM", 1)
    rng = random.Random(seed)
    hart = BareHart(assemble(program(rng)).data, read_block=cold.read_block)
    hart.load(HANDLER, assemble("csrr x30, mepc\naddi x30, x30, 4\ncsrw mepc, x30\naddi x31, x31, 1\nmret").data)
    hart.env.mtvec, hart.cpu.cfg.ext_icsr = HANDLER, True
    found: list[tuple[object, ...]] = []
    for _ in range(30):
        hart.run(rng.randrange(1, 400))
        found.append((list(hart.env.gpr), hart.env.pc, hart.cpu.instret, bytes(hart.ram[0x8000:0x8040])))
    return found


@pytest.mark.parametrize("seed", range(12))
def test_registers_memory_and_count_are_the_same_with_superblocks(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    assert stops(seed, 2, monkeypatch) == stops(seed, NEVER, monkeypatch)
