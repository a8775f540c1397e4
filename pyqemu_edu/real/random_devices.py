"""Writes random programs that worry the devices of the board `virt` (Not in QEMU).

A program is a list of accesses: loads and stores of every size, on registers, next to them, misaligned, and in holes
between devices.  Each answers with what was loaded, or the cause of the trap; at the end comes a checksum of the RAM
that devices were told of.  Some stores there are descriptors, so that a virtio device finds queues of all sorts:
broken, endless, and leading anywhere.

Nobody asks what time it is, nor writes to the UART's data register, in which the answers go out.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from random import Random

from pyqemu_edu.real.random_paging import DIGIT
from pyqemu_edu.target.riscv.asm import assemble

RAM, SCRATCH_SIZE = 0x8010_0000, 0x4000
TEST, RTC, CLINT, SSWI, PLIC, UART, VIRTIO, FW_CFG, FLASH, ECAM = (
    *(0x10_0000, 0x10_1000, 0x200_0000, 0x2F0_0000, 0xC00_0000),
    *(0x1000_0000, 0x1000_1000, 0x1010_0000, 0x2000_0000, 0x3000_0000),
)
LEGACY, MODERN = "", "-global virtio-mmio.force-legacy=false "
DEVICES = """
    -drive driver=null-co,read-zeroes=on,size=1M,if=none,id=d -device virtio-blk-device,drive=d
    -device virtio-serial-device -chardev null,id=n -device virtconsole,chardev=n
"""
LOADS = {1: "lbu", 2: "lhu", 4: "lwu", 8: "ld"}
STORES = {1: "sb", 2: "sh", 4: "sw", 8: "sd"}

PRELUDE = f"""
        .globl  _start
        .option norvc
_start: la      t0, handler
        csrw    mtvec, t0
        la      s0, results
        li      s1, {RAM}
"""
SETTLE = """
        li      t0, 0x200bff8
        ld      t3, (t0)
        li      t4, 20000
        add     t3, t3, t4
1:      ld      t4, (t0)
        bltu    t4, t3, 1b
"""
"""Two milliseconds in which a device does what it was told."""

EPILOGUE = f"""
        li      t0, {SCRATCH_SIZE}
        add     t0, t0, s1
        li      t2, 0
sum:    ld      t3, (s1)
        slli    t4, t2, 5
        add     t2, t2, t4
        xor     t2, t2, t3
        addi    s1, s1, 8
        bltu    s1, t0, sum
        sd      t2, (s0)
        addi    s0, s0, 8
        li      s3, {UART}
        li      t0, 3
        sb      t0, 3(s3)               # no divisor, eight bits
        sb      zero, 4(s3)             # no loop
        sb      zero, 1(s3)
        sb      zero, 2(s3)
        la      s1, results
{DIGIT}        jal     put
        addi    s5, s5, -4
        bgez    s5, digit
        li      a0, 10
        jal     put
        addi    s1, s1, 8
        bltu    s1, s0, line
        li      t0, {TEST}
        li      t1, 0x5555
        sw      t1, (t0)
        j       .
put:    lbu     t0, 5(s3)
        andi    t0, t0, 0x20
        beqz    t0, put
        sb      a0, (s3)
        ret
        .align  2
handler: csrr   t2, mcause
        li      t3, 0xbad00
        add     t2, t2, t3
        csrr    t3, mepc
        addi    t3, t3, 4
        csrw    mepc, t3
        mret
        .align  3
