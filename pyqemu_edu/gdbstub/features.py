"""Which registers there are, in XML for gdb, and their values (QEMU gdbstub/gdbstub.c).

The files that QEMU has in gdb-xml/ for the registers of RISC-V are made here from the registers' names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from pyqemu_edu.disas.riscv_names import rv_freg_name_sym, rv_ireg_name_sym
from pyqemu_edu.hw.core.cpu import CPU_GET_CLASS, CPUState

HEAD = '<?xml version="1.0"?><!DOCTYPE {0} SYSTEM "gdb-target.dtd">'
POINTERS = {"ra": "code_ptr", "sp": "data_ptr", "gp": "data_ptr", "tp": "data_ptr", "fp": "data_ptr", "pc": "code_ptr"}
RISCV_DOUBLE = (
    '<union id="riscv_double"><field name="float" type="ieee_single"/><field name="double" type="ieee_double"/></union>'
)


def feature(name: str, content: str) -> str:
    """A group of registers (Not in QEMU: files there)."""
    return f'{HEAD.format("feature")}<feature name="org.gnu.gdb.riscv.{name}">{content}</feature>'


def regs(names: Iterable[str], bitsize: int, type_of: Callable[[str], str]) -> str:
    """Registers of one size (Not in QEMU)."""
    return "".join(f'<reg name="{name}" bitsize="{bitsize}" type="{type_of(name)}"/>' for name in names)


def core_regs(bitsize: int) -> str:
    """x0 to x31, by the names of the calling convention, and pc (Not in QEMU)."""
    names = ["fp" if name == "s0" else name for name in rv_ireg_name_sym]
    return regs([*names, "pc"], bitsize, lambda name: POINTERS.get(name, "int"))


XML_BUILTIN: dict[str, str] = {
    "riscv-64bit-cpu.xml": feature("cpu", core_regs(64)),
    "riscv-64bit-fpu.xml": feature("fpu", RISCV_DOUBLE + regs(rv_freg_name_sym, 64, lambda name: "riscv_double")),
    "riscv-32bit-fpu.xml": feature("fpu", regs(rv_freg_name_sym, 32, lambda name: "ieee_single")),
    "riscv-64bit-virtual.xml": feature("virtual", '<reg name="priv" bitsize="64"/>'),
}


def get_feature_xml(cpu: CPUState, name: str) -> str | None:
    """The description of that name; `target.xml` names the others."""
    cc = CPU_GET_CLASS(cpu)
    if name == "target.xml":
        return target_xml(cpu)
    dynamic = cc.gdb_get_dynamic_xml(cpu, name) if cc.gdb_get_dynamic_xml else None
    return dynamic or XML_BUILTIN.get(name)


def target_xml(cpu: CPUState) -> str:
    """The architecture and its groups of registers (in QEMU a part of `get_feature_xml`)."""
    cc = CPU_GET_CLASS(cpu)
    arch = f"<architecture>{cc.gdb_arch_name(cpu)}</architecture>" if cc.gdb_arch_name else ""
    files = [cc.gdb_core_xml_file, *(r.xml for r in cpu.gdb_regs)]
    includes = "".join(f'<xi:include href="{file}"/>' for file in files)
    return f"{HEAD.format('target')}<target>{arch}{includes}</target>"


def gdb_read_register(cpu: CPUState, reg: int) -> bytes:
    """A register's bytes; none if there is no such register."""
    cc = CPU_GET_CLASS(cpu)
    if reg < cc.gdb_num_core_regs:
        assert cc.gdb_read_register is not None
        return cc.gdb_read_register(cpu, reg)
    for r in cpu.gdb_regs:
        if r.base_reg <= reg < r.base_reg + r.num_regs:
            data: bytes = r.get_reg(cpu.env_ptr, reg - r.base_reg)
            return data
    return b""


def gdb_write_register(cpu: CPUState, mem_buf: bytes, reg: int) -> int:
    """Set a register; how many of the bytes were used."""
    cc = CPU_GET_CLASS(cpu)
    if reg < cc.gdb_num_core_regs:
        assert cc.gdb_write_register is not None
        return cc.gdb_write_register(cpu, mem_buf, reg)
    for r in cpu.gdb_regs:
        if r.base_reg <= reg < r.base_reg + r.num_regs:
            used: int = r.set_reg(cpu.env_ptr, mem_buf, reg - r.base_reg)
            return used
    return 0
