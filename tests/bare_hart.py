"""A hart and its RAM without a board, for tests of what executes instructions."""

from __future__ import annotations

import mmap
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

from pyqemu_edu.accel.tcg.cpu_exec import cpu_exec, tcg_exec_realizefn
from pyqemu_edu.accel.tcg.tb_maint import tb_flush
from pyqemu_edu.accel.tcg.tcg_cpus import cpu_set_instruction_budget
from pyqemu_edu.cpus_common import cpu_list_add
from pyqemu_edu.softmmu.accel_ops import AccelOpsClass, cpus_register_accel
from pyqemu_edu.softmmu.dispatch import AddressSpaceDispatch, MemoryRegionSection
from pyqemu_edu.softmmu.memory_region import MemoryRegion, MemoryRegionOps, RAMBlock
from pyqemu_edu.target.riscv.cpu import riscv_cpu_disas_set_info as set_info
from pyqemu_edu.target.riscv.cpu import riscv_tcg_ops
from pyqemu_edu.target.riscv.cpu_bits import MXL_RV64, RVA, RVC, RVI, RVM
from pyqemu_edu.target.riscv.cpu_state import RISCVCPU, RISCVCPUClass
from pyqemu_edu.tcg.tcg import tcg_ctx as tcg_globals
from pyqemu_edu.tcg.tcg import tcg_init

RAM_BASE = 0x80000000
RAM_SIZE = 1 << 20
DEVICE_BASE = 0x10000000


class BareHart:
    """One hart with 1 MiB of RAM at 0x80000000 and a device at 0x10000000 that notes what it is told."""

    def __init__(self, *words: int | bytes, at: int = RAM_BASE, read_block: Any = None) -> None:
        self.written: list[tuple[int, int, int]] = []
        self.cpu = cpu = RISCVCPU()
        cpu.klass = RISCVCPUClass()
        cpu.klass.tcg_ops = replace(riscv_tcg_ops, read_block=read_block)
        cpu.klass.has_work = lambda cpu: False
        cpu.klass.disas_set_info = set_info
        cpu.env_ptr = self.env = cpu.env
        cpu.env.cpu = cpu
        cpu.cpu_index = -1
        cpu.exception_index = -1
        self.env.misa_ext = RVI | RVM | RVA | RVC
        self.env.misa_mxl = MXL_RV64
        self.env.priv = 3
        self.env.pc = at
        cpu.cpu_ases = [SimpleNamespace(memory_dispatch=self._memory())]
        cpus_register_accel(AccelOpsClass(create_vcpu_thread=lambda cpu: None))
        if not tcg_globals().globals:
            tcg_init(0, 0, 1)
        tb_flush(cpu)
        tcg_exec_realizefn(cpu)
        cpu_list_add(cpu)
        self.load(at, *words)

    def _memory(self) -> AddressSpaceDispatch:
        host = mmap.mmap(-1, RAM_SIZE)
        ram = MemoryRegion(name="ram", size=RAM_SIZE, ram=True)
        ram.ram_block = RAMBlock(ram, host, memoryview(host), 0, RAM_SIZE)
        self.ram = memoryview(host)
        ops = MemoryRegionOps(
            read=lambda opaque, addr, size: 0x1122334455667788 >> 8 * addr & (1 << 8 * size) - 1,
            write=lambda opaque, addr, value, size: self.written.append((addr, value, size)),
        )
        device = MemoryRegion(name="device", size=0x1000, ops=ops)
        unassigned = MemoryRegionSection(MemoryRegion(name="nobody", size=2**64), None, 0, 2**64, 0)
        return AddressSpaceDispatch(
            unassigned,
            [
                MemoryRegionSection(device, None, 0, 0x1000, DEVICE_BASE),
                MemoryRegionSection(ram, None, 0, RAM_SIZE, RAM_BASE),
            ],
        )

    def load(self, at: int, *words: int | bytes) -> None:
        """Put code or data into RAM; a word that looks compressed takes two bytes."""
        for word in words:
            data = word if isinstance(word, bytes) else word.to_bytes(4 if word & 3 == 3 else 2, "little")
            self.ram[at - RAM_BASE : at - RAM_BASE + len(data)] = data
            at += len(data)

    def run(self, instructions: int) -> int:
        """Execute so many instructions; why it stopped."""
        cpu_set_instruction_budget(self.cpu, instructions)
        return cpu_exec(self.cpu)

    def __getitem__(self, register: int) -> int:
        return self.env.gpr[register]
