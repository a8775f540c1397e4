"""A, atomic instructions (QEMU target/riscv/insn_trans/trans_rva.c.inc).

As in QEMU every one is sequentially consistent, whatever its `aq` and `rl` bits ask for, and traps when misaligned.
And as QEMU 7.2 asks for A only where words are concerned, a hart has those on doublewords even without it.

Each is there for both widths: `amoadd_width` is the meaning of amoadd.w and of amoadd.d.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu_edu.target.riscv.insn.declare import Extension, Family
from pyqemu_edu.target.riscv.insn.formats import Atomic
from pyqemu_edu.target.riscv.insn.protocol import Machine, Value

A = Extension("A", "Atomic instructions on words", needs=("A",))
RV64A = Extension("RV64A", "Atomic instructions on doublewords")

insn = Family({4: A, 8: RV64A})


def amo(m: Machine, a: Atomic, size: int, operation: Callable[[Value, Value], Value]) -> None:
    """Memory becomes operation(memory, x[rs2]); x[rd] becomes what memory was."""
    m.x[a.rd] = m.atomic(operation, m.x[a.rs1], m.sext(m.x[a.rs2], 8 * size), size)


# fmt: off
# ruff: noqa: D103

# Load-reserved and store-conditional

@insn("00010 .. 00000 ..... width ..... 0101111  @atom", "{rd}, ({rs1})")
def lr_width(m: Machine, a: Atomic, size: int) -> None: m.x[a.rd] = m.load_reserved(m.x[a.rs1], size)

@insn("00011 .. ..... ..... width ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def sc_width(m: Machine, a: Atomic, size: int) -> None: m.x[a.rd] = m.store_conditional(m.x[a.rs1], m.x[a.rs2], size)

# Read, modify, write

@insn("00001 .. ..... ..... width ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoswap_width(m: Machine, a: Atomic, size: int) -> None: amo(m, a, size, lambda old, new: new)

@insn("00000 .. ..... ..... width ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoadd_width(m: Machine, a: Atomic, size: int) -> None: amo(m, a, size, lambda old, new: old + new)

@insn("00100 .. ..... ..... width ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoxor_width(m: Machine, a: Atomic, size: int) -> None: amo(m, a, size, lambda old, new: old ^ new)

@insn("01100 .. ..... ..... width ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoand_width(m: Machine, a: Atomic, size: int) -> None: amo(m, a, size, lambda old, new: old & new)

@insn("01000 .. ..... ..... width ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoor_width(m: Machine, a: Atomic, size: int) -> None: amo(m, a, size, lambda old, new: old | new)

@insn("10000 .. ..... ..... width ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amomin_width(m: Machine, a: Atomic, size: int) -> None:
    amo(m, a, size, lambda old, new: m.select(m.signed(old) < m.signed(new), old, new))

@insn("10100 .. ..... ..... width ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amomax_width(m: Machine, a: Atomic, size: int) -> None:
    amo(m, a, size, lambda old, new: m.select(m.signed(old) < m.signed(new), new, old))

@insn("11000 .. ..... ..... width ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amominu_width(m: Machine, a: Atomic, size: int) -> None:
    amo(m, a, size, lambda old, new: m.select(old < new, old, new))

@insn("11100 .. ..... ..... width ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amomaxu_width(m: Machine, a: Atomic, size: int) -> None:
    amo(m, a, size, lambda old, new: m.select(old < new, new, old))
