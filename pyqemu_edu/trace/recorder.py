"""Writes down what a process does: its events, and the calls of the functions that mirror QEMU's (Not in QEMU).

    with Process([...]) as process, Recorder(process) as recorder:
        qemu_init(process.argv)
    print(recorder.log.calls("type_initialize"))

Nothing in the recorded code knows of it, and nothing is left behind when it stops.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterable
from itertools import count
from time import perf_counter_ns
from types import CodeType, FrameType, TracebackType
from typing import Any

from pyqemu_edu.process import Process, current_process
from pyqemu_edu.trace.brief import Brief, Names, Ref
from pyqemu_edu.trace.details import DETAILS, Extract
from pyqemu_edu.trace.event import Event
from pyqemu_edu.trace.functions import Function, describe, is_worth_recording, module_of
from pyqemu_edu.trace.hook import profiling_hook
from pyqemu_edu.trace.log import CALL, EVENT, NOWHERE, RAISE, RETURN, EventKind, Log, Row
from pyqemu_edu.util.error import QemuError

UNRECORDED, ERROR = -1, -2


class Stopped(Exception):
    """The function that the recorder was told to stop before was about to run."""


class Lane(threading.local):
    """One thread's open calls, outermost first, each with its frame."""

    number = 0

    def __init__(self) -> None:
        self.open: list[tuple[int, FrameType]] = []
        self.error: Brief = None
        self.session = 0

    def resume(self, session: int, frame: FrameType | None) -> None:
        """Forget calls that ended while nobody recorded; `frame` is where the thread is now."""
        alive = set()
        while frame:
            alive.add(frame)
            frame = frame.f_back
        self.open = [entry for entry in self.open if entry[1] in alive]
        self.session = session


