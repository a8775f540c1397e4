"""What QMP tells of machines and of this one (QEMU hw/core/machine-qmp-cmds.c)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from pyqemu_edu.cpus_common import CPU_FOREACH
from pyqemu_edu.hw.core.boards import MACHINE_GET_CLASS, TYPE_MACHINE, MachineClass, MachineState
from pyqemu_edu.hw.core.cpu import CPUState
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.qom.container import object_get_objects_root
from pyqemu_edu.qom.klass import object_class_check, object_class_get_list, object_dynamic_cast
from pyqemu_edu.qom.path import (
    object_children,
    object_get_canonical_path,
    object_get_canonical_path_component,
)
from pyqemu_edu.qom.property import object_property_get_qobject
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.util.error import QemuError

TARGET_NAME = "riscv64"
TYPE_MEMORY_BACKEND = "memory-backend"

Info = dict[str, Any]


def given(**members: Any) -> Info:
    """An answer's members, `_` standing for `-`, those that are None left out (Not in QEMU)."""
    return {name.replace("_", "-"): value for name, value in members.items() if value is not None}


def qmp_query_cpus_fast() -> list[Info]:
    """Each vCPU: which thread it is, where it is in the tree, and where in the machine."""
    return [cpu_info(cpu, current_machine()) for cpu in CPU_FOREACH()]


def cpu_info(cpu: CPUState, ms: MachineState) -> Info:
    """One vCPU (in QEMU a part of `qmp_query_cpus_fast`)."""
    to_props = MACHINE_GET_CLASS(ms).cpu_index_to_instance_props
    return given(
        cpu_index=cpu.cpu_index,
        qom_path=object_get_canonical_path(cpu),
        thread_id=cpu.thread_id,
        props=given(**asdict(to_props(ms, cpu.cpu_index))) if to_props else None,
        target=TARGET_NAME,
    )


def qmp_query_machines() -> list[Info]:
    """Every machine that `-machine` may name."""
    classes = object_class_get_list(TYPE_MACHINE, False)
    return [machine_info(object_class_check(klass, MachineClass, TYPE_MACHINE)) for klass in reversed(classes)]


def machine_info(mc: MachineClass) -> Info:
    """One of them (in QEMU a part of `qmp_query_machines`)."""
    return given(
        is_default=mc.is_default or None,
        alias=mc.alias,
        name=mc.name,
        cpu_max=mc.max_cpus or 1,
        hotpluggable_cpus=mc.has_hotpluggable_cpus,
        numa_mem_supported=mc.numa_mem_supported,
        deprecated=bool(mc.deprecation_reason),
        default_cpu_type=mc.default_cpu_type or None,
        default_ram_id=mc.default_ram_id or None,
    )


def qmp_query_current_machine() -> Info:
    """Whether the guest can be woken from a sleep: no RISC-V board can."""
    return {"wakeup-suspend-support": False}


def qmp_query_target() -> Info:
    """Which architecture this is."""
    return {"arch": TARGET_NAME}


def qmp_query_hotpluggable_cpus() -> list[Info]:
    """Which CPUs may be plugged in: no RISC-V board knows of that."""
    raise QemuError("The feature 'query-hotpluggable-cpus' is not enabled")


def qmp_query_memdev() -> list[Info]:
    """Each memory backend, the newest first."""
    return [
        query_memdev(obj)
        for obj in reversed(list(object_children(object_get_objects_root())))
        if object_dynamic_cast(obj, TYPE_MEMORY_BACKEND)
    ]


def query_memdev(obj: Object) -> Info:
    """One memory backend."""
    names = ("size", "merge", "dump", "prealloc", "share", "reserve", "policy", "host-nodes")
    values = {name: object_property_get_qobject(obj, name) for name in names}
    return {"id": object_get_canonical_path_component(obj), **values}


def qmp_query_memory_size_summary() -> Info:
    """How much RAM there is; none can be plugged in (QEMU monitor/qmp-cmds.c)."""
    return {"base-memory": current_machine().ram_size}


def qmp_x_query_numa() -> str:
    """The nodes, the CPUs of each, and its memory."""
    nodes = current_machine().numa_state
    count = nodes.num_nodes if nodes is not None else 0
    lines = [f"{count} nodes\n"]
    cpus = qmp_query_cpus_fast()
    for i in range(count):
        assert nodes is not None
        own = [cpu["cpu-index"] for cpu in cpus if cpu.get("props", {}).get("node-id") == i]
        lines += [
            f"node {i} cpus:{''.join(f' {index}' for index in own)}\n",
            f"node {i} size: {nodes.nodes[i].node_mem >> 20} MB\n",
            f"node {i} plugged: 0 MB\n",
        ]
    return "".join(lines)
