"""How fast guests run: ours beside the real QEMU and beside other emulators in pure Python, in one table.

    python benchmarks/speed.py [repetitions]

prints how long OpenSBI takes to its payload and how much memory that needs; then millions of instructions per second
(medians) of six programs in machine mode and under Sv39, the geometric means, and their ratios to `-accel tcg` here.
Programs are built from our own sources by a RISC-V cross compiler.  What is not installed is left out, and what a peer
cannot run is a dash: `pip install tinyrv riscemu` brings two, of which riscemu knows 32 bits only, so that it can run
none of these.  Translation is part of what is timed, building the machine is not; of the real QEMU the time of a short
run is taken off.
"""

from __future__ import annotations

import resource
import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from math import nan, prod
from pathlib import Path
from statistics import median
from time import perf_counter

from elftools.elf.elffile import ELFFile
from programs import MODES, NAMES, program

from pyqemu_edu import Qemu
from pyqemu_edu.guests import symbol_address

MACHINE = ("-machine", "spike", "-bios", "none", "-display", "none", "-monitor", "none", "-serial", "null")
REAL = shutil.which("qemu-system-riscv64")
BUDGETS = {"tcg": 5_000_000, "interp": 500_000, "tinyrv": 100_000}
LONG = 400  # how often the real QEMU does a program's work
OPENSBI = Path("/usr/lib/riscv64-linux-gnu/opensbi/generic/fw_jump.elf")
PAYLOAD = 0x80200000

Speed = Callable[[str, str], float]


def instructions(name: str, mode: str) -> int:
    """How many instructions a program executes between its first and its last round."""
    once, twice = (executed(program(name, mode, n)) for n in (1, 2))
    return (LONG - 1) * (twice - once)


def executed(elf: str) -> int:
    """How many instructions hart 0 executed when the program had ended."""
    vm = Qemu([*MACHINE, "-kernel", elf], record=False).run()
    return vm.harts[0].instret


def ours(accelerator: str) -> Speed:
    """Instructions per second of one of our accelerators."""

    def speed(name: str, mode: str) -> float:
        vm = Qemu([*MACHINE, "-accel", accelerator, "-kernel", program(name, mode, LONG)], record=False)
        start = perf_counter()
        vm.run(budget=BUDGETS[accelerator])
        seconds = perf_counter() - start
        vm.close()
        return BUDGETS[accelerator] / seconds

    return speed


def real(name: str, mode: str) -> float:
    """Instructions per second of the real QEMU."""
    short, long = (seconds_of_real(program(name, mode, scale)) for scale in (1, LONG))
    return instructions(name, mode) / max(long - short, 1e-3)


def seconds_of_real(elf: str) -> float:
    """How long the real QEMU takes, from its start to its end."""
    assert REAL
    start = perf_counter()
    subprocess.run([REAL, *MACHINE, "-kernel", elf], check=True, stdin=subprocess.DEVNULL)
    return perf_counter() - start


def tinyrv(name: str, mode: str) -> float:
    """Instructions per second of tinyrv's simulator, for a program's beginning; it has no paging and no floats."""
    import tinyrv as peer  # type: ignore[import-not-found, unused-ignore]

    if mode != "M" or name == "doubles":
        return nan
    elf = Path(program(name, mode, LONG))
    machine = peer.sim(xlen=64, trap_misaligned=False)
    with elf.open("rb") as file:
        for segment in ELFFile(file).iter_segments("PT_LOAD"):
            machine.copy_in(segment["p_paddr"], segment.data())
    machine.pc = symbol_address(elf, "_start")
    start = perf_counter()
    machine.run(limit=BUDGETS["tinyrv"], trace=False)
    return BUDGETS["tinyrv"] / (perf_counter() - start)


def peers() -> dict[str, Speed]:
    """Who takes part here."""
    found: dict[str, Speed] = {"tcg": ours("tcg"), "interp": ours("interp")}
    if REAL:
        found["real QEMU"] = real
    if find_spec("tinyrv"):
        found["tinyrv"] = tinyrv
    return found


def geometric_mean(speeds: list[float]) -> float:
    """Of those that are numbers."""
    known = [speed for speed in speeds if speed == speed]
    return prod(known) ** (1 / len(known)) if known else nan


def row(head: str, numbers: list[float]) -> None:
    """Print a line of the table."""
    cells = [f"{number:12.3f}" if number == number else f"{'-':>12}" for number in numbers]
    print(f"{head:18}{''.join(cells)}", flush=True)


def table(mode: str, repetitions: int) -> None:
    """Time every program in one mode."""
    runners = peers()
    print(f"{f'MIPS, {mode}':18}" + "".join(f"{name:>12}" for name in runners), flush=True)
    speeds: dict[str, list[float]] = {name: [] for name in runners}
    for name in NAMES:
        for runner, speed in runners.items():
            speeds[runner].append(median(speed(name, mode) for _ in range(repetitions)) / 1e6)
        row(name, [speeds[runner][-1] for runner in runners])
    means = [geometric_mean(found) for found in speeds.values()]
    row("geometric mean", means)
    row("ratio to tcg", [mean / means[0] for mean in means])


def firmware() -> None:
    """Time OpenSBI on spike, from its first instruction to its payload's."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    vm = Qemu([*MACHINE[:2], *MACHINE[4:], "-bios", str(OPENSBI)], record=False)
    start = perf_counter()
    vm.run(until=PAYLOAD, seconds=60)
    seconds = perf_counter() - start
    grown = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before
    count = vm.harts[0].instret
    print(f"OpenSBI to its payload: {count:,} instructions in {seconds:.2f} s, {grown >> 10} MiB more memory")
    vm.close()


def main() -> None:
    """Print the tables."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    if OPENSBI.exists():
        firmware()
    for mode in MODES:
        table(mode, repetitions)


if __name__ == "__main__":
    main()
