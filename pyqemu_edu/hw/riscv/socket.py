"""What every board makes for a socket of harts, and tells the guest of it (Not in QEMU: each board writes it out)."""

from __future__ import annotations

from collections.abc import Iterable

from pyqemu_edu.hw.core.boards import MachineState, MemMapEntry
from pyqemu_edu.hw.core.sysbus import sysbus_realize
from pyqemu_edu.hw.intc.riscv_aclint import (
    RISCV_ACLINT_DEFAULT_MTIME,
    RISCV_ACLINT_DEFAULT_MTIMECMP,
    RISCV_ACLINT_DEFAULT_MTIMER_SIZE,
    RISCV_ACLINT_DEFAULT_TIMEBASE_FREQ,
    RISCV_ACLINT_SWI_SIZE,
    riscv_aclint_mtimer_create,
    riscv_aclint_swi_create,
)
from pyqemu_edu.hw.riscv.boot import fail, riscv_load_initrd
from pyqemu_edu.hw.riscv.numa import (
    riscv_socket_check_hartids,
    riscv_socket_fdt_write_id,
    riscv_socket_first_hartid,
    riscv_socket_hart_count,
    riscv_socket_mem_offset,
    riscv_socket_mem_size,
)
from pyqemu_edu.hw.riscv.riscv_hart import TYPE_RISCV_HART_ARRAY, RISCVHartArrayState
from pyqemu_edu.qom.property import object_property_set_int, object_property_set_str
from pyqemu_edu.qom.user_creatable import object_initialize_child
from pyqemu_edu.softmmu.device_tree import (
    qemu_fdt_add_subnode,
    qemu_fdt_setprop,
    qemu_fdt_setprop_cell,
    qemu_fdt_setprop_cells,
    qemu_fdt_setprop_string,
    qemu_fdt_setprop_string_array,
)
from pyqemu_edu.softmmu.libfdt import Fdt
from pyqemu_edu.target.riscv.cpu import riscv_isa_string

# Making


def create_harts(s: MachineState, socket: int) -> RISCVHartArrayState:
    """The harts of a socket, realized."""
    if not riscv_socket_check_hartids(s, socket):
        raise fail(f"discontinuous hartids in socket{socket}")
    base_hartid, hart_count = riscv_socket_first_hartid(s, socket), riscv_socket_hart_count(s, socket)
    soc: RISCVHartArrayState = object_initialize_child(s, f"soc{socket}", TYPE_RISCV_HART_ARRAY)
    assert s.cpu_type is not None
    object_property_set_str(soc, "cpu-type", s.cpu_type)
    object_property_set_int(soc, "hartid-base", base_hartid)
    object_property_set_int(soc, "num-harts", hart_count)
    sysbus_realize(soc)
    return soc


def create_clint(soc: RISCVHartArrayState, addr: int, provide_rdtime: bool) -> None:
    """Software interrupts at `addr`, the timer behind them, which may answer reads of the CSR `time`."""
    riscv_aclint_swi_create(addr, soc.hartid_base, soc.num_harts, False)
    riscv_aclint_mtimer_create(
        addr + RISCV_ACLINT_SWI_SIZE,
        RISCV_ACLINT_DEFAULT_MTIMER_SIZE,
        soc.hartid_base,
        soc.num_harts,
        RISCV_ACLINT_DEFAULT_MTIMECMP,
        RISCV_ACLINT_DEFAULT_MTIME,
        RISCV_ACLINT_DEFAULT_TIMEBASE_FREQ,
        provide_rdtime,
    )


# Describing


def describe_cpus(fdt: Fdt) -> None:
    """The node that harts stand in, and the map of where they sit."""
    qemu_fdt_add_subnode(fdt, "/cpus")
    qemu_fdt_setprop_cell(fdt, "/cpus", "timebase-frequency", RISCV_ACLINT_DEFAULT_TIMEBASE_FREQ)
    qemu_fdt_setprop_cell(fdt, "/cpus", "#size-cells", 0)
    qemu_fdt_setprop_cell(fdt, "/cpus", "#address-cells", 1)
    qemu_fdt_add_subnode(fdt, "/cpus/cpu-map")


