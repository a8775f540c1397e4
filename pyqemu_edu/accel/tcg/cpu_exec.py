"""The heart: find the next block, or make it, and run it (QEMU accel/tcg/cpu-exec.c)."""

from __future__ import annotations

from typing import Any

from pyqemu_edu.accel.tcg.cpu_exec_common import CPULoopExit, IORecompile, cpu_loop_exit
from pyqemu_edu.accel.tcg.cputlb import get_page_addr_code, tlb_init
from pyqemu_edu.accel.tcg.tb import (
    CF_COUNT_MASK,
    CF_LAST_IO,
    CF_MEMI_ONLY,
    CF_NO_GOTO_PTR,
    CF_NO_GOTO_TB,
    CF_NOIRQ,
    CF_PARALLEL,
    CF_SINGLE_STEP,
    CF_USE_ICOUNT,
    TB_EXIT_IDX1,
    TB_EXIT_LOOKUP,
    TB_EXIT_NOCHAIN,
    TB_EXIT_REQUESTED,
    TranslationBlock,
    exec_tb,
    exec_tb_exit,
)
from pyqemu_edu.accel.tcg.tb_jmp_cache import tb_jmp_cache_get_tb, tb_jmp_cache_set
from pyqemu_edu.accel.tcg.tb_maint import statics as tb_ctx
from pyqemu_edu.accel.tcg.tb_maint import tb_add_jump
from pyqemu_edu.accel.tcg.translate_all import cpu_restore_state, tb_gen_code
from pyqemu_edu.cpus_common import current_cpu, end_exclusive, set_current_cpu, start_exclusive
from pyqemu_edu.hw.core.cpu import (
    BP_GDB,
    CPU_GET_CLASS,
    CPU_INTERRUPT_DEBUG,
    CPU_INTERRUPT_EXITTB,
    CPU_INTERRUPT_HALT,
    CPU_INTERRUPT_HARD,
    CPU_INTERRUPT_RESET,
    EXCP_DEBUG,
    EXCP_HALTED,
    EXCP_HLT,
    EXCP_INTERRUPT,
    NO_LIMIT,
    SSTEP_NOIRQ,
    CPUBreakpoint,
    CPUDumpFlags,
    CPUState,
    TCGCPUOps,
    cpu_dump_state,
    cpu_has_work,
    cpu_reset,
)
from pyqemu_edu.hw.core.loader import lookup_symbol
from pyqemu_edu.process import current_process, per_process
from pyqemu_edu.softmmu.globals import statics as globals_
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.log import (
    CPU_LOG_EXEC,
    CPU_LOG_TB_CPU,
    CPU_LOG_TB_FPU,
    CPU_LOG_TB_NOCHAIN,
    qemu_log,
    qemu_log_in_addr_range,
    qemu_loglevel_mask,
)
from pyqemu_edu.util.log import statics as log_statics
from pyqemu_edu.util.main_loop import (
    qemu_mutex_iothread_locked,
    qemu_mutex_lock_iothread,
    qemu_mutex_unlock_iothread,
)

TB_EXIT_BY_JUMP = TB_EXIT_IDX1
guest_exception = Event("guest_exception", "cpu", "exception_index", "pc")
guest_interrupt = Event("guest_interrupt", "cpu", "interrupt_request")


class Statics:
    def __init__(self) -> None:
        self.tcg_target_initialized = False


statics = per_process(Statics)


def tcg_ops_of(cpu: CPUState) -> TCGCPUOps:
    """What the vCPU's architecture does for TCG."""
    ops = (cpu.cc or CPU_GET_CLASS(cpu)).tcg_ops
    assert ops is not None
    return ops


def curr_cflags(cpu: CPUState) -> int:
    """How to translate for this vCPU now: alone, one instruction at a time, without links."""
    cflags = cpu.tcg_cflags
    if cpu.singlestep_enabled:
        cflags |= CF_NO_GOTO_TB | CF_NO_GOTO_PTR | CF_SINGLE_STEP | 1
    elif globals_().singlestep:
        cflags |= CF_NO_GOTO_TB | 1
    elif qemu_loglevel_mask(CPU_LOG_TB_NOCHAIN):
        cflags |= CF_NO_GOTO_TB
    return cflags


# Finding a block


def tb_htable_lookup(cpu: CPUState, pc: int, cs_base: int, flags: int, cflags: int) -> TranslationBlock | None:
    """Find a block by where in RAM its code is; one that reaches into a second page only if that is the same."""
    phys_pc = get_page_addr_code(cpu.env_ptr, pc)
    if phys_pc == -1:
        return None
    tb = tb_ctx().htable.get((phys_pc, pc, cs_base, flags, cflags))
    if tb is not None and tb.page_addr[1] != -1:
        second = get_page_addr_code(cpu.env_ptr, (pc | 0xFFF) + 1)
        return tb if second == tb.page_addr[1] else None
    return tb


