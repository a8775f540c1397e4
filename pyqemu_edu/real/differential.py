"""Runs random programs on the real QEMU and on our readings, and finds the first difference (Not in QEMU).

`pyqemu_edu.real.fuzz` is the command that does it for many programs.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from pyqemu_edu.real.console import run_console
from pyqemu_edu.real.random_devices import DeviceProgram
from pyqemu_edu.real.random_paging import PagingProgram
from pyqemu_edu.real.random_program import Program
from pyqemu_edu.target.riscv.insn.decode import decode, insn_len
from pyqemu_edu.vm import Qemu

OPTIONS = "-machine spike -cpu rv64,Zfh=true -nographic -monitor none -serial stdio -bios none"
OURS = ("interp", "tcg", "tcg -d out_asm -dfilter 0+1 -D /dev/null")
"""Our readings: interpreted, translated where it is warm, and translated at once, as somebody reads the log of that."""
BUDGET = 1_000_000  # instructions; a program needs some ten thousand

State = dict[str, int]
"""What a program left behind: registers by name, the trap's CSRs, and a checksum of its data."""

AnyProgram = Program | PagingProgram | DeviceProgram
Reading = Callable[[AnyProgram], State]


def options(program: AnyProgram) -> str:
    """The machine that a program is for."""
    return program.options if isinstance(program, DeviceProgram) else OPTIONS


class Undecided(Exception):
    """A program did not come to its end: how it ended instead."""


def real(program: AnyProgram) -> State:
    """What the real QEMU makes of a program. Raises QemuNotInstalled."""
    with _written(program) as elf:
        try:
            ended = run_console(f"{options(program)} -kernel {elf}")
        except subprocess.TimeoutExpired as late:  # a device was sent on a long way
            raise Undecided(str(late)) from None
    state = _state(program, ended.stdout)
    if ended.status != 0 or len(state) != len(program.names):
        raise Undecided(f"status {ended.status}\n{ended.stdout}{ended.stderr}")
    return state


def model(accel: str) -> Reading:
    """Our reading with this accelerator; what it does not say, for not coming to the end, is missing."""

    def read(program: AnyProgram) -> State:
        with _written(program) as elf:
            vm = Qemu(f"-accel {accel} {options(program)} -kernel {elf}", record=False, types="modelled")
            vm.run(budget=BUDGET)
        vm.close()
        return _state(program, vm.output.decode())

    return read


@contextmanager
def _written(program: AnyProgram) -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="pyqemu-edu-") as folder:
        elf = Path(folder) / "program.elf"
        program.write(elf)
        yield elf


def _state(program: AnyProgram, printed: str) -> State:
    return {name: int(line, 16) for name, line in zip(program.names, printed.split(), strict=False)}


@dataclass(frozen=True)
class Difference:
    """The shortest beginning of a program after which two readings disagree."""

    program: AnyProgram
    expected: State
    seen: State

    def __str__(self) -> str:
        """The last instructions, and the two states side by side."""
        last = listing(self.program)
        wrong = [name for name in self.program.names if self.expected.get(name) != self.seen.get(name)]
        rows = [f"{name:10} {_hex(self.expected, name)}  {_hex(self.seen, name)}" for name in wrong]
        return "\n".join([f"seed {self.program.seed}, after chunk {len(self.program.chunks)}:", *last, HEADING, *rows])


def _hex(state: State, name: str) -> str:
    return f"{state[name]:016x}" if name in state else "(nothing)"


HEADING = f"{'':10} {'expected':16}  seen"


def listing(program: AnyProgram) -> list[str]:
    """The last chunk, to be read."""
    if not isinstance(program, Program):
        return [f"  {line}" for line in program.chunks[-1].splitlines() if line.strip()]
    return list(disassembly(program.chunks[-1]))


def disassembly(code: bytes) -> Iterator[str]:
    """One line for each instruction of a chunk."""
    while code:
        length = insn_len(code[0])
        word = int.from_bytes(code[:length], "little")
        found = decode(word)
        yield f"  {word:0{2 * length}x}".ljust(12) + (f"{found[0].name} {found[1]}" if found else "(illegal)")
        code = code[length:]


def compare(program: AnyProgram, reference: Reading, reading: Reading) -> Difference | None:
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
