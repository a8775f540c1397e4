"""Making operations, printing them, and the way from operations to code (QEMU tcg/tcg.c, tcg/tcg-op.c)."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from pyqemu_edu.process import per_process
from pyqemu_edu.tcg.op import Argument, M, MemOp, TCGCond, TCGContext, TCGLabel, TCGOp, TCGTemp, TempKind
from pyqemu_edu.tcg.optimize import liveness_pass, tcg_optimize
from pyqemu_edu.tcg.python_backend import tcg_out_tb
from pyqemu_edu.util.log import (
    CPU_LOG_TB_OP,
    CPU_LOG_TB_OP_OPT,
    qemu_log,
    qemu_log_in_addr_range,
    qemu_loglevel_mask,
)

if TYPE_CHECKING:
    from pyqemu_edu.accel.tcg.tb import TranslationBlock


CF_NO_GOTO_PTR = 0x00000400  # a flag of the block (QEMU include/exec/exec-all.h)
CF_USE_ICOUNT = 0x00020000
TB_EXIT_NOCHAIN = 2


class Statics:
    def __init__(self) -> None:
        self.tcg_init_ctx = TCGContext()
        self.threads = threading.local()


statics = per_process(Statics)


# Setting up


def tcg_init(tb_size: int, splitwx: int, max_cpus: int) -> None:
    """Set the generator up.  There is no code buffer to share out: Python keeps our functions; no size is used."""
    tcg_context_init(max_cpus)


def tcg_context_init(max_cpus: int) -> None:
    """The first context; each vCPU thread gets its own copy."""
    s = statics()
    s.tcg_init_ctx = TCGContext()
    s.threads.tcg_ctx = s.tcg_init_ctx


def tcg_prologue_init(s: TCGContext) -> None:
    """C generates the code that enters a block and leaves it; calling a Python function needs none."""


def tcg_register_thread() -> None:
    """This thread translates too: it gets a context of its own, with the same globals."""
    statics().threads.tcg_ctx = TCGContext(globals=statics().tcg_init_ctx.globals)


def tcg_ctx() -> TCGContext:
    """The running thread's context (Not in QEMU)."""
    s = statics()
    if not hasattr(s.threads, "tcg_ctx"):
        tcg_register_thread()
    context: TCGContext = s.threads.tcg_ctx
    return context


def tcg_global_mem_new(place: str, name: str) -> TCGTemp:
    """A register of the guest, found at `place` (Python) in `env` (Not in QEMU)."""
    known = statics().tcg_init_ctx.globals
    known.append(TCGTemp(TempKind.GLOBAL, len(known), name, place))
    return known[-1]


# Making operations


def tcg_func_start(s: TCGContext) -> None:
    """Begin a block."""
    s.ops = []
    s.nb_temps = s.nb_labels = 0
    s.constants = {}


def tcg_temp_new(s: TCGContext) -> TCGTemp:
    """A fresh temporary (QEMU include/tcg/tcg-op.h)."""
    temp = TCGTemp(TempKind.TEMP, s.nb_temps, f"tmp{s.nb_temps}")
    s.nb_temps += 1
    return temp


def tcg_constant(s: TCGContext, value: int) -> TCGTemp:
    """The constant, modulo 2**64 (Not in QEMU)."""
    value &= M
    if value not in s.constants:
        s.constants[value] = TCGTemp(TempKind.CONST, -1, "", value=value)
    return s.constants[value]


def gen_new_label(s: TCGContext) -> TCGLabel:
    """A label, not yet set."""
    label = TCGLabel(s.nb_labels)
    s.nb_labels += 1
    return label


def tcg_emit_op(s: TCGContext, opc: str, outputs: Any = (), inputs: Any = (), args: Any = ()) -> TCGOp:
    """Append an operation."""
    op = TCGOp(opc, tuple(outputs), tuple(inputs), tuple(args))
    s.ops.append(op)
    return op


def tcg_gen_mov(s: TCGContext, ret: TCGTemp, arg: TCGTemp) -> None:
    """ret = arg.  If the last operation made `arg`, a temporary, it makes `ret` instead: C's front ends say so."""
    last = s.ops[-1] if s.ops else None
    if last and arg.kind is TempKind.TEMP and arg in last.outputs and last.opc not in ("brcond_i64", "set_label"):
        last.outputs = tuple(ret if output is arg else output for output in last.outputs)
    elif ret is not arg:
        tcg_emit_op(s, "mov_i64", [ret], [arg])


def tcg_gen_binary(s: TCGContext, opc: str, a: TCGTemp, b: TCGTemp) -> TCGTemp:
    """A temporary that holds a op b (Not in QEMU)."""
    ret = tcg_temp_new(s)
    if opc in ("add_i64", "sub_i64", "or_i64", "xor_i64", "shl_i64", "shr_i64", "sar_i64") and is_const(b, 0):
        tcg_emit_op(s, "mov_i64", [ret], [a])
    else:
        tcg_emit_op(s, opc, [ret], [a, b])
    return ret


def is_const(temp: TCGTemp, value: int) -> bool:
    """Whether it is this constant."""
    return temp.kind is TempKind.CONST and temp.value == value


def tcg_gen_unary(s: TCGContext, opc: str, a: TCGTemp) -> TCGTemp:
    """A temporary that holds op a (Not in QEMU)."""
    ret = tcg_temp_new(s)
    tcg_emit_op(s, opc, [ret], [a])
    return ret