def tb_lookup(cpu: CPUState, pc: int, cs_base: int, flags: int, cflags: int) -> TranslationBlock | None:
    """Find a block: by the short cut, else in the table of all."""
    tb = tb_jmp_cache_get_tb(cpu, pc)
    if tb is not None and tb.flags == flags and tb.cflags == cflags and tb.cs_base == cs_base:
        return tb
    tb = tb_htable_lookup(cpu, pc, cs_base, flags, cflags)
    if tb is not None:
        tb_jmp_cache_set(cpu, pc, tb)
    return tb


def check_for_breakpoints(cpu: CPUState, pc: int, cflags: int) -> tuple[bool, int]:
    """Whether to stop here; and how to translate if there is a breakpoint further on in the page: one at a time."""
    if not cpu.breakpoints or cpu.singlestep_enabled:
        return False, cflags
    if any(bp.pc == pc and breakpoint_matches(cpu, bp) for bp in cpu.breakpoints):
        cpu.exception_index = EXCP_DEBUG
        return True, cflags
    if any(bp.pc != pc and not (bp.pc ^ pc) & ~0xFFF for bp in cpu.breakpoints):
        cflags = cflags & ~CF_COUNT_MASK | CF_NO_GOTO_TB | 1
    return False, cflags


def breakpoint_matches(cpu: CPUState, bp: CPUBreakpoint) -> bool:
    """Whether a breakpoint counts now: a debugger's always, the CPU's own if it says so.

    (in QEMU part of `check_for_breakpoints_slow`)
    """
    if bp.flags & BP_GDB:
        return True
    check = tcg_ops_of(cpu).debug_check_breakpoint
    return check is not None and check(cpu)


def helper_lookup_tb_ptr(cpu: CPUState, env: Any) -> TranslationBlock | None:
    """The block at the new pc, if there is one already."""
    ops = tcg_ops_of(cpu)
    assert ops.get_tb_cpu_state is not None
    pc, cs_base, flags = ops.get_tb_cpu_state(env)
    stop, cflags = check_for_breakpoints(cpu, pc, curr_cflags(cpu))
    if stop:
        cpu_loop_exit(cpu)
    tb = tb_lookup(cpu, pc, cs_base, flags, cflags)
    if tb is not None and log_statics().qemu_loglevel & (CPU_LOG_TB_CPU | CPU_LOG_EXEC):
        log_cpu_exec(pc, cpu, tb)
    return tb


# Running blocks


def log_cpu_exec(pc: int, cpu: CPUState, tb: TranslationBlock) -> None:
    """`-d exec` and `-d cpu`."""
    if not qemu_log_in_addr_range(pc):
        return
    if qemu_loglevel_mask(CPU_LOG_EXEC):
        qemu_log(
            f"Trace {cpu.cpu_index}: {tb.tc_ptr:#x} "
            f"[{tb.cs_base:016x}/{pc:016x}/{tb.flags:08x}/{tb.cflags:08x}] {lookup_symbol(pc)}\n"
        )
    if qemu_loglevel_mask(CPU_LOG_TB_CPU):
        flags = CPUDumpFlags.FPU if qemu_loglevel_mask(CPU_LOG_TB_FPU) else 0
        cpu_dump_state(cpu, log_statics().logfile or current_process().stderr, flags)


