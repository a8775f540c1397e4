"""Reading a meaning on nothing: which registers, memory and CSRs does an instruction touch? (Not in QEMU).

    effects(add, R(rd=1, rs1=2, rs2=3))     # reads x2, x3, writes x1

Floating-point registers are numbered behind the others: f0 is 32.  Values are marks that survive every operator;
nothing is computed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.target.riscv.insn.declare import Meaning
from pyqemu_edu.target.riscv.insn.formats import Operands


class Mark:
    """A value that nobody knows; it has no truth."""

    def _operate(self, *others: object) -> Mark:
        return self

    __add__ = __radd__ = __sub__ = __rsub__ = __mul__ = __rmul__ = _operate
    __and__ = __rand__ = __or__ = __ror__ = __xor__ = __rxor__ = _operate
    __lshift__ = __rlshift__ = __rshift__ = __rrshift__ = __invert__ = __neg__ = _operate
    __lt__ = __le__ = __gt__ = __ge__ = _operate

    def __eq__(self, other: object) -> Mark:  # type: ignore[override]
        return self

    def __ne__(self, other: object) -> Mark:  # type: ignore[override]
        return self

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise TypeError("a meaning asks for the truth of a guest's value; it should say m.select")


MARK = Mark()


@dataclass
class Effects:
    """What an instruction touches.  Sizes are in bytes; `helpers` may change anything in the hart."""

    reads: set[int] = field(default_factory=set)
    writes: set[int] = field(default_factory=set)
    loads: list[int] = field(default_factory=list)
    stores: list[int] = field(default_factory=list)
    csrs: list[int] = field(default_factory=list)
    helpers: list[str] = field(default_factory=list)
    reads_pc: bool = False
    branches: bool = False
    jumps: bool = False
    traps: bool = False
    ends_block: bool = False


FIRST_FPR = 32


class _Registers:
    def __init__(self, effects: Effects, first: int = 0) -> None:
        self._effects = effects
        self._first = first

    def __getitem__(self, index: int) -> Mark:
        if index + self._first:
            self._effects.reads.add(index + self._first)
        return MARK

    def __setitem__(self, index: int, value: object) -> None:
        if index + self._first:
            self._effects.writes.add(index + self._first)


class EffectsMachine:
    """The `Machine` of the instruction protocol that only takes notes."""

    def __init__(self) -> None:
        self.effects = Effects()
        self.x = _Registers(self.effects)
        self.f = _Registers(self.effects, FIRST_FPR)

    def _mark(self, *values: object) -> Mark:
        return MARK

    signed = sext = zext = select = clz = ctz = cpop = bswap = _mark
    mulh = mulhu = mulhsu = div = rem = divu = remu = _mark

    @property
    def pc(self) -> Mark:
        """The address of the instruction."""
        self.effects.reads_pc = True
        return MARK

    next_pc = pc

    def load(self, address: object, size: int, signed: bool = True) -> Mark:
        """Note a load."""
        self.effects.loads.append(size)
        return MARK

    def store(self, address: object, value: object, size: int) -> None:
        """Note a store."""
        self.effects.stores.append(size)

    def load_reserved(self, address: object, size: int) -> Mark:
        """Note a load."""
        return self.load(address, size)

    def store_conditional(self, address: object, value: object, size: int) -> Mark:
        """Note a store, which may not happen."""
        self.store(address, value, size)
        return MARK

    def atomic(self, operation: Callable[[Any, Any], Any], address: object, operand: object, size: int) -> Mark:
        """Note a load and a store."""
        self.load(address, size)
        self.store(address, operation(MARK, MARK), size)
        return MARK

    def branch(self, condition: object, offset: int) -> None:
        """Note a branch."""
        self.effects.branches = self.effects.ends_block = True

    def jump(self, target: object, link: int = 0) -> None:
        """Note a jump, and the register that the way back is left in."""
        self.effects.jumps = self.effects.ends_block = True
        self.x[link] = MARK

    def csr(self, number: int, value: object, mask: object, reads: bool, writes: bool) -> Mark:
        """Note a CSR."""
        self.effects.csrs.append(number)
        self.effects.ends_block = True
        return MARK

    def helper(self, function: Callable[..., Any], *arguments: object) -> Mark:
        """Note a helper."""
        self.effects.helpers.append(function.__name__)
        return MARK

    def rounded(self, rm: int, function: Callable[..., Any], *arguments: object) -> Mark:
        """Note a helper."""
        return self.helper(function)

    def raise_exception(self, cause: int, tval: object = 0) -> None:
        """Note a trap that always happens."""
        self.effects.traps = self.effects.ends_block = True

    def fence_i(self) -> None:
        """Note the end of a block."""
        self.effects.ends_block = True

    def halt(self, function: Callable[..., Any]) -> None:
        """Note a helper."""
        self.helper(function)

    def exit(self, target: object = None) -> None:
        """Note the end of a block."""
        self.effects.ends_block = True


def effects(meaning: Meaning, operands: Operands) -> Effects:
    """What an instruction with these operands touches."""
    machine = EffectsMachine()
    meaning(machine, operands)
    return machine.effects
