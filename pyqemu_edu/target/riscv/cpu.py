"""The hart: its registers, its models, its way from instance to running vCPU (QEMU target/riscv/cpu.c, cpu.h)."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, TextIO

from pyqemu_edu.accel.tcg.tcg_all import qemu_tcg_mttcg_enabled
from pyqemu_edu.cpu import cpu_exec_realizefn
from pyqemu_edu.disas.riscv import print_insn_riscv64
from pyqemu_edu.fpu.parts import FloatStatus
from pyqemu_edu.hw.core.cpu import (
    TYPE_CPU,
    CPUBreakpoint,
    CPUClass,
    CPUDumpFlags,
    CPUState,
    CPUWatchpoint,
    SysemuCPUOps,
    TCGCPUOps,
    cpu_reset,
)
from pyqemu_edu.hw.core.gpio import qdev_init_gpio_in
from pyqemu_edu.hw.core.qdev import device_class_set_parent_realize, device_class_set_parent_reset
from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.hw.core.qdev_properties import device_class_set_props, qdev_property_add_static
from pyqemu_edu.process import current_process
from pyqemu_edu.qom.klass import (
    object_check,
    object_class_by_name,
    object_class_dynamic_cast,
    object_class_get_list,
    object_class_get_name,
    object_class_is_abstract,
)
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.cpus import qemu_init_vcpu
from pyqemu_edu.target.riscv.cpu_bits import (
    IRQ_LOCAL_GUEST_MAX,
    IRQ_LOCAL_MAX,
    IRQ_M_EXT,
    IRQ_S_EXT,
    MASK64,
    MIP_SGEIP,
    MSTATUS64_SXL,
    MSTATUS64_UXL,
    MSTATUS_MIE,
    MSTATUS_MPRV,
    MXL_RV64,
    MXL_RV128,
    PRIV_VERSION_1_10_0,
    PRIV_VERSION_1_12_0,
    PRV_M,
    RISCV_EXCP_NONE,
    RISCV_FEATURE_DEBUG,
    RISCV_FEATURE_EPMP,
    RISCV_FEATURE_MMU,
    RISCV_FEATURE_PMP,
    RVA,
    RVC,
    RVD,
    RVF,
    RVH,
    RVI,
    RVM,
    RVS,
    RVU,
    set_field,
)
from pyqemu_edu.target.riscv.cpu_cfg import (
    RISCVCPUConfig,
    disable_newer_extensions,
    isa_edata_arr,
    misa_from_properties,
    priv_version,
    riscv_cpu_extensions,
    riscv_cpu_properties,
)
from pyqemu_edu.target.riscv.cpu_helper import (
    cpu_get_tb_cpu_state,
    riscv_cpu_all_pending,
    riscv_cpu_do_interrupt,
    riscv_cpu_exec_interrupt,
    riscv_cpu_update_mip,
    riscv_feature,
    riscv_has_ext,
)
from pyqemu_edu.target.riscv.csr import csr_number, riscv_csrrw_debug
from pyqemu_edu.target.riscv.csr_declare import CsrRefused
from pyqemu_edu.target.riscv.debug import (
    RV_MAX_TRIGGERS,
    riscv_cpu_debug_check_breakpoint,
    riscv_cpu_debug_check_watchpoint,
    riscv_cpu_debug_excp_handler,
    riscv_trigger_init,
)
from pyqemu_edu.target.riscv.gdbstub import (
    riscv_cpu_gdb_read_register,
    riscv_cpu_gdb_write_register,
    riscv_cpu_register_gdb_regs_for_features,
    riscv_gdb_get_dynamic_xml,
)
from pyqemu_edu.target.riscv.insn.decode import Decoder, decoder
from pyqemu_edu.target.riscv.isa import isa_extensions, warn_of_extensions_known_by_name
from pyqemu_edu.target.riscv.machine import vmstate_riscv_cpu
from pyqemu_edu.target.riscv.mmu import (
    riscv_cpu_do_transaction_failed,
    riscv_cpu_do_unaligned_access,
    riscv_cpu_get_phys_page_debug,
    riscv_cpu_tlb_fill,
)
from pyqemu_edu.target.riscv.pmp import PmpTable
from pyqemu_edu.target.riscv.pmu import riscv_pmu_init
from pyqemu_edu.target.riscv.register_names import riscv_translate_init
from pyqemu_edu.target.riscv.time_helper import riscv_timer_init
from pyqemu_edu.target.riscv.translate import gen_intermediate_code
from pyqemu_edu.util.error import QemuExit, error_report
from pyqemu_edu.util.timer import QEMUTimer

if TYPE_CHECKING:
    from pyqemu_edu.accel.tcg.tb import TranslationBlock

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
    "x0/zero", "x1/ra",  "x2/sp",  "x3/gp",  "x4/tp",  "x5/t0",  "x6/t1",   "x7/t2",
    "x8/s0",   "x9/s1",  "x10/a0", "x11/a1", "x12/a2", "x13/a3", "x14/a4",  "x15/a5",
    "x16/a6",  "x17/a7", "x18/s2", "x19/s3", "x20/s4", "x21/s5", "x22/s6",  "x23/s7",
    "x24/s8",  "x25/s9", "x26/s10", "x27/s11", "x28/t3", "x29/t4", "x30/t5", "x31/t6",
)
riscv_fpr_regnames = (
    "f0/ft0",  "f1/ft1", "f2/ft2", "f3/ft3", "f4/ft4", "f5/ft5", "f6/ft6",  "f7/ft7",
    "f8/fs0",  "f9/fs1", "f10/fa0", "f11/fa1", "f12/fa2", "f13/fa3", "f14/fa4", "f15/fa5",
    "f16/fa6", "f17/fa7", "f18/fs2", "f19/fs3", "f20/fs4", "f21/fs5", "f22/fs6", "f23/fs7",
    "f24/fs8", "f25/fs9", "f26/fs10", "f27/fs11", "f28/ft8", "f29/ft9", "f30/ft10", "f31/ft11",
)
dump_csrs = (
    "mhartid", "mstatus", "mstatush", "hstatus", "vsstatus", "mip", "mie", "mideleg", "hideleg", "medeleg", "hedeleg",
    "mtvec", "stvec", "vstvec", "mepc", "sepc", "vsepc", "mcause", "scause", "vscause", "mtval", "stval", "htval",
    "mtval2", "mscratch", "sscratch", "satp", "mmte", "upmbase", "upmmask", "spmbase", "spmmask", "mpmbase", "mpmmask",
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
    priv_ver: int = 0
    misa_mxl: int = 0
    misa_mxl_max: int = 0
    misa_ext: int = 0
    misa_ext_mask: int = 0
    features: int = 0
    priv: int = 0
    resetvec: int = 0
    mhartid: int = 0
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
    scounteren: int = 0
    mcounteren: int = 0
    mcountinhibit: int = 0
    pmu_ctrs: list[PMUCTRState] = field(default_factory=lambda: [PMUCTRState() for _ in range(32)])
    mhpmevent_val: list[int] = field(default_factory=lambda: [0] * 32)
    mhpmeventh_val: list[int] = field(default_factory=lambda: [0] * 32)
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
    rdtime_fn: Callable[[Any], int] | None = None
    rdtime_fn_arg: Any = None
    debugger: bool = False
    menvcfg: int = 0
    senvcfg: int = 0
    henvcfg: int = 0
    kernel_addr: int = 0
    fdt_addr: int = 0

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
    """A hart."""

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


# Models


def set_misa(env: CPURISCVState, mxl: int, ext: int) -> None:
    """Say what a hart is: its register width and extensions."""
    env.misa_mxl_max = env.misa_mxl = mxl
    env.misa_ext_mask = env.misa_ext = ext


def set_priv_version(env: CPURISCVState, priv_ver: int) -> None:
    """Say which privileged architecture a hart follows."""
    env.priv_ver = priv_ver


def riscv_set_feature(env: CPURISCVState, feature: int) -> None:
    """Give a hart something that misa does not tell (QEMU target/riscv/cpu.h)."""
    env.features |= 1 << feature


def riscv_any_cpu_init(obj: Object) -> None:
    """`any`: what a user-mode emulator would want."""
    env = RISCV_CPU(obj).env
    set_misa(env, MXL_RV64, RVI | RVM | RVA | RVF | RVD | RVC | RVU)
    set_priv_version(env, PRIV_VERSION_1_12_0)
    register_cpu_props(RISCV_CPU(obj))


def rv64_base_cpu_init(obj: Object) -> None:
    """`rv64`: its extensions are properties, and become misa when it is realized."""
    env = RISCV_CPU(obj).env
    set_misa(env, MXL_RV64, 0)
    register_cpu_props(RISCV_CPU(obj))
    set_priv_version(env, PRIV_VERSION_1_12_0)


def rv64_sifive_u_cpu_init(obj: Object) -> None:
    """`sifive-u54`, `shakti-c`: application cores."""
    env = RISCV_CPU(obj).env
    set_misa(env, MXL_RV64, RVI | RVM | RVA | RVF | RVD | RVC | RVS | RVU)
    set_priv_version(env, PRIV_VERSION_1_10_0)


def rv64_sifive_e_cpu_init(obj: Object) -> None:
    """`sifive-e51`: a core for embedded systems, without an MMU."""
    cpu = RISCV_CPU(obj)
    set_misa(cpu.env, MXL_RV64, RVI | RVM | RVA | RVC | RVU)
    set_priv_version(cpu.env, PRIV_VERSION_1_10_0)
    cpu.cfg.mmu = False


def rv128_base_cpu_init(obj: Object) -> None:
    """`x-rv128`: refused where vCPUs run in threads of their own; ours runs the RV64 part only."""
    if qemu_tcg_mttcg_enabled():
        error_report(
            "128-bit RISC-V currently does not work with Multi Threaded TCG. Please use: -accel tcg,thread=single"
        )
        raise QemuExit(1)
    env = RISCV_CPU(obj).env
    set_misa(env, MXL_RV128, 0)
    register_cpu_props(RISCV_CPU(obj))
    set_priv_version(env, PRIV_VERSION_1_12_0)


def register_cpu_props(dev: DeviceState) -> None:
    """Give an instance the properties that choose its extensions."""
    for prop in riscv_cpu_extensions:
        qdev_property_add_static(dev, prop)


def riscv_cpu_class_by_name(cpu_model: str) -> ObjectClass | None:
    """The class of the model that `-cpu` names."""
    oc = object_class_by_name(cpu_model.split(",")[0] + RISCV_CPU_TYPE_SUFFIX)
    if oc is None or object_class_dynamic_cast(oc, TYPE_RISCV_CPU) is None or object_class_is_abstract(oc):
        return None
    return oc


def riscv_cpu_list() -> None:
    """Print the models for `-cpu help`, by name."""
    for name in sorted(object_class_get_name(oc) for oc in object_class_get_list(TYPE_RISCV_CPU, False)):
        current_process().stdout.write(name.removesuffix(RISCV_CPU_TYPE_SUFFIX) + "\n")


def riscv_isa_string(cpu: RISCVCPU) -> str:
    """The extensions as the device tree spells them: rv64imafdch_zicsr_zifencei…"""
    single = "".join(letter.lower() for letter in "IEMAFDQCPVH" if cpu.env.misa_ext >> ord(letter) - ord("A") & 1)
    if cpu.cfg.short_isa_string:
        return f"rv64{single}"
    multi = (f"_{name}" for name, multi_letter, _, field in isa_edata_arr if multi_letter and getattr(cpu.cfg, field))
    return f"rv64{single}" + "".join(multi)


# What every CPU can be asked


def riscv_cpu_dump_state(cs: CPUState, f: TextIO, flags: int) -> None:
    """Print the registers as the monitor's `info registers` shows them.

    Reading mideleg changes it (`rmw_mideleg`), so that the second look shows another value than the first.
    """
    env = RISCV_CPU(cs).env
    if riscv_has_ext(env, RVH):
        f.write(f" V      =   {0}\n")
    f.write(f" pc       {env.pc:016x}\n")
    for name in dump_csrs:
        try:
            f.write(f" {name:<8} {riscv_csrrw_debug(env, csr_number[name], 0, 0):016x}\n")
        except (CsrRefused, KeyError):
            continue
    _dump_registers(f, riscv_int_regnames, env.gpr)
    if flags & CPUDumpFlags.FPU:
        _dump_registers(f, riscv_fpr_regnames, env.fpr)


def _dump_registers(f: TextIO, names: tuple[str, ...], values: Sequence[int]) -> None:
    for number, (name, value) in enumerate(zip(names, values, strict=True)):
        f.write(f" {name:<8} {value:016x}" + ("\n" if number % 4 == 3 else ""))


def riscv_cpu_set_pc(cs: CPUState, value: int) -> None:
    """Go on from another address."""
    RISCV_CPU(cs).env.pc = value


def riscv_cpu_get_pc(cs: CPUState) -> int:
    """The address of the next instruction."""
    return RISCV_CPU(cs).env.pc


def riscv_cpu_synchronize_from_tb(cs: CPUState, tb: TranslationBlock) -> None:
    """A block was left before its first instruction: that is where pc is."""
    cs.env_ptr.pc = tb.pc


def riscv_restore_state_to_opc(cs: CPUState, tb: TranslationBlock, data: tuple[int, ...]) -> None:
    """A block was left in its middle: `data` tells the instruction's address and bits."""
    cs.env_ptr.pc = data[0]
    cs.env_ptr.bins = data[1]


