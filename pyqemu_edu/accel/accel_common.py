"""What every accelerator has, and what one does to CPU models (QEMU accel/accel-common.c, include/qemu/accel.h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.hw.core.cpu import CPU_GET_CLASS, CPUClass, CPUState
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.globals import GlobalProperty
from pyqemu_edu.qom.klass import (
    module_object_class_by_name,
    object_class_by_name,
    object_class_foreach,
    object_class_get_name,
)
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init

TYPE_ACCEL = "accel"
TYPE_ACCEL_CPU = "accel-riscv-cpu"
ACCEL_CLASS_SUFFIX = "-" + TYPE_ACCEL
CPU_RESOLVING_TYPE = "riscv-cpu"


@dataclass(eq=False)
class AccelState(Object):
    """The accelerator of a machine."""


@dataclass(eq=False)
class AccelClass(ObjectClass):
    """A kind of accelerator.  `init_machine(ms)` gives 0, or a negative number if it cannot run this machine."""

    name: str = ""
    init_machine: Callable[[Any], int] | None = None
    setup_post: Callable[[Any, AccelState], None] | None = None
    has_memory: Callable[..., bool] | None = None
    preconfig_init: Callable[..., None] | None = None
    gdbstub_supported_sstep_flags: Callable[[], int] | None = None
    compat_props: list[GlobalProperty] = field(default_factory=list)


@dataclass(eq=False)
class AccelCPUClass(ObjectClass):
    """What an accelerator does to CPU models, instances and realization."""

    cpu_class_init: Callable[[CPUClass], None] | None = None
    cpu_realizefn: Callable[[CPUState], None] | None = None


class Statics:
    """Which accelerators are in use: in C a variable for each, such as `tcg_allowed`, that the class points to."""

    def __init__(self) -> None:
        self.allowed: set[str] = set()


statics = per_process(Statics)


def ACCEL_CLASS_NAME(name: str) -> str:
    """The type of the accelerator called `name`."""
    return name + ACCEL_CLASS_SUFFIX


def accel_allowed(name: str) -> bool:
    """Whether this accelerator runs the machine (in C the macros `tcg_enabled()`, `kvm_enabled()` …)."""
    return name in statics().allowed


def tcg_enabled() -> bool:
    """Whether TCG runs the machine (QEMU include/sysemu/tcg.h)."""
    return accel_allowed("tcg")


def accel_find(opt_name: str) -> AccelClass | None:
    """The class of the accelerator called `opt_name`; None if there is none."""
    ac = module_object_class_by_name(ACCEL_CLASS_NAME(opt_name))
    return ac if isinstance(ac, AccelClass) else None


def accel_init_cpu_int_aux(klass: ObjectClass, opaque: AccelCPUClass) -> None:
    """One CPU model learns what the accelerator does to it, and the accelerator what the model wants."""
    assert isinstance(klass, CPUClass)
    klass.accel_cpu = opaque
    if opaque.cpu_class_init:
        opaque.cpu_class_init(klass)
    if klass.init_accel_cpu:
        klass.init_accel_cpu(opaque, klass)


def accel_init_cpu_interfaces(ac: AccelClass) -> None:
    """Tell all CPU models, if this accelerator does anything to them; TCG does nothing to RISC-V's."""
    acc = object_class_by_name(f"{object_class_get_name(ac)}-{CPU_RESOLVING_TYPE}")
    if isinstance(acc, AccelCPUClass):
        found = acc
        object_class_foreach(lambda klass: accel_init_cpu_int_aux(klass, found), CPU_RESOLVING_TYPE, False)


def accel_cpu_realizefn(cpu: CPUState) -> None:
    """The accelerator's part in realizing a CPU."""
    accel_cpu = CPU_GET_CLASS(cpu).accel_cpu
    if accel_cpu and accel_cpu.cpu_realizefn:
        accel_cpu.cpu_realizefn(cpu)


type_init(
    TypeInfo(TYPE_ACCEL, parent=TYPE_OBJECT, instance_struct=AccelState, class_struct=AccelClass),
    TypeInfo(TYPE_ACCEL_CPU, parent=TYPE_OBJECT, class_struct=AccelCPUClass, abstract=True),
)
