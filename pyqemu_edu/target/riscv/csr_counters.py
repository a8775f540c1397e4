"""The CSRs that count: cycles, instructions, time, and programmable events (QEMU target/riscv/csr.c)."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from pyqemu_edu.softmmu.icount import icount_enabled, icount_get
from pyqemu_edu.target.riscv.cpu_bits import (
    CSR_CYCLE,
    CSR_MCOUNTINHIBIT,
    CSR_MCYCLE,
    MASK64,
    MHPMEVENT_BIT_OF,
    PRIV_VERSION_1_11_0,
    PRIV_VERSION_1_12_0,
)
from pyqemu_edu.target.riscv.csr_declare import CSR, CsrRefused, shown
from pyqemu_edu.target.riscv.csr_predicates import any_, ctr, mctr, sscofpmf
from pyqemu_edu.target.riscv.pmu import (
    riscv_pmu_ctr_monitor_cycles,
    riscv_pmu_ctr_monitor_instructions,
    riscv_pmu_setup_timer,
    riscv_pmu_update_event_map,
)

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

COUNTERS = 32


def get_ticks() -> int:
    """What cycle and instret both count: the host's clock in nanoseconds, where C reads the host's cycle counter.

    With `-icount` it is the guest's, also in nanoseconds, whatever instructions there were.
    """
    return icount_get() if icount_enabled() else time.perf_counter_ns()


def counts_ticks(env: CPURISCVState, ctr_idx: int) -> bool:
    """Whether a counter counts cycles or instructions (Not in QEMU: written out there)."""
    return riscv_pmu_ctr_monitor_cycles(env, ctr_idx) or riscv_pmu_ctr_monitor_instructions(env, ctr_idx)


def riscv_pmu_read_ctr(env: CPURISCVState, ctr_idx: int) -> int:
    """A counter: what was written, plus what went by since if it counts cycles or instructions.

    The first look at a counter that was stopped shows how far it has come; those after it, what was written.
    """
    counter = env.pmu_ctrs[ctr_idx]
    if env.mcountinhibit >> ctr_idx & 1:
        if not counter.started:
            return counter.mhpmcounter_val
        counter.started = False
    if not counts_ticks(env, ctr_idx):
        return counter.mhpmcounter_val
    return get_ticks() - counter.mhpmcounter_prev + counter.mhpmcounter_val & MASK64


def read_hpmcounter(env: CPURISCVState, csrno: int) -> int:
    """A counter by one of its two numbers."""
    return riscv_pmu_read_ctr(env, csrno & COUNTERS - 1)


def write_mhpmcounter(env: CPURISCVState, csrno: int, val: int) -> None:
    """Set a counter, which goes on from there; a programmable one may tell when it overflows."""
    ctr_idx = csrno & COUNTERS - 1
    counter = env.pmu_ctrs[ctr_idx]
    counter.mhpmcounter_val = val
    if not counts_ticks(env, ctr_idx):
        counter.mhpmcounter_prev = val
        return
    counter.mhpmcounter_prev = get_ticks()
    if ctr_idx > 2:
        riscv_pmu_setup_timer(env, val, ctr_idx)


def write_mcountinhibit(env: CPURISCVState, csrno: int, val: int) -> None:
    """Stop some counters, let the others run."""
    env.mcountinhibit = val
    for index, counter in enumerate(env.pmu_ctrs):
        if not val >> index & 1:
            counter.started = True


def read_mhpmevent(env: CPURISCVState, csrno: int) -> int:
    """What a programmable counter is asked to count."""
    return env.mhpmevent_val[csrno - CSR_MCOUNTINHIBIT]


def write_mhpmevent(env: CPURISCVState, csrno: int, val: int) -> None:
    """Say what a programmable counter is to count."""
    ctr_idx = csrno - CSR_MCOUNTINHIBIT
    env.mhpmevent_val[ctr_idx] = val
    riscv_pmu_update_event_map(env, val, ctr_idx)


def read_mhpmeventh(env: CPURISCVState, csrno: int) -> int:
    """The upper half that RV32 has; 7.2 shows it to RV64 too, apart from the whole."""
    return env.mhpmeventh_val[csrno & COUNTERS - 1]


def write_mhpmeventh(env: CPURISCVState, csrno: int, val: int) -> None:
    """Set that upper half."""
    ctr_idx = csrno & COUNTERS - 1
    env.mhpmeventh_val[ctr_idx] = val
    riscv_pmu_update_event_map(env, (env.mhpmevent_val[ctr_idx] | val << 32) & MASK64, ctr_idx)


def read_scountovf(env: CPURISCVState, csrno: int) -> int:
    """Which programmable counters have overflowed, among those that supervisor mode may see."""
    overflowed = sum(1 << i for i in range(3, COUNTERS) if env.mhpmevent_val[i] & MHPMEVENT_BIT_OF)
    return overflowed & env.mcounteren


def read_time(env: CPURISCVState, csrno: int) -> int:
    """The machine's timer, if it has told the hart how to ask."""
    if not env.rdtime_fn:
        raise CsrRefused
    return env.rdtime_fn(env.rdtime_fn_arg)


# fmt: off
COUNTER_CSRS = (
    CSR(0xC00, "cycle",         ctr,      read_hpmcounter),
    CSR(0xC01, "time",          ctr,      read_time),
    CSR(0xC02, "instret",       ctr,      read_hpmcounter),
    *(CSR(CSR_CYCLE + i, f"hpmcounter{i}", ctr, read_hpmcounter) for i in range(3, COUNTERS)),
    CSR(0xDA0, "scountovf",     sscofpmf, read_scountovf, None, None, PRIV_VERSION_1_12_0),

    CSR(0xB00, "mcycle",        any_,     read_hpmcounter, write_mhpmcounter),
    CSR(0xB02, "minstret",      any_,     read_hpmcounter, write_mhpmcounter),
    *(CSR(CSR_MCYCLE + i, f"mhpmcounter{i}", mctr, read_hpmcounter, write_mhpmcounter) for i in range(3, COUNTERS)),
    CSR(0x320, "mcountinhibit", any_,     shown("mcountinhibit"), write_mcountinhibit, None, PRIV_VERSION_1_11_0),
    *(CSR(CSR_MCOUNTINHIBIT + i, f"mhpmevent{i}", any_, read_mhpmevent, write_mhpmevent) for i in range(3, COUNTERS)),
    *(CSR(0x720 + i, f"mhpmevent{i}h", sscofpmf, read_mhpmeventh, write_mhpmeventh, None, PRIV_VERSION_1_12_0)
      for i in range(3, COUNTERS)),
)
# fmt: on
