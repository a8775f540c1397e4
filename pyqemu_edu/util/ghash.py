"""GLib's hash table, re-created for the order in which it hands out its keys (Not in QEMU).

QEMU keeps types and properties in GHashTables with string keys, so GLib's arithmetic decides which type is initialised
first and in which order properties are listed and released.  This follows GLib 2.74's glib/ghash.c: open addressing
with quadratic probing, tombstones, and a resize that re-seats the keys in place.  The values live in a dict; the slots
only keep the order.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from functools import cache
from typing import TypeVar

V = TypeVar("V")

MIN_SHIFT = 3
PRIME_MOD = (1, 2, 3, 7, 13, 31, 61, 127, 251, 509, 1021, 2039, 4093, 8191, 16381, 32749, 65521)
"""The largest prime below each power of two, by shift; more slots than this nobody needs here."""

UNUSED = object()
TOMBSTONE = object()


@cache
def g_str_hash(text: str) -> int:
    """Bernstein's hash of the bytes of `text`, read as signed, in 32 bits."""
    value = 5381
    for byte in text.encode(errors="surrogateescape"):
        value = (value * 33 + (byte - 256 if byte > 127 else byte)) & 0xFFFFFFFF
    return value


class GHashTable(MutableMapping[str, V]):
    """A mapping from strings that iterates in the order of GLib's slots."""

    def __init__(self) -> None:
        self._values: dict[str, V] = {}
        self._noccupied = 0
        self._slots: list[object] = []
        self._set_shift(MIN_SHIFT)
        self._slots = [UNUSED] * self._size

    def __getitem__(self, key: str) -> V:
        return self._values[key]

    def __contains__(self, key: object) -> bool:
        return key in self._values

    def __len__(self) -> int:
        return len(self._values)

    def __iter__(self) -> Iterator[str]:
        for slot in tuple(self._slots):
            if isinstance(slot, str):
                yield slot

    @property
    def slots(self) -> tuple[str | None, ...]:
        """The key in each slot, None where there is none."""
        return tuple(slot if isinstance(slot, str) else None for slot in self._slots)

    def lookup(self, key: str) -> V | None:
        """The value of `key`, or None."""
        return self._values.get(key)

    def __setitem__(self, key: str, value: V) -> None:
        new = key not in self._values
        self._values[key] = value
        if new:
            self._insert_node(key)

    def __delitem__(self, key: str) -> None:
        self.iter_remove(key)
        self._maybe_resize()

    def iter_remove(self, key: str) -> None:
        """Remove `key` and leave the slots where they are, as removal through an iterator does."""
        del self._values[key]
        slot = next(slot for slot in self._probe(key) if self._slots[slot] == key)
        self._slots[slot] = TOMBSTONE

    def _insert_node(self, key: str) -> None:
        tombstone = None
        for slot in self._probe(key):
            if self._slots[slot] is UNUSED:
                break
            if self._slots[slot] is TOMBSTONE and tombstone is None:
                tombstone = slot
        if tombstone is not None:
            self._slots[tombstone] = key
            return
        self._slots[slot] = key
        self._noccupied += 1
        self._maybe_resize()

    def _probe(self, key: str) -> Iterator[int]:
        """The slots to try for `key`, in order; never ends."""
        slot = (g_str_hash(key) * 11 & 0xFFFFFFFF) % self._mod
        step = 0
        while True:
            yield slot
            step += 1
            slot = slot + step & self._size - 1

    def _set_shift(self, shift: int) -> None:
        self._size = 1 << shift
        self._mod = PRIME_MOD[shift]

    def _maybe_resize(self) -> None:
        sparse = self._size > len(self) * 4 and self._size > 1 << MIN_SHIFT
        if sparse or self._size <= self._noccupied + self._noccupied // 16:
            self._resize()

    def _resize(self) -> None:
        """Give every key a new seat: whoever sits there already is evicted and looks for its own."""
        slots, old_size = self._slots, self._size
        self._set_shift(max(int(len(self) * 1.333).bit_length(), MIN_SHIFT))
        slots += [UNUSED] * (self._size - old_size)
        settled = [False] * len(slots)
        for old_slot in range(old_size):
            if settled[old_slot]:
                continue
            key, slots[old_slot] = slots[old_slot], UNUSED
            while isinstance(key, str):
                slot = next(slot for slot in self._probe(key) if not settled[slot])
                settled[slot] = True
                key, slots[slot] = slots[slot], key
        del slots[self._size :]
        self._noccupied = len(self)
