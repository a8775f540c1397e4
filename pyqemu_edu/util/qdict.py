"""The order in which C walks through a dictionary, and dotted keys (QEMU qobject/qdict.c, qobject/block-qdict.c).

A QDict is a plain `dict` here.  C's has 512 buckets and is walked bucket by bucket: this decides in which order
`-machine` properties are set, and so which of two wrong ones is complained about.
"""

from __future__ import annotations

import re
from typing import Any

from pyqemu_edu.util.error import QemuError

QDict = dict[str, Any]

QDICT_BUCKET_MAX = 512
_MASK = 0xFFFFFFFF


def tdb_hash(name: str) -> int:
    """The 32-bit hash that picks a key's bucket."""
    key = name.encode(errors="surrogateescape")
    value = 0x238F13AF * len(key)
    for i, byte in enumerate(key):
        value = (value + (byte << (i * 5 % 24))) & _MASK
    return (1103515243 * value + 12345) & _MASK


def qdict_entries(qdict: QDict) -> list[tuple[str, Any]]:
    """All entries in C's order: by bucket, and within one the newest first (QEMU `qdict_first`, `qdict_next`)."""
    newest_first = reversed(qdict.items())
    return sorted(newest_first, key=lambda entry: tdb_hash(entry[0]) % QDICT_BUCKET_MAX)


_PREFIX = re.compile(r"((?:[^.]|\.\.)*)(?:\.(.*))?", re.DOTALL)


def qdict_split_flat_key(key: str) -> tuple[str, str | None]:
    """What stands before the first single dot, and what behind; two dots are one that is meant."""
    match = _PREFIX.fullmatch(key)
    assert match is not None
    return match[1].replace("..", "."), match[2]


def qdict_crumple(src: QDict) -> Any:
    """Nested dictionaries, and lists where the keys are numbers, out of one with dotted keys."""
    two_level: QDict = {}
    for key, value in qdict_entries(src):
        prefix, suffix = qdict_split_flat_key(key)
        if prefix in two_level and (suffix is None or not isinstance(two_level[prefix], dict)):
            raise QemuError("Cannot mix scalar and non-scalar keys")
        if suffix is None:
            two_level[prefix] = value
        else:
            two_level.setdefault(prefix, {})[suffix] = value
    multi_level = {key: qdict_crumple(value) if isinstance(value, dict) else value for key, value in two_level.items()}
    return listed(multi_level) if qdict_is_list(multi_level) else multi_level


def qdict_is_list(maybe_list: QDict) -> bool:
    """Whether all keys are numbers, and these go from 0 without a gap."""
    indexes = [int(key) for key in maybe_list if re.fullmatch(r"[0-9]+", key)]
    if indexes and len(indexes) != len(maybe_list):
        raise QemuError("Cannot mix list and non-list keys")
    if len(indexes) != max(indexes, default=-1) + 1:
        raise QemuError(
            f"List indices are not contiguous, saw {len(indexes)} elements but {max(indexes)} largest index"
        )
    return bool(indexes)


def listed(by_index: QDict) -> list[Any]:
    """The values in the order of their numbers (in QEMU a part of `qdict_crumple`)."""
    for index in range(len(by_index)):
        if str(index) not in by_index:
            raise QemuError(f"Missing list index {index}")
    return [by_index[str(index)] for index in range(len(by_index))]
