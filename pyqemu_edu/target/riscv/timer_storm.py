"""A hart gets on even if its timer comes again before it has done with the last time (Not in QEMU).

Linux has a timer interrupt each hart 250 times a second by the clock on the wall, and takes some thousand instructions
to serve it.  Several harts that share one processor of the host, each a thousandth as fast as a real one, would do
nothing else.  So after `STORM` timer interrupts one after the other that come before `BREATH` instructions have been
executed since the last, the next one waits until that many have been; not where time is counted in instructions, nor
in a guest that sleeps between them.  To the guest that is a host that was busy for a moment.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu_edu.accel.tcg.tb import TCG_MAX_INSNS
from pyqemu_edu.hw.core.cpu import CPUState
from pyqemu_edu.softmmu.icount import icount_enabled
from pyqemu_edu.target.riscv.cpu_bits import IRQ_M_TIMER, IRQ_S_TIMER

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

STORM = 64
BREATH = 20_000


def timer_has_to_wait(cs: CPUState, interruptno: int) -> bool:
    """Whether this interrupt is a timer's that is not to be taken yet; if so the vCPU looks again when it is time."""
    if interruptno not in (IRQ_M_TIMER, IRQ_S_TIMER) or icount_enabled():
        return False
    env: CPURISCVState = cs.env_ptr
    since = cs.instret - env.timer_taken_at
    if since < BREATH - TCG_MAX_INSNS:
        if env.timer_storm >= STORM:
            cs.icount_limit = min(cs.icount_limit, env.timer_taken_at + BREATH)
            return True
        env.timer_storm += 1
    elif since > 2 * BREATH:
        env.timer_storm = 0
    env.timer_taken_at = cs.instret
    return False
