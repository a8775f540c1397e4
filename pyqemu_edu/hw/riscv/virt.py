"""The board that no hardware maker ever built, for guests that know QEMU (QEMU hw/riscv/virt.c).

Left out: the Advanced Interrupt Architecture (`aia=`, whose controllers are known by name only), KVM.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from pyqemu_edu.hw.block.pflash_cfi01 import PFlashCFI01
from pyqemu_edu.hw.char.serial_mm import DEVICE_LITTLE_ENDIAN, serial_mm_init
from pyqemu_edu.hw.core.boards import (
    MACHINE_CLASS,
    MACHINE_GET_CLASS,
    MACHINE_TYPE_NAME,
    TYPE_MACHINE,
    MachineClass,
    MachineState,
    MemMapEntry,
)
from pyqemu_edu.hw.core.gpio import qdev_get_gpio_in
from pyqemu_edu.hw.core.hotplug import TYPE_HOTPLUG_HANDLER, HotplugHandlerClass
from pyqemu_edu.hw.core.loader import rom_set_fw
from pyqemu_edu.hw.core.machine_run import qemu_add_machine_init_done_notifier
from pyqemu_edu.hw.core.platform_bus import PLATFORM_BUS_DEVICE, platform_bus_link_device
from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.hw.core.sysbus import (
    TYPE_SYS_BUS_DEVICE,
    sys_bus_device,
    sysbus_create_simple,
)
from pyqemu_edu.hw.intc.riscv_aclint import (
    riscv_aclint_swi_create,
)
from pyqemu_edu.hw.misc.sifive_test import sifive_test_create
from pyqemu_edu.hw.nvram.fw_cfg import FWCfgState
from pyqemu_edu.hw.riscv.boot import (
    RISCV32_BIOS_BIN,
    RISCV64_BIOS_BIN,
    fail,
    riscv_calc_kernel_start_addr,
    riscv_find_and_load_firmware,
    riscv_is_32bit,
    riscv_load_fdt,
    riscv_load_kernel,
    riscv_setup_firmware_boot,
    riscv_setup_rom_reset_vec,
)
from pyqemu_edu.hw.riscv.numa import (
    riscv_numa_cpu_index_to_props,
    riscv_numa_get_default_cpu_node_id,
    riscv_numa_possible_cpu_arch_ids,
    riscv_socket_count,
)
from pyqemu_edu.hw.riscv.riscv_hart import RISCVHartArrayState
from pyqemu_edu.hw.riscv.socket import create_clint, create_harts, load_initrd
from pyqemu_edu.hw.riscv.virt_fdt import create_fdt
from pyqemu_edu.hw.riscv.virt_memmap import (
    RTC_IRQ,
    UART0_IRQ,
    VIRT_ACLINT_SSWI,
    VIRT_CLINT,
    VIRT_CPUS_MAX,
    VIRT_DRAM,
    VIRT_FLASH,
    VIRT_IRQCHIP_MAX_GUESTS,
    VIRT_MROM,
    VIRT_RTC,
    VIRT_SOCKETS_MAX,
    VIRT_TEST,
    VIRT_UART0,
    VIRT_VIRTIO,
    VIRTIO_COUNT,
    VIRTIO_IRQ,
)
from pyqemu_edu.hw.riscv.virt_parts import (
    create_fw_cfg,
    create_platform_bus,
    gpex_pcie_init,
    pflash_cfi01_legacy_drive,
    virt_create_aia,
    virt_create_plic,
    virt_flash_create,
    virt_flash_map,
)
from pyqemu_edu.qom.klass import object_check, object_class_check, object_dynamic_cast
from pyqemu_edu.qom.property import (
    object_class_property_set_description,
)
from pyqemu_edu.qom.property_types import object_class_property_add_bool, object_class_property_add_str
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.blockdev import drive_get
from pyqemu_edu.softmmu.globals import serial_hd
from pyqemu_edu.softmmu.memory import (
    memory_region_add_subregion,
    memory_region_init_rom,
)
from pyqemu_edu.softmmu.physmem import get_system_memory
from pyqemu_edu.target.riscv.cpu_state import TYPE_RISCV_CPU_BASE
from pyqemu_edu.util.error import QemuError, error_report

TYPE_RISCV_VIRT_MACHINE = MACHINE_TYPE_NAME("virt")
GiB = 1 << 30
VIRT32_HIGH_PCIE_MMIO = MemMapEntry(0x300000000, 4 * GiB)
VIRT64_HIGH_PCIE_MMIO_SIZE = 16 * GiB
VIRT_AIA_TYPES = ("none", "aplic", "aplic-imsic")


@dataclass(eq=False)
class RISCVVirtState(MachineState):
    """The board: for each socket its harts and its interrupt controller."""

    platform_bus_dev: DeviceState | None = None
    soc: list[RISCVHartArrayState] = field(default_factory=list)
    irqchip: list[DeviceState] = field(default_factory=list)
    flash: list[PFlashCFI01] = field(default_factory=list)
    fw_cfg: FWCfgState | None = None
    have_aclint: bool = False
    aia_type: str = "none"
    aia_guests: int = 0


def RISCV_VIRT_MACHINE(obj: object) -> RISCVVirtState:
    """Cast to this board."""
    return object_check(obj, RISCVVirtState, TYPE_RISCV_VIRT_MACHINE)


# ---- the board


def virt_machine_done(s: RISCVVirtState) -> None:
    """All devices are there, the user's too: load firmware and kernel, and say to the guest where."""
    assert s.fdt is not None
    start_addr = VIRT_DRAM.base
    bios = RISCV32_BIOS_BIN if riscv_is_32bit(s.soc[0]) else RISCV64_BIOS_BIN
    firmware_end_addr = riscv_find_and_load_firmware(s, bios, start_addr, None)
    s.fw_cfg = create_fw_cfg(s)
    rom_set_fw(s.fw_cfg)
    kernel_entry = 0
    if drive_get("pflash", 0, 1):
        riscv_setup_firmware_boot(s, s.fw_cfg)
        kernel_entry = VIRT_FLASH.base + VIRT_FLASH.size // 2
    elif s.kernel_filename:
        kernel_start_addr = riscv_calc_kernel_start_addr(s.soc[0], firmware_end_addr)
        kernel_entry = riscv_load_kernel(s.kernel_filename, kernel_start_addr, None)
        load_initrd(s, s.fdt, kernel_entry)
    fdt_load_addr = riscv_load_fdt(start_addr, s.ram_size, s.fdt)
    if drive_get("pflash", 0, 0):
        start_addr = VIRT_FLASH.base
    riscv_setup_rom_reset_vec(s.soc[0], start_addr, VIRT_MROM.base, VIRT_MROM.size, kernel_entry, fdt_load_addr)


