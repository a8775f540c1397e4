"""What `-d` logs, and where `-D` sends it (QEMU util/log.c, include/qemu/log.h)."""

from __future__ import annotations

import os
import re
from typing import Literal, TextIO

from pyqemu_edu.process import current_process, per_process
from pyqemu_edu.util.cutils import qemu_strtou64
from pyqemu_edu.util.error import QemuError

CPU_LOG_TB_OUT_ASM = 1 << 0
CPU_LOG_TB_IN_ASM = 1 << 1
CPU_LOG_TB_OP = 1 << 2
CPU_LOG_TB_OP_OPT = 1 << 3
CPU_LOG_INT = 1 << 4
CPU_LOG_EXEC = 1 << 5
CPU_LOG_PCALL = 1 << 6
CPU_LOG_TB_CPU = 1 << 8
CPU_LOG_RESET = 1 << 9
LOG_UNIMP = 1 << 10
LOG_GUEST_ERROR = 1 << 11
CPU_LOG_MMU = 1 << 12
CPU_LOG_TB_NOCHAIN = 1 << 13
CPU_LOG_PAGE = 1 << 14
LOG_TRACE = 1 << 15
CPU_LOG_TB_OP_IND = 1 << 16
CPU_LOG_TB_FPU = 1 << 17
CPU_LOG_PLUGIN = 1 << 18
LOG_STRACE = 1 << 19
LOG_PER_THREAD = 1 << 20

# fmt: off
QEMU_LOG_ITEMS: tuple[tuple[int, str, str], ...] = (
    (CPU_LOG_TB_OUT_ASM, "out_asm",      "show generated host assembly code for each compiled TB"),
    (CPU_LOG_TB_IN_ASM,  "in_asm",       "show target assembly code for each compiled TB"),
    (CPU_LOG_TB_OP,      "op",           "show micro ops for each compiled TB"),
    (CPU_LOG_TB_OP_OPT,  "op_opt",       "show micro ops after optimization"),
    (CPU_LOG_TB_OP_IND,  "op_ind",       "show micro ops before indirect lowering"),
    (CPU_LOG_INT,        "int",          "show interrupts/exceptions in short format"),
    (CPU_LOG_EXEC,       "exec",         "show trace before each executed TB (lots of logs)"),
    (CPU_LOG_TB_CPU,     "cpu",          "show CPU registers before entering a TB (lots of logs)"),
    (CPU_LOG_TB_FPU,     "fpu",          "include FPU registers in the 'cpu' logging"),
    (CPU_LOG_MMU,        "mmu",          "log MMU-related activities"),
    (CPU_LOG_PCALL,      "pcall",        "x86 only: show protected mode far calls/returns/exceptions"),
    (CPU_LOG_RESET,      "cpu_reset",    "show CPU state before CPU resets"),
    (LOG_UNIMP,          "unimp",        "log unimplemented functionality"),
    (LOG_GUEST_ERROR,    "guest_errors", "log when the guest OS does something invalid (eg accessing a\n"
                                         "non-existent register)"),
    (CPU_LOG_PAGE,       "page",         "dump pages at beginning of user mode emulation"),
    (CPU_LOG_TB_NOCHAIN, "nochain",      "do not chain compiled TBs so that \"exec\" and \"cpu\" show\n"
                                         "complete traces"),
    (CPU_LOG_PLUGIN,     "plugin",       "output from TCG plugins\n"),
    (LOG_STRACE,         "strace",       "log every user-mode syscall, its input, and its result"),
    (LOG_PER_THREAD,     "tid",          "open a separate log file per thread; filename must contain '%d'"),
)
# fmt: on


class Statics:
    def __init__(self) -> None:
        self.qemu_loglevel = 0
        self.logfile: TextIO | None = None
        self.global_filename: str | None = None
        self.log_append = False
        self.debug_regions: list[range] | None = None


statics = per_process(Statics)


def qemu_loglevel_mask(mask: int) -> bool:
    """Whether any of these items is logged (QEMU include/qemu/log-for-trace.h)."""
    return bool(statics().qemu_loglevel & mask)


def qemu_log(text: str) -> None:
    """Write `text` to the log."""
    (statics().logfile or current_process().stderr).write(text)


def qemu_log_mask(mask: int, text: str) -> None:
    """Write `text` to the log if one of these items is asked for."""
    if qemu_loglevel_mask(mask):
        qemu_log(text)


