"""What the machine's CPUs see as physical memory (QEMU softmmu/physmem.c).

Reads and writes here are those of the machine's own: loader, monitor, debugger, devices.  A hart has its TLB in
front (accel/tcg/cputlb.py), which asks `address_space_translate_for_iotlb`.  Callers hold the big lock.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu import dispatch
from pyqemu_edu.softmmu.dispatch import (
    MemoryRegionSection,
    address_space_translate_internal,
    flatview_read,
    flatview_translate,
    flatview_write,
    io_mem_init,
    up_to_border,
    write_ram,
)
from pyqemu_edu.softmmu.memory import (
    AddressSpace,
    MemoryListener,
    MemoryRegion,
    MemTxResult,
    address_space_init,
    address_space_to_flatview,
    memory_listener_register,
    memory_region_init,
    memory_region_init_io,
    memory_region_is_ram,
    memory_region_is_romd,
)
from pyqemu_edu.softmmu.memory_region import UINT64_MAX, AccessSizes, MemoryRegionOps

CPU = Any
"""A `CPUState`, which lives a layer above (hw/core/cpu.py)."""


@dataclass(eq=False)
class CPUAddressSpace:
    """An address space as one CPU sees it; `memory_dispatch` is the page table that its TLB is filled from."""

    cpu: CPU
    as_: AddressSpace
    memory_dispatch: Any = None


class Statics:
    def __init__(self) -> None:
        self.system_memory: MemoryRegion | None = None
        self.system_io: MemoryRegion | None = None
        self.address_space_memory: AddressSpace | None = None
        self.address_space_io: AddressSpace | None = None
        self.tlb_flush: Callable[[CPU], None] | None = None


statics = per_process(Statics)

unassigned_io_ops = MemoryRegionOps(
    read=lambda opaque, addr, size: (1 << size * 8) - 1,
    write=lambda opaque, addr, value, size: None,
    valid=AccessSizes(1, 4),
)
"""An x86 port where nobody is: all ones, writes are lost (QEMU softmmu/ioport.c); RISC-V has no ports."""


def tcg_memory_hooks(tlb_flush: Callable[[CPU], None], tb_invalidate_phys_range: Callable[[int, int], None]) -> None:
    """What TCG wants to be called for (Not in QEMU: there this file calls accel/tcg directly, a layer above).

    `tlb_flush(cpu)`: the memory map changed; `tb_invalidate_phys_range(start, end)`: RAM changed under translated code.
    """
    statics().tlb_flush = tlb_flush
    dispatch.statics().tb_invalidate_phys_range = tb_invalidate_phys_range


def get_system_memory() -> MemoryRegion:
    """The root of what CPUs see."""
    mr = statics().system_memory
    assert mr is not None, "cpu_exec_init_all() comes first"
    return mr


def address_space_memory() -> AddressSpace:
    """The address space of physical memory (in C a variable `address_space_memory`)."""
    space = statics().address_space_memory
    assert space is not None, "cpu_exec_init_all() comes first"
    return space


def address_space_io() -> AddressSpace:
    """The address space of ports, as PCs have them (in C a variable `address_space_io`)."""
    space = statics().address_space_io
    assert space is not None, "cpu_exec_init_all() comes first"
    return space


def memory_map_init() -> None:
    """The two empty address spaces that every machine begins with."""
    s = statics()
    s.system_memory = memory_region_init(None, "system", UINT64_MAX)
    s.address_space_memory = address_space_init(s.system_memory, "memory")
    s.system_io = memory_region_init_io(None, unassigned_io_ops, None, "io", 65536)
    s.address_space_io = address_space_init(s.system_io, "I/O")


def cpu_exec_init_all() -> None:
    """Memory before anything is in it."""
    io_mem_init()
    memory_map_init()


def page_size_init() -> None:
    """Settle the size of host pages (QEMU cpu.c): ours are as large as the guest's, 4 KiB."""


def tcg_commit(listener: MemoryListener) -> None:
    """The map changed: the CPU's TLB may hold addresses of what has gone."""
    cpuas = listener.opaque
    cpuas.memory_dispatch = address_space_to_flatview(cpuas.as_).dispatch
    tlb_flush = statics().tlb_flush
    assert tlb_flush is not None
    tlb_flush(cpuas.cpu)


