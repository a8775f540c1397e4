"""The order in which C walks through a dictionary (QEMU qobject/qdict.c).

A QDict is a plain `dict` here.  C's has 512 buckets and is walked bucket by bucket: this decides in which order
`-machine` properties are set, and so which of two wrong ones is complained about.
"""

from __future__ import annotations

from typing import Any

QDict = dict[str, Any]

QDICT_BUCKET_MAX = 512
_MASK = 0xFFFFFFFF


def tdb_hash(name: str) -> int:
    """The 32-bit hash that picks a key's bucket."""
    value = 0x238F13AF * len(name.encode())
    for i, byte in enumerate(name.encode()):
        value = (value + (byte << (i * 5 % 24))) & _MASK
    return (1103515243 * value + 12345) & _MASK


def qdict_entries(qdict: QDict) -> list[tuple[str, Any]]:
    """All entries in C's order: by bucket, and within one the newest first (QEMU `qdict_first`, `qdict_next`)."""
    newest_first = reversed(qdict.items())
    return sorted(newest_first, key=lambda entry: tdb_hash(entry[0]) % QDICT_BUCKET_MAX)
