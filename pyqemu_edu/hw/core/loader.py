"""Images for the guest's memory: kept as *ROMs*, written at each reset (QEMU hw/core/loader.c)."""

from __future__ import annotations

import os
from dataclasses import dataclass

from pyqemu_edu.hw.core.elf_ops import SymbolFn, elf_load_segments, elf_read, elf_symbols, sign_extended
from pyqemu_edu.hw.core.reset import qemu_register_reset
from pyqemu_edu.process import current_process, per_process
from pyqemu_edu.softmmu.address_space import AddressSpace, memory_region_find
from pyqemu_edu.softmmu.datadir import qemu_find_file
from pyqemu_edu.softmmu.memory import MemoryRegion, memory_region_get_ram_ptr, memory_region_is_rom, memory_region_name
from pyqemu_edu.softmmu.physmem import (
    address_space_memory,
    address_space_set,
    address_space_write_rom,
    get_system_memory,
)
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import QemuAbort, QemuExit, error_printf, error_report

loader_write_rom = Event("loader_write_rom", "name", "addr", "size", "isrom")


@dataclass(eq=False)
class Rom:
    """An image at a guest address: `data`, then zeros up to `romsize`; what lies in real ROM is written only once."""

    name: str
    addr: int
    data: bytes | bytearray | None
    romsize: int
    space: AddressSpace
    mr: MemoryRegion | None = None
    isrom: bool = False

    @property
    def end(self) -> int:
        return self.addr + self.romsize


@dataclass(frozen=True, slots=True)
class ElfSymbol:
    """A function of a loaded ELF file, for those who want to name addresses."""

    name: str
    value: int
    size: int


class Statics:
    def __init__(self) -> None:
        self.roms: list[Rom] = []
        self.roms_loaded = False
        self.syminfos: list[ElfSymbol] = []


statics = per_process(Statics)


# ---- the list of images


def rom_insert(rom: Rom) -> None:
    """Enter an image, in the order of addresses; the board may do so only while it is built."""
    if statics().roms_loaded:
        raise QemuAbort("qemu: hardware error: ROM images must be loaded at startup\n")
    roms = statics().roms
    behind = (i for i, item in enumerate(roms) if rom.addr < item.addr)
    roms.insert(next(behind, len(roms)), rom)


def rom_add_file(file: str, addr: int, mr: MemoryRegion | None = None) -> bool:
    """Enter a whole file as an image; false, with a message, if it cannot be read."""
    path = qemu_find_file(file) or file
    try:
        with open(path, "rb") as stream:
            data = stream.read()
    except OSError as error:
        error_printf(f"Could not open option rom '{path}': {error.strerror}\n")
        return False
    rom_insert(Rom(file, addr, data, len(data), address_space_memory(), mr))
    return True


def rom_add_blob(name: str, blob: bytes, max_len: int, addr: int) -> None:
    """Enter `blob`, zeros behind it up to `max_len` bytes, as an image.

    QEMU's macro for a blob of just its own length is `rom_add_blob_fixed`.
    """
    rom_insert(Rom(name, addr, bytearray(blob), max_len or len(blob), address_space_memory()))


def rom_add_blob_fixed(name: str, blob: bytes, addr: int) -> None:
    """Enter `blob` as an image (QEMU include/hw/loader.h)."""
    rom_add_blob(name, blob, len(blob), addr)


def rom_add_elf_program(name: str, data: bytes | None, romsize: int, addr: int) -> None:
    """Enter a segment of an ELF file; the zeros behind `data` take no memory here, and are not written without any."""
    rom_insert(Rom(name, addr, data, romsize, address_space_memory()))


def rom_ptr_for_as(addr: int, size: int) -> bytearray:
    """The bytes of the blob that is to be written at `addr`, to be changed before it is (C also looks into memory)."""
    blobs = ((rom, rom.data) for rom in statics().roms if isinstance(rom.data, bytearray))
    return next(data for rom, data in blobs if rom.addr <= addr and addr + size <= rom.end)


def rom_set_fw(f: object) -> None:
    """Which device tells firmware of ROMs; none of ours are for it."""


# ---- reading files


def get_image_size(filename: str) -> int:
    """The size in bytes; -1 if the file cannot be read."""
    try:
        with open(filename, "rb") as stream:
            return stream.seek(0, os.SEEK_END)
    except OSError:
        return -1


def load_image_targphys(filename: str, addr: int, max_sz: int) -> int:
    """Enter a file that is no more than bytes; its size, -1 if it cannot be read or is too large."""
    size = get_image_size(filename)
    if size < 0 or size > max_sz:
        return -1
    if size > 0 and not rom_add_file(filename, addr):
        return -1
    return size


@dataclass(frozen=True, slots=True)
class LoadedElf:
    """Where an ELF file went: entry point, lowest and highest address, bytes."""

    entry: int
    low: int
    high: int
    size: int


