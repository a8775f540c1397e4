"""A hart's registers as names: what TCG is told of them, and `m.x` and `m.f` (QEMU target/riscv/translate.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from pyqemu_edu.process import per_process
from pyqemu_edu.target.riscv.cpu_state import riscv_fpr_regnames, riscv_int_regnames
from pyqemu_edu.target.riscv.names import Name
from pyqemu_edu.tcg.op import TCGTemp
from pyqemu_edu.tcg.tcg import tcg_constant, tcg_gen_mov, tcg_global_mem_new

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.translate import DisasContext


class Statics:
    """The globals of every translation."""

    def __init__(self) -> None:
        self.cpu_gpr: list[TCGTemp | None] = [None] * 32
        self.cpu_fpr: list[TCGTemp] = []
        self.cpu_pc: TCGTemp | None = None
        self.load_res: TCGTemp | None = None
        self.load_val: TCGTemp | None = None


statics = per_process(Statics)


def riscv_translate_init() -> None:
    """Tell TCG where a hart's registers are; x0 is none."""
    s = statics()
    for i in range(1, 32):
        s.cpu_gpr[i] = tcg_global_mem_new(f"gpr[{i}]", riscv_int_regnames[i])
    s.cpu_fpr = [tcg_global_mem_new(f"fpr[{i}]", riscv_fpr_regnames[i]) for i in range(32)]
    s.cpu_pc = tcg_global_mem_new("pc", "pc")
    s.load_res = tcg_global_mem_new("load_res", "load_res")
    s.load_val = tcg_global_mem_new("load_val", "load_val")


@dataclass(eq=False)
class Gprs:
    """The integer registers as names: writing one emits a move."""

    ctx: DisasContext

    def __getitem__(self, index: int) -> Name:
        temp = self.ctx.globals.cpu_gpr[index]
        return Name(self.ctx, temp if temp is not None else tcg_constant(self.ctx.tcg, 0))

    def __setitem__(self, index: int, value: Any) -> None:
        temp = self.ctx.globals.cpu_gpr[index]
        if temp is not None:
            tcg_gen_mov(self.ctx.tcg, temp, self.ctx.temp(value))


@dataclass(eq=False)
class Fprs:
    """The floating-point registers: writing one emits a move, and what marks them dirty if they are not yet."""

    ctx: DisasContext

    def __getitem__(self, index: int) -> Name:
        return Name(self.ctx, self.ctx.globals.cpu_fpr[index])

    def __setitem__(self, index: int, value: Any) -> None:
        tcg_gen_mov(self.ctx.tcg, self.ctx.globals.cpu_fpr[index], self.ctx.temp(value))
        self.ctx.mark_fs_dirty()
