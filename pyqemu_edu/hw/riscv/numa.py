"""Sockets of a RISC-V board: its NUMA nodes, or one for all (QEMU hw/riscv/numa.c)."""

from __future__ import annotations

import struct

from pyqemu_edu.hw.core.boards import MACHINE_GET_CLASS, CPUArchId, CpuInstanceProperties, MachineState
from pyqemu_edu.softmmu.device_tree import (
    qemu_fdt_add_subnode,
    qemu_fdt_setprop,
    qemu_fdt_setprop_cell,
    qemu_fdt_setprop_string,
)
from pyqemu_edu.softmmu.libfdt import Fdt
from pyqemu_edu.util.error import QemuExit, error_report


def numa_enabled(ms: MachineState) -> bool:
    """Did the user ask for nodes?"""
    return ms.numa_state is not None and ms.numa_state.num_nodes > 0


def riscv_socket_count(ms: MachineState) -> int:
    """How many sockets there are; `-smp sockets=` does not count."""
    return ms.numa_state.num_nodes if ms.numa_state is not None and numa_enabled(ms) else 1


def socket_hartids(ms: MachineState, socket_id: int) -> list[int]:
    """The harts of a socket (Not in QEMU: a loop in each of the functions below)."""
    if not numa_enabled(ms):
        return list(range(ms.smp.cpus)) if socket_id == 0 else []
    assert ms.possible_cpus is not None
    return [i for i in range(ms.smp.cpus) if ms.possible_cpus[i].props.node_id == socket_id]


def riscv_socket_first_hartid(ms: MachineState, socket_id: int) -> int:
    """The lowest number; -1 if there is none."""
    return min(socket_hartids(ms, socket_id), default=-1)


def riscv_socket_hart_count(ms: MachineState, socket_id: int) -> int:
    """How many numbers there are from the lowest to the highest; -1 if there is none."""
    hartids = socket_hartids(ms, socket_id)
    return max(hartids) - min(hartids) + 1 if hartids else -1


def riscv_socket_check_hartids(ms: MachineState, socket_id: int) -> bool:
    """Are the numbers without gaps?"""
    hartids = socket_hartids(ms, socket_id)
    return bool(hartids) and len(hartids) == riscv_socket_hart_count(ms, socket_id)


def riscv_socket_mem_offset(ms: MachineState, socket_id: int) -> int:
    """Where in RAM the socket's part begins."""
    if ms.numa_state is None or not numa_enabled(ms):
        return 0
    return sum(ms.numa_state.nodes[i].node_mem for i in range(socket_id))


def riscv_socket_mem_size(ms: MachineState, socket_id: int) -> int:
    """How much RAM the socket has."""
    if ms.numa_state is None or not numa_enabled(ms):
        return ms.ram_size if socket_id == 0 else 0
    return ms.numa_state.nodes[socket_id].node_mem


def riscv_socket_fdt_write_id(ms: MachineState, fdt: Fdt, node_name: str, socket_id: int) -> None:
    """Tell the guest to which node something belongs, if there are any."""
    if numa_enabled(ms):
        qemu_fdt_setprop_cell(fdt, node_name, "numa-node-id", socket_id)


def riscv_socket_fdt_write_distance_matrix(ms: MachineState, fdt: Fdt) -> None:
    """Tell the guest how far nodes are apart, if the user did."""
    if ms.numa_state is None or not numa_enabled(ms) or not ms.numa_state.have_numa_distance:
        return
    count = riscv_socket_count(ms)
    nodes = ms.numa_state.nodes
    entries = [struct.pack(">3I", i, j, nodes[i].distance[j]) for i in range(count) for j in range(count)]
    qemu_fdt_add_subnode(fdt, "/distance-map")
    qemu_fdt_setprop_string(fdt, "/distance-map", "compatible", "numa-distance-map-v1")
    qemu_fdt_setprop(fdt, "/distance-map", "distance-matrix", b"".join(entries))


def riscv_numa_cpu_index_to_props(ms: MachineState, cpu_index: int) -> CpuInstanceProperties:
    """Where a hart sits."""
    possible_cpu_arch_ids = MACHINE_GET_CLASS(ms).possible_cpu_arch_ids
    assert possible_cpu_arch_ids is not None
    return possible_cpu_arch_ids(ms)[cpu_index].props


def riscv_numa_get_default_cpu_node_id(ms: MachineState, idx: int) -> int:
    """By default the harts are dealt out evenly, the rest to the last node."""
    assert ms.numa_state is not None
    num_nodes = ms.numa_state.num_nodes
    if num_nodes > ms.smp.cpus:
        error_report(
            f"Number of NUMA nodes ({num_nodes}) cannot exceed the number of available CPUs ({ms.smp.max_cpus})."
        )
        raise QemuExit(1)
    return min(idx // (ms.smp.cpus // num_nodes), num_nodes - 1) if num_nodes else 0


def riscv_numa_possible_cpu_arch_ids(ms: MachineState) -> list[CPUArchId]:
    """A place for each hart that there may be."""
    if ms.possible_cpus is None:
        ms.possible_cpus = [
            CPUArchId(arch_id=n, type=ms.cpu_type, props=CpuInstanceProperties(core_id=n))
            for n in range(ms.smp.max_cpus)
        ]
    return ms.possible_cpus
