"""A CPU's realization, its model's name, its breakpoints and watchpoints (QEMU cpu.c)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from pyqemu_edu.accel.accel_common import CPU_RESOLVING_TYPE, accel_cpu_realizefn, tcg_enabled
from pyqemu_edu.accel.tcg.cpu_exec import tcg_exec_realizefn
from pyqemu_edu.accel.tcg.cputlb import tlb_flush
from pyqemu_edu.accel.tcg.tb_maint import tcg_flush_jmp_cache
from pyqemu_edu.accel.tcg.tlb_walks import tlb_forget_walks
from pyqemu_edu.cpus_common import cpu_list_add
from pyqemu_edu.hw.core.cpu import (
    BP_GDB,
    CPU_GET_CLASS,
    CPUBreakpoint,
    CPUClass,
    CPUState,
    CPUWatchpoint,
    cpu_class_by_name,
)
from pyqemu_edu.hw.core.qdev_realize import qdev_get_vmsd
from pyqemu_edu.migration.vmstate import VMStateDescription, vmstate_register
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.klass import object_class_get_name
from pyqemu_edu.softmmu.memory_region import TARGET_PAGE_SIZE, MemTxResult
from pyqemu_edu.softmmu.physmem import address_space_read, address_space_write_rom
from pyqemu_edu.util.error import QemuError, QemuExit, error_report, error_report_err

ENOENT = 2
vmstate_cpu_common = VMStateDescription("cpu_common")


class Statics:
    def __init__(self) -> None:
        self.cpu_list: Callable[[], None] | None = None


statics = per_process(Statics)


def cpu_exec_realizefn(cpu: CPUState) -> None:
    """Make a CPU ready to run, then show it to everybody."""
    cpu.cc = CPU_GET_CLASS(cpu)
    accel_cpu_realizefn(cpu)
    if tcg_enabled():
        tcg_exec_realizefn(cpu)
    cpu_list_add(cpu)
    if qdev_get_vmsd(cpu) is None:
        vmstate_register(None, cpu.cpu_index, vmstate_cpu_common, cpu)
    sysemu_ops = cpu.cc.sysemu_ops
    if sysemu_ops is not None and sysemu_ops.legacy_vmsd is not None:
        vmstate_register(None, cpu.cpu_index, sysemu_ops.legacy_vmsd, cpu)


def parse_cpu_option(cpu_option: str) -> str:
    """The type that `-cpu model,feature=value,...` names; its features become global properties."""
    model, comma, features = cpu_option.partition(",")
    if not cpu_option:
        error_report("-cpu option cannot be empty")
        raise QemuExit(1)
    oc = cpu_class_by_name(CPU_RESOLVING_TYPE, model)
    if oc is None:
        error_report(f"unable to find CPU model '{model}'")
        raise QemuExit(1)
    assert isinstance(oc, CPUClass) and oc.parse_features
    cpu_type = object_class_get_name(oc)
    try:
        oc.parse_features(cpu_type, features if comma else None)
    except QemuError as error:
        error_report_err(error)
        raise QemuExit(1) from error
    return cpu_type


def register_cpu_list(cpu_list: Callable[[], None]) -> None:
    """The target says how `-cpu help` is answered: in C a macro that its header defines."""
    statics().cpu_list = cpu_list


def list_cpus(optarg: str) -> None:
    """Answer `-cpu help`."""
    cpu_list = statics().cpu_list
    if cpu_list is not None:
        cpu_list()


def cpu_breakpoint_insert(cpu: CPUState, pc: int, flags: int) -> CPUBreakpoint:
    """Stop at `pc`; a debugger's breakpoints come first.  Blocks on its page are looked up from now on."""
    bp = CPUBreakpoint(pc, flags)
    tcg_flush_jmp_cache(cpu)
    if flags & BP_GDB:
        cpu.breakpoints.insert(0, bp)
    else:
        cpu.breakpoints.append(bp)
    return bp


def cpu_breakpoint_remove(cpu: CPUState, pc: int, flags: int) -> int:
    """Do not stop at `pc` any more; -ENOENT if nobody did."""
    for bp in cpu.breakpoints:
        if bp.pc == pc and bp.flags == flags:
            cpu.breakpoints.remove(bp)
            return 0
    return -ENOENT


