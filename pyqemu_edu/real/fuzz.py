"""Compares random programs for as long as one likes, and keeps results for where there is no QEMU (Not in QEMU).

`python -m pyqemu_edu.real.fuzz --seed 1 --count 100` compares a hundred programs of each kind, `--seconds 600` as many
as come in ten minutes.  What differs is shown as the shortest program that still does: the last instruction, and the
registers side by side.  `--record FILE` keeps what the real QEMU makes of them, for `recorded_programs` to read.

Programs of the kind `instructions` compute, in machine mode; those of `paging` touch memory through page tables from
every mode; those of `devices` worry the devices of the board `virt`; those of `harts` keep to no rules, and are
followed instruction by instruction on both boards and all models.
"""

from __future__ import annotations

import argparse
import hashlib
import itertools
import json
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from pyqemu_edu.real.binary import qemu_binary, qemu_version
from pyqemu_edu.real.differential import OURS, AnyProgram, State, Undecided, compare, model, options, real
from pyqemu_edu.real.lockstep import difference, reduced
from pyqemu_edu.real.random_devices import DeviceProgram, random_device_program
from pyqemu_edu.real.random_hart import HartProgram, random_hart_program
from pyqemu_edu.real.random_paging import random_paging_program
from pyqemu_edu.real.random_program import Program, random_program

KINDS: dict[str, Callable[[int, int], AnyProgram | HartProgram]] = {
    "instructions": random_program,
    "paging": random_paging_program,
    "devices": random_device_program,
    "harts": lambda seed, length: random_hart_program(seed, length // 4),
}
"""What a program may be about, and who writes it."""


def programs(kinds: Iterable[str], seed: int, length: int) -> Iterator[AnyProgram | HartProgram]:
    """One program of each kind for each seed from `seed` on."""
    for number in itertools.count(seed):
        for kind in kinds:
            yield KINDS[kind](number, length)


# What the real QEMU made of them, kept


def digest(program: AnyProgram) -> str:
    """By which a program is known again: whoever writes random programs may have changed."""
    return hashlib.sha256(repr(program.chunks).encode()).hexdigest()[:16]


def kept(program: AnyProgram) -> dict[str, Any]:
    """A program for JSON: its instructions, or how to write it again."""
    if isinstance(program, Program):
        return {"seed": program.seed, "chunks": [chunk.hex() for chunk in program.chunks]}
    kind = "devices" if isinstance(program, DeviceProgram) else "paging"
    return {"kind": kind, "seed": program.seed, "length": len(program.chunks), "digest": digest(program)}


def restored(row: dict[str, Any]) -> AnyProgram:
    """The program that was kept. Raises ValueError where the one with that seed is another by now."""
    if "chunks" in row:
        return Program(row["seed"], tuple(bytes.fromhex(chunk) for chunk in row["chunks"]))
    write = random_device_program if row["kind"] == "devices" else random_paging_program
    program = write(row["seed"], row["length"])
    if digest(program) != row["digest"]:
        raise ValueError(f"seed {row['seed']} gives another program now: record it again")
    return program


def record(wanted: Iterable[AnyProgram | HartProgram], file: Path) -> None:
    """Keep programs and what the real QEMU makes of them, except those that are followed step by step."""
    states = [(program, real(program).values()) for program in wanted if not isinstance(program, HartProgram)]
    rows = [json.dumps(kept(program) | {"state": [f"{value:x}" for value in state]}) for program, state in states]
    made = f"qemu-system-riscv64 {options(states[0][0])} -kernel program.elf"
    head = f'"version": "{qemu_version(qemu_binary())}", "command": "{made}"'
    text = ",\n".join(rows)
    file.write_text(f'{{{head}, "programs": [\n{text}\n]}}\n')


def recorded_programs(file: Path) -> Iterator[tuple[AnyProgram, State]]:
    """What `record` kept."""
    for row in json.loads(file.read_text())["programs"]:
        program = restored(row)
        yield program, {name: int(value, 16) for name, value in zip(program.names, row["state"], strict=True)}


# The command


def main(arguments: list[str]) -> int:
    """Compare programs until there were as many as asked for, or time is up; 1 if some differ."""
    asked = parsed(arguments)
    found = compared = 0
    end = time.monotonic() + (asked.seconds or float("inf"))
    wanted = programs(asked.kind, asked.seed, asked.length)
    if asked.record:
        record(itertools.islice(wanted, asked.count * len(asked.kind)), asked.record)
        return 0
    for program in wanted if asked.seconds else itertools.islice(wanted, asked.count * len(asked.kind)):
        found += report(program, asked.accel)
        compared += 1
        if time.monotonic() > end:
            break
    print(f"{compared} programs, the last with seed {program.seed}: {found} differences")
    return min(found, 1)


def parsed(arguments: list[str]) -> argparse.Namespace:
    """The command line's options."""
    parser = argparse.ArgumentParser(prog="python -m pyqemu_edu.real.fuzz", description=main.__doc__)
    parser.add_argument("--seed", type=int, default=1, help="of the first program")
    parser.add_argument("--count", type=int, default=20, help="how many programs of each kind")
    parser.add_argument("--seconds", type=float, help="go on so long instead")
    parser.add_argument("--length", type=int, default=120, help="chunks in a program; a hart's has a fourth")
    parser.add_argument("--kind", nargs="+", choices=KINDS, default=list(KINDS), help="what the programs are about")
    parser.add_argument("--accel", nargs="+", default=OURS, help="our readings to compare")
    parser.add_argument("--record", type=Path, metavar="FILE", help="keep the real QEMU's results instead")
    return parser.parse_args(arguments)


def report(program: AnyProgram | HartProgram, accels: Iterable[str]) -> int:
    """Compare one program, and print the first difference of each reading; how many there were."""
    if isinstance(program, HartProgram):
        found = difference(program)
        return shown(reduced(found)) if found else 0
    return sum(report_end(program, accel) for accel in accels)


def report_end(program: AnyProgram, accel: str) -> int:
    """Compare what a program leaves behind on the real QEMU and with one accelerator of ours."""
    try:
        found = compare(program, real, model(accel))
    except Undecided as undecided:
        print(f"seed {program.seed}: the real QEMU does not come to the end: {undecided}", flush=True)
        return 0
    return shown(f"-accel {accel}: {found}") if found else 0


def shown(what: object) -> int:
    """Print a difference, and count it."""
    print(f"{what}\n", flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
