"""The programs that are timed: the guests' sources and two more, each in machine mode and under Sv39."""

from __future__ import annotations

import shutil
import struct
import subprocess
from functools import lru_cache
from pathlib import Path
from tempfile import mkdtemp

from pyqemu_edu.guests import FOLDER as GUESTS
from pyqemu_edu.guests import symbol_offset
from pyqemu_edu.guests.build import FLAGS, PREFIX

HERE = Path(__file__).parent
NAMES = ("recursion", "loop", "sieve", "doubles", "strings", "sort")
MODES = ("M", "Sv39")
DOUBLES = ("-march=rv64gc_zicsr_zifencei", "-mabi=lp64d")


@lru_cache
def folder() -> Path:
    """Where the programs are built; it is left to the system to clean up."""
    return Path(mkdtemp(prefix="pyqemu-edu-speed-"))


@lru_cache
def program(name: str, mode: str, scale: int) -> str:
    """Path of the ELF of a program that does its work `scale` times. Raises FileNotFoundError without a compiler."""
    if shutil.which(f"{PREFIX}gcc") is None:
        raise FileNotFoundError(f"{PREFIX}gcc builds the programs: install gcc-riscv64-unknown-elf")
    elf = folder() / f"{name}-{mode}-{scale}.elf"
    source = next(path for path in (HERE / f"{name}.c", GUESTS / f"{name}.c") if path.exists())
    flags = (*FLAGS[2:], *DOUBLES, *(("-DSV39",) if mode == "Sv39" else ()), f"-I{GUESTS}", "-T", GUESTS / "guest.ld")
    subprocess.run([f"{PREFIX}gcc", *flags, HERE / "start.S", GUESTS / "console.c", source, "-o", elf], check=True)
    image = bytearray(elf.read_bytes())
    struct.pack_into("<Q", image, symbol_offset(elf, "scale"), scale)
    elf.write_bytes(image)
    return str(elf)
