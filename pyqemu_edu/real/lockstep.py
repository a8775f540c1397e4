"""The same guest on the real QEMU and on ours, compared instruction by instruction (Not in QEMU).

Both write a log, `-d cpu,fpu,int`: the hart before each block, with `-singlestep` before each instruction, and every
trap.  The first step that differs tells where they part.  Our readings that write no such log are run to the guest's
end, and must have come there by the same traps, in the same state.
"""

from __future__ import annotations

import subprocess
import tempfile
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import StringIO
from itertools import islice, zip_longest
from pathlib import Path

from pyqemu_edu.hw.core.cpu import CPUDumpFlags, cpu_dump_state
from pyqemu_edu.real.binary import qemu_binary, words
from pyqemu_edu.real.random_hart import HartProgram
from pyqemu_edu.target.riscv.insn.decode import decode, insn_len
from pyqemu_edu.vm import Qemu

INSTRUCTIONS = "-singlestep -d cpu,fpu,int"
BLOCKS = "-d cpu,fpu,int,nochain"
LIMIT = 2500
"""Steps, if the guest does not come to its end before."""
STUCK = 50
"""Traps without a step between: the handler itself cannot be fetched."""
BUDGET = 20_000
PC, VIRTUAL, TRAP = " pc       ", " V  ", "riscv_cpu_do_interrupt:"
ENDS = {"interp": "-d int", "tcg": "-d int", "tcg at once": "-d int,out_asm -dfilter 0+1"}
"""Our readings that are only asked where they end, and what they are told; the last one translates without delay."""


@dataclass(frozen=True)
class Step:
    """The hart at some point, in the lines of the log, and the traps that followed, or had led to it."""

    state: tuple[str, ...]
    traps: tuple[str, ...] = ()

    @property
    def registers(self) -> dict[str, str]:
        """Each register's value, by name."""
        pairs = (line.split() for line in self.state if not line.startswith(VIRTUAL))
        return {name: value for pair in pairs for name, value in zip(pair[::2], pair[1::2], strict=True)}

    @property
    def pc(self) -> int:
        """Where the hart is."""
        return int(self.registers["pc"], 16)


def steps(log: Iterable[str]) -> Iterator[Step]:
    """A log, step by step, up to the last one that is complete, or to where there are only traps."""
    state: list[str] = []
    traps: list[str] = []
    for line in log:
        if line.startswith(VIRTUAL) or (line.startswith(PC) and not (state and state[-1].startswith(VIRTUAL))):
            if state:
                yield Step(tuple(state), tuple(traps))
            state, traps = [line], []
        elif line.startswith(TRAP):
            traps.append(line.rstrip())
            if len(traps) == STUCK:
                return
        elif line.startswith(" "):
            state.append(line)


def as_far_as(finish: int, found: Iterator[Step]) -> Iterator[Step]:
    """Steps up to the one at `finish`."""
    for step in islice(found, LIMIT):
        yield step
        if step.pc == finish:
            return


# Who is asked


def real_log(options: str, how: str, finish: int) -> list[Step]:
    """What the real QEMU does."""
    command = [qemu_binary(), *words(options), *words(how), "-D", "/dev/stdout"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True) as process:
        assert process.stdout is not None
        try:
            return list(as_far_as(finish, steps(line.rstrip("\n") for line in process.stdout)))
        finally:
            process.kill()


@contextmanager
def ours(options: str) -> Iterator[tuple[Qemu, Path]]:
    """A machine of ours, and where it writes its log."""
    with tempfile.NamedTemporaryFile(prefix="pyqemu-edu-") as log:
        vm = Qemu(f"{options} -D {log.name}", record=False, types="modelled")
        try:
            yield vm, Path(log.name)
        finally:
            vm.close()


