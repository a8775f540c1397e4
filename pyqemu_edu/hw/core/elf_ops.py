"""Reading ELF files of 32 and 64 bits (QEMU include/hw/elf_ops.h, include/elf.h)."""

from __future__ import annotations

import struct
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass

EM_RISCV = 243
ELFMAG = b"\x7fELF"
EI_CLASS, EI_DATA = 4, 5
ELFCLASS64, ELFDATA2LSB = 2, 1
PT_LOAD, PF_X = 1, 1
SHT_SYMTAB = 2
SHN_UNDEF, SHN_LORESERVE = 0, 0xFF00
STT_FUNC = 2
SSIZE_MAX, UINT64_MAX = 2**63 - 1, 2**64 - 1

SymbolFn = Callable[[str, int, int, int], None]
"""Called with a symbol's name, info, value and size (QEMU `symbol_fn_t`)."""


@dataclass(frozen=True, slots=True)
class Layout:
    """How wide things are in one class of file: the structs, and the order of their fields where it differs."""

    bits: int
    ehdr: struct.Struct
    phdr: struct.Struct
    phdr_fields: tuple[str, ...]
    shdr: struct.Struct
    sym: struct.Struct
    sym_fields: tuple[str, ...]


# fmt: off
ELF32 = Layout(
    bits=32,
    ehdr=struct.Struct("<16sHHIIIIIHHHHHH"),
    phdr=struct.Struct("<8I"),
    phdr_fields=("type", "offset", "vaddr", "paddr", "filesz", "memsz", "flags", "align"),
    shdr=struct.Struct("<10I"),
    sym=struct.Struct("<IIIBBH"), sym_fields=("name", "value", "size", "info", "other", "shndx"),
)
ELF64 = Layout(
    bits=64,
    ehdr=struct.Struct("<16sHHIQQQIHHHHHH"),
    phdr=struct.Struct("<IIQQQQQQ"),
    phdr_fields=("type", "flags", "offset", "vaddr", "paddr", "filesz", "memsz", "align"),
    shdr=struct.Struct("<IIQQQQIIQQ"),
    sym=struct.Struct("<IBBHQQ"), sym_fields=("name", "info", "other", "shndx", "value", "size"),
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Elf:
    """A file whose header makes sense."""

    data: bytes
    layout: Layout
    machine: int
    entry: int
    phoff: int
    phnum: int
    shoff: int
    shnum: int


@dataclass(frozen=True, slots=True)
class Segment:
    """A part of the file for memory: `data` at `addr`, then zeros up to `mem_size`."""

    index: int
    addr: int
    data: bytes
    mem_size: int


@dataclass(frozen=True, slots=True)
class Symbol:
    """A name and what it stands for."""

    name: str
    info: int
    value: int
    size: int
    shndx: int

    @property
    def is_function(self) -> bool:
        """Is this a function that the file has?"""
        return self.shndx not in (SHN_UNDEF, *range(SHN_LORESERVE, 0x10000)) and self.info & 0xF == STT_FUNC


def elf_read(data: bytes, machine: int) -> Elf | None:
    """The header; None if this is no little-endian ELF file for `machine`."""
    if len(data) < 16 or data[:4] != ELFMAG or data[EI_DATA] != ELFDATA2LSB:
        return None
    layout = ELF64 if data[EI_CLASS] == ELFCLASS64 else ELF32
    if len(data) < layout.ehdr.size:
        return None
    _, _, e_machine, _, entry, phoff, shoff, _, _, _, phnum, _, shnum, _ = layout.ehdr.unpack_from(data)
    if e_machine != machine:
        return None
    return Elf(data, layout, e_machine, entry, phoff, phnum, shoff, shnum)


def load_at(elf: Elf, offset: int, size: int) -> bytes | None:
    """`size` bytes of the file; None if it is shorter (QEMU hw/core/loader.c)."""
    data = elf.data[offset : offset + size]
    return data if len(data) == size and offset <= SSIZE_MAX else None


def elf_symbols(elf: Elf) -> Iterator[Symbol]:
    """All symbols, in the order in which QEMU looks at them (QEMU `load_symbols`).

    None if the tables are not where they should be.
    """
    waiting = deque(symbols_of_file(elf))
    while waiting:
        symbol = waiting.popleft()
        yield symbol
        if waiting and not symbol.is_function:  # C throws it away, and the last one takes its place
            waiting.appendleft(waiting.pop())


def symbols_of_file(elf: Elf) -> Iterator[Symbol]:
    """All symbols in the file's order (Not in QEMU)."""
    shdr = elf.layout.shdr
    table = load_at(elf, elf.shoff, shdr.size * elf.shnum)
    sections = list(shdr.iter_unpack(table)) if table else []
    symtab = next((section for section in sections if section[1] == SHT_SYMTAB), None)
    if symtab is None or symtab[6] >= len(sections):
        return
    strtab = sections[symtab[6]]
    syms, strings = load_at(elf, symtab[4], symtab[5]), load_at(elf, strtab[4], strtab[5])
    if syms is None or strings is None:
        return
    whole = len(syms) - len(syms) % elf.layout.sym.size
    for values in elf.layout.sym.iter_unpack(syms[:whole]):
        sym = dict(zip(elf.layout.sym_fields, values, strict=True))
        name = strings[sym["name"] :].split(b"\0", 1)[0].decode(errors="replace")
        yield Symbol(name, sym["info"], sym["value"], sym["size"], sym["shndx"])


def elf_load_segments(elf: Elf) -> Iterator[Segment | None]:
    """The segments that go to memory; None, as the last one, where the file is damaged (QEMU `load_elf`)."""
    phdr = elf.layout.phdr
    table = load_at(elf, elf.phoff, phdr.size * elf.phnum)
    if table is None:
        yield None
        return
    headers = [dict(zip(elf.layout.phdr_fields, values, strict=True)) for values in phdr.iter_unpack(table)]
    total_size = 0
    for index, ph in enumerate(headers):
        if ph["type"] != PT_LOAD:
            continue
        mem_size = segment_size(headers, ph, (1 << elf.layout.bits) - 1)
        damaged = ph["filesz"] and len(elf.data) < ph["filesz"] + ph["offset"]
        if damaged or mem_size > SSIZE_MAX - total_size:
            yield None
            return
        total_size += mem_size
        yield Segment(index, ph["paddr"], elf.data[ph["offset"] : ph["offset"] + ph["filesz"]], mem_size)


def segment_size(headers: list[dict[str, int]], ph: dict[str, int], mask: int) -> int:
    """The size in memory, without the zeros if those would cover another segment: then the program clears them."""
    zero_start, zero_end = ph["paddr"] + ph["filesz"] & mask, ph["paddr"] + ph["memsz"] & mask
    covers = any(
        other["paddr"] < zero_end and zero_start < other["paddr"] + other["memsz"] & mask
        for other in headers
        if other is not ph and other["type"] == PT_LOAD
    )
    return ph["filesz"] if ph["memsz"] > ph["filesz"] and covers else ph["memsz"]


def sign_extended(address: int, layout: Layout) -> int:
    """An address out of a file of 32 bits as QEMU widens it: signed (in QEMU a cast to `elf_sword`)."""
    address &= (1 << layout.bits) - 1
    return address - (address >> layout.bits - 1 << layout.bits) & UINT64_MAX
