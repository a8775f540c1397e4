"""`-numa`: which NUMA nodes there shall be (QEMU hw/core/numa.c).

Left out: ACPI's table of heterogeneous memory, which needs a board that has ACPI.
"""

from __future__ import annotations

from pyqemu_edu.hw.core.boards import MACHINE_GET_CLASS, MAX_NODES, CpuInstanceProperties, MachineState
from pyqemu_edu.hw.core.numa import machine_set_cpu_numa_node, parse_numa_node
from pyqemu_edu.qom.object import object_ref
from pyqemu_edu.qom.path import object_resolve_path_type
from pyqemu_edu.qom.property import object_property_get_uint
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.cutils import qemu_strtosz, qemu_strtou64
from pyqemu_edu.util.error import QemuError, error_fatal, warn_report
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opt_iter, qemu_opts_foreach

NUMA_DISTANCE_MIN = 10
HMAT_DISABLED = (
    "ACPI Heterogeneous Memory Attribute Table (HMAT) is disabled, enable it with -machine hmat=on before using any"
    " of hmat specific options"
)

# What QAPI says that each type of `-numa` takes (QEMU qapi/machine.json).
MEMBERS = {
    "node": ("nodeid", "cpus", "mem", "memdev", "initiator"),
    "dist": ("src", "dst", "val"),
    "cpu": ("node-id", "socket-id", "die-id", "cluster-id", "core-id", "thread-id"),
    "hmat-lb": ("initiator", "target", "hierarchy", "data-type", "latency", "bandwidth"),
    "hmat-cache": ("node-id", "size", "level", "associativity", "policy", "line"),
}


def parse_numa_opts(ms: MachineState) -> None:
    """Act on every `-numa`."""
    qemu_opts_foreach(qemu_find_opts("numa"), lambda opts: parse_numa(ms, opts))


def parse_numa(ms: MachineState, opts: QemuOpts) -> None:
    """Act on one `-numa`."""
    with error_fatal():
        set_numa_options(ms, checked_type(opts), opts)


def checked_type(opts: QemuOpts) -> str:
    """The type, all of whose options are known (QEMU `visit_type_NumaOptions`)."""
    type = qemu_opt_get(opts, "type")
    if type is None:
        raise QemuError("Parameter 'type' is missing")
    if type not in MEMBERS:
        raise QemuError(f"Parameter 'type' does not accept value '{type}'")
    for opt in opts:
        if opt.name not in ("type", *MEMBERS[type]):
            raise QemuError(f"Invalid parameter '{opt.name}'")
    return type


def number(opts: QemuOpts, name: str, kind: str = "uint16") -> int | None:
    """A number that the user gave, or None."""
    text = qemu_opt_get(opts, name)
    try:
        return None if text is None else qemu_strtou64(text)
    except (ValueError, OverflowError):
        raise QemuError(f"Parameter '{name}' expects {kind}") from None


def set_numa_options(ms: MachineState, type: str, opts: QemuOpts) -> None:
    """Enter a node, a distance, or the place of a vCPU."""
    if ms.numa_state is None:
        raise QemuError("NUMA is not supported by this machine-type")
    if type == "node":
        add_node(ms, opts)
    elif type == "dist":
        parse_numa_distance(ms, *(number(opts, name) or 0 for name in MEMBERS["dist"]))
    elif type == "cpu":
        place_cpu(ms, opts)
    else:
        raise QemuError(HMAT_DISABLED)


def cpu_indexes(opts: QemuOpts) -> list[int]:
    """The vCPUs that `cpus=0-1,cpus=3` names."""
    indexes: list[int] = []
    for text in qemu_opt_iter(opts, "cpus"):
        first, _, last = text.partition("-")
        try:
            indexes += range(qemu_strtou64(first), qemu_strtou64(last or first) + 1)
        except (ValueError, OverflowError):
            raise QemuError("Parameter 'cpus' expects a uint64 value or range") from None
    return indexes