def riscv_cpu_has_work(cs: CPUState) -> bool:
    """Whether something ends a `wfi`: an interrupt that is enabled, be it masked in mstatus."""
    return riscv_cpu_all_pending(cs.env_ptr) != 0


def riscv_cpu_disas_set_info(cs: CPUState, info: Any) -> None:
    """Say how this CPU's instructions are printed."""
    info.print_insn = print_insn_riscv64


def riscv_gdb_arch_name(cs: CPUState) -> str:
    """What gdb calls this architecture."""
    return "riscv:rv64"


# From instance to running vCPU


def riscv_cpu_init(obj: Object) -> None:
    """Every model begins like this: connected to nothing, with a line for each local and guest interrupt."""
    cpu = RISCV_CPU(obj)
    cpu.cfg.ext_ifencei = True
    cpu.cfg.ext_icsr = True
    cpu.cfg.mmu = True
    cpu.cfg.pmp = True
    cpu_set_cpustate_pointers(cpu)
    qdev_init_gpio_in(cpu, riscv_cpu_set_irq, IRQ_LOCAL_MAX + IRQ_LOCAL_GUEST_MAX)


def cpu_set_cpustate_pointers(cpu: RISCVCPU) -> None:
    """Let CPU and registers find each other (QEMU include/exec/cpu-all.h)."""
    cpu.env_ptr = cpu.env
    cpu.env.cpu = cpu


