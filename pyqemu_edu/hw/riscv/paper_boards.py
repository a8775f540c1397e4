"""The boards that are known by name only (QEMU hw/riscv/sifive_e.c, sifive_u.c, shakti_c.c, microchip_pfsoc.c).

Their machines can be chosen and configured, and refuse what QEMU's refuse: too many harts, the wrong amount of RAM,
firmware or a kernel that is not there.  Left out: the hardware.  Where QEMU would have it by then, they say so.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NoReturn

from pyqemu_edu.hw.core.machine import MACHINE_CLASS, MACHINE_TYPE_NAME, TYPE_MACHINE, MachineState
from pyqemu_edu.hw.riscv.boot import fail, riscv_find_and_load_firmware, riscv_load_firmware, riscv_load_kernel
from pyqemu_edu.qapi.string_visitor import size_to_str
from pyqemu_edu.qom.field_properties import class_add_bool_fields, struct_defaults
from pyqemu_edu.qom.klass import object_check, object_get_typename
from pyqemu_edu.qom.property import object_class_property_set_description, object_property_set_description
from pyqemu_edu.qom.property_types import ObjectPropertyFlags, Pointer, object_property_add_uint32_ptr
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init

KiB = 1 << 10
MiB = 1 << 20
RISCV64_BIOS_BIN = "opensbi-riscv64-generic-fw_dynamic.bin"
BIOS_FILENAME = "hss.bin"
SIFIVE_E_DTIM = 0x80000000
SIFIVE_E_DTIM_SIZE = 16 * KiB
SIFIVE_U_DRAM = 0x80000000
SHAKTI_C_RAM = 0x80000000
MICROCHIP_PFSOC_RESET_VECTOR = 0x20220000


@dataclass(eq=False)
class SiFiveEState(MachineState):
    """Which revision."""

    revb: bool = False


@dataclass(eq=False)
class SiFiveUState(MachineState):
    """From where it starts, the pins that say so, and the serial number."""

    start_in_flash: bool = False
    msel: int = 0
    serial: int = 0


def give_up(machine: MachineState) -> NoReturn:
    """From here on there would be hardware (Not in QEMU)."""
    name = object_get_typename(machine).removesuffix("-machine")
    raise fail(f"machine '{name}' is known here by name only: its hardware is not modelled")


# ---- SiFive's small board


def sifive_e_machine_init(machine: MachineState) -> None:
    """Its RAM is on the chip."""
    if machine.ram_size != SIFIVE_E_DTIM_SIZE:
        raise fail(f"Invalid RAM size, should be {size_to_str(SIFIVE_E_DTIM_SIZE)}")
    if machine.kernel_filename:
        riscv_load_kernel(machine.kernel_filename, SIFIVE_E_DTIM, None)
    give_up(machine)


def sifive_e_machine_class_init(oc: ObjectClass) -> None:
    """What `-machine help` and `-machine sifive_e,help` tell of this board."""
    mc = MACHINE_CLASS(oc)
    mc.desc = "RISC-V Board compatible with SiFive E SDK"
    mc.init = sifive_e_machine_init
    mc.max_cpus = 1
    mc.default_cpu_type = "sifive-e51-riscv-cpu"
    mc.default_ram_id = "riscv.sifive.e.ram"
    mc.default_ram_size = SIFIVE_E_DTIM_SIZE
    class_add_bool_fields(oc, "revb")
    description = "Set on to tell QEMU that it should model the revB HiFive1 board"
    object_class_property_set_description(oc, "revb", description)


# ---- SiFive's big board


def sifive_u_machine_init(machine: MachineState) -> None:
    """It starts as `virt` does."""
    riscv_find_and_load_firmware(machine, RISCV64_BIOS_BIN, SIFIVE_U_DRAM, None)
    if machine.kernel_filename:
        riscv_load_kernel(machine.kernel_filename, SIFIVE_U_DRAM + 2 * MiB, None)
    give_up(machine)


def sifive_u_machine_instance_init(obj: Object) -> None:
    """The first of its series."""
    s = object_check(obj, SiFiveUState, MACHINE_TYPE_NAME("sifive_u"))
    s.serial = 1
    object_property_add_uint32_ptr(obj, "msel", Pointer(s, "msel"), ObjectPropertyFlags.READWRITE)
    object_property_set_description(obj, "msel", "Mode Select (MSEL[3:0]) pin state")
    object_property_add_uint32_ptr(obj, "serial", Pointer(s, "serial"), ObjectPropertyFlags.READWRITE)
    object_property_set_description(obj, "serial", "Board serial number")


def sifive_u_machine_class_init(oc: ObjectClass) -> None:
    """The class: one hart to manage, up to four to compute."""
    mc = MACHINE_CLASS(oc)
    mc.desc = "RISC-V Board compatible with SiFive U SDK"
    mc.init = sifive_u_machine_init
    mc.max_cpus = 5
    mc.min_cpus = mc.default_cpus = 2
    mc.default_cpu_type = "sifive-u54-riscv-cpu"
    mc.default_ram_id = "riscv.sifive.u.ram"
    class_add_bool_fields(oc, "start-in-flash")
    object_class_property_set_description(
        oc,
        "start-in-flash",
        "Set on to tell QEMU's ROM to jump to flash. Otherwise QEMU will jump to DRAM or L2LIM depending on the msel"
        " value",
    )


# ---- the board of IIT Madras


def shakti_c_machine_state_init(machine: MachineState) -> None:
    """It starts with whatever firmware the user brings."""
    if machine.firmware:
        riscv_load_firmware(machine.firmware, SHAKTI_C_RAM, None)
    give_up(machine)


def shakti_c_machine_class_init(oc: ObjectClass) -> None:
    """What `-machine help` and `-machine shakti_c,help` tell of this board."""
    mc = MACHINE_CLASS(oc)
    mc.desc = "RISC-V Board compatible with Shakti SDK"
    mc.init = shakti_c_machine_state_init
    mc.default_cpu_type = "shakti-c-riscv-cpu"
    mc.default_ram_id = "riscv.shakti.c.ram"


# ---- Microchip's board


def microchip_icicle_kit_machine_init(machine: MachineState) -> None:
    """Its firmware tests all of its memory."""
    default_ram_size = 1537 * MiB
    if machine.ram_size < default_ram_size:
        raise fail(f"Invalid RAM size, should be bigger than {size_to_str(default_ram_size)}")
    riscv_find_and_load_firmware(machine, BIOS_FILENAME, MICROCHIP_PFSOC_RESET_VECTOR, None)
    give_up(machine)


def microchip_icicle_kit_machine_class_init(oc: ObjectClass) -> None:
    """The class: one hart to manage, up to four to compute."""
    mc = MACHINE_CLASS(oc)
    mc.desc = "Microchip PolarFire SoC Icicle Kit"
    mc.init = microchip_icicle_kit_machine_init
    mc.max_cpus = 5
    mc.min_cpus = mc.default_cpus = 2
    mc.default_ram_id = "microchip.icicle.kit.ram"
    mc.default_ram_size = 1537 * MiB


type_init(
    TypeInfo(
        MACHINE_TYPE_NAME("sifive_e"),
        parent=TYPE_MACHINE,
        instance_struct=SiFiveEState,
        class_init=sifive_e_machine_class_init,
        instance_init=struct_defaults,
    )
)
type_init(
    TypeInfo(
        MACHINE_TYPE_NAME("sifive_u"),
        parent=TYPE_MACHINE,
        instance_struct=SiFiveUState,
        class_init=sifive_u_machine_class_init,
        instance_init=sifive_u_machine_instance_init,
    )
)
type_init(
    TypeInfo(
        MACHINE_TYPE_NAME("shakti_c"),
        parent=TYPE_MACHINE,
        class_init=shakti_c_machine_class_init,
        instance_init=struct_defaults,
    )
)
type_init(
    TypeInfo(
        MACHINE_TYPE_NAME("microchip-icicle-kit"),
        parent=TYPE_MACHINE,
        class_init=microchip_icicle_kit_machine_class_init,
    )
)
