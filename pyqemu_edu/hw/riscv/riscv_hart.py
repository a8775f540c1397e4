"""An array of harts: one socket's worth of RISC-V CPUs (QEMU hw/riscv/riscv_hart.c)."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.hw.core.cpu import cpu_reset
from pyqemu_edu.hw.core.qdev_bus import qdev_realize
from pyqemu_edu.hw.core.qdev_core import DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_STRING,
    DEFINE_PROP_UINT32,
    DEFINE_PROP_UINT64,
    device_class_set_props,
    qdev_prop_set_uint64,
)
from pyqemu_edu.hw.core.reset import qemu_register_reset
from pyqemu_edu.hw.core.sysbus import TYPE_SYS_BUS_DEVICE, SysBusDevice
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.qom.user_creatable import object_initialize_child
from pyqemu_edu.target.riscv.cpu_state import RISCVCPU

TYPE_RISCV_HART_ARRAY = "riscv.hart_array"
DEFAULT_RSTVEC = 0x1000


@dataclass(eq=False)
class RISCVHartArrayState(SysBusDevice):
    """`num_harts` CPUs of one type, whose numbers begin at `hartid_base`."""

    num_harts: int = 0
    hartid_base: int = 0
    cpu_type: str | None = None
    resetvec: int = 0
    harts: list[RISCVCPU] = field(default_factory=list)


def riscv_harts_cpu_reset(opaque: RISCVCPU) -> None:
    """A CPU is on no bus, so nobody but this handler resets it."""
    cpu_reset(opaque)


def riscv_hart_realize(s: RISCVHartArrayState, idx: int, cpu_type: str) -> None:
    """Make, number and realize one hart."""
    hart: RISCVCPU = object_initialize_child(s, "harts[*]", cpu_type)
    s.harts.append(hart)
    qdev_prop_set_uint64(hart, "resetvec", s.resetvec)
    hart.env.mhartid = s.hartid_base + idx
    qemu_register_reset(riscv_harts_cpu_reset, hart)
    qdev_realize(hart, None)


def riscv_harts_realize(dev: DeviceState) -> None:
    """Make and realize every hart of the array."""
    s = object_check(dev, RISCVHartArrayState, TYPE_RISCV_HART_ARRAY)
    assert s.cpu_type is not None
    for n in range(s.num_harts):
        riscv_hart_realize(s, n, s.cpu_type)


riscv_harts_props = (
    DEFINE_PROP_UINT32("num-harts", "num_harts", 1),
    DEFINE_PROP_UINT32("hartid-base", "hartid_base", 0),
    DEFINE_PROP_STRING("cpu-type", "cpu_type"),
    DEFINE_PROP_UINT64("resetvec", "resetvec", DEFAULT_RSTVEC),
)


def riscv_harts_class_init(dc: DeviceClass) -> None:
    """Properties and realize."""
    device_class_set_props(dc, riscv_harts_props)
    dc.realize = riscv_harts_realize


type_init(
    TypeInfo(
        TYPE_RISCV_HART_ARRAY,
        parent=TYPE_SYS_BUS_DEVICE,
        instance_struct=RISCVHartArrayState,
        class_init=riscv_harts_class_init,
    )
)
