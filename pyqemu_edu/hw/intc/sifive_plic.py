"""The Platform-Level Interrupt Controller: devices' interrupts to harts (QEMU hw/intc/sifive_plic.c).

Each *source* has a priority; each *context*, a hart in one mode, has a threshold and says which sources it takes.  A
context is interrupted while a source that it takes is pending and above its threshold.  Reading the claim register
gives the most urgent of them and takes it off the list; writing it there again says that it has been served.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from pyqemu_edu.cpus_common import qemu_get_cpu
from pyqemu_edu.hw.core.gpio import qdev_connect_gpio_out, qdev_get_gpio_in, qdev_init_gpio_in, qdev_init_gpio_out
from pyqemu_edu.hw.core.irq import qemu_irq, qemu_set_irq
from pyqemu_edu.hw.core.qdev import qdev_new
from pyqemu_edu.hw.core.qdev_core import DeviceClass, DeviceState
from pyqemu_edu.hw.core.qdev_properties import (
    DEFINE_PROP_STRING,
    DEFINE_PROP_UINT32,
    device_class_set_props,
    qdev_prop_set_string,
    qdev_prop_set_uint32,
)
from pyqemu_edu.hw.core.sysbus import (
    TYPE_SYS_BUS_DEVICE,
    SysBusDevice,
    sysbus_init_mmio,
    sysbus_mmio_map,
    sysbus_realize_and_unref,
)
from pyqemu_edu.hw.pci import msi
from pyqemu_edu.migration.vmstate import VMStateDescription
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.softmmu.memory import AccessSizes, DeviceEndian, MemoryRegionOps, memory_region_init_io
from pyqemu_edu.target.riscv.cpu_bits import IRQ_M_EXT, IRQ_S_EXT, MIP_SEIP
from pyqemu_edu.target.riscv.cpu_helper import riscv_cpu_claim_interrupts
from pyqemu_edu.target.riscv.cpu_state import RISCVCPU
from pyqemu_edu.util.error import QemuExit, error_report
from pyqemu_edu.util.log import LOG_GUEST_ERROR, qemu_log_mask

TYPE_SIFIVE_PLIC = "riscv.sifive.plic"


@dataclass(frozen=True, slots=True)
class PLICAddr:
    """A context: a hart in one of its modes, a letter of "USHM"."""

    addrid: int
    hartid: int
    mode: str


@dataclass(eq=False)
class SiFivePLICState(SysBusDevice):
    """Bit fields are lists of 32-bit words; `enable` has `bitfield_words` of them for each context."""

    hart_config: str | None = None
    hartid_base: int = 0
    num_sources: int = 0
    num_priorities: int = 0
    priority_base: int = 0
    pending_base: int = 0
    enable_base: int = 0
    enable_stride: int = 0
    context_base: int = 0
    context_stride: int = 0
    aperture_size: int = 0
    num_harts: int = 0
    bitfield_words: int = 0
    addr_config: list[PLICAddr] = field(default_factory=list)
    source_priority: list[int] = field(default_factory=list)
    target_priority: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)
    claimed: list[int] = field(default_factory=list)
    enable: list[int] = field(default_factory=list)
    m_external_irqs: list[qemu_irq] = field(default_factory=list)
    s_external_irqs: list[qemu_irq] = field(default_factory=list)

    @property
    def num_addrs(self) -> int:
        """The number of contexts."""
        return len(self.addr_config)


def addr_between(addr: int, base: int, num: int) -> bool:
    """Is `addr` one of `num` from `base` on?"""
    return base <= addr < base + num


# ---- what is pending, and for whom


def set_masked(words: list[int], irq: int, level: bool) -> None:
    """Set or clear a source's bit (QEMU `atomic_set_masked`; the big lock is enough here)."""
    bit = 1 << (irq & 31)
    words[irq >> 5] = words[irq >> 5] | bit if level else words[irq >> 5] & ~bit


def sifive_plic_set_pending(plic: SiFivePLICState, irq: int, level: bool) -> None:
    """A source wants to be served, or no longer."""
    set_masked(plic.pending, irq, level)


def sifive_plic_set_claimed(plic: SiFivePLICState, irq: int, level: bool) -> None:
    """A source is being served, or has been."""
    set_masked(plic.claimed, irq, level)


