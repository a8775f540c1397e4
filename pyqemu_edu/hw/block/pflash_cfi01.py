"""Flash memory with Intel's commands (QEMU hw/block/pflash_cfi01.c).

It reads like ROM.  A write is a command: from then on reads give status, identity or the *common flash interface*'s
table, until a command says to read the array again.  With a disk behind it, what is programmed or erased goes there at
once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from pyqemu_edu.block.block_backend import BlockBackend, blk_set_perm, blk_supports_write_perm
from pyqemu_edu.block.block_backend_io import blk_pwrite
from pyqemu_edu.block.block_int import BDRV_SECTOR_SIZE, BLK_PERM, NO_PERM
from pyqemu_edu.hw.block.block import blk_check_size_and_read_all
from pyqemu_edu.hw.core.qdev_core import DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_BIT,
    DEFINE_PROP_BOOL,
    DEFINE_PROP_STRING,
    DEFINE_PROP_UINT8,
    DEFINE_PROP_UINT16,
    DEFINE_PROP_UINT32,
    DEFINE_PROP_UINT64,
    device_class_set_props,
)
from pyqemu_edu.hw.core.qdev_properties_block import DEFINE_PROP_DRIVE
from pyqemu_edu.hw.core.sysbus import TYPE_SYS_BUS_DEVICE, SysBusDevice, sysbus_init_mmio
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import (
    MemoryRegion,
    MemoryRegionOps,
    memory_region_get_ram_ptr,
    memory_region_init_rom_device,
    memory_region_rom_device_set_romd,
)
from pyqemu_edu.util.error import QemuError, error_report
from pyqemu_edu.util.log import LOG_UNIMP, qemu_log_mask

TYPE_PFLASH_CFI01 = "cfi.pflash01"
PFLASH_BE, PFLASH_SECURE = 0, 1

# fmt: off
READ_ARRAY          = 0x00   # commands; QEMU writes 0x00 for 0xff
BYTE_PROGRAM        = (0x10, 0x40)
BLOCK_ERASE         = 0x20
CLEAR_STATUS        = 0x50
BLOCK_LOCK          = 0x60
READ_STATUS         = 0x70
READ_ID             = 0x90
CFI_QUERY           = 0x98
WRITE_BUFFER        = 0xE8
CONFIRM             = 0xD0

STATUS_READY        = 0x80
STATUS_ERASE_ERR    = 0x20
STATUS_PROGRAM_ERR  = 0x10
# fmt: on


@dataclass(eq=False)
class PFlashCFI01(SysBusDevice):
    """A bank of chips side by side; `wcycle` counts the writes of a command, `blk_bytes` is the write buffer."""

    blk: BlockBackend | None = None
    ro: bool = False
    nb_blocs: int = 0
    sector_len: int = 0
    bank_width: int = 0
    device_width: int = 0
    max_device_width: int = 0
    features: int = 0
    wcycle: int = 0
    cmd: int = 0
    status: int = 0
    ident0: int = 0
    ident1: int = 0
    ident2: int = 0
    ident3: int = 0
    cfi_table: bytearray = field(default_factory=lambda: bytearray(0x52))
    counter: int = 0
    writeblock_size: int = 0
    mem: MemoryRegion = field(init=False, repr=False)
    name: str | None = None
    storage: memoryview = field(default_factory=lambda: memoryview(b""))
    old_multiple_chip_handling: bool = False
    blk_bytes: bytearray = field(default_factory=bytearray)
    blk_offset: int = -1


def PFLASH_CFI01(obj: object) -> PFlashCFI01:
    """Cast to flash memory."""
    return object_check(obj, PFlashCFI01, TYPE_PFLASH_CFI01)


def byte_order(pfl: PFlashCFI01) -> Literal["big", "little"]:
    """Of the values that the guest reads and writes (Not in QEMU: an argument `be` there)."""
    return "big" if pfl.features >> PFLASH_BE & 1 else "little"


# ---- reading


def replicate(pfl: PFlashCFI01, resp: int) -> int:
    """What all chips of the bank say together, if each says `resp` (in QEMU written out)."""
    copies = range(0, pfl.bank_width, pfl.device_width)
    return sum(resp << 8 * i for i in copies) & (1 << 8 * pfl.bank_width) - 1


def chip_address(pfl: PFlashCFI01, offset: int) -> int:
    """The address that a chip sees: the bank's, without the bits that select bytes (in QEMU written out)."""
    return offset // pfl.bank_width * pfl.device_width // pfl.max_device_width


