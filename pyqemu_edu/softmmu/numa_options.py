"""`-numa`: which NUMA nodes there shall be (QEMU hw/core/numa.c).

Left out: ACPI's table of heterogeneous memory, which needs a board that has ACPI.
"""

from __future__ import annotations

from pyqemu_edu.hw.core.boards import MACHINE_GET_CLASS, MAX_NODES, CpuInstanceProperties, MachineState, NodeInfo
from pyqemu_edu.hw.core.numa import NUMA_DISTANCE_MIN, machine_set_cpu_numa_node, parse_numa_node, statics
from pyqemu_edu.qapi.opts_visitor import OptsVisitor
from pyqemu_edu.qapi.visit import visit_type
from pyqemu_edu.qom.object import object_ref
from pyqemu_edu.qom.path import object_resolve_path_type
from pyqemu_edu.qom.property import object_property_get_uint
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.cutils import qemu_strtosz
from pyqemu_edu.util.error import QemuError, error_fatal, warn_report
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opts_foreach
from pyqemu_edu.util.qdict import QDict

HMAT_DISABLED = (
    "ACPI Heterogeneous Memory Attribute Table (HMAT) is disabled, enable it with -machine hmat=on before using any"
    " of hmat specific options"
)
PLACE = ("socket-id", "die-id", "cluster-id", "core-id", "thread-id")


def parse_numa_opts(ms: MachineState) -> None:
    """Act on every `-numa`."""
    qemu_opts_foreach(qemu_find_opts("numa"), lambda opts: parse_numa(ms, opts))


def parse_numa(ms: MachineState, opts: QemuOpts) -> None:
    """Act on one `-numa`; a size without a suffix was always meant in MiB."""
    with error_fatal():
        options = visit_type(OptsVisitor(opts), None, "NumaOptions")
        if options["type"] == "node" and "mem" in options:
            options["mem"] = qemu_strtosz(qemu_opt_get(opts, "mem") or "", default_suffix="M")
        set_numa_options(ms, options)


def set_numa_options(ms: MachineState, options: QDict) -> None:
    """Enter a node, a distance, or the place of a vCPU."""
    if ms.numa_state is None:
        raise QemuError("NUMA is not supported by this machine-type")
    if options["type"] == "node":
        add_node(ms, options)
    elif options["type"] == "dist":
        parse_numa_distance(ms, options["src"], options["dst"], options["val"])
    elif options["type"] == "cpu":
        place_cpu(ms, options)
    else:
        raise QemuError(HMAT_DISABLED)


def add_node(ms: MachineState, options: QDict) -> None:
    """`-numa node`: a node with some vCPUs and some memory (in QEMU `parse_numa_node`)."""
    node = parse_numa_node(ms, options.get("nodeid"))
    if "initiator" in options:
        raise QemuError(HMAT_DISABLED)
    assert ms.numa_state is not None
    nodenr = next(nr for nr, info in ms.numa_state.nodes.items() if info is node)
    for index in options.get("cpus", ()):
        machine_set_cpu_numa_node(ms, cpu_of(ms, index, nodenr))
    refuse_mixing(options)
    if "mem" in options:
        node.node_mem = legacy_memory(ms, options["mem"])
    if "memdev" in options:
        take_memdev(node, options["memdev"])


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


def refuse_mixing(options: QDict) -> None:
    """Either every node has its own backend or none has (in QEMU a part of `parse_numa_node`)."""
    numa = statics()
    numa.have_memdevs |= "memdev" in options
    numa.have_mem |= "mem" in options
    if numa.have_memdevs and numa.have_mem:
        raise QemuError("numa configuration should use either mem= or memdev=,mixing both is not allowed")


def legacy_memory(ms: MachineState, mem: int) -> int:
    """A part of the one RAM for the node, which not every board allows (in QEMU a part of `parse_numa_node`)."""
    if not MACHINE_GET_CLASS(ms).numa_mem_supported:
        hint = "Use -numa node,memdev instead\n"
        raise QemuError("Parameter -numa node,mem is not supported by this machine type", hint)
    warn_report("Parameter -numa node,mem is deprecated, use -numa node,memdev instead")
    return mem


def take_memdev(node: NodeInfo, memdev: str) -> None:
    """A backend of its own for the node (in QEMU a part of `parse_numa_node`)."""
    backend = object_resolve_path_type(memdev, "memory-backend")
    if backend is None:
        raise QemuError(f"memdev={memdev} is ambiguous")
    node.node_memdev = object_ref(backend)
    node.node_mem = object_property_get_uint(backend, "size")


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


def place_cpu(ms: MachineState, options: QDict) -> None:
    """`-numa cpu`: put the vCPUs at some place into a node (in QEMU a part of `set_numa_options`)."""
    assert ms.numa_state is not None
    node_id = options.get("node-id")
    if node_id is None:
        raise QemuError("Missing mandatory node-id property")
    if node_id not in ms.numa_state.nodes:
        raise QemuError(
            f"Invalid node-id={node_id}, NUMA node must be defined with -numa node,nodeid=ID before it's used with"
            " -numa cpu,node-id=ID"
        )
    machine_set_cpu_numa_node(ms, CpuInstanceProperties(node_id, *(options.get(name) for name in PLACE)))
