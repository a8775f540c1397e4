"""A driver for virtio devices on PCI: it finds them in the configuration spaces, and gives them a place."""

from __future__ import annotations

import time

from virtio_bench import Bench
from virtio_driver import ACKNOWLEDGE, DRIVER, DRIVER_OK, FEATURES_OK, PLIC_PENDING, Driver

ECAM, PORTS, MEMORY, HIGH_MEMORY = 0x30000000, 0x03000000, 0x40000000, 0x400000000
COMMAND, BAR0, CAPABILITIES, INTERRUPT_PIN = 0x04, 0x10, 0x34, 0x3D
IO, MEM, MASTER, INTX_OFF = 1, 2, 4, 0x400
VENDOR_CAP, MSIX_CAP = 0x09, 0x11
COMMON, NOTIFY, ISR, DEVICE, WINDOW = 1, 2, 3, 4, 5
PCIE_IRQ = 32


def capabilities(bench: Bench, ecam: int) -> list[tuple[int, int]]:
    """Kind and place of each."""
    found, at = [], bench.load(ecam + CAPABILITIES, 1)
    while at:
        found.append((bench.load(ecam + at, 1), at))
        at = bench.load(ecam + at + 1, 1)
    return found


class PciDriver(Driver):
    """Queues lie as for a device in memory; `slot` is the place on the bus."""

    def __init__(self, bench: Bench, slot: int = 1, modern: bool = True, size: int = 8) -> None:
        self.bench, self.slot, self.modern, self.size = bench, slot, modern, size
        self.ecam = ECAM + (slot << 15)
        self.features = 0
        self.patience = 5.0
        self.available: dict[int, int] = {}
        self.place()
        self.irq = PCIE_IRQ + (slot + self.bench.load(self.ecam + INTERRUPT_PIN, 1) - 1) % 4

    def config(self, offset: int, value: int, size: int = 4) -> None:
        """Write to the configuration space."""
        self.bench.store(self.ecam + offset, value, size)

    def place(self) -> None:
        """Ports at 0x1000 × slot, the table of messages low, the modern registers high."""
        self.ports, self.msix = PORTS + 0x1000 * self.slot, MEMORY + 0x10000 * self.slot
        self.parts = HIGH_MEMORY + 0x100000 * self.slot
        self.config(BAR0, self.ports - PORTS)
        self.config(BAR0 + 4, self.msix)
        self.config(BAR0 + 16, self.parts & 0xFFFFFFFF)
        self.config(BAR0 + 20, self.parts >> 32)
        self.config(COMMAND, IO | MEM | MASTER, 2)
        if self.modern:
            self.find_parts()

    def find_parts(self) -> None:
        """Where the capabilities say that the parts of the modern registers are."""
        self.part = {
            self.bench.load(self.ecam + at + 3, 1): self.parts + self.bench.load(self.ecam + at + 8)
            for kind, at in capabilities(self.bench, self.ecam)
            if kind == VENDOR_CAP
        }

    # ---- registers, under the names that both kinds have

    def common(self, offset: int, size: int = 4) -> int:
        return self.bench.load(self.part[COMMON] + offset, size)

    def set_common(self, offset: int, value: int, size: int = 4) -> None:
        self.bench.store(self.part[COMMON] + offset, value, size)

    def port(self, offset: int, size: int = 4) -> int:
        return self.bench.load(self.ports + offset, size)

    def set_port(self, offset: int, value: int, size: int = 4) -> None:
        self.bench.store(self.ports + offset, value, size)

    def status(self, value: int) -> None:
        self.set_common(0x14, value, 1) if self.modern else self.set_port(18, value, 1)

    # ---- setting up

    def start(self, features: int = 0, queues: tuple[int, ...] = (0,)) -> None:
        """Reset, choose features, say where the queues are, go."""
        self.status(0)
        self.status(ACKNOWLEDGE | DRIVER)
        self.choose(features | (1 << 32 if self.modern else 0))
        for n in queues:
            self.set_up(n)
        self.status(ACKNOWLEDGE | DRIVER | (FEATURES_OK if self.modern else 0) | DRIVER_OK)

    def choose(self, features: int) -> None:
        if not self.modern:
            self.set_port(4, features & 0xFFFFFFFF)
            return
        for half in range(2):
            self.set_common(0x08, half)
            self.set_common(0x0C, features >> 32 * half & 0xFFFFFFFF)
        self.status(ACKNOWLEDGE | DRIVER | FEATURES_OK)

    def set_up(self, n: int) -> None:
        self.bench.write(self.table(n), bytes(0x4000))
        self.available[n] = 0
        if not self.modern:
            self.set_port(14, n, 2)
            self.size = self.port(12, 2)
            self.set_port(8, self.table(n) >> 12)
            return
        self.set_common(0x16, n, 2)
        self.set_common(0x18, self.size, 2)
        for offset, address in ((0x20, self.table(n)), (0x28, self.avail(n)), (0x30, self.used(n))):
            self.set_common(offset, address & 0xFFFFFFFF)
            self.set_common(offset + 4, address >> 32)
        self.set_common(0x1C, 1, 2)

    def used(self, n: int) -> int:
        end = self.avail(n) + 6 + 2 * self.size
        return -(-end // 4096) * 4096

    def use_messages(self, vectors: dict[int, tuple[int, int]], n: int = 0) -> None:
        """Interrupts by message: address and number for each vector; the last one is the queue's."""
        for vector, (address, data) in vectors.items():
            for offset, value in ((0, address), (4, address >> 32), (8, data), (12, 0)):
                self.bench.store(self.msix + 16 * vector + offset, value & 0xFFFFFFFF)
        at = next(at for kind, at in capabilities(self.bench, self.ecam) if kind == MSIX_CAP)
        self.config(at + 2, 0x8000, 2)
        if self.modern:
            self.set_common(0x16, n, 2)
            self.set_common(0x1A, max(vectors), 2)
        else:
            self.set_port(14, n, 2)
            self.set_port(22, max(vectors), 2)

    # ---- going

    def notify(self, n: int) -> None:
        if self.modern:
            self.bench.store(self.part[NOTIFY] + 4 * n, n, 2)
        else:
            self.set_port(16, n, 2)
        for _ in range(20):
            self.bench.settle()

    def wait_for_change(self, n: int, before: bytes) -> None:
        """Wait until the device has used something, and then for what follows; `patience` seconds at most."""
        deadline = time.monotonic() + self.patience
        while self.ring(n)[2:4] == before[2:4] and time.monotonic() < deadline:
            self.bench.settle()
        for _ in range(30):
            self.bench.settle()

    def state(self, n: int = 0) -> tuple[object, ...]:
        """Status, the PLIC's opinion, the reason for an interrupt, which reading forgets, the used ring."""
        pending = self.bench.load(PLIC_PENDING + self.irq // 32 * 4) >> self.irq % 32 & 1
        status = self.common(0x14, 1) if self.modern else self.port(18, 1)
        line = self.bench.load(self.ecam + 6, 2)
        isr = self.bench.load(self.part[ISR], 1) if self.modern else self.port(19, 1)
        return status, pending, line, isr, self.bench.load(self.ecam + 6, 2), self.ring(n).hex()

    def acknowledge(self) -> None:
        """Reading the reason did."""
