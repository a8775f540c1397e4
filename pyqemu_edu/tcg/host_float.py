"""Floating point by the host's own arithmetic, in generated Python (Not in QEMU, where fpu/softfloat.c does it).

    # fmul.d fa5,fa5,fa4
    r = fpd[15] * fpd[14]
    if hard and 1e-300 < r * r < 1e300: fpd[15] = r
    else: helper_set_rounding_mode(env, 7); fpr[15] = helper_fmul_d(env, fpr[15], fpr[14])

The registers are memory that is seen in three ways: `fpr` as bits, `fpd` as doubles, `fps` as two singles each.  `hard`
says that the guest rounds to nearest and that *inexact* is noted already; then an ordinary result of the host's is what
the guest would get, and there is nothing new to note.  What is not ordinary, or not boxed, is the helper's.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyqemu_edu.fpu.softfloat import fused
from pyqemu_edu.tcg.op import TCGOp, TCGTemp

if TYPE_CHECKING:
    from pyqemu_edu.tcg.python_backend import Emitter

HOST_GLOBALS: dict[str, Any] = {
    "BOX": 0xFFFFFFFF_00000000,
    "NAN": math.nan,
    "sqrt": math.sqrt,
    "fused": fused,
}
"""What the expressions below may use."""


@dataclass(frozen=True, slots=True)
class HostFloat:
    """An operation in Python: r is `value`, of operands {0}, {1}, …, and where `guard` holds, `result` is the answer.

    `view` is how the operands and a floating-point result are seen: `fpd`, `fps`, or nothing where they are integers.
    `hard` is what that word means in the guard.
    """

    value: str
    guard: str
    result: str = ""
    view: str = "fpd"
    hard: str = ""


@dataclass(frozen=True, slots=True)
class Rounding:
    """What the helper must be told before it is called: `set_mode(env, mode)`."""

    set_mode: Callable[..., Any]
    mode: int


def in_view(temp: TCGTemp, view: str) -> str:
    """A register's number in a view: `fpr[7]` is fpd[7] and, the low half of it, fps[14]."""
    number = int(temp.place[4:-1])
    return f"fps[{2 * number}]" if view == "fps" else f"fpd[{number}]"


def is_float(temp: TCGTemp) -> bool:
    """Whether it is a register in that memory, not a copy somewhere else."""
    return temp.place.startswith("fpr")


def suits(op: TCGOp, host: HostFloat) -> bool:
    """Whether operands and result still are where the expression looks for them: the optimiser may have moved them."""
    operands = all(map(is_float, op.inputs)) if host.view else True
    return operands and (bool(host.result) or is_float(op.outputs[0]))


def emit_host_float(e: Emitter, op: TCGOp, host: HostFloat, soft: str) -> None:
    """The operation on the host; `soft` is what is done where that may not be."""
    output = op.outputs[0]
    if host.view:
        operands = [in_view(temp, host.view) for temp in op.inputs]
    else:
        operands = [e.named(temp, "n") for temp in op.inputs]
    guard = [f"{temp.place} >= BOX" for temp in dict.fromkeys(op.inputs)] if host.view == "fps" else []
    guard += [host.guard.format(*operands)] if host.guard else []
    e.line(f"r = {host.value.format(*operands)}")
    answer = f"{e.target(output)} = {host.result}" if host.result else store(output, host.view)
    e.hard = host.hard if "hard" in host.guard else e.hard
    e.line(f"if {' and '.join(guard)}: {answer}")
    e.line(f"else: {soft}")


def store(output: TCGTemp, view: str) -> str:
    """Put r into a register."""
    boxed = f"{output.place} = BOX; " if view == "fps" else ""
    return f"{boxed}{in_view(output, view or 'fpd')} = r"
