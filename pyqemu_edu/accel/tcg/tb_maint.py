"""All blocks there are: found by address, linked, thrown away (QEMU accel/tcg/tb-maint.c).

Blocks are kept by the place in RAM that they were translated from, so that a store there finds them.  One lock
guards the tables; QEMU has one for each page and block.
"""

from __future__ import annotations

import threading
from typing import Any

from pyqemu_edu.accel.tcg.tb import CF_INVALID, TranslationBlock
from pyqemu_edu.cpus_common import CPU_FOREACH
from pyqemu_edu.hw.core.cpu import CPUState
from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.physmem import page_size_init
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.log import CPU_LOG_EXEC, qemu_log, qemu_log_in_addr_range, qemu_loglevel_mask

TARGET_PAGE_BITS = 12

DEFAULT_CODE_GEN_BUFFER_SIZE = 64 << 20
"""Bytes by estimate, a sixteenth of QEMU's: a machine takes about twice as much beside its guest's memory."""

TBKey = tuple[int, int, int, int, int]

tb_phys_invalidate_event = Event("tb_phys_invalidate", "tb", "pc")
tb_flush_event = Event("tb_flush", "count")


class Statics:
    """QEMU's `TBContext`, and the page descriptors."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.htable: dict[TBKey, TranslationBlock] = {}
        self.pages: dict[int, set[TranslationBlock]] = {}
        self.tb_flush_count = 0
        self.tb_phys_invalidate_count = 0
        self.tc_ptr = 0x7F0000000000
        self.code_gen_buffer_size = DEFAULT_CODE_GEN_BUFFER_SIZE
        self.code_gen_used = 0


statics = per_process(Statics)


def page_init() -> None:
    """No page has code yet (QEMU accel/tcg/translate-all.c)."""
    page_size_init()
    statics().pages.clear()


def tb_htable_init() -> None:
    """No block exists yet."""
    statics().htable.clear()


def tb_key(tb: TranslationBlock) -> TBKey:
    """By what a block is found (in C `tb_hash_func` and `tb_lookup_cmp`)."""
    return (tb.page_addr[0], tb.pc, tb.cs_base, tb.flags, tb.cflags & ~CF_INVALID)


def page_has_code(ram_addr: int) -> bool:
    """Whether anything was translated from this page (Not in QEMU)."""
    return ram_addr >> TARGET_PAGE_BITS in statics().pages


def tb_page_add(page: int, tb: TranslationBlock) -> bool:
    """Enter a block on a page; whether it is the page's first."""
    first = page not in statics().pages
    statics().pages.setdefault(page, set()).add(tb)
    return first


def tb_pages(tb: TranslationBlock) -> list[int]:
    """The pages of RAM that a block was translated from (Not in QEMU)."""
    return [addr >> TARGET_PAGE_BITS for addr in tb.page_addr if addr != -1]


def tb_page_remove(page: int, tb: TranslationBlock) -> None:
    """Take a block off a page; a page without blocks is forgotten, so stores to it are fast again."""
    blocks = statics().pages.get(page, set())
    blocks.discard(tb)
    if not blocks:
        statics().pages.pop(page, None)


def tb_link_page(tb: TranslationBlock) -> TranslationBlock:
    """Let everybody find a new block; if another thread was faster, its block instead."""
    s = statics()
    with s.lock:
        existing = s.htable.setdefault(tb_key(tb), tb)
        if existing is tb and [page for page in tb_pages(tb) if tb_page_add(page, tb)]:
            tlb_protect_code()
    return existing


def tlb_protect_code() -> None:
    """From now on stores to the pages with code must be noticed (QEMU accel/tcg/cputlb.c).

    C clears a flag in the TLB entries of one page; we drop all views for stores, which the slow path makes again.
    """
    for cpu in CPU_FOREACH():
        for tlb in cpu.tlb:
            tlb.drop_stores()


# Jumps


def tb_add_jump(tb: TranslationBlock, n: int, tb_next: TranslationBlock) -> bool:
    """Link jump `n` of `tb` to `tb_next` (QEMU accel/tcg/cpu-exec.c); whether it was open.

    A block that jumps to its own beginning may from now on repeat itself without leaving its function.
    """
    with statics().lock:
        if tb_next.cflags & CF_INVALID or tb.jmp_dest[n] is not None:
            return False
        tb.jmp_dest[n] = tb_next
        tb_next.jmp_list.append((tb, n))
        if tb_next is tb:
            tb.loops = tb.max_loops
    if qemu_loglevel_mask(CPU_LOG_EXEC) and qemu_log_in_addr_range(tb.pc):
        qemu_log(f"Linking TBs {tb.tc_ptr:#x} index {n} -> {tb_next.tc_ptr:#x}\n")
    return True


