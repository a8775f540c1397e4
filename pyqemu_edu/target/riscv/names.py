"""The meanings' values as names: every operator emits an operation (Not in QEMU).

The meaning of `add` says `m.x[a.rs1] + m.x[a.rs2]`.  Read on names, `m.x[...]` is a `Name`, and `+` emits `add_i64`
into a fresh temporary, whose name is the result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyqemu_edu.tcg.op import INVERTED, TCGCond, TCGContext, TCGTemp
from pyqemu_edu.tcg.tcg import tcg_constant, tcg_gen_binary, tcg_gen_movcond, tcg_gen_setcond, tcg_gen_unary


class Undecided(Exception):
    """A meaning has asked whether a value is true: the translator cannot know, `m.select` is needed."""


@dataclass(frozen=True, eq=False)
class Name:
    """A value that is known by name only."""

    m: Names
    temp: TCGTemp

    def binary(self, opc: str, other: Any, reverse: bool = False) -> Name:
        """Emit `self opc other`."""
        a, b = self.temp, self.m.temp(other)
        if reverse:
            a, b = b, a
        return Name(self.m, tcg_gen_binary(self.m.tcg, opc, a, b))

    def compare(self, cond: TCGCond, other: Any) -> Condition:
        """A comparison, not yet a value."""
        return Condition(self.m, cond, self.temp, self.m.temp(other))

    # fmt: off
    def __add__(self, other: Any) -> Name: return self.binary("add_i64", other)
    def __radd__(self, other: Any) -> Name: return self.binary("add_i64", other, True)
    def __sub__(self, other: Any) -> Name: return self.binary("sub_i64", other)
    def __rsub__(self, other: Any) -> Name: return self.binary("sub_i64", other, True)
    def __mul__(self, other: Any) -> Name: return self.binary("mul_i64", other)
    def __and__(self, other: Any) -> Name: return self.binary("and_i64", other)
    def __rand__(self, other: Any) -> Name: return self.binary("and_i64", other, True)
    def __or__(self, other: Any) -> Name: return self.binary("or_i64", other)
    def __ror__(self, other: Any) -> Name: return self.binary("or_i64", other, True)
    def __xor__(self, other: Any) -> Name: return self.binary("xor_i64", other)
    def __rxor__(self, other: Any) -> Name: return self.binary("xor_i64", other, True)
    def __lshift__(self, other: Any) -> Name: return self.binary("shl_i64", other)
    def __rlshift__(self, other: Any) -> Name: return self.binary("shl_i64", other, True)
    def __rshift__(self, other: Any) -> Name: return self.binary("shr_i64", other)
    def __invert__(self) -> Name: return Name(self.m, tcg_gen_unary(self.m.tcg, "not_i64", self.temp))
    def __neg__(self) -> Name: return Name(self.m, tcg_gen_unary(self.m.tcg, "neg_i64", self.temp))
    def __lt__(self, other: Any) -> Condition: return self.compare(TCGCond.LTU, other)
    def __ge__(self, other: Any) -> Condition: return self.compare(TCGCond.GEU, other)
    def __eq__(self, other: Any) -> Condition: return self.compare(TCGCond.EQ, other)  # type: ignore[override]
    def __ne__(self, other: Any) -> Condition: return self.compare(TCGCond.NE, other)  # type: ignore[override]
    # fmt: on

    def __gt__(self, other: Any) -> Condition:
        return Condition(self.m, TCGCond.LTU, self.m.temp(other), self.temp)

    def __le__(self, other: Any) -> Condition:
        return Condition(self.m, TCGCond.GEU, self.m.temp(other), self.temp)

    def __bool__(self) -> bool:
        raise Undecided("a guest value has no truth while its block is translated: use m.select")

    __hash__ = None  # type: ignore[assignment]


@dataclass(frozen=True, eq=False)
class SignedName:
    """A name whose value is read as two's complement."""

    m: Names
    temp: TCGTemp

    def __rshift__(self, other: Any) -> Name:
        return Name(self.m, self.temp).binary("sar_i64", other)

    def __lt__(self, other: Any) -> Condition:
        return Condition(self.m, TCGCond.LT, self.temp, self.m.temp(other))

    def __ge__(self, other: Any) -> Condition:
        return Condition(self.m, TCGCond.GE, self.temp, self.m.temp(other))

    __bool__ = Name.__bool__


