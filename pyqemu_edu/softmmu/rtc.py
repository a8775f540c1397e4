"""What time it is for the guest (QEMU softmmu/rtc.c)."""

from __future__ import annotations

import re
import time

from pyqemu_edu.process import per_process
from pyqemu_edu.qom.globals import object_register_sugar_prop
from pyqemu_edu.util.cutils import mktimegm
from pyqemu_edu.util.error import QemuExit, error_printf, error_report
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get
from pyqemu_edu.util.timer import QEMUClockType, qemu_clock_get_ms

CLOCKS = {"host": QEMUClockType.HOST, "rt": QEMUClockType.REALTIME, "vm": QEMUClockType.VIRTUAL}

_DATE = re.compile(r"(\d+)-(\d+)-(\d+)(?:T(\d+):(\d+):(\d+))?")


class Statics:
    def __init__(self) -> None:
        self.rtc_base = "utc"
        self.rtc_clock = QEMUClockType.HOST
        self.rtc_ref_start_datetime = 0
        self.rtc_host_datetime_offset = 0
        self.rtc_realtime_clock_offset = 0


statics = per_process(Statics)


def configure_rtc(opts: QemuOpts) -> None:
    """Understand `-rtc`: the date at start, the clock that drives it, what becomes of lost ticks."""
    s = statics()
    s.rtc_ref_start_datetime = qemu_clock_get_ms(QEMUClockType.HOST) // 1000
    s.rtc_realtime_clock_offset = qemu_clock_get_ms(QEMUClockType.REALTIME) // 1000
    base = qemu_opt_get(opts, "base")
    if base in ("utc", "localtime"):
        s.rtc_base = base
    elif base is not None:
        s.rtc_base = "datetime"
        configure_rtc_base_datetime(base)
    s.rtc_clock = CLOCKS[one_of(opts, "clock", tuple(CLOCKS), "host")]
    if one_of(opts, "driftfix", ("slew", "none"), "none") == "slew":
        object_register_sugar_prop("mc146818rtc", "lost_tick_policy", "slew", False)


def one_of(opts: QemuOpts, name: str, values: tuple[str, ...], default: str) -> str:
    """The value of an option that has only so many (in QEMU a part of `configure_rtc`)."""
    value = qemu_opt_get(opts, name) or default
    if value not in values:
        error_report(f"invalid option value '{value}'")
        raise QemuExit(1)
    return value


def configure_rtc_base_datetime(startdate: str) -> None:
    """Begin at `2006-06-17` or `2006-06-17T16:01:21`."""
    s = statics()
    match = _DATE.match(startdate)
    if match is None:
        error_report("invalid datetime format")
        error_printf("valid formats: '2006-06-17T16:01:21' or '2006-06-17'\n")
        raise QemuExit(1)
    start = mktimegm(*(int(number or 0) for number in match.groups()))
    s.rtc_host_datetime_offset = s.rtc_ref_start_datetime - start
    s.rtc_ref_start_datetime = start


def qemu_ref_timedate(clock: QEMUClockType) -> int:
    """Seconds since 1970 for the guest, by `clock`."""
    s = statics()
    value = qemu_clock_get_ms(clock) // 1000
    if clock is QEMUClockType.REALTIME:
        return value - s.rtc_realtime_clock_offset + s.rtc_ref_start_datetime
    if clock is QEMUClockType.VIRTUAL:
        return value + s.rtc_ref_start_datetime
    return value - (s.rtc_host_datetime_offset if s.rtc_base == "datetime" else 0)


def qemu_get_timedate(offset: int = 0) -> time.struct_time:
    """The guest's date and time."""
    seconds = qemu_ref_timedate(statics().rtc_clock) + offset
    return time.localtime(seconds) if statics().rtc_base == "localtime" else time.gmtime(seconds)