def sifive_plic_claimed(plic: SiFivePLICState, addrid: int) -> int:
    """The most urgent source for a context, the lowest number among equals; 0 for none."""
    max_irq, max_prio = 0, plic.target_priority[addrid]
    for i in range(plic.bitfield_words):
        word = plic.pending[i] & ~plic.claimed[i] & plic.enable[addrid * plic.bitfield_words + i]
        for irq in (32 * i + bit for bit in range(32) if word >> bit & 1):
            if plic.source_priority[irq] > max_prio:
                max_irq, max_prio = irq, plic.source_priority[irq]
    return max_irq


def sifive_plic_update(plic: SiFivePLICState) -> None:
    """Interrupt every hart for which something is pending, and no other."""
    for context in plic.addr_config:
        n = context.hartid - plic.hartid_base
        level = int(sifive_plic_claimed(plic, context.addrid) != 0)
        if context.mode == "M":
            qemu_set_irq(plic.m_external_irqs[n], level)
        elif context.mode == "S":
            qemu_set_irq(plic.s_external_irqs[n], level)


def sifive_plic_irq_request(plic: SiFivePLICState, irq: int, level: int) -> None:
    """A device raises its wire; that it lowers it again is not seen."""
    if level > 0:
        sifive_plic_set_pending(plic, irq, True)
        sifive_plic_update(plic)


# ---- the registers


def enable_word(plic: SiFivePLICState, addr: int) -> int | None:
    """Which word of `enable` is at `addr`; None between those of two contexts (in QEMU written out)."""
    addrid = (addr - plic.enable_base) // plic.enable_stride
    wordid = (addr & (plic.enable_stride - 1)) >> 2
    return addrid * plic.bitfield_words + wordid if wordid < plic.bitfield_words else None


def sifive_plic_read(plic: SiFivePLICState, addr: int, size: int) -> int:
    """A hart reads a register."""
    if addr_between(addr, plic.priority_base, plic.num_sources << 2):
        return plic.source_priority[((addr - plic.priority_base) >> 2) + 1]
    if addr_between(addr, plic.pending_base, plic.num_sources >> 3):
        return plic.pending[(addr - plic.pending_base) >> 2]
    if addr_between(addr, plic.enable_base, plic.num_addrs * plic.enable_stride):
        word = enable_word(plic, addr)
        if word is not None:
            return plic.enable[word]
    elif addr_between(addr, plic.context_base, plic.num_addrs * plic.context_stride):
        addrid = (addr - plic.context_base) // plic.context_stride
        contextid = addr & (plic.context_stride - 1)
        if contextid == 0:
            return plic.target_priority[addrid]
        if contextid == 4:
            return sifive_plic_claim(plic, addrid)
    qemu_log_mask(LOG_GUEST_ERROR, f"sifive_plic_read: Invalid register read 0x{addr:x}\n")
    return 0


def sifive_plic_claim(plic: SiFivePLICState, addrid: int) -> int:
    """A context takes its most urgent source (in QEMU `sifive_plic_read`)."""
    max_irq = sifive_plic_claimed(plic, addrid)
    if max_irq:
        sifive_plic_set_pending(plic, max_irq, False)
        sifive_plic_set_claimed(plic, max_irq, True)
    sifive_plic_update(plic)
    return max_irq


def sifive_plic_write(plic: SiFivePLICState, addr: int, value: int, size: int) -> None:
    """A hart writes a register."""
    if addr_between(addr, plic.priority_base, plic.num_sources << 2):
        set_priority(plic, plic.source_priority, ((addr - plic.priority_base) >> 2) + 1, value)
    elif addr_between(addr, plic.pending_base, plic.num_sources >> 3):
        qemu_log_mask(LOG_GUEST_ERROR, f"sifive_plic_write: invalid pending write: 0x{addr:x}")
    elif addr_between(addr, plic.enable_base, plic.num_addrs * plic.enable_stride):
        word = enable_word(plic, addr)
        if word is None:
            qemu_log_mask(LOG_GUEST_ERROR, f"sifive_plic_write: Invalid enable write 0x{addr:x}\n")
        else:
            plic.enable[word] = value
    elif addr_between(addr, plic.context_base, plic.num_addrs * plic.context_stride):
        sifive_plic_write_context(plic, addr, value)
    else:
        qemu_log_mask(LOG_GUEST_ERROR, f"sifive_plic_write: Invalid register write 0x{addr:x}\n")


