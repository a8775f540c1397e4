"""What every CPU has in common (QEMU hw/core/cpu-common.c, hw/core/cpu-sysemu.c, include/hw/core/cpu.h).

A `CPUState` is one vCPU as the rest of the machine sees it: its thread, whether it runs, sleeps or is stopped, and
what it has been asked to do.  The registers of the architecture are in `env_ptr`.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import TYPE_CHECKING, Any, TextIO

from pyqemu_edu.hw.core.qdev import device_cold_reset
from pyqemu_edu.hw.core.qdev_bus import qdev_realize
from pyqemu_edu.hw.core.qdev_core import TYPE_DEVICE, DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_LINK, device_class_set_props, qdev_prop_register_global
from pyqemu_edu.process import per_process
from pyqemu_edu.qom.globals import GlobalProperty
from pyqemu_edu.qom.klass import object_class_by_name
from pyqemu_edu.qom.object import object_new, object_ref
from pyqemu_edu.qom.property_types import object_class_property_add_bool
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import AddressSpace, MemoryRegion
from pyqemu_edu.softmmu.memory_region import TYPE_MEMORY_REGION
from pyqemu_edu.softmmu.physmem import statics as physmem
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import QemuError, QemuExit, error_report_err
from pyqemu_edu.util.log import CPU_LOG_RESET, qemu_log, qemu_loglevel_mask

if TYPE_CHECKING:
    from pyqemu_edu.accel.tcg.tb import TranslationBlock

TYPE_CPU = "cpu"
UNASSIGNED_CPU_INDEX = -1
UNASSIGNED_CLUSTER_INDEX = -1

guest_cpu_reset = Event("guest_cpu_reset", "cpu")


class MMUAccessType(IntEnum):
    """Why memory is touched."""

    DATA_LOAD = 0
    DATA_STORE = 1
    INST_FETCH = 2


class CPUDumpFlags(IntFlag):
    """What `cpu_dump_state` adds to the integer registers."""

    CODE = 0x00010000
    FPU = 0x00020000
    CCOP = 0x00040000


# Bits of `CPUState.interrupt_request` (QEMU include/exec/cpu-all.h)
CPU_INTERRUPT_HARD = 0x0002  # an interrupt is pending; the target says whether it is taken
CPU_INTERRUPT_EXITTB = 0x0004  # something changed that linked blocks may not run past
CPU_INTERRUPT_HALT = 0x0020
CPU_INTERRUPT_DEBUG = 0x0080
CPU_INTERRUPT_RESET = 0x0400

EXCP_INTERRUPT = 0x10000  # asked to leave cpu_exec
EXCP_HLT = 0x10001  # hlt or wfi: sleeps until an interrupt
EXCP_DEBUG = 0x10002  # stopped at a breakpoint or after a single step
EXCP_HALTED = 0x10003  # was halted when cpu_exec was entered
EXCP_YIELD = 0x10004
EXCP_ATOMIC = 0x10005  # repeat the instruction with the other vCPUs stopped

SSTEP_ENABLE = 1  # stop after each instruction
SSTEP_NOIRQ = 2  # take no interrupts meanwhile
SSTEP_NOTIMER = 4  # let no timers run meanwhile

NO_LIMIT = 1 << 63  # instructions that nobody will live to see

BP_MEM_READ = 0x01
BP_MEM_WRITE = 0x02
BP_MEM_ACCESS = BP_MEM_READ | BP_MEM_WRITE
BP_STOP_BEFORE_ACCESS = 0x04
BP_GDB = 0x10
BP_CPU = 0x20
BP_ANY = BP_GDB | BP_CPU


@dataclass(eq=False)
class CPUBreakpoint:
    """An address at which execution stops, and who asked for it."""

    pc: int
    flags: int = BP_GDB


@dataclass(eq=False)
class CPUWatchpoint:
    """Some bytes whose reading or writing stops execution; `hitaddr` is where it was touched last."""

    vaddr: int
    len: int
    flags: int
    hitaddr: int = 0


@dataclass(eq=False)
class WorkItem:
    """A function for a vCPU thread to run between blocks (QEMU `struct qemu_work_item`)."""

    func: Callable[[CPUState, Any], None]
    data: Any = None
    done: bool = False


@dataclass(eq=False, kw_only=True)
class TCGCPUOps:
    """What TCG asks of an architecture (QEMU include/hw/core/tcg-cpu-ops.h).

    The last three stand here: `translate_code` as in later QEMUs, in 7.2 the link editor finds the target's
    `gen_intermediate_code`; `read_block` (Not in QEMU) is what an interpreter does for a block until it is warm.
    """

    initialize: Callable[[], None]
    synchronize_from_tb: Callable[[CPUState, TranslationBlock], None] | None = None
    restore_state_to_opc: Callable[[CPUState, TranslationBlock, tuple[int, ...]], None] | None = None
    cpu_exec_enter: Callable[[CPUState], None] | None = None
    cpu_exec_exit: Callable[[CPUState], None] | None = None
    debug_excp_handler: Callable[[CPUState], None] | None = None
    do_interrupt: Callable[[CPUState], None] | None = None
    cpu_exec_interrupt: Callable[[CPUState, int], bool] | None = None
    interrupt_enabled: Callable[[CPUState], bool] | None = None
    tlb_fill: Callable[..., bool] | None = None
    do_transaction_failed: Callable[..., None] | None = None
    do_unaligned_access: Callable[..., None] | None = None
    debug_check_breakpoint: Callable[[CPUState], bool] | None = None
    debug_check_watchpoint: Callable[[CPUState, CPUWatchpoint], bool] | None = None
    translate_code: Callable[..., None] | None = None
    read_block: Callable[..., Any] | None = None
    get_tb_cpu_state: Callable[[Any], tuple[int, int, int]] | None = None


@dataclass(eq=False, kw_only=True)
class SysemuCPUOps:
    """What a whole machine asks of an architecture (QEMU include/hw/core/sysemu-cpu-ops.h)."""

    get_phys_page_debug: Callable[[CPUState, int], int] | None = None
    get_paging_enabled: Callable[[CPUState], bool] | None = None
    asidx_from_attrs: Callable[[CPUState, Any], int] | None = None
    legacy_vmsd: Any = None


@dataclass(eq=False)
class CPUClass(DeviceClass):
    """A CPU family or model: what differs between architectures, as functions."""

    class_by_name: Callable[[str], ObjectClass | None] | None = None
    parse_features: Callable[[str, str | None], None] | None = None
    has_work: Callable[[CPUState], bool] | None = None
    dump_state: Callable[[CPUState, TextIO, int], None] | None = None
    get_arch_id: Callable[[CPUState], int] | None = None
    set_pc: Callable[[CPUState, int], None] | None = None
    get_pc: Callable[[CPUState], int] | None = None
    gdb_read_register: Callable[[CPUState, int], bytes] | None = None
    gdb_write_register: Callable[[CPUState, bytes, int], int] | None = None
    gdb_core_xml_file: str | None = None
    gdb_arch_name: Callable[[CPUState], str] | None = None
    gdb_get_dynamic_xml: Callable[[CPUState, str], str | None] | None = None
    disas_set_info: Callable[[CPUState, Any], None] | None = None
    deprecation_note: str | None = None
    accel_cpu: Any = None
    sysemu_ops: SysemuCPUOps | None = None
    tcg_ops: TCGCPUOps | None = None
    init_accel_cpu: Callable[[Any, CPUClass], None] | None = None
    reset_dump_flags: int = 0
    gdb_num_core_regs: int = 0
    gdb_stop_before_watchpoint: bool = False


@dataclass(eq=False)
class CPUState(DeviceState):
    """One vCPU.  `as_` is QEMU's field `as`, a word that Python keeps for itself.

    `instret` counts the instructions executed.  Before each block it is compared with `icount_limit`, which is -1
    when the vCPU is wanted elsewhere, and else `icount_end`, where its turn ends: with `-icount` at the next timer,
    else at `budget_end`.  (QEMU's `icount_decr` counts down, with the same trick: one comparison for both.)  Those up
    to `icount_accounted` are in the virtual clock already.
    """

    cc: CPUClass | None = None
    nr_cores: int = 0
    nr_threads: int = 0
    thread: threading.Thread | None = None
    thread_id: int = 0
    running: bool = False
    has_waiter: bool = False
    halt_cond: threading.Condition | None = None
    thread_kicked: bool = False
    created: bool = False
    stop: bool = False
    stopped: bool = False
    start_powered_off: bool = False
    unplug: bool = False
    crash_occurred: bool = False
    exit_request: bool = False
    in_exclusive_context: bool = False
    cflags_next_tb: int = -1
    interrupt_request: int = 0
    singlestep_enabled: int = 0
    icount_budget: int = 0
    icount_extra: int = 0
    random_seed: int = 0
    work_mutex: threading.Lock = field(default_factory=threading.Lock)
    work_list: deque[WorkItem] = field(default_factory=deque)
    cpu_ases: list[Any] = field(default_factory=list)
    num_ases: int = 0
    as_: AddressSpace | None = None
    memory: MemoryRegion | None = None
    env_ptr: Any = None
    tb_jmp_cache: dict[int, TranslationBlock] = field(default_factory=dict)
    tlb: list[Any] = field(default_factory=list)
    tlb_walks: dict[Hashable, Any] = field(default_factory=dict)
    instret: int = 0
    icount_limit: int = NO_LIMIT
    icount_end: int = NO_LIMIT
    icount_accounted: int = 0
    budget_end: int = NO_LIMIT
    instret_at_trap: int = -1
    gdb_regs: list[Any] = field(default_factory=list)
    gdb_num_regs: int = 0
    gdb_num_g_regs: int = 0
    breakpoints: list[CPUBreakpoint] = field(default_factory=list)
    watchpoints: list[CPUWatchpoint] = field(default_factory=list)
    watchpoint_hit: CPUWatchpoint | None = None
    cpu_index: int = 0
    cluster_index: int = 0
    tcg_cflags: int = 0
    halted: int = 0
    can_do_io: int = 0
    exception_index: int = 0
    ignore_memory_transaction_failures: bool = False


class Statics:
    def __init__(self) -> None:
        self.cpu_globals_initialized = False
        self.flush_translations: Callable[[CPUState], None] = lambda cpu: None


statics = per_process(Statics)


def CPU_GET_CLASS(cpu: CPUState) -> CPUClass:
    """The class of a vCPU, for the type checker too."""
    klass = cpu.klass
    assert isinstance(klass, CPUClass)
    return klass


def cpu_create(typename: str) -> CPUState:
    """Make and realize a CPU that no board cares for; errors end the process."""
    cpu = object_new(typename)
    assert isinstance(cpu, CPUState)
    try:
        qdev_realize(cpu, None)
    except QemuError as error:
        error_report_err(error)
        raise QemuExit(1) from error
    return cpu


def cpu_exit(cpu: CPUState) -> None:
    """Ask a vCPU to leave `cpu_exec` at the next block's end.

    C sets the high half of `icount_decr` to -1, which the head of every block tests.
    """
    cpu.exit_request = True
    cpu.icount_limit = -1


def cpu_has_work(cpu: CPUState) -> bool:
    """Whether a halted vCPU has a reason to wake up."""
    has_work = CPU_GET_CLASS(cpu).has_work
    assert has_work
    return has_work(cpu)


def cpu_dump_state(cpu: CPUState, f: TextIO, flags: int) -> None:
    """Print the registers."""
    dump_state = CPU_GET_CLASS(cpu).dump_state
    if dump_state:
        dump_state(cpu, f, flags)


def cpu_reset(cpu: CPUState) -> None:
    """Bring one CPU back to its power-on state."""
    device_cold_reset(cpu)
    if guest_cpu_reset:
        guest_cpu_reset(cpu)


def cpu_common_reset(dev: DeviceState) -> None:
    """Reset what all architectures share; an architecture's own reset calls this first."""
    assert isinstance(dev, CPUState)
    cpu = dev
    if qemu_loglevel_mask(CPU_LOG_RESET):
        qemu_log(f"CPU Reset (CPU {cpu.cpu_index})\n")
    cpu.interrupt_request = 0
    cpu.halted = int(cpu.start_powered_off)
    cpu.icount_extra = 0
    cpu.icount_limit = cpu.icount_end
    cpu.can_do_io = 1
    cpu.exception_index = -1
    cpu.crash_occurred = False
    cpu.cflags_next_tb = -1
    statics().flush_translations(cpu)


def register_flush_translations(flush: Callable[[CPUState], None]) -> None:
    """An accelerator that caches translations says how a reset drops them.

    Here C calls `tcg_flush_jmp_cache` and `tcg_flush_softmmu_tlb`, which the link editor finds.
    """
    statics().flush_translations = flush


def cpu_common_has_work(cpu: CPUState) -> bool:
    """By default nothing wakes a halted CPU."""
    return False


def cpu_class_by_name(typename: str, cpu_model: str) -> ObjectClass | None:
    """The class that a family's own rule finds for a model name such as `rv64`."""
    cc = object_class_by_name(typename)
    assert isinstance(cc, CPUClass) and cc.class_by_name
    return cc.class_by_name(cpu_model)


def cpu_common_parse_features(typename: str, features: str | None) -> None:
    """Make global properties of what follows the model in `-cpu model,key=value,...`."""
    assert not statics().cpu_globals_initialized
    statics().cpu_globals_initialized = True
    for feature in filter(None, (features or "").split(",")):
        key, equals, value = feature.partition("=")
        if not equals:
            raise QemuError(f"Expected key=value format, found {feature}.")
        qdev_prop_register_global(GlobalProperty(typename, key, value))


def cpu_common_get_arch_id(cpu: CPUState) -> int:
    """The number by which the architecture knows this CPU: by default its index."""
    return cpu.cpu_index


def cpu_common_realizefn(dev: DeviceState) -> None:
    """The last step of every CPU's realization.

    C also copies the machine's `ignore_memory_transaction_failures` (no RISC-V board sets it) and wakes
    hotplugged CPUs (no RISC-V board can add one).
    """


def cpu_exec_initfn(cpu: CPUState) -> None:
    """See the whole system memory, unless told otherwise; one made to be explained has none yet (QEMU cpu.c)."""
    cpu.as_ = None
    cpu.num_ases = 0
    cpu.thread_id = threading.get_native_id()
    cpu.memory = physmem().system_memory
    object_ref(cpu.memory)


def cpu_common_initfn(obj: Object) -> None:
    """The first step of every CPU's life."""
    assert isinstance(obj, CPUState)
    cpu = obj
    cpu.cpu_index = UNASSIGNED_CPU_INDEX
    cpu.cluster_index = UNASSIGNED_CLUSTER_INDEX
    cpu.gdb_num_regs = cpu.gdb_num_g_regs = CPU_GET_CLASS(cpu).gdb_num_core_regs
    cpu.nr_cores = 1
    cpu.nr_threads = 1
    cpu_exec_initfn(cpu)


def cpu_common_finalize(obj: Object) -> None:
    """Nothing is left to free: Python frees the mutex."""


def cpu_get_start_powered_off(obj: Object) -> bool:
    """Getter of `start-powered-off` (QEMU cpu.c)."""
    assert isinstance(obj, CPUState)
    return obj.start_powered_off


def cpu_set_start_powered_off(obj: Object, value: bool) -> None:
    """Setter of `start-powered-off` (QEMU cpu.c)."""
    assert isinstance(obj, CPUState)
    obj.start_powered_off = value


CPU_COMMON_PROPS = (DEFINE_PROP_LINK("memory", "memory", TYPE_MEMORY_REGION),)


def cpu_class_init_props(dc: DeviceClass) -> None:
    """The properties of every CPU (QEMU cpu.c); `start-powered-off` may be set after realize."""
    device_class_set_props(dc, CPU_COMMON_PROPS)
    object_class_property_add_bool(dc, "start-powered-off", cpu_get_start_powered_off, cpu_set_start_powered_off)


def cpu_class_init(klass: ObjectClass) -> None:
    """Defaults that the architectures replace."""
    assert isinstance(klass, CPUClass)
    klass.parse_features = cpu_common_parse_features
    klass.get_arch_id = cpu_common_get_arch_id
    klass.has_work = cpu_common_has_work
    klass.realize = cpu_common_realizefn
    klass.reset = cpu_common_reset
    cpu_class_init_props(klass)
    klass.user_creatable = False


type_init(
    TypeInfo(
        TYPE_CPU,
        parent=TYPE_DEVICE,
        instance_struct=CPUState,
        class_struct=CPUClass,
        abstract=True,
        instance_init=cpu_common_initfn,
        instance_finalize=cpu_common_finalize,
        class_init=cpu_class_init,
    )
)
