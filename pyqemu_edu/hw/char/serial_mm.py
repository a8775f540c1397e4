"""A serial port whose registers lie in memory (QEMU hw/char/serial.c)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.chardev.chardev import Chardev
from pyqemu_edu.hw.char.serial import serial_ioport_read, serial_ioport_write
from pyqemu_edu.hw.char.serial_state import TYPE_SERIAL, SerialState
from pyqemu_edu.hw.core.irq import qemu_irq
from pyqemu_edu.hw.core.qdev import qdev_new, qdev_set_legacy_instance_id
from pyqemu_edu.hw.core.qdev_bus import qdev_realize
from pyqemu_edu.hw.core.qdev_core import DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_UINT8,
    device_class_set_props,
    qdev_alias_all_properties,
    qdev_prop_set_uint8,
    qdev_prop_set_uint32,
)
from pyqemu_edu.hw.core.qdev_properties_system import qdev_prop_set_chr
from pyqemu_edu.hw.core.sysbus import (
    TYPE_SYS_BUS_DEVICE,
    SysBusDevice,
    sysbus_connect_irq,
    sysbus_init_irq,
    sysbus_init_mmio,
    sysbus_mmio_get_region,
    sysbus_realize_and_unref,
)
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.qom.user_creatable import object_initialize_child
from pyqemu_edu.softmmu.memory import (
    AccessSizes,
    DeviceEndian,
    MemoryRegion,
    MemoryRegionOps,
    memory_region_add_subregion,
    memory_region_init_io,
)

TYPE_SERIAL_MM = "serial-mm"
DEVICE_NATIVE_ENDIAN, DEVICE_BIG_ENDIAN, DEVICE_LITTLE_ENDIAN = range(3)


@dataclass(eq=False)
class SerialMM(SysBusDevice):
    """A port; its registers are `1 << regshift` bytes apart."""

    serial: SerialState = field(init=False, repr=False)
    regshift: int = 0
    endianness: int = 0


def SERIAL_MM(obj: object) -> SerialMM:
    """Cast to a port in memory."""
    return object_check(obj, SerialMM, TYPE_SERIAL_MM)


def serial_mm_read(s: SerialMM, addr: int, size: int) -> int:
    """A hart reads a register, which has a byte however much is asked for."""
    return serial_ioport_read(s.serial, addr >> s.regshift, 1)


def serial_mm_write(s: SerialMM, addr: int, value: int, size: int) -> None:
    """A hart writes a register; only the lowest byte counts."""
    serial_ioport_write(s.serial, addr >> s.regshift, value & 0xFF, 1)


serial_mm_ops = tuple(
    MemoryRegionOps(serial_mm_read, serial_mm_write, endianness, AccessSizes(0, 8), AccessSizes(0, 8))
    for endianness in (DeviceEndian.NATIVE, DeviceEndian.BIG, DeviceEndian.LITTLE)
)


def serial_mm_realize(dev: DeviceState) -> None:
    """The port within, and its registers and interrupt on the outside."""
    smm = SERIAL_MM(dev)
    qdev_realize(smm.serial, None)
    io = memory_region_init_io(dev, serial_mm_ops[smm.endianness], smm, "serial", 8 << smm.regshift)
    sysbus_init_mmio(smm, io)
    sysbus_init_irq(smm, Pointer(smm.serial, "irq"))


vmstate_serial_mm = VMStateDescription("serial", version_id=3, minimum_version_id=2)


def serial_mm_init(
    address_space: MemoryRegion, base: int, regshift: int, irq: qemu_irq, baudbase: int, chr: Chardev | None, end: int
) -> SerialMM:
    """A port at `base`, its interrupt led to `irq`, its line to `chr`."""
    smm = SERIAL_MM(qdev_new(TYPE_SERIAL_MM))
    qdev_prop_set_uint8(smm, "regshift", regshift)
    qdev_prop_set_uint32(smm, "baudbase", baudbase)
    qdev_prop_set_chr(smm, "chardev", chr)
    qdev_set_legacy_instance_id(smm, base, 2)
    qdev_prop_set_uint8(smm, "endianness", end)
    sysbus_realize_and_unref(smm)
    sysbus_connect_irq(smm, 0, irq)
    memory_region_add_subregion(address_space, base, sysbus_mmio_get_region(smm, 0))
    return smm


def serial_mm_instance_init(obj: Object) -> None:
    """The port within, whose properties are ours."""
    smm = SERIAL_MM(obj)
    smm.serial = object_initialize_child(obj, "serial", TYPE_SERIAL)
    qdev_alias_all_properties(smm.serial, obj)


serial_mm_properties = (
    DEFINE_PROP_UINT8("regshift", "regshift", 0),
    DEFINE_PROP_UINT8("endianness", "endianness", DEVICE_NATIVE_ENDIAN),
)


def serial_mm_class_init(dc: DeviceClass) -> None:
    """Properties and realize of a UART whose registers are in memory."""
    device_class_set_props(dc, serial_mm_properties)
    dc.realize = serial_mm_realize
    dc.vmsd = vmstate_serial_mm


type_init(
    TypeInfo(
        TYPE_SERIAL_MM,
        parent=TYPE_SYS_BUS_DEVICE,
        instance_struct=SerialMM,
        class_init=serial_mm_class_init,
        instance_init=serial_mm_instance_init,
    )
)
