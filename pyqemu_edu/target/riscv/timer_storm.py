"""Harts get on even if their timers come again before they have done with the last time (Not in QEMU).

Linux has each hart interrupted 250 times a second by the clock on the wall, and takes some thousand instructions to
serve that.  Four harts that share one processor of the host, each a thousandth as fast as a real one, would do nothing
else.  So when a hart has said `STORM` times in a row, while it served its timer, that it wants to be interrupted again
sooner than it took to come to that point, then its timer fires only when `BREATH` times as much has passed.  To the
guest that is a host that was busy for a moment.  Time that is counted in instructions (`-icount`) needs no such thing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu_edu.softmmu.icount import icount_enabled
from pyqemu_edu.target.riscv.cpu_bits import IRQ_S_TIMER
from pyqemu_edu.util.timer import QEMU_CLOCK_VIRTUAL, qemu_clock_get_ns

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

STORM = 32
BREATH = 4
LONGEST_NS = 100_000_000


def timer_interrupt_taken(env: CPURISCVState, interruptno: int) -> None:
    """Note when a hart begins to serve its timer."""
    if interruptno == IRQ_S_TIMER:
        env.timer_taken_ns = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL)


def timer_delay_ns(env: CPURISCVState, delay: int) -> int:
    """In how many nanoseconds the timer fires that was asked for in `delay`: mostly that."""
    taken, env.timer_taken_ns = env.timer_taken_ns, None
    if taken is None or icount_enabled():
        return delay
    served = qemu_clock_get_ns(QEMU_CLOCK_VIRTUAL) - taken
    env.timer_storm = env.timer_storm + 1 if delay < served else 0
    return delay if env.timer_storm <= STORM else min(BREATH * served, LONGEST_NS)
