"""How gdb sees a hart: which registers, and their values (QEMU target/riscv/gdbstub.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu_edu.hw.core.cpu import CPUState
from pyqemu_edu.target.riscv.cpu_bits import MASK64, PRV_H, PRV_S, RVD, RVF
from pyqemu_edu.target.riscv.csr import csr_ops, riscv_csrrw_debug
from pyqemu_edu.target.riscv.csr_declare import CsrRefused

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

CSR_TABLE_SIZE = 0x1000

GetReg = Callable[["CPURISCVState", int], bytes]
SetReg = Callable[["CPURISCVState", bytes, int], int]


@dataclass(frozen=True)
class GDBRegisterState:
    """Registers that came in later than the core's: their description, first number, and how to get and set them."""

    base_reg: int
    num_regs: int
    get_reg: GetReg
    set_reg: SetReg
    xml: str


def gdb_register_coprocessor(
    cpu: CPUState, get_reg: GetReg, set_reg: SetReg, num_regs: int, xml: str, g_pos: int
) -> None:
    """Tell gdb of more registers (QEMU gdbstub/gdbstub.c)."""
    cpu.gdb_regs.append(GDBRegisterState(cpu.gdb_num_regs, num_regs, get_reg, set_reg, xml))
    cpu.gdb_num_regs += num_regs
    if g_pos:
        assert g_pos == cpu.gdb_regs[-1].base_reg, f"bad gdb register numbering for '{xml}'"
        cpu.gdb_num_g_regs = cpu.gdb_num_regs


def riscv_cpu_gdb_read_register(cs: CPUState, n: int) -> bytes:
    """Register x0 to x31, or pc as number 32, as eight bytes; no bytes for others."""
    env = cs.env_ptr
    if n > 32:
        return b""
    value: int = env.pc if n == 32 else env.gpr[n]
    return value.to_bytes(8, "little")


def riscv_cpu_gdb_write_register(cs: CPUState, mem_buf: bytes, n: int) -> int:
    """Set a register; the number of bytes used.  x0 stays zero."""
    env = cs.env_ptr
    value = int.from_bytes(mem_buf[:8], "little")
    if 0 < n < 32:
        env.gpr[n] = value
    elif n == 32:
        env.pc = value
    return 8


def riscv_gdb_get_fpu(env: CPURISCVState, n: int) -> bytes:
    """A floating-point register, as eight bytes."""
    return env.fpr[n].to_bytes(8, "little") if n < 32 else b""


def riscv_gdb_set_fpu(env: CPURISCVState, mem_buf: bytes, n: int) -> int:
    """Set a floating-point register."""
    if n >= 32:
        return 0
    env.fpr[n] = int.from_bytes(mem_buf[:8], "little")
    return 8


def riscv_gdb_get_csr(env: CPURISCVState, n: int) -> bytes:
    """A CSR, if the hart has it."""
    try:
        return riscv_csrrw_debug(env, n, 0, 0).to_bytes(8, "little")
    except CsrRefused:
        return b""


def riscv_gdb_set_csr(env: CPURISCVState, mem_buf: bytes, n: int) -> int:
    """Set a CSR, if the hart has it."""
    try:
        riscv_csrrw_debug(env, n, int.from_bytes(mem_buf[:8], "little"), MASK64)
    except CsrRefused:
        return 0
    return 8


def riscv_gdb_get_virtual(env: CPURISCVState, n: int) -> bytes:
    """The privilege mode, which gdb sees as a register."""
    return env.priv.to_bytes(8, "little") if n == 0 else b""


def riscv_gdb_set_virtual(env: CPURISCVState, mem_buf: bytes, n: int) -> int:
    """Set the privilege mode."""
    if n != 0:
        return 0
    priv = mem_buf[0] & 3
    env.priv = PRV_S if priv == PRV_H else priv
    return 8


def riscv_gen_dynamic_csr_xml(cs: CPUState, base_reg: int) -> int:
    """Describe the CSRs that this hart has; the size of the numbers' range."""
    env = cs.env_ptr
    regs = "".join(
        f'<reg name="{csr.name}" bitsize="64" regnum="{base_reg + number}"/>'
        for number, csr in sorted(csr_ops.items())
        if csr.predicate(env, number)
    )
    head = '<?xml version="1.0"?><!DOCTYPE feature SYSTEM "gdb-target.dtd"><feature name="org.gnu.gdb.riscv.csr">'
    env.cpu.dyn_csr_xml = f"{head}{regs}</feature>"
    return CSR_TABLE_SIZE


def riscv_gdb_get_dynamic_xml(cs: CPUState, xmlname: str) -> str | None:
    """The description that was made for this hart (QEMU target/riscv/cpu.c)."""
    xml: str | None = cs.env_ptr.cpu.dyn_csr_xml
    return xml if xmlname == "riscv-csr.xml" else None


def riscv_cpu_register_gdb_regs_for_features(cs: CPUState) -> None:
    """Tell gdb of the registers that this hart has beyond x0 to x31 and pc."""
    env = cs.env_ptr
    if env.misa_ext & RVD:
        gdb_register_coprocessor(cs, riscv_gdb_get_fpu, riscv_gdb_set_fpu, 32, "riscv-64bit-fpu.xml", 0)
    elif env.misa_ext & RVF:
        gdb_register_coprocessor(cs, riscv_gdb_get_fpu, riscv_gdb_set_fpu, 32, "riscv-32bit-fpu.xml", 0)
    gdb_register_coprocessor(cs, riscv_gdb_get_virtual, riscv_gdb_set_virtual, 1, "riscv-64bit-virtual.xml", 0)
    num_regs = riscv_gen_dynamic_csr_xml(cs, cs.gdb_num_regs)
    gdb_register_coprocessor(cs, riscv_gdb_get_csr, riscv_gdb_set_csr, num_regs, "riscv-csr.xml", 0)