def describe_hart(
    s: MachineState, fdt: Fdt, soc: RISCVHartArrayState, socket: int, cpu: int, mmu_type: str, phandles: tuple[int, int]
) -> None:
    """One hart, and where its interrupts come in; `phandles` are by what other nodes call the two."""
    cpu_name = f"/cpus/cpu@{soc.hartid_base + cpu}"
    qemu_fdt_add_subnode(fdt, cpu_name)
    qemu_fdt_setprop_string(fdt, cpu_name, "mmu-type", mmu_type)
    qemu_fdt_setprop_string(fdt, cpu_name, "riscv,isa", riscv_isa_string(soc.harts[cpu]))
    qemu_fdt_setprop_string(fdt, cpu_name, "compatible", "riscv")
    qemu_fdt_setprop_string(fdt, cpu_name, "status", "okay")
    qemu_fdt_setprop_cell(fdt, cpu_name, "reg", soc.hartid_base + cpu)
    qemu_fdt_setprop_string(fdt, cpu_name, "device_type", "cpu")
    riscv_socket_fdt_write_id(s, fdt, cpu_name, socket)
    qemu_fdt_setprop_cell(fdt, cpu_name, "phandle", phandles[0])
    intc_name = f"{cpu_name}/interrupt-controller"
    qemu_fdt_add_subnode(fdt, intc_name)
    qemu_fdt_setprop_cell(fdt, intc_name, "phandle", phandles[1])
    qemu_fdt_setprop_string(fdt, intc_name, "compatible", "riscv,cpu-intc")
    qemu_fdt_setprop(fdt, intc_name, "interrupt-controller", b"")
    qemu_fdt_setprop_cell(fdt, intc_name, "#interrupt-cells", 1)


def describe_place(fdt: Fdt, socket: int, cpu: int, cpu_phandle: int) -> None:
    """Where a hart sits."""
    core_name = f"/cpus/cpu-map/cluster{socket}/core{cpu}"
    qemu_fdt_add_subnode(fdt, core_name)
    qemu_fdt_setprop_cell(fdt, core_name, "cpu", cpu_phandle)


def describe_memory(s: MachineState, fdt: Fdt, socket: int, dram: MemMapEntry) -> None:
    """The socket's part of RAM."""
    addr = dram.base + riscv_socket_mem_offset(s, socket)
    size = riscv_socket_mem_size(s, socket)
    mem_name = f"/memory@{addr:x}"
    qemu_fdt_add_subnode(fdt, mem_name)
    qemu_fdt_setprop_cells(fdt, mem_name, "reg", addr >> 32, addr, size >> 32, size)
    qemu_fdt_setprop_string(fdt, mem_name, "device_type", "memory")
    riscv_socket_fdt_write_id(s, fdt, mem_name, socket)


def describe_clint(s: MachineState, fdt: Fdt, socket: int, clint: MemMapEntry, clint_cells: Iterable[int]) -> None:
    """The socket's timer and software interrupts, which a guest knows as one old device."""
    addr = clint.base + clint.size * socket
    clint_name = f"/soc/clint@{addr:x}"
    qemu_fdt_add_subnode(fdt, clint_name)
    qemu_fdt_setprop_string_array(fdt, clint_name, "compatible", ("sifive,clint0", "riscv,clint0"))
    qemu_fdt_setprop_cells(fdt, clint_name, "reg", 0, addr, 0, clint.size)
    qemu_fdt_setprop_cells(fdt, clint_name, "interrupts-extended", *clint_cells)
    riscv_socket_fdt_write_id(s, fdt, clint_name, socket)


def load_initrd(s: MachineState, fdt: Fdt, kernel_entry: int) -> None:
    """Load what `-initrd` names, if it does, and tell the guest where it is."""
    if s.initrd_filename:
        start, end = riscv_load_initrd(s.initrd_filename, s.ram_size, kernel_entry)
        qemu_fdt_setprop_cell(fdt, "/chosen", "linux,initrd-start", start)
        qemu_fdt_setprop_cell(fdt, "/chosen", "linux,initrd-end", end)
