"""Runs random programs on the real QEMU and on our readings, and shows the first difference (Not in QEMU).

`python -m pyqemu_edu.real.differential --seed 1 --count 100` compares a hundred programs;
with `--record FILE` it keeps what the real QEMU made of them, for `recorded_programs` to read where there is none.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyqemu_edu.real.binary import qemu_binary, qemu_version
from pyqemu_edu.real.console import run_console
from pyqemu_edu.real.random_program import Program, random_program
from pyqemu_edu.target.riscv.insn.decode import decode, insn_len
from pyqemu_edu.vm import Qemu

OPTIONS = "-machine spike -cpu rv64,Zfh=true -nographic -monitor none -serial stdio -bios none"
NAMES = (*(f"x{n}" for n in range(1, 32)), "mcause", "mepc", "mtval", "data")
OURS = ("interp", "tcg")
BUDGET = 1_000_000  # instructions; a program needs some ten thousand

State = dict[str, int]
"""What a program left behind: registers by name, the trap's CSRs, and a checksum of its data."""

Reading = Callable[[Program], State]


class Undecided(Exception):
    """A program did not come to its end: how it ended instead."""


def real(program: Program) -> State:
    """What the real QEMU makes of a program. Raises QemuNotInstalled."""
    with _written(program) as elf:
        ended = run_console(f"{OPTIONS} -kernel {elf}")
    state = _state(ended.stdout)
    if ended.status != 0 or len(state) != len(NAMES):
        raise Undecided(f"status {ended.status}\n{ended.stdout}{ended.stderr}")
    return state


def model(accel: str) -> Reading:
    """Our reading with this accelerator; what it does not say, for not coming to the end, is missing."""

    def read(program: Program) -> State:
        with _written(program) as elf:
            vm = Qemu(f"-accel {accel} {OPTIONS} -kernel {elf}", record=False, types="modelled").run(budget=BUDGET)
        vm.close()
        return _state(vm.output.decode())

    return read


@contextmanager
def _written(program: Program) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pyqemu-edu-") as folder:
        elf = Path(folder) / "program.elf"
        program.write(elf)
        yield elf


def _state(printed: str) -> State:
    return {name: int(line, 16) for name, line in zip(NAMES, printed.split(), strict=False)}


@dataclass(frozen=True)
class Difference:
    """The shortest beginning of a program after which two readings disagree."""

    program: Program
    expected: State
    seen: State

    def __str__(self) -> str:
        """The last instructions, and the two states side by side."""
        last = "\n".join(disassembly(self.program.chunks[-1]))
        wrong = [name for name in NAMES if self.expected[name] != self.seen.get(name)]
        rows = [f"{name:6} {_hex(self.expected, name)}  {_hex(self.seen, name)}" for name in wrong]
        return "\n".join([f"seed {self.program.seed}, after chunk {len(self.program.chunks)}:", last, HEADING, *rows])


def _hex(state: State, name: str) -> str:
    return f"{state[name]:016x}" if name in state else "(nothing)"


HEADING = f"{'':6} {'expected':16}  seen"


def disassembly(code: bytes) -> Iterator[str]:
    """One line for each instruction of a chunk."""
    while code:
        length = insn_len(code[0])
        word = int.from_bytes(code[:length], "little")
        found = decode(word)
        yield f"  {word:0{2 * length}x}".ljust(12) + (f"{found[0].name} {found[1]}" if found else "(illegal)")
        code = code[length:]


def compare(program: Program, reference: Reading, reading: Reading) -> Difference | None:
    """The first difference between two readings of a program, found by halving it; None if they agree to the end."""
    if reference(program) == reading(program):
        return None
    agreed, differs = 0, len(program.chunks)
    while differs - agreed > 1:
        middle = (agreed + differs) // 2
        if reference(program.cut(middle)) == reading(program.cut(middle)):
            agreed = middle
        else:
            differs = middle
    shortest = program.cut(differs)
    return Difference(shortest, reference(shortest), reading(shortest))


def record(programs: Iterable[Program], file: Path) -> None:
    """Keep programs and what the real QEMU makes of them."""
    kept = [
        {
            "seed": program.seed,
            "chunks": [chunk.hex() for chunk in program.chunks],
            "state": [f"{value:x}" for value in real(program).values()],
        }
        for program in programs
    ]
    rows = ",\n".join(json.dumps(each) for each in kept)
    made = f"qemu-system-riscv64 {OPTIONS} -kernel program.elf"
    file.write_text(f'{{"version": "{qemu_version(qemu_binary())}", "command": "{made}", "programs": [\n{rows}\n]}}\n')


def recorded_programs(file: Path) -> Iterator[tuple[Program, State]]:
    """What `record` kept."""
    for kept in json.loads(file.read_text())["programs"]:
        program = Program(kept["seed"], tuple(bytes.fromhex(chunk) for chunk in kept["chunks"]))
        yield program, {name: int(value, 16) for name, value in zip(NAMES, kept["state"], strict=True)}


def main(arguments: list[str]) -> int:
    """Compare as many programs as asked for; the number of those that differ."""
    parser = argparse.ArgumentParser(prog="python -m pyqemu_edu.real.differential", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first program")
    parser.add_argument("--count", type=int, default=20, help="how many programs")
    parser.add_argument("--length", type=int, default=120, help="chunks in a program")
    parser.add_argument("--accel", nargs="+", default=OURS, help="our readings to compare")
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep the real QEMU's results instead")
    asked = parser.parse_args(arguments)
    programs = [random_program(asked.seed + n, asked.length) for n in range(asked.count)]
    if asked.record:
        record(programs, asked.record)
        return 0
    found = [each for program in programs for accel in asked.accel if (each := _report(program, accel))]
    print(f"{len(programs)} programs, {len(found)} differences")
    return min(len(found), 1)


def _report(program: Program, accel: str) -> Difference | None:
    difference = compare(program, real, model(accel))
    if difference:
        print(f"-accel {accel}: {difference}\n", flush=True)
    return difference


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