def cpu_address_space_init(cpu: CPU, asidx: int, prefix: str, mr: MemoryRegion) -> None:
    """Give a CPU its view on the tree below `mr`, named after it."""
    space = address_space_init(mr, f"{prefix}-{cpu.cpu_index}")
    assert asidx < cpu.num_ases
    if asidx == 0:
        cpu.as_ = space
    newas = CPUAddressSpace(cpu, space)
    cpu.cpu_ases.append(newas)
    if statics().tlb_flush is not None:
        memory_listener_register(MemoryListener("tcg", commit=tcg_commit, opaque=newas), space)


def address_space_translate_for_iotlb(cpu: CPU, asidx: int, addr: int) -> tuple[MemoryRegionSection, int]:
    """The section for the page that holds `addr`, and the offset in its region.

    A page that several regions share comes as one region whose callbacks ask further (`subpage`).
    """
    page_table = cpu.cpu_ases[asidx].memory_dispatch
    section, xlat, _ = address_space_translate_internal(page_table, addr, 1, False)
    return section, xlat


def address_space_translate(space: AddressSpace, addr: int, length: int) -> tuple[MemoryRegion, int, int]:
    """Region, offset within it, and length in one piece, for `length` bytes at `addr` (QEMU include/exec/memory.h)."""
    return flatview_translate(address_space_to_flatview(space), addr, length)


def address_space_read(space: AddressSpace, addr: int, length: int) -> tuple[bytes, MemTxResult]:
    """`length` bytes from `addr` on (QEMU include/exec/memory.h)."""
    return flatview_read(address_space_to_flatview(space), addr, length)


def address_space_write(space: AddressSpace, addr: int, data: bytes | memoryview) -> MemTxResult:
    """Store `data` from `addr` on, as the guest could: ROM stays as it is."""
    return flatview_write(address_space_to_flatview(space), addr, data)


def address_space_set(space: AddressSpace, addr: int, c: int, length: int) -> MemTxResult:
    """Fill `length` bytes with `c`."""
    result = MemTxResult.OK
    chunk = bytes([c]) * min(length, 1 << 20)
    for done in range(0, length, 1 << 20):
        result |= address_space_write(space, addr + done, memoryview(chunk)[: length - done])
    return result


def address_space_write_rom(space: AddressSpace, addr: int, data: bytes | bytearray | memoryview) -> MemTxResult:
    """Store `data` into RAM or ROM; what would fall on a device is lost."""
    done = 0
    while done < len(data):
        mr, xlat, step = address_space_translate(space, addr + done, len(data) - done)
        if memory_region_is_ram(mr) or memory_region_is_romd(mr):
            write_ram(mr, xlat, data[done : done + step])
        else:
            step = up_to_border(address_space_to_flatview(space), addr + done, step)
        done += step
    return MemTxResult.OK


def address_space_ld(space: AddressSpace, addr: int, size: int) -> tuple[int, MemTxResult]:
    """A little-endian load of `size` bytes (QEMU `address_space_ldub` … `address_space_ldq_le`)."""
    mr, xlat, length = address_space_translate(space, addr, size)
    if length == size and mr.ram and mr.ram_block is not None:
        return int.from_bytes(mr.ram_block.view[xlat : xlat + size], "little"), MemTxResult.OK
    data, result = address_space_read(space, addr, size)
    return int.from_bytes(data, "little"), result


def address_space_st(space: AddressSpace, addr: int, value: int, size: int) -> MemTxResult:
    """A little-endian store of `size` bytes (QEMU `address_space_stb` … `address_space_stq_le`)."""
    return address_space_write(space, addr, value.to_bytes(size, "little"))


def cpu_physical_memory_rw(addr: int, data: bytes) -> MemTxResult:
    """Store into the machine's physical memory; for reading see `cpu_physical_memory_read`."""
    return address_space_write(address_space_memory(), addr, data)


def cpu_physical_memory_read(addr: int, length: int) -> bytes:
    """Bytes of the machine's physical memory; zeros where there is none (QEMU include/exec/cpu-common.h)."""
    return address_space_read(address_space_memory(), addr, length)[0]
