"""Threads side by side, from top to bottom: who runs, who sleeps, who wakes whom, who holds the big lock (Not in QEMU).

Threads run at the same time, and a recording of them is never the same twice.  What *is* the same is what each of them
does, and what each has to wait for.  So the picture shows one thread after another: one goes on until it sleeps or
waits for somebody, then the next.  Where nothing orders two threads, the picture's order is one of many.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from pyqemu_edu.trace.brief import show
from pyqemu_edu.trace.log import Log, Record
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing
from pyqemu_edu.view.figure import Figure
from pyqemu_edu.view.sequence import HEAD, ROW, Message, draw_message

WIDTH, LEFT, STEP = palette.WIDTH, 90, 240
SLEEPS = {"qemu_cond_wait_iothread": "sleeps, without the lock", "os_host_main_loop_wait": "waits, without the lock"}
LOOPS = frozenset({"mttcg_cpu_thread_fn", "rr_cpu_thread_fn", "rr_run", "tcg_cpu_run"})
"""The functions whose taking and giving of the big lock is shown; devices and others take it for a moment too."""


@dataclass(frozen=True, slots=True)
class Step:
    """Something a thread does; it cannot come before its cause."""

    record: Record
    words: str
    cause: Record | None = None
    locks: bool | None = None

    @property
    def line(self) -> str:
        """The name of the thread."""
        return line_of(self.record)

    def message(self) -> Message:
        """Its arrow: from the thread that caused it, if there is one."""
        source = line_of(self.cause) if self.cause else self.line
        return Message(source, self.line, self.words, dashed=bool(self.cause), hint=self.record.function.qemu_file)


def line_of(record: Record) -> str:
    """The thread's name, as we call it."""
    return record.log.threads[record.thread - 1].replace("MainThread", "main")


def lifelines(
    log: Log,
    functions: Iterable[str],
    *,
    returns: Iterable[str] = (),
    start: int = 0,
    stop: int | None = None,
    until: Iterable[str] = (),
    title: str = "Threads",
) -> Figure:
    """The calls of `functions`, a line for each thread; each line ends with its first call of one of `until`.

    `returns` names those functions whose returns are shown too.
    """
    steps = list(steps_of(log, frozenset(functions), frozenset(returns), start, stop))
    order = one_at_a_time(list(lanes_of(steps, frozenset(until))))
    held = locks_held(log, order, start)
    words = "\n".join([title, *(step_as_text(step, holds) for step, holds in zip(order, held, strict=True))])
    return Figure(title, words, svg=draw(order, held, title))


def steps_of(
    log: Log, functions: frozenset[str], returns: frozenset[str], start: int, stop: int | None
) -> Iterator[Step]:
    """What is shown of the records, in the order in which they were recorded."""
    known: set[int] = set()
    for record in log[start:stop]:
        if record.kind == "event":
            continue
        if record.thread not in known:
            known.add(record.thread)
            creation = creator_of(record)
            if creation and creation.index >= start:
                yield Step(record, "begins", creation)
        step = step_of(record, functions, returns, start)
        if step:
            yield step


def creator_of(record: Record) -> Record | None:
    """The call that made this record's thread."""
    name = record.log.threads[record.thread - 1]
    return next((r for r in record.log.calls("qemu_thread_create") if r["name"] == name), None)


def step_of(record: Record, functions: frozenset[str], returns: frozenset[str], start: int) -> Step | None:
    """What is shown of one record, if anything."""
    if record.name in SLEEPS:
        if record.kind == "call":
            return Step(record, SLEEPS[record.name], locks=False)
        return Step(record, "wakes up, takes the lock", waker_of(record, start), True)
    caller = record.parent if record.kind == "call" else record.parent and record.parent.parent
    if caller and caller.name in LOOPS:
        if record.name == "qemu_mutex_lock_iothread" and record.kind == "return":
            return Step(record, "takes the lock", locks=True)
        if record.name == "qemu_mutex_unlock_iothread" and record.kind == "call":
            return Step(record, "gives the lock back", locks=False)
    if record.kind == "call" and record.name in functions:
        return Step(record, f"{record.name}({', '.join(show(value) for value in record.values[:1])})")
    if record.kind == "return" and record.name in returns:
        return Step(record, str(record))
    return None


