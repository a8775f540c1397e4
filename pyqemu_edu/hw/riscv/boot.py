"""What RISC-V boards share on the way to the first instruction: firmware, kernel, ROM (QEMU hw/riscv/boot.c)."""

from __future__ import annotations

import os
import struct

from pyqemu_edu.cpus_common import qemu_get_cpu
from pyqemu_edu.hw.core.boards import MachineState
from pyqemu_edu.hw.core.elf_ops import EM_RISCV, SymbolFn
from pyqemu_edu.hw.core.loader import load_elf_ram_sym, load_image_targphys, rom_add_blob_fixed, rom_ptr_for_as
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.hw.core.reset import qemu_register_reset_nosnapshotload
from pyqemu_edu.hw.core.uboot_image import load_ramdisk, load_uimage
from pyqemu_edu.hw.nvram.fw_cfg import (
    FW_CFG_CMDLINE_DATA,
    FW_CFG_CMDLINE_SIZE,
    FW_CFG_INITRD_DATA,
    FW_CFG_INITRD_SIZE,
    FW_CFG_KERNEL_DATA,
    FW_CFG_KERNEL_SIZE,
    FWCfgState,
    fw_cfg_add_bytes,
    fw_cfg_add_i32,
    load_image_to_fw_cfg,
)
from pyqemu_edu.hw.riscv.riscv_hart import RISCVHartArrayState
from pyqemu_edu.softmmu.datadir import qemu_find_file
from pyqemu_edu.softmmu.device_tree import qemu_fdt_dumpdtb, qemu_fdt_randomize_seeds
from pyqemu_edu.softmmu.libfdt import Fdt, FdtError, fdt_pack
from pyqemu_edu.target.riscv.cpu_bits import MXL_RV32, RVS
from pyqemu_edu.target.riscv.cpu_helper import riscv_has_ext
from pyqemu_edu.target.riscv.cpu_state import RISCVCPU, CPURISCVState
from pyqemu_edu.util.assertion import g_assert
from pyqemu_edu.util.error import QemuExit, error_report

MiB = 1 << 20
UINT64_MAX = 2**64 - 1
RISCV32_BIOS_BIN = "opensbi-riscv32-generic-fw_dynamic.bin"
RISCV64_BIOS_BIN = "opensbi-riscv64-generic-fw_dynamic.bin"

FW_DYNAMIC_INFO_MAGIC_VALUE = 0x4942534F
FW_DYNAMIC_INFO_VERSION = 2
FW_DYNAMIC_INFO_NEXT_MODE_S = 1