def add_node(ms: MachineState, opts: QemuOpts) -> None:
    """`-numa node`: a node with some vCPUs and some memory (in QEMU `parse_numa_node`)."""
    if qemu_opt_get(opts, "initiator") is not None:
        raise QemuError(HMAT_DISABLED)
    node = parse_numa_node(ms, number(opts, "nodeid"))
    assert ms.numa_state is not None
    nodenr = next(nr for nr, info in ms.numa_state.nodes.items() if info is node)
    for index in cpu_indexes(opts):
        machine_set_cpu_numa_node(ms, cpu_of(ms, index, nodenr))
    node.node_mem = legacy_memory(ms, opts)
    memdev = qemu_opt_get(opts, "memdev")
    if memdev is not None:
        backend = object_resolve_path_type(memdev, "memory-backend")
        if backend is None:
            raise QemuError(f"memdev={memdev} is ambiguous")
        node.node_memdev = object_ref(backend)
        node.node_mem = object_property_get_uint(backend, "size")


def cpu_of(ms: MachineState, index: int, nodenr: int) -> CpuInstanceProperties:
    """The place of the vCPU of that index, with its new node (in QEMU a part of `parse_numa_node`)."""
    if index >= ms.smp.max_cpus:
        raise QemuError(f"CPU index ({index}) should be smaller than maxcpus ({ms.smp.max_cpus})")
    to_props = MACHINE_GET_CLASS(ms).cpu_index_to_instance_props
    assert to_props is not None
    props = to_props(ms, index)
    return CpuInstanceProperties(
        nodenr, props.socket_id, props.die_id, props.cluster_id, props.core_id, props.thread_id
    )


def legacy_memory(ms: MachineState, opts: QemuOpts) -> int:
    """What `mem=` says; a number without a suffix was always meant in MiB."""
    text = qemu_opt_get(opts, "mem")
    if text is None:
        return 0
    if qemu_opt_get(opts, "memdev") is not None:
        raise QemuError("numa configuration should use either mem= or memdev=,mixing both is not allowed")
    if not MACHINE_GET_CLASS(ms).numa_mem_supported:
        hint = "Use -numa node,memdev instead\n"
        raise QemuError("Parameter -numa node,mem is not supported by this machine type", hint)
    warn_report("Parameter -numa node,mem is deprecated, use -numa node,memdev instead")
    try:
        return qemu_strtosz(text, default_suffix="M")
    except (ValueError, OverflowError):
        raise QemuError("Parameter 'mem' expects a size value") from None


def parse_numa_distance(ms: MachineState, src: int, dst: int, val: int) -> None:
    """`-numa dist`: how far one node is from another."""
    assert ms.numa_state is not None
    nodes = ms.numa_state.nodes
    if max(src, dst) >= MAX_NODES:
        name = "src" if src >= MAX_NODES else "dst"
        raise QemuError(f"Parameter '{name}' expects an integer between 0 and {MAX_NODES - 1}")
    if src not in nodes or dst not in nodes:
        raise QemuError("Source/Destination NUMA node is missing. Please use '-numa node' option to declare it first.")
    if val < NUMA_DISTANCE_MIN:
        raise QemuError(f"NUMA distance ({val}) is invalid, it shouldn't be less than {NUMA_DISTANCE_MIN}.")
    if src == dst and val != NUMA_DISTANCE_MIN:
        raise QemuError(f"Local distance of node {src} should be {NUMA_DISTANCE_MIN}.")
    nodes[src].distance[dst] = val
    ms.numa_state.have_numa_distance = True


def place_cpu(ms: MachineState, opts: QemuOpts) -> None:
    """`-numa cpu`: put the vCPUs at some place into a node (in QEMU a part of `set_numa_options`)."""
    assert ms.numa_state is not None
    node_id, *place = (number(opts, name, "int64") for name in MEMBERS["cpu"])
    if node_id is None:
        raise QemuError("Missing mandatory node-id property")
    if node_id not in ms.numa_state.nodes:
        raise QemuError(
            f"Invalid node-id={node_id}, NUMA node must be defined with -numa node,nodeid=ID before it's used with"
            " -numa cpu,node-id=ID"
        )
    machine_set_cpu_numa_node(ms, CpuInstanceProperties(node_id, *place))
