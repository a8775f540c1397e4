"""A, atomic instructions (QEMU target/riscv/insn_trans/trans_rva.c.inc).

As in QEMU every one is sequentially consistent, whatever its `aq` and `rl` bits ask for, and traps when misaligned.
And as QEMU 7.2 asks for A only where words are concerned, a hart has those on doublewords even without it.
"""

from __future__ import annotations

from collections.abc import Callable

from pyqemu_edu.target.riscv.insn.declare import Extension
from pyqemu_edu.target.riscv.insn.formats import Atomic
from pyqemu_edu.target.riscv.insn.protocol import Machine, Value

insn = Extension("A", "Atomic instructions on words", needs=("A",))
insn_d = Extension("RV64A", "Atomic instructions on doublewords")


def amo(m: Machine, a: Atomic, size: int, operation: Callable[[Value, Value], Value]) -> None:
    """Memory becomes operation(memory, x[rs2]); x[rd] becomes what memory was."""
    m.x[a.rd] = m.atomic(operation, m.x[a.rs1], m.sext(m.x[a.rs2], 8 * size), size)


# fmt: off
# ruff: noqa: D103, E501

# Load-reserved and store-conditional

@insn("00010 .. 00000 ..... 010 ..... 0101111  @atom", "{rd}, ({rs1})")
def lr_w(m: Machine, a: Atomic) -> None: m.x[a.rd] = m.load_reserved(m.x[a.rs1], 4)

@insn_d("00010 .. 00000 ..... 011 ..... 0101111  @atom", "{rd}, ({rs1})")
def lr_d(m: Machine, a: Atomic) -> None: m.x[a.rd] = m.load_reserved(m.x[a.rs1], 8)

@insn("00011 .. ..... ..... 010 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def sc_w(m: Machine, a: Atomic) -> None: m.x[a.rd] = m.store_conditional(m.x[a.rs1], m.x[a.rs2], 4)

@insn_d("00011 .. ..... ..... 011 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def sc_d(m: Machine, a: Atomic) -> None: m.x[a.rd] = m.store_conditional(m.x[a.rs1], m.x[a.rs2], 8)

# Read, modify, write

@insn("00001 .. ..... ..... 010 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoswap_w(m: Machine, a: Atomic) -> None: amo(m, a, 4, lambda old, new: new)

@insn("00000 .. ..... ..... 010 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoadd_w(m: Machine, a: Atomic) -> None: amo(m, a, 4, lambda old, new: old + new)

@insn("00100 .. ..... ..... 010 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoxor_w(m: Machine, a: Atomic) -> None: amo(m, a, 4, lambda old, new: old ^ new)

@insn("01100 .. ..... ..... 010 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoand_w(m: Machine, a: Atomic) -> None: amo(m, a, 4, lambda old, new: old & new)

@insn("01000 .. ..... ..... 010 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoor_w(m: Machine, a: Atomic) -> None: amo(m, a, 4, lambda old, new: old | new)

@insn("10000 .. ..... ..... 010 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amomin_w(m: Machine, a: Atomic) -> None: amo(m, a, 4, lambda old, new: m.select(m.signed(old) < m.signed(new), old, new))

@insn("10100 .. ..... ..... 010 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amomax_w(m: Machine, a: Atomic) -> None: amo(m, a, 4, lambda old, new: m.select(m.signed(old) < m.signed(new), new, old))

@insn("11000 .. ..... ..... 010 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amominu_w(m: Machine, a: Atomic) -> None: amo(m, a, 4, lambda old, new: m.select(old < new, old, new))

@insn("11100 .. ..... ..... 010 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amomaxu_w(m: Machine, a: Atomic) -> None: amo(m, a, 4, lambda old, new: m.select(old < new, new, old))

@insn_d("00001 .. ..... ..... 011 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoswap_d(m: Machine, a: Atomic) -> None: amo(m, a, 8, lambda old, new: new)

@insn_d("00000 .. ..... ..... 011 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoadd_d(m: Machine, a: Atomic) -> None: amo(m, a, 8, lambda old, new: old + new)

@insn_d("00100 .. ..... ..... 011 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoxor_d(m: Machine, a: Atomic) -> None: amo(m, a, 8, lambda old, new: old ^ new)

@insn_d("01100 .. ..... ..... 011 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoand_d(m: Machine, a: Atomic) -> None: amo(m, a, 8, lambda old, new: old & new)

@insn_d("01000 .. ..... ..... 011 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amoor_d(m: Machine, a: Atomic) -> None: amo(m, a, 8, lambda old, new: old | new)

@insn_d("10000 .. ..... ..... 011 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amomin_d(m: Machine, a: Atomic) -> None: amo(m, a, 8, lambda old, new: m.select(m.signed(old) < m.signed(new), old, new))

@insn_d("10100 .. ..... ..... 011 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amomax_d(m: Machine, a: Atomic) -> None: amo(m, a, 8, lambda old, new: m.select(m.signed(old) < m.signed(new), new, old))

@insn_d("11000 .. ..... ..... 011 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amominu_d(m: Machine, a: Atomic) -> None: amo(m, a, 8, lambda old, new: m.select(old < new, old, new))

@insn_d("11100 .. ..... ..... 011 ..... 0101111  @atom", "{rd}, {rs2}, ({rs1})")
def amomaxu_d(m: Machine, a: Atomic) -> None: amo(m, a, 8, lambda old, new: m.select(old < new, new, old))
