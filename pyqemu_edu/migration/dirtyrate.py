"""How much memory the guest writes in a second, from samples (QEMU migration/dirtyrate.c).

Some pages are looked at twice, and counted if they have changed.  Left out: counting with the dirty bitmap or ring.
"""

from __future__ import annotations

import random
import zlib
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.memory_region import RAMBlock
from pyqemu_edu.softmmu.ram_block import statics as ram
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.timer import QEMU_CLOCK_REALTIME, qemu_clock_get_ns, timer_mod, timer_new_ns

NS, MIB, GIB, PAGE_SIZE = 1_000_000_000, 1 << 20, 1 << 30, 4096
MIN_FETCH_DIRTYRATE_TIME_SEC, MAX_FETCH_DIRTYRATE_TIME_SEC = 1, 60
MIN_SAMPLE_PAGE_COUNT, MAX_SAMPLE_PAGE_COUNT, DIRTYRATE_DEFAULT_SAMPLE_PAGES = 128, 16384, 512
MIN_RAMBLOCK_SIZE = 128 * MIB


@dataclass(eq=False)
class DirtyRateStat:
    """A measurement: when, how long, how many pages, and what came of it."""

    status: str = "unstarted"
    start_time: int = 0
    calc_time: int = 0
    sample_pages: int = 0
    dirty_rate: int = 0
    samples: list[tuple[RAMBlock, list[int], list[int]]] = field(default_factory=list)
    """Of each block the pages that are looked at, and their checksums."""


class Statics:
    def __init__(self) -> None:
        self.stat = DirtyRateStat()


statics = per_process(Statics)


def qmp_calc_dirty_rate(calc_time: int, sample_pages: int | None = None, mode: str = "page-sampling") -> None:
    """Begin to measure."""
    if statics().stat.status == "measuring":
        raise QemuError("the dirty rate is already being measured.")
    if not MIN_FETCH_DIRTYRATE_TIME_SEC <= calc_time <= MAX_FETCH_DIRTYRATE_TIME_SEC:
        bounds = f"{MIN_FETCH_DIRTYRATE_TIME_SEC}, {MAX_FETCH_DIRTYRATE_TIME_SEC}"
        raise QemuError(f"calc-time is out of range[{bounds}].")
    pages = DIRTYRATE_DEFAULT_SAMPLE_PAGES if sample_pages is None else sample_pages
    if not MIN_SAMPLE_PAGE_COUNT <= pages <= MAX_SAMPLE_PAGE_COUNT:
        bounds = f"{MIN_SAMPLE_PAGE_COUNT}, {MAX_SAMPLE_PAGE_COUNT}"
        raise QemuError(f"sample-pages is out of range[{bounds}].")
    if mode != "page-sampling":
        raise QemuError(f"The mode '{mode}' is not supported by this model of QEMU")
    start = qemu_clock_get_ns(QEMU_CLOCK_REALTIME) // NS
    stat = statics().stat = DirtyRateStat("measuring", start, calc_time, pages)
    stat.samples = [sampled(block, pages) for block in ram().ram_list if block.used_length >= MIN_RAMBLOCK_SIZE]
    timer = timer_new_ns(QEMU_CLOCK_REALTIME, finish, stat)
    timer_mod(timer, qemu_clock_get_ns(QEMU_CLOCK_REALTIME) + calc_time * NS)


def sampled(block: RAMBlock, per_gib: int) -> tuple[RAMBlock, list[int], list[int]]:
    """Some pages of a block with their checksums (in QEMU `record_ramblock_hash_info`)."""
    pages = random.choices(range(block.used_length // PAGE_SIZE), k=max(block.used_length * per_gib // GIB, 1))
    return block, pages, [page_hash(block, page) for page in pages]


def page_hash(block: RAMBlock, page: int) -> int:
    """A page's checksum (in QEMU `get_ramblock_vfn_hash`)."""
    return zlib.crc32(block.view[page * PAGE_SIZE : (page + 1) * PAGE_SIZE])


def finish(stat: DirtyRateStat) -> None:
    """Look again, and compute (in QEMU `compare_page_hash_info`, `update_dirtyrate`)."""
    dirty = 0.0
    for block, pages, before in stat.samples:
        changed = sum(page_hash(block, page) != old for page, old in zip(pages, before, strict=True))
        dirty += block.used_length / MIB * changed / len(pages)
    stat.dirty_rate, stat.status = int(dirty / stat.calc_time), "measured"
    stat.samples.clear()


def qmp_query_dirty_rate() -> dict[str, Any]:
    """How far it is, and what came of it."""
    stat = statics().stat
    info = {
        "status": stat.status,
        "start-time": stat.start_time,
        "calc-time": stat.calc_time,
        "sample-pages": stat.sample_pages,
        "mode": "page-sampling",
    }
    return info | ({"dirty-rate": stat.dirty_rate} if stat.status == "measured" else {})
