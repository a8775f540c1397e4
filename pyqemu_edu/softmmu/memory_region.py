"""What a memory region is: a piece of an address space, and what answers there (QEMU include/exec/memory.h)."""

from __future__ import annotations

import mmap
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum, IntFlag
from typing import TYPE_CHECKING, Any

from pyqemu_edu.qom.struct import Object

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

TYPE_MEMORY_REGION = "memory-region"
UINT64_MAX = 2**64 - 1
TARGET_PAGE_SIZE = 4096


class MemTxResult(IntFlag):
    """How a memory transaction went; several answers add up (QEMU include/exec/memattrs.h)."""

    OK = 0
    ERROR = 1
    DECODE_ERROR = 2
    ACCESS_ERROR = 4


class DeviceEndian(Enum):
    """The byte order in which a device sees values; native is RISC-V's, little (QEMU include/exec/cpu-common.h)."""

    NATIVE = "native"
    LITTLE = "little"
    BIG = "big"


@dataclass(frozen=True, slots=True)
class AccessSizes:
    """The sizes in bytes that a guest may use (`valid`) or that the callbacks understand (`impl`); 0 leaves it open."""

    min_access_size: int = 0
    max_access_size: int = 0
    unaligned: bool = False
    accepts: Callable[[Any, int, int, bool], bool] | None = None


@dataclass(frozen=True, slots=True)
class MemoryRegionOps:
    """A device's answer to loads and stores: `read(opaque, offset, size)`, `write(opaque, offset, value, size)`.

    Left out against QEMU: transaction attributes, so a callback that wants to refuse an access says so in
    `valid.accepts(opaque, offset, size, is_write)`.
    """

    read: Callable[[Any, int, int], int] | None = None
    write: Callable[[Any, int, int, int], None] | None = None
    endianness: DeviceEndian = DeviceEndian.NATIVE
    valid: AccessSizes = AccessSizes()
    impl: AccessSizes = AccessSizes()


unassigned_mem_ops = MemoryRegionOps(valid=AccessSizes(accepts=lambda opaque, addr, size, is_write: False))
"""Nobody is there: every access is refused (QEMU softmmu/memory.c)."""


@dataclass(eq=False)
class RAMBlock:
    """Host memory that the guest sees as RAM or ROM (QEMU include/exec/ramblock.h).

    `host` is the one anonymous mapping; `view` and `array` are windows on the same bytes.
    """

    mr: MemoryRegion
    host: mmap.mmap
    view: memoryview
    offset: int
    used_length: int
    idstr: str = ""

    @property
    def array(self) -> NDArray[np.uint8]:
        """The bytes as numpy sees them; it is imported for those who ask, as it takes its time and a thread."""
        import numpy as np

        return np.frombuffer(self.host, dtype=np.uint8)


@dataclass(eq=False)
class MemoryRegion(Object):
    """A node of the memory tree: a container, an alias, RAM, ROM, or a device's registers.

    `dev` is the owner if that is a device (a `DeviceState`, which lives a layer above).
    """

    name: str | None = None
    size: int = 0
    addr: int = 0
    priority: int = 0
    enabled: bool = False
    terminates: bool = False
    ram: bool = False
    readonly: bool = False
    romd_mode: bool = False
    subpage: bool = False
    ops: MemoryRegionOps = unassigned_mem_ops
    opaque: Any = None
    owner: Object | None = None
    dev: Any = None
    container: MemoryRegion | None = None
    alias: MemoryRegion | None = None
    alias_offset: int = 0
    mapped_via_alias: int = 0
    ram_block: RAMBlock | None = None
    rom_device: bool = False
    subregions: list[MemoryRegion] = field(default_factory=list)


def memory_region_name(mr: MemoryRegion) -> str:
    """The region's name; QEMU prints "(null)" for one without (QEMU softmmu/memory.c)."""
    return mr.name if mr.name is not None else "(null)"


def memory_region_size(mr: MemoryRegion) -> int:
    """The size in bytes, as a 64-bit number: the whole address space counts as 2**64 - 1 (QEMU softmmu/memory.c)."""
    return min(mr.size, UINT64_MAX)


def memory_region_is_ram(mr: MemoryRegion) -> bool:
    """Is there host memory behind every byte? True for ROM too."""
    return mr.ram


def memory_region_is_romd(mr: MemoryRegion) -> bool:
    """Is this a ROM device whose reads go straight to memory?"""
    return mr.rom_device and mr.romd_mode


def memory_region_is_rom(mr: MemoryRegion) -> bool:
    """Is this memory that the guest can only read? (QEMU softmmu/memory.c)"""
    return mr.ram and mr.readonly


def memory_access_is_direct(mr: MemoryRegion, is_write: bool) -> bool:
    """May the bytes be touched without asking `ops`?"""
    if is_write:
        return mr.ram and not mr.readonly
    return mr.ram or memory_region_is_romd(mr)