def pflash_cfi_query(pfl: PFlashCFI01, offset: int) -> int:
    """An entry of the table; chips used at less than their full width are left out."""
    boff = chip_address(pfl, offset)
    return replicate(pfl, pfl.cfi_table[boff]) if boff < len(pfl.cfi_table) else 0


def pflash_devid_query(pfl: PFlashCFI01, offset: int) -> int:
    """Answer who made the chip, and which it is."""
    boff = chip_address(pfl, offset) & 0xFF
    return replicate(pfl, (pfl.ident0, pfl.ident1)[boff]) if boff < 2 else 0


def pflash_data_read(pfl: PFlashCFI01, offset: int, width: int) -> int:
    """Read what is stored."""
    return int.from_bytes(pfl.storage[offset : offset + width], byte_order(pfl))


def pflash_read(pfl: PFlashCFI01, offset: int, width: int) -> int:
    """A hart reads; of a bank without `device-width`, as old boards have it, only the array can be read."""
    if pfl.cmd == READ_ARRAY or not pfl.device_width:
        return pflash_data_read(pfl, offset, width)
    if pfl.cmd in (READ_ID, CFI_QUERY):
        query = pflash_devid_query if pfl.cmd == READ_ID else pflash_cfi_query
        parts = range(0, width, pfl.bank_width)
        value = sum(query(pfl, offset + i * pfl.bank_width) << 8 * i for i in parts)
        return value & (1 << 8 * width) - 1
    shifts = range(0, max(width - pfl.device_width, 0) * 8 + 1, pfl.device_width * 8)
    return sum(pfl.status << shift for shift in shifts)


# ---- writing


