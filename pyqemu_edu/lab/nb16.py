"""Programs and checks for notebook 16, "Devices and interrupts" (Not in QEMU)."""

from __future__ import annotations

import atexit
import os
import struct
import tempfile
from collections.abc import Callable, Sequence

from pyqemu_edu.guests import assembled
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.softmmu.physmem import cpu_physical_memory_read, cpu_physical_memory_rw
from pyqemu_edu.target.riscv.asm import AssemblyError, assemble
from pyqemu_edu.vm import Qemu

BOARD = "-machine virt -bios none -display none"
PLIC, CLAIM = 0x0C000000, 0x0C200004
ENABLE, THRESHOLD = PLIC + 0x2000, PLIC + 0x200000
UART, UART_SOURCE = 0x10000000, 10
DISK, DISK_SOURCE = 0x10008000, 8
PATIENCE = 1.0
"""Seconds after which a guest that still sleeps is taken to sleep for good."""

SHOUT = """
.globl _start
_start:   la    t0, handler
          csrw  mtvec, t0            # where to go
          li    t0, 0x0c000028       # PLIC: source 10, the serial port,
          li    t1, 1
          sw    t1, 0(t0)            # has priority 1
          li    t0, 0x0c002000
          li    t1, 1024             # hart 0 in machine mode wants source 10
          sw    t1, 0(t0)
          li    s0, 0x10000000       # the serial port:
          sb    t1, 1(s0)
          li    t1, 1
          sb    t1, 1(s0)            # interrupt when a byte has come
          li    s1, 0x0c200004       # the claim register of hart 0 in machine mode
          li    t0, 2048
          csrw  mie, t0              # external interrupts ...
          csrsi mstatus, 8           # ... and all: on
sleep:    wfi
          j     sleep

.align 2
handler:  lw    a0, 0(s1)            # claim: who was it?
claimed:  lbu   a1, 0(s0)            # the byte
read:     andi  a1, a1, 0xdf         # in capitals
          sb    a1, 0(s0)            # out again
complete: sw    a0, 0(s1)            # it has been served
done:     mret
"""

READ_BLOCK = """
.globl _start
_start:   la    t0, handler
          csrw  mtvec, t0
          li    t0, 0x0c000020       # PLIC: source 8, the last virtio slot,
          li    t1, 1
          sw    t1, 0(t0)            # has priority 1
          li    t0, 0x0c002000
          li    t1, 256              # hart 0 in machine mode wants source 8
          sw    t1, 0(t0)
          li    s1, 0x0c200004
          li    s0, 0x10008000       # the disk's registers
          sw    zero, 0x70(s0)       # status: reset
          li    t0, 3
          sw    t0, 0x70(s0)         # ... I see you, and I know what you are
          li    t0, 4096
          sw    t0, 0x28(s0)         # pages have 4096 bytes
          sw    zero, 0x30(s0)       # about queue 0:
          li    t0, 4
          sw    t0, 0x38(s0)         # it has 4 entries
          li    t0, 4096
          sw    t0, 0x3c(s0)
          li    t0, 0x80100          # and begins at page 0x80100
          sw    t0, 0x40(s0)
          li    t0, 7
          sw    t0, 0x70(s0)         # ... and I am ready
ready:    li    s2, 0x80100000       # the descriptor table: three buffers, one chain
          la    t0, header
          sd    t0, 0(s2)
          li    t1, 0x100000010      # 16 bytes, flags: NEXT, goes on with ...
          sd    t1, 8(s2)
          li    t1, 1
          sh    t1, 14(s2)           # ... descriptor 1
          li    t0, 0x80200000
          sd    t0, 16(s2)
          li    t1, 0x300000200      # 512 bytes, flags: NEXT, WRITE, goes on with ...
          sd    t1, 24(s2)
          li    t1, 2
          sh    t1, 30(s2)           # ... descriptor 2
          la    t0, answer
          sd    t0, 32(s2)
          li    t1, 0x200000001      # 1 byte, flags: WRITE
          sd    t1, 40(s2)
described: sh   zero, 68(s2)         # the available ring: entry 0 is chain 0
          fence
          li    t1, 1
          sh    t1, 66(s2)           # one chain is available
          li    t0, 2048
          csrw  mie, t0
          csrsi mstatus, 8
kick:     sw    zero, 0x50(s0)       # look into queue 0!
kicked:   nop
sleep:    wfi
          j     sleep

.align 2
handler:  lw    a0, 0(s1)            # claim
claimed:  lw    a1, 0x60(s0)         # why?
          sw    a1, 0x64(s0)         # seen
complete: sw    a0, 0(s1)
          li    s3, 0x10000000
          li    s4, 0x80200000
print:    lbu   a2, 0(s4)            # what was on the disk goes to the serial port
          beqz  a2, finish
          sb    a2, 0(s3)
          addi  s4, s4, 1
          j     print
finish:   li    t0, 0x100000
          li    t1, 0x5555
          sw    t1, 0(t0)            # the machine's own switch: off
stop:     j     stop

.data
.align 4
header:   .word 0                    # read ...
          .word 0
          .dword 0                   # ... sector 0
answer:   .byte 255
"""


def disk_image(*lines: str) -> str:
    """Path of a disk image with a text in each sector."""
    handle, path = tempfile.mkstemp(prefix="pyqemu-edu-", suffix=".img")
    atexit.register(os.unlink, path)
    with os.fdopen(handle, "wb") as file:
        file.write(b"".join(line.encode().ljust(512, b"\0") for line in lines))
    return path


