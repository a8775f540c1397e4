"""Traps, returns from them, waiting, and fences (QEMU target/riscv/insn_trans/trans_privileged.c.inc)."""

from __future__ import annotations

from pyqemu_edu.target.riscv.cpu_bits import RISCV_EXCP_BREAKPOINT, RISCV_EXCP_U_ECALL
from pyqemu_edu.target.riscv.insn.declare import Extension
from pyqemu_edu.target.riscv.insn.formats import Empty, Vma
from pyqemu_edu.target.riscv.insn.protocol import Machine
from pyqemu_edu.target.riscv.op_helper import helper_mret, helper_sret, helper_tlb_flush, helper_wfi

insn = Extension("Privileged", "Traps and returns from them")
S = Extension("S", "Supervisor mode", needs=("S",))
Svinval = Extension("Svinval", "Fences of address translation in parts", needs=("S svinval",))

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
def wfi(m: Machine, a: Empty) -> None: m.halt(helper_wfi)

@S("000100000010 00000 000 00000 1110011  @empty")
def sret(m: Machine, a: Empty) -> None: m.exit(m.helper(helper_sret))

# Understood without supervisor mode too
@insn("0001001 ..... ..... 000 00000 1110011  @vma", "{rs1}, {rs2}")
def sfence_vma(m: Machine, a: Vma) -> None: m.helper(helper_tlb_flush)

# As each invalidation is done at once, what stands around it has nothing to do, and is not even privileged.  Where
# sinval.vma is, QEMU forgets to note its bits for mtval

@Svinval("0001011 ..... ..... 000 00000 1110011  @vma", "{rs1}, {rs2}")
def sinval_vma(m: Machine, a: Vma) -> None: m.helper(helper_tlb_flush)

@Svinval("0001100 00000 00000 000 00000 1110011  @empty")
def sfence_w_inval(m: Machine, a: Empty) -> None: pass

@Svinval("0001100 00001 00000 000 00000 1110011  @empty")
def sfence_inval_ir(m: Machine, a: Empty) -> None: pass
