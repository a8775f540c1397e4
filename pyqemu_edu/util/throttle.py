"""Limits on how much may be done in a second: leaky buckets (QEMU util/throttle.c).

Left out: the leaking.  Limits are checked and kept, and limit nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.util.error import QemuError

THROTTLE_VALUE_MAX = 1_000_000_000_000_000
BUCKETS = ("bps-total", "bps-read", "bps-write", "iops-total", "iops-read", "iops-write")
KINDS = ("bps", "iops")


@dataclass(eq=False)
class LeakyBucket:
    """How much in a second on average, how much at most, and for how many seconds that."""

    avg: int = 0
    max: int = 0
    burst_length: int = 1


@dataclass(eq=False)
class ThrottleConfig:
    """A bucket for each kind of thing, and how many bytes count as one operation."""

    buckets: dict[str, LeakyBucket] = field(default_factory=lambda: {name: LeakyBucket() for name in BUCKETS})
    op_size: int = 0


def throttle_is_valid(cfg: ThrottleConfig) -> None:
    """Limits must make sense together: `QemuError` (in QEMU the answer is a boolean)."""
    if any(total_and_parts(cfg, kind, what) for what in ("avg", "max") for kind in KINDS):
        raise QemuError("bps/iops/max total values and read/write values cannot be used at the same time")
    if cfg.op_size and not any(cfg.buckets[f"iops-{part}"].avg for part in ("total", "read", "write")):
        raise QemuError("iops size requires an iops value to be set")
    for bucket in cfg.buckets.values():
        check_bucket(bucket)


def total_and_parts(cfg: ThrottleConfig, kind: str, what: str) -> bool:
    """Is there a limit on everything and another on a part of it? (in QEMU a part of `throttle_is_valid`)"""
    total, read, write = (getattr(cfg.buckets[f"{kind}-{part}"], what) for part in ("total", "read", "write"))
    return bool(total and (read or write))


def check_bucket(bucket: LeakyBucket) -> None:
    """One bucket must make sense (in QEMU a part of `throttle_is_valid`)."""
    if max(bucket.avg, bucket.max) > THROTTLE_VALUE_MAX:
        raise QemuError(f"bps/iops/max values must be within [0, {THROTTLE_VALUE_MAX}]")
    if not bucket.burst_length:
        raise QemuError("the burst length cannot be 0")
    if bucket.burst_length > 1 and not bucket.max:
        raise QemuError("burst length set without burst rate")
    if bucket.max and bucket.burst_length > THROTTLE_VALUE_MAX // bucket.max:
        raise QemuError("burst length too high for this burst rate")
    if bucket.max and not bucket.avg:
        raise QemuError("bps_max/iops_max require corresponding bps/iops values")
    if bucket.max and bucket.max < bucket.avg:
        raise QemuError("bps_max/iops_max cannot be lower than bps/iops")
