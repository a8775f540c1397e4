"""The operations between guest and host code, and what each computes (QEMU include/tcg/tcg-opc.h, include/tcg/tcg.h).

A block is a list of `TCGOp`.  Their arguments are `TCGTemp`s: *globals* are registers of the guest and keep their value
from block to block, *temporaries* live within one instruction, *constants* never change.  `COMPUTE` says what each
operation computes, on unsigned 64-bit numbers: it is what constant folding and the tests of the backend run.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from pyqemu_edu.tcg.host_float import HostFloat, Rounding

M = (1 << 64) - 1
SIGN = 1 << 63


def to_signed(value: int) -> int:
    """64 bits as a two's complement number."""
    return (value ^ SIGN) - SIGN


def sextract(value: int, bits: int) -> int:
    """The low `bits`, sign-extended to 64."""
    sign = 1 << bits - 1
    return ((value & (1 << bits) - 1 ^ sign) - sign) & M


class TCGCond(Enum):
    """Comparisons; those that end in U read their operands as unsigned."""

    EQ = "eq"
    NE = "ne"
    LT = "lt"
    GE = "ge"
    LTU = "ltu"
    GEU = "geu"


INVERTED = {
    TCGCond.EQ: TCGCond.NE,
    TCGCond.NE: TCGCond.EQ,
    TCGCond.LT: TCGCond.GE,
    TCGCond.GE: TCGCond.LT,
    TCGCond.LTU: TCGCond.GEU,
    TCGCond.GEU: TCGCond.LTU,
}

COMPARE: dict[TCGCond, Callable[[int, int], bool]] = {
    TCGCond.EQ: lambda a, b: a == b,
    TCGCond.NE: lambda a, b: a != b,
    TCGCond.LT: lambda a, b: to_signed(a) < to_signed(b),
    TCGCond.GE: lambda a, b: to_signed(a) >= to_signed(b),
    TCGCond.LTU: lambda a, b: a < b,
    TCGCond.GEU: lambda a, b: a >= b,
}


def div_i64(a: int, b: int) -> int:
    """Signed quotient towards zero; the divisor is not 0."""
    x, y = to_signed(a), to_signed(b)
    quotient = abs(x) // abs(y)
    return (-quotient if (x < 0) != (y < 0) else quotient) & M


def rem_i64(a: int, b: int) -> int:
    """What `div_i64` leaves, with the dividend's sign."""
    x, y = to_signed(a), to_signed(b)
    remainder = abs(x) % abs(y)
    return (-remainder if x < 0 else remainder) & M


def clz_i64(a: int, if_zero: int) -> int:
    """How many zeros are above the highest one."""
    return 64 - a.bit_length() if a else if_zero


def ctz_i64(a: int, if_zero: int) -> int:
    """How many zeros are below the lowest one."""
    return (a & -a).bit_length() - 1 if a else if_zero


def bswap64_i64(a: int) -> int:
    """The eight bytes in reverse order."""
    return int.from_bytes(a.to_bytes(8, "little"), "big")


COMPUTE: dict[str, Callable[..., int]] = {
    "mov_i64": lambda a: a,
    "add_i64": lambda a, b: (a + b) & M,
    "sub_i64": lambda a, b: (a - b) & M,
    "mul_i64": lambda a, b: (a * b) & M,
    "muluh_i64": lambda a, b: a * b >> 64,
    "mulsh_i64": lambda a, b: (to_signed(a) * to_signed(b) >> 64) & M,
    "mulsuh_i64": lambda a, b: (to_signed(a) * b >> 64) & M,
    "div_i64": div_i64,
    "rem_i64": rem_i64,
    "divu_i64": lambda a, b: a // b,
    "remu_i64": lambda a, b: a % b,
    "and_i64": lambda a, b: a & b,
    "or_i64": lambda a, b: a | b,
    "xor_i64": lambda a, b: a ^ b,
    "not_i64": lambda a: ~a & M,
    "neg_i64": lambda a: -a & M,
    "shl_i64": lambda a, b: (a << (b & 63)) & M,
    "shr_i64": lambda a, b: a >> (b & 63),
    "sar_i64": lambda a, b: (to_signed(a) >> (b & 63)) & M,
    "ext8s_i64": lambda a: sextract(a, 8),
    "ext16s_i64": lambda a: sextract(a, 16),
    "ext32s_i64": lambda a: sextract(a, 32),
    "ext8u_i64": lambda a: a & 0xFF,
    "ext16u_i64": lambda a: a & 0xFFFF,
    "ext32u_i64": lambda a: a & 0xFFFFFFFF,
    "clz_i64": clz_i64,
    "ctz_i64": ctz_i64,
    "ctpop_i64": int.bit_count,
    "bswap64_i64": bswap64_i64,
    "setcond_i64": lambda a, b, cond: int(COMPARE[cond](a, b)),
    "movcond_i64": lambda a, b, yes, no, cond: yes if COMPARE[cond](a, b) else no,
}

