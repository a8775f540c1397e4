"""How fast guests run: ours beside the real QEMU and beside other emulators in pure Python, in one table.

    python benchmarks/speed.py [repetitions]

prints millions of instructions per second (medians) and their geometric mean as a ratio to `-accel tcg` here.  What is
not installed is left out.  `pip install tinyrv` brings a peer; `riscemu`, another, knows 32 bits only.  Translation is
part of what is timed, building the machine is not; of the real QEMU the time of a short run is taken off.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable
from importlib.util import find_spec
from math import prod
from pathlib import Path
from statistics import median
from time import perf_counter

from elftools.elf.elffile import ELFFile

from pyqemu_edu import Qemu
from pyqemu_edu.guests import guest, symbol_address

NAMES = ("recursion", "sieve", "sort", "matmul", "strings")
MACHINE = ("-machine", "spike", "-bios", "none", "-display", "none", "-monitor", "none", "-serial", "null")
REAL = shutil.which("qemu-system-riscv64")
BUDGETS = {"tcg": 5_000_000, "interp": 500_000, "tinyrv": 100_000}
LONG = 400  # how often the real QEMU does a guest's work

Speed = Callable[[str], float]


def instructions(name: str, scale: int) -> int:
    """How many instructions a guest executes until it ends; found by running it once or twice as long."""
    once, twice = (executed(guest(name, n)) for n in (1, 2))
    return once + (scale - 1) * (twice - once)


def executed(elf: str) -> int:
    """How many instructions hart 0 executed when the guest had ended."""
    vm = Qemu([*MACHINE, "-kernel", elf], record=False).run()
    return vm.harts[0].instret


def ours(accelerator: str) -> Speed:
    """Instructions per second of one of our accelerators."""

    def speed(name: str) -> float:
        vm = Qemu([*MACHINE, "-accel", accelerator, "-kernel", guest(name, LONG)], record=False)
        start = perf_counter()
        vm.run(budget=BUDGETS[accelerator])
        seconds = perf_counter() - start
        vm.close()
        return BUDGETS[accelerator] / seconds

    return speed


def real(name: str) -> float:
    """Instructions per second of the real QEMU."""
    short, long = (seconds_of_real(guest(name, scale)) for scale in (1, LONG))
    return (instructions(name, LONG) - instructions(name, 1)) / max(long - short, 1e-3)


def seconds_of_real(elf: str) -> float:
    """How long the real QEMU takes, from its start to its end."""
    assert REAL
    start = perf_counter()
    subprocess.run([REAL, *MACHINE, "-kernel", elf], check=True, stdin=subprocess.DEVNULL)
    return perf_counter() - start


def tinyrv(name: str) -> float:
    """Instructions per second of tinyrv's simulator, for the beginning of the guest."""
    import tinyrv as peer  # type: ignore[import-not-found, unused-ignore]

    elf = Path(guest(name, LONG))
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


def main() -> None:
    """Print the table."""
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 3
    runners = peers()
    print(f"{'MIPS':12}" + "".join(f"{name:>12}" for name in runners), flush=True)
    speeds: dict[str, list[float]] = {name: [] for name in runners}
    for name in NAMES:
        for runner, speed in runners.items():
            speeds[runner].append(median(speed(name) for _ in range(repetitions)) / 1e6)
        print(f"{name:12}" + "".join(f"{speeds[runner][-1]:12.3f}" for runner in runners), flush=True)
    means = {runner: prod(found) ** (1 / len(found)) for runner, found in speeds.items()}
    print(f"{'mean':12}" + "".join(f"{mean:12.3f}" for mean in means.values()))
    print(f"{'ratio to tcg':12}" + "".join(f"{mean / means['tcg']:12.3f}" for mean in means.values()))


if __name__ == "__main__":
    main()
