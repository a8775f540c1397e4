"""A hart's registers, and the object around them (QEMU target/riscv/cpu.h)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.fpu.parts import FloatStatus
from pyqemu_edu.hw.core.cpu import CPUBreakpoint, CPUClass, CPUState, CPUWatchpoint
from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.target.riscv.cpu_cfg import RISCVCPUConfig
from pyqemu_edu.target.riscv.debug import RV_MAX_TRIGGERS
from pyqemu_edu.target.riscv.insn.decode import Decoder, decoder
from pyqemu_edu.target.riscv.pmp import PmpTable
from pyqemu_edu.util.timer import QEMUTimer

TYPE_RISCV_CPU = "riscv-cpu"
RISCV_CPU_TYPE_SUFFIX = "-" + TYPE_RISCV_CPU

# fmt: off
TYPE_RISCV_CPU_ANY        = "any" + RISCV_CPU_TYPE_SUFFIX
TYPE_RISCV_CPU_BASE64     = "rv64" + RISCV_CPU_TYPE_SUFFIX
TYPE_RISCV_CPU_SIFIVE_E51 = "sifive-e51" + RISCV_CPU_TYPE_SUFFIX
TYPE_RISCV_CPU_SIFIVE_U54 = "sifive-u54" + RISCV_CPU_TYPE_SUFFIX
TYPE_RISCV_CPU_SHAKTI_C   = "shakti-c" + RISCV_CPU_TYPE_SUFFIX
TYPE_RISCV_CPU_BASE128    = "x-rv128" + RISCV_CPU_TYPE_SUFFIX
TYPE_RISCV_CPU_BASE       = TYPE_RISCV_CPU_BASE64

riscv_int_regnames = (
    "x0/zero",  "x1/ra",    "x2/sp",    "x3/gp",    "x4/tp",    "x5/t0",    "x6/t1",    "x7/t2",
    "x8/s0",    "x9/s1",    "x10/a0",   "x11/a1",   "x12/a2",   "x13/a3",   "x14/a4",   "x15/a5",
    "x16/a6",   "x17/a7",   "x18/s2",   "x19/s3",   "x20/s4",   "x21/s5",   "x22/s6",   "x23/s7",
    "x24/s8",   "x25/s9",   "x26/s10",  "x27/s11",  "x28/t3",   "x29/t4",   "x30/t5",   "x31/t6",
)
riscv_fpr_regnames = (
    "f0/ft0",   "f1/ft1",   "f2/ft2",   "f3/ft3",   "f4/ft4",   "f5/ft5",   "f6/ft6",   "f7/ft7",
    "f8/fs0",   "f9/fs1",   "f10/fa0",  "f11/fa1",  "f12/fa2",  "f13/fa3",  "f14/fa4",  "f15/fa5",
    "f16/fa6",  "f17/fa7",  "f18/fs2",  "f19/fs3",  "f20/fs4",  "f21/fs5",  "f22/fs6",  "f23/fs7",
    "f24/fs8",  "f25/fs9",  "f26/fs10", "f27/fs11", "f28/ft8",  "f29/ft9",  "f30/ft10", "f31/ft11",
)
# fmt: on


@dataclass(eq=False)
class PMUCTRState:
    """A counter: the value written last, the clock at that time, and whether it has run since it was stopped.

    `irq_overflow_left` is how far behind its timer it overflows.
    """

    mhpmcounter_val: int = 0
    mhpmcounter_prev: int = 0
    started: bool = False
    irq_overflow_left: int = 0


@dataclass(eq=False)
class CPURISCVState:
    """A hart's registers (QEMU `CPUArchState`), in QEMU's order; only what we have.

    `cpu` is the object that holds this state: C finds it by its address (QEMU `env_cpu`).  `fpd` and `fps` show the
    registers `fpr` as doubles and as singles, two in each.
    """

    cpu: Any = field(default=None, repr=False)

    # Registers of user mode; the reservation of lr and sc; what a trap will tell of address and instruction
    gpr: list[int] = field(default_factory=lambda: [0] * 32)
    fpr: memoryview = field(default_factory=lambda: memoryview(bytearray(32 * 8)).cast("Q"), repr=False)
    fpd: memoryview[float] = field(init=False, repr=False)
    fps: memoryview[float] = field(init=False, repr=False)
    pc: int = 0
    load_res: int = 0
    load_val: int = 0
    badaddr: int = 0
    bins: int = 0
    frm: int = 0
    fp_status: FloatStatus = field(default_factory=FloatStatus)

    # What the hart is
    priv_ver: int = 0
    misa_mxl: int = 0
    misa_mxl_max: int = 0
    misa_ext: int = 0
    misa_ext_mask: int = 0
    features: int = 0

    # Mode, and how it was configured
    priv: int = 0
    resetvec: int = 0
    mhartid: int = 0

    # Status, interrupts, traps of machine and supervisor mode
    mstatus: int = 0
    mip: int = 0
    external_seip: bool = False
    software_seip: bool = False
    miclaim: int = 0
    mie: int = 0
    mideleg: int = 0
    satp: int = 0
    stval: int = 0
    medeleg: int = 0
    stvec: int = 0
    sepc: int = 0
    scause: int = 0
    mtvec: int = 0
    mepc: int = 0
    mcause: int = 0
    mtval: int = 0

    # Of a hypervisor
    hstatus: int = 0
    hedeleg: int = 0
    hideleg: int = 0
    hcounteren: int = 0
    htval: int = 0
    hgatp: int = 0
    htimedelta: int = 0
    vsstatus: int = 0
    vstvec: int = 0
    vsscratch: int = 0
    vsepc: int = 0
    vscause: int = 0
    vstval: int = 0
    vsatp: int = 0
    mtval2: int = 0
    mtinst: int = 0

    # Counters
    scounteren: int = 0
    mcounteren: int = 0
    mcountinhibit: int = 0
    pmu_ctrs: list[PMUCTRState] = field(default_factory=lambda: [PMUCTRState() for _ in range(32)])
    mhpmevent_val: list[int] = field(default_factory=lambda: [0] * 32)
    mhpmeventh_val: list[int] = field(default_factory=lambda: [0] * 32)

    # Scratch registers, timers, protection, triggers
    sscratch: int = 0
    mscratch: int = 0
    stimecmp: int = 0
    vstimecmp: int = 0
    pmp_state: PmpTable = field(default_factory=PmpTable)
    mseccfg: int = 0
    trigger_cur: int = 0
    tdata1: list[int] = field(default_factory=lambda: [0] * RV_MAX_TRIGGERS)
    tdata2: list[int] = field(default_factory=lambda: [0] * RV_MAX_TRIGGERS)
    cpu_breakpoint: list[CPUBreakpoint | None] = field(default_factory=lambda: [None] * RV_MAX_TRIGGERS)
    cpu_watchpoint: list[CPUWatchpoint | None] = field(default_factory=lambda: [None] * RV_MAX_TRIGGERS)
    stimer: QEMUTimer | None = None
    timer_taken_ns: int | None = None
    timer_storm: int = 0
    rdtime_fn: Callable[[Any], int] | None = None
    rdtime_fn_arg: Any = None
    debugger: bool = False

    # What a mode lets the less privileged ones do
    menvcfg: int = 0
    senvcfg: int = 0
    henvcfg: int = 0

    def __post_init__(self) -> None:
        memory = self.fpr.cast("B")
        self.fpd, self.fps = memory.cast("d"), memory.cast("f")


@dataclass(eq=False)
class RISCVCPUClass(CPUClass):
    """A model: it remembers what its parent did at realize and reset."""

    parent_realize: Callable[[DeviceState], None] | None = None
    parent_reset: Callable[[DeviceState], None] | None = None


def nobody_draws(*arguments: Any) -> None:
    """What `walk` is until somebody who can draw says how (Not in QEMU)."""


@dataclass(eq=False)
class RISCVCPU(CPUState):
    """A hart: a QOM object around its registers `env` and its configuration `cfg`."""

    env: CPURISCVState = field(default_factory=CPURISCVState)
    dyn_csr_xml: str | None = None
    cfg: RISCVCPUConfig = field(default_factory=RISCVCPUConfig)
    pmu_avail_ctrs: int = 0
    pmu_event_ctr_map: dict[int, int] = field(default_factory=dict)
    pmu_timer: QEMUTimer | None = None
    decoder: Decoder = field(default_factory=decoder)
    walk: Callable[..., Any] = field(default=nobody_draws, repr=False)  # how the hart finds an address (Not in QEMU)


def RISCV_CPU(obj: Object) -> RISCVCPU:
    """Cast to a hart."""
    return object_check(obj, RISCVCPU, TYPE_RISCV_CPU)