def tcg_gen_setcond(s: TCGContext, cond: TCGCond, a: TCGTemp, b: TCGTemp) -> TCGTemp:
    """A temporary that holds 1 if the comparison holds, else 0."""
    ret = tcg_temp_new(s)
    tcg_emit_op(s, "setcond_i64", [ret], [a, b], [cond])
    return ret


def tcg_gen_movcond(s: TCGContext, cond: TCGCond, a: TCGTemp, b: TCGTemp, yes: TCGTemp, no: TCGTemp) -> TCGTemp:
    """A temporary that holds `yes` if the comparison holds, else `no`."""
    ret = tcg_temp_new(s)
    tcg_emit_op(s, "movcond_i64", [ret], [a, b, yes, no], [cond])
    return ret


def tcg_gen_brcond(s: TCGContext, cond: TCGCond, a: TCGTemp, b: TCGTemp, label: TCGLabel) -> None:
    """Go to `label` if the comparison holds."""
    tcg_emit_op(s, "brcond_i64", [], [a, b], [cond, label])


def gen_set_label(s: TCGContext, label: TCGLabel) -> None:
    """Here is `label` (QEMU include/tcg/tcg-op.h)."""
    tcg_emit_op(s, "set_label", args=[label])


def tcg_gen_insn_start(s: TCGContext, *data: int) -> TCGOp:
    """A guest instruction begins; `data` is what is needed to restore the state before it.

    (QEMU include/tcg/tcg-op.h)
    """
    return tcg_emit_op(s, "insn_start", args=data)


def tcg_gen_qemu_ld(s: TCGContext, addr: TCGTemp, mmu_idx: int, memop: MemOp) -> TCGTemp:
    """A temporary that holds what is in the guest's memory."""
    ret = tcg_temp_new(s)
    tcg_emit_op(s, "qemu_ld_i64", [ret], [addr], [memop, mmu_idx])
    return ret


def tcg_gen_qemu_st(s: TCGContext, value: TCGTemp, addr: TCGTemp, mmu_idx: int, memop: MemOp) -> None:
    """Store into the guest's memory."""
    tcg_emit_op(s, "qemu_st_i64", [], [value, addr], [memop, mmu_idx])


def tcg_gen_call(s: TCGContext, func: Callable[..., Any], args: list[TCGTemp], *more: Argument) -> TCGTemp:
    """A temporary that holds what the helper `func(env, *args)` returns (Not in QEMU).

    `more` is what the backend may do instead: a `HostFloat`, and how to round.
    """
    ret = tcg_temp_new(s)
    tcg_emit_op(s, "call", [ret], args, [func, *more])
    return ret


def gen_io_start(s: TCGContext) -> None:
    """The last instruction of a block begins, which may touch devices and the clock (QEMU include/exec/gen-icount.h).

    Only with `-icount` does anybody ask.
    """
    if s.tb_cflags & CF_USE_ICOUNT:
        tcg_emit_op(s, "io_start")


def tcg_gen_goto_tb(s: TCGContext, idx: int) -> None:
    """What follows is way out `idx`, where another block may be linked."""
    tcg_emit_op(s, "goto_tb", args=[idx])


def tcg_gen_exit_tb(s: TCGContext, idx: int) -> None:
    """Leave the block by way out `idx`."""
    tcg_emit_op(s, "exit_tb", args=[idx])


def tcg_gen_lookup_and_goto_ptr(s: TCGContext) -> None:
    """Leave for whatever block is at the new pc."""
    if s.tb_cflags & CF_NO_GOTO_PTR:
        tcg_gen_exit_tb(s, TB_EXIT_NOCHAIN)
    else:
        tcg_emit_op(s, "goto_ptr")


# Printing


def op_text(op: TCGOp) -> str:
    """One operation as `-d op` shows it."""
    if op.opc == "insn_start":
        return "\n ---- " + " ".join(f"{word:016x}" for word in op.args)
    if op.opc == "call":
        return _call_text(op)
    words = [str(arg) for arg in (*op.outputs, *op.inputs)]
    words += [arg.value if isinstance(arg, TCGCond) else _arg_text(arg) for arg in op.args]
    return f" {op.opc} {','.join(words)}".rstrip()


def _arg_text(arg: Any) -> str:
    return f"$0x{arg:x}" if isinstance(arg, int) else str(arg)


def _call_text(op: TCGOp) -> str:
    name = getattr(op.args[0], "__name__", "?").removeprefix("helper_")
    words = [name, "$0x0", f"${len(op.outputs)}", *map(str, op.outputs), "env", *map(str, op.inputs)]
    return f" call {','.join(words)}"


def tcg_dump_ops(s: TCGContext) -> str:
    """All operations, one a line, as `-d op` shows them."""
    return "".join(op_text(op) + "\n" for op in s.ops).replace("\n\n ----", "\n\n ----")


# From operations to code


def tcg_gen_code(s: TCGContext, tb: TranslationBlock, pc_start: int) -> int:
    """Optimise the operations and make a Python function of them; the length of its source."""
    logged = qemu_log_in_addr_range(pc_start)
    if qemu_loglevel_mask(CPU_LOG_TB_OP) and logged:
        qemu_log(f"OP:\n{tcg_dump_ops(s)}\n")
    tcg_optimize(s)
    liveness_pass(s)
    if qemu_loglevel_mask(CPU_LOG_TB_OP_OPT) and logged:
        qemu_log(f"OP after optimization and liveness analysis:\n{tcg_dump_ops(s)}\n")
    return tcg_out_tb(s, tb)
