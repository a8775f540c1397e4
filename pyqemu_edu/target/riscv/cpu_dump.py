"""A hart's registers as text, for the monitor and for `-d cpu` (QEMU target/riscv/cpu.c)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from pyqemu_edu.hw.core.cpu import CPUDumpFlags, CPUState
from pyqemu_edu.target.riscv.cpu_bits import RVH
from pyqemu_edu.target.riscv.cpu_helper import riscv_has_ext
from pyqemu_edu.target.riscv.cpu_state import RISCV_CPU, riscv_fpr_regnames, riscv_int_regnames
from pyqemu_edu.target.riscv.csr import csr_number, riscv_csrrw_debug
from pyqemu_edu.target.riscv.csr_declare import CsrRefused

# fmt: off
dump_csrs = (
    "mhartid", "mstatus", "mstatush", "hstatus", "vsstatus", "mip", "mie", "mideleg", "hideleg", "medeleg", "hedeleg",
    "mtvec", "stvec", "vstvec", "mepc", "sepc", "vsepc", "mcause", "scause", "vscause", "mtval", "stval", "htval",
    "mtval2", "mscratch", "sscratch", "satp", "mmte", "upmbase", "upmmask", "spmbase", "spmmask", "mpmbase", "mpmmask",
)
# fmt: on


def riscv_cpu_dump_state(cs: CPUState, f: TextIO, flags: int) -> None:
    """Print the registers as the monitor's `info registers` shows them.

    Reading mideleg changes it (`rmw_mideleg`), so that the second look shows another value than the first.
    """
    env = RISCV_CPU(cs).env
    if riscv_has_ext(env, RVH):
        f.write(f" V      =   {0}\n")
    f.write(f" pc       {env.pc:016x}\n")
    for name in dump_csrs:
        try:
            f.write(f" {name:<8} {riscv_csrrw_debug(env, csr_number[name], 0, 0):016x}\n")
        except (CsrRefused, KeyError):
            continue
    _dump_registers(f, riscv_int_regnames, env.gpr)
    if flags & CPUDumpFlags.FPU:
        _dump_registers(f, riscv_fpr_regnames, env.fpr)


def _dump_registers(f: TextIO, names: tuple[str, ...], values: Sequence[int]) -> None:
    for number, (name, value) in enumerate(zip(names, values, strict=True)):
        f.write(f" {name:<8} {value:016x}" + ("\n" if number % 4 == 3 else ""))
