"""The Advanced Core Local Interruptor: a timer, and interrupts between harts (QEMU hw/intc/riscv_aclint.c)."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from pyqemu_edu.cpus_common import qemu_get_cpu
from pyqemu_edu.hw.core.gpio import qdev_connect_gpio_out, qdev_get_gpio_in, qdev_init_gpio_out
from pyqemu_edu.hw.core.irq import qemu_irq, qemu_irq_lower, qemu_irq_raise
from pyqemu_edu.hw.core.qdev import qdev_new
from pyqemu_edu.hw.core.qdev_core import DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import DEFINE_PROP_UINT32, device_class_set_props, qdev_prop_set_uint32
from pyqemu_edu.hw.core.resettable import TYPE_RESETTABLE_INTERFACE, ResettableClass, ResetType
from pyqemu_edu.hw.core.sysbus import (
    TYPE_SYS_BUS_DEVICE,
    SysBusDevice,
    sysbus_init_mmio,
    sysbus_mmio_map,
    sysbus_realize_and_unref,
)
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.qom.klass import object_check, object_class_check
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import (
    AccessSizes,
    DeviceEndian,
    MemoryRegionOps,
    memory_region_init_io,
)
from pyqemu_edu.target.riscv.cpu_bits import IRQ_M_SOFT, IRQ_M_TIMER, IRQ_S_SOFT, MIP_MSIP, MIP_MTIP
from pyqemu_edu.target.riscv.cpu_helper import riscv_cpu_claim_interrupts, riscv_cpu_set_rdtime_fn
from pyqemu_edu.target.riscv.cpu_state import RISCVCPU
from pyqemu_edu.util.error import QemuExit, error_report
from pyqemu_edu.util.log import LOG_GUEST_ERROR, LOG_UNIMP, qemu_log_mask
from pyqemu_edu.util.timer import (
    NANOSECONDS_PER_SECOND,
    QEMU_CLOCK_VIRTUAL,
    QEMUTimer,
    qemu_clock_get_ns,
    timer_mod,
    timer_new_ns,
)

TYPE_RISCV_ACLINT_MTIMER = "riscv.aclint.mtimer"
TYPE_RISCV_ACLINT_SWI = "riscv.aclint.swi"
RISCV_ACLINT_DEFAULT_MTIMECMP = 0x0
RISCV_ACLINT_DEFAULT_MTIME = 0x7FF8
RISCV_ACLINT_DEFAULT_MTIMER_SIZE = 0x8000
RISCV_ACLINT_DEFAULT_TIMEBASE_FREQ = 10_000_000
RISCV_ACLINT_MAX_HARTS = 4095
RISCV_ACLINT_SWI_SIZE = 0x4000
INT64_MAX = 2**63 - 1
MASK32, MASK64 = 2**32 - 1, 2**64 - 1


# ---- the timer: mtime counts, mtimecmp says when each hart wants to be interrupted


@dataclass(eq=False)
class RISCVAclintMTimerState(SysBusDevice):
    """mtime is the guest's clock, in ticks, plus `time_delta`."""

    time_delta: int = 0
    timecmp: list[int] = field(default_factory=list)
    timers: list[QEMUTimer | None] = field(default_factory=list)
    hartid_base: int = 0
    num_harts: int = 0
    timecmp_base: int = 0
    time_base: int = 0
    aperture_size: int = 0
    timebase_freq: int = 0
    timer_irqs: list[qemu_irq] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class RISCVAclintMTimerCallback:
    """Which timer fired (QEMU `riscv_aclint_mtimer_callback`)."""

    s: RISCVAclintMTimerState
    num: int


def cpu_riscv_read_rtc_raw(timebase_freq: int) -> int:
    """The guest's clock in ticks."""
    return qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) * timebase_freq // NANOSECONDS_PER_SECOND


