"""Small bare-metal programs that the notebooks and tests run (Not in QEMU).

Each runs in machine mode on `-machine spike -bios none`, says what it has to say through HTIF, and ends by itself.
Sources and finished ELFs lie side by side; `python -m pyqemu_edu.guests.build` makes the ELFs again.
"""

from __future__ import annotations

import atexit
import shutil
import struct
import tempfile
from dataclasses import dataclass
from pathlib import Path

from elftools.elf.elffile import ELFFile
from elftools.elf.sections import SymbolTableSection

from pyqemu_edu.target.riscv.asm import assemble

__all__ = ["GUESTS", "Guest", "assembled", "guest"]

FOLDER = Path(__file__).parent


@dataclass(frozen=True, slots=True)
class Guest:
    """One program: what it shows, how many harts it needs, what is linked together."""

    name: str
    shows: str
    sources: tuple[str, ...]
    harts: int = 1
    scalable: bool = False

    @property
    def elf(self) -> Path:
        """Where the shipped ELF is."""
        return FOLDER / f"{self.name}.elf"

    @property
    def source(self) -> Path:
        """The file worth reading."""
        return FOLDER / self.sources[-1]


C = ("crt0.s", "console.c")
TRAP = (*C, "trap_entry.s")

# fmt: off
GUESTS: dict[str, Guest] = {g.name: g for g in (
    Guest("hello",     "a message, byte by byte, in assembly",           ("hello.s",)),
    Guest("countdown", "a loop of ten turns that prints nothing",        ("countdown.s",)),
    Guest("exitcode",  "exit status 42",                                 ("exitcode.s",)),
    Guest("trap",      "an illegal instruction, caught by a handler",    ("trap.s",)),
    Guest("hello_c",   "the same message in C: a stack and a start-up",  (*C, "hello_c.c")),
    Guest("primes",    "the primes below 100: division",                 (*C, "primes.c")),
    Guest("echo",      "a line of console input, in capitals",           (*C, "echo.c")),
    Guest("timer",     "three ticks of the machine timer, asleep between", (*TRAP, "timer.c")),
    Guest("ipi",       "two harts pass a message by software interrupt", (*TRAP, "ipi.c"), harts=2),
    Guest("spinlock",  "two harts count: LR/SC lock and atomic add",     (*C, "spinlock.c"), harts=2),
    Guest("frame",     "the frame of the differential tester's programs", ("frame.s",)),
    Guest("recursion", "Fibonacci and Ackermann: calls and returns",     (*C, "recursion.c"), scalable=True),
    Guest("sieve",     "the sieve of Eratosthenes: byte stores",         (*C, "sieve.c"), scalable=True),
    Guest("sort",      "quicksort: compares, swaps, recursion",          (*C, "sort.c"), scalable=True),
    Guest("matmul",    "integer matrices: multiply and add",             (*C, "matmul.c"), scalable=True),
    Guest("strings",   "text: length, reverse, compare, words",          (*C, "strings.c"), scalable=True),
)}
# fmt: on


def guest(name: str, scale: int = 1) -> str:
    """Path of a guest's ELF, for `-kernel`; with `scale`, of a copy that does its work so many times.

    Raises KeyError for an unknown name, ValueError where there is nothing to scale.
    """
    found = GUESTS[name]
    return str(found.elf if scale == 1 else _scaled(found, scale))


def assembled(source: str, base: int = 0x8000_0000, name: str = "guest.elf") -> str:
    """Path of an ELF made of `source`, for `-kernel`. Raises AssemblyError with the line that is wrong."""
    return str(_keep(name, assemble(source, base).elf()))


def _scaled(found: Guest, scale: int) -> Path:
    if not found.scalable:
        raise ValueError(f"guest '{found.name}' has no scale")
    image = bytearray(found.elf.read_bytes())
    struct.pack_into("<Q", image, symbol_offset(found.elf, "scale"), scale)
    return _keep(f"{found.name}-x{scale}.elf", image)


def _keep(name: str, content: bytes | bytearray) -> Path:
    """A file in a folder of its own that lives as long as this Python does."""
    folder = tempfile.mkdtemp(prefix="pyqemu-edu-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    path = Path(folder) / name
    path.write_bytes(content)
    return path


def symbol_address(elf: Path, symbol: str) -> int:
    """The guest address of a symbol. Raises KeyError for one that the ELF does not have."""
    with elf.open("rb") as file:
        symbols = ELFFile(file).get_section_by_name(".symtab")
        found = symbols.get_symbol_by_name(symbol) if isinstance(symbols, SymbolTableSection) else None
    if not found:
        raise KeyError(symbol)
    return int(found[0]["st_value"])


def symbol_offset(elf: Path, symbol: str) -> int:
    """Where in the file a symbol's bytes are. Raises KeyError as `symbol_address` does."""
    address = symbol_address(elf, symbol)
    with elf.open("rb") as file:
        return int(next(iter(ELFFile(file).address_offsets(address))))