results:
"""


@dataclass(frozen=True)
class DeviceProgram:
    """A random program: an access a chunk, and the seed that also chooses whether virtio is legacy or modern."""

    seed: int
    chunks: tuple[str, ...]

    @property
    def options(self) -> str:
        """The machine that it is for."""
        kind = MODERN if self.seed % 2 else LEGACY
        return f"-machine virt -nographic -monitor none -serial stdio -bios none {kind}{' '.join(DEVICES.split())}"

    @property
    def names(self) -> tuple[str, ...]:
        """What it prints: the answer of each access, and a checksum of the RAM that devices know."""
        return (*(f"access {n}" for n in range(len(self.chunks))), "memory")

    def cut(self, length: int) -> DeviceProgram:
        """The same program, ended behind so many accesses."""
        return replace(self, chunks=self.chunks[:length])

    def write(self, path: Path) -> None:
        """Write the program as an ELF for `-kernel`."""
        path.write_bytes(assemble(PRELUDE + "".join(self.chunks) + EPILOGUE).elf())


def random_device_program(seed: int, length: int = 120) -> DeviceProgram:
    """The program of a seed."""
    rng = Random(f"devices of {seed}")
    return DeviceProgram(seed, tuple(random_access(rng) for _ in range(length)))


def random_access(rng: Random) -> str:
    """One access to one device, mostly as its driver would make it."""
    place = rng.choice(PLACES)
    address, size, value, can_load, can_store = place(rng)
    if rng.random() < 0.08:
        size = rng.choice((1, 2, 4, 8))
    if rng.random() < 0.04 and place is not rtc:
        address += rng.choice((1, 2, 4))
    is_store = can_store and (not can_load or rng.random() < 0.6)
    printed = address & -256 == UART and not address & 7  # the registers come again and again
    return access(address, size, value if is_store and not printed else None)


def access(address: int, size: int, value: int | None) -> str:
    """The code of a load, or of a store of `value`; after a store to a virtio device there is some time."""
    code = f"li t2, 0\nli t0, {address}\n"
    if value is None:
        code += f"{LOADS[size]} t2, (t0)\n"
    else:
        code += f"li t1, {value & (1 << 8 * size) - 1}\n{STORES[size]} t1, (t0)\n"
    if value is not None and notifies(address):
        code += SETTLE
    return code + "sd t2, (s0)\naddi s0, s0, 8\n"


def notifies(address: int) -> bool:
    """May this store make a virtio device work?"""
    return VIRTIO <= address < VIRTIO + 0x8000 and address & 0xFFF in (0x44, 0x50, 0x70)


# --- devices: address, size, what to store, whether to load, whether to store

Place = tuple[int, int, int, bool, bool]


def word_of(rng: Random) -> int:
    """A value for a register: an edge, a bit, a little, or anything."""
    return rng.choice((0, 1, 2, 0xFFFF_FFFF, 1 << rng.randrange(32), rng.randrange(16), rng.getrandbits(32)))


def in_ram(rng: Random) -> int:
    """An address that devices are told of, or one where nothing good can come of it."""
    near = (RAM + rng.randrange(0, SCRATCH_SIZE, 16), RAM + 4096 * rng.randrange(4))
    return rng.choice((*near, rng.getrandbits(40), PLIC))


def uart(rng: Random) -> Place:
    """The registers of the 16550."""
    return UART + rng.randrange(1, 8), 1, word_of(rng), True, True


def plic(rng: Random) -> Place:
    """Priorities, pending bits, enable bits, thresholds and claims."""
    offset = rng.choice(
        (4 * rng.randrange(100), 0x1000 + 4 * rng.randrange(4), 0x2000 + 4 * rng.randrange(70), 0x20_0000, 0x20_0004)
    )
    offset += rng.choice((0, 0, 0x1000)) if offset >= 0x20_0000 else 0
    return PLIC + offset, 4, rng.choice((word_of(rng), rng.randrange(100))), True, True


def clint(rng: Random) -> Place:
    """Software interrupts and times to be woken at."""
    offset, size = rng.choice(((0, 4), (4, 4), (0x4000, 8), (0x4000, 4), (0x4004, 4), (0x4008, 8), (0x3FFC, 4)))
    return CLINT + offset, size, rng.getrandbits(64), True, True


def rtc(rng: Random) -> Place:
    """All but the time."""
    return RTC + rng.choice((0xC, 0x10, 0x14, 0x18, 0x1C, 0x20)), 4, word_of(rng), True, True


def test_finisher(rng: Random) -> Place:
    """A word that finishes nothing."""
    return TEST + rng.choice((0, 4, 8, 0xFF0)), 4, rng.choice((0, 1, 0x1234, 0x5550000)), True, True


def fw_cfg(rng: Random) -> Place:
    """Selector, data and the DMA register; all of them have their bytes turned round."""
    key = rng.choice((0, 1, 5, 0x19, rng.randrange(0x30), 0x8000, 0x4005))
    command = int.from_bytes(in_ram(rng).to_bytes(8, "big"), "little")
    return rng.choice(
        (
            (FW_CFG + 8, 2, key << 8 & 0xFF00 | key >> 8, False, True),
            (FW_CFG, rng.choice((1, 2, 4, 8)), 0, True, False),
            (FW_CFG + 16, 8, command, True, True),
        )
    )


def flash(rng: Random) -> Place:
    """Commands for the flash, and the arrays behind them."""
    commands = (0x10, 0x20, 0x28, 0x40, 0x50, 0x60, 0x70, 0x90, 0x98, 0xD0, 0xE8, 0xF0, 0xFF, 0x01, rng.randrange(16))
    word = rng.choice(commands)
    address = FLASH + rng.choice((0, 0x200_0000)) + rng.choice((0, 4, 8, 0x40000, 4 * rng.randrange(64)))
    return address, rng.choice((1, 2, 4, 4)), word | word << 16, True, True


def virtio(rng: Random) -> Place:
    """A virtio device's registers; two of the eight places have a device."""
    base = VIRTIO + 0x1000 * rng.choice((7, 7, 7, 6, 6, 0))
    address = in_ram(rng)
    # fmt: off
    registers = (
        (0x00, 0), (0x04, 0), (0x08, 0), (0x10, 0), (0x14, rng.randrange(2)), (0x20, word_of(rng)),
        (0x24, rng.randrange(2)), (0x28, 4096), (0x30, rng.randrange(4)), (0x34, 0),
        (0x38, rng.choice((8, 8, 16, 0, 3, 1024, 4096))),
        (0x3C, rng.choice((4096, 4096, 3, 64))), (0x40, address >> 12), (0x44, 1), (0x50, rng.randrange(3)),
        (0x50, 0), (0x60, 0), (0x64, 3), (0x70, rng.choice((0, 1, 3, 7, 11, 15, 0x80))), (0x80, address),
        (0x84, address >> 32), (0x90, address), (0x94, 0), (0xA0, address), (0xA4, 0), (0xFC, 0),
        (0x100 + 4 * rng.randrange(16), word_of(rng)),
    )
    # fmt: on
    offset, value = rng.choice(registers)
    return base + offset, 4, value, True, True