def cpu_riscv_read_rtc(mtimer: RISCVAclintMTimerState) -> int:
    """The register mtime."""
    return (cpu_riscv_read_rtc_raw(mtimer.timebase_freq) + mtimer.time_delta) & MASK64


def riscv_aclint_mtimer_write_timecmp(mtimer: RISCVAclintMTimerState, hartid: int, value: int) -> None:
    """Interrupt now if `value` is past, else when mtime gets there."""
    rtc = cpu_riscv_read_rtc(mtimer)
    n = hartid - mtimer.hartid_base
    mtimer.timecmp[n] = value
    if value <= rtc:
        qemu_irq_raise(mtimer.timer_irqs[n])
        return
    qemu_irq_lower(mtimer.timer_irqs[n])
    ns_diff = (value - rtc) * NANOSECONDS_PER_SECOND // mtimer.timebase_freq
    timer = mtimer.timers[n]
    assert timer is not None
    timer_mod(timer, min(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns_diff, INT64_MAX))


def riscv_aclint_mtimer_cb(state: RISCVAclintMTimerCallback) -> None:
    """Mtime has reached a hart's mtimecmp."""
    qemu_irq_raise(state.s.timer_irqs[state.num])


def timecmp_hart(mtimer: RISCVAclintMTimerState, addr: int) -> int | None:
    """Whose mtimecmp is at `addr`; None if none is (Not in QEMU: written out there)."""
    offset = addr - mtimer.timecmp_base
    return mtimer.hartid_base + (offset >> 3) if 0 <= offset < mtimer.num_harts << 3 else None


def riscv_aclint_mtimer_read(mtimer: RISCVAclintMTimerState, addr: int, size: int) -> int:
    """A hart reads mtime or an mtimecmp, whole or in halves."""
    hartid = timecmp_hart(mtimer, addr)
    if hartid is not None:
        if qemu_get_cpu(hartid) is None:
            qemu_log_mask(LOG_GUEST_ERROR, f"aclint-mtimer: invalid hartid: {hartid}")
            return 0
        return part(mtimer.timecmp[hartid - mtimer.hartid_base], addr, size)
    if addr in (mtimer.time_base, mtimer.time_base + 4):
        return part(cpu_riscv_read_rtc(mtimer), addr - mtimer.time_base, size)
    qemu_log_mask(LOG_UNIMP, f"aclint-mtimer: invalid read: {addr:08x}")
    return 0


def part(value: int, addr: int, size: int) -> int:
    """What an access of `size` bytes at `addr` sees of a 64-bit register."""
    if addr & 7 == 4:
        return value >> 32
    return value & MASK32 if size == 4 else value


def combine(old: int, value: int, addr: int, size: int) -> int:
    """A 64-bit register after `size` bytes of it were written at `addr`."""
    if size == 8:
        return value
    return value << 32 | old & MASK32 if addr & 7 == 4 else old >> 32 << 32 | value


def riscv_aclint_mtimer_write(mtimer: RISCVAclintMTimerState, addr: int, value: int, size: int) -> None:
    """A hart writes mtime or an mtimecmp, whole or in halves."""
    hartid = timecmp_hart(mtimer, addr)
    if size == 8 and addr & 7 == 4:
        qemu_log_mask(LOG_GUEST_ERROR, f"aclint-mtimer: invalid timecmp_hi write: {addr:08x}")
    elif hartid is not None:
        if qemu_get_cpu(hartid) is None:
            qemu_log_mask(LOG_GUEST_ERROR, f"aclint-mtimer: invalid hartid: {hartid}")
            return
        old = mtimer.timecmp[hartid - mtimer.hartid_base]
        riscv_aclint_mtimer_write_timecmp(mtimer, hartid, combine(old, value, addr, size))
    elif addr in (mtimer.time_base, mtimer.time_base + 4):
        riscv_aclint_mtimer_write_time(mtimer, combine(cpu_riscv_read_rtc(mtimer), value, addr, size))
    else:
        qemu_log_mask(LOG_UNIMP, f"aclint-mtimer: invalid write: {addr:08x}")


