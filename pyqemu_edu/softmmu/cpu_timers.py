"""The guest's time, which stands still while the machine is stopped (QEMU softmmu/cpu-timers.c)."""

from __future__ import annotations

from pyqemu_edu.migration.vmstate import VMStateDescription, vmstate_register
from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.accel_ops import statics as accel_ops_statics
from pyqemu_edu.util.timer import get_clock, register_virtual_clock

vmstate_timers = VMStateDescription("timer", version_id=2, minimum_version_id=1)


class Statics:
    """QEMU's `TimersState`: the guest's time when the clock stood still last, or what to add to the host's.

    With `-icount`: the instructions executed, what is added to their time, and how it is counted (softmmu/icount.py).
    """

    def __init__(self) -> None:
        self.cpu_ticks_enabled = False
        self.cpu_clock_offset = 0
        self.icount_time_shift = 0
        self.qemu_icount = 0
        self.qemu_icount_bias = 0
        self.vm_clock_warp_start = 0
        self.last_delta = 0


statics = per_process(Statics)


def cpu_get_clock() -> int:
    """How long the machine has been running, in ns."""
    s = statics()
    return s.cpu_clock_offset + get_clock() if s.cpu_ticks_enabled else s.cpu_clock_offset


def cpu_enable_ticks() -> None:
    """Let the guest's time go on."""
    s = statics()
    if not s.cpu_ticks_enabled:
        s.cpu_clock_offset -= get_clock()
        s.cpu_ticks_enabled = True


def cpu_disable_ticks() -> None:
    """Stop the guest's time."""
    s = statics()
    if s.cpu_ticks_enabled:
        s.cpu_clock_offset = cpu_get_clock()
        s.cpu_ticks_enabled = False


def cpus_get_virtual_clock() -> int:
    """What QEMU_CLOCK_VIRTUAL shows (QEMU softmmu/cpus.c)."""
    ops = accel_ops_statics().cpus_accel
    if ops is not None and ops.get_virtual_clock:
        return ops.get_virtual_clock()
    return cpu_get_clock()


def cpu_timers_init() -> None:
    """From now on QEMU_CLOCK_VIRTUAL is the guest's time, which is part of what would be saved."""
    vmstate_register(None, 0, vmstate_timers, statics())
    register_virtual_clock(cpus_get_virtual_clock, cpu_get_clock)
