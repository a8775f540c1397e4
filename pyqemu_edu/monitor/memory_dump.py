"""`x`, `xp`, `print` and other looks at memory (QEMU monitor/misc.c)."""

from __future__ import annotations

from pyqemu_edu.cpu import cpu_memory_rw_debug
from pyqemu_edu.disas.disas import monitor_disas
from pyqemu_edu.hw.core.cpu import CPU_GET_CLASS, CPUState
from pyqemu_edu.monitor.monitor import Monitor, mon_get_cpu, monitor_printf
from pyqemu_edu.softmmu.address_space import AddressSpace, memory_region_find
from pyqemu_edu.softmmu.memory_region import (
    MemTxResult,
    memory_region_is_ram,
    memory_region_is_romd,
    memory_region_name,
)
from pyqemu_edu.softmmu.physmem import (
    address_space_io,
    address_space_ld,
    address_space_memory,
    address_space_read,
    address_space_st,
    get_system_memory,
)
from pyqemu_edu.util.error import QemuError, error_report_err
from pyqemu_edu.util.qdict import QDict

MASK = (1 << 64) - 1
PAGE_MASK = ~0xFFF & MASK
PORT_LETTERS = {1: "b", 2: "w", 4: "l"}
ESCAPED = {"'": "\\'", "\\": "\\\\", "\n": "\\n", "\r": "\\r"}


def signed(value: int, size: int) -> int:
    """A value of `size` bytes as a number with sign (Not in QEMU as a function)."""
    return value - (1 << 8 * size) if value >> 8 * size - 1 else value


def monitor_printc(value: int) -> str:
    """A character as C writes it."""
    char = chr(value & 0xFF) if value < 256 else ""
    if char in ESCAPED:
        return f"'{ESCAPED[char]}'"
    return f"'{char}'" if 32 <= value <= 126 else f"'\\x{value:02x}'"


def octal(value: int, width: int = 0) -> str:
    """An octal number with its leading 0, right-aligned (C `%#*o`)."""
    return f"{f'0{value:o}' if value else '0':>{width}}"


