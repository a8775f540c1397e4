"""One instruction read in every way that there is, one below the other (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from types import SimpleNamespace

from pyqemu_edu.accel.tcg.tb import TBInsn, TranslationBlock
from pyqemu_edu.disas.riscv import disasm_inst
from pyqemu_edu.disas.riscv_names import register_name
from pyqemu_edu.process import Process
from pyqemu_edu.target.riscv.cpu_bits import RVC
from pyqemu_edu.target.riscv.insn.decode import Decoded, decode
from pyqemu_edu.target.riscv.insn.effects import effects
from pyqemu_edu.target.riscv.register_names import riscv_translate_init
from pyqemu_edu.target.riscv.translate import DisasContext
from pyqemu_edu.tcg.tcg import op_text, tcg_ctx, tcg_func_start, tcg_gen_insn_start
from pyqemu_edu.view.figure import Figure, table

PC = 0x8000_0000


def readings(word: int) -> Figure:
    """The table: as bits, as assembly, in names, on nothing. Raises ValueError for what is no instruction."""
    instruction, operands = decoded(word)
    rows = [
        ("pattern", instruction.pattern),
        ("word", f"{word:0{8 * instruction.length}b}"),
        ("operands", ", ".join(f"{name} = {value}" for name, value in operands._asdict().items())),
        ("assembly", " ".join(disasm_inst(PC, word).split())),
        *(("" if n else "operations", text) for n, text in enumerate(operations(word))),
        ("touches", touched(word)),
    ]
    return table(f"{instruction.name}, read in five ways", ("reading", "result"), rows)


def decoded(word: int) -> Decoded:
    """The instruction and its operands. Raises ValueError for what is none."""
    found = decode(word)
    if found is None:
        raise ValueError(f"{word:#x} is no instruction")
    return found


def operations(word: int) -> list[str]:
    """What the translator makes of one instruction at `PC`, as `-d op` shows it."""
    return [op_text(op).strip() for op in translation([word]).tcg.ops[1:]]


def translation(words: Sequence[int]) -> DisasContext:
    """The translator when it has read these instructions, one behind the other from `PC` on."""
    with Process():
        riscv_translate_init()
        tb = TranslationBlock(pc=PC, cs_base=0, flags=0, cflags=0)
        ctx = DisasContext(tb, pc_first=PC, pc_next=PC, tcg=tcg_ctx(), env=SimpleNamespace(misa_ext=RVC), mem_idx=3)
        tcg_func_start(ctx.tcg)
        for word in words:
            read_in_names(ctx, word)
    return ctx


def read_in_names(ctx: DisasContext, word: int) -> None:
    """Translate one instruction, as `decode_opc` does with one from memory."""
    instruction, operands = decoded(word)
    ctx.tb.insns.append(TBInsn((ctx.pc_next, 0)))
    tcg_gen_insn_start(ctx.tcg, ctx.pc_next, 0)
    ctx.opcode, ctx.pc_succ_insn = word, ctx.pc_next + instruction.length
    instruction.meaning(ctx, operands)
    if ctx.csr_ends_block:
        ctx.exit()
    ctx.pc_next = ctx.pc_succ_insn


def touched(word: int) -> str:
    """What an instruction reads, writes and does besides, in words."""
    instruction, operands = decoded(word)
    found = asdict(effects(instruction.meaning, operands))
    names = {key: ", ".join(register_name(n) for n in sorted(found.pop(key))) for key in ("reads", "writes")}
    more = {key: value for key, value in found.items() if value}
    said = [f"{key} {value}" for key, value in names.items() if value]
    said += [key.replace("_", " ") if value is True else f"{key} {value}" for key, value in more.items()]
    return "; ".join(said) or "nothing"
