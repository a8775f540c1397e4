"""From an address to a translated block, and from an exception back to it (QEMU accel/tcg/translate-all.c)."""

from __future__ import annotations

from typing import Any

from pyqemu_edu.accel.tcg.cpu_exec_common import CPUHalted, TrapByInstruction
from pyqemu_edu.accel.tcg.cputlb import get_page_addr_code_hostp
from pyqemu_edu.accel.tcg.superblock import WarmBlock
from pyqemu_edu.accel.tcg.tb import (
    CF_COUNT_MASK,
    CF_LAST_IO,
    CF_NO_GOTO_PTR,
    CF_NO_GOTO_TB,
    CF_USE_ICOUNT,
    TCG_MAX_INSNS,
    TranslationBlock,
    translate_block,
)
from pyqemu_edu.accel.tcg.tb_maint import code_gen_use, tb_link_page
from pyqemu_edu.accel.tcg.tb_maint import statics as tb_ctx
from pyqemu_edu.hw.core.cpu import CPU_GET_CLASS, CPUState
from pyqemu_edu.tcg.python_backend import ARRAYS
from pyqemu_edu.tcg.tcg import tcg_ctx, tcg_func_start, tcg_gen_code
from pyqemu_edu.util.log import (
    CPU_LOG_TB_IN_ASM,
    CPU_LOG_TB_OP,
    CPU_LOG_TB_OP_OPT,
    CPU_LOG_TB_OUT_ASM,
    qemu_log,
    qemu_log_in_addr_range,
    qemu_loglevel_mask,
)

COLD_INSN_SIZE, INSN_SIZE = 256, 1024
"""Bytes of the host that an instruction of the guest takes, about: interpreted, and translated."""


def tb_gen_code(cpu: CPUState, pc: int, cs_base: int, flags: int, cflags: int) -> TranslationBlock:
    """Translate the code at `pc`; code that is not in RAM one instruction at a time, and for once only."""
    phys_pc, host_pc = get_page_addr_code_hostp(cpu.env_ptr, pc)
    if phys_pc == -1:
        cflags = cflags & ~CF_COUNT_MASK | CF_LAST_IO | 1
    max_insns = cflags & CF_COUNT_MASK or TCG_MAX_INSNS
    tb = TranslationBlock(pc, cs_base, flags, cflags, page_addr=[phys_pc, -1], tc_ptr=tcg_tb_alloc())
    if translate_block:
        translate_block(tb, pc, tb.tc_ptr)
    if may_be_cold(cflags) and host_pc is not None:
        tcg_ops = CPU_GET_CLASS(cpu).tcg_ops
        assert tcg_ops is not None
        tb.code = tcg_ops.read_block(cpu, tb, pc, host_pc) if tcg_ops.read_block else None
    if tb.code is None:
        setjmp_gen_code(cpu, tb, pc, host_pc, max_insns)
    if phys_pc == -1:
        return tb
    code_gen_use(cpu, tb.icount * (INSN_SIZE if tb.text else COLD_INSN_SIZE))
    return tb_link_page(tb)


def may_be_cold(cflags: int) -> bool:
    """Whether a block need not be translated yet: nobody counts, steps, or reads how it is done (Not in QEMU)."""
    logs = CPU_LOG_TB_IN_ASM | CPU_LOG_TB_OP | CPU_LOG_TB_OP_OPT | CPU_LOG_TB_OUT_ASM
    counted = CF_COUNT_MASK | CF_NO_GOTO_TB | CF_NO_GOTO_PTR | CF_USE_ICOUNT
    return not cflags & counted and not qemu_loglevel_mask(logs)


def tb_translate(cpu: CPUState, tb: TranslationBlock, cold: object, host_pc: memoryview) -> None:
    """Translate a block that was interpreted so far, unless another vCPU has just done so (Not in QEMU)."""
    with tb_ctx().lock:
        if tb.code is cold:
            size = tb.size
            setjmp_gen_code(cpu, tb, tb.pc, host_pc, TCG_MAX_INSNS)
            assert tb.size == size
            code_gen_use(cpu, tb.icount * INSN_SIZE)
            tb.loops = tb.max_loops if tb in tb.jmp_dest else 1
            tb.warm = tb.code = WarmBlock(tb, host_pc, tb.code)


def tcg_tb_alloc() -> int:
    """A number for a new block: where it would be in memory, were it machine code (QEMU tcg/tcg.c)."""
    s = tb_ctx()
    with s.lock:
        s.tc_ptr += 0x140
        return s.tc_ptr


def setjmp_gen_code(cpu: CPUState, tb: TranslationBlock, pc: int, host_pc: memoryview | None, max_insns: int) -> None:
    """From guest code to operations to Python."""
    s = tcg_ctx()
    tcg_func_start(s)
    s.tb_cflags = tb.cflags
    tcg_ops = CPU_GET_CLASS(cpu).tcg_ops
    assert tcg_ops is not None and tcg_ops.translate_code is not None
    tcg_ops.translate_code(cpu, tb, max_insns, pc, host_pc)
    assert tb.size != 0
    size = tcg_gen_code(s, tb, pc)
    if qemu_loglevel_mask(CPU_LOG_TB_OUT_ASM) and qemu_log_in_addr_range(pc):
        qemu_log(f"OUT: [size={size}]\n{tb.source}\n")


def cpu_restore_state(cpu: CPUState, tb: TranslationBlock, exception: BaseException) -> None:
    """An exception has left `tb` in the middle: put the registers back to what they were before the instruction.

    C knows the host address and searches the block's table for it; here the traceback tells the line of the generated
    function, and its frame still has the registers in its variables.
    """
    whole = tb.superblock or tb
    traceback = exception.__traceback__
    while traceback is not None and traceback.tb_frame.f_code not in (tb.code_object, whole.code_object):
        traceback = traceback.tb_next
    if traceback is None:
        return
    variables: dict[str, Any] = traceback.tb_frame.f_locals
    made = whole if traceback.tb_frame.f_code is whole.code_object else tb
    index = max((i for i, insn in enumerate(made.insns) if insn.line <= traceback.tb_lineno), default=0)
    cpu.instret += variables.get("n", 0) * made.icount
    restore_registers(cpu.env_ptr, made, variables)
    if isinstance(exception, CPUHalted):
        halted_behind(cpu, tb, index)
        return
    cpu.instret -= tb.icount - index
    if tb.cflags & CF_USE_ICOUNT and isinstance(exception, TrapByInstruction):
        cpu.instret += 1
    tcg_ops = CPU_GET_CLASS(cpu).tcg_ops
    assert tcg_ops is not None and tcg_ops.restore_state_to_opc is not None
    tcg_ops.restore_state_to_opc(cpu, tb, made.insns[index].data)


def halted_behind(cpu: CPUState, tb: TranslationBlock, index: int) -> None:
    """This instruction is completed, and pc stands behind it; those that follow in the block were not executed.

    (Not in QEMU: as there, with `-icount` the time they would take passes nevertheless)
    """
    if not tb.cflags & CF_USE_ICOUNT:
        cpu.instret -= tb.icount - index - 1


def restore_registers(env: Any, tb: TranslationBlock, variables: dict[str, Any]) -> None:
    """Registers from a frame's variables to `env`; those that were not written yet are not there."""
    for name, place in tb.registers.items():
        if name in variables and place.startswith(ARRAYS):
            getattr(env, place[:3])[int(place[4:-1])] = variables[name]
        elif name in variables:
            setattr(env, place, variables[name])
