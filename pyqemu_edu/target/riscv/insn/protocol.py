"""What an instruction's meaning may ask of the machine that reads it (Not in QEMU).

A meaning is a Python function `add(m, a)`: `m` is a reading of the machine, `a` the instruction's operands.  The same
text is read on numbers (the interpreter, where a value is a Python int), on names (the translator, where a value is a
temporary and every operator emits a TCG op) and on nothing (which registers does it touch?).  So a meaning uses no
`if`, `and`, `or`, `not` or `while` on values of the guest; it says `m.select`.

Values are XLEN = 64 bits wide and unsigned.  `+ - * & | ^ ~ <<` work modulo 2**64 (the reading masks when a value lands
in a register, an address or a comparison made by this protocol); `>>`, `<`, `>=`, `==`, `!=` read their operands as
unsigned.  `m.signed(v)` is the same bits read as two's complement: `>>`, `<` and `>=` on it are arithmetic.  A plain
int may stand wherever a value may; operands such as `a.imm` are plain, possibly negative ints, so one that is compared
is first made a value by `m.zext(a.imm, 64)`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

Value = Any
"""A guest value: a Python int (numbers), a temporary (names), or a mark (nothing)."""


class Registers(Protocol):
    """Integer registers, of which `x[0]` reads as zero and swallows what is written to it, or floating-point ones."""

    def __getitem__(self, index: int) -> Value: ...
    def __setitem__(self, index: int, value: Value) -> None: ...


class Machine(Protocol):
    """One hart, as an instruction sees it."""

    x: Registers
    f: Registers
    """64 bits each, whatever they hold; writing one makes mstatus.FS dirty."""

    @property
    def pc(self) -> Value:
        """The address of this instruction."""

    @property
    def next_pc(self) -> Value:
        """The address of the instruction behind this one: pc + 4, or pc + 2 if this one is compressed."""

    # fmt: off
    def signed(self, value: Value) -> Value: ...                              # the same bits, read as two's complement
    def sext(self, value: Value, bits: int) -> Value: ...                     # the low `bits`, sign-extended
    def zext(self, value: Value, bits: int) -> Value: ...                     # the low `bits`, zero-extended
    def select(self, condition: Value, yes: Value, no: Value) -> Value: ...   # both are evaluated, one is chosen
    def clz(self, value: Value) -> Value: ...                                 # zeros above the highest one; 64 if none
    def ctz(self, value: Value) -> Value: ...                                 # zeros below the lowest one; 64 if none
    def cpop(self, value: Value) -> Value: ...                                # how many ones
    def bswap(self, value: Value) -> Value: ...                               # the eight bytes in reverse order
    def mulh(self, a: Value, b: Value) -> Value: ...                          # high half: signed * signed
    def mulhu(self, a: Value, b: Value) -> Value: ...                         # high half: unsigned * unsigned
    def mulhsu(self, a: Value, b: Value) -> Value: ...                        # high half: signed * unsigned
    def div(self, a: Value, b: Value) -> Value: ...                           # signed, towards 0, wraps; b is never 0
    def rem(self, a: Value, b: Value) -> Value: ...                           # its remainder, sign of a
    def divu(self, a: Value, b: Value) -> Value: ...                          # unsigned; b is never 0
    def remu(self, a: Value, b: Value) -> Value: ...
    def load(self, address: Value, size: int, signed: bool = True) -> Value: ...     # `size` bytes, little-endian
    def store(self, address: Value, value: Value, size: int) -> None: ...            # the low `size` bytes
    # fmt: on

    def branch(self, condition: Value, offset: int) -> None:
        """Go to pc + `offset` if `condition` holds, else to next_pc; ends a block."""

    def jump(self, target: Value, link: int = 0) -> None:
        """Go to `target`, leaving next_pc in x[link] (unless the target is misaligned, which traps); ends a block."""

    def load_reserved(self, address: Value, size: int) -> Value:
        """Load, and remember the address and the value for `store_conditional` (as QEMU does)."""

    def store_conditional(self, address: Value, value: Value, size: int) -> Value:
        """Store if the reservation stands: 0 for success, 1 for failure."""

    def atomic(self, operation: Callable[[Value, Value], Value], address: Value, operand: Value, size: int) -> Value:
        """Replace memory by `operation(memory, operand)` indivisibly; the old value, sign-extended."""

    def csr(self, number: int, value: Value, mask: Value, reads: bool, writes: bool) -> Value:
        """Replace the bits in `mask` of a CSR by `value`; its old value (QEMU `riscv_csrrw`); ends a block."""

    def helper(self, function: Callable[..., Any], *arguments: Value) -> Value:
        """Call `function(env, *arguments)` with pc known exactly; it may trap; what it returns, if anything."""

    def rounded(self, rm: int, function: Callable[..., Any], *arguments: Value) -> Value:
        """The same for a helper that rounds as `rm` says; a mode that does not exist is an illegal instruction."""

    def raise_exception(self, cause: int, tval: Value = 0) -> None:
        """Trap to the machine's handler with this cause; ends a block."""

    def fence_i(self) -> None:
        """Stores so far are seen by the fetches that follow; ends a block."""

    def halt(self, function: Callable[..., Any]) -> None:
        """Call `function(env)`, which returns to the main loop by itself, with pc moved on; ends no block."""

    def exit(self, target: Value | None = None) -> None:
        """Return to the main loop after this instruction, with pc moved on, or at `target`; ends a block."""