class Recorder:
    """Records `process` from `start` to `stop`, or while used as a context manager.

    `calls` and `events` say what is recorded.  `also` names further modules whose functions are recorded, such as a
    notebook's `__main__`.  `stop_before` names a function: `Stopped` is raised when it is about to run.
    After `limit` records the recording ends and its log says that it is truncated.
    Recording can go on after `stop` with another `start`; there is one log.
    """

    def __init__(
        self,
        process: Process,
        *,
        calls: bool = True,
        events: bool = True,
        also: Iterable[str] = (),
        stop_before: str = "",
        limit: int = 1_000_000,
    ) -> None:
        self.process = process
        self.stop_before = stop_before
        self.limit = limit
        self.recording = False
        self._session = 0
        self._wanted = (calls, events)
        self._also = frozenset(also)
        self._rows: list[Row] = []
        self._next = count().__next__
        self._learning = threading.RLock()
        self.ignored: set[int] = set()
        self._codes: list[CodeType] = []
        self._numbers: dict[int, int] = {}
        self._functions: list[Function] = []
        self._events: dict[str, int] = {}
        self._kinds: list[EventKind] = []
        self._extracts: list[Extract | None] = []
        self._threads: list[str] = []
        self._names = Names()
        self._lane = Lane()
        self._hook = profiling_hook(self)
        self._epoch = perf_counter_ns()
        self._full = False
        self._log = Log()

    def start(self) -> None:
        """Record from now on: this thread and those that start while recording."""
        self.recording = True
        self._session += 1
        if self._wanted[1]:
            self._listen()
        if self._wanted[0]:
            self._hook.start()

    def stop(self) -> None:
        """Stop recording."""
        if not self.recording:
            return
        self.recording = False
        if self._wanted[0]:
            self._hook.stop()
        for event in Event.all.values():
            if self.happened in event:
                event.remove(self.happened)

    def __enter__(self) -> Recorder:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    @property
    def log(self) -> Log:
        """What was recorded so far."""
        rows = list(self._rows)
        if len(rows) != len(self._log):
            self._log = Log(rows, self._functions, self._kinds, self._threads, truncated=self._full)
        return self._log

    def entered(self, frame: FrameType) -> None:
        """A function starts (called by the hook)."""
        code = frame.f_code
        number = self._numbers.get(id(code))
        if number is None:
            with self._learning:
                number = self._learn(code, module_of(frame))
        if number == ERROR:
            self._lane.error = Ref(f"QemuError: {frame.f_locals['message']}")
        elif number != UNRECORDED and self._is_ours():
            self._write_call(frame, number)

    def left(self, frame: FrameType, value: Any) -> None:
        """A function returns (called by the hook)."""
        if self._lane.open:
            self._write_end(frame, RETURN, () if value is None else (self._names.brief(value),))

    def thrown(self, frame: FrameType, error: BaseException | None) -> None:
        """An exception leaves a function (called by the hook)."""
        if self._lane.open and not isinstance(error, Stopped):
            cause = self._lane.error if error is None else self._names.brief(error)
            self._write_end(frame, RAISE, () if cause is None else (cause,))

    def happened(self, event: Event, *values: Any) -> None:
        """An event is fired (called by the event)."""
        if not self._is_ours():
            return
        if self._wanted[0]:
            self._hook.join_thread()
        lane = self._lane
        number = self._events.get(event.name)
        if number is None:
            with self._learning:
                number = self._learn_event(event)
        extract = self._extracts[number]
        if extract:
            values = extract(*values)
        if lane.session != self._session:
            lane.resume(self._session, sys._getframe())
        parent, line = (lane.open[-1][0], lane.open[-1][1].f_lineno) if lane.open else (NOWHERE, 0)
        brief = self._names.brief
        self._write(EVENT, number, parent, line, tuple([brief(value) for value in values]))

    def _is_ours(self) -> bool:
        try:
            return self.recording and current_process() is self.process
        except LookupError:
            return False

    def _learn(self, code: CodeType, module: str) -> int:
        """Decide once whether the calls of `code` are recorded; another thread may just have done so."""
        known = self._numbers.get(id(code))
        if known is not None:
            return known
        if self._wanted[1]:
            self._listen()
        number = UNRECORDED
        if code is QemuError.__init__.__code__:
            number = ERROR
        elif code.co_name == self.stop_before or is_worth_recording(code, module, self._also):
            number = len(self._functions)
            self._functions.append(describe(code, module))
        else:
            self.ignored.add(id(code))
        self._codes.append(code)
        self._numbers[id(code)] = number
        return number

    def _learn_event(self, event: Event) -> int:
        """Give an event its number; another thread may just have done so."""
        known = self._events.get(event.name)
        if known is not None:
            return known
        fields, extract = DETAILS.get(event.name, (event.fields, None))
        self._kinds.append(EventKind(event.name, fields))
        self._extracts.append(extract)
        number = self._events[event.name] = len(self._kinds) - 1
        return number

    def _listen(self) -> None:
        """Listen to every event, also to those that modules declared since."""
        for event in Event.all.values():
            if self.happened not in event:
                event.append(self.happened)

    def _write_call(self, frame: FrameType, number: int) -> None:
        if frame.f_code.co_name == self.stop_before:
            raise Stopped(self.stop_before)
        lane = self._lane
        if lane.session != self._session:
            lane.resume(self._session, frame)
        parent, line = (lane.open[-1][0], lane.open[-1][1].f_lineno) if lane.open else (NOWHERE, 0)
        variables, brief = frame.f_locals, self._names.brief
        values = tuple([brief(variables[name]) for name in self._functions[number].arguments])
        seq = self._write(CALL, number, parent, line, values)
        lane.open.append((seq, frame))

    def _write_end(self, frame: FrameType, kind: int, values: tuple[Brief, ...]) -> None:
        lane = self._lane
        if lane.open and lane.open[-1][1] is frame:
            call, _ = lane.open.pop()
            self._write(kind, self._numbers[id(frame.f_code)], call, frame.f_lineno, values)

    def _write(self, kind: int, what: int, parent: int, line: int, values: tuple[Brief, ...]) -> int:
        lane = self._lane
        if not lane.number:
            with self._learning:
                self._threads.append(threading.current_thread().name)
                lane.number = len(self._threads)
        seq = self._next()
        if seq >= self.limit:
            self._full = True
            self.stop()
            return NOWHERE
        time = perf_counter_ns() - self._epoch
        self._rows.append((seq, kind, lane.number, len(lane.open), what, parent, time, line or 0, values))
        return seq
