"""The soft TLB: from a guest address to host memory or a device (QEMU accel/tcg/cputlb.c).

A `CPUTLB` (one for each MMU index of each vCPU) has two layers.  `entries` holds, by virtual page, what
`tlb_set_page` said.  The *views* are for translated code: for each width a dictionary from an address without its
offset in the page, but with the bits that must be zero for alignment, to the page as a row of such values:

    try: value = tlb.ld8[address & PAGE_OR_MISALIGNED][(address & 0xFF8) >> 3]
    except KeyError: value = helper_ld(...)

So one look-up tells that the page is known, is RAM, and that the address is aligned; everything else is the slow path
here.  Pages that hold translated code have no view for stores: a store finds its way to `tb_invalidate_phys_range`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.accel.tcg import tb_maint
from pyqemu_edu.accel.tcg.cpu_exec_common import IORecompile, cpu_loop_exit_atomic
from pyqemu_edu.accel.tcg.tb import CF_PARALLEL
from pyqemu_edu.accel.tcg.watchpoint import cpu_check_watchpoint, cpu_watchpoint_address_matches
from pyqemu_edu.hw.core.cpu import BP_MEM_READ, BP_MEM_WRITE, CPU_GET_CLASS, CPUState, MMUAccessType
from pyqemu_edu.softmmu.dispatch import MemoryRegionSection
from pyqemu_edu.softmmu.memory_access import memory_region_dispatch_read, memory_region_dispatch_write
from pyqemu_edu.softmmu.memory_region import MemTxResult
from pyqemu_edu.softmmu.physmem import address_space_translate_for_iotlb
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.main_loop import (
    qemu_mutex_iothread_locked,
    qemu_mutex_lock_iothread,
    qemu_mutex_unlock_iothread,
)

TARGET_PAGE_BITS = 12
TARGET_PAGE_SIZE = 1 << TARGET_PAGE_BITS
MASK64 = (1 << 64) - 1
PAGE_MASK = MASK64 & -TARGET_PAGE_SIZE
NB_MMU_MODES = 8
CPU_TLB_DYN_MAX = 1 << 14
"""Pages that a TLB knows at most: when it is full it is emptied.  QEMU's grows and shrinks with its use."""

PAGE_READ, PAGE_WRITE, PAGE_EXEC = 1, 2, 4
PROTECTION = {
    MMUAccessType.DATA_LOAD: PAGE_READ,
    MMUAccessType.DATA_STORE: PAGE_WRITE,
    MMUAccessType.INST_FETCH: PAGE_EXEC,
}
FORMATS: dict[tuple[int, bool], Any] = {
    (1, False): "B", (2, False): "H", (4, False): "I", (8, False): "Q",
    (1, True): "b", (2, True): "h", (4, True): "i",
}  # fmt: skip

tlb_flush_event = Event("tlb_flush", "cpu")
tlb_set_page_event = Event("tlb_set_page", "cpu", "vaddr", "paddr", "prot", "mmu_idx", "region")

View = dict[int, memoryview]


@dataclass(eq=False, slots=True)
class CPUTLBEntry:
    """What is behind a virtual page: `host` is RAM or ROM, else `section` a device's; `ram_addr` counts in all RAM.

    One that is not `valid` served the access it was made for; the next one asks the target again.  `watched` says which
    accesses somebody wants to know of (BP_MEM_ flags; in C `TLB_WATCHPOINT`).
    """

    prot: int
    section: MemoryRegionSection
    xlat: int
    paddr: int
    host: memoryview | None
    ram_addr: int
    writable: bool
    valid: bool = True
    watched: int = 0


