"""Python's own profiling hook, in the two forms that it has (Not in QEMU).

A `Watcher` is told of every Python function that is entered, left, or left by an exception.  Up to Python 3.11 that
is `sys.setprofile`, thread by thread; from 3.12 on `sys.monitoring`, for all threads at once, and a function that the
watcher calls uninteresting is never reported again.
"""

from __future__ import annotations

import dis
import sys
import threading
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any, Protocol

LEAVING = frozenset(dis.opmap[name] for name in ("RETURN_VALUE", "RETURN_CONST") if name in dis.opmap)


class Watcher(Protocol):
    """Who is told of entries and returns."""

    ignored: set[int]
    """The ids of code objects that are of no interest; the watcher keeps them alive."""

    def entered(self, frame: FrameType) -> None:
        """A function starts."""

    def left(self, frame: FrameType, value: Any) -> None:
        """A function returns `value`."""

    def thrown(self, frame: FrameType, error: BaseException | None) -> None:
        """A function is left by an exception, which may not be known."""


class ProfileHook:
    """`sys.setprofile` in this thread, and in those that start while it is on."""

    def __init__(self, watcher: Watcher) -> None:
        self.on = False
        self._told = self._make(watcher)

    def start(self) -> None:
        """Be called from now on."""
        self.on = True
        threading.setprofile(self._told)
        sys.setprofile(self._told)

    def stop(self) -> None:
        """Be called no more; other threads notice at their next call."""
        self.on = False
        threading.setprofile(None)
        sys.setprofile(None)

    def join_thread(self) -> None:
        """Watch the running thread, which may have been started before."""
        if self.on and sys.getprofile() is not self._told:
            sys.setprofile(self._told)

    def _make(self, watcher: Watcher) -> Callable[[FrameType, str, Any], None]:
        """The function that Python calls: half a million times in a boot, so it has everything at hand."""
        ignored, entered, left, thrown = watcher.ignored, watcher.entered, watcher.left, watcher.thrown

        def told(frame: FrameType, event: str, value: Any) -> None:
            if event == "call":
                if id(frame.f_code) in ignored:
                    return
                if self.on:
                    entered(frame)
                else:
                    sys.setprofile(None)
            elif event == "return" and id(frame.f_code) not in ignored and self.on:
                # Left by an exception, `value` is None and the last instruction is not a return.
                if value is None and frame.f_code.co_code[frame.f_lasti] not in LEAVING:
                    thrown(frame, None)
                else:
                    left(frame, value)

        return told


class MonitoringHook:
    """`sys.monitoring`, in every thread."""

    def __init__(self, watcher: Watcher) -> None:
        self.watcher = watcher
        self.on = False
        self.monitoring: Any = getattr(sys, "monitoring")  # noqa: B009  (absent before 3.12)
        self.tool = int(self.monitoring.PROFILER_ID)

    def start(self) -> None:
        """Be called from now on, in every thread."""
        events = self.monitoring.events
        self.on = True
        self.monitoring.use_tool_id(self.tool, "pyqemu_edu")
        self.monitoring.register_callback(self.tool, events.PY_START, self._start)
        self.monitoring.register_callback(self.tool, events.PY_RETURN, self._return)
        self.monitoring.register_callback(self.tool, events.PY_UNWIND, self._unwind)
        self.monitoring.restart_events()
        self.monitoring.set_events(self.tool, events.PY_START | events.PY_RETURN | events.PY_UNWIND)

    def stop(self) -> None:
        """Be called no more."""
        self.on = False
        self.monitoring.set_events(self.tool, 0)
        self.monitoring.free_tool_id(self.tool)

    def join_thread(self) -> None:
        """Every thread is watched already."""

    def _start(self, code: CodeType, offset: int) -> Any:
        if id(code) not in self.watcher.ignored:
            self.watcher.entered(sys._getframe(1))
        return self.monitoring.DISABLE if id(code) in self.watcher.ignored else None

    def _return(self, code: CodeType, offset: int, value: Any) -> Any:
        if id(code) in self.watcher.ignored:
            return self.monitoring.DISABLE
        return self.watcher.left(sys._getframe(1), value)

    def _unwind(self, code: CodeType, offset: int, error: BaseException) -> None:
        if id(code) not in self.watcher.ignored:
            self.watcher.thrown(sys._getframe(1), error)


def profiling_hook(watcher: Watcher) -> ProfileHook | MonitoringHook:
    """The better of the two forms that this Python has."""
    return MonitoringHook(watcher) if hasattr(sys, "monitoring") else ProfileHook(watcher)