def disk_options(image: str) -> str:
    """The options that give the machine a disk."""
    return f"-drive if=none,id=disk,file={image},format=raw -device virtio-blk-device,drive=disk"


def load(vm: Qemu, address: int, size: int = 4) -> int:
    """What the guest would load."""
    with vm.process:
        return int.from_bytes(cpu_physical_memory_read(address, size), "little")


def store(vm: Qemu, address: int, value: int, size: int = 4) -> None:
    """What the guest would store."""
    with vm.process:
        cpu_physical_memory_rw(address, value.to_bytes(size, "little"))


def machine(source: str, options: str = "") -> Qemu:
    """A machine with a program."""
    return Qemu(f"{BOARD} -kernel {assembled(source)} {options}", record=False, types="modelled")


# --- exercise 1: who is served first?


@check
def check_1(uart_priority: int, disk_priority: int, threshold: int) -> str:
    """With the serial port and the disk both pending, the serial port is to be claimed first, then the disk."""
    vm = machine(READ_BLOCK, disk_options(disk_image("a block")))
    program = assemble(READ_BLOCK).symbols
    vm.run(until=program["kick"])
    for source, priority in ((UART_SOURCE, uart_priority), (DISK_SOURCE, disk_priority)):
        store(vm, PLIC + 4 * source, priority)
    store(vm, THRESHOLD, threshold)
    store(vm, ENABLE, 1 << UART_SOURCE | 1 << DISK_SOURCE)
    store(vm, UART + 1, 2, size=1)
    store(vm, DISK + 0x50, 0)
    kept = [load(vm, PLIC + 4 * source) for source in (UART_SOURCE, DISK_SOURCE)]
    claims = [load(vm, CLAIM), load(vm, CLAIM)]
    names = {UART_SOURCE: "the serial port", DISK_SOURCE: "the disk", 0: "nobody"}
    order = " and then ".join(names[claim] for claim in claims)
    if kept != [uart_priority, disk_priority]:
        raise NotYet(f"the PLIC has kept the priorities {kept[0]} and {kept[1]}: it has three bits for each.")
    if 0 in claims:
        raise NotYet(f"claimed were {order}. A source is heard only if its priority is above the threshold.")
    if claims[0] == DISK_SOURCE:
        raise NotYet(f"claimed were {order}. Among equals the lower number wins, and the disk has number 8.")
    return f"claimed were {order}."


# --- exercise 2: a chain of one's own

TABLE, HEADER, BUFFER, ANSWER = 0x80100000, 0x80200000, 0x80201000, 0x80202000
NEXT, WRITE = 1, 2


@check
def check_2(chain: Sequence[tuple[int, int, int, int]]) -> str:
    """A chain of descriptors that reads sector 3; header, buffer and answer have their places."""
    vm = machine(READ_BLOCK, disk_options(disk_image("zero", "one", "two", "three", "four")))
    vm.run(until=assemble(READ_BLOCK).symbols["ready"])
    with vm.process:
        cpu_physical_memory_rw(HEADER, struct.pack("<IIQ", 0, 0, 3))
        cpu_physical_memory_rw(BUFFER, b"?" * 512)
        cpu_physical_memory_rw(ANSWER, b"\xff")
        cpu_physical_memory_rw(TABLE, b"".join(struct.pack("<QIHH", *each) for each in chain))
        cpu_physical_memory_rw(TABLE + 64, struct.pack("<HHH", 0, 1, 0))
    store(vm, DISK + 0x50, 0)
    said = vm.stderr.getvalue().strip().rpartition(": ")[2]
    if said:
        raise NotYet(f"the device gives up: {said!r}.")
    with vm.process:
        found, answer = cpu_physical_memory_read(BUFFER, 512), cpu_physical_memory_read(ANSWER, 1)[0]
    if answer == 255:
        raise NotYet("nothing was written to the place for the answer; its byte is still 255.")
    if answer:
        raise NotYet(f"the answer is {answer}, which is not 0, success.")
    if not found.startswith(b"three\0"):
        raise NotYet(f"the answer is 0, but the buffer begins with {found[:5].decode(errors='replace')!r}.")
    return "sector 3 is in the buffer, and the answer is 0."


# --- exercise 3: a handler that serves one byte and no more

FORGETFUL = SHOUT.replace("complete: sw    a0, 0(s1)            # it has been served", "complete: nop")


@check
def check_3(source: str, run: Callable[[str], Qemu] = machine) -> str:
    """Type `abc`; all three letters are to come back in capitals."""
    try:
        vm = run(source)
    except AssemblyError as error:
        raise NotYet(f"the assembler says: {error}") from None
    vm.run(seconds=PATIENCE / 4)
    vm.send("abc")
    vm.run(seconds=PATIENCE)
    said = vm.output.decode(errors="replace")
    waits = vm.harts[0].halted == 1
    if said == "ABC":
        return "three letters came, three were served, and the hart sleeps again."
    what = "sleeps" if waits else "does not come to rest"
    if len(said) > 3:
        raise NotYet(f"{said[0]!r} comes back, again and again: the port still has its byte, and says so.")
    if not said:
        raise NotYet(f"nothing comes back, and the hart {what}.")
    raise NotYet(
        f"only {said!r} comes back, and the hart {what}: the PLIC takes the source for one that is being served."
    )
