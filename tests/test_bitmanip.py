"""Bit manipulation, cryptography and what else only computes on integers: all as on the real QEMU."""

from __future__ import annotations

import zlib
from random import Random

import pytest

from conftest import required_tool
from pyqemu_edu.real.float_table import our_memory, real_memory
from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.target.riscv.asm.program import Program
from pyqemu_edu.target.riscv.insn.declare import RESERVED
from pyqemu_edu.target.riscv.insn.decode import EXTENSIONS
from pyqemu_edu.target.riscv.insn.formats import R, Shift

CPU = "-cpu rv64,zbkb=true,zbkc=true,zbkx=true,zk=true,zks=true,xventanacondops=true"
INSTRUCTIONS = [
    each
    for name, extension in EXTENSIONS.items()
    for each in extension.instructions
    if each.name != RESERVED and (name.startswith(("Zb", "Zk", "Zmmul", "XVentana")) or name == "M")
]
EDGES = (
    0,
    1,
    2,
    31,
    32,
    63,
    64,
    0xFF,
    0x8000,
    0x7FFF_FFFF,
    0x8000_0000,
    1 << 32,
    (1 << 63) - 1,
    1 << 63,
    (1 << 64) - 1,
)

REAL_RESULTS = 0xDE78A07D
"""The CRC of what the real QEMU 7.2.22 stored."""


def operands() -> list[tuple[int, int]]:
    rng = Random(64)
    numbers = [*EDGES, *(rng.getrandbits(64) >> rng.randrange(64) for _ in range(25))]
    return [(rng.choice(numbers), rng.choice(numbers)) for _ in range(60)] + [(number, number) for number in EDGES]


def table_program() -> Program:
    """Each instruction on each pair; one result after the other."""
    bodies, distances = [], (0, 1, 31, 32, 63)
    for each in INSTRUCTIONS:
        immediates = [d for d in distances if d < 32 or each.name[-1] != "w"] if each.format.operands is Shift else [0]
        for shamt in immediates:
            text = each.form.format(rd="a0", rs1="a1", rs2="a2", shamt=shamt, rnum=len(bodies) % 11, bs=len(bodies) % 4)
            bodies.append(f"{each.name} {text}; sd a0, (s6); addi s6, s6, 8")
    data = ", ".join(f"{a:#x}, {b:#x}" for a, b in operands())
    size = 8 * len(bodies) * len(operands())
    return assemble(f"""
_start: la      s3, operands
        la      s6, results
next:   ld      a1, 0(s3)
        ld      a2, 8(s3)
        {chr(10).join(bodies)}
        addi    s3, s3, 16
        la      t0, results
        bltu    s3, t0, next
stop:   j       stop
        .data
operands: .dword {data}
results: .space {size}
""")


@pytest.mark.parametrize("accel", ["interp", "tcg"])
def test_every_result_is_the_real_qemus(accel: str) -> None:
    assert zlib.crc32(our_memory(table_program(), accel, CPU)) == REAL_RESULTS


def test_the_real_qemu_still_gives_these_results() -> None:
    required_tool("qemu-system-riscv64")
    assert zlib.crc32(real_memory(table_program(), CPU)) == REAL_RESULTS


def test_the_table_has_every_kind_of_instruction() -> None:
    assert {each.format.operands for each in INSTRUCTIONS} > {R, Shift}
    assert len(INSTRUCTIONS) == 13 + 8 + 24 + 3 + 8 + 6 + 2 + 19