def columns(wsize: int, format: str) -> int:
    """How wide a number of `wsize` bytes is printed (in QEMU a part of `memory_dump`)."""
    bits = wsize * 8
    return {"o": -(-bits // 3), "x": bits // 4, "u": -(-bits * 10 // 33), "d": -(-bits * 10 // 33)}.get(format, 0)


def number(value: int, format: str, wsize: int, width: int) -> str:
    """One number of a dump (in QEMU a part of `memory_dump`)."""
    match format:
        case "o":
            return octal(value, width)
        case "x":
            return f"0x{value:0{width}x}"
        case "u":
            return f"{value:{width}}"
        case "d":
            return f"{signed(value, 8) if wsize == 8 else value:{width}}"
        case _:
            return monitor_printc(value)


def memory_dump(mon: Monitor, count: int, format: str, wsize: int, addr: int, is_physical: bool) -> None:
    """Print memory, 16 bytes a line, single bytes 8 a line; as instructions if the format is `i`.

    Numbers narrower than 8 bytes have no sign, not even in decimal.
    """
    cpu = mon_get_cpu(mon)
    if cpu is None and (format == "i" or not is_physical):
        monitor_printf(mon, "Can not dump without CPU\n")
        return
    if format == "i":
        assert cpu is not None
        monitor_printf(mon, monitor_disas(cpu, addr, count, is_physical))
        return
    left, line_size, width = wsize * count, 8 if wsize == 1 else 16, columns(wsize, format)
    if format == "c":
        wsize = 1
    while left > 0:
        length = min(left, line_size)
        data = read_for_dump(cpu, addr, length, is_physical)
        line = "".join(
            " " + number(int.from_bytes(data[at : at + wsize], "little"), format, wsize, width)
            for at in range(0, len(data), wsize)
        )
        monitor_printf(mon, f"{addr & MASK:016x}:{line if data else ' Cannot access memory'}\n")
        addr, left = addr + length, left - length if data else 0


def read_for_dump(cpu: CPUState | None, addr: int, length: int, is_physical: bool) -> bytes:
    """Memory; nothing if it cannot be accessed (in QEMU a part of `memory_dump`)."""
    if not is_physical:
        assert cpu is not None
        return cpu_memory_rw_debug(cpu, addr, length) or b""
    space: AddressSpace = cpu.as_ if cpu is not None and cpu.as_ is not None else address_space_memory()
    data, result = address_space_read(space, addr & MASK, length)
    return data if result == MemTxResult.OK else b""


def hmp_memory_dump(mon: Monitor, args: QDict) -> None:
    """`x /fmt addr`: at an address as the CPU sees it."""
    memory_dump(mon, args["count"], args["format"], args["size"], args["addr"], False)


def hmp_physical_memory_dump(mon: Monitor, args: QDict) -> None:
    """`xp /fmt addr`: at a physical address."""
    memory_dump(mon, args["count"], args["format"], args["size"], args["addr"], True)


def do_print(mon: Monitor, args: QDict) -> str:
    """`print /fmt expr`."""
    value = args["val"] & MASK
    match args["format"]:
        case "o":
            return f"{octal(value)}\n"
        case "x":
            return f"{value:#x}\n" if value else "0\n"
        case "u":
            return f"{value}\n"
        case "c":
            return f"{monitor_printc(value & 0xFFFFFFFF)}\n"
        case _:
            return f"{signed(value, 8)}\n"


def hmp_sum(mon: Monitor, args: QDict) -> str:
    """`sum addr size`: the checksum of physical memory that BSD's `sum` computes."""
    total = 0
    for addr in range(args["start"] & 0xFFFFFFFF, (args["start"] & 0xFFFFFFFF) + (args["size"] & 0xFFFFFFFF)):
        value, _ = address_space_ld(address_space_memory(), addr, 1)
        total = ((total >> 1 | total << 15) & 0xFFFF) + value & 0xFFFF
    return f"{total:05d}\n"


def gpa2hva(addr: int) -> tuple[str, int]:
    """The region that is at a physical address, and where in the host's memory that byte is; `QemuError`."""
    found = memory_region_find(get_system_memory(), addr)
    if found is None:
        raise QemuError(f"No memory is mapped at address 0x{addr:x}")
    mr = found.mr
    if not memory_region_is_ram(mr) and not memory_region_is_romd(mr):
        raise QemuError(f"Memory at address 0x{addr:x} is not RAM")
    assert mr.ram_block is not None
    return memory_region_name(mr), mr.ram_block.array.ctypes.data + addr - found.addr.start + found.offset_in_region


def hmp_gpa2hva(mon: Monitor, args: QDict) -> str:
    """`gpa2hva addr`."""
    addr = args["addr"] & MASK
    try:
        name, host = gpa2hva(addr)
    except QemuError as error:
        error_report_err(error)
        return ""
    return f"Host virtual address for 0x{addr:x} ({name}) is 0x{host:x}\n"


def hmp_gpa2hpa(mon: Monitor, args: QDict) -> str:
    """`gpa2hpa addr`: where in the host's own memory; of the host's page tables nothing is asked here."""
    addr = args["addr"] & MASK
    try:
        gpa2hva(addr)
        raise QemuError("Page not present")
    except QemuError as error:
        error_report_err(error)
    return ""


# --- ports, as PCs have them


def hmp_ioport_read(mon: Monitor, args: QDict) -> str:
    """`i /fmt addr[.index]`: read a port; with an index, which is written first, the one behind."""
    size, addr = args["size"] if args["size"] in (2, 4) else 1, args["addr"]
    if "index" in args:
        address_space_st(address_space_io(), addr & 0xFFFF, args["index"] & 0xFF, 1)
        addr += 1
    value, _ = address_space_ld(address_space_io(), addr & 0xFFFF, size)
    return f"port{PORT_LETTERS[size]}[0x{addr & 0xFFFF:04x}] = 0x{value:0{size * 2}x}\n"


def hmp_ioport_write(mon: Monitor, args: QDict) -> None:
    """`o /fmt addr value`: write a port."""
    size = args["size"] if args["size"] in (2, 4) else 1
    address_space_st(address_space_io(), args["addr"] & 0xFFFF, args["val"] & (1 << 8 * size) - 1, size)


def hmp_gva2gpa(mon: Monitor, args: QDict) -> str:
    """`gva2gpa addr`: through the MMU of the chosen CPU."""
    cpu, addr = mon_get_cpu(mon), args["addr"] & MASK
    if cpu is None:
        return "No cpu\n"
    ops = CPU_GET_CLASS(cpu).sysemu_ops
    assert ops is not None
    assert ops.get_phys_page_debug is not None
    page = ops.get_phys_page_debug(cpu, addr & PAGE_MASK)
    return "Unmapped\n" if page == -1 else f"gpa: {page + (addr & ~PAGE_MASK & MASK):#x}\n"