def qemu_log_in_addr_range(addr: int) -> bool:
    """Whether code at `addr` is logged (`-dfilter`)."""
    regions = statics().debug_regions
    return regions is None or any(addr in region for region in regions)


_RANGE = re.compile(r"(?P<left>[^-+.]*)(?P<op>[-+]|\.\.)(?P<right>.*)")


def qemu_set_dfilter_ranges(filter_spec: str) -> None:
    """Log code in these ranges only: `first..last`, `first+length` or `last-length`, joined by commas."""
    statics().debug_regions = [_dfilter_range(text) for text in filter_spec.split(",") if filter_spec]


def _dfilter_range(text: str) -> range:
    match = _RANGE.fullmatch(text)
    if match is None:
        raise QemuError("Bad range specifier")
    op = match["op"]
    left, right = (_range_number(match[side], f"to the {side} of {op}") for side in ("left", "right"))
    if op == "-":
        left, right = left - (right - 1), left
    elif op == "+":
        right = left + right - 1
    if left > right:
        raise QemuError("Invalid range")
    return range(left, right + 1)


def _range_number(text: str, where: str) -> int:
    try:
        return qemu_strtou64(text)
    except (ValueError, OverflowError):
        raise QemuError(f"Invalid number {where}") from None


def qemu_set_log(log_flags: int) -> None:
    """Log these items."""
    qemu_set_log_internal(statics().global_filename, False, log_flags)


def qemu_set_log_filename(filename: str) -> None:
    """Log to another file."""
    qemu_set_log_internal(filename, True, statics().qemu_loglevel)


def qemu_set_log_filename_flags(name: str | None, flags: int) -> None:
    """Log these items to a file, or without one to the error stream."""
    qemu_set_log_internal(name, True, flags)


def qemu_set_log_internal(filename: str | None, changed_name: bool, log_flags: int) -> None:
    """Log these items; a file is made at once, as traces of events could be written to it.

    With `-d tid` C writes one file for each thread; here all write to that of the process.
    """
    s = statics()
    if s.global_filename is not None:
        log_flags &= ~LOG_PER_THREAD  # it is too late for that
    check_filename_template(filename, bool(log_flags & LOG_PER_THREAD))
    s.qemu_loglevel = log_flags & ~LOG_PER_THREAD
    if changed_name:
        qemu_log_close()
        s.global_filename = filename.replace("%d", str(os.getpid())) if filename is not None else None
    if s.global_filename is not None and s.logfile is None:
        s.logfile = _open_log(s.global_filename, "a" if s.log_append else "w")
        s.log_append = True


def check_filename_template(filename: str | None, per_thread: bool) -> None:
    """Refuse `%` but in one `%d`, which one file for each thread needs (QEMU `valid_filename_template`)."""
    if filename is not None and "%" in filename:
        if filename.count("%") > 1 or "%d" not in filename:
            raise QemuError(f"Bad logfile template: {filename}")
    elif per_thread:
        raise QemuError("Filename template with '%d' required for 'tid'")


def _open_log(filename: str, mode: Literal["a", "w"]) -> TextIO:
    try:
        return open(filename, mode, buffering=1)
    except OSError as error:
        raise QemuError(f"Error opening logfile {filename}: {error.strerror}") from error


def qemu_log_close() -> None:
    """Close the log file, if there is one (Not in QEMU)."""
    s = statics()
    if s.logfile is not None:
        s.logfile.close()
        s.logfile = None


def qemu_str_to_log_mask(text: str) -> int:
    """The items that `-d text` names; 0 if one is unknown."""
    names = {name: mask for mask, name, _ in QEMU_LOG_ITEMS} | {"all": sum(mask for mask, _, _ in QEMU_LOG_ITEMS)}
    mask = 0
    for name in text.split(","):
        if name not in names:
            return 0
        mask |= names[name]
    return mask


def qemu_print_log_usage(f: TextIO) -> None:
    """The answer to `-d help`."""
    f.write("Log items (comma separated):\n")
    for _, name, text in QEMU_LOG_ITEMS:
        f.write(f"{name:<15} {text}\n")
    f.write(f"{'trace:PATTERN':<15} enable trace events\n\n")
    f.write('Use "-d trace:help" to get a list of trace events.\n\n')
