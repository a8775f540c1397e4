"""The accelerator TCG: its properties and its start (QEMU accel/tcg/tcg-all.c)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from pyqemu_edu.accel.accel_common import ACCEL_CLASS_NAME, TYPE_ACCEL, AccelClass, AccelState
from pyqemu_edu.accel.tcg.cputlb import (
    helper_atomic,
    helper_ld,
    helper_ld_aligned,
    helper_st,
    tlb_flush,
)
from pyqemu_edu.accel.tcg.tb_maint import (
    code_gen_alloc,
    page_init,
    tb_htable_init,
    tb_invalidate_phys_range,
    tcg_flush_jmp_cache,
)
from pyqemu_edu.accel.tcg.tlb_walks import tlb_forget_walks
from pyqemu_edu.hw.core.boards import MachineState
from pyqemu_edu.hw.core.cpu import (
    SSTEP_ENABLE,
    SSTEP_NOIRQ,
    SSTEP_NOTIMER,
    CPUState,
    register_flush_translations,
)
from pyqemu_edu.process import per_process
from pyqemu_edu.qapi.visitor import Visitor, visit_type_uint32
from pyqemu_edu.qom.property import object_class_property_add
from pyqemu_edu.qom.property_types import (
    object_class_property_add_bool,
    object_class_property_add_str,
)
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.icount import icount_enabled
from pyqemu_edu.softmmu.physmem import tcg_memory_hooks
from pyqemu_edu.tcg.python_backend import register_helpers
from pyqemu_edu.tcg.tcg import tcg_ctx, tcg_init, tcg_prologue_init
from pyqemu_edu.util.error import QemuError

TYPE_TCG_ACCEL = ACCEL_CLASS_NAME("tcg")
MiB = 1 << 20


@dataclass(eq=False)
class TCGState(AccelState):
    """What `-accel tcg,...` can set: a thread for each vCPU, a second mapping of the code, the size of its buffer."""

    mttcg_enabled: bool = False
    splitwx_enabled: int = 0
    tb_size: int = 0


class Statics:
    def __init__(self) -> None:
        self.mttcg_enabled = False


statics = per_process(Statics)


def TCG_STATE(obj: Object) -> TCGState:
    """The accelerator as what it is."""
    assert isinstance(obj, TCGState)
    return obj


def qemu_tcg_mttcg_enabled() -> bool:
    """Whether each vCPU has a thread of its own (QEMU include/hw/core/cpu.h)."""
    return statics().mttcg_enabled


def default_mttcg_enabled() -> bool:
    """A thread for each, unless time is counted in instructions; RISC-V's memory order suits our hosts."""
    return not icount_enabled()


def tcg_accel_instance_init(obj: Object) -> None:
    """Set the defaults of the accelerator's properties."""
    TCG_STATE(obj).mttcg_enabled = default_mttcg_enabled()


def tcg_init_machine(ms: MachineState) -> int:
    """Set the generator up; no vCPU exists yet."""
    s = TCG_STATE(ms.accelerator)
    statics().mttcg_enabled = s.mttcg_enabled
    tcg_memory_hooks(tcg_memory_map_changed, tb_invalidate_phys_range)
    register_flush_translations(tcg_flush_translations)
    page_init()
    tb_htable_init()
    code_gen_alloc(s.tb_size * MiB)
    tcg_init(s.tb_size * MiB, s.splitwx_enabled, ms.smp.max_cpus)
    tcg_prologue_init(tcg_ctx())
    return 0


def tcg_memory_map_changed(cpu: CPUState) -> None:
    """A CPU forgets its pages, and how it found them (Not in QEMU)."""
    tlb_forget_walks(cpu)
    tlb_flush(cpu)


def tcg_flush_translations(cpu: CPUState) -> None:
    """A CPU is reset: it forgets its short cuts and its pages (Not in QEMU)."""
    tcg_flush_jmp_cache(cpu)
    tcg_flush_softmmu_tlb(cpu)


def tcg_flush_softmmu_tlb(cs: CPUState) -> None:
    """Forget all pages (QEMU accel/tcg/translate-all.c)."""
    tlb_flush(cs)


def tcg_get_thread(obj: Object) -> str:
    """Getter of `thread`."""
    return "multi" if TCG_STATE(obj).mttcg_enabled else "single"


def tcg_set_thread(obj: Object, value: str) -> None:
    """Setter of `thread`: `multi` or `single`."""
    if value == "multi":
        if icount_enabled():
            raise QemuError("No MTTCG when icount is enabled")
        TCG_STATE(obj).mttcg_enabled = True
    elif value == "single":
        TCG_STATE(obj).mttcg_enabled = False
    else:
        raise QemuError(f"Invalid 'thread' setting {value}")


def tcg_get_tb_size(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Getter of `tb-size`, in MiB."""
    visit_type_uint32(v, name, TCG_STATE(obj).tb_size)


def tcg_set_tb_size(obj: Object, v: Visitor, name: str, opaque: Any) -> None:
    """Setter of `tb-size`: our functions are in no buffer, but so much may they take by estimate."""
    TCG_STATE(obj).tb_size = visit_type_uint32(v, name)


def tcg_get_splitwx(obj: Object) -> bool:
    """Getter of `split-wx`."""
    return bool(TCG_STATE(obj).splitwx_enabled)


def tcg_set_splitwx(obj: Object, value: bool) -> None:
    """Setter of `split-wx`; only kept."""
    TCG_STATE(obj).splitwx_enabled = int(value)


def tcg_gdbstub_supported_sstep_flags() -> int:
    """A debugger may step without interrupts and without timers."""
    return SSTEP_ENABLE | SSTEP_NOIRQ | SSTEP_NOTIMER


def tcg_accel_class_init(oc: ObjectClass) -> None:
    """TCG as an accelerator, and its properties."""
    assert isinstance(oc, AccelClass)
    oc.name = "tcg"
    oc.init_machine = tcg_init_machine
    oc.gdbstub_supported_sstep_flags = tcg_gdbstub_supported_sstep_flags
    object_class_property_add_str(oc, "thread", tcg_get_thread, tcg_set_thread)
    tb_size = object_class_property_add(oc, "tb-size", "int", tcg_get_tb_size, tcg_set_tb_size, None, None)
    tb_size.description = "TCG translation block cache size"
    split_wx = object_class_property_add_bool(oc, "split-wx", tcg_get_splitwx, tcg_set_splitwx)
    split_wx.description = "Map jit pages into separate RW and RX regions"


register_helpers(
    helper_ld=helper_ld,
    helper_st=helper_st,
    helper_atomic=helper_atomic,
    helper_ld_aligned=helper_ld_aligned,
)

type_init(
    TypeInfo(
        TYPE_TCG_ACCEL,
        parent=TYPE_ACCEL,
        instance_struct=TCGState,
        instance_init=tcg_accel_instance_init,
        class_init=tcg_accel_class_init,
    )
)