@dataclass(eq=False)
class CPUTLB:
    """The pages that one vCPU knows in one mode.

    `code` is for an interpreter: what it has decoded, by virtual address.  `loads` are the views for loads by size and
    sign, `stores` those for stores by size, `views` both.
    """

    entries: dict[int, CPUTLBEntry] = field(default_factory=dict)
    code: dict[int, Any] = field(default_factory=dict)
    ld1: View = field(default_factory=dict)
    ld1s: View = field(default_factory=dict)
    ld2: View = field(default_factory=dict)
    ld2s: View = field(default_factory=dict)
    ld4: View = field(default_factory=dict)
    ld4s: View = field(default_factory=dict)
    ld8: View = field(default_factory=dict)
    st1: View = field(default_factory=dict)
    st2: View = field(default_factory=dict)
    st4: View = field(default_factory=dict)
    st8: View = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.loads = {
            (1, False): self.ld1, (2, False): self.ld2, (4, False): self.ld4, (8, False): self.ld8,
            (1, True): self.ld1s, (2, True): self.ld2s, (4, True): self.ld4s,
        }  # fmt: skip
        self.stores = {1: self.st1, 2: self.st2, 4: self.st4, 8: self.st8}
        self.views = (*self.loads.values(), *self.stores.values())

    def flush(self) -> None:
        """Forget everything."""
        self.entries.clear()
        self.code.clear()
        for view in self.views:
            view.clear()

    def drop_page(self, page: int) -> None:
        """Have accesses to a page take the slow path once."""
        for view in self.views:
            view.pop(page, None)
        if self.entries.pop(page).prot & PAGE_EXEC:
            self.code.clear()

    def drop_stores(self) -> None:
        """Have all stores take the slow path once."""
        for view in self.stores.values():
            view.clear()


def tlb_init(cpu: CPUState) -> None:
    """A vCPU knows no page yet."""
    cpu.tlb = [CPUTLB() for _ in range(NB_MMU_MODES)]


def tlb_flush(cpu: CPUState) -> None:
    """Forget all pages, and the blocks found through them."""
    if tlb_flush_event:
        tlb_flush_event(cpu)
    for tlb in cpu.tlb:
        if tlb.entries or tlb.code:
            tlb.flush()
    tb_maint.tcg_flush_jmp_cache(cpu)


def tlb_set_page(cpu: CPUState, vaddr: int, paddr: int, prot: int, mmu_idx: int, size: int) -> CPUTLBEntry:
    """Remember that the page at `vaddr` is the one at `paddr`, with these permissions; forget what was known of it.

    With a `size` below a page's the permissions hold for this one access only.
    """
    paddr &= PAGE_MASK
    section, xlat = address_space_translate_for_iotlb(cpu, 0, paddr)
    mr = section.mr
    host, ram_addr = None, -1
    if mr.ram and mr.ram_block is not None:
        host = mr.ram_block.view[xlat : xlat + TARGET_PAGE_SIZE]
        ram_addr = mr.ram_block.offset + xlat
    writable = host is not None and not (mr.readonly or section.readonly)
    page, valid = vaddr & PAGE_MASK, size >= TARGET_PAGE_SIZE
    watched = cpu_watchpoint_address_matches(cpu, page, TARGET_PAGE_SIZE)
    entry = CPUTLBEntry(prot, section, xlat, paddr, host, ram_addr, writable, valid, watched)
    tlb_set_entry(cpu, vaddr, mmu_idx, entry)
    return entry


def tlb_set_entry(cpu: CPUState, vaddr: int, mmu_idx: int, entry: CPUTLBEntry) -> None:
    """Enter a page, new or known from a walk that was taken before (in QEMU the end of `tlb_set_page_full`)."""
    if tlb_set_page_event:
        tlb_set_page_event(cpu, vaddr, entry.paddr, entry.prot, mmu_idx, entry.section.mr.name)
    tlb, page = cpu.tlb[mmu_idx], vaddr & PAGE_MASK
    if page in tlb.entries:
        tlb.drop_page(page)
    elif len(tlb.entries) >= CPU_TLB_DYN_MAX:
        tlb.flush()
    tlb.entries[page] = entry


def tlb_fill(cpu: CPUState, addr: int, size: int, access_type: MMUAccessType, mmu_idx: int) -> CPUTLBEntry:
    """Ask the target to enter the page at `addr`; it raises where the guest may not go."""
    tcg_ops = CPU_GET_CLASS(cpu).tcg_ops
    assert tcg_ops is not None and tcg_ops.tlb_fill is not None
    tcg_ops.tlb_fill(cpu, addr, size, access_type, mmu_idx, False, 0)
    entry: CPUTLBEntry = cpu.tlb[mmu_idx].entries[addr & PAGE_MASK]
    return entry


