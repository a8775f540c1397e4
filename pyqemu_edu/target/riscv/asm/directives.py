"""Directives: sections, symbols, data, alignment (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import TYPE_CHECKING

from pyqemu_edu.target.riscv.asm.lines import unquote

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.asm.assembler import Pass

NOP, C_NOP = bytes.fromhex("13000000"), bytes.fromhex("0100")
MAX_SIZE = 1 << 24


def section(p: Pass, name: str, *flags: str) -> None:
    """`.section .data, "aw"`: the name says it all."""
    p.enter_section(name.strip('"'))


def globl(p: Pass, *names: str) -> None:
    """Symbols that a debugger and a linker are to see."""
    p.globals.update(names)


def assign(p: Pass, name: str, value: str) -> None:
    """`.set name, value` and `name = value`; in the first pass the value may wait for a label."""
    try:
        p.symbols[name] = p.evaluate(value)
    except ValueError:
        if not p.is_first:
            raise


def measure(p: Pass, name: str, length: str) -> None:
    """`.size name, length`: how long a debugger, or HTIF, takes a symbol to be."""
    if not p.is_first:
        p.sizes[name] = p.evaluate(length)


def data(size: int, p: Pass, *values: str) -> None:
    """Numbers of `size` bytes each, of either sign."""
    if p.is_first:
        p.emit(bytes(size * len(values)))
        return
    for text in values:
        value = p.evaluate(text)
        if not -(1 << 8 * size - 1) <= value < 1 << 8 * size:
            raise ValueError(f"{value} does not fit in {size} bytes")
        p.emit((value & (1 << 8 * size) - 1).to_bytes(size, "little"))


def text(end: bytes, p: Pass, *strings: str) -> None:
    """Strings, each followed by `end`."""
    for each in strings:
        p.emit(unquote(each) + end)


def space(p: Pass, size: str, fill: str = "0") -> None:
    """So many bytes, of zeros or another value."""
    count = p.evaluate(size)
    if not 0 <= count <= MAX_SIZE:
        raise ValueError(f"a space of {count} bytes")
    p.emit(bytes([p.evaluate(fill) & 0xFF]) * count)


def balign(p: Pass, boundary: str, fill: str | None = None, limit: str | None = None) -> None:
    """Go on at a multiple of `boundary`: over instructions that do nothing in code, else over `fill`."""
    to = p.evaluate(boundary)
    if to <= 0 or to & (to - 1):
        raise ValueError(f"{to} is not a power of two")
    _align(p, to, fill, limit)


def p2align(p: Pass, power: str, fill: str | None = None, limit: str | None = None) -> None:
    """The same for a boundary of 2**power, which on RISC-V is what `.align` means too."""
    exponent = p.evaluate(power)
    if not 0 <= exponent <= 24:
        raise ValueError(f"cannot align to 2**{exponent}")
    _align(p, 1 << exponent, fill, limit)


def _align(p: Pass, to: int, fill: str | None, limit: str | None) -> None:
    gap = -p.pc % to
    p.section.align = max(p.section.align, to)
    if limit is not None and gap > p.evaluate(limit):
        return
    if fill or not p.section.name.startswith(".text"):
        p.emit(bytes([p.evaluate(fill or "0") & 0xFF]) * gap)
    else:
        p.emit(bytes(gap % 2) + C_NOP * (gap // 2 % 2) + NOP * (gap // 4))


def ignored(p: Pass, *operands: str) -> None:
    """Says nothing that we need."""


# fmt: off
DIRECTIVES: dict[str, Callable[..., None]] = {
    ".section": section,
    **{name: partial(lambda name, p: p.enter_section(name), name) for name in (".text", ".data", ".rodata", ".bss")},
    ".globl": globl, ".global": globl,
    ".set": assign, ".equ": assign,
    ".byte": partial(data, 1),
    ".half": partial(data, 2), ".2byte": partial(data, 2), ".short": partial(data, 2), ".hword": partial(data, 2),
    ".word": partial(data, 4), ".4byte": partial(data, 4), ".long": partial(data, 4),
    ".dword": partial(data, 8), ".8byte": partial(data, 8), ".quad": partial(data, 8),
    ".ascii": partial(text, b""), ".asciz": partial(text, b"\0"), ".string": partial(text, b"\0"),
    ".space": space, ".zero": space, ".skip": space,
    ".align": p2align, ".p2align": p2align, ".balign": balign,
    ".option": ignored,  # `rvc`, `norvc`, `norelax`: nothing is compressed or relaxed unless written so
    ".size": measure,
    ".type": ignored, ".local": ignored, ".weak": ignored, ".file": ignored, ".ident": ignored,
    ".attribute": ignored, ".end": ignored,
}
# fmt: on