def tb_remove_from_jmp_list(orig: TranslationBlock, n: int) -> None:
    """Jump `n` of `orig` goes nowhere any more."""
    dest, orig.jmp_dest[n] = orig.jmp_dest[n], None
    if dest is not None:
        dest.jmp_list.remove((orig, n))


def tb_jmp_unlink(dest: TranslationBlock) -> None:
    """Nobody jumps to `dest` any more."""
    for tb, n in dest.jmp_list:
        tb.jmp_dest[n] = None
    dest.jmp_list.clear()
    dest.loops = 1


# Throwing away


def superblocks_forget(tb: TranslationBlock) -> None:
    """A block is thrown away: those that go on into it end before it again, now if they are running (Not in QEMU)."""
    for head in tb.superblocks:
        head.code, head.round = head.warm.function, head.icount
        head.loops = head.max_loops if head in head.jmp_dest else 1
    if tb.superblocks:
        for cpu in CPU_FOREACH():
            cpu.icount_limit = -1


def code_gen_alloc(tb_size: int) -> None:
    """So many bytes may be used for blocks, by estimate, until all are thrown away; 0 is the default.

    (in QEMU a part of `tcg_region_init`; there the bytes are set aside at once)
    """
    statics().code_gen_buffer_size = tb_size or DEFAULT_CODE_GEN_BUFFER_SIZE


def code_gen_use(cpu: CPUState, size: int) -> None:
    """A block takes so many bytes: throw all blocks away if they are too many (in QEMU a part of `tb_gen_code`)."""
    s = statics()
    s.code_gen_used += size
    if s.code_gen_used > s.code_gen_buffer_size:
        s.code_gen_used = size
        tb_flush(cpu)


def tcg_flush_jmp_cache(cpu: CPUState) -> None:
    """A vCPU forgets its short cuts (QEMU accel/tcg/translate-all.c)."""
    cpu.tb_jmp_cache.clear()


def tb_jmp_cache_inval_tb(tb: TranslationBlock) -> None:
    """Every vCPU forgets its short cut to `tb`."""
    for cpu in CPU_FOREACH():
        if cpu.tb_jmp_cache.get(tb.pc) is tb:
            del cpu.tb_jmp_cache[tb.pc]


def tb_phys_invalidate(tb: TranslationBlock) -> None:
    """Throw a block away; a vCPU that is in it goes on to its end."""
    s = statics()
    with s.lock:
        tb.cflags |= CF_INVALID
        if s.htable.pop(tb_key(tb), None) is None:
            return
        for page in tb_pages(tb):
            tb_page_remove(page, tb)
        tb_jmp_cache_inval_tb(tb)
        tb_remove_from_jmp_list(tb, 0)
        tb_remove_from_jmp_list(tb, 1)
        tb_jmp_unlink(tb)
        superblocks_forget(tb)
        s.tb_phys_invalidate_count += 1
    if tb_phys_invalidate_event:
        tb_phys_invalidate_event(tb, tb.pc)


def tb_overlaps(tb: TranslationBlock, start: int, end: int) -> bool:
    """Whether `tb` was translated from any byte of RAM from `start` to before `end` (Not in QEMU)."""
    first, second = tb.page_addr
    length = tb.size if second == -1 else (1 << TARGET_PAGE_BITS) - (first & ((1 << TARGET_PAGE_BITS) - 1))
    if first < end and start < first + length:
        return True
    return second != -1 and second < end and start < second + tb.size - length


def tb_invalidate_phys_range(start: int, end: int) -> None:
    """RAM from `start` to before `end` has changed: throw away what was translated from it."""
    s = statics()
    if not s.pages:
        return
    with s.lock:
        for page in range(start >> TARGET_PAGE_BITS, (end - 1 >> TARGET_PAGE_BITS) + 1):
            for tb in [tb for tb in s.pages.get(page, ()) if tb_overlaps(tb, start, end)]:
                tb_phys_invalidate(tb)


def tb_flush(cpu: CPUState, data: Any = None) -> None:
    """Throw away all translated blocks."""
    s = statics()
    with s.lock:
        if tb_flush_event:
            tb_flush_event(len(s.htable))
        for tb in list(s.htable.values()):
            tb_phys_invalidate(tb)
        s.tb_flush_count += 1