def virt_machine_init(machine: MachineState) -> None:
    """Build the board; what is loaded waits until all devices are there."""
    s = RISCV_VIRT_MACHINE(machine)
    system_memory = get_system_memory()
    if riscv_socket_count(machine) > VIRT_SOCKETS_MAX:
        raise fail(f"number of sockets/nodes should be less than {VIRT_SOCKETS_MAX}")
    for i in range(riscv_socket_count(machine)):
        virt_socket_init(s, i)
    mmio_irqchip, virtio_irqchip, pcie_irqchip = (s.irqchip[min(i, len(s.irqchip) - 1)] for i in range(3))
    high_pcie = virt_high_pcie_memmap(s)
    assert machine.ram is not None
    memory_region_add_subregion(system_memory, VIRT_DRAM.base, machine.ram)
    mask_rom = memory_region_init_rom(None, "riscv_virt_board.mrom", VIRT_MROM.size)
    memory_region_add_subregion(system_memory, VIRT_MROM.base, mask_rom)
    sifive_test_create(VIRT_TEST.base)
    for i in range(VIRTIO_COUNT):
        irq = qdev_get_gpio_in(virtio_irqchip, VIRTIO_IRQ + i)
        sysbus_create_simple("virtio-mmio", VIRT_VIRTIO.base + i * VIRT_VIRTIO.size, irq)
    gpex_pcie_init(system_memory, high_pcie, pcie_irqchip)
    s.platform_bus_dev = create_platform_bus(mmio_irqchip)
    uart_irq = qdev_get_gpio_in(mmio_irqchip, UART0_IRQ)
    serial_mm_init(system_memory, VIRT_UART0.base, 0, uart_irq, 399193, serial_hd(0), DEVICE_LITTLE_ENDIAN)
    sysbus_create_simple("goldfish_rtc", VIRT_RTC.base, qdev_get_gpio_in(mmio_irqchip, RTC_IRQ))
    s.flash = virt_flash_create(s)
    for unit, flash in enumerate(s.flash):
        pflash_cfi01_legacy_drive(flash, drive_get("pflash", 0, unit))
    virt_flash_map(s.flash, system_memory)
    machine.fdt = create_fdt(s, s.soc, s.have_aclint, high_pcie, riscv_is_32bit(s.soc[0]))
    qemu_add_machine_init_done_notifier(lambda: virt_machine_done(s))


