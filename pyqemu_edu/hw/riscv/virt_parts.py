"""The parts of the board `virt`: how each is made and where it goes (QEMU hw/riscv/virt.c)."""

from __future__ import annotations

from typing import cast

from pyqemu_edu.block.block_backend import BlockBackend
from pyqemu_edu.hw.block.pflash_cfi01 import PFLASH_CFI01, TYPE_PFLASH_CFI01, PFlashCFI01
from pyqemu_edu.hw.core.boards import (
    MachineState,
    MemMapEntry,
)
from pyqemu_edu.hw.core.gpio import qdev_get_gpio_in
from pyqemu_edu.hw.core.platform_bus import PLATFORM_BUS_DEVICE, TYPE_PLATFORM_BUS_DEVICE
from pyqemu_edu.hw.core.qdev import qdev_new
from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.hw.core.qdev_properties import (
    qdev_prop_set_bit,
    qdev_prop_set_string,
    qdev_prop_set_uint8,
    qdev_prop_set_uint16,
    qdev_prop_set_uint32,
    qdev_prop_set_uint64,
)
from pyqemu_edu.hw.core.sysbus import (
    sysbus_connect_irq,
    sysbus_mmio_get_region,
    sysbus_mmio_map,
    sysbus_realize_and_unref,
)
from pyqemu_edu.hw.intc.sifive_plic import sifive_plic_create
from pyqemu_edu.hw.nvram.fw_cfg import FW_CFG_NB_CPUS, FWCfgState, fw_cfg_add_i16, fw_cfg_init_mem_wide
from pyqemu_edu.hw.pci_host.gpex import GPEX_HOST, GPEX_NUM_IRQS, TYPE_GPEX_HOST, GPEXHost, gpex_set_irq_num
from pyqemu_edu.hw.riscv.boot import (
    riscv_plic_hart_config_string,
)
from pyqemu_edu.hw.riscv.virt_memmap import (
    PCIE_IRQ,
    VIRT_FLASH,
    VIRT_FW_CFG,
    VIRT_IRQCHIP_NUM_PRIO_BITS,
    VIRT_IRQCHIP_NUM_SOURCES,
    VIRT_PCIE_ECAM,
    VIRT_PCIE_MMIO,
    VIRT_PCIE_PIO,
    VIRT_PLATFORM_BUS,
    VIRT_PLATFORM_BUS_IRQ,
    VIRT_PLATFORM_BUS_NUM_IRQS,
    VIRT_PLIC,
    VIRT_PLIC_CONTEXT_BASE,
    VIRT_PLIC_CONTEXT_STRIDE,
    VIRT_PLIC_ENABLE_BASE,
    VIRT_PLIC_ENABLE_STRIDE,
    VIRT_PLIC_PENDING_BASE,
    VIRT_PLIC_PRIORITY_BASE,
)
from pyqemu_edu.qom.link import object_property_add_alias, object_property_add_child
from pyqemu_edu.qom.property import object_property_set_str
from pyqemu_edu.softmmu.memory import (
    MemoryRegion,
    memory_region_add_subregion,
    memory_region_init_alias,
)
from pyqemu_edu.softmmu.physmem import address_space_memory, get_system_memory
from pyqemu_edu.util.error import QemuError, error_fatal, loc_push

VIRT_FLASH_SECTOR_SIZE = 256 << 10


# ---- flash memory


def virt_flash_create1(s: MachineState, name: str, alias_prop_name: str) -> PFlashCFI01:
    """One bank: two chips of 16 bits side by side; the machine's property says what file is behind it."""
    dev = PFLASH_CFI01(qdev_new(TYPE_PFLASH_CFI01))
    qdev_prop_set_uint64(dev, "sector-length", VIRT_FLASH_SECTOR_SIZE)
    qdev_prop_set_uint8(dev, "width", 4)
    qdev_prop_set_uint8(dev, "device-width", 2)
    qdev_prop_set_bit(dev, "big-endian", False)
    qdev_prop_set_uint16(dev, "id0", 0x89)
    qdev_prop_set_uint16(dev, "id1", 0x18)
    qdev_prop_set_uint16(dev, "id2", 0x00)
    qdev_prop_set_uint16(dev, "id3", 0x00)
    qdev_prop_set_string(dev, "name", name)
    object_property_add_child(s, name, dev)
    object_property_add_alias(s, alias_prop_name, dev, "drive")
    return dev


def virt_flash_create(s: MachineState) -> list[PFlashCFI01]:
    """Make both banks of flash."""
    return [virt_flash_create1(s, f"virt.flash{i}", f"pflash{i}") for i in range(2)]


