"""The host's own floating-point arithmetic in generated code, against softfloat's."""

from __future__ import annotations

import io
import random

import pytest

from bare_hart import RAM_BASE, BareHart
from pyqemu_edu.fpu.parts import float_flag_inexact
from pyqemu_edu.process import Process
from pyqemu_edu.target.riscv.cpu_bits import MSTATUS_FS
from pyqemu_edu.target.riscv.fpu_helper import RISCV_FRM_DYN, RISCV_FRM_RTZ
from pyqemu_edu.target.riscv.host_float import NOT_ROUNDED, ROUNDED_TO_NEAREST, ROUNDED_TO_ZERO
from pyqemu_edu.target.riscv.insn.decode import decoder

MODES = dict.fromkeys(ROUNDED_TO_NEAREST, RISCV_FRM_DYN) | dict.fromkeys(ROUNDED_TO_ZERO, RISCV_FRM_RTZ)
FLOAT_INSTRUCTIONS = {helper.removeprefix("helper_").replace("_", "."): helper for helper in [*MODES, *NOT_ROUNDED]}

DRAW = random.Random(1)
# fmt: off
EDGES = [                       # zero, one, infinity, NaNs, the least and the greatest of each kind, half a unit, 2**31
    0, 0x3FF << 52, 0x7FF << 52, 0xFFF << 51, 0x7FF << 52 | 1, 1, (1 << 52) - 1, 1 << 52, (0x7FF << 52) - 1,
    0x3CA << 52, 0x41E << 52, 0x43E << 52, 0x4059000000000000, 0x3FF8000000000000,
]
# fmt: on
DOUBLES = [bits | sign << 63 for bits in EDGES for sign in (0, 1)] + [DRAW.getrandbits(64) for _ in range(16)]
NEAR_ONE = [DRAW.getrandbits(53) | 0x3FE << 52 for _ in range(16)]
SINGLES = [0xFFFFFFFF << 32 | bits >> 32 | bits & 1 for bits in DOUBLES] + [0x3F800000]  # the last is in no box


def answers(word: int, patterns: list[int], flags: int) -> list[tuple[int, int, int]]:
    """What an instruction makes of each pattern and others: in fa0, in a0, and the flags afterwards."""
    with Process(["qemu"], stderr=io.StringIO()):
        hart = BareHart(word)
        found = []
        for i, bits in enumerate(patterns):
            hart.env.mstatus |= MSTATUS_FS
            hart.env.fpr[11], hart.env.fpr[12], hart.env.fpr[13] = bits, patterns[i - 1], patterns[i - 2]
            hart.env.gpr[11], hart.env.pc = bits, RAM_BASE
            hart.env.fp_status.float_exception_flags = flags
            hart.run(1)
            found.append((hart.env.fpr[10], hart[10], hart.env.fp_status.float_exception_flags | float_flag_inexact))
    return found


@pytest.mark.parametrize("name", FLOAT_INSTRUCTIONS)
def test_the_hosts_arithmetic_gives_what_ours_gives(name: str) -> None:
    """Where *inexact* is noted already, the host computes; where it is not, softfloat does."""
    instruction = next(each for each in decoder().instructions if each.name == name)
    operands = {"rd": 10, "rs1": 11, "rs2": 12, "rs3": 13, "rm": MODES.get(FLOAT_INSTRUCTIONS[name], 0)}
    word = instruction.encode(**{key: operands[key] for key in instruction.format.operands._fields})
    patterns = SINGLES if name.endswith(".s") else DOUBLES + NEAR_ONE
    shuffled = [each for _ in range(6) for each in DRAW.sample(patterns, len(patterns))]
    assert answers(word, shuffled, float_flag_inexact) == answers(word, shuffled, 0)
