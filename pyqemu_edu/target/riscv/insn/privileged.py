"""Traps, returns from them, and waiting (QEMU target/riscv/insn_trans/trans_privileged.c.inc).

`sret` and `sfence.vma` belong to supervisor mode, which the harts do not have yet.
"""

from __future__ import annotations

from pyqemu_edu.target.riscv.cpu_bits import RISCV_EXCP_BREAKPOINT, RISCV_EXCP_U_ECALL
from pyqemu_edu.target.riscv.insn.declare import Extension
from pyqemu_edu.target.riscv.insn.formats import Empty
from pyqemu_edu.target.riscv.insn.protocol import Machine
from pyqemu_edu.target.riscv.op_helper import helper_mret, helper_wfi

insn = Extension("Privileged", "Traps and returns from them")

# fmt: off
# ruff: noqa: D103

# Always the call from user mode: `riscv_cpu_do_interrupt` knows the mode and puts it right
@insn("000000000000 00000 000 00000 1110011  @empty")
def ecall(m: Machine, a: Empty) -> None: m.raise_exception(RISCV_EXCP_U_ECALL)

@insn("000000000001 00000 000 00000 1110011  @empty")
def ebreak(m: Machine, a: Empty) -> None: m.raise_exception(RISCV_EXCP_BREAKPOINT)

@insn("001100000010 00000 000 00000 1110011  @empty")
def mret(m: Machine, a: Empty) -> None: m.exit(m.helper(helper_mret))

@insn("000100000101 00000 000 00000 1110011  @empty")
def wfi(m: Machine, a: Empty) -> None:
    m.helper(helper_wfi)
    m.exit()