def virt_flash_map1(flash: PFlashCFI01, base: int, size: int, sysmem: MemoryRegion) -> None:
    """Make a bank `size` bytes large and put it at `base`."""
    assert size % VIRT_FLASH_SECTOR_SIZE == 0
    qdev_prop_set_uint32(flash, "num-blocks", size // VIRT_FLASH_SECTOR_SIZE)
    sysbus_realize_and_unref(flash)
    memory_region_add_subregion(sysmem, base, sysbus_mmio_get_region(flash, 0))


def virt_flash_map(flash: list[PFlashCFI01], sysmem: MemoryRegion) -> None:
    """Each bank has half of the place."""
    flashsize = VIRT_FLASH.size // 2
    virt_flash_map1(flash[0], VIRT_FLASH.base, flashsize, sysmem)
    virt_flash_map1(flash[1], VIRT_FLASH.base + flashsize, flashsize, sysmem)


def pflash_cfi01_legacy_drive(fl: PFlashCFI01, blk: BlockBackend | None) -> None:
    """Put the disk of a `-drive if=pflash` behind the flash (QEMU hw/block/pflash_cfi01.c)."""
    if blk is None or blk.legacy_dinfo is None:
        return
    with loc_push(blk.legacy_dinfo.opts.loc), error_fatal():
        if fl.blk is not None:
            raise QemuError("clashes with -machine")
        object_property_set_str(fl, "drive", blk.name)


# ---- other parts


def gpex_pcie_init(sys_mem: MemoryRegion, high_mmio: MemMapEntry, irqchip: DeviceState) -> GPEXHost:
    """The bridge to PCI Express, with its four windows and four wires."""
    dev = GPEX_HOST(qdev_new(TYPE_GPEX_HOST))
    sysbus_realize_and_unref(dev)
    ecam_reg = sysbus_mmio_get_region(dev, 0)
    ecam_alias = memory_region_init_alias(dev, "pcie-ecam", ecam_reg, 0, VIRT_PCIE_ECAM.size)
    memory_region_add_subregion(sys_mem, VIRT_PCIE_ECAM.base, ecam_alias)
    mmio_reg = sysbus_mmio_get_region(dev, 1)
    for name, window in (("pcie-mmio", VIRT_PCIE_MMIO), ("pcie-mmio-high", high_mmio)):
        alias = memory_region_init_alias(dev, name, mmio_reg, window.base, window.size)
        memory_region_add_subregion(sys_mem, window.base, alias)
    sysbus_mmio_map(dev, 2, VIRT_PCIE_PIO.base)
    for i in range(GPEX_NUM_IRQS):
        sysbus_connect_irq(dev, i, qdev_get_gpio_in(irqchip, PCIE_IRQ + i))
        gpex_set_irq_num(dev, i, PCIE_IRQ + i)
    return dev


def create_fw_cfg(machine: MachineState) -> FWCfgState:
    """Words from the board to its firmware: how many harts there are."""
    base = VIRT_FW_CFG.base
    fw_cfg = fw_cfg_init_mem_wide(base + 8, base, 8, base + 16, address_space_memory())
    fw_cfg_add_i16(fw_cfg, FW_CFG_NB_CPUS, machine.smp.cpus)
    return fw_cfg


def virt_create_plic(socket: int, base_hartid: int, hart_count: int) -> DeviceState:
    """The interrupt controller of a socket."""
    return sifive_plic_create(
        VIRT_PLIC.base + socket * VIRT_PLIC.size,
        riscv_plic_hart_config_string(hart_count),
        hart_count,
        base_hartid,
        VIRT_IRQCHIP_NUM_SOURCES,
        (1 << VIRT_IRQCHIP_NUM_PRIO_BITS) - 1,
        VIRT_PLIC_PRIORITY_BASE,
        VIRT_PLIC_PENDING_BASE,
        VIRT_PLIC_ENABLE_BASE,
        VIRT_PLIC_ENABLE_STRIDE,
        VIRT_PLIC_CONTEXT_BASE,
        VIRT_PLIC_CONTEXT_STRIDE,
        VIRT_PLIC.size,
    )


def virt_create_aia(aia_type: str) -> DeviceState:
    """The newer interrupt controllers: paper types, so asking for one is an error that says so."""
    return cast(DeviceState, qdev_new("riscv.imsic" if aia_type == "aplic-imsic" else "riscv.aplic"))


def create_platform_bus(irqchip: DeviceState) -> DeviceState:
    """Room for devices that users add."""
    dev = PLATFORM_BUS_DEVICE(qdev_new(TYPE_PLATFORM_BUS_DEVICE))
    dev.id = TYPE_PLATFORM_BUS_DEVICE
    qdev_prop_set_uint32(dev, "num_irqs", VIRT_PLATFORM_BUS_NUM_IRQS)
    qdev_prop_set_uint32(dev, "mmio_size", VIRT_PLATFORM_BUS.size)
    sysbus_realize_and_unref(dev)
    for i in range(VIRT_PLATFORM_BUS_NUM_IRQS):
        sysbus_connect_irq(dev, i, qdev_get_gpio_in(irqchip, VIRT_PLATFORM_BUS_IRQ + i))
    memory_region_add_subregion(get_system_memory(), VIRT_PLATFORM_BUS.base, sysbus_mmio_get_region(dev, 0))
    return dev
