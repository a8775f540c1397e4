"""Runs a folder of test programs on the real QEMU and on ours, and shows where they end differently (Not in QEMU).

`python -m pyqemu_edu.real.conformance FOLDER`.  Such a program, as those of riscv-tests are, says how it went in its
doubleword `tohost`: 1 if all is well, else twice the number of the test that failed, plus 1.  On spike that ends the
machine, with half of it as exit status; on other boards nobody listens and the word stays to be read.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

from pyqemu_edu.hw.core.elf_ops import EM_RISCV, elf_read, symbols_of_file
from pyqemu_edu.real.ours import OurQemu
from pyqemu_edu.real.qemu import QemuExited, RealQemu
from pyqemu_edu.vm import CommandLineError, Qemu

CONSOLE = "-bios none -monitor none -display none -serial"
SLICE = 200_000
"""Instructions that a hart of ours executes between two looks at `tohost`."""


@dataclass(frozen=True)
class Verdict:
    """How a program ended, in words, and what it wrote to the console."""

    end: str
    console: str = ""

    def __str__(self) -> str:
        return self.end


REFUSED = "refused"
RUNS_ON = "runs on"

Reading = Callable[[str, Path, float], Verdict]
"""Runs a program, with options, for so many seconds at most."""


def programs(folder: Path) -> list[Path]:
    """The RISC-V programs in a folder, by name; listings and the like are left out."""
    return sorted(file for file in folder.rglob("*") if file.is_file() and elf_read(file.read_bytes(), EM_RISCV))


def tohost_address(program: Path) -> int | None:
    """Where a program says how it went."""
    elf = elf_read(program.read_bytes(), EM_RISCV)
    assert elf is not None
    return next((symbol.value for symbol in symbols_of_file(elf) if symbol.name == "tohost"), None)


def ended(status: int) -> str:
    """What an exit status says, of which the system keeps eight bits."""
    return f"fails {status & 0xFF}" if status & 0xFF else "passes"


def said(machine: RealQemu | OurQemu, address: int | None) -> str | None:
    """What `tohost` says; None if nothing yet."""
    word = int(machine.hmp(f"xp /1gx {address:#x}").split()[-1], 16) if address else 0
    if word == 0:
        return None
    asks = word >> 48 or not word & 1  # a device, such as the console, or a system call
    return f"asks its host {word:#x}" if asks else ended(word >> 1)


def real(options: str, program: Path, seconds: float) -> Verdict:
    """How it goes on the real QEMU. Raises QemuNotInstalled."""
    with tempfile.TemporaryDirectory(prefix="pyqemu-edu-") as folder:
        console = Path(folder) / "console"
        try:
            with RealQemu(f"{options} {CONSOLE} file:{console} -kernel {quote(str(program))}") as machine:
                end = _watched(machine, tohost_address(program), seconds)
        except QemuExited:
            return Verdict(REFUSED)
        return Verdict(end, console.read_text(errors="replace"))


def _watched(machine: RealQemu, address: int | None, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    try:
        machine.hmp("cont")
        while time.monotonic() < deadline:
            if end := said(machine, address):
                return end
            time.sleep(0.01)
    except ConnectionError:
        return ended(machine.wait())
    return RUNS_ON


def ours(accel: str) -> Reading:
    """Our machine with this accelerator."""

    def read(options: str, program: Path, seconds: float) -> Verdict:
        command = f"-accel {accel} {options} {CONSOLE} stdio -kernel {quote(str(program))}"
        try:
            machine = Qemu(command, record=False, types="modelled")
        except CommandLineError:
            return Verdict(REFUSED)
        with closing(machine):
            end = _let_run(machine, tohost_address(program), seconds)
        return Verdict(end, machine.output.decode(errors="replace"))

    return read


def _let_run(machine: Qemu, address: int | None, seconds: float) -> str:
    deadline = time.monotonic() + seconds
    while (left := deadline - time.monotonic()) > 0:
        machine.run(budget=SLICE, seconds=left)
        if machine.exit_status is not None:
            return ended(machine.exit_status)
        if end := said(OurQemu(machine.process), address):
            return end
    return RUNS_ON


# The command


@dataclass(frozen=True)
class Row:
    """A program on a board: the reference's verdict, and ours by accelerator."""

    program: str
    board: str
    reference: Verdict
    seen: dict[str, Verdict]

    @property
    def agrees(self) -> bool:
        """Do all end alike, having written the same?"""
        return all(verdict == self.reference for verdict in self.seen.values())

    def __str__(self) -> str:
        verdicts = [f"{who}: {verdict}" for who, verdict in {"real": self.reference, **self.seen}.items()]
        same_end = all(verdict.end == self.reference.end for verdict in self.seen.values())
        remark = " (the consoles differ)" if same_end and not self.agrees else ""
        return f"{self.program:32} {self.board:6} {', '.join(verdicts)}{remark}"


def rows(asked: argparse.Namespace) -> Iterator[Row]:
    """Every program on every board, as it is run."""
    for program in programs(asked.folder):
        for board in asked.machine:
            options = f"-machine {board} {asked.options}"
            seen = {accel: ours(accel)(options, program, asked.seconds) for accel in asked.accel}
            yield Row(program.name, board, real(options, program, asked.seconds), seen)


def main(arguments: list[str]) -> int:
    """Run every program of a folder on both; print those that end differently, and count. 1 if there are such."""
    asked = parsed(arguments)
    count: Counter[str] = Counter()
    for row in rows(asked):
        count[row.reference.end if row.agrees else "DIFFERENT"] += 1
        if asked.all or not row.agrees:
            print(row, flush=True)
    print("; ".join(f"{number} {what}" for what, number in sorted(count.items())) or f"no program in {asked.folder}")
    return int(count["DIFFERENT"] > 0)


def parsed(arguments: list[str]) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(prog="python -m pyqemu_edu.real.conformance", description=main.__doc__)
    parser.add_argument("folder", type=Path, help="with programs for a bare hart, as riscv-tests' `make` leaves them")
    parser.add_argument("--machine", nargs="+", default=["spike", "virt"], metavar="BOARD", help="where they run")
    parser.add_argument("--accel", nargs="+", default=["tcg", "interp"], help="our readings to compare")
    parser.add_argument("--options", default="", help='more for both, such as "-smp 2 -cpu rv64,h=false"')
    parser.add_argument("--seconds", type=float, default=20, help="after which a program is said to run on")
    parser.add_argument("--all", action="store_true", help="print those that agree too")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