def tlb_entry(cpu: CPUState, addr: int, size: int, access_type: MMUAccessType, mmu_idx: int) -> CPUTLBEntry:
    """The page at `addr`, asked for if it is not known or not known to allow this (QEMU include/exec/cpu_ldst.h)."""
    entry: CPUTLBEntry | None = cpu.tlb[mmu_idx].entries.get(addr & PAGE_MASK)
    if entry is None or not entry.valid or not entry.prot & PROTECTION[access_type]:
        entry = tlb_fill(cpu, addr, size, access_type, mmu_idx)
    return entry


# Devices


def io_readx(cpu: CPUState, entry: CPUTLBEntry, addr: int, size: int, access_type: MMUAccessType, mmu_idx: int) -> int:
    """Ask a device, under the big lock."""
    offset = entry.xlat + (addr & ~PAGE_MASK)
    if not cpu.can_do_io:
        raise IORecompile
    locked = _lock_unless_locked()
    try:
        value, result = memory_region_dispatch_read(entry.section.mr, offset, size)
    finally:
        _unlock_if(locked)
    if result != MemTxResult.OK:
        io_failed(cpu, entry, addr, size, access_type, mmu_idx, result)
    return value


def io_writex(cpu: CPUState, entry: CPUTLBEntry, addr: int, value: int, size: int, mmu_idx: int) -> None:
    """Tell a device, under the big lock."""
    offset = entry.xlat + (addr & ~PAGE_MASK)
    if not cpu.can_do_io:
        raise IORecompile
    locked = _lock_unless_locked()
    try:
        result = memory_region_dispatch_write(entry.section.mr, offset, value, size)
    finally:
        _unlock_if(locked)
    if result != MemTxResult.OK:
        io_failed(cpu, entry, addr, size, MMUAccessType.DATA_STORE, mmu_idx, result)


def _lock_unless_locked() -> bool:
    if qemu_mutex_iothread_locked():
        return False
    qemu_mutex_lock_iothread()
    return True


def _unlock_if(locked: bool) -> None:
    if locked:
        qemu_mutex_unlock_iothread()


def io_failed(
    cpu: CPUState,
    entry: CPUTLBEntry,
    addr: int,
    size: int,
    access_type: MMUAccessType,
    mmu_idx: int,
    response: MemTxResult,
) -> None:
    """Nobody answered: the target traps (in QEMU 7.2 `cpu_transaction_failed`)."""
    tcg_ops = CPU_GET_CLASS(cpu).tcg_ops
    if tcg_ops and tcg_ops.do_transaction_failed and not cpu.ignore_memory_transaction_failures:
        physaddr = entry.paddr | addr & ~PAGE_MASK
        tcg_ops.do_transaction_failed(cpu, physaddr, addr, size, access_type, mmu_idx, None, response, 0)


# Loads and stores by the slow path


def cpu_unaligned_access(cpu: CPUState, addr: int, access_type: MMUAccessType, mmu_idx: int) -> None:
    """An address that must be aligned is not: the target traps."""
    tcg_ops = CPU_GET_CLASS(cpu).tcg_ops
    assert tcg_ops is not None and tcg_ops.do_unaligned_access is not None
    tcg_ops.do_unaligned_access(cpu, addr, access_type, mmu_idx, 0)


def load_helper(
    cpu: CPUState, addr: int, size: int, mmu_idx: int, access_type: MMUAccessType = MMUAccessType.DATA_LOAD
) -> int:
    """`size` bytes at `addr`, unsigned; across a page's end, or misaligned at a device, out of two aligned loads."""
    entry = tlb_entry(cpu, addr, size, access_type, mmu_idx)
    return load_from_page(cpu, entry, addr, size, mmu_idx, access_type)


def load_from_page(
    cpu: CPUState, entry: CPUTLBEntry, addr: int, size: int, mmu_idx: int, access_type: MMUAccessType
) -> int:
    """The same where the page, or the first of two, is known (in QEMU a part of `load_helper`)."""
    offset = addr & ~PAGE_MASK
    if entry.host is not None and offset + size <= TARGET_PAGE_SIZE and not entry.watched:
        return int.from_bytes(entry.host[offset : offset + size], "little")
    misalignment = addr & (size - 1)
    if not misalignment:
        if entry.watched and access_type == MMUAccessType.DATA_LOAD:
            cpu_check_watchpoint(cpu, addr, size, BP_MEM_READ)
        if entry.host is not None:
            return int.from_bytes(entry.host[offset : offset + size], "little")
        return io_readx(cpu, entry, addr, size, access_type, mmu_idx)
    addr1 = addr - misalignment
    r1 = load_helper(cpu, addr1, size, mmu_idx, access_type)
    r2 = load_helper(cpu, addr1 + size & MASK64, size, mmu_idx, access_type)
    return (r2 << 8 * size | r1) >> 8 * misalignment & (1 << 8 * size) - 1