def cpu_breakpoint_remove_all(cpu: CPUState, mask: int) -> None:
    """Forget all breakpoints of these kinds."""
    cpu.breakpoints[:] = [bp for bp in cpu.breakpoints if not bp.flags & mask]


def cpu_breakpoint_test(cpu: CPUState, pc: int, mask: int) -> bool:
    """Whether one of these kinds is at `pc` (QEMU include/hw/core/cpu.h)."""
    return any(bp.pc == pc and bp.flags & mask for bp in cpu.breakpoints)


def cpu_watchpoint_insert(cpu: CPUState, addr: int, length: int, flags: int) -> CPUWatchpoint | None:
    """Stop before `length` bytes at `addr` are touched in a way that `flags` say (QEMU softmmu/physmem.c).

    None, with a complaint, for bytes that there cannot be.
    """
    if length == 0 or addr + length > 1 << 64:
        error_report(f"tried to set invalid watchpoint at {addr:x}, len={length}")
        return None
    wp = CPUWatchpoint(addr, length, flags)
    if flags & BP_GDB:
        cpu.watchpoints.insert(0, wp)
    else:
        cpu.watchpoints.append(wp)
    tlb_forget_walks(cpu)
    tlb_flush(cpu)
    return wp


def cpu_watchpoint_remove(cpu: CPUState, addr: int, length: int, flags: int) -> int:
    """Do not watch these bytes any more; -ENOENT if nobody did (QEMU softmmu/physmem.c)."""
    for wp in cpu.watchpoints:
        if (wp.vaddr, wp.len, wp.flags) == (addr, length, flags):
            cpu_watchpoint_remove_by_ref(cpu, wp)
            return 0
    return -ENOENT


def cpu_watchpoint_remove_by_ref(cpu: CPUState, wp: CPUWatchpoint) -> None:
    """Forget a watchpoint (QEMU softmmu/physmem.c)."""
    cpu.watchpoints.remove(wp)
    tlb_forget_walks(cpu)
    tlb_flush(cpu)


def cpu_watchpoint_remove_all(cpu: CPUState, mask: int) -> None:
    """Forget all watchpoints of these kinds (QEMU softmmu/physmem.c)."""
    for wp in [wp for wp in cpu.watchpoints if wp.flags & mask]:
        cpu_watchpoint_remove_by_ref(cpu, wp)


def cpu_single_step(cpu: CPUState, enabled: int) -> None:
    """Stop after each instruction, or not: the SSTEP_ flags."""
    cpu.singlestep_enabled = enabled


def cpu_memory_rw_debug(cpu: CPUState, addr: int, length: int) -> bytes | None:
    """Memory as the CPU sees it, page by page; None if some of it is not there (QEMU softmmu/physmem.c)."""
    assert cpu.as_ is not None
    data = b""
    for at, size in in_pages(addr, length):
        place = phys_addr_debug(cpu, at)
        if place == -1:
            return None
        piece, result = address_space_read(cpu.as_, place, size)
        if result != MemTxResult.OK:
            return None
        data += piece
    return data


def cpu_memory_rw_debug_write(cpu: CPUState, addr: int, data: bytes) -> bool:
    """Write memory as the CPU sees it, ROM too; false if some of it is not there (in QEMU `cpu_memory_rw_debug`)."""
    assert cpu.as_ is not None
    for at, size in in_pages(addr, len(data)):
        place = phys_addr_debug(cpu, at)
        if place == -1:
            return False
        address_space_write_rom(cpu.as_, place, data[at - addr : at - addr + size])
    return True


def in_pages(addr: int, length: int) -> Iterator[tuple[int, int]]:
    """The pieces of a range that each lie within a page: where, and how long (Not in QEMU)."""
    end = addr + length
    while addr < end:
        size = min(end - addr, TARGET_PAGE_SIZE - addr % TARGET_PAGE_SIZE)
        yield addr, size
        addr += size


def phys_addr_debug(cpu: CPUState, addr: int) -> int:
    """The physical address behind one of the CPU's, for debuggers; -1 if there is none (Not in QEMU)."""
    ops = CPU_GET_CLASS(cpu).sysemu_ops
    assert ops is not None
    assert ops.get_phys_page_debug is not None
    addr &= (1 << 64) - 1
    page = ops.get_phys_page_debug(cpu, addr & -TARGET_PAGE_SIZE)
    return -1 if page == -1 else page + addr % TARGET_PAGE_SIZE
