"""An accelerator takes charge of a machine and its vCPUs (QEMU accel/accel-softmmu.c)."""

from __future__ import annotations

from pyqemu_edu.accel.accel_common import (
    AccelClass,
    AccelState,
    accel_find,
    accel_init_cpu_interfaces,
    statics,
)
from pyqemu_edu.hw.core.boards import MachineState
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.qom.globals import object_set_accelerator_compat_props
from pyqemu_edu.qom.klass import module_object_class_by_name, object_class_get_name
from pyqemu_edu.qom.object import object_unref
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import TYPE_OBJECT, type_init
from pyqemu_edu.softmmu.accel_ops import ACCEL_OPS_NAME, TYPE_ACCEL_OPS, AccelOpsClass, cpus_register_accel
from pyqemu_edu.util.error import QemuExit, error_report

__all__ = [
    "accel_find",
    "accel_init_interfaces",
    "accel_init_machine",
    "accel_init_ops_interfaces",
    "accel_setup_post",
    "accel_supported_gdbstub_sstep_flags",
    "current_accel",
    "current_accel_name",
]


def ACCEL_GET_CLASS(accel: AccelState) -> AccelClass:
    """The accelerator's class."""
    assert isinstance(accel.klass, AccelClass)
    return accel.klass


def accel_init_machine(accel: AccelState, ms: MachineState) -> int:
    """Let the accelerator prepare; negative if it cannot, and then it is gone."""
    acc = ACCEL_GET_CLASS(accel)
    ms.accelerator = accel
    statics().allowed.add(acc.name)
    assert acc.init_machine is not None
    ret = acc.init_machine(ms)
    if ret < 0:
        ms.accelerator = None
        statics().allowed.discard(acc.name)
        object_unref(accel)
    else:
        object_set_accelerator_compat_props(acc.compat_props)
    return ret


def current_accel() -> AccelState:
    """The machine's accelerator."""
    accel = current_machine().accelerator
    assert isinstance(accel, AccelState)
    return accel


def current_accel_name() -> str:
    """What `-accel` calls it (QEMU accel/accel-common.c)."""
    return ACCEL_GET_CLASS(current_accel()).name


def accel_setup_post(ms: MachineState) -> None:
    """The accelerator's last word, once the machine is built."""
    acc = ACCEL_GET_CLASS(ms.accelerator)
    if acc.setup_post:
        acc.setup_post(ms, ms.accelerator)


def accel_supported_gdbstub_sstep_flags() -> int:
    """What a debugger may ask of single steps (QEMU accel/accel-common.c)."""
    supported = ACCEL_GET_CLASS(current_accel()).gdbstub_supported_sstep_flags
    return supported() if supported else 0


def accel_init_ops_interfaces(ac: AccelClass) -> None:
    """Find the accelerator's operations by name, let them choose, and register them."""
    ops_name = ACCEL_OPS_NAME(object_class_get_name(ac))
    ops = module_object_class_by_name(ops_name)
    if ops is None:
        error_report(f"fatal: could not load module for type '{ops_name}'")
        raise QemuExit(1)
    assert isinstance(ops, AccelOpsClass)
    if ops.ops_init:
        ops.ops_init(ops)
    cpus_register_accel(ops)


def accel_init_interfaces(ac: AccelClass) -> None:
    """The accelerator's part in vCPUs and CPU models (QEMU accel/accel-common.c)."""
    accel_init_ops_interfaces(ac)
    accel_init_cpu_interfaces(ac)


type_init(TypeInfo(TYPE_ACCEL_OPS, parent=TYPE_OBJECT, abstract=True, class_struct=AccelOpsClass))
