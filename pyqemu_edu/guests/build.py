"""Compiles the guests with a RISC-V cross compiler (Not in QEMU).

`python -m pyqemu_edu.guests.build` writes every ELF beside its source; with names, only those.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

from pyqemu_edu.guests import FOLDER, GUESTS, Guest

PREFIX = "riscv64-unknown-elf-"

# fmt: off
FLAGS = (
    "-march=rv64imac_zicsr_zifencei", "-mabi=lp64",
    "-mcmodel=medany",                      # RAM starts at 2 GiB: addresses are relative to pc
    "-mno-relax",                           # the instructions in the ELF are those in the source
    "-nostdlib", "-ffreestanding", "-O2", "-Wall", "-Wextra", "-Werror",
    "-fno-tree-loop-distribute-patterns",   # no calls of memset, which we do not have
    "-fno-asynchronous-unwind-tables",
    "-Wl,--build-id=none", "-Wl,--nmagic", "-Wl,--no-warn-rwx-segments",
)
# fmt: on


def compiler_version() -> str | None:
    """What the ELFs of the installed cross compiler say about their maker; None without one."""
    if shutil.which(f"{PREFIX}gcc") is None:
        return None
    reply = subprocess.run([f"{PREFIX}gcc", "--version"], capture_output=True, text=True, check=True)
    return reply.stdout.splitlines()[0]


def build(guest: Guest, elf: Path) -> None:
    """Compile one guest into the file `elf`. Raises subprocess.CalledProcessError when the compiler complains."""
    names = [*guest.sources]
    subprocess.run([f"{PREFIX}gcc", *FLAGS, "-T", "guest.ld", *names, "-o", str(elf)], cwd=FOLDER, check=True)
    subprocess.run([f"{PREFIX}strip", "--strip-debug", "--discard-locals", str(elf)], check=True)


def main(names: list[str]) -> None:
    """Build the named guests, or all."""
    for name in names or GUESTS:
        build(GUESTS[name], GUESTS[name].elf)
        print(f"{GUESTS[name].elf.name:16}{GUESTS[name].elf.stat().st_size:6} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
