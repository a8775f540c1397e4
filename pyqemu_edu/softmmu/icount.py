"""Time counted in instructions: `-icount` (QEMU softmmu/icount.c).

With `shift=N` each instruction takes 2^N ns of virtual time.  Here that is understood and kept; who executes the
instructions looks at it.  Left out: `shift=auto`, which would adapt N to the host's speed, is kept at 3.
"""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.process import per_process
from pyqemu_edu.util.cutils import qemu_strtoi64
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opt_get_bool

MAX_ICOUNT_SHIFT = 10


@dataclass(eq=False)
class Statics:
    """What `-icount` said; `use_icount` 0: nothing, 1: a fixed shift, 2: an adaptive one."""

    use_icount: int = 0
    icount_time_shift: int = 0
    icount_sleep: bool = True
    icount_align_option: bool = False


statics = per_process(Statics)


def icount_enabled() -> int:
    """Whether instructions are time, and how (QEMU include/sysemu/cpu-timers.h)."""
    return statics().use_icount


def icount_to_ns(icount: int) -> int:
    """How long so many instructions take."""
    return icount << statics().icount_time_shift


def icount_configure(opts: QemuOpts) -> None:
    """Understand `-icount`."""
    option = qemu_opt_get(opts, "shift")
    sleep, align = qemu_opt_get_bool(opts, "sleep", True), qemu_opt_get_bool(opts, "align", False)
    if option is None:
        if qemu_opt_get(opts, "align") is not None:
            raise QemuError("Please specify shift option when using align")
        return
    if align and not sleep:
        raise QemuError("align=on and sleep=off are incompatible")
    s = statics()
    s.icount_time_shift = 3 if option == "auto" else time_shift(option)
    s.use_icount = 2 if option == "auto" else 1
    s.icount_sleep, s.icount_align_option = sleep, align


def time_shift(option: str) -> int:
    """The fixed shift that is asked for (in QEMU a part of `icount_configure`)."""
    try:
        shift = qemu_strtoi64(option)
    except (ValueError, OverflowError):
        shift = -1
    if not 0 <= shift <= MAX_ICOUNT_SHIFT:
        raise QemuError("icount: Invalid shift value")
    return shift