def align_up(value: int, unit: int) -> int:
    """`value` rounded up (QEMU `QEMU_ALIGN_UP`)."""
    return -(-value // unit) * unit


def fail(message: str) -> QemuExit:
    """Report an error that ends the process; raise what comes back."""
    error_report(message)
    return QemuExit(1)


def riscv_is_32bit(harts: RISCVHartArrayState) -> bool:
    """Are these RV32 harts?"""
    return harts.harts[0].env.misa_mxl_max == MXL_RV32


def riscv_plic_hart_config_string(hart_count: int) -> str:
    """Which modes each hart has that can be interrupted, such as "MS,MS"."""
    return ",".join("MS" if riscv_has_ext(hart_env(i), RVS) else "M" for i in range(hart_count))


def hart_env(index: int) -> CPURISCVState:
    """The registers of a hart (Not in QEMU: written out there)."""
    cpu = qemu_get_cpu(index)
    assert isinstance(cpu, RISCVCPU)
    return cpu.env


def riscv_calc_kernel_start_addr(harts: RISCVHartArrayState, firmware_end_addr: int) -> int:
    """A kernel without addresses of its own goes behind the firmware, where a large page begins."""
    return align_up(firmware_end_addr, 4 * MiB if riscv_is_32bit(harts) else 2 * MiB)


def riscv_find_and_load_firmware(
    machine: MachineState, default_machine_firmware: str, firmware_load_addr: int, sym_cb: SymbolFn | None
) -> int:
    """Load what `-bios` names, or the default, or nothing for `none`; the address behind it."""
    firmware = machine.firmware or "default"
    if firmware == "none":
        return firmware_load_addr
    filename = riscv_find_firmware(default_machine_firmware if firmware == "default" else firmware)
    return riscv_load_firmware(filename, firmware_load_addr, sym_cb)


def riscv_find_firmware(firmware_filename: str) -> str:
    """Where the file is: as it stands, or in a data folder.  `QemuExit` if nowhere."""
    filename = qemu_find_file(firmware_filename)
    if filename is None:
        raise fail(f'Unable to load the RISC-V firmware "{firmware_filename}"')
    return filename


def riscv_load_firmware(firmware_filename: str, firmware_load_addr: int, sym_cb: SymbolFn | None) -> int:
    """Load an ELF file to its own addresses, any other to `firmware_load_addr`; the address behind it."""
    elf = load_elf_ram_sym(firmware_filename, EM_RISCV, sym_cb)
    if elf is not None and elf.size > 0:
        return elf.high
    size = load_image_targphys(firmware_filename, firmware_load_addr, current_machine().ram_size)
    if size > 0:
        return firmware_load_addr + size
    raise fail(f"could not load firmware '{firmware_filename}'")


def riscv_load_kernel(kernel_filename: str, kernel_start_addr: int, sym_cb: SymbolFn | None) -> int:
    """Load an ELF file or a U-Boot image to its own addresses, any other to `kernel_start_addr`; where it begins.

    For an ELF file that is its lowest address, not its entry point, so that it starts as a raw image does.
    """
    elf = load_elf_ram_sym(kernel_filename, EM_RISCV, sym_cb)
    if elf is not None and elf.size > 0:
        return elf.low
    uimage = load_uimage(kernel_filename)
    if uimage is not None and 0 < uimage[0] < 2**31:
        return uimage[1]
    if load_image_targphys(kernel_filename, kernel_start_addr, current_machine().ram_size) > 0:
        return kernel_start_addr
    raise fail(f"could not load kernel '{kernel_filename}'")


def riscv_load_initrd(filename: str, mem_size: int, kernel_entry: int) -> tuple[int, int]:
    """Load an initial RAM disk well above the kernel: half of RAM away, at most 128 MiB; start and end.

    What is left above counts as if RAM began at 0, so that nothing is too large on a board where it begins higher.
    """
    start = kernel_entry + min(mem_size // 2, 128 * MiB)
    size = load_ramdisk(filename, start)
    if size == -1:
        size = load_image_targphys(filename, start, (mem_size - start) & UINT64_MAX)
    if size == -1:
        raise fail(f"could not load ramdisk '{filename}'")
    return start, start + size


def riscv_load_fdt(dram_base: int, mem_size: int, fdt: Fdt) -> int:
    """Load the device tree as high as possible in RAM, but below 3 GiB; its address.

    `-machine dumpdtb=` ends here.  Random seeds in it are renewed at each reset.
    """
    dram_end = dram_base + mem_size
    top = min(dram_end, 3072 * MiB) if dram_base < 3072 * MiB else dram_end
    fdtsize = fdt.totalsize
    fdt_addr = (top - fdtsize) // (2 * MiB) * (2 * MiB)
    try:
        fdt_pack(fdt)
        packed = True
    except FdtError:
        packed = False
    g_assert(packed, "hw/riscv/boot.c:239:riscv_load_fdt", "ret == 0")
    qemu_fdt_dumpdtb(fdt, fdtsize, current_machine().dumpdtb)
    rom_add_blob_fixed("fdt", fdt.blob(), fdt_addr)
    qemu_register_reset_nosnapshotload(qemu_fdt_randomize_seeds, rom_ptr_for_as(fdt_addr, fdtsize))
    return fdt_addr


def riscv_setup_firmware_boot(machine: MachineState, fw_cfg: FWCfgState) -> None:
    """Leave kernel, RAM disk and command line to firmware that knows `fw_cfg`: nothing is loaded here."""
    if machine.kernel_filename is None:
        return
    load_image_to_fw_cfg(fw_cfg, FW_CFG_KERNEL_SIZE, FW_CFG_KERNEL_DATA, machine.kernel_filename, True)
    load_image_to_fw_cfg(fw_cfg, FW_CFG_INITRD_SIZE, FW_CFG_INITRD_DATA, machine.initrd_filename, False)
    if machine.kernel_cmdline is not None:
        cmdline = os.fsencode(machine.kernel_cmdline) + b"\0"
        fw_cfg_add_i32(fw_cfg, FW_CFG_CMDLINE_SIZE, len(cmdline))
        fw_cfg_add_bytes(fw_cfg, FW_CFG_CMDLINE_DATA, cmdline)


def riscv_rom_copy_firmware_info(rom_base: int, rom_size: int, reset_vec_size: int, kernel_entry: int) -> None:
    """Behind the reset vector, tell OpenSBI where to go next and in which mode."""
    dinfo = struct.pack(
        "<6Q", FW_DYNAMIC_INFO_MAGIC_VALUE, FW_DYNAMIC_INFO_VERSION, kernel_entry, FW_DYNAMIC_INFO_NEXT_MODE_S, 0, 0
    )
    if len(dinfo) > rom_size - reset_vec_size:
        raise fail("not enough space to store dynamic firmware info")
    rom_add_blob_fixed("mrom.finfo", dinfo, rom_base + reset_vec_size)


def riscv_setup_rom_reset_vec(
    harts: RISCVHartArrayState,
    start_addr: int,
    rom_base: int,
    rom_size: int,
    kernel_entry: int,
    fdt_load_addr: int,
) -> None:
    """The first instructions: a0 = hart, a1 = device tree, a2 = what is for OpenSBI, then jump to `start_addr`."""
    rv32 = riscv_is_32bit(harts)
    # fmt: off
    reset_vec = struct.pack(
        "<6I2Q",
        0x00000297,                              # 1: auipc t0, %pcrel_hi(fw_dyn)
        0x02828613,                              #    addi  a2, t0, %pcrel_lo(1b)
        0xF1402573,                              #    csrr  a0, mhartid
        0x0202A583 if rv32 else 0x0202B583,      #    lw/ld a1, 32(t0)
        0x0182A283 if rv32 else 0x0182B283,      #    lw/ld t0, 24(t0)
        0x00028067,                              #    jr    t0
        start_addr & (0xFFFFFFFF if rv32 else 2**64 - 1),
        fdt_load_addr & (0xFFFFFFFF if rv32 else 2**64 - 1),
    )                                            # fw_dyn:
    # fmt: on
    rom_add_blob_fixed("mrom.reset", reset_vec, rom_base)
    riscv_rom_copy_firmware_info(rom_base, rom_size, len(reset_vec), kernel_entry)