def tcg_qemu_tb_exec(cpu: CPUState, tb: TranslationBlock) -> tuple[TranslationBlock, int]:
    """Run `tb` and what it is linked to, until a way out leads nowhere; the last block and way out (QEMU tcg/tci.c).

    In C linked blocks jump to each other, and the head of each tests `icount_decr`; here they return, and this loop
    tests `icount_limit`.  The next block is mostly the one that the short cuts have for pc: flags only change where a
    block leaves for the main loop.  This too is left out if there is nothing to do there.
    """
    env, cflags, short_cuts = cpu.env_ptr, curr_cflags(cpu), unlogged_jmp_cache(cpu)
    get_tb_cpu_state, watched = tcg_ops_of(cpu).get_tb_cpu_state, is_watched(cpu, tb.cflags | cflags)
    assert get_tb_cpu_state is not None
    try:
        while True:
            icount = tb.icount
            if cpu.instret + icount > cpu.icount_limit:
                return tb, TB_EXIT_REQUESTED
            loops = 1 if tb.loops == 1 else max(1, min(tb.loops, (cpu.icount_limit - cpu.instret) // tb.round))
            cpu.instret += icount
            way_out = tb.code(cpu, env, loops)
            if way_out > TB_EXIT_LOOKUP:
                tb, way_out = tb.members[way_out >> 3], way_out & 7
            if way_out < TB_EXIT_NOCHAIN:
                following = tb.jmp_dest[way_out]
            elif way_out == TB_EXIT_NOCHAIN and (watched or cpu.exit_request or interrupt_is_due(cpu)):
                return tb, way_out
            else:
                flags = tb.flags if way_out == TB_EXIT_LOOKUP else get_tb_cpu_state(env)[2]
                following = short_cuts.get(env.pc)
                if following is None or following.flags != flags or following.cflags != cflags:
                    following = helper_lookup_tb_ptr(cpu, env)
            if following is None:
                return tb, way_out
            tb = following
    except BaseException as exception:
        cpu_restore_state(cpu, tb, exception)
        if isinstance(exception, IORecompile):
            cpu_io_recompile(cpu, tb)
        raise


def is_watched(cpu: CPUState, cflags: int) -> bool:
    """Whether somebody wants to see each return to the main loop, or counts (Not in QEMU)."""
    logged = qemu_loglevel_mask(CPU_LOG_TB_CPU | CPU_LOG_EXEC)
    return bool(exec_tb or exec_tb_exit or logged or cflags & (CF_COUNT_MASK | CF_NO_GOTO_PTR | CF_USE_ICOUNT))


def cpu_io_recompile(cpu: CPUState, tb: TranslationBlock) -> None:
    """Begin again with this instruction, and end the block with it: then the device finds the clock where it is.

    (QEMU accel/tcg/translate-all.c)
    """
    cpu.can_do_io = 1
    cpu.cflags_next_tb = curr_cflags(cpu) | CF_MEMI_ONLY | CF_LAST_IO | 1
    if qemu_loglevel_mask(CPU_LOG_EXEC) and qemu_log_in_addr_range(tb.pc):
        qemu_log(f"cpu_io_recompile: rewound execution of TB to {tb.pc:016x}\n")


def unlogged_jmp_cache(cpu: CPUState) -> dict[int, TranslationBlock]:
    """The vCPU's short cuts; none where every block is logged (Not in QEMU)."""
    return {} if log_statics().qemu_loglevel & (CPU_LOG_TB_CPU | CPU_LOG_EXEC) else cpu.tb_jmp_cache


def cpu_tb_exec(cpu: CPUState, itb: TranslationBlock) -> tuple[TranslationBlock | None, int]:
    """Run a block, and put the state right behind it; the last block run, if it went out by one of its jumps."""
    if log_statics().qemu_loglevel & (CPU_LOG_TB_CPU | CPU_LOG_EXEC):
        log_cpu_exec(itb.pc, cpu, itb)
    last_tb, tb_exit = tcg_qemu_tb_exec(cpu, itb)
    cpu.can_do_io = 1
    by_jump = tb_exit <= TB_EXIT_BY_JUMP
    if exec_tb_exit:
        in_c = tb_exit if by_jump or tb_exit == TB_EXIT_REQUESTED else 0
        exec_tb_exit(last_tb if by_jump or tb_exit == TB_EXIT_REQUESTED else None, in_c)
    if tb_exit == TB_EXIT_REQUESTED:
        _did_not_start(cpu, last_tb)
    if cpu.singlestep_enabled and cpu.exception_index == -1:
        cpu.exception_index = EXCP_DEBUG
        cpu_loop_exit(cpu)
    return last_tb if by_jump else None, tb_exit


def _did_not_start(cpu: CPUState, tb: TranslationBlock) -> None:
    synchronize_from_tb = tcg_ops_of(cpu).synchronize_from_tb
    assert synchronize_from_tb is not None
    synchronize_from_tb(cpu, tb)
    if qemu_loglevel_mask(CPU_LOG_EXEC) and qemu_log_in_addr_range(tb.pc):
        qemu_log(f"Stopped execution of TB chain before {tb.tc_ptr:#x} [{tb.pc:016x}] {lookup_symbol(tb.pc)}\n")


def cpu_loop_exec_tb(cpu: CPUState, tb: TranslationBlock, pc: int) -> tuple[TranslationBlock | None, int]:
    """Run a block; if the budget is too small for it, have the next one made to measure."""
    if exec_tb:
        exec_tb(tb, pc)
    last_tb, tb_exit = cpu_tb_exec(cpu, tb)
    if tb_exit == TB_EXIT_REQUESTED and cpu.icount_limit >= 0:
        insns_left = cpu.icount_end - cpu.instret
        if 0 < insns_left <= CF_COUNT_MASK:
            cpu.cflags_next_tb = curr_cflags(cpu) & ~CF_COUNT_MASK | CF_NO_GOTO_TB | insns_left
    return last_tb, tb_exit


# What comes between blocks


def cpu_exec_enter(cpu: CPUState) -> None:
    """Let the architecture prepare for running guest code, if it wants to."""
    enter = tcg_ops_of(cpu).cpu_exec_enter
    if enter:
        enter(cpu)


def cpu_exec_exit(cpu: CPUState) -> None:
    """The architecture tidies up."""
    leave = tcg_ops_of(cpu).cpu_exec_exit
    if leave:
        leave(cpu)


def cpu_handle_halt(cpu: CPUState) -> bool:
    """Whether the vCPU sleeps on."""
    if cpu.halted:
        if not cpu_has_work(cpu):
            return True
        cpu.halted = 0
    return False


def cpu_handle_debug_exception(cpu: CPUState) -> None:
    """Tell the architecture of a breakpoint or a single step."""
    handler = tcg_ops_of(cpu).debug_excp_handler
    if handler:
        handler(cpu)


def cpu_handle_exception(cpu: CPUState) -> int | None:
    """Take a pending trap; what to return from `cpu_exec`, if it is time to."""
    if cpu.exception_index < 0:
        return None
    if cpu.exception_index >= EXCP_INTERRUPT:
        ret = cpu.exception_index
        if ret == EXCP_DEBUG:
            cpu_handle_debug_exception(cpu)
        cpu.exception_index = -1
        return ret
    if guest_exception:
        guest_exception(cpu, cpu.exception_index, cpu.env_ptr.pc)
    do_interrupt = tcg_ops_of(cpu).do_interrupt
    assert do_interrupt is not None
    charge_trap_without_progress(cpu)
    qemu_mutex_lock_iothread()
    do_interrupt(cpu)
    qemu_mutex_unlock_iothread()
    cpu.exception_index = -1
    if cpu.singlestep_enabled:
        cpu_handle_debug_exception(cpu)
        return EXCP_DEBUG
    return None


def charge_trap_without_progress(cpu: CPUState) -> None:
    """A trap on the first instruction of the last trap's handler costs one of the budget (Not in QEMU).

    So a guest that can do nothing but trap comes to the end of its budget too.
    """
    if cpu.instret == cpu.instret_at_trap and cpu.budget_end != NO_LIMIT:
        cpu.budget_end -= 1
        cpu.icount_end = min(cpu.icount_end, cpu.budget_end)
    cpu.instret_at_trap = cpu.instret


def cpu_handle_interrupt(cpu: CPUState, last_tb: TranslationBlock | None) -> tuple[bool, TranslationBlock | None]:
    """Look up what has happened: whether to leave the inner loop, and the block that may still be linked."""
    if cpu.cflags_next_tb != -1 and cpu.cflags_next_tb & CF_NOIRQ:
        return False, last_tb
    cpu.icount_limit = cpu.icount_end
    if interrupt_is_due(cpu):
        qemu_mutex_lock_iothread()
        try:
            leave, last_tb = _serve_interrupt(cpu, last_tb)
        finally:
            qemu_mutex_unlock_iothread()
        if leave:
            return True, last_tb
    if cpu.exit_request or cpu.instret >= cpu.icount_end:
        cpu.exit_request = False
        if cpu.exception_index == -1:
            cpu.exception_index = EXCP_INTERRUPT
        return True, last_tb
    return False, last_tb


def interrupt_is_due(cpu: CPUState) -> bool:
    """Whether a request is to be served now: not a masked interrupt (Not in QEMU, which takes the lock first)."""
    if cpu.interrupt_request != CPU_INTERRUPT_HARD:
        return cpu.interrupt_request != 0
    interrupt_enabled = tcg_ops_of(cpu).interrupt_enabled
    return interrupt_enabled is None or interrupt_enabled(cpu)


def _serve_interrupt(cpu: CPUState, last_tb: TranslationBlock | None) -> tuple[bool, TranslationBlock | None]:
    """One request, under the big lock."""
    request = cpu.interrupt_request
    if cpu.singlestep_enabled & SSTEP_NOIRQ:
        request &= ~CPU_INTERRUPT_HARD
    if request & CPU_INTERRUPT_DEBUG:
        cpu.interrupt_request &= ~CPU_INTERRUPT_DEBUG
        cpu.exception_index = EXCP_DEBUG
        return True, last_tb
    if request & CPU_INTERRUPT_HALT:
        cpu.interrupt_request &= ~CPU_INTERRUPT_HALT
        cpu.halted = 1
        cpu.exception_index = EXCP_HLT
        return True, last_tb
    if request & CPU_INTERRUPT_RESET:
        cpu_reset(cpu)
        return True, last_tb
    if _target_takes_interrupt(cpu, request):
        if cpu.singlestep_enabled:
            cpu.exception_index = EXCP_DEBUG
            return True, last_tb
        cpu.exception_index = -1
        last_tb = None
    if cpu.interrupt_request & CPU_INTERRUPT_EXITTB:
        cpu.interrupt_request &= ~CPU_INTERRUPT_EXITTB
        last_tb = None
    return False, last_tb


def _target_takes_interrupt(cpu: CPUState, request: int) -> bool:
    cpu_exec_interrupt = tcg_ops_of(cpu).cpu_exec_interrupt
    if cpu_exec_interrupt is None or not cpu_exec_interrupt(cpu, request):
        return False
    if guest_interrupt:
        guest_interrupt(cpu, request)
    return True


# The main execution loop


def cpu_exec(cpu: CPUState) -> int:
    """Execute guest code until there is a reason to stop: one of the EXCP_ numbers."""
    set_current_cpu(cpu)
    if cpu_handle_halt(cpu):
        return EXCP_HALTED
    cpu_exec_enter(cpu)
    while True:
        try:
            ret = cpu_exec_loop(cpu)
            break
        except CPULoopExit:
            if qemu_mutex_iothread_locked():
                qemu_mutex_unlock_iothread()
    cpu_exec_exit(cpu)
    return ret


def cpu_exec_loop(cpu: CPUState) -> int:
    """The two loops inside `cpu_exec`: traps outside, blocks inside (Not in QEMU)."""
    while (ret := cpu_handle_exception(cpu)) is None:
        last_tb: TranslationBlock | None = None
        tb_exit = 0
        while True:
            leave, last_tb = cpu_handle_interrupt(cpu, last_tb)
            if leave:
                break
            found = cpu_exec_next_tb(cpu)
            if found is None:
                break
            tb, pc = found
            if last_tb is not None and tb.page_addr[1] == -1:
                tb_add_jump(last_tb, tb_exit, tb)
            last_tb, tb_exit = cpu_loop_exec_tb(cpu, tb, pc)
    return ret


def cpu_exec_next_tb(cpu: CPUState) -> tuple[TranslationBlock, int] | None:
    """The block to run next and its address; none at a breakpoint.  (In C part of `cpu_exec`.)"""
    get_tb_cpu_state = tcg_ops_of(cpu).get_tb_cpu_state
    assert get_tb_cpu_state is not None
    pc, cs_base, flags = get_tb_cpu_state(cpu.env_ptr)
    cflags, cpu.cflags_next_tb = cpu.cflags_next_tb, -1
    if cflags == -1:
        cflags = curr_cflags(cpu)
    stop, cflags = check_for_breakpoints(cpu, pc, cflags)
    if stop:
        return None
    tb = tb_lookup(cpu, pc, cs_base, flags, cflags)
    if tb is None:
        tb = tb_gen_code(cpu, pc, cs_base, flags, cflags)
        if tb.page_addr[0] != -1:
            tb_jmp_cache_set(cpu, pc, tb)
    return tb, pc


def cpu_exec_step_atomic(cpu: CPUState) -> None:
    """Execute one instruction while all other vCPUs stand still."""
    start_exclusive()
    assert cpu is current_cpu()
    cpu.running = True
    try:
        get_tb_cpu_state = tcg_ops_of(cpu).get_tb_cpu_state
        assert get_tb_cpu_state is not None
        pc, cs_base, flags = get_tb_cpu_state(cpu.env_ptr)
        cflags = curr_cflags(cpu) & ~CF_PARALLEL | CF_NO_GOTO_TB | CF_NO_GOTO_PTR | 1
        tb = tb_lookup(cpu, pc, cs_base, flags, cflags) or tb_gen_code(cpu, pc, cs_base, flags, cflags)
        if exec_tb:
            exec_tb(tb, pc)
        cpu_tb_exec(cpu, tb)
    except CPULoopExit:
        pass
    finally:
        cpu.running = False
        end_exclusive()


def tcg_exec_realizefn(cpu: CPUState) -> None:
    """A vCPU will run by TCG; the first one tells where its registers are."""
    s = statics()
    if not s.tcg_target_initialized:
        tcg_ops_of(cpu).initialize()
        s.tcg_target_initialized = True
    cpu.tb_jmp_cache.clear()
    tlb_init(cpu)
