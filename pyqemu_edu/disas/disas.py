"""Disassembling what is in the guest's memory (QEMU disas.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pyqemu_edu.accel.tcg.cputlb import load_helper
from pyqemu_edu.cpu import cpu_memory_rw_debug
from pyqemu_edu.hw.core.cpu import CPU_GET_CLASS, CPUState, MMUAccessType
from pyqemu_edu.softmmu.physmem import address_space_memory, address_space_read

DISAGREES = (
    "Disassembler disagrees with translator over instruction decoding\nPlease report this to qemu-devel@nongnu.org\n"
)

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
    """The code of a block, a line for each instruction, as `-d in_asm` shows it (QEMU disas.c).

    It stops at an instruction without a length, which QEMU prints for ever.
    """
    mmu_idx = cpu.env_ptr.priv

    def read_memory(address: int, length: int) -> bytes:
        parts = (load_helper(cpu, address + i, 1, mmu_idx, MMUAccessType.INST_FETCH) for i in range(length))
        return bytes(parts)

    info = initialize_debug_target(cpu, read_memory)
    pc, count = code, 1
    while count and pc < code + size:
        count = disas_line(info, pc)
        pc += count
    if pc > code + size:
        info.write(DISAGREES)
    return "".join(info.text)


def monitor_disas(cpu: CPUState, pc: int, nb_insn: int, is_physical: bool) -> str:
    """So many instructions from `pc` on; what cannot be read is zero (QEMU disas.c)."""

    def read_memory(address: int, length: int) -> bytes:
        if is_physical:
            return address_space_read(address_space_memory(), address, length)[0]
        return cpu_memory_rw_debug(cpu, address, length) or bytes(length)

    info = initialize_debug_target(cpu, read_memory)
    for _ in range(nb_insn):
        pc += disas_line(info, pc)
    return "".join(info.text)


def initialize_debug_target(cpu: CPUState, read_memory: Callable[[int, int], bytes]) -> DisassembleInfo:
    """A disassembler for what this CPU executes (QEMU disas.c)."""
    info = DisassembleInfo(read_memory)
    disas_set_info = CPU_GET_CLASS(cpu).disas_set_info
    assert disas_set_info is not None
    disas_set_info(cpu, info)
    return info


def disas_line(info: DisassembleInfo, pc: int) -> int:
    """Print one instruction; its length (in QEMU a part of both callers)."""
    assert info.print_insn is not None
    pc &= (1 << 64) - 1
    info.write(f"0x{pc:016x}:  ")
    length = info.print_insn(pc, info)
    info.write("\n")
    return length
