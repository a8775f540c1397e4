"""Each vCPU's own short cut from an address to a block (QEMU accel/tcg/tb-jmp-cache.h).

QEMU's is an array of 4,096 places, chosen by some bits of the address; ours is a dictionary with a place for each
address, emptied when it has sixteen times as many.
"""

from __future__ import annotations

from pyqemu_edu.accel.tcg.tb import TranslationBlock
from pyqemu_edu.hw.core.cpu import CPUState

TB_JMP_CACHE_SIZE = 1 << 16


def tb_jmp_cache_get_tb(cpu: CPUState, pc: int) -> TranslationBlock | None:
    """The block last found for `pc`."""
    return cpu.tb_jmp_cache.get(pc)


def tb_jmp_cache_set(cpu: CPUState, pc: int, tb: TranslationBlock) -> None:
    """Remember the block for `pc`."""
    if len(cpu.tb_jmp_cache) >= TB_JMP_CACHE_SIZE:
        cpu.tb_jmp_cache.clear()
    cpu.tb_jmp_cache[pc] = tb