def store_helper(cpu: CPUState, addr: int, value: int, size: int, mmu_idx: int) -> None:
    """Store the low `size` bytes of `value`; translated code that they overwrite is thrown away."""
    entry = tlb_entry(cpu, addr, size, MMUAccessType.DATA_STORE, mmu_idx)
    store_to_page(cpu, entry, addr, value, size, mmu_idx)


def store_to_page(cpu: CPUState, entry: CPUTLBEntry, addr: int, value: int, size: int, mmu_idx: int) -> None:
    """The same where the page, or the first of two, is known (in QEMU a part of `store_helper`)."""
    offset = addr & ~PAGE_MASK
    value &= (1 << 8 * size) - 1
    if offset + size > TARGET_PAGE_SIZE or (addr & (size - 1) and (entry.host is None or entry.watched)):
        store_helper_unaligned(cpu, addr, value, size, mmu_idx)
        return
    if entry.watched:
        cpu_check_watchpoint(cpu, addr, size, BP_MEM_WRITE)
    if entry.host is None:
        io_writex(cpu, entry, addr, value, size, mmu_idx)
    elif entry.writable:
        entry.host[offset : offset + size] = value.to_bytes(size, "little")
        notdirty_write(entry.ram_addr + offset, size)


def store_helper_unaligned(cpu: CPUState, addr: int, value: int, size: int, mmu_idx: int) -> None:
    """Store byte by byte, after making sure that the second page may be written too, if there is one.

    Watchpoints are checked as QEMU 7.2 does it, which for bytes within one page looks at all that come before them.
    """
    page1, page2, size2 = addr & PAGE_MASK, addr + size & PAGE_MASK, addr + size & ~PAGE_MASK
    if page2 != page1:
        tlb_entry(cpu, page2, size2, MMUAccessType.DATA_STORE, mmu_idx)
    if cpu.watchpoints:
        cpu_check_watchpoint(cpu, addr, size - size2, BP_MEM_WRITE)
        cpu_check_watchpoint(cpu, page2, size2, BP_MEM_WRITE)
    for i in range(size):
        store_helper(cpu, addr + i & MASK64, value >> 8 * i, 1, mmu_idx)


def notdirty_write(ram_addr: int, size: int) -> None:
    """RAM has changed behind translated code's back."""
    if tb_maint.page_has_code(ram_addr):
        tb_maint.tb_invalidate_phys_range(ram_addr, ram_addr + size)


