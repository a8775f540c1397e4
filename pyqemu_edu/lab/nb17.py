"""A firmware, a kernel and checks for notebook 17, "What runs before the kernel?" (Not in QEMU)."""

from __future__ import annotations

import os
import struct
import tempfile
from collections.abc import Callable

from pyqemu_edu.chardev.chardev import chardev_write
from pyqemu_edu.guests import assembled
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.softmmu.datadir import qemu_find_file
from pyqemu_edu.softmmu.device_tree import qemu_fdt_getprop
from pyqemu_edu.softmmu.physmem import cpu_physical_memory_read
from pyqemu_edu.target.riscv.asm import AssemblyError
from pyqemu_edu.target.riscv.cpu_bits import PRV_M, PRV_S, RISCV_EXCP_S_ECALL
from pyqemu_edu.target.riscv.cpu_helper import riscv_trap
from pyqemu_edu.trace.event import Event
from pyqemu_edu.view.figure import Figure
from pyqemu_edu.view.sequence import Message, draw_sequence
from pyqemu_edu.vm import Qemu

BOARD = "-machine virt -m 64M -display none"
MODES = {PRV_S: "S", PRV_M: "M"}
RAM, KERNEL_AT, FW_DYN = 0x8000_0000, 0x8020_0000, 0x1028
OPENSBI = "opensbi-riscv64-generic-fw_dynamic.bin"
U_BOOT = "/usr/lib/u-boot/qemu-riscv64_smode/u-boot.bin"
FIELDS = ("magic", "version", "next address", "next mode", "options", "boot hart")

FIRMWARE = """
        .globl  _start
_start: csrr    t0, mhartid             # a0 = hart, a1 = device tree, a2 = what the reset ROM wrote for us
        bnez    t0, park
        la      t0, asked
        csrw    mtvec, t0               # requests will come here
        li      t0, 0x20003fff          # memory rule 0: the first 128 KiB of RAM ...
        csrw    pmpaddr0, t0
        li      t0, -1                  # rule 1: everything
        csrw    pmpaddr1, t0
        li      t0, 0x1f18              # ... are for nobody below machine mode; the rest is for everybody
        csrw    pmpcfg0, t0
        li      t0, 0xb1ff              # the kernel's own mistakes are its own business; its requests (bit 9) are ours
        csrw    medeleg, t0
        ld      t0, 16(a2)              # where to go next
        csrw    mepc, t0
        li      t0, 0x1800
        csrc    mstatus, t0
        li      t0, 0x800               # in supervisor mode
        csrs    mstatus, t0
        mret
        .align  2
asked:  csrw    mscratch, t0            # an ecall: a7 says what is wanted
        li      t0, 1
        beq     a7, t0, write
        li      t0, 0x53525354
        beq     a7, t0, end
        li      a0, -2                  # we have never heard of it
        j       done
write:  li      t0, 0x10000000          # the serial port
        sb      a0, 0(t0)
        li      a0, 0
done:   csrr    t0, mepc                # go on behind the ecall
        addi    t0, t0, 4
        csrw    mepc, t0
        csrr    t0, mscratch
        mret
end:    li      t0, 0x100000            # the test device: the power switch
        li      t1, 0x5555
        sw      t1, 0(t0)
park:   wfi
        j       park
"""
"""A whole SBI firmware: it can write a byte and switch the machine off."""

KERNEL = """
        .globl  _start
_start: la      s0, words
next:   lb      a0, 0(s0)
        beqz    a0, off
        li      a7, 1                   # please write the byte in a0
        ecall
        addi    s0, s0, 1
        j       next
off:    li      a7, 0x53525354          # please switch the machine off
        li      a6, 0
        li      a0, 0                   # how: power off
        li      a1, 0                   # why: no reason
        ecall
words:  .asciz  "Hello\\n"
"""
"""A kernel in supervisor mode that knows no device."""


def machine(source: str = KERNEL, bios: str = "", options: str = "", base: int = KERNEL_AT) -> Qemu:
    """A virt board with our own firmware, or the one that `bios` names, and a kernel of ours."""
    firmware, kernel = bios or assembled(FIRMWARE, name="firmware.elf"), assembled(source, base, "kernel.elf")
    return Qemu(f"{BOARD} -bios {firmware} -kernel {kernel} {options}", record=False, types="modelled")


def opensbi(vm: Qemu) -> str:
    """The OpenSBI that QEMU brings along; "" where there is none."""
    with vm.process:
        return qemu_find_file(OPENSBI) or ""


def u_boot() -> str:
    """Debian's U-Boot for a kernel's place; "" where it is not installed."""
    return U_BOOT if os.path.exists(U_BOOT) else ""


def memory(vm: Qemu, address: int, count: int) -> list[int]:
    """`count` numbers of 64 bits from `address` on."""
    with vm.process:
        return list(struct.unpack(f"<{count}Q", cpu_physical_memory_read(address, 8 * count)))


def code(vm: Qemu, address: int, count: int) -> list[int]:
    """`count` instructions of 32 bits from `address` on."""
    with vm.process:
        return list(struct.unpack(f"<{count}I", cpu_physical_memory_read(address, 4 * count)))


