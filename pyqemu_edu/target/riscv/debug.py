"""The trigger module: breakpoints and watchpoints that the guest sets itself (QEMU target/riscv/debug.c).

There are two triggers, both of which compare addresses.  Left out: the other types, which 7.2 does not have either.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from pyqemu_edu.accel.tcg.cpu_exec_common import cpu_loop_exit
from pyqemu_edu.cpu import (
    cpu_breakpoint_insert,
    cpu_breakpoint_test,
    cpu_watchpoint_insert,
    cpu_watchpoint_remove_by_ref,
)
from pyqemu_edu.hw.core.cpu import (
    BP_CPU,
    BP_MEM_READ,
    BP_MEM_WRITE,
    BP_STOP_BEFORE_ACCESS,
    CPUState,
    CPUWatchpoint,
)
from pyqemu_edu.target.riscv.cpu_bits import RISCV_EXCP_BREAKPOINT

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

RV_MAX_TRIGGERS = 2
TDATA1, TDATA2, TDATA3 = range(3)
TRIGGER_TYPE_AD_MATCH, TRIGGER_TYPE_AD_MATCH6 = 2, 6

# fmt: off
LOAD, STORE, EXEC = 1 << 0, 1 << 1, 1 << 2      # in tdata1: what is compared,
U, S, M           = 1 << 3, 1 << 4, 1 << 6      # in which mode; a hypervisor's guests, only in type 6
VU, VS            = 1 << 23, 1 << 24
ACCESS, MODES     = LOAD | STORE | EXEC, U | S | M
TYPE2_SIZE        = 3 << 16 | 3 << 21
TYPE6_SIZE        = 15 << 16
SIZES             = {0, 1, 2, 3, 5}             # any, 1, 2, 4 and 8 bytes
# fmt: on


# The registers


def get_trigger_type(env: CPURISCVState, trigger_index: int) -> int:
    """The type in a trigger's tdata1: 2 (mcontrol) or 6 (mcontrol6)."""
    return env.tdata1[trigger_index] >> 60


def tselect_csr_read(env: CPURISCVState) -> int:
    """The trigger that tdata1 to tdata3 show."""
    return env.trigger_cur


def tselect_csr_write(env: CPURISCVState, val: int) -> None:
    """Choose a trigger; a number that does not exist is ignored."""
    if val < RV_MAX_TRIGGERS:
        env.trigger_cur = val


def tdata_available(env: CPURISCVState, tdata_index: int) -> bool:
    """Whether the trigger has this register; an address trigger has all three."""
    return tdata_index <= TDATA3


def tdata_csr_read(env: CPURISCVState, tdata_index: int) -> int:
    """A register of the chosen trigger."""
    return 0 if tdata_index == TDATA3 else (env.tdata1, env.tdata2)[tdata_index][env.trigger_cur]


def tdata_csr_write(env: CPURISCVState, tdata_index: int, val: int) -> None:
    """Change a register of the chosen trigger; an unknown type is ignored, and so is tdata3."""
    if tdata_index == TDATA2:
        reg_write(env, env.tdata2, val)
    elif tdata_index == TDATA1 and val >> 60 == TRIGGER_TYPE_AD_MATCH:
        reg_write(env, env.tdata1, type2_mcontrol_validate(val))
    elif tdata_index == TDATA1 and val >> 60 == TRIGGER_TYPE_AD_MATCH6:
        reg_write(env, env.tdata1, type6_mcontrol6_validate(val))


def reg_write(env: CPURISCVState, register: list[int], val: int) -> None:
    """Set what the chosen trigger compares, and have it looked for (in QEMU `type2_reg_write`, `type6_reg_write`)."""
    index = env.trigger_cur
    if register[index] != val:
        register[index] = val
        breakpoint_remove(env, index)
        breakpoint_insert(env, index)


def type2_breakpoint_size(ctrl: int) -> int:
    """The code of the width in a tdata1 of type 2."""
    return ctrl >> 16 & 3 | (ctrl >> 21 & 3) << 2


def type6_breakpoint_size(ctrl: int) -> int:
    """The code of the width in a tdata1 of type 6 (Not in QEMU: written out there)."""
    return ctrl >> 16 & 15


def type2_mcontrol_validate(ctrl: int) -> int:
    """What is kept of a tdata1 of type 2: mode, kind of access, and a size that is supported."""
    size = TYPE2_SIZE if type2_breakpoint_size(ctrl) in SIZES else 0
    return TRIGGER_TYPE_AD_MATCH << 60 | ctrl & (ACCESS | MODES | size)