def riscv_aclint_mtimer_write_time(mtimer: RISCVAclintMTimerState, value: int) -> None:
    """Set mtime, and look again who is to be interrupted (in QEMU `riscv_aclint_mtimer_write`)."""
    mtimer.time_delta = value - cpu_riscv_read_rtc_raw(mtimer.timebase_freq)
    for i in range(mtimer.num_harts):
        if qemu_get_cpu(mtimer.hartid_base + i) is not None:
            riscv_aclint_mtimer_write_timecmp(mtimer, mtimer.hartid_base + i, mtimer.timecmp[i])


riscv_aclint_mtimer_ops = MemoryRegionOps(
    read=riscv_aclint_mtimer_read,
    write=riscv_aclint_mtimer_write,
    endianness=DeviceEndian.LITTLE,
    valid=AccessSizes(4, 8),
    impl=AccessSizes(4, 8),
)

riscv_aclint_mtimer_properties = (
    DEFINE_PROP_UINT32("hartid-base", "hartid_base", 0),
    DEFINE_PROP_UINT32("num-harts", "num_harts", 1),
    DEFINE_PROP_UINT32("timecmp-base", "timecmp_base", RISCV_ACLINT_DEFAULT_MTIMECMP),
    DEFINE_PROP_UINT32("time-base", "time_base", RISCV_ACLINT_DEFAULT_MTIME),
    DEFINE_PROP_UINT32("aperture-size", "aperture_size", RISCV_ACLINT_DEFAULT_MTIMER_SIZE),
    DEFINE_PROP_UINT32("timebase-freq", "timebase_freq", 0),
)


def claim_interrupts(hartid_base: int, num_harts: int, interrupts: int, name: str) -> None:
    """From now on only this device sets these bits of mip (in QEMU part of both realize functions)."""
    for i in range(num_harts):
        cpu = qemu_get_cpu(hartid_base + i)
        assert isinstance(cpu, RISCVCPU)
        if riscv_cpu_claim_interrupts(cpu, interrupts) < 0:
            error_report(f"{name} already claimed")
            raise QemuExit(1)


def riscv_aclint_mtimer_realize(dev: DeviceState) -> None:
    """Registers, interrupt lines, and the harts' timer bits."""
    s = object_check(dev, RISCVAclintMTimerState, TYPE_RISCV_ACLINT_MTIMER)
    sysbus_init_mmio(s, memory_region_init_io(s, riscv_aclint_mtimer_ops, s, TYPE_RISCV_ACLINT_MTIMER, s.aperture_size))
    s.timer_irqs = [None] * s.num_harts
    qdev_init_gpio_out(dev, s.timer_irqs, s.num_harts)
    s.timers = [None] * s.num_harts
    s.timecmp = [0] * s.num_harts
    claim_interrupts(s.hartid_base, s.num_harts, MIP_MTIP, "MTIP")


def riscv_aclint_mtimer_reset_enter(obj: Object, type: ResetType) -> None:
    """Mtime starts again at 0; mtimecmp stays, so every hart whose mtimecmp is 0 is interrupted at once."""
    mtimer = object_check(obj, RISCVAclintMTimerState, TYPE_RISCV_ACLINT_MTIMER)
    riscv_aclint_mtimer_write(mtimer, mtimer.time_base, 0, 8)


vmstate_riscv_mtimer = VMStateDescription("riscv_mtimer", version_id=1, minimum_version_id=1)


def riscv_aclint_mtimer_class_init(dc: DeviceClass) -> None:
    """Properties, realize, and the first phase of reset."""
    dc.realize = riscv_aclint_mtimer_realize
    device_class_set_props(dc, riscv_aclint_mtimer_properties)
    rc = object_class_check(dc, ResettableClass, TYPE_RESETTABLE_INTERFACE)
    rc.phases = replace(rc.phases, enter=riscv_aclint_mtimer_reset_enter)
    dc.vmsd = vmstate_riscv_mtimer