@dataclass(frozen=True, eq=False)
class Condition:
    """A comparison: a branch and `select` take it as it is, elsewhere it becomes 1 or 0."""

    m: Names
    cond: TCGCond
    a: TCGTemp
    b: TCGTemp

    def __invert__(self) -> Condition:
        return Condition(self.m, INVERTED[self.cond], self.a, self.b)

    def value(self) -> TCGTemp:
        """The comparison as 1 or 0."""
        return tcg_gen_setcond(self.m.tcg, self.cond, self.a, self.b)

    __bool__ = Name.__bool__


class Names:
    """The part of the machine's protocol (insn/protocol.py) that only computes."""

    tcg: TCGContext

    def temp(self, value: Any) -> TCGTemp:
        """Any value that a meaning may have, as a temporary."""
        match value:
            case int():
                return tcg_constant(self.tcg, value)
            case Condition():
                return value.value()
            case Name() | SignedName():
                return value.temp
        raise TypeError(f"{value!r} is not a guest value")

    def signed(self, value: Any) -> Any:
        """The same bits, read as two's complement."""
        return SignedName(self, self.temp(value))

    def sext(self, value: Any, bits: int) -> Name:
        """The low bits, sign-extended."""
        return self._extend(value, bits, "s")

    def zext(self, value: Any, bits: int) -> Any:
        """The low bits, zero-extended."""
        if isinstance(value, int):
            return value & (1 << bits) - 1
        return self._extend(value, bits, "u")

    def _extend(self, value: Any, bits: int, sign: str) -> Name:
        if bits == 64:
            return Name(self, self.temp(value))
        if bits in (8, 16, 32):
            return self._unary(f"ext{bits}{sign}_i64", value)
        shifted = Name(self, self.temp(value)) << 64 - bits
        extended = self.signed(shifted) >> 64 - bits if sign == "s" else shifted >> 64 - bits
        assert isinstance(extended, Name)
        return extended

    def select(self, condition: Any, yes: Any, no: Any) -> Name:
        """One of two values."""
        if not isinstance(condition, Condition):
            condition = Name(self, self.temp(condition)) != 0
        temps = (condition.a, condition.b, self.temp(yes), self.temp(no))
        return Name(self, tcg_gen_movcond(self.tcg, condition.cond, *temps))

    def _binary(self, opc: str, a: Any, b: Any) -> Name:
        return Name(self, tcg_gen_binary(self.tcg, opc, self.temp(a), self.temp(b)))

    def _unary(self, opc: str, value: Any) -> Name:
        return Name(self, tcg_gen_unary(self.tcg, opc, self.temp(value)))

    # fmt: off
    def clz(self, value: Any) -> Name: return self._binary("clz_i64", value, 64)
    def ctz(self, value: Any) -> Name: return self._binary("ctz_i64", value, 64)
    def cpop(self, value: Any) -> Name: return self._unary("ctpop_i64", value)
    def bswap(self, value: Any) -> Name: return self._unary("bswap64_i64", value)
    def mulh(self, a: Any, b: Any) -> Name: return self._binary("mulsh_i64", a, b)
    def mulhu(self, a: Any, b: Any) -> Name: return self._binary("muluh_i64", a, b)
    def mulhsu(self, a: Any, b: Any) -> Name: return self._binary("mulsuh_i64", a, b)
    def div(self, a: Any, b: Any) -> Name: return self._binary("div_i64", a, b)
    def rem(self, a: Any, b: Any) -> Name: return self._binary("rem_i64", a, b)
    def divu(self, a: Any, b: Any) -> Name: return self._binary("divu_i64", a, b)
    def remu(self, a: Any, b: Any) -> Name: return self._binary("remu_i64", a, b)
    # fmt: on
