"""Walks through page tables that have been taken before (Not in QEMU).

A guest empties the TLB often, and mostly finds in its page tables what it found before.  So a vCPU remembers, longer
than its TLB, which entry a walk led to and which words of memory it read on the way: as long as those are the same,
the walk need not be taken again.  What a walk depends on besides is its key, or else calls `tlb_forget_walks`.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from pyqemu_edu.hw.core.cpu import CPUState

if TYPE_CHECKING:
    from pyqemu_edu.accel.tcg.cputlb import CPUTLBEntry

TLB_WALKS_MAX = 1 << 15

Word = tuple[memoryview, int, int]
"""A word that was read: the RAM it is in as 64-bit words, its index there, its value."""


@dataclass(frozen=True, slots=True)
class TLBWalk:
    """The words that were read, and the page to which they led."""

    words: Sequence[Word]
    entry: CPUTLBEntry


def tlb_remember_walk(cpu: CPUState, key: Hashable, walk: TLBWalk) -> None:
    """Remember a walk; when there are too many, forget all."""
    if len(cpu.tlb_walks) >= TLB_WALKS_MAX:
        cpu.tlb_walks.clear()
    cpu.tlb_walks[key] = walk


def tlb_recall_walk(cpu: CPUState, key: Hashable) -> CPUTLBEntry | None:
    """Where a walk with this key leads, if it was taken before and nothing has changed on the way."""
    walk: TLBWalk | None = cpu.tlb_walks.get(key)
    if walk is None:
        return None
    for words, index, value in walk.words:
        if words[index] != value:
            return None
    return walk.entry


def tlb_forget_walks(cpu: CPUState) -> None:
    """Something else has changed: memory's map, what is watched or protected."""
    cpu.tlb_walks.clear()