COMMUTATIVE = {"add_i64", "mul_i64", "muluh_i64", "mulsh_i64", "and_i64", "or_i64", "xor_i64"}


class TempKind(Enum):
    """How long a value lives, and whether it can change."""

    GLOBAL = "global"
    TEMP = "temp"
    CONST = "const"


@dataclass(eq=False)
class TCGTemp:
    """A value.  A global says where the guest's register is: `place` is Python for it, such as `gpr[5]`."""

    kind: TempKind
    index: int
    name: str
    place: str = ""
    value: int = 0

    def __str__(self) -> str:
        return f"$0x{self.value:x}" if self.kind is TempKind.CONST else self.name


@dataclass(eq=False)
class TCGLabel:
    """A place in the block to branch to, always forward."""

    id: int

    def __str__(self) -> str:
        return f"$L{self.id}"


@dataclass(frozen=True, slots=True)
class MemOp:
    """Width of a memory access, whether its value is signed, whether it must be aligned (QEMU include/exec/memop.h)."""

    size: int
    signed: bool = False
    align: bool = False
    atomic: bool = False

    @property
    def view(self) -> str:
        """The name of the TLB's view for such a load (Not in QEMU)."""
        return f"ld{self.size}{'s' if self.signed and self.size < 8 else ''}"

    def __str__(self) -> str:
        letters = {1: "b", 2: "w", 4: "l", 8: "q"}[self.size]
        sign = "s" if self.signed else "u"
        name = {1: sign + "b", 8: "leq"}.get(self.size, f"le{sign}{letters}")
        return ("al+" if self.align else "") + name


Argument: TypeAlias = "TCGTemp | TCGLabel | TCGCond | MemOp | HostFloat | Rounding | int | str | Callable[..., Any]"


@dataclass(eq=False)
class TCGOp:
    """One operation: what it writes, what it reads, and what it knows beforehand."""

    opc: str
    outputs: tuple[TCGTemp, ...] = ()
    inputs: tuple[TCGTemp, ...] = ()
    args: tuple[Argument, ...] = ()

    @property
    def label(self) -> TCGLabel:
        """Where a branch goes, or the label that is set."""
        return next(arg for arg in self.args if isinstance(arg, TCGLabel))

    @property
    def cond(self) -> TCGCond:
        """The comparison."""
        return next(arg for arg in self.args if isinstance(arg, TCGCond))


SIDE_EFFECTS = {
    "insn_start", "qemu_ld_i64", "qemu_st_i64", "call", "brcond_i64", "br", "set_label", "goto_tb", "exit_tb",
    "goto_ptr", "discard", "io_start", "seam",
}  # fmt: skip
"""Operations that are done even if nobody looks at their result; the others are in `COMPUTE`."""


@dataclass(eq=False)
class TCGContext:
    """Where the operations of the block in the making are gathered (QEMU `tcg_ctx`)."""

    globals: list[TCGTemp] = field(default_factory=list)
    ops: list[TCGOp] = field(default_factory=list)
    tb_cflags: int = 0
    nb_temps: int = 0
    nb_labels: int = 0
    constants: dict[int, TCGTemp] = field(default_factory=dict)

    def temps_used(self) -> Iterator[TCGTemp]:
        """Every argument that is a value, in order of appearance."""
        for op in self.ops:
            yield from op.outputs
            yield from op.inputs
