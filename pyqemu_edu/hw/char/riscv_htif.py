"""The host-target interface: a console, and a way to end, in two words of memory (QEMU hw/char/riscv_htif.c).

The guest writes a command to `tohost` (device in bits 56-63, command in 48-55, payload below); the answer appears in
`fromhost`.  Device 0 ends the program with `payload >> 1` as its status; device 1 is a console: command 0 asks for a
character, 1 writes one.  The addresses are those of the ELF file's symbols of these names, else fixed.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.chardev.char import Chardev
from pyqemu_edu.chardev.char_fe import (
    CharBackend,
    qemu_chr_fe_accept_input,
    qemu_chr_fe_init,
    qemu_chr_fe_set_handlers,
    qemu_chr_fe_write,
)
from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.memory import (
    MemoryRegion,
    MemoryRegionOps,
    memory_region_add_subregion_overlap,
    memory_region_init_io,
)
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import QemuExit, error_report
from pyqemu_edu.util.log import LOG_UNIMP, qemu_log, qemu_log_mask

TYPE_HTIF_UART = "riscv.htif.uart"
MASK32 = 2**32 - 1

# What stands in `tohost` (names as in QEMU 8; 7.2 writes the numbers)
HTIF_DEV_SYSTEM, HTIF_DEV_CONSOLE = 0, 1
HTIF_SYSTEM_CMD_SYSCALL = 0
HTIF_CONSOLE_CMD_GETC, HTIF_CONSOLE_CMD_PUTC = 0, 1

htif_tohost_write = Event("htif_tohost_write", "device", "cmd", "payload")


@dataclass(eq=False)
class HTIFState:
    """The interface.  `tohost` and `fromhost` are kept here, as since QEMU 8; 7.2 keeps them in the hart."""

    tohost_offset: int
    fromhost_offset: int
    tohost: int = 0
    fromhost: int = 0
    allow_tohost: bool = False
    fromhost_inprogress: bool = False
    pending_read: int = 0
    chr: CharBackend = field(default_factory=CharBackend)
    mmio: MemoryRegion | None = None


class Statics:
    def __init__(self) -> None:
        self.symbols: dict[str, int] = {}
        self.htif: HTIFState | None = None


statics = per_process(Statics)


def htif_symbol_callback(st_name: str, st_info: int, st_value: int, st_size: int) -> None:
    """Note the two addresses when an ELF file with the symbols is loaded."""
    if st_name in ("fromhost", "tohost"):
        statics().symbols[st_name] = st_value
        if st_size != 8:
            error_report(f"HTIF {st_name} must be 8 bytes")
            raise QemuExit(1)


def htif_uses_elf_symbols() -> bool:
    """Has an ELF file said where both words are?"""
    return len(statics().symbols) == 2


def htif_can_recv(s: HTIFState) -> int:
    """One character each time that the guest asks.

    7.2 always says 1, and a character that comes before the guest asks is lost.  Here it waits: of the orders in which
    things may happen there, the one in which nothing is lost.
    """
    return 1 if s.pending_read else 0


def htif_recv(s: HTIFState, buf: bytes) -> None:
    """A character for the guest."""
    if len(buf) == 1:
        s.fromhost = s.pending_read >> 48 << 48 | 0x100 | buf[0]
        s.pending_read = 0


def htif_handle_tohost_write(s: HTIFState, val_written: int) -> None:
    """Do what a command says.  `QemuExit` ends the process."""
    device, cmd, payload = val_written >> 56, val_written >> 48 & 0xFF, val_written & 0xFFFFFFFFFFFF
    if htif_tohost_write:
        htif_tohost_write(device, cmd, payload)
    resp = 0
    if (device, cmd) == (HTIF_DEV_SYSTEM, HTIF_SYSTEM_CMD_SYSCALL):
        if payload & 1:
            raise QemuExit(payload >> 1 & 0xFF)
        qemu_log_mask(LOG_UNIMP, "pk syscall proxy not supported\n")
    elif (device, cmd) == (HTIF_DEV_CONSOLE, HTIF_CONSOLE_CMD_GETC):
        s.pending_read = val_written
        s.tohost = 0
        qemu_chr_fe_accept_input(s.chr)
        return
    elif (device, cmd) == (HTIF_DEV_CONSOLE, HTIF_CONSOLE_CMD_PUTC):
        qemu_chr_fe_write(s.chr, bytes([payload & 0xFF]))
        resp = 0x100 | payload & 0xFF
    elif device in (HTIF_DEV_SYSTEM, HTIF_DEV_CONSOLE):
        qemu_log(f"HTIF device {device}: unknown command\n")
    else:
        qemu_log("HTIF unknown device or command\n")
    s.fromhost = val_written >> 48 << 48 | resp
    s.tohost = 0


def htif_mm_read(s: HTIFState, addr: int, size: int) -> int:
    """A hart reads half of a word."""
    for offset, word in ((s.tohost_offset, s.tohost), (s.fromhost_offset, s.fromhost)):
        if addr in (offset, offset + 4):
            return word >> (addr - offset) * 8 & MASK32
    qemu_log(f"Invalid htif read: address {addr:016x}\n")
    return 0


def htif_mm_write(s: HTIFState, addr: int, value: int, size: int) -> None:
    """A hart writes half of a word; the upper half of `tohost` makes the command complete."""
    if addr == s.tohost_offset:
        s.allow_tohost = s.tohost == 0
        if s.allow_tohost:
            s.tohost = value & MASK32
    elif addr == s.tohost_offset + 4:
        if s.allow_tohost:
            s.tohost |= value << 32
            htif_handle_tohost_write(s, s.tohost)
    elif addr == s.fromhost_offset:
        s.fromhost_inprogress = True
        s.fromhost = value & MASK32
    elif addr == s.fromhost_offset + 4:
        s.fromhost |= value << 32
        s.fromhost_inprogress = False
    else:
        qemu_log(f"Invalid htif write: address {addr:016x}\n")


htif_mm_ops = MemoryRegionOps(read=htif_mm_read, write=htif_mm_write)


def htif_be_change(s: HTIFState) -> None:
    """Listen to the line, be it the first or another one."""
    qemu_chr_fe_set_handlers(s.chr, htif_can_recv, htif_recv, opaque=s, be_change=htif_be_change)


def htif_mm_init(address_space: MemoryRegion, chr: Chardev | None, nonelf_base: int) -> HTIFState:
    """Put the interface over whatever is at its addresses; without symbols, it is at `nonelf_base`.

    C also takes the boot ROM and the first hart, and uses neither but to keep the two words.
    """
    if not htif_uses_elf_symbols():
        statics().symbols = {"fromhost": nonelf_base, "tohost": nonelf_base + 8}
    fromhost_addr, tohost_addr = statics().symbols["fromhost"], statics().symbols["tohost"]
    base = min(tohost_addr, fromhost_addr)
    size = max(tohost_addr, fromhost_addr) + 8 - base
    s = HTIFState(tohost_addr - base, fromhost_addr - base)
    qemu_chr_fe_init(s.chr, chr)
    htif_be_change(s)
    s.mmio = memory_region_init_io(None, htif_mm_ops, s, TYPE_HTIF_UART, size)
    memory_region_add_subregion_overlap(address_space, base, s.mmio, 1)
    statics().htif = s
    return s