def waker_of(record: Record, start: int) -> Record | None:
    """The first call in another thread, since `record`'s fell asleep, that signals what it was waiting for."""
    waiting = record.log.stack(record.index)
    waiter = next((call for call in reversed(waiting) if call.name in WAKERS), None)
    if waiter is None:
        return None
    since = max(waiting[-1].index, start)
    calls = record.log.calls(WAKERS[waiter.name])
    return next((r for r in calls if r.index > since and r.thread != record.thread and r.values == waiter.values), None)


WAKERS = {
    "qemu_init_vcpu": "cpu_thread_signal_created",
    "qemu_wait_io_event": "qemu_cpu_kick",
    "rr_wait_for_start": "qemu_cpu_kick",
}
"""Who waits, and who signals that: both are called with the same vCPU."""


def lanes_of(steps: list[Step], until: frozenset[str]) -> Iterator[list[Step]]:
    """The steps of each thread, to its first call of one of `until`; first the thread that was there first."""
    for thread in sorted({step.record.thread for step in steps}):
        lane = [step for step in steps if step.record.thread == thread]
        ends = (n + 1 for n, step in enumerate(lane) if step.record.kind == "call" and step.record.name in until)
        yield lane[: next(ends, None)]


def one_at_a_time(lanes: list[list[Step]]) -> list[Step]:
    """One order in which all this may have happened: a thread goes on until it has to wait for another."""
    shown = {step.record.index for lane in lanes for step in lane}
    order: list[Step] = []
    done: set[int] = set()

    def may_go_on(lane: list[Step]) -> bool:
        return bool(lane) and (lane[0].cause is None or lane[0].cause.index not in shown - done)

    lane = lanes[0] if lanes else []
    while lane:
        while may_go_on(lane):
            step = lane.pop(0)
            order.append(step)
            done.add(step.record.index)
        lane = next(filter(may_go_on, lanes), [])
    return order


def locks_held(log: Log, order: list[Step], start: int) -> list[bool]:
    """For each step, whether its thread holds the big lock after it."""
    held: dict[int, bool] = {}
    if order:
        held[order[0].record.thread] = order[0].record.thread == 1 and bool(log.calls("qemu_mutex_lock_iothread"))
    after = []
    for step in order:
        if step.locks is not None:
            held[step.record.thread] = step.locks
        after.append(held.get(step.record.thread, False))
    return after


def step_as_text(step: Step, holds: bool) -> str:
    """A step in letters; a star says that its thread holds the lock then."""
    arrow = f" <-- {line_of(step.cause)}" if step.cause else ""
    return f"{'*' if holds else ' '} {step.line}: {step.words}{arrow}"


def draw(order: list[Step], held: list[bool], title: str) -> str:
    """The picture: a thick line where a thread holds the big lock."""
    names = list(dict.fromkeys(step.line for step in order))
    place = {name: float(LEFT + STEP * number) for number, name in enumerate(names)}
    bottom = HEAD + ROW * len(order) + 14
    drawing = Drawing(WIDTH, bottom + 24)
    for number, name in enumerate(names):
        drawing.line(place[name], 34, place[name], bottom, colour=palette.RULE, dashed=True)
        drawing.box(place[name] - 76, 6, 152, 26, palette.tint(number), title=name)
        drawing.text(place[name], 23, name, anchor="middle", bold=True)
        for first, last in locked_spans(order, held, name):
            top = HEAD + ROW * first + (9 if first else -10)
            drawing.box(place[name] - 4, top, 8, HEAD + ROW * last + 11 - top, palette.tint(number), round=2)
    for number, step in enumerate(order):
        draw_message(drawing, step.message(), 1, place, HEAD + ROW * number)
    drawing.text(8, bottom + 16, "thick: holds the big lock", size=11, colour=palette.SOFT, sans=True)
    description = f"{len(names)} threads ({', '.join(names)}) and {len(order)} steps"
    return drawing.svg(title, description)


def locked_spans(order: list[Step], held: list[bool], name: str) -> Iterator[tuple[int, int]]:
    """From which step to which the thread `name` holds the lock."""
    since: int | None = None
    for number, (step, holds) in enumerate(zip(order, held, strict=True)):
        if step.line != name:
            continue
        if holds and since is None:
            since = number
        if not holds and since is not None:
            yield since, number
            since = None
    if since is not None:
        yield since, len(order)