def riscv_cpu_set_irq(cpu: RISCVCPU, irq: int, level: int) -> None:
    """An interrupt line into the hart changes."""
    assert irq <= IRQ_M_EXT, "guest interrupts need a hypervisor"
    if irq == IRQ_S_EXT:
        cpu.env.external_seip = bool(level)
        level = level | cpu.env.software_seip
    riscv_cpu_update_mip(cpu, 1 << irq, MASK64 if level else 0)


def riscv_cpu_realize(dev: DeviceState) -> None:
    """Check the configuration, fix misa, and bring the vCPU to life."""
    cpu = RISCV_CPU(dev)
    mcc = cpu.klass
    assert isinstance(mcc, RISCVCPUClass)
    assert mcc.parent_realize
    cpu_exec_realizefn(cpu)
    _set_privileged_architecture(cpu)
    _set_features(cpu)
    if cpu.cfg.ext_sstc:
        riscv_timer_init(cpu)
    mcc.gdb_core_xml_file = "riscv-64bit-cpu.xml"
    if cpu.env.misa_ext == 0:
        set_misa(cpu.env, cpu.env.misa_mxl, misa_from_properties(cpu.cfg))
    cpu.decoder = decoder(isa_extensions(cpu))
    warn_of_extensions_known_by_name(cpu)
    if cpu.cfg.pmu_num:
        riscv_pmu_init(cpu, cpu.cfg.pmu_num)
    riscv_cpu_register_gdb_regs_for_features(cpu)
    qemu_init_vcpu(cpu)
    cpu_reset(cpu)
    mcc.parent_realize(cpu)


