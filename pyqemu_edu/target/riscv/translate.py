"""RISC-V code to TCG operations (QEMU target/riscv/translate.c).

In QEMU each instruction has a function that emits its operations.  Here a `DisasContext` *is* a machine that the
meanings (insn/) can be read on: its registers are names, and every operator on a name emits an operation.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.accel.tcg.cputlb import PAGE_MASK
from pyqemu_edu.accel.tcg.tb import TB_EXIT_NOCHAIN, TBInsn, TranslationBlock
from pyqemu_edu.accel.tcg.translator import (
    DISAS_NEXT,
    DISAS_NORETURN,
    DISAS_TOO_MANY,
    DisasContextBase,
    TranslatorOps,
    translator_lduw,
    translator_loop,
    translator_use_goto_tb,
)
from pyqemu_edu.disas.disas import target_disas
from pyqemu_edu.disas.riscv import disasm_inst
from pyqemu_edu.hw.core.cpu import CPUState
from pyqemu_edu.hw.core.loader import lookup_symbol
from pyqemu_edu.target.riscv.cpu_bits import MSTATUS_FS, RISCV_EXCP_ILLEGAL_INST, RISCV_EXCP_INST_ADDR_MIS, RVC
from pyqemu_edu.target.riscv.fpu_helper import (
    RISCV_FRM_DYN,
    RISCV_FRM_RNE,
    RISCV_FRM_RTZ,
    helper_mark_fs_dirty,
    helper_set_rounding_mode,
)
from pyqemu_edu.target.riscv.host_float import NOT_ROUNDED, ROUNDED_TO_NEAREST, ROUNDED_TO_ZERO
from pyqemu_edu.target.riscv.insn.decode import insn_len
from pyqemu_edu.target.riscv.names import Condition, Name, Names
from pyqemu_edu.target.riscv.op_helper import (
    helper_csrr,
    helper_csrrw,
    helper_csrw,
    helper_raise_exception,
)
from pyqemu_edu.target.riscv.register_names import Fprs, Gprs, Statics, statics
from pyqemu_edu.tcg.host_float import Rounding
from pyqemu_edu.tcg.op import Argument, M, MemOp, TCGCond, TCGContext, TCGTemp
from pyqemu_edu.tcg.tcg import (
    gen_io_start,
    gen_new_label,
    gen_set_label,
    tcg_constant,
    tcg_ctx,
    tcg_gen_brcond,
    tcg_gen_call,
    tcg_gen_exit_tb,
    tcg_gen_goto_tb,
    tcg_gen_insn_start,
    tcg_gen_lookup_and_goto_ptr,
    tcg_gen_mov,
    tcg_gen_qemu_ld,
    tcg_gen_qemu_st,
    tcg_temp_new,
)

MAX_INSN_LEN = 4
TB_FLAGS_MEM_IDX = 7
TB_FLAGS_MSTATUS_FS = MSTATUS_FS
UNKNOWN = -1
HOST_FLOATS = {
    RISCV_FRM_RNE: ROUNDED_TO_NEAREST,
    RISCV_FRM_DYN: ROUNDED_TO_NEAREST,
    RISCV_FRM_RTZ: ROUNDED_TO_ZERO,
}


@dataclass(eq=False)
class DisasContext(Names, DisasContextBase):
    """A translation of RISC-V code; also the `Machine` that the meanings are read on, in names."""

    tcg: TCGContext = field(default_factory=tcg_ctx)
    globals: Statics = field(default_factory=statics)
    cs: CPUState | None = None
    env: Any = None
    opcode: int = 0
    pc_succ_insn: int = 0
    mem_idx: int = 0
    mstatus_fs: int = MSTATUS_FS
    frm: int = UNKNOWN
    csr_ends_block: bool = False
    x: Gprs = field(init=False)
    f: Fprs = field(init=False)

    def __post_init__(self) -> None:
        self.x = Gprs(self)
        self.f = Fprs(self)

    @property
    def pc(self) -> int:
        """The address of this instruction."""
        return self.pc_next

    @property
    def next_pc(self) -> int:
        """The address of the next instruction."""
        return self.pc_succ_insn

    # Memory

    def load(self, address: Any, size: int, signed: bool = True) -> Name:
        """A load from the guest's memory."""
        return self._load(address, MemOp(size, signed and size < 8))

    def store(self, address: Any, value: Any, size: int) -> None:
        """A store to it."""
        tcg_gen_qemu_st(self.tcg, self.temp(value), self.temp(address), self.mem_idx, MemOp(size))

    def _load(self, address: Any, memop: MemOp) -> Name:
        return Name(self, tcg_gen_qemu_ld(self.tcg, self.temp(address), self.mem_idx, memop))

    def load_reserved(self, address: Any, size: int) -> Name:
        """Load, and remember address and value."""
        where, s = self.temp(address), self.globals
        assert s.load_res is not None and s.load_val is not None
        value = self._load(Name(self, where), MemOp(size, size < 8, align=True))
        tcg_gen_mov(self.tcg, s.load_val, value.temp)
        tcg_gen_mov(self.tcg, s.load_res, where)
        return Name(self, s.load_val)

    def store_conditional(self, address: Any, value: Any, size: int) -> Name:
        """Store if the address is the one remembered and memory still holds the value remembered, indivisibly.

        As in 7.2 a word is compared with the low half of what `lr.d` remembered, but success is told by the whole.
        """
        where, s, tcg = self.temp(address), self.globals, self.tcg
        assert s.load_res is not None and s.load_val is not None
        other_address, other_value = gen_new_label(tcg), gen_new_label(tcg)
        result, remembered = tcg_temp_new(tcg), Name(self, s.load_val)
        tcg_gen_mov(tcg, result, tcg_constant(tcg, 1))
        tcg_gen_brcond(tcg, TCGCond.NE, s.load_res, where, other_address)
        memory = self._load(Name(self, where), MemOp(size, size < 8, align=True, atomic=True))
        tcg_gen_mov(tcg, result, self.temp(memory != remembered))
        expected = self.sext(remembered, 32) if size == 4 else remembered
        tcg_gen_brcond(tcg, TCGCond.NE, memory.temp, expected.temp, other_value)
        self.store(Name(self, where), value, size)
        gen_set_label(tcg, other_value)
        gen_set_label(tcg, other_address)
        tcg_gen_mov(tcg, s.load_res, tcg_constant(tcg, M))
        return Name(self, result)

    def atomic(self, operation: Callable[[Any, Any], Any], address: Any, operand: Any, size: int) -> Name:
        """Load, compute, store, with nothing between.

        In C each is one atomic operation of the host.  Here it is enough that the generated Python neither calls a
        function nor jumps back between the load and the store: CPython lets another thread run only there (the slow
        path keeps that up: `helper_atomic`).
        """
        where = self.temp(address)
        old = self._load(Name(self, where), MemOp(size, size < 8, align=True, atomic=True))
        self.store(Name(self, where), operation(old, operand), size)
        return old

    # Ends of a block

    def gen_goto_tb(self, n: int, dest: int) -> None:
        """Leave for `dest` by way out `n`, linked if it may be."""
        if translator_use_goto_tb(self, dest):
            tcg_gen_goto_tb(self.tcg, n)
            self.gen_set_pc_imm(dest)
            tcg_gen_exit_tb(self.tcg, n)
        else:
            self.gen_set_pc_imm(dest)
            tcg_gen_lookup_and_goto_ptr(self.tcg)

    def gen_set_pc_imm(self, dest: int) -> None:
        """Pc = dest."""
        self.gen_set_pc(tcg_constant(self.tcg, dest))

    def gen_set_pc(self, dest: TCGTemp) -> None:
        """Pc = dest."""
        assert self.globals.cpu_pc is not None
        tcg_gen_mov(self.tcg, self.globals.cpu_pc, dest)

    def branch(self, condition: Any, offset: int) -> None:
        """Two ways out: 1 if the condition does not hold, 0 if it does."""
        assert isinstance(condition, Condition)
        taken = gen_new_label(self.tcg)
        tcg_gen_brcond(self.tcg, condition.cond, condition.a, condition.b, taken)
        self.gen_goto_tb(1, self.pc_succ_insn)
        gen_set_label(self.tcg, taken)
        if self._misaligned(offset):
            self.gen_exception_inst_addr_mis(self.pc + offset)
        else:
            self.gen_goto_tb(0, self.pc + offset & M)
        self.is_jmp = DISAS_NORETURN

    def _misaligned(self, offset: int) -> bool:
        return not self.env.misa_ext & RVC and offset & 3 != 0

    def jump(self, target: Any, link: int = 0) -> None:
        """One way out, to a place known now (jal) or later (jalr)."""
        if isinstance(target, int):
            self._jump_to(target & M, link)
        else:
            self._jump_indirect(target, link)
        self.is_jmp = DISAS_NORETURN

    def _jump_to(self, target: int, link: int) -> None:
        if self._misaligned(target):
            self.gen_exception_inst_addr_mis(target)
            return
        self.x[link] = self.pc_succ_insn
        self.gen_goto_tb(0, target)

    def _jump_indirect(self, target: Name, link: int) -> None:
        tcg = self.tcg
        if not self.env.misa_ext & RVC:
            aligned = gen_new_label(tcg)
            target = Name(self, self.copy(target.temp))
            tcg_gen_brcond(tcg, TCGCond.EQ, (target & 3).temp, tcg_constant(tcg, 0), aligned)
            tcg_gen_call(tcg, helper_inst_addr_mis, [target.temp])
            gen_set_label(tcg, aligned)
        self.gen_set_pc(target.temp)
        self.x[link] = self.pc_succ_insn
        tcg_gen_lookup_and_goto_ptr(tcg)

    def copy(self, temp: TCGTemp) -> TCGTemp:
        """A temporary with this value."""
        ret = tcg_temp_new(self.tcg)
        tcg_gen_mov(self.tcg, ret, temp)
        return ret

    def exit(self, target: Any = None) -> None:
        """To the main loop, behind this instruction or at `target`."""
        self.gen_set_pc(self.temp(self.pc_succ_insn if target is None else target))
        tcg_gen_exit_tb(self.tcg, TB_EXIT_NOCHAIN)
        self.is_jmp = DISAS_NORETURN

    def halt(self, function: Callable[..., Any]) -> None:
        """To the main loop out of a helper.  As in C the block goes on behind it, though nothing there is executed."""
        self.gen_set_pc_imm(self.pc_succ_insn)
        self.helper(function)

    def fence_i(self) -> None:
        """To the main loop: what was overwritten has been thrown away by the store itself."""
        self.exit()

    # Helpers

    def helper(self, function: Callable[..., Any], *arguments: Any) -> Name:
        """Call a function of the host."""
        host = NOT_ROUNDED.get(function.__name__)
        return self._call(function, arguments, *([host] if host else []))

    def _call(self, function: Callable[..., Any], arguments: Iterable[Any], *more: Argument) -> Name:
        self.decode_save_opc()
        return Name(self, tcg_gen_call(self.tcg, function, [self.temp(argument) for argument in arguments], *more))

    def rounded(self, rm: int, function: Callable[..., Any], *arguments: Any) -> Name:
        """Call a function of the host that rounds; only if need be where the host's own arithmetic is the same."""
        host = HOST_FLOATS.get(rm, {}).get(function.__name__)
        if host is None:
            self.gen_set_rm(rm)
            return self._call(function, arguments)
        self.frm = UNKNOWN
        return self._call(function, arguments, host, Rounding(helper_set_rounding_mode, rm))

    def gen_set_rm(self, rm: int) -> None:
        """Round so from here on, unless it is so already."""
        if self.frm != rm:
            self.frm = rm
            self.helper(helper_set_rounding_mode, rm)

    def mark_fs_dirty(self) -> None:
        """The registers are no longer as they were saved; for the rest of the block that is known."""
        if self.mstatus_fs != MSTATUS_FS:
            self.mstatus_fs = MSTATUS_FS
            tcg_gen_call(self.tcg, helper_mark_fs_dirty, [])

    def csr(self, number: int, value: Any, mask: Any, reads: bool, writes: bool) -> Any:
        """Access a CSR; as that may change how code is to be translated, the block ends."""
        gen_io_start(self.tcg)
        if not writes:
            old = self.helper(helper_csrr, number)
        elif not reads:
            old = self.helper(helper_csrw, number, value)
        else:
            old = self.helper(helper_csrrw, number, value, mask)
        self.csr_ends_block = True
        return old

    def decode_save_opc(self) -> None:
        """If this instruction traps as illegal, the guest is told its bits."""
        insn = self.tb.insns[-1]
        insn.data = (insn.data[0], self.opcode)
        next(op for op in reversed(self.tcg.ops) if op.opc == "insn_start").args = insn.data

    def raise_exception(self, cause: int, tval: Any = 0) -> None:
        """Trap."""
        self.gen_set_pc_imm(self.pc)
        tcg_gen_call(self.tcg, helper_raise_exception, [tcg_constant(self.tcg, cause)])
        tcg_gen_exit_tb(self.tcg, TB_EXIT_NOCHAIN)
        self.is_jmp = DISAS_NORETURN

    def gen_exception_illegal(self) -> None:
        """The bits mean nothing."""
        self.decode_save_opc()
        self.raise_exception(RISCV_EXCP_ILLEGAL_INST)

    def gen_exception_inst_addr_mis(self, target: int) -> None:
        """A jump to an address that is not a multiple of four, on a hart without compressed instructions."""
        tcg_gen_call(self.tcg, helper_inst_addr_mis, [tcg_constant(self.tcg, target)])
        tcg_gen_exit_tb(self.tcg, TB_EXIT_NOCHAIN)


