"""Every floating-point instruction on a table of operands, on the real QEMU and on ours (Not in QEMU).

One guest walks through the table: for each instruction, each rounding mode, and *inexact* clear and set, it notes the
result and the exceptions.  `python -m pyqemu_edu.real.float_table --record FILE` keeps what the real QEMU notes.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
import tempfile
import zlib
from base64 import b85decode, b85encode
from collections.abc import Iterator, Sequence
from pathlib import Path
from random import Random
from struct import iter_unpack
from typing import NamedTuple

from pyqemu_edu.real.binary import qemu_binary, qemu_version
from pyqemu_edu.real.qemu import RealQemu
from pyqemu_edu.softmmu.physmem import cpu_physical_memory_read
from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.target.riscv.asm.program import Program
from pyqemu_edu.target.riscv.insn.declare import Instruction
from pyqemu_edu.target.riscv.insn.decode import EXTENSIONS
from pyqemu_edu.vm import Qemu

MODES = 5
STEPS = 20
"""More instructions than one execution takes, with what is around it."""
OPTIONS = "-machine spike -bios none -serial null -monitor none -cpu rv64,Zfh=true"

FLOATS = ("F", "D", "Zfh", "Zfhmin", "Zfhmin+D")

Row = tuple[int, int, int]
"""Three operands: what f11 to f13 hold; x11 holds the first of them."""


class Case(NamedTuple):
    """One execution, and what came of it: the result's bits and `fflags`."""

    name: str
    mode: int
    inexact: int
    operands: Row
    result: int
    flags: int


def computing() -> list[Instruction]:
    """The instructions that compute: all but loads and stores."""
    every = [each for name in FLOATS for each in EXTENSIONS[name].instructions]
    return [each for each in every if "(" not in each.form]


# fmt: off
REGISTERS = {"frd": "fa0", "rd": "a0", "frs1": "fa1", "rs1": "a1", "frs2": "fa2", "frs3": "fa3", "rm": "dyn"}

FRAME = """
        .globl  _start
_start: li      t0, 0x2000              # mstatus.FS: on
        csrs    mstatus, t0
        la      s6, results
        {calls}
stop:   j       stop

all:    mv      s7, ra
        li      s1, 0
1:      csrw    frm, s1
        li      s2, 0
2:      la      s3, operands
        la      s4, results
3:      fld     fa1, 0(s3)
        fld     fa2, 8(s3)
        fld     fa3, 16(s3)
        ld      a1, 0(s3)
        csrw    fflags, s2
        jalr    s5
        csrr    a2, fflags
        sd      a0, 0(s6)
        sd      a2, 8(s6)
        addi    s6, s6, 16
        addi    s3, s3, 24
        bne     s3, s4, 3b
        addi    s2, s2, 1
        li      t0, 2
        bne     s2, t0, 2b
        addi    s1, s1, 1
        li      t0, {modes}
        bne     s1, t0, 1b
        jr      s7
{bodies}
        .data
        .balign 8
operands: .dword {operands}
results: .space {size}
"""
# fmt: on


def instruction_text(instruction: Instruction) -> str:
    """One instruction, its operands in f11 to f13 or x11, its result in a0."""
    text = re.sub("{(.*?)}", lambda match: REGISTERS[match[1]], instruction.form)
    move = "; fmv.x.d a0, fa0" if "{frd}" in instruction.form else ""
    return f"{instruction.name} {text}{move}"


def table_program(instructions: Sequence[Instruction], rows: Sequence[Row]) -> Program:
    """The guest that works out the table."""
    numbered = list(enumerate(instructions))
    calls = "\n".join(f"la s5, do{n}; call all" for n, _ in numbered)
    bodies = "\n".join(f"do{n}: {instruction_text(each)}; ret" for n, each in numbered)
    operands = ", ".join(hex(value) for row in rows for value in row)
    size = 16 * len(instructions) * MODES * 2 * len(rows)
    return assemble(FRAME.format(calls=calls, bodies=bodies, operands=operands, size=size, modes=MODES))


