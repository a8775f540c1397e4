"""Loops that only wait for another vCPU, such as those of spinlocks (Not in QEMU, whose host has a core for each).

    80000fa2: lw   a5,0(a4)         1: mv        a5,a4
    80000fa4: beqz a5,80000fa2         amoswap.w a5,a5,(s1)
                                       bnez      a5,1b

Each round leaves everything as the one before has left it, as long as nobody else writes to memory.  Where threads take
turns to run, as Python's do, a vCPU that waits like this would keep from running the one that it waits for.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from pyqemu_edu.tcg.op import TCGOp, TCGTemp, TempKind

ROUNDS = 16
"""How often such a loop looks before it lets others run."""

PAUSE = 0.0002
"""For how many seconds it does."""


def only_waits(ops: Sequence[TCGOp]) -> bool:
    """Whether a block that jumps to its own beginning does the same in each round, if nobody else writes to memory.

    What it stores must not depend on what it loads, and no register may be read that an earlier round has written.
    """
    loaded: set[TCGTemp] = set()
    read: set[TCGTemp] = set()
    written: set[TCGTemp] = set()
    for op in ops:
        depends = op.opc == "qemu_ld_i64" or not loaded.isdisjoint(op.inputs)
        if op.opc == "call" or (op.opc == "qemu_st_i64" and depends):
            return False
        read.update(temp for temp in op.inputs if temp.kind is TempKind.GLOBAL and temp not in written)
        (loaded.update if depends else loaded.difference_update)(op.outputs)
        written.update(op.outputs)
    return read.isdisjoint(written) and sum(op.opc == "brcond_i64" for op in ops) <= 1


def let_others_run() -> None:
    """Wait a little without keeping other threads from running."""
    time.sleep(PAUSE)
