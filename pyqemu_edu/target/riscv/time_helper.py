"""Supervisor mode's own timer (QEMU target/riscv/time_helper.c).

Left out: the timer of a hypervisor's guest, vstimecmp.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu_edu.target.riscv.cpu_bits import MASK64, MIP_STIP
from pyqemu_edu.target.riscv.cpu_helper import riscv_cpu_update_mip
from pyqemu_edu.target.riscv.timer_storm import timer_delay_ns
from pyqemu_edu.util.timer import (
    NANOSECONDS_PER_SECOND,
    QEMU_CLOCK_VIRTUAL,
    QEMUTimer,
    qemu_clock_get_ns,
    timer_mod,
    timer_new_ns,
)

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import RISCVCPU

INT64_MAX = 2**63 - 1


def riscv_stimer_cb(cpu: RISCVCPU) -> None:
    """The time in stimecmp has come."""
    riscv_cpu_update_mip(cpu, MIP_STIP, MASK64)


def riscv_timer_write_timecmp(cpu: RISCVCPU, timer: QEMUTimer, timecmp: int, delta: int, timer_irq: int) -> None:
    """Interrupt now if `timecmp` is past, else when the machine's clock, `delta` ahead, gets there."""
    env = cpu.env
    assert env.rdtime_fn
    rtc = env.rdtime_fn(env.rdtime_fn_arg) + delta
    ns_diff = (timecmp - rtc) * NANOSECONDS_PER_SECOND // env.rdtime_fn_arg.timebase_freq
    ns_diff = timer_delay_ns(env, max(0, ns_diff))
    if ns_diff == 0:
        riscv_cpu_update_mip(cpu, timer_irq, MASK64)
        return
    riscv_cpu_update_mip(cpu, timer_irq, 0)
    timer_mod(timer, min(qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) + ns_diff, INT64_MAX))


def riscv_timer_init(cpu: RISCVCPU) -> None:
    """A hart with Sstc gets its timer when it is realized."""
    cpu.env.stimer = timer_new_ns(QEMU_CLOCK_VIRTUAL, riscv_stimer_cb, cpu)
    cpu.env.stimecmp = 0