def helper_inst_addr_mis(env: Any, target: int) -> None:
    """Trap because of where a jump leads."""
    env.badaddr = target
    helper_raise_exception(env, RISCV_EXCP_INST_ADDR_MIS)


def decode_opc(env: Any, ctx: DisasContext, opcode: int) -> None:
    """Decode the instruction that begins with these 16 bits, and read its meaning."""
    length = insn_len(opcode)
    ctx.pc_succ_insn = ctx.pc_next + length & M
    ctx.opcode = opcode if length == 2 else opcode | translator_lduw(env, ctx, ctx.pc_next + 2) << 16
    decoded = env.cpu.decoder.decode(ctx.opcode)
    if decoded is None or (decoded[0].extension.fpu and not ctx.mstatus_fs):
        ctx.gen_exception_illegal()
        return
    instruction, operands = decoded
    instruction.meaning(ctx, operands)
    if ctx.csr_ends_block:
        ctx.csr_ends_block = False
        ctx.exit()


def riscv_tr_init_disas_context(ctx: DisasContext, cs: CPUState) -> None:
    """What of the hart's state the code depends on."""
    ctx.cs, ctx.env = cs, cs.env_ptr
    ctx.pc_succ_insn = ctx.pc_first
    ctx.mem_idx = ctx.tb.flags & TB_FLAGS_MEM_IDX
    ctx.mstatus_fs = ctx.tb.flags & TB_FLAGS_MSTATUS_FS


