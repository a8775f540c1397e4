"""The commands of a debugger: what follows each, and what it does (QEMU gdbstub/gdbstub.c)."""

from __future__ import annotations

from pyqemu_edu.gdbstub.commands import GdbCmdParseEntry, Handler, process_string_cmd
from pyqemu_edu.gdbstub.handlers import (
    OK,
    handle_backward,
    handle_cont_with_sig,
    handle_continue,
    handle_detach,
    handle_get_reg,
    handle_insert_bp,
    handle_read_all_regs,
    handle_read_mem,
    handle_remove_bp,
    handle_set_reg,
    handle_set_thread,
    handle_step,
    handle_target_halt,
    handle_thread_alive,
    handle_v_attach,
    handle_v_cont,
    handle_v_cont_query,
    handle_v_kill,
    handle_write_all_regs,
    handle_write_mem,
)
from pyqemu_edu.gdbstub.queries import (
    handle_query_attached,
    handle_query_curr_tid,
    handle_query_first_threads,
    handle_query_qemu_phy_mem_mode,
    handle_query_qemu_sstep,
    handle_query_qemu_sstepbits,
    handle_query_qemu_supported,
    handle_query_rcmd,
    handle_query_supported,
    handle_query_thread_extra,
    handle_query_threads,
    handle_query_xfer_features,
    handle_set_qemu_phy_mem_mode,
    handle_set_qemu_sstep,
)


def one_of(cmds: tuple[GdbCmdParseEntry, ...]) -> Handler:
    """A command that names one of these (in QEMU `handle_v_commands`, `handle_gen_query`, `handle_gen_set`)."""
    return lambda s, params: process_string_cmd(s, params[0], cmds) if params else None


# fmt: off
GEN_QUERY_SET_COMMON = (
    GdbCmdParseEntry("qemu.sstepbits",      handle_query_qemu_sstepbits),
    GdbCmdParseEntry("qemu.sstep",          handle_query_qemu_sstep),
    GdbCmdParseEntry("qemu.sstep=",         handle_set_qemu_sstep, True, "l0"),
)
GEN_QUERY = (
    *GEN_QUERY_SET_COMMON,
    GdbCmdParseEntry("C",                   handle_query_curr_tid),
    GdbCmdParseEntry("sThreadInfo",         handle_query_threads),
    GdbCmdParseEntry("fThreadInfo",         handle_query_first_threads),
    GdbCmdParseEntry("ThreadExtraInfo,",    handle_query_thread_extra, True, "t0"),
    GdbCmdParseEntry("Rcmd,",               handle_query_rcmd, True, "s0"),
    GdbCmdParseEntry("Supported:",          handle_query_supported, True, "s0"),
    GdbCmdParseEntry("Supported",           handle_query_supported),
    GdbCmdParseEntry("Xfer:features:read:", handle_query_xfer_features, True, "s:l,l0"),
    GdbCmdParseEntry("Attached:",           handle_query_attached, True),
    GdbCmdParseEntry("Attached",            handle_query_attached),
    GdbCmdParseEntry("qemu.Supported",      handle_query_qemu_supported),
    GdbCmdParseEntry("qemu.PhyMemMode",     handle_query_qemu_phy_mem_mode),
)
GEN_SET = (
    *GEN_QUERY_SET_COMMON,
    GdbCmdParseEntry("qemu.sstep:",         handle_set_qemu_sstep, True, "l0"),
    GdbCmdParseEntry("qemu.PhyMemMode:",    handle_set_qemu_phy_mem_mode, True, "l0"),
)
V_COMMANDS = (
    GdbCmdParseEntry("Cont?",               handle_v_cont_query, True),
    GdbCmdParseEntry("Cont",                handle_v_cont, True, "s0"),
    GdbCmdParseEntry("Attach;",             handle_v_attach, True, "l0"),
    GdbCmdParseEntry("Kill;",               handle_v_kill, True),
)
COMMANDS = (
    GdbCmdParseEntry("!", lambda s, params: OK, True),
    GdbCmdParseEntry("?", handle_target_halt, True),
    GdbCmdParseEntry("c", handle_continue, True, "L0"),
    GdbCmdParseEntry("C", handle_cont_with_sig, True, "l0"),
    GdbCmdParseEntry("v", one_of(V_COMMANDS), True, "s0"),
    GdbCmdParseEntry("k", handle_v_kill, True),
    GdbCmdParseEntry("D", handle_detach, True, "?.l0"),
    GdbCmdParseEntry("s", handle_step, True, "L0"),
    GdbCmdParseEntry("b", handle_backward, True, "o0"),
    GdbCmdParseEntry("g", handle_read_all_regs, True),
    GdbCmdParseEntry("G", handle_write_all_regs, True, "s0"),
    GdbCmdParseEntry("m", handle_read_mem, True, "L,L0"),
    GdbCmdParseEntry("M", handle_write_mem, True, "L,L:s0"),
    GdbCmdParseEntry("p", handle_get_reg, True, "L0"),
    GdbCmdParseEntry("P", handle_set_reg, True, "L?s0"),
    GdbCmdParseEntry("Z", handle_insert_bp, True, "l?L?L0"),
    GdbCmdParseEntry("z", handle_remove_bp, True, "l?L?L0"),
    GdbCmdParseEntry("H", handle_set_thread, True, "o.t0"),
    GdbCmdParseEntry("T", handle_thread_alive, True, "t0"),
    GdbCmdParseEntry("q", one_of(GEN_QUERY), True, "s0"),
    GdbCmdParseEntry("Q", one_of(GEN_SET), True, "s0"),
)
# fmt: on