def memory(rng: Random) -> Place:
    """A descriptor's halves, a ring's index, a DMA command's halves."""
    address = RAM + rng.choice((rng.randrange(0, SCRATCH_SIZE, 8), 0x1000 * rng.randrange(4) + 8 * rng.randrange(4)))
    descriptor = rng.choice((16, 512, 1, 0x10_0000)) | rng.randrange(8) << 32 | rng.randrange(9) << 48
    control, length = rng.choice((2, 4, 8, 10, 10, 16)) | rng.randrange(0x30) << 16, rng.choice((0, 4, 64, 4096))
    command = int.from_bytes((control << 32 | length).to_bytes(8, "big"), "little")
    swapped = int.from_bytes(in_ram(rng).to_bytes(8, "big"), "little")
    value = rng.choice((in_ram(rng), descriptor, rng.randrange(4) << 16, rng.getrandbits(64), command, swapped))
    return address, 8, value, True, True


def pcie(rng: Random) -> Place:
    """The host bridge's configuration, and devices that are not there."""
    return ECAM + rng.choice((0, 0, 0x8000, rng.randrange(1 << 28) & -4)) + 4 * rng.randrange(4), 4, 0, True, False


def hole(rng: Random) -> Place:
    """Where nothing is."""
    near = rng.choice((0x10_2000, 0x2F0_4000, 0x2FF_FFF0, 0x1000_0100, 0x1010_0018, 0x1000_9000, 0x7FFF_FFF0))
    return near + rng.randrange(0, 16, 4), 4, word_of(rng), True, True


PLACES = (
    *(uart, uart, plic, plic, clint, rtc, test_finisher, fw_cfg, fw_cfg, flash, flash),
    *(virtio, virtio, virtio, virtio, virtio, memory, memory, pcie, hole),
)