def helper_ld(cpu: CPUState, addr: int, size: int, signed: bool, mmu_idx: int) -> int:
    """A load that the views did not know: enter the page there if it is RAM and the address aligned (Not in QEMU)."""
    signed = signed and size < 8
    entry = tlb_entry(cpu, addr, size, MMUAccessType.DATA_LOAD, mmu_idx)
    if entry.host is None or not entry.valid or entry.watched or addr & (size - 1):
        value = load_from_page(cpu, entry, addr, size, mmu_idx, MMUAccessType.DATA_LOAD)
        return sign_extend(value, size) if signed else value
    view: memoryview = entry.host.cast(FORMATS[size, signed])
    cpu.tlb[mmu_idx].loads[size, signed][addr & PAGE_MASK] = view
    return view[(addr & ~PAGE_MASK) // size] & MASK64


def sign_extend(value: int, size: int) -> int:
    """`size` bytes as 64 bits with their sign in front."""
    sign = 1 << 8 * size - 1
    return ((value ^ sign) - sign) & MASK64


def helper_st(cpu: CPUState, addr: int, value: int, size: int, mmu_idx: int, rounds: Iterable[int] = ()) -> None:
    """A store that the views did not know: enter the page there unless somebody must notice (Not in QEMU).

    `rounds` are those that a block which jumps to its own beginning still has to go; if translated code is overwritten
    they are taken from it, for it may be its own.
    """
    entry = tlb_entry(cpu, addr, size, MMUAccessType.DATA_STORE, mmu_idx)
    view = None if addr & (size - 1) else store_view(cpu, entry, addr, size, mmu_idx)
    if view is not None:
        view[(addr & ~PAGE_MASK) // size] = value
        return
    count = tb_maint.statics().tb_phys_invalidate_count
    store_to_page(cpu, entry, addr, value, size, mmu_idx)
    if tb_maint.statics().tb_phys_invalidate_count != count:
        deque(rounds, maxlen=0)


def store_view(cpu: CPUState, entry: CPUTLBEntry, addr: int, size: int, mmu_idx: int) -> memoryview | None:
    """Enter a page for stores of this size, unless somebody must notice them (Not in QEMU)."""
    if not entry.valid or entry.watched or not entry.writable or tb_maint.page_has_code(entry.ram_addr):
        return None
    assert entry.host is not None
    view: memoryview = entry.host.cast(FORMATS[size, False])
    cpu.tlb[mmu_idx].stores[size][addr & PAGE_MASK] = view
    return view


def helper_atomic(cpu: CPUState, addr: int, size: int, signed: bool, mmu_idx: int) -> int:
    """The load of an atomic operation, which must be aligned.

    Among vCPUs that run in parallel it faults as the store does, and as a load where one may only write (in C
    `atomic_mmu_lookup`), else always as a load (in C `tcg_gen_atomic_cmpxchg_i64` and the like emit a load and a
    store).  Between it and the store no function may be called, or another vCPU's thread could come between; where the
    store will call one, all others have to stop.
    """
    parallel = cpu.tcg_cflags & CF_PARALLEL and not cpu.in_exclusive_context
    access_type = MMUAccessType.DATA_STORE if parallel else MMUAccessType.DATA_LOAD
    if addr & (size - 1):
        cpu_unaligned_access(cpu, addr, access_type, mmu_idx)
    entry = tlb_entry(cpu, addr, size, access_type, mmu_idx)
    if not parallel:
        value = load_helper(cpu, addr, size, mmu_idx)
        return sign_extend(value, size) if signed else value
    tlb_entry(cpu, addr, size, MMUAccessType.DATA_LOAD, mmu_idx)
    view = store_view(cpu, entry, addr, size, mmu_idx)
    if view is None:
        cpu_loop_exit_atomic(cpu, 0)
    sign = 1 << 8 * size - 1 if signed else 0
    return (view[(addr & ~PAGE_MASK) // size] ^ sign) - sign & MASK64


def helper_ld_aligned(cpu: CPUState, addr: int, size: int, signed: bool, mmu_idx: int) -> int:
    """A load that must be aligned (load-reserved) (Not in QEMU)."""
    if addr & (size - 1):
        cpu_unaligned_access(cpu, addr, MMUAccessType.DATA_LOAD, mmu_idx)
    return helper_ld(cpu, addr, size, signed, mmu_idx)


# Code


def get_page_addr_code_hostp(env: Any, addr: int) -> tuple[int, memoryview | None]:
    """Where in all RAM the instruction at `addr` is, and its page; -1 and none if not in RAM.

    Raises where the guest may not fetch.
    """
    entry = tlb_entry(env.cpu, addr, 1, MMUAccessType.INST_FETCH, cpu_mmu_index(env))
    return (-1, None) if entry.host is None else (entry.ram_addr | addr & ~PAGE_MASK, entry.host)


def get_page_addr_code(env: Any, addr: int) -> int:
    """Where in all RAM the instruction at `addr` is (QEMU include/exec/exec-all.h)."""
    return get_page_addr_code_hostp(env, addr)[0]


def cpu_mmu_index(env: Any) -> int:
    """The MMU index of a fetch (in C each target's own `cpu_mmu_index`; RISC-V's is the privilege mode)."""
    index: int = env.priv
    return index


def cpu_lduw_code(env: Any, addr: int) -> int:
    """Two bytes of code."""
    return load_helper(env.cpu, addr, 2, cpu_mmu_index(env), MMUAccessType.INST_FETCH)