def load_elf_ram_sym(filename: str, machine: int, sym_cb: SymbolFn | None = None) -> LoadedElf | None:
    """Enter the segments of a little-endian ELF file for `machine`; None if it is none, or damaged.

    `sym_cb(name, info, value, size)` hears of every symbol.  Segments in front of the damage stay entered, as in QEMU.
    """
    try:
        with open(filename, "rb") as stream:
            data = stream.read()
    except IsADirectoryError:
        return None
    except OSError as error:
        place = f"{filename}: " if filename else ""
        current_process().stderr.write(f"{place}{error.strerror}\n")
        return None
    elf = elf_read(data, machine)
    if elf is None:
        return None
    for symbol in elf_symbols(elf):
        if sym_cb is not None:
            sym_cb(symbol.name, symbol.info, symbol.value, symbol.size)
        if symbol.is_function:
            statics().syminfos.append(ElfSymbol(symbol.name, symbol.value, symbol.size))
    low, high, size = 2**64 - 1, 0, 0
    for segment in elf_load_segments(elf):
        if segment is None:
            return None
        if segment.mem_size:
            name = f"{filename} ELF program header segment {segment.index}"
            rom_add_elf_program(name, segment.data or None, segment.mem_size, segment.addr)
        low, high = min(low, segment.addr), max(high, segment.addr + segment.mem_size)
        size += segment.mem_size
    return LoadedElf(elf.entry, sign_extended(low, elf.layout), sign_extended(high, elf.layout), size)


def lookup_symbol(addr: int) -> str:
    """The name of the function that `addr` is in, "" if there is none (QEMU disas.c)."""
    inside = (symbol.name for symbol in statics().syminfos if symbol.value <= addr < symbol.value + symbol.size)
    return next(inside, "")


# ---- writing images at reset


def rom_check_and_register_reset() -> None:
    """All images are there: none may overlap another; from now on each reset writes them."""
    last_rom: Rom | None = None
    found_overlap = False
    for rom in statics().roms:
        if rom.mr is None:
            if last_rom is not None and last_rom.end > rom.addr:
                if not found_overlap:
                    rom_print_overlap_error_header()
                rom_print_one_overlap_error(last_rom, rom)
                found_overlap = True
            last_rom = rom
        fr = memory_region_find(rom.mr or get_system_memory(), rom.addr)
        rom.isrom = fr is not None and memory_region_is_rom(fr.mr)
    if found_overlap:
        raise QemuExit(1)
    qemu_register_reset(rom_reset, None)
    statics().roms_loaded = True


def rom_print_overlap_error_header() -> None:
    """What may have gone wrong."""
    error_report("Some ROM regions are overlapping")
    error_printf(
        "These ROM regions might have been loaded by direct user request or by default.\n"
        "They could be BIOS/firmware images, a guest kernel, initrd or some other file loaded into guest memory.\n"
        "Check whether you intended to load all this guest code, and whether it has been built to load to the"
        " correct addresses.\n"
    )


def rom_print_one_overlap_error(last_rom: Rom, rom: Rom) -> None:
    """Which two, and where."""
    error_printf(f"\nThe following two regions overlap (in the {rom.space.name} address space):\n")
    for image in (last_rom, rom):
        error_printf(f"  {image.name} (addresses 0x{image.addr:016x} - 0x{image.end:016x})\n")


def rom_reset(unused: object) -> None:
    """Write all images into memory."""
    for rom in statics().roms:
        if rom.data is None:
            continue
        rom_write(rom, rom.data)
        if loader_write_rom:
            loader_write_rom(rom.name, rom.addr, len(rom.data), rom.isrom)
        if rom.isrom:
            rom.data = None


def rom_write(rom: Rom, data: bytes | bytearray) -> None:
    """Write one image, and the zeros behind it (in QEMU `rom_reset`)."""
    zeros = rom.romsize - len(data)
    if rom.mr is not None:
        memory_region_get_ram_ptr(rom.mr)[: rom.romsize] = data + bytes(zeros)
        return
    address_space_write_rom(rom.space, rom.addr, data)
    address_space_set(rom.space, rom.addr + len(data), 0, zeros)


def qmp_x_query_roms() -> str:
    """What `info roms` prints."""
    return "".join(rom_line(rom) for rom in statics().roms)


def rom_line(rom: Rom) -> str:
    """One image (Not in QEMU)."""
    if rom.mr is not None:
        return f'{memory_region_name(rom.mr)} size=0x{rom.romsize:06x} name="{rom.name}"\n'
    kind = "rom" if rom.isrom else "ram"
    return f'addr={rom.addr:016x} size=0x{rom.romsize:06x} mem={kind} name="{rom.name}"\n'
