"""NUMA nodes: which there are, and whether together they make sense (QEMU hw/core/numa.c).

The option is taken apart in `softmmu/numa_options.py`.
"""

from __future__ import annotations

from itertools import combinations, product

from pyqemu_edu.backends.hostmem import MEMORY_BACKEND
from pyqemu_edu.hw.core.boards import (
    MACHINE_GET_CLASS,
    MAX_NODES,
    CPUArchId,
    CpuInstanceProperties,
    MachineState,
    NodeInfo,
    NumaState,
)
from pyqemu_edu.hw.core.machine_memdev import machine_consume_memdev
from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.memory import MemoryRegion, memory_region_add_subregion
from pyqemu_edu.softmmu.memory_init import memory_region_init
from pyqemu_edu.util.error import QemuError, QemuExit, error_report, warn_report

NUMA_DISTANCE_MIN = 10


class Statics:
    def __init__(self) -> None:
        self.have_memdevs = False
        self.have_mem = False


statics = per_process(Statics)


def numa_uses_legacy_mem() -> bool:
    """Does RAM come from one place, not from a backend for each node?"""
    return not statics().have_memdevs


def parse_numa_node(ms: MachineState, nodeid: int | None = None, mem: int = 0) -> NodeInfo:
    """Enter a node; without a number the next free one."""
    assert ms.numa_state is not None
    nodenr = ms.numa_state.num_nodes if nodeid is None else nodeid
    if nodenr >= MAX_NODES:
        raise QemuError(f"Max number of NUMA nodes reached: {nodenr}")
    if nodenr in ms.numa_state.nodes:
        raise QemuError(f"Duplicate NUMA nodeid: {nodenr}")
    node = ms.numa_state.nodes[nodenr] = NodeInfo(node_mem=mem, present=True)
    ms.numa_state.num_nodes += 1
    return node


def numa_complete_configuration(ms: MachineState) -> None:
    """All nodes have been named: none may be missing, and they must share all of RAM."""
    assert ms.numa_state is not None
    auto_enable_numa(ms)
    nodes = ms.numa_state.nodes
    for i in reversed(range(max(nodes, default=-1) + 1)):
        if i not in nodes:
            raise fail(f"numa: Node ID missing: {i}")
    total = sum(node.node_mem for node in nodes.values())
    if nodes and total != ms.ram_size:
        raise fail(f"total memory for NUMA nodes (0x{total:x}) should equal RAM size (0x{ms.ram_size:x})")
    if nodes and not numa_uses_legacy_mem():
        join_memdevs(ms)
    if nodes and ms.numa_state.have_numa_distance:
        validate_numa_distance(ms.numa_state)
        complete_init_numa_distance(ms.numa_state)


def fail(message: str) -> QemuExit:
    """Report what ends the process; raise what comes back (Not in QEMU)."""
    error_report(message)
    return QemuExit(1)


def join_memdevs(ms: MachineState) -> None:
    """Make one RAM of the nodes' (in QEMU a part of `numa_complete_configuration`)."""
    ram_id = MACHINE_GET_CLASS(ms).default_ram_id
    if not ram_id:
        return
    if ms.memdev is not None:
        raise fail("'-machine memory-backend' and '-numa memdev' properties are mutually exclusive")
    ms.ram = memory_region_init(ms, ram_id, ms.ram_size)
    numa_init_memdev_container(ms, ms.ram)


def numa_init_memdev_container(ms: MachineState, ram: MemoryRegion) -> None:
    """One node's memory after the other's."""
    assert ms.numa_state is not None
    addr = 0
    for _, node in sorted(ms.numa_state.nodes.items()):
        if node.node_memdev is not None:
            memory_region_add_subregion(ram, addr, machine_consume_memdev(ms, MEMORY_BACKEND(node.node_memdev)))
            addr += node.node_mem


