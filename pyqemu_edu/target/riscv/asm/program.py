"""What the assembler makes: sections of bytes, symbols, a listing, an ELF file (Not in QEMU)."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field

EM_RISCV = 243
EF_RISCV_RVC = 1
SHT_PROGBITS, SHT_SYMTAB, SHT_STRTAB, SHT_NOBITS = 1, 2, 3, 8
SHF_WRITE, SHF_ALLOC, SHF_EXECINSTR = 1, 2, 4
PF_X, PF_W, PF_R = 1, 2, 4
SHN_ABS = 0xFFF1


@dataclass(eq=False)
class Section:
    """A run of bytes with a name; `.bss` and its like have a size but no bytes in a file."""

    name: str
    address: int = 0
    align: int = 1
    data: bytearray = field(default_factory=bytearray)

    @property
    def is_bss(self) -> bool:
        """Whether it is made of zeros only."""
        return self.name.startswith((".bss", ".sbss"))

    @property
    def flags(self) -> int:
        """What ELF says of it."""
        if self.name.startswith(".text"):
            return SHF_ALLOC | SHF_EXECINSTR
        return SHF_ALLOC | (0 if self.name.startswith((".rodata", ".srodata")) else SHF_WRITE)


@dataclass(frozen=True)
class Line:
    """What a source line became."""

    number: int
    source: str
    address: int
    data: bytes


@dataclass(eq=False)
class Program:
    """An assembled program: `data` is an image of memory from `base` on."""

    base: int
    entry: int
    sections: list[Section]
    symbols: dict[str, int]
    sizes: dict[str, int]
    globals: set[str]
    lines: list[Line]

    @property
    def data(self) -> bytes:
        """The bytes from `base` to the end of the last section, gaps filled with zeros."""
        end = max((each.address + len(each.data) for each in self.sections), default=self.base)
        image = bytearray(end - self.base)
        for each in self.sections:
            image[each.address - self.base : each.address - self.base + len(each.data)] = each.data
        return bytes(image)

    def listing(self) -> str:
        """Address, bytes (as words where they are instructions) and source, line by line."""
        return "\n".join(f"{each.address:8x}  {_hex(each.data):<17} {each.source}".rstrip() for each in self.lines)

    def elf(self) -> bytes:
        """The program as an ELF file that QEMU's `-kernel` loads."""
        return write_elf(self)


def _hex(data: bytes) -> str:
    shown = data if len(data) in (2, 4) else data[:8]
    if len(data) in (2, 4):
        return data[::-1].hex()
    return shown.hex() + ("…" if len(data) > 8 else "")


def write_elf(program: Program) -> bytes:
    """An executable of 64 bits: a header, one segment and one section for each of ours, symbols, names."""
    sections = [each for each in program.sections if each.data]
    body = bytearray(64 + 56 * len(sections))
    segments, headers = bytearray(), bytearray(64)
    names = bytearray(b"\0")
    for each in sections:
        offset = _append(body, b"" if each.is_bss else bytes(each.data), 4096 if not each.is_bss else 1)
        segments += _segment(each, offset)
        headers += _section_header(_name(names, each.name), each, offset)
    symbols, strings, local = _symbol_table(program, sections)
    position = _append(body, symbols, 8)
    link = len(sections) + 2
    headers += struct.pack(
        "<IIQQQQIIQQ", _name(names, ".symtab"), SHT_SYMTAB, 0, 0, position, len(symbols), link, local, 8, 24
    )
    position = _append(body, strings, 1)
    headers += struct.pack("<IIQQQQIIQQ", _name(names, ".strtab"), SHT_STRTAB, 0, 0, position, len(strings), 0, 0, 1, 0)
    own_name = _name(names, ".shstrtab")
    position = _append(body, bytes(names), 1)
    headers += struct.pack("<IIQQQQIIQQ", own_name, SHT_STRTAB, 0, 0, position, len(names), 0, 0, 1, 0)
    header_offset = _append(body, bytes(headers), 8)
    body[:64] = _elf_header(program, header_offset, len(sections), len(headers) // 64)
    body[64 : 64 + len(segments)] = segments
    return bytes(body)


def _append(body: bytearray, data: bytes, align: int) -> int:
    body.extend(bytes(-len(body) % align))
    offset = len(body)
    body.extend(data)
    return offset


def _name(names: bytearray, name: str) -> int:
    offset = len(names)
    names += name.encode() + b"\0"
    return offset


def _elf_header(program: Program, header_offset: int, segments: int, headers: int) -> bytes:
    ident = b"\x7fELF" + bytes([2, 1, 1]) + bytes(9)
    fields = (
        2,
        EM_RISCV,
        1,
        program.entry,
        64,
        header_offset,
        EF_RISCV_RVC,
        64,
        56,
        segments,
        64,
        headers,
        headers - 1,
    )
    return ident + struct.pack("<HHIQQQIHHHHHH", *fields)


def _segment(section: Section, offset: int) -> bytes:
    flags = PF_R | (PF_W if section.flags & SHF_WRITE else 0) | (PF_X if section.flags & SHF_EXECINSTR else 0)
    in_file = 0 if section.is_bss else len(section.data)
    address = section.address
    return struct.pack("<IIQQQQQQ", 1, flags, offset, address, address, in_file, len(section.data), section.align)


def _section_header(name: int, section: Section, offset: int) -> bytes:
    kind = SHT_NOBITS if section.is_bss else SHT_PROGBITS
    size, align = len(section.data), section.align
    return struct.pack("<IIQQQQIIQQ", name, kind, section.flags, section.address, offset, size, 0, 0, align, 0)


def _symbol_table(program: Program, sections: list[Section]) -> tuple[bytes, bytes, int]:
    """The symbols, local ones first, their names, and the number of the first global one."""
    table, strings = bytearray(24), bytearray(b"\0")
    ordered = sorted(program.symbols.items(), key=lambda item: (item[0] in program.globals, item[1], item[0]))
    for name, value in ordered:
        is_global = name in program.globals
        holders = (n for n, each in enumerate(sections, 1) if 0 <= value - each.address <= len(each.data))
        where, size = next(holders, SHN_ABS), program.sizes.get(name, 0)
        table += struct.pack("<IBBHQQ", _name(strings, name), is_global << 4, 0, where, value & (1 << 64) - 1, size)
    return bytes(table), bytes(strings), 1 + sum(name not in program.globals for name, _ in ordered)
