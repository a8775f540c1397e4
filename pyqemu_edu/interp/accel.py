"""`-accel interp`: one instruction at a time, all vCPUs in one thread (Not in QEMU).

It comes as QEMU's loadable modules do: its types are registered when they are first asked for, so that the table at
start is QEMU's own.  Memory, threads and the handling of traps are TCG's.
"""

from __future__ import annotations

from typing import Any

from pyqemu_edu.accel.accel_common import ACCEL_CLASS_NAME, TYPE_ACCEL, AccelClass, statics
from pyqemu_edu.accel.tcg.tcg_accel_ops import tcg_accel_ops_init
from pyqemu_edu.accel.tcg.tcg_all import TCG_STATE, TCGState, tcg_gdbstub_supported_sstep_flags, tcg_init_machine
from pyqemu_edu.interp.cold import read_block
from pyqemu_edu.interp.cpu_exec import interp_cpu_exec
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_register_static_array
from pyqemu_edu.softmmu.accel_ops import ACCEL_OPS_NAME, TYPE_ACCEL_OPS, AccelOpsClass
from pyqemu_edu.target.riscv.cpu import riscv_tcg_ops
from pyqemu_edu.util.module import Constructor, ModuleInitType, QemuModinfo, module_info

TYPE_INTERP_ACCEL = ACCEL_CLASS_NAME("interp")


def interp_instance_init(obj: Object) -> None:
    """One thread for all: so harts take turns, and atomic instructions are atomic by themselves."""
    TCG_STATE(obj).mttcg_enabled = False


def interp_init_machine(ms: Any) -> int:
    """Set up what it borrows from TCG, whose presence the vCPUs ask for when they are realized."""
    statics().allowed.add("tcg")
    return tcg_init_machine(ms)


def interp_accel_class_init(oc: ObjectClass) -> None:
    """The accelerator."""
    assert isinstance(oc, AccelClass)
    oc.name = "interp"
    oc.init_machine = interp_init_machine
    oc.gdbstub_supported_sstep_flags = tcg_gdbstub_supported_sstep_flags


def interp_accel_ops_init(ops: AccelOpsClass) -> None:
    """TCG's threads, but each turn is interpreted."""
    tcg_accel_ops_init(ops)
    ops.cpu_exec = interp_cpu_exec


def interp_accel_ops_class_init(oc: ObjectClass) -> None:
    """How it runs vCPUs."""
    assert isinstance(oc, AccelOpsClass)
    oc.ops_init = interp_accel_ops_init


INTERP_TYPES = (
    TypeInfo(
        TYPE_INTERP_ACCEL,
        parent=TYPE_ACCEL,
        instance_struct=TCGState,
        instance_init=interp_instance_init,
        class_init=interp_accel_class_init,
    ),
    TypeInfo(
        ACCEL_OPS_NAME(TYPE_INTERP_ACCEL),
        parent=TYPE_ACCEL_OPS,
        class_init=interp_accel_ops_class_init,
        abstract=True,
    ),
)


def interp_register_types() -> None:
    """What loading the module does."""
    type_register_static_array(INTERP_TYPES)


module_info.append(
    QemuModinfo(
        "accel-interp",
        objs=tuple(info.name for info in INTERP_TYPES),
        constructors=[Constructor(interp_register_types, ModuleInitType.QOM)],
        listed=False,
    )
)

riscv_tcg_ops.read_block = read_block
