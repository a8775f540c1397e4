"""What a board is made of: the machine's class and instance (QEMU include/hw/boards.h, include/sysemu/numa.h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from pyqemu_edu.hw.core.machine_config import BootConfiguration
from pyqemu_edu.qom.klass import object_check, object_class_check, object_get_class_check
from pyqemu_edu.qom.struct import Object, ObjectClass
from pyqemu_edu.softmmu.libfdt import Fdt
from pyqemu_edu.softmmu.memory import MemoryRegion

TYPE_MACHINE = "machine"
TYPE_MACHINE_SUFFIX = "-machine"
MAX_NODES = 128


def MACHINE_TYPE_NAME(name: str) -> str:
    """The type of the machine that users call `name`."""
    return name + TYPE_MACHINE_SUFFIX


class MemMapEntry(NamedTuple):
    """A place in the address space."""

    base: int
    size: int


@dataclass(eq=False)
class CpuTopology:
    """The vCPUs as they are: `cpus` from the start, `max_cpus` with those that could be plugged in."""

    cpus: int = 0
    sockets: int = 1
    dies: int = 1
    clusters: int = 1
    cores: int = 1
    threads: int = 1
    max_cpus: int = 0


@dataclass(eq=False)
class CpuInstanceProperties:
    """Where a vCPU sits; None where the board does not count so."""

    node_id: int | None = None
    socket_id: int | None = None
    die_id: int | None = None
    cluster_id: int | None = None
    core_id: int | None = None
    thread_id: int | None = None


@dataclass(eq=False)
class CPUArchId:
    """A place for a vCPU."""

    arch_id: int = 0
    type: str | None = None
    vcpus_count: int = 0
    props: CpuInstanceProperties = field(default_factory=CpuInstanceProperties)
    cpu: Object | None = None


@dataclass(eq=False)
class NodeInfo:
    """A NUMA node."""

    node_mem: int = 0
    present: bool = False
    has_cpu: bool = False
    node_memdev: Object | None = None
    initiator: int = MAX_NODES
    distance: dict[int, int] = field(default_factory=dict)


@dataclass(eq=False)
class NumaState:
    """The NUMA nodes that `-numa` asked for."""

    num_nodes: int = 0
    have_numa_distance: bool = False
    hmat_enabled: bool = False
    nodes: dict[int, NodeInfo] = field(default_factory=dict)


@dataclass(eq=False)
class SMPCompatProps:
    """Which groupings of vCPUs a board knows beyond sockets, cores and threads."""

    prefer_sockets: bool = False
    dies_supported: bool = False
    clusters_supported: bool = False


@dataclass(eq=False)
class MachineClass(ObjectClass):
    """A kind of board: what its author says about it, `init` above all, which builds it."""

    family: str | None = None
    name: str | None = None
    alias: str | None = None
    desc: str | None = None
    deprecation_reason: str | None = None
    init: Callable[[Any], None] | None = None
    reset: Callable[[Any, Any], None] | None = None
    wakeup: Callable[[Any], None] | None = None
    max_cpus: int = 0
    min_cpus: int = 0
    default_cpus: int = 0
    no_serial: bool = False
    no_parallel: bool = False
    no_floppy: bool = False
    no_cdrom: bool = False
    no_sdcard: bool = False
    block_default_type: str = "none"
    is_default: bool = False
    default_machine_opts: str | None = None
    default_boot_order: str | None = None
    default_display: str | None = None
    compat_props: list[Any] = field(default_factory=list)
    hw_version: str | None = None
    default_ram_size: int = 0
    default_cpu_type: str | None = None
    default_kernel_irqchip_split: bool = False
    option_rom_has_mr: bool = False
    rom_file_has_mr: bool = False
    minimum_page_bits: int = 0
    has_hotpluggable_cpus: bool = False
    ignore_memory_transaction_failures: bool = False
    numa_mem_align_shift: int = 0
    valid_cpu_types: tuple[str, ...] = ()
    allowed_dynamic_sysbus_devices: tuple[str, ...] = ()
    auto_enable_numa_with_memhp: bool = False
    auto_enable_numa_with_memdev: bool = False
    ignore_boot_device_suffixes: bool = False
    smbus_no_migration_support: bool = False
    nvdimm_supported: bool = False
    numa_mem_supported: bool = False
    auto_enable_numa: bool = False
    smp_props: SMPCompatProps = field(default_factory=SMPCompatProps)
    default_ram_id: str | None = None
    get_hotplug_handler: Callable[[Any, Any], Object | None] | None = None
    hotplug_allowed: Callable[[Any, Any], bool] | None = None
    cpu_index_to_instance_props: Callable[[Any, int], CpuInstanceProperties] | None = None
    possible_cpu_arch_ids: Callable[[Any], list[CPUArchId]] | None = None
    get_default_cpu_node_id: Callable[[Any, int], int] | None = None
    fixup_ram_size: Callable[[int], int] | None = None


@dataclass(eq=False)
class MachineState(Object):
    """A board; boards add fields of their own."""

    fdt: Fdt | None = None
    dtb: str | None = None
    dumpdtb: str | None = None
    phandle_start: int = 0
    dt_compatible: str | None = None
    dump_guest_core: bool = False
    mem_merge: bool = False
    usb: bool = False
    usb_disabled: bool = False
    firmware: str | None = None
    suppress_vmdesc: bool = False
    enable_graphics: bool = False
    cgs: Object | None = None
    memdev: Any = None
    ram: MemoryRegion | None = None
    ram_size: int = 0
    maxram_size: int = 0
    ram_slots: int = 0
    boot_config: BootConfiguration = field(default_factory=BootConfiguration)
    kernel_filename: str | None = None
    kernel_cmdline: str | None = None
    initrd_filename: str | None = None
    cpu_type: str | None = None
    accelerator: Any = None
    possible_cpus: list[CPUArchId] | None = None
    smp: CpuTopology = field(default_factory=CpuTopology)
    numa_state: NumaState | None = None


def MACHINE(obj: object) -> MachineState:
    """Cast to a machine."""
    return object_check(obj, MachineState, TYPE_MACHINE)


def MACHINE_CLASS(klass: object) -> MachineClass:
    """Cast to a machine's class."""
    return object_class_check(klass, MachineClass, TYPE_MACHINE)


def MACHINE_GET_CLASS(obj: object) -> MachineClass:
    """The class of a machine."""
    return object_get_class_check(obj, MachineClass, TYPE_MACHINE)
