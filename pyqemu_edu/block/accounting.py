"""How many requests, how many bytes, how long (QEMU block/accounting.c).

Left out: intervals, histograms and latencies of requests that never end.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter_ns

READ, WRITE, FLUSH, UNMAP = KINDS = ("rd", "wr", "flush", "unmap")


def zeroes() -> dict[str, int]:
    """A counter for each kind of request."""
    return dict.fromkeys(KINDS, 0)


@dataclass(eq=False)
class BlockAcctStats:
    """The counters of a disk."""

    nr_bytes: dict[str, int] = field(default_factory=zeroes)
    nr_ops: dict[str, int] = field(default_factory=zeroes)
    invalid_ops: dict[str, int] = field(default_factory=zeroes)
    failed_ops: dict[str, int] = field(default_factory=zeroes)
    merged: dict[str, int] = field(default_factory=zeroes)
    total_time_ns: dict[str, int] = field(default_factory=zeroes)
    last_access_time_ns: int = 0
    account_invalid: bool = True
    account_failed: bool = True


@contextmanager
def block_acct(stats: BlockAcctStats, kind: str, bytes: int) -> Iterator[None]:
    """Count the request that is done inside (QEMU `block_acct_start`, `block_acct_done`, `block_acct_failed`)."""
    start = perf_counter_ns()
    try:
        yield
    except OSError:
        stats.failed_ops[kind] += 1
        if stats.account_failed:
            stats.total_time_ns[kind] += perf_counter_ns() - start
            stats.last_access_time_ns = perf_counter_ns()
        raise
    stats.nr_bytes[kind] += bytes
    stats.nr_ops[kind] += 1
    stats.last_access_time_ns = perf_counter_ns()
    stats.total_time_ns[kind] += stats.last_access_time_ns - start


def block_acct_invalid(stats: BlockAcctStats, kind: str) -> None:
    """Count a request that made no sense."""
    stats.invalid_ops[kind] += 1
    if stats.account_invalid:
        stats.last_access_time_ns = perf_counter_ns()