def validate_numa_distance(numa_state: NumaState) -> None:
    """Of every pair one distance at least must be known, and if they differ one way and the other, all."""
    nodes = numa_state.nodes
    distance = {(src, dst): nodes[src].distance.get(dst, 0) for src in nodes for dst in nodes}
    for src, dst in combinations(sorted(nodes), 2):
        if not distance[src, dst] and not distance[dst, src]:
            raise fail(
                f"The distance between node {src} and {dst} is missing, at least one distance value between each nodes"
                " should be provided."
            )
    is_asymmetrical = any(0 != there != distance[dst, src] != 0 for (src, dst), there in distance.items())
    if is_asymmetrical and any(src != dst and not there for (src, dst), there in distance.items()):
        raise fail(
            "At least one asymmetrical pair of distances is given, please provide distances for both directions of all"
            " node pairs."
        )


def complete_init_numa_distance(numa_state: NumaState) -> None:
    """What is not known is as far as the other way round."""
    nodes = numa_state.nodes
    for src, dst in product(sorted(nodes), repeat=2):
        if not nodes[src].distance.get(dst):
            nodes[src].distance[dst] = NUMA_DISTANCE_MIN if src == dst else nodes[dst].distance[src]


def auto_enable_numa(ms: MachineState) -> None:
    """Some boards want a node for all of RAM where the user named none (in QEMU `numa_complete_configuration`)."""
    mc = MACHINE_GET_CLASS(ms)
    assert ms.numa_state is not None
    by_slots = ms.ram_slots and mc.auto_enable_numa_with_memhp
    by_devices = ms.maxram_size > ms.ram_size and mc.auto_enable_numa_with_memdev
    if not ms.numa_state.nodes and (by_slots or by_devices or mc.auto_enable_numa):
        parse_numa_node(ms, mem=ms.ram_size)


def machine_set_cpu_numa_node(machine: MachineState, props: CpuInstanceProperties) -> None:
    """Give all places for vCPUs that fit `props` its node (QEMU hw/core/machine.c)."""
    possible = MACHINE_GET_CLASS(machine).possible_cpu_arch_ids
    if possible is None:
        raise QemuError("mapping of CPUs to NUMA node is not supported")
    slots = [slot for slot in possible(machine) if fits(slot, props)]
    if not slots:
        raise QemuError("no match found")
    for slot in slots:
        if slot.props.node_id not in (None, props.node_id):
            raise QemuError(f"CPU is already assigned to node-id: {slot.props.node_id}")
        slot.props.node_id = props.node_id


def fits(slot: CPUArchId, props: CpuInstanceProperties) -> bool:
    """Is the place where `props` say, as far as they say it?"""
    for level in ("thread_id", "core_id", "cluster_id", "die_id", "socket_id"):
        wanted, there = getattr(props, level), getattr(slot.props, level)
        if wanted is not None and there is None:
            raise QemuError(f"{level.replace('_', '-')} is not supported")
        if wanted not in (None, there):
            return False
    return True


def machine_numa_finish_cpu_init(machine: MachineState) -> None:
    """Give places for vCPUs that have no node their default one, or, if others have one, node 0 with a warning.

    (QEMU hw/core/machine.c)
    """
    mc = MACHINE_GET_CLASS(machine)
    assert mc.possible_cpu_arch_ids is not None
    assert mc.get_default_cpu_node_id is not None
    slots = mc.possible_cpu_arch_ids(machine)
    default_mapping = all(slot.props.node_id is None for slot in slots)
    missing = []
    for i, slot in enumerate(slots):
        if slot.props.node_id is None:
            slot.props.node_id = mc.get_default_cpu_node_id(machine, i) if default_mapping else 0
            missing.append(f"CPU {i} [core-id: {slot.props.core_id}]")
    if missing and not default_mapping:
        warn_report(f"CPU(s) not present in any NUMA nodes: {', '.join(missing)}")
        warn_report(
            "All CPU(s) up to maxcpus should be described in NUMA config, ability to start up with partial NUMA"
            " mappings is obsoleted and will be removed in future"
        )
