"""The registers of the trigger module (QEMU target/riscv/debug.c).

Two address triggers can be set up and read back; they do not fire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu import CPURISCVState

RV_MAX_TRIGGERS = 2
TDATA1, TDATA2, TDATA3 = range(3)
TRIGGER_TYPE_AD_MATCH, TRIGGER_TYPE_AD_MATCH6 = 2, 6

TYPE2_KEPT = 0x5F  # load, store, execute; U, S and M mode
TYPE6_KEPT = TYPE2_KEPT | 1 << 23 | 1 << 24  # and VU, VS
TYPE2_SIZE = 3 << 16 | 3 << 21
TYPE6_SIZE = 15 << 16
SIZES = {0, 1, 2, 3, 5}  # any, 1, 2, 4 and 8 bytes


def tselect_csr_read(env: CPURISCVState) -> int:
    """The trigger that tdata1 to tdata3 show."""
    return env.trigger_cur


def tselect_csr_write(env: CPURISCVState, val: int) -> None:
    """Choose a trigger that exists; others are not chosen."""
    if val < RV_MAX_TRIGGERS:
        env.trigger_cur = val


def tdata_available(env: CPURISCVState, tdata_index: int) -> bool:
    """An address trigger, which is what we have, has all three."""
    return tdata_index <= TDATA3


def tdata_csr_read(env: CPURISCVState, tdata_index: int) -> int:
    """A register of the chosen trigger."""
    return 0 if tdata_index == TDATA3 else (env.tdata1, env.tdata2)[tdata_index][env.trigger_cur]


def tdata_csr_write(env: CPURISCVState, tdata_index: int, val: int) -> None:
    """Change a register of the chosen trigger; a type that there is not is not taken, nor is tdata3."""
    if tdata_index == TDATA2:
        env.tdata2[env.trigger_cur] = val
    elif tdata_index == TDATA3:
        return
    elif val >> 60 == TRIGGER_TYPE_AD_MATCH:
        env.tdata1[env.trigger_cur] = type2_mcontrol_validate(val)
    elif val >> 60 == TRIGGER_TYPE_AD_MATCH6:
        env.tdata1[env.trigger_cur] = type6_mcontrol6_validate(val)


def type2_mcontrol_validate(ctrl: int) -> int:
    """What is kept of a tdata1 of type 2: mode, kind of access, and a size that is supported."""
    size = ctrl >> 16 & 3 | (ctrl >> 21 & 3) << 2
    return TRIGGER_TYPE_AD_MATCH << 60 | ctrl & (TYPE2_KEPT | (TYPE2_SIZE if size in SIZES else 0))


def type6_mcontrol6_validate(ctrl: int) -> int:
    """What is kept of a tdata1 of type 6."""
    return TRIGGER_TYPE_AD_MATCH6 << 60 | ctrl & (TYPE6_KEPT | (TYPE6_SIZE if ctrl >> 16 & 15 in SIZES else 0))


def tinfo_csr_read(env: CPURISCVState) -> int:
    """The types that a trigger can have, as bits."""
    return 1 << TRIGGER_TYPE_AD_MATCH | 1 << TRIGGER_TYPE_AD_MATCH6


def riscv_trigger_init(env: CPURISCVState) -> None:
    """At reset all triggers are address triggers that match nothing."""
    env.tdata1 = [TRIGGER_TYPE_AD_MATCH << 60] * RV_MAX_TRIGGERS
    env.tdata2 = [0] * RV_MAX_TRIGGERS
