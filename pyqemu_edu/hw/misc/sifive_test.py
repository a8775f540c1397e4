"""A word to write to, and the machine ends or begins again (QEMU hw/misc/sifive_test.c)."""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.hw.core.qdev import qdev_new
from pyqemu_edu.hw.core.sysbus import (
    TYPE_SYS_BUS_DEVICE,
    SysBusDevice,
    sysbus_init_mmio,
    sysbus_mmio_map,
    sysbus_realize_and_unref,
)
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import AccessSizes, MemoryRegionOps, memory_region_init_io
from pyqemu_edu.softmmu.runstate import qemu_system_reset_request
from pyqemu_edu.softmmu.runstate_transitions import ShutdownCause
from pyqemu_edu.util.error import QemuExit
from pyqemu_edu.util.log import LOG_GUEST_ERROR, qemu_log_mask

TYPE_SIFIVE_TEST = "riscv.sifive.test"
FINISHER_FAIL = 0x3333
FINISHER_PASS = 0x5555
FINISHER_RESET = 0x7777


@dataclass(eq=False)
class SiFiveTestState(SysBusDevice):
    """A device without state: what is written acts at once."""


def sifive_test_read(s: SiFiveTestState, addr: int, size: int) -> int:
    """Nothing can be read."""
    return 0


def sifive_test_write(s: SiFiveTestState, addr: int, value: int, size: int) -> None:
    """The low half says what is to happen, the high half with which exit status.  `QemuExit` ends the process."""
    if addr == 0:
        status, code = value & 0xFFFF, value >> 16 & 0xFFFF
        if status == FINISHER_FAIL:
            raise QemuExit(code & 0xFF)
        if status == FINISHER_PASS:
            raise QemuExit(0)
        if status == FINISHER_RESET:
            qemu_system_reset_request(ShutdownCause.GUEST_RESET)
            return
    qemu_log_mask(LOG_GUEST_ERROR, f"sifive_test_write: write: addr=0x{addr:x} val=0x{value:016x}\n")


sifive_test_ops = MemoryRegionOps(read=sifive_test_read, write=sifive_test_write, valid=AccessSizes(2, 4))


def sifive_test_init(obj: Object) -> None:
    """Make its one register."""
    s = object_check(obj, SiFiveTestState, TYPE_SIFIVE_TEST)
    sysbus_init_mmio(s, memory_region_init_io(s, sifive_test_ops, s, TYPE_SIFIVE_TEST, 0x1000))


def sifive_test_create(addr: int) -> SiFiveTestState:
    """The device at `addr`."""
    dev = object_check(qdev_new(TYPE_SIFIVE_TEST), SiFiveTestState, TYPE_SIFIVE_TEST)
    sysbus_realize_and_unref(dev)
    sysbus_mmio_map(dev, 0, addr)
    return dev


type_init(
    TypeInfo(
        TYPE_SIFIVE_TEST,
        parent=TYPE_SYS_BUS_DEVICE,
        instance_struct=SiFiveTestState,
        instance_init=sifive_test_init,
    )
)