def riscv_tr_tb_start(ctx: DisasContext, cs: CPUState) -> None:
    """Nothing to do."""


def riscv_tr_insn_start(ctx: DisasContext, cs: CPUState) -> None:
    """Note where an instruction begins."""
    ctx.tb.insns.append(TBInsn((ctx.pc_next, 0), comment))
    tcg_gen_insn_start(ctx.tcg, ctx.pc_next, 0)


def riscv_tr_translate_insn(ctx: DisasContext, cs: CPUState) -> None:
    """Translate one instruction; only a block's first may reach into another page."""
    env = cs.env_ptr
    decode_opc(env, ctx, translator_lduw(env, ctx, ctx.pc_next))
    ctx.tb.insns[-1].opcode = ctx.opcode
    ctx.pc_next = ctx.pc_succ_insn
    if ctx.is_jmp == DISAS_NEXT and not _next_is_on_page(env, ctx):
        ctx.is_jmp = DISAS_TOO_MANY


def comment(pc: int, opcode: int) -> str:
    """An instruction's assembly on one line, as generated code shows it (Not in QEMU)."""
    return " ".join(disasm_inst(pc, opcode).split("#")[0].split())


def _next_is_on_page(env: Any, ctx: DisasContext) -> bool:
    page, pc = ctx.pc_first & PAGE_MASK, ctx.pc_next
    if pc & PAGE_MASK != page:
        return False
    if pc & ~PAGE_MASK <= (1 << 12) - MAX_INSN_LEN:
        return True
    return pc + insn_len(translator_lduw(env, ctx, pc)) <= page + (1 << 12)


