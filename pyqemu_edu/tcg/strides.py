"""Loops that fill or copy memory, many rounds at once (Not in QEMU).

A kernel clears its pages one byte after the other:

    80000cf4: sb   a1,0(a5)
    80000cf8: addi a5,a5,1
    80000cfa: bne  a5,a4,80000cf4

In such a loop is nothing but one store, perhaps of what one load has found, and registers that grow by the same in each
round: so it can be known how often it will go round, and what memory will be then.  `find_stride` recognises it.  The
loop tries from time to time to have the rounds ahead done at once, as far as they stay within a page that the TLB's
views know and are not the last.  All else, such as what may trap, is left to the rounds themselves.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from pyqemu_edu.tcg.op import INVERTED, M, MemOp, TCGCond, TCGOp, TCGTemp, TempKind, to_signed

if TYPE_CHECKING:
    from pyqemu_edu.tcg.python_backend import Emitter

PAGE = 0x1000
ROUNDS_BETWEEN = 64
"""How many rounds a loop goes before it tries again."""


@dataclass(frozen=True, slots=True)
class Linear:
    """A value: what `root` was when the round began, plus `offset`."""

    root: TCGTemp
    offset: int = 0


Value = Linear | TCGOp
"""What is known of a value: that it is linear, or the load that it comes from."""


@dataclass(eq=False)
class Round:
    """One round on symbols: what each register becomes; loads and their addresses; stores, addresses and values."""

    values: dict[TCGTemp, Value] = field(default_factory=dict)
    loads: list[tuple[TCGOp, Value]] = field(default_factory=list)
    stores: list[tuple[TCGOp, Value, Value]] = field(default_factory=list)

    def value(self, temp: TCGTemp) -> Value:
        """What a register is now."""
        return self.values.get(temp) or Linear(temp)

    def step(self, temp: TCGTemp) -> int | None:
        """By how much the round changes a register; none if that is not the same in each."""
        value = self.value(temp)
        return to_signed(value.offset & M) if isinstance(value, Linear) and value.root is temp else None

    def advances(self, address: Value, size: int) -> bool:
        """Whether each round accesses the place behind that of the round before."""
        return isinstance(address, Linear) and self.step(address.root) == size

    def run(self, op: TCGOp) -> bool:
        """Do one operation; whether it was one of the few that are understood."""
        first = self.value(op.inputs[0]) if op.inputs else None
        if op.opc == "add_i64" and isinstance(first, Linear) and op.inputs[1].kind is TempKind.CONST:
            self.values[op.outputs[0]] = Linear(first.root, first.offset + op.inputs[1].value)
        elif op.opc == "mov_i64" and first is not None:
            self.values[op.outputs[0]] = first
        elif op.opc == "qemu_ld_i64" and first is not None:
            self.loads.append((op, first))
            self.values[op.outputs[0]] = op
        elif op.opc == "qemu_st_i64":
            assert first is not None
            self.stores.append((op, self.value(op.inputs[1]), first))
        else:
            return op.opc == "insn_start"
        return True


@dataclass(frozen=True)
class Stride:
    """A loop that can go many rounds at once.

    It goes on until `counter`, which grows by `step`, has come to `bound`.  Each round stores to `store` the register
    `value`; if there is a `load`, that is what was loaded from there, through that view.  `steps` says how the other
    registers grow.
    """

    counter: TCGTemp
    step: int
    bound: TCGTemp
    size: int
    store: Linear
    value: TCGTemp
    load: Linear | None
    load_view: str
    steps: dict[TCGTemp, int]


def find_stride(ops: Sequence[TCGOp], branch: TCGOp, taken: bool) -> Stride | None:
    """The loop whose rounds are `ops`, if it is one; it goes on if `branch` is taken, or if it is not."""
    round_ = Round()
    if not all(round_.run(op) for op in ops) or len(round_.stores) != 1 or len(round_.loads) > 1:
        return None
    ((store, address, value),), counted = round_.stores, find_counter(round_, branch, taken)
    memop, stored = store.args[0], store.inputs[0]
    assert isinstance(memop, MemOp)
    source, view = loaded_from(round_, value, memop.size)
    same = value == Linear(stored) and round_.step(stored) == 0 and not round_.loads
    if counted is None or memop.atomic or not round_.advances(address, memop.size) or not (same or source):
        return None
    assert isinstance(address, Linear)
    grow = [temp for temp in round_.values if temp.kind is TempKind.GLOBAL and not (source and temp is stored)]
    steps = {temp: step for temp in grow if (step := round_.step(temp)) is not None}
    return Stride(*counted, memop.size, address, stored, source, view, steps) if len(steps) == len(grow) else None


def loaded_from(round_: Round, value: Value, size: int) -> tuple[Linear | None, str]:
    """Where the value that is stored was loaded from in this round, and the view for such loads; none if it was not."""
    if isinstance(value, Linear) or value.outputs[0].kind is not TempKind.GLOBAL:
        return None, ""
    ((load, address),), memop = round_.loads, value.args[0]
    assert isinstance(memop, MemOp)
    if memop.size != size or memop.align or memop.atomic or not round_.advances(address, size):
        return None, ""
    assert isinstance(address, Linear)
    return address if load is round_.value(load.outputs[0]) else None, memop.view


def find_counter(round_: Round, branch: TCGOp, taken: bool) -> tuple[TCGTemp, int, TCGTemp] | None:
    """The register that decides, its step, and where it ends; none if the loop goes on for another reason."""
    cond = branch.cond if taken else INVERTED[branch.cond]
    a, b = branch.inputs
    if cond is TCGCond.NE and round_.step(a) == 0:
        a, b = b, a
    step = round_.step(a)
    if a.kind is not TempKind.GLOBAL or not step or round_.step(b) != 0:
        return None
    return (a, step, b) if cond is TCGCond.NE or (cond is TCGCond.LTU and step > 0) else None


# Code


def emit_stride(out: Emitter, s: Stride) -> None:
    """At the end of a round that another one follows: now and then do the next ones at once."""
    low, high = (s.counter, s.bound) if s.step > 0 else (s.bound, s.counter)
    out.line(f"if n % {ROUNDS_BETWEEN} == 1:")
    out.depth += 1
    left = f"({out.value(high)} - {out.value(low)} & M) // {abs(s.step)} - 1"
    out.line(f"count = min({left}, (cpu.icount_limit - cpu.instret) // {out.tb.icount} - loops)")
    places = f"st{s.size}, {address(out, s.store)}"
    if s.load is None:
        out.line(f"count = fill({places}, {out.value(s.value)}, {s.size}, count)")
    else:
        value = out.value(s.value)
        source = f"{s.load_view}, {address(out, s.load)}"
        out.line(f"count, {value} = copy(tlb, {places}, {source}, {value}, {s.size}, count)")
    for temp, step in s.steps.items():
        if step:
            out.line(f"{out.value(temp)} = {out.value(temp)} + count * {step} & M")
    out.line(f"cpu.instret += count * {out.tb.icount}")
    out.depth -= 1


def address(out: Emitter, place: Linear) -> str:
    """Where the next round will access memory."""
    return f"{out.value(place.root)} + {place.offset & M:#x} & M" if place.offset else out.value(place.root)


View = dict[int, memoryview]


def cells(addr: int, size: int, count: int) -> tuple[int, int, int]:
    """The key of an address in a view, the cell in its page, and how many of `count` rounds stay in the page."""
    first = (addr & PAGE - 1) // size
    return addr & M - PAGE + size, first, max(0, min(count, PAGE // size - first))


def row(data: bytes, view: memoryview) -> Any:
    """Bytes as the cells of a view."""
    return memoryview(data).cast(view.format)  # type: ignore[call-overload]


def fill(stores: View, addr: int, value: int, size: int, count: int) -> int:
    """Store `value` to up to `count` places in a row; to how many it was."""
    page, first, count = cells(addr, size, count)
    view = stores.get(page)
    if view is None or count == 0:
        return 0
    data = row((value & (1 << 8 * size) - 1).to_bytes(size, "little") * count, view)
    try:
        stores[page][first : first + count] = data
    except KeyError:
        return 0
    return count


def copy(
    tlb: Any, stores: View, to: int, loads: View, source: int, value: int, size: int, count: int
) -> tuple[int, int]:
    """Copy up to `count` places in a row; how many it were, and the last value, which was `value` before."""
    from_page, from_first, count = cells(source, size, count)
    page, first, count = cells(to, size, count)
    if count == 0 or page not in stores or from_page not in loads or overlap(tlb, source, to, size * count):
        return 0, value
    try:
        source_cells = loads[from_page][from_first : from_first + count]
        data = bytes(source_cells)
        stores[page][first : first + count] = row(data, stores[page])
    except KeyError:
        return 0, value
    return count, row(data, source_cells)[-1] & M


def overlap(tlb: Any, source: int, to: int, length: int) -> bool:
    """Whether a later round would load what an earlier one has stored."""
    here, there = (tlb.entries[addr & -PAGE & M].ram_addr + addr % PAGE for addr in (source, to))
    return bool(here < there < here + length)
