"""How `-smp` becomes a topology (QEMU hw/core/machine-smp.c)."""

from __future__ import annotations

from dataclasses import astuple
from math import prod

from pyqemu_edu.hw.core.boards import MACHINE_GET_CLASS, CpuTopology, MachineClass, MachineState
from pyqemu_edu.hw.core.machine_config import SMPConfiguration
from pyqemu_edu.util.error import QemuError, warn_report


def cpu_hierarchy_to_string(ms: MachineState) -> str:
    """The groupings that the machine knows, from the largest to the smallest."""
    props = MACHINE_GET_CLASS(ms).smp_props
    levels = {"sockets": True, "dies": props.dies_supported, "clusters": props.clusters_supported}
    levels |= {"cores": True, "threads": True}
    return " * ".join(f"{level} ({getattr(ms.smp, level)})" for level, known in levels.items() if known)


def machine_parse_smp_config(ms: MachineState, config: SMPConfiguration) -> None:
    """Fill in what the user left open, and refuse what does not fit the machine or itself."""
    mc = MACHINE_GET_CLASS(ms)
    if 0 in astuple(config):
        warn_report("Deprecated CPU topology (considered invalid): CPU topology parameters must be greater than zero")
    given = SMPConfiguration(*(unsigned(count or 0) for count in astuple(config)))
    check_levels(mc, given)
    ms.smp = complete_topology(mc, given)
    check_topology(ms)


def check_levels(mc: MachineClass, given: SMPConfiguration) -> None:
    """Groupings that the machine does not know may only be 1."""
    for level, known in (("dies", mc.smp_props.dies_supported), ("clusters", mc.smp_props.clusters_supported)):
        if not known and getattr(given, level) > 1:
            raise QemuError(f"{level} not supported by this machine's CPU topology")


def complete_topology(mc: MachineClass, given: SMPConfiguration) -> CpuTopology:
    """What is missing follows from what is given; since 6.2 cores grow before sockets, sockets before threads."""
    cpus, sockets, dies, clusters, cores, threads, maxcpus = astuple(given)
    dies, clusters, maxcpus = dies or 1, clusters or 1, maxcpus or cpus
    if not maxcpus:
        sockets, cores, threads = sockets or 1, cores or 1, threads or 1
    elif not sockets and (cores or mc.smp_props.prefer_sockets):
        cores, threads = cores or 1, threads or 1
        sockets = share(maxcpus, dies, clusters, cores, threads)
    elif not cores:
        sockets, threads = sockets or 1, threads or 1
        cores = share(maxcpus, sockets, dies, clusters, threads)
    threads = threads or share(maxcpus, sockets, dies, clusters, cores)
    maxcpus = maxcpus or unsigned(prod((sockets, dies, clusters, cores, threads)))
    return CpuTopology(cpus or maxcpus, sockets, dies, clusters, cores, threads, maxcpus)


def share(maxcpus: int, *groups: int) -> int:
    """How many vCPUs fall to each of so many groups (C dies of a division by zero where the product overflows to 0)."""
    return maxcpus // (unsigned(prod(groups)) or 1)


def check_topology(ms: MachineState) -> None:
    """The product must be what was asked for, and the machine must have as many."""
    mc, smp = MACHINE_GET_CLASS(ms), ms.smp
    topology = "Invalid CPU topology: "
    if unsigned(smp.sockets * smp.dies * smp.clusters * smp.cores * smp.threads) != smp.max_cpus:
        raise QemuError(
            f"{topology}product of the hierarchy must match maxcpus: "
            f"{cpu_hierarchy_to_string(ms)} != maxcpus ({smp.max_cpus})"
        )
    if smp.max_cpus < smp.cpus:
        raise QemuError(
            f"{topology}maxcpus must be equal to or greater than smp: "
            f"{cpu_hierarchy_to_string(ms)} == maxcpus ({smp.max_cpus}) < smp_cpus ({smp.cpus})"
        )
    for extreme, cpus, limit in (("min", smp.cpus, mc.min_cpus), ("max", smp.max_cpus, mc.max_cpus)):
        if cpus < limit if extreme == "min" else cpus > limit:
            raise QemuError(
                f"Invalid SMP CPUs {signed(cpus)}. The {extreme} CPUs supported by machine '{mc.name}' is {limit}"
            )


def unsigned(value: int) -> int:
    """`value` as it fits in a C `unsigned`."""
    return value & 0xFFFFFFFF


def signed(value: int) -> int:
    """A C `unsigned` as `%d` prints it."""
    return value - (1 << 32) if value >> 31 else value