def chosen(vm: Qemu, name: str) -> bytes | None:
    """What the device tree's node /chosen says of `name`."""
    with vm.process:
        fdt = vm.machine.fdt
        assert fdt is not None
        return qemu_fdt_getprop(fdt, "/chosen", name)


# ---- who asks whom for a byte


def conversation(vm: Qemu, rows: int = 12) -> Figure:
    """Run to the end and draw who asked whom: the kernel the firmware, the firmware the serial port."""
    messages: list[Message] = []

    def asked(event: Event, hartid: int, is_async: bool, cause: int, *rest: object) -> None:
        if cause == RISCV_EXCP_S_ECALL:
            messages.append(Message("kernel (S)", "firmware (M)", f"ecall: {wish(vm)}"))

    def wrote(event: Event, label: str, chunk: bytes) -> None:
        messages.append(Message("firmware (M)", "serial port", f"store {chr(chunk[0])!r}"))
        messages.append(Message("firmware (M)", "kernel (S)", "mret", dashed=True))

    riscv_trap.append(asked)
    chardev_write.append(wrote)
    try:
        vm.run(seconds=20)
    finally:
        riscv_trap.remove(asked)
        chardev_write.remove(wrote)
    return draw_sequence(messages, "Who writes a letter?", rows)


def wish(vm: Qemu) -> str:
    """What the kernel asks for, by a7 and a0."""
    a0, a7 = (vm.harts[0].env.gpr[n] for n in (10, 17))
    return f"write {chr(a0)!r}" if a7 == 1 else "switch off"


# ---- exercise 1: what the reset ROM tells the firmware


@check
def check_1(make: Callable[[int], bytes | None]) -> str:
    """Compare `make(kernel_entry)` with what the ROM of a machine holds, for two kernels."""
    for entry in (KERNEL_AT, RAM + 0x60_0000):
        wanted = struct.pack("<6Q", *memory(machine(base=entry), FW_DYN, 6))
        made = make(entry)
        if not isinstance(made, bytes):
            raise NotYet("return bytes: struct.pack makes them.")
        if len(made) != len(wanted):
            raise NotYet(f"the block has {len(wanted)} bytes, yours {len(made)}: six numbers of 64 bits.")
        for name, ours, yours in zip(FIELDS, *(struct.unpack("<6Q", data) for data in (wanted, made)), strict=True):
            if yours != ours:
                raise NotYet(
                    f"for a kernel at {entry:#x} the field {name!r} is {yours:#x}, and QEMU writes another number."
                )
    return "the firmware would find its kernel, wherever that is."


# ---- exercise 2: a kernel that says something


@check
def check_2(source: str) -> str:
    """Run a kernel of the reader's; it has to ask for every letter, and for the end."""
    try:
        vm = machine(source)
    except AssemblyError as error:
        raise NotYet(f"the assembler says: {error}") from None
    causes: list[int] = []

    def trapped(event: Event, hartid: int, is_async: bool, cause: int, *rest: object) -> None:
        causes.append(cause)

    riscv_trap.append(trapped)
    try:
        vm.run(budget=100_000, seconds=10)
    finally:
        riscv_trap.remove(trapped)
    said = vm.output.decode(errors="replace").strip()
    if any(cause != RISCV_EXCP_S_ECALL for cause in causes):
        raise NotYet(
            "the kernel ran into an exception that nobody had asked for. Does every path lead to an ecall, not to data?"
        )
    if not said or said == "Hello":
        raise NotYet("the console shows no word of yours: a7 = 1 and the letter in a0, then ecall, for each letter.")
    if vm.exit_status is None:
        raise NotYet(f"it said {said!r}, and goes on for ever: ask the firmware to switch off.")
    return f"it said {said!r}, in {len(causes)} requests."


# ---- exercise 3: where the RAM disk goes


def initrd_start(ram_size: int, kernel_entry: int) -> int:
    """Where a machine with so many MiB puts a RAM disk."""
    with tempfile.NamedTemporaryFile(suffix=".cpio") as disk:
        disk.write(bytes(512))
        disk.flush()
        start = chosen(
            machine(options=f"-m {ram_size >> 20}M -initrd {disk.name}", base=kernel_entry), "linux,initrd-start"
        )
    return int.from_bytes(start or b"", "big")


@check
def check_3(rule: Callable[[int, int], int | None]) -> str:
    """Compare `rule(ram_size, kernel_entry)` with three machines."""
    cases = ((64 << 20, KERNEL_AT), (64 << 20, RAM + 0x40_0000), (1 << 30, KERNEL_AT))
    for ram_size, entry in cases:
        wanted, given = initrd_start(ram_size, entry), rule(ram_size, entry)
        if given != wanted:
            says = f"{given:#x}" if isinstance(given, int) else repr(given)
            raise NotYet(
                f"with {ram_size >> 20} MiB and a kernel at {entry:#x} you say {says}; the device tree says "
                f"{wanted:#x}, which is {wanted - entry >> 20} MiB above the kernel."
            )
    return "three machines agree with you."
