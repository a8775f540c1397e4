"""One load or store at a region: may it, in what pieces, in which byte order (QEMU softmmu/memory.c)."""

from __future__ import annotations

from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.memory_region import DeviceEndian, MemoryRegion, MemTxResult, memory_region_name
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import warn_report

memory_region_ops_read = Event("memory_region_ops_read", "mr", "addr", "value", "size", "name")
memory_region_ops_write = Event("memory_region_ops_write", "mr", "addr", "value", "size", "name")
memory_region_subpage_read = Event("memory_region_subpage_read", "mr", "offset", "value", "size")
memory_region_subpage_write = Event("memory_region_subpage_write", "mr", "offset", "value", "size")
guest_error = Event("guest_error", "text")


class Statics:
    def __init__(self) -> None:
        self.blocked_reported = False


statics = per_process(Statics)


def memory_region_to_absolute_addr(mr: MemoryRegion, offset: int) -> int:
    """Where `offset` of `mr` lies in the address space at the root of the tree."""
    root: MemoryRegion | None = mr
    while root is not None:
        offset += root.addr
        root = root.container
    return offset


def memory_region_access_valid(mr: MemoryRegion, addr: int, size: int, is_write: bool) -> bool:
    """May the guest make this access? If not, `-d guest_errors` hears why."""
    reason = _refusal(mr, addr, size, is_write)
    if reason and guest_error:
        kind = "write" if is_write else "read"
        guest_error(
            f"Invalid {kind} at addr 0x{addr:X}, size {size}, region '{memory_region_name(mr)}', reason: {reason}\n"
        )
    return not reason


def _refusal(mr: MemoryRegion, addr: int, size: int, is_write: bool) -> str:
    valid = mr.ops.valid
    if valid.accepts is not None and not valid.accepts(mr.opaque, addr, size, is_write):
        return "rejected"
    if not valid.unaligned and addr & (size - 1):
        return "unaligned"
    if valid.max_access_size and not valid.min_access_size <= size <= valid.max_access_size:
        return f"invalid size (min:{valid.min_access_size} max:{valid.max_access_size})"
    return ""


def access_size(mr: MemoryRegion, size: int) -> int:
    """The size in which callbacks are called for an access of `size` bytes (in QEMU `access_with_adjusted_size`)."""
    impl = mr.ops.impl
    return max(min(size, impl.max_access_size or 4), impl.min_access_size or 1)


def adjust_endianness(mr: MemoryRegion, value: int, size: int) -> int:
    """`value` with its bytes turned round if the device is big-endian: the guest is little-endian."""
    if mr.ops.endianness is not DeviceEndian.BIG:
        return value
    return int.from_bytes(value.to_bytes(size, "little"), "big")


def shifts(mr: MemoryRegion, size: int, step: int) -> list[tuple[int, int]]:
    """The pieces of an access: (offset, how far left the piece stands in the value; negative: right)."""
    offsets = range(0, size, step)
    if mr.ops.endianness is DeviceEndian.BIG:
        return [(i, (size - step - i) * 8) for i in offsets]
    return [(i, i * 8) for i in offsets]


def memory_region_read_accessor(mr: MemoryRegion, addr: int, size: int) -> int:
    """One call of the device's `read`."""
    assert mr.ops.read is not None
    value = mr.ops.read(mr.opaque, addr, size)
    if mr.subpage:
        if memory_region_subpage_read:
            memory_region_subpage_read(mr, addr, value, size)
    elif memory_region_ops_read:
        where = memory_region_to_absolute_addr(mr, addr)
        memory_region_ops_read(mr, where, value, size, memory_region_name(mr))
    return value & ((1 << size * 8) - 1)


def memory_region_write_accessor(mr: MemoryRegion, addr: int, value: int, size: int) -> None:
    """One call of the device's `write`."""
    assert mr.ops.write is not None
    if mr.subpage:
        if memory_region_subpage_write:
            memory_region_subpage_write(mr, addr, value, size)
    elif memory_region_ops_write:
        where = memory_region_to_absolute_addr(mr, addr)
        memory_region_ops_write(mr, where, value, size, memory_region_name(mr))
    mr.ops.write(mr.opaque, addr, value, size)


def engage_in_io(mr: MemoryRegion, addr: int) -> bool:
    """Whether the device is free for an access; one that reaches its own registers by way of DMA is not.

    (in QEMU a part of `access_with_adjusted_size`)
    """
    dev = mr.dev
    if dev is None:
        return True
    if dev.engaged_in_io and not (mr.ram or mr.rom_device or mr.readonly):
        if not statics().blocked_reported:
            statics().blocked_reported = True
            where = f"{memory_region_name(mr)} at addr: 0x{addr:X}"
            warn_report(f"Blocked re-entrant IO on MemoryRegion: {where}")
        return False
    dev.engaged_in_io = True
    return True


def disengage_from_io(mr: MemoryRegion) -> None:
    """The access is over (in QEMU a part of `access_with_adjusted_size`)."""
    if mr.dev is not None:
        mr.dev.engaged_in_io = False


def memory_region_dispatch_read(mr: MemoryRegion, addr: int, size: int) -> tuple[int, MemTxResult]:
    """Load `size` bytes at `addr` of `mr`: the value, and whether anybody answered."""
    if mr.alias is not None:
        return memory_region_dispatch_read(mr.alias, mr.alias_offset + addr, size)
    if not memory_region_access_valid(mr, addr, size, False):
        return 0, MemTxResult.DECODE_ERROR
    if not engage_in_io(mr, addr):
        return 0, MemTxResult.ACCESS_ERROR
    value, step = 0, access_size(mr, size)
    try:
        for i, shift in shifts(mr, size, step):
            piece = memory_region_read_accessor(mr, addr + i, step)
            value |= piece << shift if shift >= 0 else piece >> -shift
    finally:
        disengage_from_io(mr)
    return adjust_endianness(mr, value & ((1 << size * 8) - 1), size), MemTxResult.OK


def memory_region_dispatch_write(mr: MemoryRegion, addr: int, value: int, size: int) -> MemTxResult:
    """Store the low `size` bytes of `value` at `addr` of `mr`."""
    if mr.alias is not None:
        return memory_region_dispatch_write(mr.alias, mr.alias_offset + addr, value, size)
    if not memory_region_access_valid(mr, addr, size, True):
        return MemTxResult.DECODE_ERROR
    if not engage_in_io(mr, addr):
        return MemTxResult.ACCESS_ERROR
    value = adjust_endianness(mr, value, size)
    step = access_size(mr, size)
    mask = (1 << step * 8) - 1
    try:
        for i, shift in shifts(mr, size, step):
            piece = value >> shift if shift >= 0 else value << -shift
            memory_region_write_accessor(mr, addr + i, piece & mask, step)
    finally:
        disengage_from_io(mr)
    return MemTxResult.OK