def pflash_update(pfl: PFlashCFI01, offset: int, size: int) -> None:
    """Write what has changed to the disk, whole sectors of it."""
    if pfl.blk is None:
        return
    start = offset // BDRV_SECTOR_SIZE * BDRV_SECTOR_SIZE
    end = -(-(offset + size) // BDRV_SECTOR_SIZE) * BDRV_SECTOR_SIZE
    try:
        blk_pwrite(pfl.blk, start, bytes(pfl.storage[start:end]))
    except OSError as error:
        error_report(f"Could not update PFLASH: {error.strerror}")


def pflash_data_write(pfl: PFlashCFI01, offset: int, value: int, width: int) -> None:
    """Store, or put into the write buffer while there is one; outside of it is an error."""
    data = value.to_bytes(width, byte_order(pfl))
    if pfl.blk_offset == -1:
        pfl.storage[offset : offset + width] = data
        return
    start = offset - pfl.blk_offset
    if start < 0 or start + width > pfl.writeblock_size:
        pfl.status |= STATUS_PROGRAM_ERR
    else:
        pfl.blk_bytes[start : start + width] = data


def pflash_blk_write_start(pfl: PFlashCFI01, offset: int) -> None:
    """Begin a write buffer with what is stored."""
    pfl.blk_offset = offset & ~(pfl.writeblock_size - 1)
    pfl.blk_bytes[:] = pfl.storage[pfl.blk_offset : pfl.blk_offset + pfl.writeblock_size]


def pflash_blk_write_flush(pfl: PFlashCFI01) -> None:
    """Store the write buffer."""
    pfl.storage[pfl.blk_offset : pfl.blk_offset + pfl.writeblock_size] = pfl.blk_bytes
    pflash_update(pfl, pfl.blk_offset, pfl.writeblock_size)
    pfl.blk_offset = -1


def pflash_mode_read_array(pfl: PFlashCFI01) -> None:
    """Back to reading (in QEMU a label of `pflash_write`)."""
    memory_region_rom_device_set_romd(pfl.mem, True)
    pfl.wcycle, pfl.cmd = 0, READ_ARRAY


def pflash_error(pfl: PFlashCFI01, offset: int, value: int) -> None:
    """No command goes on like this (in QEMU a label of `pflash_write`)."""
    qemu_log_mask(
        LOG_UNIMP,
        f"pflash_write: Unimplemented flash cmd sequence (offset {offset:016x}, wcycle 0x{pfl.wcycle:x}"
        f" cmd 0x{pfl.cmd:x} value 0x{value:x})\n",
    )
    pfl.blk_offset = -1
    pflash_mode_read_array(pfl)


def pflash_write(pfl: PFlashCFI01, offset: int, value: int, width: int) -> None:
    """A hart writes: the first, second, ... write of a command."""
    if pfl.wcycle == 0:
        memory_region_rom_device_set_romd(pfl.mem, False)
        pflash_write_command(pfl, offset, value)
    elif pfl.wcycle == 1:
        pflash_write_second(pfl, offset, value, width)
    elif pfl.wcycle == 2:
        if pfl.ro or pfl.blk_offset == -1:
            pfl.status |= STATUS_PROGRAM_ERR
        else:
            pflash_data_write(pfl, offset, value, width)
        pfl.status |= STATUS_READY
        pfl.wcycle += not pfl.counter
        pfl.counter -= 1
    elif value & 0xFF == CONFIRM and not pfl.status & STATUS_PROGRAM_ERR:
        pflash_blk_write_flush(pfl)
        pfl.wcycle = 0
        pfl.status |= STATUS_READY
    else:
        pfl.blk_offset = -1
        pflash_mode_read_array(pfl)


def pflash_write_command(pfl: PFlashCFI01, offset: int, value: int) -> None:
    """The first write says what is to be done (in QEMU `pflash_write`)."""
    cmd = value & 0xFF
    if cmd == CLEAR_STATUS:
        pfl.status = 0
    if cmd in (READ_ARRAY, CLEAR_STATUS, 0xF0, 0xFF):
        pflash_mode_read_array(pfl)
        return
    if cmd not in (*BYTE_PROGRAM, BLOCK_ERASE, BLOCK_LOCK, READ_STATUS, READ_ID, CFI_QUERY, WRITE_BUFFER):
        pflash_error(pfl, offset, value)
        return
    if cmd == BLOCK_ERASE:
        pflash_erase(pfl, offset & ~(pfl.sector_len - 1))
    if cmd in (BLOCK_ERASE, WRITE_BUFFER):
        pfl.status |= STATUS_READY
    pfl.wcycle += cmd not in (READ_STATUS, READ_ID)
    pfl.cmd = cmd


def pflash_erase(pfl: PFlashCFI01, start: int) -> None:
    """Set all bits of a sector (in QEMU a part of `pflash_write`)."""
    if pfl.ro:
        pfl.status |= STATUS_ERASE_ERR
        return
    pfl.storage[start : start + pfl.sector_len] = b"\xff" * pfl.sector_len
    pflash_update(pfl, start, pfl.sector_len)


def pflash_program(pfl: PFlashCFI01, offset: int, value: int, width: int) -> None:
    """Store a value that is not for the write buffer (in QEMU a part of `pflash_write`)."""
    if pfl.ro:
        pfl.status |= STATUS_PROGRAM_ERR
        return
    pflash_data_write(pfl, offset, value, width)
    pflash_update(pfl, offset, width)


def pflash_write_second(pfl: PFlashCFI01, offset: int, value: int, width: int) -> None:
    """The second write gives a byte, a count, or a confirmation (in QEMU `pflash_write`)."""
    cmd = value & 0xFF
    if pfl.cmd in BYTE_PROGRAM:
        pflash_program(pfl, offset, value, width)
        pfl.status |= STATUS_READY
        pfl.wcycle = 0
    elif pfl.cmd == WRITE_BUFFER:
        pfl.counter = value & (1 << 8 * (pfl.device_width or pfl.bank_width)) - 1
        pfl.wcycle += 1
        pflash_blk_write_start(pfl, offset)
    elif (cmd == CONFIRM and pfl.cmd in (BLOCK_ERASE, BLOCK_LOCK)) or (cmd == 0x01 and pfl.cmd == BLOCK_LOCK):
        pfl.wcycle = 0
        pfl.status |= STATUS_READY
    elif cmd == 0xFF or pfl.cmd == BLOCK_LOCK:
        pflash_mode_read_array(pfl)
    elif pfl.cmd != CFI_QUERY:
        pflash_error(pfl, offset, value)


def pflash_mem_read(pfl: PFlashCFI01, addr: int, size: int) -> int:
    """Who may not command sees the array (QEMU `pflash_mem_read_with_attrs`; RISC-V has no secure accesses)."""
    return pflash_data_read(pfl, addr, size) if pfl.features >> PFLASH_SECURE & 1 else pflash_read(pfl, addr, size)


def pflash_mem_write(pfl: PFlashCFI01, addr: int, value: int, size: int) -> None:
    """Who may not command is not heard; QEMU's error on the bus is left out (QEMU `pflash_mem_write_with_attrs`)."""
    if not pfl.features >> PFLASH_SECURE & 1:
        pflash_write(pfl, addr, value, size)


pflash_cfi01_ops = MemoryRegionOps(read=pflash_mem_read, write=pflash_mem_write)

# ---- the device


def pflash_cfi01_fill_cfi_table(pfl: PFlashCFI01) -> None:
    """What a guest learns of one chip: commands, voltages, times as powers of two, sizes."""
    num_devices = pfl.bank_width // pfl.device_width if pfl.device_width else 1
    blocks, sector_len = pfl.nb_blocs, pfl.sector_len
    if pfl.old_multiple_chip_handling:
        blocks //= num_devices
    else:
        sector_len //= num_devices
    device_len = (blocks * sector_len).bit_length() - 1
    write_size = 0x08 if pfl.bank_width == 1 else 0x0B
    pfl.writeblock_size = (1 << write_size) * (1 if pfl.old_multiple_chip_handling else num_devices)
    # fmt: off
    pfl.cfi_table[0x10:0x40] = (
        b"QRY" b"\x01\x00" b"\x31\x00" b"\x00\x00" b"\x00\x00"    # Intel's commands, more of them at 0x31
        b"\x45\x55\x00\x00"                                       # voltages
        b"\x07\x07\x0a\x00\x04\x04\x04\x00"                       # times
        + bytes((device_len,)) + b"\x02\x00" + bytes((write_size,)) + b"\x00"
        b"\x01" + (blocks - 1 & 0xFFFF).to_bytes(2, "little") + (sector_len >> 8 & 0xFFFF).to_bytes(2, "little")
        + b"PRI" b"10" + bytes(9) + b"\x01"
    )
    # fmt: on


def pflash_cfi01_realize(dev: DeviceState) -> None:
    """Memory that reads as such and is written by commands; without a disk its bytes are 0 at first.  `QemuError`."""
    pfl = PFLASH_CFI01(dev)
    for attribute, value in (("sector-length", pfl.sector_len), ("num-blocks", pfl.nb_blocs)):
        if value == 0:
            raise QemuError(f'attribute "{attribute}" not specified or zero.')
    if pfl.name is None:
        raise QemuError('attribute "name" not specified.')
    pfl.mem = memory_region_init_rom_device(dev, pflash_cfi01_ops, pfl, pfl.name, pfl.sector_len * pfl.nb_blocs)
    pfl.storage = memory_region_get_ram_ptr(pfl.mem)
    sysbus_init_mmio(pfl, pfl.mem)
    if pfl.blk is not None:
        pfl.ro = not blk_supports_write_perm(pfl.blk)
        writes = NO_PERM if pfl.ro else BLK_PERM.WRITE
        blk_set_perm(pfl.blk, BLK_PERM.CONSISTENT_READ | writes, BLK_PERM.ALL)
        pfl.storage[:] = blk_check_size_and_read_all(pfl.blk, len(pfl.storage))
    pfl.max_device_width = pfl.max_device_width or pfl.device_width
    pfl.status = STATUS_READY
    pflash_cfi01_fill_cfi_table(pfl)
    pfl.blk_bytes = bytearray(pfl.writeblock_size)


def pflash_cfi01_system_reset(dev: DeviceState) -> None:
    """Read the array; what is stored stays."""
    pfl = PFLASH_CFI01(dev)
    pflash_mode_read_array(pfl)
    pfl.status = STATUS_READY
    pfl.blk_offset = -1


vmstate_pflash = VMStateDescription("pflash_cfi01", version_id=1, minimum_version_id=1)

pflash_cfi01_properties = (
    DEFINE_PROP_DRIVE("drive", "blk"),
    DEFINE_PROP_UINT32("num-blocks", "nb_blocs", 0),
    DEFINE_PROP_UINT64("sector-length", "sector_len", 0),
    DEFINE_PROP_UINT8("width", "bank_width", 0),
    DEFINE_PROP_UINT8("device-width", "device_width", 0),
    DEFINE_PROP_UINT8("max-device-width", "max_device_width", 0),
    DEFINE_PROP_BIT("big-endian", "features", PFLASH_BE, False),
    DEFINE_PROP_BIT("secure", "features", PFLASH_SECURE, False),
    DEFINE_PROP_UINT16("id0", "ident0", 0),
    DEFINE_PROP_UINT16("id1", "ident1", 0),
    DEFINE_PROP_UINT16("id2", "ident2", 0),
    DEFINE_PROP_UINT16("id3", "ident3", 0),
    DEFINE_PROP_STRING("name", "name"),
    DEFINE_PROP_BOOL("old-multiple-chip-handling", "old_multiple_chip_handling", False),
)


def pflash_cfi01_class_init(dc: DeviceClass) -> None:
    """Properties, realize and reset."""
    dc.reset = pflash_cfi01_system_reset
    dc.realize = pflash_cfi01_realize
    device_class_set_props(dc, pflash_cfi01_properties)
    dc.vmsd = vmstate_pflash
    dc.categories |= {"Storage"}


type_init(
    TypeInfo(
        TYPE_PFLASH_CFI01,
        parent=TYPE_SYS_BUS_DEVICE,
        instance_struct=PFlashCFI01,
        class_init=pflash_cfi01_class_init,
    )
)