def _set_privileged_architecture(cpu: RISCVCPU) -> None:
    version = priv_version(cpu.cfg)
    if version is not None:
        set_priv_version(cpu.env, version)
    disable_newer_extensions(cpu.cfg, cpu.env.priv_ver, cpu.env.mhartid)


def _set_features(cpu: RISCVCPU) -> None:
    wanted = (
        (RISCV_FEATURE_MMU, cpu.cfg.mmu),
        (RISCV_FEATURE_PMP, cpu.cfg.pmp),
        (RISCV_FEATURE_EPMP, cpu.cfg.pmp and cpu.cfg.epmp),
        (RISCV_FEATURE_DEBUG, cpu.cfg.debug),
    )
    for feature, present in wanted:
        if present:
            riscv_set_feature(cpu.env, feature)


def riscv_cpu_reset(dev: DeviceState) -> None:
    """Power on: machine mode, interrupts off, pc at the reset vector; the other registers keep what they hold."""
    cpu = RISCV_CPU(dev)
    env = cpu.env
    mcc = cpu.klass
    assert isinstance(mcc, RISCVCPUClass)
    assert mcc.parent_reset
    mcc.parent_reset(dev)
    env.misa_mxl = env.misa_mxl_max
    env.priv = PRV_M
    env.mstatus &= ~(MSTATUS_MIE | MSTATUS_MPRV)
    env.mstatus = _set_lower_xlen(env.mstatus, env.misa_mxl)
    if riscv_has_ext(env, RVH):
        env.vsstatus = _set_lower_xlen(env.vsstatus, env.misa_mxl)
    env.mcause = 0
    env.miclaim = MIP_SGEIP
    env.pc = env.resetvec
    env.bins = 0
    cpu.exception_index = RISCV_EXCP_NONE
    env.load_res = MASK64
    if riscv_feature(env, RISCV_FEATURE_DEBUG):
        riscv_trigger_init(env)