def riscv_aclint_mtimer_create(
    addr: int,
    size: int,
    hartid_base: int,
    num_harts: int,
    timecmp_base: int,
    time_base: int,
    timebase_freq: int,
    provide_rdtime: bool,
) -> RISCVAclintMTimerState:
    """A timer at `addr` for `num_harts` harts, wired to them."""
    dev = object_check(qdev_new(TYPE_RISCV_ACLINT_MTIMER), RISCVAclintMTimerState, TYPE_RISCV_ACLINT_MTIMER)
    assert num_harts <= RISCV_ACLINT_MAX_HARTS
    assert not (addr | timecmp_base | time_base) & 7
    qdev_prop_set_uint32(dev, "hartid-base", hartid_base)
    qdev_prop_set_uint32(dev, "num-harts", num_harts)
    qdev_prop_set_uint32(dev, "timecmp-base", timecmp_base)
    qdev_prop_set_uint32(dev, "time-base", time_base)
    qdev_prop_set_uint32(dev, "aperture-size", size)
    qdev_prop_set_uint32(dev, "timebase-freq", timebase_freq)
    sysbus_realize_and_unref(dev)
    sysbus_mmio_map(dev, 0, addr)
    for i in range(num_harts):
        cpu = qemu_get_cpu(hartid_base + i)
        if cpu is None:
            continue
        if provide_rdtime:
            riscv_cpu_set_rdtime_fn(cpu.env_ptr, cpu_riscv_read_rtc, dev)
        dev.timers[i] = timer_new_ns(QEMU_CLOCK_VIRTUAL, riscv_aclint_mtimer_cb, RISCVAclintMTimerCallback(dev, i))
        qdev_connect_gpio_out(dev, i, qdev_get_gpio_in(cpu, IRQ_M_TIMER))
    return dev


# ---- software interrupts: a word per hart, whose lowest bit is the interrupt


@dataclass(eq=False)
class RISCVAclintSwiState(SysBusDevice):
    """With `sswi` for supervisor mode, without for machine mode."""

    hartid_base: int = 0
    num_harts: int = 0
    sswi: int = 0
    soft_irqs: list[qemu_irq] = field(default_factory=list)


def swi_hart(swi: RISCVAclintSwiState, addr: int) -> int | None:
    """Whose word is at `addr`; None, with a note to the log, if nobody's is (Not in QEMU: written out there)."""
    if addr >= swi.num_harts << 2:
        return None
    hartid = swi.hartid_base + (addr >> 2)
    if qemu_get_cpu(hartid) is None:
        qemu_log_mask(LOG_GUEST_ERROR, f"aclint-swi: invalid hartid: {hartid}")
        return None
    return None if addr & 3 else hartid


def riscv_aclint_swi_read(swi: RISCVAclintSwiState, addr: int, size: int) -> int:
    """A hart looks whether another is being interrupted; that of supervisor mode always reads 0."""
    hartid = swi_hart(swi, addr)
    cpu = None if hartid is None else qemu_get_cpu(hartid)
    if cpu is not None:
        return 0 if swi.sswi else int(cpu.env_ptr.mip & MIP_MSIP > 0)
    qemu_log_mask(LOG_UNIMP, f"aclint-swi: invalid read: {addr:08x}")
    return 0


def riscv_aclint_swi_write(swi: RISCVAclintSwiState, addr: int, value: int, size: int) -> None:
    """A hart interrupts another, or takes that back; supervisor mode takes it back elsewhere."""
    hartid = swi_hart(swi, addr)
    if hartid is None:
        qemu_log_mask(LOG_UNIMP, f"aclint-swi: invalid write: {addr:08x}")
    elif value & 1:
        qemu_irq_raise(swi.soft_irqs[hartid - swi.hartid_base])
    elif not swi.sswi:
        qemu_irq_lower(swi.soft_irqs[hartid - swi.hartid_base])


