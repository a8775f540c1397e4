"""The board of the ISA simulator Spike: harts, RAM, a timer and a console (QEMU hw/riscv/spike.c)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.hw.char.riscv_htif import htif_mm_init, htif_symbol_callback, htif_uses_elf_symbols
from pyqemu_edu.hw.core.boards import MACHINE_CLASS, MACHINE_TYPE_NAME, TYPE_MACHINE, MachineState, MemMapEntry
from pyqemu_edu.hw.riscv.boot import (
    RISCV32_BIOS_BIN,
    RISCV64_BIOS_BIN,
    fail,
    riscv_calc_kernel_start_addr,
    riscv_find_and_load_firmware,
    riscv_is_32bit,
    riscv_load_fdt,
    riscv_load_kernel,
    riscv_setup_rom_reset_vec,
)
from pyqemu_edu.hw.riscv.numa import (
    riscv_numa_cpu_index_to_props,
    riscv_numa_get_default_cpu_node_id,
    riscv_numa_possible_cpu_arch_ids,
    riscv_socket_count,
    riscv_socket_fdt_write_distance_matrix,
)
from pyqemu_edu.hw.riscv.riscv_hart import RISCVHartArrayState
from pyqemu_edu.hw.riscv.socket import (
    create_clint,
    create_harts,
    describe_clint,
    describe_cpus,
    describe_hart,
    describe_memory,
    describe_place,
    load_initrd,
)
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.device_tree import (
    create_device_tree,
    qemu_fdt_add_subnode,
    qemu_fdt_setprop,
    qemu_fdt_setprop_cell,
    qemu_fdt_setprop_cells,
    qemu_fdt_setprop_string,
)
from pyqemu_edu.softmmu.globals import serial_hd
from pyqemu_edu.softmmu.libfdt import Fdt
from pyqemu_edu.softmmu.memory import memory_region_add_subregion, memory_region_init_rom
from pyqemu_edu.softmmu.physmem import get_system_memory
from pyqemu_edu.target.riscv.cpu_bits import IRQ_M_SOFT, IRQ_M_TIMER
from pyqemu_edu.target.riscv.cpu_state import TYPE_RISCV_CPU_BASE

TYPE_SPIKE_MACHINE = MACHINE_TYPE_NAME("spike")
SPIKE_CPUS_MAX = 8
SPIKE_SOCKETS_MAX = 8


# What is on the board; the size of DRAM is the user's choice (QEMU's array `spike_memmap`).
# fmt: off
SPIKE_MROM  = MemMapEntry(    0x1000,  0xF000)
SPIKE_HTIF  = MemMapEntry( 0x1000000,  0x1000)
SPIKE_CLINT = MemMapEntry( 0x2000000, 0x10000)
SPIKE_DRAM  = MemMapEntry(0x80000000,     0x0)
# fmt: on


@dataclass(eq=False)
class SpikeState(MachineState):
    """The board: a hart array for each socket."""

    soc: list[RISCVHartArrayState] = field(default_factory=list)


# ---- the device tree


def create_fdt(s: SpikeState, mem_size: int, cmdline: str | None, is_32_bit: bool) -> Fdt:
    """Describe the board to the guest."""
    fdt = create_device_tree()
    qemu_fdt_setprop_string(fdt, "/", "model", "ucbbar,spike-bare,qemu")
    qemu_fdt_setprop_string(fdt, "/", "compatible", "ucbbar,spike-bare-dev")
    qemu_fdt_setprop_cell(fdt, "/", "#size-cells", 2)
    qemu_fdt_setprop_cell(fdt, "/", "#address-cells", 2)
    create_fdt_buses(fdt)
    phandle = 1
    for socket in reversed(range(riscv_socket_count(s))):
        phandle = create_fdt_socket(s, fdt, socket, phandle, is_32_bit)
    riscv_socket_fdt_write_distance_matrix(s, fdt)
    qemu_fdt_add_subnode(fdt, "/chosen")
    qemu_fdt_setprop_string(fdt, "/chosen", "stdout-path", "/htif")
    if cmdline:
        qemu_fdt_setprop_string(fdt, "/chosen", "bootargs", cmdline)
    return fdt


def create_fdt_buses(fdt: Fdt) -> None:
    """The console, and the nodes that CPUs and devices will stand in (in QEMU `create_fdt`)."""
    qemu_fdt_add_subnode(fdt, "/htif")
    qemu_fdt_setprop_string(fdt, "/htif", "compatible", "ucb,htif0")
    if not htif_uses_elf_symbols():
        qemu_fdt_setprop_cells(fdt, "/htif", "reg", 0, SPIKE_HTIF.base, 0, SPIKE_HTIF.size)
    qemu_fdt_add_subnode(fdt, "/soc")
    qemu_fdt_setprop(fdt, "/soc", "ranges", b"")
    qemu_fdt_setprop_string(fdt, "/soc", "compatible", "simple-bus")
    qemu_fdt_setprop_cell(fdt, "/soc", "#size-cells", 2)
    qemu_fdt_setprop_cell(fdt, "/soc", "#address-cells", 2)
    describe_cpus(fdt)


def create_fdt_socket(s: SpikeState, fdt: Fdt, socket: int, phandle: int, is_32_bit: bool) -> int:
    """Harts, RAM and timer of one socket; the next phandle (in QEMU `create_fdt`)."""
    qemu_fdt_add_subnode(fdt, f"/cpus/cpu-map/cluster{socket}")
    clint_cells: list[int] = []
    for cpu in reversed(range(s.soc[socket].num_harts)):
        cpu_phandle, intc_phandle = phandle, phandle + 1
        phandle += 2
        mmu_type = "riscv,sv32" if is_32_bit else "riscv,sv48"
        describe_hart(s, fdt, s.soc[socket], socket, cpu, mmu_type, (cpu_phandle, intc_phandle))
        clint_cells[:0] = [intc_phandle, IRQ_M_SOFT, intc_phandle, IRQ_M_TIMER]
        describe_place(fdt, socket, cpu, cpu_phandle)
    describe_memory(s, fdt, socket, SPIKE_DRAM)
    describe_clint(s, fdt, socket, SPIKE_CLINT, clint_cells)
    return phandle


# ---- the board


def spike_board_init(machine: MachineState) -> None:
    """Build the board; what is loaded goes to memory at reset."""
    s = object_check(machine, SpikeState, TYPE_SPIKE_MACHINE)
    system_memory = get_system_memory()
    if riscv_socket_count(machine) > SPIKE_SOCKETS_MAX:
        raise fail(f"number of sockets/nodes should be less than {SPIKE_SOCKETS_MAX}")
    for i in range(riscv_socket_count(machine)):
        spike_socket_init(s, i)
    assert machine.ram is not None
    memory_region_add_subregion(system_memory, SPIKE_DRAM.base, machine.ram)
    mask_rom = memory_region_init_rom(None, "riscv.spike.mrom", SPIKE_MROM.size)
    memory_region_add_subregion(system_memory, SPIKE_MROM.base, mask_rom)
    bios = RISCV32_BIOS_BIN if riscv_is_32bit(s.soc[0]) else RISCV64_BIOS_BIN
    firmware_end_addr = riscv_find_and_load_firmware(machine, bios, SPIKE_DRAM.base, htif_symbol_callback)
    kernel_entry = spike_load_kernel(s, firmware_end_addr)
    fdt = create_fdt(s, machine.ram_size, machine.kernel_cmdline, riscv_is_32bit(s.soc[0]))
    if machine.kernel_filename is not None:
        load_initrd(s, fdt, kernel_entry)
    fdt_load_addr = riscv_load_fdt(SPIKE_DRAM.base, machine.ram_size, fdt)
    machine.fdt = fdt
    riscv_setup_rom_reset_vec(s.soc[0], SPIKE_DRAM.base, SPIKE_MROM.base, SPIKE_MROM.size, kernel_entry, fdt_load_addr)
    htif_mm_init(system_memory, serial_hd(0), SPIKE_HTIF.base)


def spike_socket_init(s: SpikeState, i: int) -> None:
    """The harts of a socket, with timer and software interrupts (in QEMU `spike_board_init`)."""
    soc = create_harts(s, i)
    s.soc.append(soc)
    create_clint(soc, SPIKE_CLINT.base + i * SPIKE_CLINT.size, False)


def spike_load_kernel(s: SpikeState, firmware_end_addr: int) -> int:
    """Load what `-kernel` names; where it begins, 0 without one (in QEMU `spike_board_init`)."""
    if s.kernel_filename is None:
        return 0
    kernel_start_addr = riscv_calc_kernel_start_addr(s.soc[0], firmware_end_addr)
    return riscv_load_kernel(s.kernel_filename, kernel_start_addr, htif_symbol_callback)


def spike_machine_instance_init(obj: Object) -> None:
    """A new machine of this type needs nothing of its own."""


def spike_machine_class_init(klass: ObjectClass) -> None:
    """What the machine layer must know: how to build the board, its limits and defaults."""
    mc = MACHINE_CLASS(klass)
    mc.desc = "RISC-V Spike board"
    mc.init = spike_board_init
    mc.max_cpus = SPIKE_CPUS_MAX
    mc.is_default = True
    mc.default_cpu_type = TYPE_RISCV_CPU_BASE
    mc.possible_cpu_arch_ids = riscv_numa_possible_cpu_arch_ids
    mc.cpu_index_to_instance_props = riscv_numa_cpu_index_to_props
    mc.get_default_cpu_node_id = riscv_numa_get_default_cpu_node_id
    mc.numa_mem_supported = True
    mc.default_ram_id = "riscv.spike.ram"


type_init(
    TypeInfo(
        TYPE_SPIKE_MACHINE,
        parent=TYPE_MACHINE,
        instance_struct=SpikeState,
        class_init=spike_machine_class_init,
        instance_init=spike_machine_instance_init,
    )
)