def _set_lower_xlen(status: int, mxl: int) -> int:
    """Supervisor and user mode are as wide as machine mode."""
    return set_field(set_field(status, MSTATUS64_SXL, mxl), MSTATUS64_UXL, mxl)


# The types

riscv_sysemu_ops = SysemuCPUOps(
    get_phys_page_debug=riscv_cpu_get_phys_page_debug,
    legacy_vmsd=vmstate_riscv_cpu,
)

riscv_tcg_ops = TCGCPUOps(
    initialize=riscv_translate_init,
    synchronize_from_tb=riscv_cpu_synchronize_from_tb,
    restore_state_to_opc=riscv_restore_state_to_opc,
    tlb_fill=riscv_cpu_tlb_fill,
    cpu_exec_interrupt=riscv_cpu_exec_interrupt,
    do_interrupt=riscv_cpu_do_interrupt,
    do_transaction_failed=riscv_cpu_do_transaction_failed,
    do_unaligned_access=riscv_cpu_do_unaligned_access,
    debug_excp_handler=riscv_cpu_debug_excp_handler,
    debug_check_breakpoint=riscv_cpu_debug_check_breakpoint,
    debug_check_watchpoint=riscv_cpu_debug_check_watchpoint,
    translate_code=gen_intermediate_code,
    get_tb_cpu_state=cpu_get_tb_cpu_state,
)


def riscv_cpu_class_init(klass: ObjectClass) -> None:
    """What RISC-V CPUs do their own way."""
    assert isinstance(klass, RISCVCPUClass)
    mcc = klass
    mcc.parent_realize = device_class_set_parent_realize(mcc, riscv_cpu_realize)
    mcc.parent_reset = device_class_set_parent_reset(mcc, riscv_cpu_reset)
    mcc.class_by_name = riscv_cpu_class_by_name
    mcc.has_work = riscv_cpu_has_work
    mcc.dump_state = riscv_cpu_dump_state
    mcc.set_pc = riscv_cpu_set_pc
    mcc.get_pc = riscv_cpu_get_pc
    mcc.gdb_read_register = riscv_cpu_gdb_read_register
    mcc.gdb_write_register = riscv_cpu_gdb_write_register
    mcc.gdb_num_core_regs = 33
    mcc.gdb_stop_before_watchpoint = True
    mcc.disas_set_info = riscv_cpu_disas_set_info
    mcc.sysemu_ops = riscv_sysemu_ops
    mcc.gdb_arch_name = riscv_gdb_arch_name
    mcc.gdb_get_dynamic_xml = riscv_gdb_get_dynamic_xml
    mcc.tcg_ops = riscv_tcg_ops
    device_class_set_props(mcc, riscv_cpu_properties)


DEFINE_CPU = partial(TypeInfo, parent=TYPE_RISCV_CPU)

type_init(
    TypeInfo(
        TYPE_RISCV_CPU,
        parent=TYPE_CPU,
        instance_struct=RISCVCPU,
        class_struct=RISCVCPUClass,
        instance_init=riscv_cpu_init,
        abstract=True,
        class_init=riscv_cpu_class_init,
    ),
    DEFINE_CPU(TYPE_RISCV_CPU_ANY, instance_init=riscv_any_cpu_init),
    DEFINE_CPU(TYPE_RISCV_CPU_BASE64, instance_init=rv64_base_cpu_init),
    DEFINE_CPU(TYPE_RISCV_CPU_SIFIVE_E51, instance_init=rv64_sifive_e_cpu_init),
    DEFINE_CPU(TYPE_RISCV_CPU_SIFIVE_U54, instance_init=rv64_sifive_u_cpu_init),
    DEFINE_CPU(TYPE_RISCV_CPU_SHAKTI_C, instance_init=rv64_sifive_u_cpu_init),
    DEFINE_CPU(TYPE_RISCV_CPU_BASE128, instance_init=rv128_base_cpu_init),
)
