"""What recording costs: a boot of spike without a recorder, with one that is stopped, and with one that records.

python benchmarks/trace_overhead.py [repetitions]
"""

from __future__ import annotations

import io
import sys
from collections.abc import Callable
from time import perf_counter

from pyqemu_edu import modules
from pyqemu_edu.process import Process
from pyqemu_edu.qom.zoo import run_program_constructors
from pyqemu_edu.softmmu.vl import qemu_init
from pyqemu_edu.trace.log import Log
from pyqemu_edu.trace.recorder import Recorder

ARGV = ("qemu-system-riscv64", *"-machine spike -smp 2 -bios none -S -display none -nodefaults".split())


def boot(process: Process) -> None:
    """Everything up to the first instruction."""
    with process:
        run_program_constructors()
        qemu_init(process.argv)


def new_process() -> Process:
    """A process whose streams lead nowhere."""
    return Process(ARGV, stdin=io.StringIO(), stdout=io.StringIO(), stderr=io.StringIO())


def plain() -> Log:
    """Nobody listens."""
    boot(new_process())
    return Log()


def stopped() -> Log:
    """A recorder was there once."""
    process = new_process()
    with Recorder(process):
        pass
    boot(process)
    return Log()


def recorded(**what: bool) -> Log:
    """A recorder records."""
    process = new_process()
    with Recorder(process, **what) as recorder:
        boot(process)
    return recorder.log


def best(run: Callable[[], Log], repetitions: int) -> tuple[float, Log]:
    """The shortest time in seconds, and the last log."""
    times = []
    for _ in range(repetitions):
        start = perf_counter()
        log = run()
        times.append(perf_counter() - start)
    return min(times), log


def main() -> None:
    """Print a table."""
    modules.link()
    repetitions = int(sys.argv[1]) if len(sys.argv) > 1 else 5
    base, _ = best(plain, repetitions)
    print(f"{'':24}{'seconds':>9}{'ratio':>8}{'records':>10}")
    rows: list[tuple[str, Callable[[], Log]]] = [
        ("without a recorder", plain),
        ("with a stopped one", stopped),
        ("events only", lambda: recorded(calls=False)),
        ("events and calls", recorded),
    ]
    for name, run in rows:
        seconds, log = best(run, repetitions)
        print(f"{name:24}{seconds:9.3f}{seconds / base:8.2f}{len(log):10,}")


if __name__ == "__main__":
    main()