def real_memory(program: Program, options: str = "") -> bytes:
    """What is at `results` when the real QEMU has come to `stop`."""
    with tempfile.TemporaryDirectory() as folder:
        elf, dump = Path(folder) / "table.elf", Path(folder) / "dump"
        elf.write_bytes(program.elf())
        with RealQemu(f"{OPTIONS} -kernel {elf} {options}", gdb=True) as real:
            assert real.gdb is not None
            real.gdb.run_to(program.symbols["stop"])
            place = program.symbols["results"]
            real.qmp.execute("pmemsave", val=place, size=program.sizes["results"], filename=str(dump))
        return dump.read_bytes()


def our_memory(program: Program, accel: str, options: str = "") -> bytes:
    """The same of ours."""
    with tempfile.TemporaryDirectory() as folder:
        elf = Path(folder) / "table.elf"
        elf.write_bytes(program.elf())
        vm = Qemu(f"{OPTIONS} -display none -accel {accel} -kernel {elf} {options}", record=False, types="modelled")
        vm.run(budget=STEPS * program.sizes["results"] // 16)
        with vm.process:
            assert vm.harts[0].env.pc == program.symbols["stop"]
            memory = cpu_physical_memory_read(program.symbols["results"], program.sizes["results"])
    vm.close()
    return memory


def cases(instructions: Sequence[Instruction], rows: Sequence[Row], memory: bytes) -> Iterator[Case]:
    """What the memory says, in the order in which it was written."""
    results = iter_unpack("<QQ", memory)
    for each in instructions:
        for mode in range(MODES):
            for inexact in range(2):
                for row in rows:
                    yield Case(each.name, mode, inexact, row, *next(results))


# Operands

# fmt: off
DOUBLES = (
    0x0000000000000000, 0x0000000000000001, 0x000FFFFFFFFFFFFF, 0x0010000000000000, 0x0010000000000001,
    0x3CA0000000000000, 0x3FE0000000000000, 0x3FEFFFFFFFFFFFFF, 0x3FF0000000000000, 0x3FF0000000000001,
    0x3FF8000000000000, 0x4000000000000000, 0x4004000000000000, 0x41DFFFFFFFC00000, 0x41E0000000000000,
    0x41EFFFFFFFF00000, 0x43DFFFFFFFFFFFFF, 0x43E0000000000000, 0x43EFFFFFFFFFFFFF, 0x43F0000000000000,
    0x7FE0000000000000, 0x7FEFFFFFFFFFFFFF, 0x7FF0000000000000, 0x7FF0000000000001, 0x7FF8000000000000,
)
SINGLES = (
    0x00000000, 0x00000001, 0x007FFFFF, 0x00800000, 0x00800001, 0x33800000, 0x3F000000, 0x3F7FFFFF, 0x3F800000,
    0x3F800001, 0x3FC00000, 0x40000000, 0x40200000, 0x4EFFFFFF, 0x4F000000, 0x4F7FFFFF, 0x5EFFFFFF, 0x5F000000,
    0x5F7FFFFF, 0x5F800000, 0x7F000000, 0x7F7FFFFF, 0x7F800000, 0x7F800001, 0x7FC00000,
)
HALVES = (
    0x0000, 0x0001, 0x03FF, 0x0400, 0x0401, 0x1400, 0x1001, 0x3800, 0x3BFF, 0x3C00, 0x3C01, 0x3E00, 0x4000, 0x4100,
    0x77FF, 0x7800, 0x7BFF, 0x7C00, 0x7C01, 0x7E00,
)
# fmt: on


def random_double(rng: Random) -> int:
    """Bits of a double: an edge, an ordinary number, a short one, any bits."""
    exponent = rng.choice((rng.randrange(1, 2047), rng.randrange(1015, 1090), rng.choice((0, 1, 2, 2045, 2046))))
    fraction = rng.choice((rng.getrandbits(52), rng.getrandbits(12) << 40, rng.getrandbits(4), -rng.getrandbits(4)))
    number = exponent << 52 | fraction & (1 << 52) - 1
    return rng.choice((number, number, rng.choice(DOUBLES))) | rng.getrandbits(1) << 63


def random_single(rng: Random) -> int:
    """A single in its box, or for once in none."""
    exponent = rng.choice((rng.randrange(1, 255), rng.randrange(120, 160), rng.choice((0, 1, 2, 253, 254))))
    fraction = rng.choice((rng.getrandbits(23), rng.getrandbits(6) << 17, rng.getrandbits(3), -rng.getrandbits(3)))
    number = exponent << 23 | fraction & (1 << 23) - 1
    bits = rng.choice((number, number, rng.choice(SINGLES))) | rng.getrandbits(1) << 31
    return bits | (0xFFFFFFFF_00000000 if rng.random() < 0.95 else rng.getrandbits(32) << 32)


def random_half(rng: Random) -> int:
    """A half likewise."""
    bits = rng.choice((rng.getrandbits(15), rng.getrandbits(15), rng.choice(HALVES))) | rng.getrandbits(1) << 15
    return bits | (0xFFFFFFFF_FFFF0000 if rng.random() < 0.95 else rng.getrandbits(48) << 16)


def related(rng: Random, a: int, b: int, c: int) -> Row:
    """Three operands, sometimes equal or opposite, so that sums cancel."""
    choice = rng.random()
    if choice < 0.1:
        return a, a ^ rng.choice((0, 1 << 63, 1 << 31, 1 << 15, 1)), c
    return a, b, (a ^ rng.choice((0, 1 << 63, 1 << 31, 1 << 15)) if choice < 0.2 else c)


BY_ZERO = (
    (0x3FF00000_00000000, 0x00000000_00000000, 0x80000000_00000000),
    (0xFFFFFFFF_3F800000, 0xFFFFFFFF_00000000, 0xFFFFFFFF_80000000),
    (0xFFFFFFFF_FFFF3C00, 0xFFFFFFFF_FFFF0000, 0xFFFFFFFF_FFFF8000),
)


def random_rows(seed: int, count: int) -> list[Row]:
    """Rows with zeros, then as many of doubles as of singles and of halves."""
    rng = Random(seed)
    kinds = (random_double, random_single, random_half)
    return [*BY_ZERO] + [related(rng, *(kinds[n % 3](rng) for _ in range(3))) for n in range(count)]


# What the real QEMU noted, kept


class Recording(NamedTuple):
    """A table, and the memory behind it."""

    rows: list[Row]
    memory: bytes


def record(file: Path, seed: int, count: int) -> None:
    """Have the real QEMU walk through a random table, and keep what it notes."""
    rows = random_rows(seed, count)
    memory = real_memory(table_program(computing(), rows))
    kept = {
        "version": qemu_version(qemu_binary()),
        "instructions": [each.name for each in computing()],
        "rows": [[hex(value) for value in row] for row in rows],
        "memory": b85encode(zlib.compress(memory, 9)).decode(),
    }
    file.write_text(json.dumps(kept, indent=1) + "\n")


def recorded(file: Path) -> Recording:
    """What `record` kept. Raises ValueError if it is of other instructions."""
    kept = json.loads(file.read_text())
    if kept["instructions"] != [each.name for each in computing()]:
        raise ValueError(f"{file} was recorded with other instructions")
    rows = [(int(a, 16), int(b, 16), int(c, 16)) for a, b, c in kept["rows"]]
    return Recording(rows, zlib.decompress(b85decode(kept["memory"])))


def differences(rows: Sequence[Row], expected: bytes, seen: bytes) -> list[tuple[Case, Case]]:
    """Where two readings of a table differ."""
    pairs = zip(cases(computing(), rows, expected), cases(computing(), rows, seen), strict=True)
    return [(a, b) for a, b in pairs if a != b]


def main(arguments: list[str]) -> int:
    """Compare a random table, or keep what the real QEMU makes of it."""
    parser = argparse.ArgumentParser(prog="python -m pyqemu_edu.real.float_table", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the table")
    parser.add_argument("--count", type=int, default=100, help="rows in the table")
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep the real QEMU's results instead")
    asked = parser.parse_args(arguments)
    if asked.record:
        record(asked.record, asked.seed, asked.count)
        return 0
    rows = random_rows(asked.seed, asked.count)
    program = table_program(computing(), rows)
    found = differences(rows, real_memory(program), our_memory(program, "tcg"))
    for expected, seen in found[:20]:
        print(f"{expected}\n{seen}\n")
    print(f"{program.sizes['results'] // 16} executions, {len(found)} differences")
    return min(len(found), 1)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