riscv_aclint_swi_ops = MemoryRegionOps(
    read=riscv_aclint_swi_read,
    write=riscv_aclint_swi_write,
    endianness=DeviceEndian.LITTLE,
    valid=AccessSizes(4, 4),
)

riscv_aclint_swi_properties = (
    DEFINE_PROP_UINT32("hartid-base", "hartid_base", 0),
    DEFINE_PROP_UINT32("num-harts", "num_harts", 1),
    DEFINE_PROP_UINT32("sswi", "sswi", 0),
)


def riscv_aclint_swi_realize(dev: DeviceState) -> None:
    """Registers, interrupt lines, and the harts' software interrupt bits (SSIP stays the software's own)."""
    swi = object_check(dev, RISCVAclintSwiState, TYPE_RISCV_ACLINT_SWI)
    sysbus_init_mmio(
        swi, memory_region_init_io(swi, riscv_aclint_swi_ops, swi, TYPE_RISCV_ACLINT_SWI, RISCV_ACLINT_SWI_SIZE)
    )
    swi.soft_irqs = [None] * swi.num_harts
    qdev_init_gpio_out(dev, swi.soft_irqs, swi.num_harts)
    claim_interrupts(swi.hartid_base, swi.num_harts, 0 if swi.sswi else MIP_MSIP, "MSIP")


def riscv_aclint_swi_reset_enter(obj: Object, type: ResetType) -> None:
    """Lower all machine-mode software interrupts."""
    swi = object_check(obj, RISCVAclintSwiState, TYPE_RISCV_ACLINT_SWI)
    if not swi.sswi:
        for irq in swi.soft_irqs:
            qemu_irq_lower(irq)


def riscv_aclint_swi_class_init(dc: DeviceClass) -> None:
    """Properties, realize, and the first phase of reset."""
    dc.realize = riscv_aclint_swi_realize
    device_class_set_props(dc, riscv_aclint_swi_properties)
    rc = object_class_check(dc, ResettableClass, TYPE_RESETTABLE_INTERFACE)
    rc.phases = replace(rc.phases, enter=riscv_aclint_swi_reset_enter)


def riscv_aclint_swi_create(addr: int, hartid_base: int, num_harts: int, sswi: bool) -> RISCVAclintSwiState:
    """Words at `addr` for `num_harts` harts, wired to them."""
    dev = object_check(qdev_new(TYPE_RISCV_ACLINT_SWI), RISCVAclintSwiState, TYPE_RISCV_ACLINT_SWI)
    assert num_harts <= RISCV_ACLINT_MAX_HARTS
    assert not addr & 3
    qdev_prop_set_uint32(dev, "hartid-base", hartid_base)
    qdev_prop_set_uint32(dev, "num-harts", num_harts)
    qdev_prop_set_uint32(dev, "sswi", int(sswi))
    sysbus_realize_and_unref(dev)
    sysbus_mmio_map(dev, 0, addr)
    for i in range(num_harts):
        cpu = qemu_get_cpu(hartid_base + i)
        assert cpu is not None
        qdev_connect_gpio_out(dev, i, qdev_get_gpio_in(cpu, IRQ_S_SOFT if sswi else IRQ_M_SOFT))
    return dev


type_init(
    TypeInfo(
        TYPE_RISCV_ACLINT_MTIMER,
        parent=TYPE_SYS_BUS_DEVICE,
        instance_struct=RISCVAclintMTimerState,
        class_init=riscv_aclint_mtimer_class_init,
    ),
    TypeInfo(
        TYPE_RISCV_ACLINT_SWI,
        parent=TYPE_SYS_BUS_DEVICE,
        instance_struct=RISCVAclintSwiState,
        class_init=riscv_aclint_swi_class_init,
    ),
)
