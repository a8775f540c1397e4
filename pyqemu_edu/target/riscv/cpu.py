"""The hart: what every CPU can be asked, and its way from instance to running vCPU (QEMU target/riscv/cpu.c).

Its registers are in `cpu_state.py`, its models in `cpu_models.py`, their properties in `cpu_cfg.py`.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from pyqemu_edu.cpu import cpu_exec_realizefn
from pyqemu_edu.disas.riscv import print_insn_riscv64
from pyqemu_edu.hw.core.cpu import (
    TYPE_CPU,
    CPUState,
    SysemuCPUOps,
    TCGCPUOps,
    cpu_reset,
)
from pyqemu_edu.hw.core.gpio import qdev_init_gpio_in
from pyqemu_edu.hw.core.qdev import device_class_set_parent_realize, device_class_set_parent_reset
from pyqemu_edu.hw.core.qdev_core import DeviceState
from pyqemu_edu.hw.core.qdev_properties import device_class_set_props
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
    PRV_M,
    RISCV_EXCP_NONE,
    RISCV_FEATURE_DEBUG,
    RISCV_FEATURE_EPMP,
    RISCV_FEATURE_MMU,
    RISCV_FEATURE_PMP,
    RVH,
    set_field,
)
from pyqemu_edu.target.riscv.cpu_cfg import (
    disable_newer_extensions,
    isa_edata_arr,
    misa_from_properties,
    priv_version,
    riscv_cpu_properties,
)
from pyqemu_edu.target.riscv.cpu_dump import riscv_cpu_dump_state
from pyqemu_edu.target.riscv.cpu_helper import (
    cpu_get_tb_cpu_state,
    riscv_cpu_all_pending,
    riscv_cpu_do_interrupt,
    riscv_cpu_exec_interrupt,
    riscv_cpu_interrupt_enabled,
    riscv_cpu_update_mip,
    riscv_feature,
    riscv_has_ext,
)
from pyqemu_edu.target.riscv.cpu_models import (
    riscv_any_cpu_init,
    riscv_cpu_class_by_name,
    rv64_base_cpu_init,
    rv64_sifive_e_cpu_init,
    rv64_sifive_u_cpu_init,
    rv128_base_cpu_init,
    set_misa,
    set_priv_version,
)
from pyqemu_edu.target.riscv.cpu_state import (
    RISCV_CPU,
    RISCVCPU,
    TYPE_RISCV_CPU,
    TYPE_RISCV_CPU_ANY,
    TYPE_RISCV_CPU_BASE64,
    TYPE_RISCV_CPU_BASE128,
    TYPE_RISCV_CPU_SHAKTI_C,
    TYPE_RISCV_CPU_SIFIVE_E51,
    TYPE_RISCV_CPU_SIFIVE_U54,
    CPURISCVState,
    RISCVCPUClass,
)
from pyqemu_edu.target.riscv.debug import (
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
from pyqemu_edu.target.riscv.insn.decode import decoder
from pyqemu_edu.target.riscv.isa import isa_extensions, warn_of_extensions_known_by_name
from pyqemu_edu.target.riscv.machine import vmstate_riscv_cpu
from pyqemu_edu.target.riscv.mmu import (
    riscv_cpu_do_transaction_failed,
    riscv_cpu_do_unaligned_access,
    riscv_cpu_get_phys_page_debug,
    riscv_cpu_tlb_fill,
)
from pyqemu_edu.target.riscv.pmu import riscv_pmu_init
from pyqemu_edu.target.riscv.register_names import riscv_translate_init
from pyqemu_edu.target.riscv.time_helper import riscv_timer_init
from pyqemu_edu.target.riscv.translate import gen_intermediate_code

if TYPE_CHECKING:
    from pyqemu_edu.accel.tcg.tb import TranslationBlock

# What every CPU can be asked


def riscv_isa_string(cpu: RISCVCPU) -> str:
    """The extensions as the device tree spells them: rv64imafdch_zicsr_zifencei…"""
    single = "".join(letter.lower() for letter in "IEMAFDQCPVH" if cpu.env.misa_ext >> ord(letter) - ord("A") & 1)
    if cpu.cfg.short_isa_string:
        return f"rv64{single}"
    multi = (f"_{name}" for name, multi_letter, _, field in isa_edata_arr if multi_letter and getattr(cpu.cfg, field))
    return f"rv64{single}" + "".join(multi)


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


def riscv_set_feature(env: CPURISCVState, feature: int) -> None:
    """Give a hart something that misa does not tell (QEMU target/riscv/cpu.h)."""
    env.features |= 1 << feature


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
    interrupt_enabled=riscv_cpu_interrupt_enabled,
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
