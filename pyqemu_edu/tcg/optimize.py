"""Making operations fewer: constants, copies, identities, and what nobody looks at (QEMU tcg/optimize.c, tcg/tcg.c).

Two passes.  `tcg_optimize` goes forward and replaces each operation by a simpler one where its inputs are known;
`liveness_pass` goes backward and drops what is overwritten before it is read.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pyqemu_edu.tcg.op import COMMUTATIVE, COMPARE, COMPUTE, SIDE_EFFECTS, M, TCGContext, TCGOp, TCGTemp, TempKind

CONST = TempKind.CONST


@dataclass(eq=False)
class OptContext:
    """What is known: `copies[t]` is the older value, or the constant, that `t` equals."""

    tcg: TCGContext
    copies: dict[TCGTemp, TCGTemp] = field(default_factory=dict)

    def constant(self, value: int) -> TCGTemp:
        """The constant as a temporary."""
        known = self.tcg.constants
        if value not in known:
            known[value] = TCGTemp(CONST, -1, "", value=value)
        return known[value]

    def reset_temp(self, temp: TCGTemp) -> None:
        """`temp` gets a new value: what was known through it is forgotten."""
        self.copies.pop(temp, None)
        for other in [t for t, source in self.copies.items() if source is temp]:
            del self.copies[other]


# Identities: from the inputs to the value they are known to give, or None


def _x_op_0(a: TCGTemp, b: TCGTemp) -> TCGTemp | None:
    return a if b.kind is CONST and b.value == 0 else None


def _and(a: TCGTemp, b: TCGTemp) -> TCGTemp | None:
    if a is b or (b.kind is CONST and b.value == M):
        return a
    return b if b.kind is CONST and b.value == 0 else None


def _or(a: TCGTemp, b: TCGTemp) -> TCGTemp | None:
    return a if a is b else _x_op_0(a, b)


def _mul(a: TCGTemp, b: TCGTemp) -> TCGTemp | None:
    if b.kind is CONST and b.value in (0, 1):
        return a if b.value else b
    return None


IDENTITIES: dict[str, Callable[[TCGTemp, TCGTemp], TCGTemp | None]] = {
    "add_i64": _x_op_0,
    "sub_i64": _x_op_0,
    "xor_i64": _x_op_0,
    "shl_i64": _x_op_0,
    "shr_i64": _x_op_0,
    "sar_i64": _x_op_0,
    "or_i64": _or,
    "and_i64": _and,
    "mul_i64": _mul,
}

ZERO_OF_SAME = {"sub_i64", "xor_i64"}


def fold_constants(ctx: OptContext, op: TCGOp) -> TCGTemp | None:
    """The result, if all inputs are constants (QEMU `do_constant_folding`)."""
    if any(temp.kind is not CONST for temp in op.inputs):
        return None
    if op.opc in ("div_i64", "rem_i64", "divu_i64", "remu_i64") and op.inputs[1].value == 0:
        return None
    return ctx.constant(COMPUTE[op.opc](*(temp.value for temp in op.inputs), *op.args))


def fold_identity(ctx: OptContext, op: TCGOp) -> TCGTemp | None:
    """The result, if it equals an input or zero whatever the values are."""
    if op.opc == "mov_i64":
        return op.inputs[0]
    if op.opc in ZERO_OF_SAME and op.inputs[0] is op.inputs[1]:
        return ctx.constant(0)
    if op.opc == "movcond_i64":
        return _fold_movcond(op)
    identity = IDENTITIES.get(op.opc)
    return identity(*op.inputs) if identity else None


def _fold_movcond(op: TCGOp) -> TCGTemp | None:
    a, b, yes, no = op.inputs
    if a.kind is CONST and b.kind is CONST:
        return yes if COMPARE[op.cond](a.value, b.value) else no
    return yes if yes is no else None


def swap_commutative(op: TCGOp) -> None:
    """A constant stands on the right."""
    if op.opc in COMMUTATIVE and op.inputs[0].kind is CONST and op.inputs[1].kind is not CONST:
        op.inputs = (op.inputs[1], op.inputs[0])


def fold_brcond(op: TCGOp) -> TCGOp | None:
    """A branch that is always taken, or (None) never."""
    a, b = op.inputs
    if a.kind is CONST and b.kind is CONST:
        return TCGOp("br", args=(op.label,)) if COMPARE[op.cond](a.value, b.value) else None
    return op


def optimize_op(ctx: OptContext, op: TCGOp) -> TCGOp | None:
    """The operation with what is known put in."""
    op.inputs = tuple(ctx.copies.get(temp, temp) for temp in op.inputs)
    swap_commutative(op)
    if op.opc == "brcond_i64":
        return fold_brcond(op)
    result = None
    if op.opc in COMPUTE:
        result = fold_constants(ctx, op) or fold_identity(ctx, op)
    for output in op.outputs:
        if result is not output:
            ctx.reset_temp(output)
    if result is None:
        return op
    return _remember(ctx, op, result)


def _remember(ctx: OptContext, op: TCGOp, result: TCGTemp) -> TCGOp | None:
    output = op.outputs[0]
    if result is output:
        return None
    ctx.copies[output] = result
    return TCGOp("mov_i64", (output,), (result,))


def tcg_optimize(s: TCGContext) -> None:
    """Forward: fold constants, follow copies, use identities.  At a label nothing is known any more."""
    ctx = OptContext(s)
    ops: list[TCGOp] = []
    for op in s.ops:
        if op.opc == "set_label":
            ctx.copies.clear()
        kept = optimize_op(ctx, op)
        if kept is not None:
            ops.append(kept)
    s.ops = ops


# Liveness


def is_exit(op: TCGOp) -> bool:
    """Whether the block is left here, so that every global must have its value."""
    return op.opc in ("exit_tb", "goto_ptr", "seam")


def can_fault(op: TCGOp) -> bool:
    """Whether the guest may trap here, so that every global must have its value."""
    return op.opc in ("qemu_ld_i64", "qemu_st_i64", "call")


def liveness_pass(s: TCGContext) -> None:
    """Backward: drop operations whose results nobody reads (QEMU `liveness_pass_1`)."""
    live: set[TCGTemp] = set()
    at_label: dict[int, set[TCGTemp]] = {}
    everything = {temp for temp in s.temps_used() if temp.kind is TempKind.GLOBAL}
    ops: list[TCGOp] = []
    for op in reversed(s.ops):
        if op.opc in COMPUTE and not live.intersection(op.outputs):
            continue
        live = _live_before(op, live, at_label, everything)
        ops.append(op)
    s.ops = ops[::-1]


def _live_before(
    op: TCGOp, live: set[TCGTemp], at_label: dict[int, set[TCGTemp]], everything: set[TCGTemp]
) -> set[TCGTemp]:
    if op.opc == "set_label":
        at_label[op.label.id] = set(live)
        return live
    if op.opc == "br":
        return set(at_label[op.label.id])
    if op.opc == "brcond_i64":
        return live | at_label[op.label.id] | set(op.inputs)
    if is_exit(op):
        live = set(everything)
    live = live - set(op.outputs)
    if can_fault(op):
        live |= everything
    return live | {temp for temp in op.inputs if temp.kind is not CONST}


assert not SIDE_EFFECTS & COMPUTE.keys()