def riscv_tr_tb_stop(ctx: DisasContext, cs: CPUState) -> None:
    """If nothing has left the block yet, go on behind it."""
    if ctx.is_jmp == DISAS_TOO_MANY:
        ctx.gen_goto_tb(0, ctx.pc_next)


def riscv_tr_disas_log(ctx: DisasContext, cs: CPUState) -> str:
    """The block's code as `-d in_asm` shows it."""
    return f"IN: {lookup_symbol(ctx.pc_first)}\nPriv: {ctx.env.priv}; Virt: 0\n" + target_disas(
        cs, ctx.pc_first, ctx.tb.size
    )


def gen_intermediate_code(
    cs: CPUState, tb: TranslationBlock, max_insns: int, pc: int, host_pc: memoryview | None
) -> None:
    """Translate the block that begins at `pc`, on the page `host_pc` of RAM."""
    translator_loop(cs, tb, max_insns, pc, host_pc, riscv_tr_ops, DisasContext(tb))


riscv_tr_ops = TranslatorOps(
    init_disas_context=riscv_tr_init_disas_context,
    tb_start=riscv_tr_tb_start,
    insn_start=riscv_tr_insn_start,
    translate_insn=riscv_tr_translate_insn,
    tb_stop=riscv_tr_tb_stop,
    disas_log=riscv_tr_disas_log,
)
