"""A driver for virtio devices that works the registers and rings by hand, and writes down what it sees."""

from __future__ import annotations

import struct
import time
from collections.abc import Sequence

from virtio_bench import LAST_SLOT, RAM, Bench

STATUS, QUEUE_SEL, QUEUE_NUM, NOTIFY, ISR, ACK = 0x70, 0x30, 0x38, 0x50, 0x60, 0x64
ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK = 1, 2, 4, 8
NEXT, WRITE, INDIRECT = 1, 2, 4
EVENT_IDX, VERSION_1 = 1 << 29, 1 << 32
PLIC_PENDING = 0x0C001000

Desc = tuple[int, int, int, int]
"""Address, length, flags, next."""


class Driver:
    """Queues lie one after another from 1 MiB into RAM on; buffers wherever the test wants."""

    def __init__(self, bench: Bench, slot: int = 7, size: int = 8) -> None:
        self.bench = bench
        self.base = LAST_SLOT - (7 - slot) * 0x1000
        self.irq = 1 + slot
        self.size = size
        self.modern = self.load(4) == 2
        self.features = 0
        self.available: dict[int, int] = {}

    def load(self, offset: int, size: int = 4) -> int:
        return self.bench.load(self.base + offset, size)

    def store(self, offset: int, value: int, size: int = 4) -> None:
        self.bench.store(self.base + offset, value, size)

    # ---- setting up

    def start(self, features: int = 0, queues: Sequence[int] = (0,)) -> None:
        """Reset, choose features, say where the queues are, go."""
        self.store(STATUS, 0)
        self.store(STATUS, ACKNOWLEDGE | DRIVER)
        self.features = features | (VERSION_1 if self.modern else 0)
        self.choose(self.features)
        if not self.modern:
            self.store(0x28, 4096)
        for n in queues:
            self.set_up(n)
        self.store(STATUS, ACKNOWLEDGE | DRIVER | (FEATURES_OK if self.modern else 0) | DRIVER_OK)

    def choose(self, features: int) -> None:
        for half in range(1 + self.modern):
            self.store(0x24, half)
            self.store(0x20, features >> 32 * half & 0xFFFFFFFF)
        if self.modern:
            self.store(STATUS, ACKNOWLEDGE | DRIVER | FEATURES_OK)

    def set_up(self, n: int) -> None:
        self.bench.write(self.table(n), bytes(0x4000))
        self.available[n] = 0
        self.store(QUEUE_SEL, n)
        self.store(QUEUE_NUM, self.size)
        if self.modern:
            for offset, address in ((0x80, self.table(n)), (0x90, self.avail(n)), (0xA0, self.used(n))):
                self.store(offset, address & 0xFFFFFFFF)
                self.store(offset + 4, address >> 32)
            self.store(0x44, 1)
        else:
            self.store(0x3C, 4096)
            self.store(0x40, self.table(n) >> 12)

    def table(self, n: int) -> int:
        return RAM + 0x100000 + n * 0x4000

    def avail(self, n: int) -> int:
        return self.table(n) + 16 * self.size

    def used(self, n: int) -> int:
        return self.table(n) + 0x1000

    # ---- requests

    def describe(self, n: int, *descriptors: Desc, first: int = 0, at: int | None = None) -> None:
        """Write descriptors into the table, or into one of one's own."""
        table = b"".join(struct.pack("<QIHH", *desc) for desc in descriptors)
        self.bench.write((self.table(n) if at is None else at) + 16 * first, table)

    def offer(self, n: int, head: int, notify: bool = True) -> None:
        """Make a chain available."""
        idx = self.available[n]
        self.bench.write(self.avail(n) + 4 + 2 * (idx % self.size), struct.pack("<H", head))
        self.available[n] = idx + 1
        self.bench.write(self.avail(n) + 2, struct.pack("<H", idx + 1 & 0xFFFF))
        if notify:
            self.notify(n)

    def notify(self, n: int) -> None:
        self.store(NOTIFY, n)
        for _ in range(20):
            self.bench.settle()

    def wait_for_change(self, n: int, before: bytes) -> None:
        """Wait until the device has used something, for two seconds at most."""
        deadline = time.monotonic() + 2
        while self.ring(n) == before and time.monotonic() < deadline:
            self.bench.settle()
            time.sleep(0.002)

    # ---- looking

    def ring(self, n: int) -> bytes:
        """The used ring."""
        return self.bench.read(self.used(n), 4 + 8 * self.size + 2)

    def state(self, n: int = 0) -> tuple[object, ...]:
        """Status, reason for an interrupt, the PLIC's opinion, the used ring."""
        pending = self.bench.load(PLIC_PENDING) >> self.irq & 1
        return self.load(STATUS), self.load(ISR), pending, self.ring(n).hex()

    def acknowledge(self) -> None:
        self.store(ACK, self.load(ISR))