def our_log(options: str, how: str, finish: int) -> list[Step]:
    """What our translator does."""
    with ours(f"{options} {how}") as (vm, log):
        vm.run(budget=LIMIT if how == INSTRUCTIONS else BUDGET // 4)
        return list(as_far_as(finish, steps(log.read_text().splitlines())))


def our_end(options: str, reading: str, finish: int) -> Step:
    """Where one of our other readings ends, and the traps on the way."""
    with ours(f"-accel {reading.split()[0]} {options} {ENDS[reading]}") as (vm, log):
        vm.run(budget=BUDGET, until=finish)
        out = StringIO()
        with vm.process:
            cpu_dump_state(vm.harts[0], out, CPUDumpFlags.FPU)
        traps = (line.rstrip() for line in log.read_text().splitlines() if line.startswith(TRAP))
        return Step(tuple(out.getvalue().splitlines()), tuple(traps))


# What they say


@dataclass(frozen=True)
class Parting:
    """The first step at which two logs are not the same; `pc` is where the instruction is that makes the difference."""

    program: HartProgram
    reading: str
    pc: int | None
    expected: Step
    seen: Step

    def __str__(self) -> str:
        """The instruction, and what differs side by side."""
        return "\n".join([
            f"seed {self.program.seed}, {len(self.program.chunks)} of its pieces, {self.reading}:",
            f"  {self.program.setting.options}",
            *([] if self.pc is None else [f"  {instruction_at(self.program, self.pc)}"]),
            f"{'':10} {'expected':16}  seen",
            *self._registers(),
            *self._traps(),
        ])  # fmt: skip

    def _registers(self) -> Iterator[str]:
        seen = self.seen.registers
        for name, value in self.expected.registers.items():
            if value != seen.get(name):
                yield f"{name:10} {value}  {seen.get(name, '(nothing)')}"

    def _traps(self) -> Iterator[str]:
        pairs = zip_longest(self.expected.traps, self.seen.traps, fillvalue="none")
        for number, (expected, seen) in enumerate(pairs, start=1):
            if expected != seen:
                yield f"trap {number}, expected: {expected.removeprefix(TRAP).strip()}"
                yield f"trap {number}, seen:     {seen.removeprefix(TRAP).strip()}"
                return


def instruction_at(program: HartProgram, pc: int) -> str:
    """What the program has at an address, as user mode or the others see it."""
    for section in program.assemble().sections:
        offset = (pc & ~0x4000_0000) - section.address
        if 0 <= offset < len(section.data):
            length = insn_len(section.data[offset])
            word = int.from_bytes(section.data[offset : offset + length], "little")
            found = decode(word)
            return f"{pc:016x}  {word:0{2 * length}x}  " + (f"{found[0].name} {found[1]}" if found else "(illegal)")
    return f"{pc:016x}"


def parting(program: HartProgram, how: str, theirs: list[Step], mine: list[Step]) -> Parting | None:
    """Where two logs part; the traps after the last step of either are not asked for, for it was cut off there."""
    before: int | None = None
    for index, (expected, seen) in enumerate(zip(theirs, mine, strict=False)):
        if expected.state != seen.state:
            return Parting(program, how, before, expected, seen)
        before = expected.pc
        if expected.traps != seen.traps and index + 1 not in (len(theirs), len(mine)):
            return Parting(program, how, before, expected, seen)
    return None


@contextmanager
def command_line(program: HartProgram) -> Iterator[tuple[str, int]]:
    """The options that run a program, and the address at which it ends."""
    with tempfile.NamedTemporaryFile(prefix="pyqemu-edu-", suffix=".elf") as elf:
        assembled = program.assemble()
        elf.write(assembled.elf())
        elf.flush()
        yield f"{program.setting.options} -kernel {elf.name}", assembled.symbols["finish"]


def difference(program: HartProgram) -> Parting | None:
    """The first difference between the real QEMU and one of our readings."""
    with command_line(program) as (options, finish):
        for how in (INSTRUCTIONS, BLOCKS):
            theirs = real_log(options, how, finish)
            found = parting(program, how, theirs, our_log(options, how, finish))
            if found:
                return found
        if theirs and theirs[-1].pc == finish:
            return different_end(program, theirs, lambda reading: our_end(options, reading, finish))
    return None


def different_end(program: HartProgram, theirs: list[Step], ask: Callable[[str], Step]) -> Parting | None:
    """The first of our readings that ends otherwise.  The interpreter sees changed code only behind a fence."""
    expected = Step(theirs[-1].state, tuple(trap for step in theirs for trap in step.traps))
    for reading in ENDS:
        seen = ask(reading) if reading != "interp" or program.setting.fenced else expected
        if seen != expected:
            return Parting(program, f"-accel {reading}, at the end", None, expected, seen)
    return None


def reduced(found: Parting) -> Parting:
    """The difference again, in a program without the pieces that do not matter for it."""
    for number in reversed(range(len(found.program.chunks))):
        found = difference(found.program.without(number)) or found
    return found