def virt_socket_init(s: RISCVVirtState, i: int) -> None:
    """The harts of a socket, with timer and interrupts (in QEMU `virt_machine_init`)."""
    soc = create_harts(s, i)
    s.soc.append(soc)
    create_clint(soc, VIRT_CLINT.base + i * VIRT_CLINT.size, True)
    if s.have_aclint:
        sswi_base = VIRT_ACLINT_SSWI.base + i * VIRT_ACLINT_SSWI.size
        riscv_aclint_swi_create(sswi_base, soc.hartid_base, soc.num_harts, True)
    if s.aia_type == "none":
        s.irqchip.append(virt_create_plic(i, soc.hartid_base, soc.num_harts))
    else:
        s.irqchip.append(virt_create_aia(s.aia_type))


def virt_high_pcie_memmap(s: RISCVVirtState) -> MemMapEntry:
    """The window for PCI above 4 GiB: behind RAM, aligned to its size (in QEMU `virt_machine_init`)."""
    if riscv_is_32bit(s.soc[0]):
        if s.ram_size > 10 * GiB:
            s.ram_size = 10 * GiB
            error_report("Limiting RAM size to 10 GiB")
        return VIRT32_HIGH_PCIE_MMIO
    size = VIRT64_HIGH_PCIE_MMIO_SIZE
    return MemMapEntry(-(-(VIRT_DRAM.base + s.ram_size) // size) * size, size)


# ---- the machine's properties


def virt_machine_instance_init(obj: Object) -> None:
    """A new machine of this type needs nothing of its own."""


def virt_get_aia_guests(obj: Object) -> str:
    """How many guests each interrupt file serves; a text to QOM, though a number."""
    return str(RISCV_VIRT_MACHINE(obj).aia_guests)


def virt_set_aia_guests(obj: Object, val: str) -> None:
    """Set it to what C's `atoi` makes of the text, which is kept even if it is refused."""
    match = re.match(r"\s*[+-]?\d+", val)
    s = RISCV_VIRT_MACHINE(obj)
    s.aia_guests = int(match[0]) if match else 0
    if not 0 <= s.aia_guests <= VIRT_IRQCHIP_MAX_GUESTS:
        hint = f"Valid values be between 0 and {VIRT_IRQCHIP_MAX_GUESTS}.\n"
        raise QemuError("Invalid number of AIA IMSIC guests", hint)


def virt_get_aia(obj: Object) -> str:
    """Which interrupt controllers the board has."""
    return RISCV_VIRT_MACHINE(obj).aia_type


def virt_set_aia(obj: Object, val: str) -> None:
    """Choose them by one of three words."""
    if val not in VIRT_AIA_TYPES:
        hint = "Valid values are none, aplic, and aplic-imsic.\n"
        raise QemuError("Invalid AIA interrupt controller type", hint)
    RISCV_VIRT_MACHINE(obj).aia_type = val


def virt_get_aclint(obj: Object) -> bool:
    """Whether there is a device for supervisors' software interrupts."""
    return RISCV_VIRT_MACHINE(obj).have_aclint


def virt_set_aclint(obj: Object, value: bool) -> None:
    """Add that device, or leave it out."""
    RISCV_VIRT_MACHINE(obj).have_aclint = value


def device_is_dynamic_sysbus(mc: MachineClass, dev: DeviceState) -> bool:
    """May users plug this device into the system bus of this board? (QEMU hw/core/machine.c)"""
    if object_dynamic_cast(dev, TYPE_SYS_BUS_DEVICE) is None:
        return False
    return any(object_dynamic_cast(dev, name) is not None for name in mc.allowed_dynamic_sysbus_devices)


def virt_machine_get_hotplug_handler(machine: MachineState, dev: DeviceState) -> Object | None:
    """The board itself looks after devices that users plug into the system bus."""
    return machine if device_is_dynamic_sysbus(MACHINE_GET_CLASS(machine), dev) else None


def virt_machine_device_plug_cb(hotplug_dev: Object, dev: DeviceState) -> None:
    """Give such a device a place on the platform bus."""
    s = RISCV_VIRT_MACHINE(hotplug_dev)
    if s.platform_bus_dev is not None and device_is_dynamic_sysbus(MACHINE_GET_CLASS(s), dev):
        platform_bus_link_device(PLATFORM_BUS_DEVICE(s.platform_bus_dev), sys_bus_device(dev))


def virt_machine_class_init(oc: ObjectClass) -> None:
    """What the machine layer must know: how to build the board, its limits and defaults, hotplug."""
    mc = MACHINE_CLASS(oc)
    mc.desc = "RISC-V VirtIO board"
    mc.init = virt_machine_init
    mc.max_cpus = VIRT_CPUS_MAX
    mc.default_cpu_type = TYPE_RISCV_CPU_BASE
    mc.possible_cpu_arch_ids = riscv_numa_possible_cpu_arch_ids
    mc.cpu_index_to_instance_props = riscv_numa_cpu_index_to_props
    mc.get_default_cpu_node_id = riscv_numa_get_default_cpu_node_id
    mc.numa_mem_supported = True
    mc.default_ram_id = "riscv_virt_board.ram"
    mc.get_hotplug_handler = virt_machine_get_hotplug_handler
    object_class_check(oc, HotplugHandlerClass, TYPE_HOTPLUG_HANDLER).plug = virt_machine_device_plug_cb
    mc.allowed_dynamic_sysbus_devices += ("ramfb", "tpm-tis-device")
    virt_machine_class_properties(oc)


def virt_machine_class_properties(oc: ObjectClass) -> None:
    """What `-machine virt,...` understands beyond what every machine does (in QEMU `virt_machine_class_init`)."""
    object_class_property_add_bool(oc, "aclint", virt_get_aclint, virt_set_aclint)
    object_class_property_set_description(oc, "aclint", "Set on/off to enable/disable emulating ACLINT devices")
    object_class_property_add_str(oc, "aia", virt_get_aia, virt_set_aia)
    object_class_property_set_description(
        oc, "aia", "Set type of AIA interrupt conttoller. Valid values are none, aplic, and aplic-imsic."
    )
    object_class_property_add_str(oc, "aia-guests", virt_get_aia_guests, virt_set_aia_guests)
    object_class_property_set_description(
        oc,
        "aia-guests",
        f"Set number of guest MMIO pages for AIA IMSIC. Valid value should be between 0 and {VIRT_IRQCHIP_MAX_GUESTS}.",
    )


type_init(
    TypeInfo(
        TYPE_RISCV_VIRT_MACHINE,
        parent=TYPE_MACHINE,
        instance_struct=RISCVVirtState,
        class_init=virt_machine_class_init,
        instance_init=virt_machine_instance_init,
        interfaces=(TYPE_HOTPLUG_HANDLER,),
    )
)