def type6_mcontrol6_validate(ctrl: int) -> int:
    """What is kept of a tdata1 of type 6."""
    size = TYPE6_SIZE if type6_breakpoint_size(ctrl) in SIZES else 0
    return TRIGGER_TYPE_AD_MATCH6 << 60 | ctrl & (ACCESS | MODES | VU | VS | size)


def tinfo_csr_read(env: CPURISCVState) -> int:
    """The types that a trigger can have, as bits."""
    return 1 << TRIGGER_TYPE_AD_MATCH | 1 << TRIGGER_TYPE_AD_MATCH6


# Looking for what they compare


def breakpoint_insert(env: CPURISCVState, index: int) -> None:
    """Have a trigger's address looked for (in QEMU `type2_breakpoint_insert`, `type6_breakpoint_insert`).

    As in 7.2 the code of a width, 1 to 5, is taken for the number of bytes.
    """
    ctrl, addr = env.tdata1[index], env.tdata2[index]
    is_type6 = get_trigger_type(env, index) == TRIGGER_TYPE_AD_MATCH6
    if not ctrl & (MODES | VU | VS) or not ctrl & ACCESS:
        return
    flags = BP_CPU | BP_STOP_BEFORE_ACCESS
    if ctrl & EXEC:
        env.cpu_breakpoint[index] = cpu_breakpoint_insert(env.cpu, addr, flags)
    if ctrl & (LOAD | STORE):
        size = (type6_breakpoint_size if is_type6 else type2_breakpoint_size)(ctrl) or 8
        env.cpu_watchpoint[index] = cpu_watchpoint_insert(env.cpu, addr, size, flags | watched_accesses(ctrl))


def breakpoint_remove(env: CPURISCVState, index: int) -> None:
    """Have a trigger's address looked for no longer (in QEMU `type2_breakpoint_remove`)."""
    bp, wp = env.cpu_breakpoint[index], env.cpu_watchpoint[index]
    if bp is not None:
        env.cpu.breakpoints.remove(bp)
        env.cpu_breakpoint[index] = None
    if wp is not None:
        cpu_watchpoint_remove_by_ref(env.cpu, wp)
        env.cpu_watchpoint[index] = None


def watched_accesses(ctrl: int) -> int:
    """Loads, stores or both, as the flags of a watchpoint (Not in QEMU: written out there)."""
    return (ctrl & LOAD and BP_MEM_READ) | (ctrl & STORE and BP_MEM_WRITE)


def in_mode(env: CPURISCVState, ctrl: int) -> bool:
    """Whether a trigger is meant for the hart's mode (Not in QEMU: written out there)."""
    return bool(ctrl >> 3 & 1 << env.priv)


def riscv_cpu_debug_check_breakpoint(cs: CPUState) -> bool:
    """Whether a trigger's breakpoint counts in this mode; that of the other trigger will do, as in 7.2."""
    env: CPURISCVState = cs.env_ptr
    places = {bp.pc for bp in cs.breakpoints}
    triggers = zip(env.tdata1, env.tdata2, strict=True)
    return any(ctrl & EXEC and addr in places and in_mode(env, ctrl) for ctrl, addr in triggers)


def riscv_cpu_debug_check_watchpoint(cs: CPUState, wp: CPUWatchpoint) -> bool:
    """Whether a trigger's watchpoint counts in this mode."""
    env: CPURISCVState = cs.env_ptr
    triggers = zip(env.tdata1, env.tdata2, strict=True)
    return any(wp.flags & watched_accesses(ctrl) and wp.vaddr == addr and in_mode(env, ctrl) for ctrl, addr in triggers)


def riscv_cpu_debug_excp_handler(cs: CPUState) -> None:
    """Execution has stopped: if the guest's own trigger did it, take a breakpoint exception."""
    wp = cs.watchpoint_hit
    fired = cpu_breakpoint_test(cs, cs.env_ptr.pc, BP_CPU) if wp is None else wp.flags & BP_CPU
    if fired:
        cs.watchpoint_hit = None
        do_trigger_action(cs.env_ptr)


def do_trigger_action(env: CPURISCVState) -> NoReturn:
    """Take a breakpoint exception, the only action that 7.2 has."""
    env.cpu.exception_index = RISCV_EXCP_BREAKPOINT
    cpu_loop_exit(env.cpu)


def riscv_trigger_init(env: CPURISCVState) -> None:
    """At reset all triggers are address triggers that match nothing."""
    for index in range(RV_MAX_TRIGGERS):
        breakpoint_remove(env, index)
    env.tdata1 = [TRIGGER_TYPE_AD_MATCH << 60] * RV_MAX_TRIGGERS
    env.tdata2 = [0] * RV_MAX_TRIGGERS
