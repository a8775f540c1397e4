"""The performance counters: which counts what, and the interrupt when one overflows (QEMU target/riscv/pmu.c)."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from pyqemu_edu.softmmu.device_tree import qemu_fdt_setprop
from pyqemu_edu.softmmu.icount import icount_enabled, icount_to_ns
from pyqemu_edu.softmmu.libfdt import Fdt
from pyqemu_edu.target.riscv.cpu_bits import (
    MASK64,
    MHPMEVENT_BIT_MINH,
    MHPMEVENT_BIT_OF,
    MHPMEVENT_BIT_SINH,
    MHPMEVENT_BIT_UINH,
    MHPMEVENT_IDX_MASK,
    MIP_LCOFIP,
    PRV_M,
    PRV_S,
    PRV_U,
)
from pyqemu_edu.target.riscv.cpu_helper import riscv_cpu_update_mip
from pyqemu_edu.util.timer import (
    QEMU_CLOCK_VIRTUAL,
    qemu_clock_get_ns,
    timer_mod_anticipate_ns,
    timer_new_ns,
)

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import RISCVCPU, CPURISCVState

# fmt: off
RISCV_PMU_EVENT_HW_CPU_CYCLES            = 0x00001   # type in bits 16-19, then code: for caches which, read or
RISCV_PMU_EVENT_HW_INSTRUCTIONS          = 0x00002   # write, hit or miss
RISCV_PMU_EVENT_CACHE_DTLB_READ_MISS     = 0x10019
RISCV_PMU_EVENT_CACHE_DTLB_WRITE_MISS    = 0x1001B
RISCV_PMU_EVENT_CACHE_ITLB_PREFETCH_MISS = 0x10021

TICKS      = (RISCV_PMU_EVENT_HW_CPU_CYCLES, RISCV_PMU_EVENT_HW_INSTRUCTIONS)
TLB_MISSES = (
    RISCV_PMU_EVENT_CACHE_DTLB_READ_MISS, RISCV_PMU_EVENT_CACHE_DTLB_WRITE_MISS,
    RISCV_PMU_EVENT_CACHE_ITLB_PREFETCH_MISS,
)
INHIBITED  = {PRV_M: MHPMEVENT_BIT_MINH, PRV_S: MHPMEVENT_BIT_SINH, PRV_U: MHPMEVENT_BIT_UINH}
# fmt: on

RV_MAX_MHPMCOUNTERS = 32
INT64_MAX = 2**63 - 1


def riscv_pmu_generate_fdt_node(fdt: Fdt, num_ctrs: int, pmu_name: str) -> None:
    """Which event each counter can count, for OpenSBI: first event, last event, mask of counters.

    Any of the programmable counters, which begin at 3, can count anything.  The array has room for 20 numbers, of which
    15 are used.
    """
    cmask = ((1 << num_ctrs) - 1) << 3
    fixed = {RISCV_PMU_EVENT_HW_CPU_CYCLES: 1 << 0, RISCV_PMU_EVENT_HW_INSTRUCTIONS: 1 << 2}
    cells = [cell for event in TICKS + TLB_MISSES for cell in (event, event, cmask | fixed.get(event, 0))]
    qemu_fdt_setprop(fdt, pmu_name, "riscv,event-to-mhpmcounters", struct.pack(">20I", *cells, *[0] * 5))


def riscv_pmu_init(cpu: RISCVCPU, num_counters: int) -> None:
    """Give the hart programmable counters, from number 3 on, and with Sscofpmf a timer that sees them overflow.

    Unlike TLB misses, cycles and instructions are not counted one by one, so that somebody must look at a clock.
    """
    if num_counters > RV_MAX_MHPMCOUNTERS - 3:
        return
    cpu.pmu_avail_ctrs = ((1 << num_counters) - 1) << 3
    if cpu.cfg.ext_sscofpmf:
        cpu.pmu_timer = timer_new_ns(QEMU_CLOCK_VIRTUAL, riscv_pmu_timer_cb, cpu)


# Which counter counts what


def riscv_pmu_counter_valid(cpu: RISCVCPU, ctr_idx: int) -> bool:
    """Whether it is a programmable counter that the hart has."""
    return ctr_idx >= 3 and bool(cpu.pmu_avail_ctrs >> ctr_idx & 1)


def riscv_pmu_counter_enabled(cpu: RISCVCPU, ctr_idx: int) -> bool:
    """Whether it is one and is not inhibited."""
    return riscv_pmu_counter_valid(cpu, ctr_idx) and not cpu.env.mcountinhibit >> ctr_idx & 1


def riscv_pmu_ctr_monitor_instructions(env: CPURISCVState, target_ctr: int) -> bool:
    """Whether a counter counts instructions: instret, and the one that was asked to first."""
    return target_ctr == 2 or env.cpu.pmu_event_ctr_map.get(RISCV_PMU_EVENT_HW_INSTRUCTIONS) == target_ctr


def riscv_pmu_ctr_monitor_cycles(env: CPURISCVState, target_ctr: int) -> bool:
    """Whether a counter counts cycles."""
    return target_ctr == 0 or env.cpu.pmu_event_ctr_map.get(RISCV_PMU_EVENT_HW_CPU_CYCLES) == target_ctr


def riscv_pmu_update_event_map(env: CPURISCVState, value: int, ctr_idx: int) -> None:
    """Have a counter count an event; zero takes all of its events back.

    An event stays with the first counter that asked, and a counter that asks for another keeps the one it had.
    """
    event_ctr_map = env.cpu.pmu_event_ctr_map
    if not riscv_pmu_counter_valid(env.cpu, ctr_idx):
        return
    event_idx = value & MHPMEVENT_IDX_MASK
    if not value:
        for event in [event for event, counter in event_ctr_map.items() if counter == ctr_idx]:
            del event_ctr_map[event]
    elif event_idx in TICKS + TLB_MISSES:
        event_ctr_map.setdefault(event_idx, ctr_idx)


# Counting


def riscv_pmu_incr_ctr(cpu: RISCVCPU, event_idx: int) -> None:
    """Count one event, if a counter was asked to (in QEMU with `riscv_pmu_incr_ctr_rv64`)."""
    ctr_idx = cpu.pmu_event_ctr_map.get(event_idx)
    if ctr_idx is None or not riscv_pmu_counter_enabled(cpu, ctr_idx):
        return
    env = cpu.env
    if env.mhpmevent_val[ctr_idx] & INHIBITED[env.priv]:
        return
    counter = env.pmu_ctrs[ctr_idx]
    counter.mhpmcounter_val = counter.mhpmcounter_val + 1 & MASK64
    if not counter.mhpmcounter_val:
        overflow(cpu, ctr_idx)


def overflow(cpu: RISCVCPU, ctr_idx: int) -> None:
    """A counter has wrapped to zero: interrupt, unless the guest has not cleared OF since last time (Not in QEMU)."""
    if not cpu.env.mhpmevent_val[ctr_idx] & MHPMEVENT_BIT_OF:
        cpu.env.mhpmevent_val[ctr_idx] |= MHPMEVENT_BIT_OF
        riscv_cpu_update_mip(cpu, MIP_LCOFIP, MASK64)


# The timer, for what is not counted one by one


def pmu_icount_ticks_to_ns(value: int) -> int:
    """When so many cycles or instructions will be over: a nanosecond each, or what `-icount` says."""
    return icount_to_ns(value) if icount_enabled() else value


def pmu_timer_trigger_irq(cpu: RISCVCPU, event_idx: int) -> None:
    """The counter of this event has overflowed, or is half way to it where the timer could not be set so far."""
    ctr_idx = cpu.pmu_event_ctr_map.get(event_idx, 0)
    if not riscv_pmu_counter_enabled(cpu, ctr_idx):
        return
    counter = cpu.env.pmu_ctrs[ctr_idx]
    if counter.irq_overflow_left > 0:
        assert cpu.pmu_timer is not None
        timer_mod_anticipate_ns(cpu.pmu_timer, qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + counter.irq_overflow_left)
        counter.irq_overflow_left = 0
        return
    overflow(cpu, ctr_idx)


def riscv_pmu_timer_cb(cpu: RISCVCPU) -> None:
    """The time has come at which a counter overflows."""
    for event_idx in TICKS:
        pmu_timer_trigger_irq(cpu, event_idx)


def riscv_pmu_setup_timer(env: CPURISCVState, value: int, ctr_idx: int) -> None:
    """Look again when a counter that stands at `value` overflows; as far ahead as a timer can be set."""
    cpu: RISCVCPU = env.cpu
    if not riscv_pmu_counter_valid(cpu, ctr_idx) or cpu.pmu_timer is None:
        return
    overflow_delta = (MASK64 - value + 1) if value else MASK64
    overflow_left = pmu_icount_ticks_to_ns(max(overflow_delta - INT64_MAX, 0))
    overflow_at = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + pmu_icount_ticks_to_ns(min(overflow_delta, INT64_MAX))
    if overflow_at > INT64_MAX:
        env.pmu_ctrs[ctr_idx].irq_overflow_left = overflow_left + overflow_at - INT64_MAX
        overflow_at = INT64_MAX
    timer_mod_anticipate_ns(cpu.pmu_timer, overflow_at)
