"""Disassembling what is in the guest's memory (QEMU disas.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pyqemu_edu.accel.tcg.cputlb import load_helper
from pyqemu_edu.hw.core.cpu import CPU_GET_CLASS, CPUState, MMUAccessType

PrintInsn = Callable[[int, "DisassembleInfo"], int]


@dataclass(eq=False)
class DisassembleInfo:
    """What an architecture's disassembler reads from and prints to (QEMU `disassemble_info`)."""

    read_memory: Callable[[int, int], bytes]
    print_insn: PrintInsn | None = None
    text: list[str] = field(default_factory=list)

    def write(self, text: str) -> None:
        """Print."""
        self.text.append(text)


def target_disas(cpu: CPUState, code: int, size: int) -> str:
    """The code of a block, a line for each instruction, as `-d in_asm` shows it (QEMU disas.c)."""
    mmu_idx = cpu.env_ptr.priv

    def read_memory(address: int, length: int) -> bytes:
        parts = (load_helper(cpu, address + i, 1, mmu_idx, MMUAccessType.INST_FETCH) for i in range(length))
        return bytes(parts)

    info = DisassembleInfo(read_memory)
    disas_set_info = CPU_GET_CLASS(cpu).disas_set_info
    assert disas_set_info is not None
    disas_set_info(cpu, info)
    assert info.print_insn is not None
    pc = code
    while pc < code + size:
        info.write(f"0x{pc:016x}:  ")
        pc += info.print_insn(pc, info)
        info.write("\n")
    return "".join(info.text)