def sifive_plic_write_context(plic: SiFivePLICState, addr: int, value: int) -> None:
    """A context sets its threshold, or has served a source (in QEMU `sifive_plic_write`)."""
    contextid = addr & (plic.context_stride - 1)
    if contextid == 0:
        set_priority(plic, plic.target_priority, (addr - plic.context_base) // plic.context_stride, value)
    elif contextid == 4:
        if value < plic.num_sources:
            sifive_plic_set_claimed(plic, value, False)
            sifive_plic_update(plic)
    else:
        qemu_log_mask(LOG_GUEST_ERROR, f"sifive_plic_write: Invalid context write 0x{addr:x}\n")


def set_priority(plic: SiFivePLICState, priorities: list[int], n: int, value: int) -> None:
    """Set a priority or threshold to its legal bits; too large a one is ignored where legal means no whole bits."""
    if (plic.num_priorities + 1) & plic.num_priorities == 0:
        value %= plic.num_priorities + 1
    elif value > plic.num_priorities:
        return
    priorities[n] = value
    sifive_plic_update(plic)


sifive_plic_ops = MemoryRegionOps(
    read=sifive_plic_read,
    write=sifive_plic_write,
    endianness=DeviceEndian.LITTLE,
    valid=AccessSizes(4, 4),
)

# ---- the device


def sifive_plic_clear(plic: SiFivePLICState) -> None:
    """All registers at 0; the last source has the number `num_sources`, one too many for C (Not in QEMU)."""
    plic.source_priority = [0] * (plic.bitfield_words * 32 + 1)
    plic.target_priority = [0] * plic.num_addrs
    plic.pending = [0] * plic.bitfield_words
    plic.claimed = [0] * plic.bitfield_words
    plic.enable = [0] * (plic.bitfield_words * plic.num_addrs)


def sifive_plic_reset(dev: DeviceState) -> None:
    """Nothing is pending, nobody is interrupted."""
    s = object_check(dev, SiFivePLICState, TYPE_SIFIVE_PLIC)
    sifive_plic_clear(s)
    for m_irq, s_irq in zip(s.m_external_irqs, s.s_external_irqs, strict=True):
        qemu_set_irq(m_irq, 0)
        qemu_set_irq(s_irq, 0)


def parse_hart_config(plic: SiFivePLICState) -> None:
    """The contexts from a text such as "M,MS,MS": hart 0 with mode M, harts 1 and 2 with M and S."""
    harts = (plic.hart_config or "").split(",")
    for modes in harts:
        for i, mode in enumerate(modes):
            if mode not in "USHM":
                error_report(f"plic: invalid mode '{mode}'")
                raise QemuExit(1)
            if mode in modes[:i]:
                error_report(f"plic: duplicate mode '{mode}' in config: {plic.hart_config}")
                raise QemuExit(1)
    contexts = [(plic.hartid_base + n, mode) for n, modes in enumerate(harts) for mode in modes]
    plic.num_harts = len(harts)
    plic.addr_config = [PLICAddr(addrid, hartid, mode) for addrid, (hartid, mode) in enumerate(contexts)]


def sifive_plic_realize(dev: DeviceState) -> None:
    """Registers, an input for each source, outputs for each hart, and the harts' external interrupt bits."""
    s = object_check(dev, SiFivePLICState, TYPE_SIFIVE_PLIC)
    sysbus_init_mmio(s, memory_region_init_io(s, sifive_plic_ops, s, TYPE_SIFIVE_PLIC, s.aperture_size))
    parse_hart_config(s)
    s.bitfield_words = (s.num_sources + 31) >> 5
    sifive_plic_clear(s)
    qdev_init_gpio_in(dev, sifive_plic_irq_request, s.num_sources)
    s.s_external_irqs = [None] * s.num_harts
    qdev_init_gpio_out(dev, s.s_external_irqs, s.num_harts)
    s.m_external_irqs = [None] * s.num_harts
    qdev_init_gpio_out(dev, s.m_external_irqs, s.num_harts)
    for i in range(s.num_harts):
        cpu = qemu_get_cpu(s.hartid_base + i)
        assert isinstance(cpu, RISCVCPU)
        if riscv_cpu_claim_interrupts(cpu, MIP_SEIP) < 0:
            error_report("SEIP already claimed")
            raise QemuExit(1)
    msi.statics().msi_nonbroken = True


vmstate_sifive_plic = VMStateDescription("riscv_sifive_plic", version_id=1, minimum_version_id=1)

sifive_plic_properties = (
    DEFINE_PROP_STRING("hart-config", "hart_config"),
    DEFINE_PROP_UINT32("hartid-base", "hartid_base", 0),
    DEFINE_PROP_UINT32("num-sources", "num_sources", 0),
    DEFINE_PROP_UINT32("num-priorities", "num_priorities", 0),
    DEFINE_PROP_UINT32("priority-base", "priority_base", 0),
    DEFINE_PROP_UINT32("pending-base", "pending_base", 0),
    DEFINE_PROP_UINT32("enable-base", "enable_base", 0),
    DEFINE_PROP_UINT32("enable-stride", "enable_stride", 0),
    DEFINE_PROP_UINT32("context-base", "context_base", 0),
    DEFINE_PROP_UINT32("context-stride", "context_stride", 0),
    DEFINE_PROP_UINT32("aperture-size", "aperture_size", 0),
)


def sifive_plic_class_init(dc: DeviceClass) -> None:
    """Properties, realize and reset."""
    dc.reset = sifive_plic_reset
    device_class_set_props(dc, sifive_plic_properties)
    dc.realize = sifive_plic_realize
    dc.vmsd = vmstate_sifive_plic


def sifive_plic_create(
    addr: int,
    hart_config: str,
    num_harts: int,
    hartid_base: int,
    num_sources: int,
    num_priorities: int,
    priority_base: int,
    pending_base: int,
    enable_base: int,
    enable_stride: int,
    context_base: int,
    context_stride: int,
    aperture_size: int,
) -> SiFivePLICState:
    """A controller at `addr`, wired to its harts.

    The supervisor's wires come first.  As in 7.2 they are numbered by hart, not counted from `hartid_base`, so on a
    second socket they go amiss.
    """
    dev = object_check(qdev_new(TYPE_SIFIVE_PLIC), SiFivePLICState, TYPE_SIFIVE_PLIC)
    assert enable_stride == enable_stride & -enable_stride
    assert context_stride == context_stride & -context_stride
    qdev_prop_set_string(dev, "hart-config", hart_config)
    qdev_prop_set_uint32(dev, "hartid-base", hartid_base)
    qdev_prop_set_uint32(dev, "num-sources", num_sources)
    qdev_prop_set_uint32(dev, "num-priorities", num_priorities)
    qdev_prop_set_uint32(dev, "priority-base", priority_base)
    qdev_prop_set_uint32(dev, "pending-base", pending_base)
    qdev_prop_set_uint32(dev, "enable-base", enable_base)
    qdev_prop_set_uint32(dev, "enable-stride", enable_stride)
    qdev_prop_set_uint32(dev, "context-base", context_base)
    qdev_prop_set_uint32(dev, "context-stride", context_stride)
    qdev_prop_set_uint32(dev, "aperture-size", aperture_size)
    sysbus_realize_and_unref(dev)
    sysbus_mmio_map(dev, 0, addr)
    for context in dev.addr_config:
        cpu = qemu_get_cpu(context.hartid)
        assert cpu is not None
        if context.mode == "M":
            pin = num_harts - dev.hartid_base + context.hartid
            qdev_connect_gpio_out(dev, pin, qdev_get_gpio_in(cpu, IRQ_M_EXT))
        if context.mode == "S":
            qdev_connect_gpio_out(dev, context.hartid, qdev_get_gpio_in(cpu, IRQ_S_EXT))
    return dev


type_init(
    TypeInfo(
        TYPE_SIFIVE_PLIC,
        parent=TYPE_SYS_BUS_DEVICE,
        instance_struct=SiFivePLICState,
        class_init=sifive_plic_class_init,
    )
)
