"""What a recording holds: one list of records with one sequence number, kept in columns (Not in QEMU).

A record is a *call*, its *return*, an exception that leaves a function (*raise*), or an *event*.  `log[i]` is a light
view of record i; nothing is made before it is asked for.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import overload

from pyqemu_edu.trace.brief import Brief, show
from pyqemu_edu.trace.functions import Function
from pyqemu_edu.trace.phases import PHASES

CALL, RETURN, RAISE, EVENT = range(4)
KINDS = ("call", "return", "raise", "event")
NOWHERE = -1

Row = tuple[int, int, int, int, int, int, int, int, tuple[Brief, ...]]
"""seq, kind, thread, depth, what, parent, time, line, values: as the recorder writes it."""


@dataclass(frozen=True, slots=True)
class EventKind:
    """An event's name and the names of its values."""

    name: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Mark:
    """The record at which a phase of the boot begins."""

    index: int
    label: str


@dataclass(frozen=True, slots=True)
class Record:
    """Record number `index` of `log`."""

    log: Log
    index: int

    @property
    def kind(self) -> str:
        """`call`, `return`, `raise` or `event`."""
        return KINDS[self.log.kind[self.index]]

    @property
    def name(self) -> str:
        """The function's name, or the event's."""
        return self.function.name if self.kind != "event" else self.event.name

    @property
    def function(self) -> Function:
        """The function that this is a call of or a return from."""
        return self.log.functions[self.log.what[self.index]]

    @property
    def event(self) -> EventKind:
        """What kind of event this is."""
        return self.log.event_kinds[self.log.what[self.index]]

    @property
    def thread(self) -> int:
        """The thread's number, in order of appearance; the first is 1."""
        return self.log.thread[self.index]

    @property
    def depth(self) -> int:
        """How many recorded calls are open around this record."""
        return self.log.depth[self.index]

    @property
    def microseconds(self) -> float:
        """Time since the recording began."""
        return float(self.log.time[self.index] / 1000)

    @property
    def line(self) -> int:
        """For a call, the caller's line; else the line that the function had reached."""
        return self.log.line[self.index]

    @property
    def parent(self) -> Record | None:
        """The call during which this happened; of a return, the call that it ends."""
        parent = self.log.parent[self.index]
        return None if parent == NOWHERE else self.log[parent]

    @property
    def end(self) -> Record | None:
        """A call's return or raise, unless the recording ended first."""
        end = self.log.ends[self.index]
        return None if end == NOWHERE else self.log[end]

    @property
    def values(self) -> tuple[Brief, ...]:
        """A call's first arguments, a return's value, an event's values."""
        return self.log.values[self.index]

    @property
    def fields(self) -> dict[str, Brief]:
        """The values by the names of the arguments or fields."""
        names = self.event.fields if self.kind == "event" else self.function.arguments
        return dict(zip(names, self.values, strict=False))

    def __getitem__(self, field: str) -> Brief:
        return self.fields[field]

    def __str__(self) -> str:
        match self.kind:
            case "call":
                return f"{self.name}({self.shown})"
            case "return":
                return f"{self.name} returned {self.shown or 'None'}"
            case "raise":
                return f"{self.name} raised {self.shown or 'an exception'}"
            case _:
                pairs = ", ".join(f"{name}={show(value, name)}" for name, value in self.fields.items())
                return f"* {self.name} {pairs}".rstrip()

    @property
    def shown(self) -> str:
        """The values as text."""
        if self.kind in ("return", "raise"):
            return ", ".join(map(show, self.values))
        return ", ".join(show(value, name) for name, value in self.fields.items())

    def __repr__(self) -> str:
        return f"<{self.index} T{self.thread} {self}>"


@dataclass(frozen=True, slots=True)
class Match:
    """Some records of a log, in order; short as text."""

    records: tuple[Record, ...]

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Match: ...
    def __getitem__(self, index: int | slice) -> Record | Match:
        return Match(self.records[index]) if isinstance(index, slice) else self.records[index]

    def __len__(self) -> int:
        return len(self.records)

    def __iter__(self) -> Iterator[Record]:
        return iter(self.records)

    def __repr__(self) -> str:
        shown = [f"{r.index:>6}  T{r.thread}  {'  ' * (r.depth - self._least)}{r}" for r in self.records[:20]]
        rest = len(self.records) - len(shown)
        return "\n".join([*shown, *([f"        … and {rest:,} more"] if rest else [])]) or "(no records)"

    @property
    def _least(self) -> int:
        return min((r.depth for r in self.records[:20]), default=0)


class Log:
    """The records of one recording, numbered from 0."""

    def __init__(
        self,
        rows: Sequence[Row] = (),
        functions: Sequence[Function] = (),
        event_kinds: Sequence[EventKind] = (),
        threads: Sequence[str] = (),
        truncated: bool = False,
    ) -> None:
        self.functions = tuple(functions)
        self.event_kinds = tuple(event_kinds)
        self.threads = tuple(threads)
        self.truncated = truncated
        self._fill(sorted(rows))

    def _fill(self, rows: Sequence[Row]) -> None:
        _, kind, thread, depth, what, parent, time, line, values = zip(*rows, strict=True) if rows else ((),) * 9
        self.kind: array[int] = array("b", kind)
        self.thread: array[int] = array("H", thread)
        self.depth: array[int] = array("H", depth)
        self.what: array[int] = array("I", what)
        self.parent: array[int] = array("i", parent)
        self.time: array[int] = array("q", time)
        self.line: array[int] = array("I", line)
        self.values: list[tuple[Brief, ...]] = list(values)

    def __len__(self) -> int:
        return len(self.kind)

    @overload
    def __getitem__(self, index: int) -> Record: ...
    @overload
    def __getitem__(self, index: slice) -> Match: ...
    def __getitem__(self, index: int | slice) -> Record | Match:
        if isinstance(index, slice):
            return Match(tuple(Record(self, i) for i in range(*index.indices(len(self)))))
        return Record(self, range(len(self))[index])

    def __iter__(self) -> Iterator[Record]:
        return (Record(self, i) for i in range(len(self)))

    def __repr__(self) -> str:
        """Of a boot no numbers: threads make them differ from run to run."""
        if len(self.marks) > 2:
            return f"<Log of a boot: {', '.join(mark.label for mark in self.marks)}>"
        kinds = Counter(self.kind)
        return (
            f"<Log of {len(self):,} records: {kinds[CALL]:,} calls of {len(self.functions)} functions, "
            f"{kinds[EVENT]:,} events, {len(self.threads)} thread{'s' * (len(self.threads) != 1)}>"
        )

    @cached_property
    def ends(self) -> array[int]:
        """For every call the number of the record that ends it, or -1."""
        ends = array("i", [NOWHERE]) * len(self)
        for index, kind in enumerate(self.kind):
            if kind in (RETURN, RAISE) and self.parent[index] != NOWHERE:
                ends[self.parent[index]] = index
        return ends

    def cut(self, start: int = 0, stop: int | None = None) -> Log:
        """The records from `start` to `stop` as a log of their own, without the ends of calls that began before."""
        return self._only(range(*slice(start, stop).indices(len(self))))

    def turns(self, most: int) -> Log:
        """The log with the first `most` turns of each loop: what one call calls, by function, and its events."""
        kept: set[int] = set()
        seen: Counter[tuple[int, ...]] = Counter()
        for i, (kind, parent) in enumerate(zip(self.kind, self.parent, strict=True)):
            if parent != NOWHERE and parent not in kept:
                continue
            if kind in (CALL, EVENT):
                turn = (parent, self.thread[i], kind, self.what[i])
                seen[turn] += 1
                if seen[turn] > most:
                    continue
            kept.add(i)
        return self._only(sorted(kept))

    def _only(self, indices: Iterable[int]) -> Log:
        """These records as a log of their own, with the functions and events that occur in it."""
        places: dict[int, int] = {}
        functions: dict[int, int] = {}
        kinds: dict[int, int] = {}
        rows: list[Row] = []
        for i in indices:
            parent = places.get(self.parent[i], NOWHERE)
            if self.kind[i] in (RETURN, RAISE) and parent == NOWHERE:
                continue
            places[i] = len(rows)
            numbers = kinds if self.kind[i] == EVENT else functions
            what = numbers.setdefault(self.what[i], len(numbers))
            place = (self.kind[i], self.thread[i], self.depth[i], what, parent, self.time[i], self.line[i])
            rows.append((len(rows), *place, self.values[i]))
        names = [self.functions[i] for i in functions], [self.event_kinds[i] for i in kinds]
        return Log(rows, *names, self.threads, self.truncated)

    def of(self, call: Record) -> Log:
        """One call with everything that happened until it ended, in all threads, as a log of its own."""
        return self.cut(call.index, call.end.index + 1 if call.end else None)

    def find(self, test: Callable[[Record], bool], start: int = 0) -> Record | None:
        """The first record from `start` on for which `test` holds."""
        return next((self[i] for i in range(start, len(self)) if test(self[i])), None)

    def calls(self, name: str = "") -> Match:
        """The calls of the function of this name, or all calls."""
        numbers = {i for i, function in enumerate(self.functions) if name in ("", function.name)}
        return self._select(CALL, numbers)

    def events(self, *names: str) -> Match:
        """The events of these names, or all events."""
        return self._select(EVENT, {i for i, kind in enumerate(self.event_kinds) if not names or kind.name in names})

    def _select(self, kind: int, numbers: set[int]) -> Match:
        found = (i for i, k in enumerate(self.kind) if k == kind and self.what[i] in numbers)
        return Match(tuple(Record(self, i) for i in found))

    def children(self, call: Record | None) -> Match:
        """The calls and events directly below `call`; below None, those that nobody recorded made."""
        parent = call.index if call else NOWHERE
        inner = range(call.index + 1, call.end.index if call.end else len(self)) if call else range(len(self))
        below = (i for i in inner if self.parent[i] == parent and self.kind[i] in (CALL, EVENT))
        return Match(tuple(Record(self, i) for i in below))

    def stack(self, index: int) -> list[Record]:
        """The calls that are open around record `index`, outermost first; a call is open around itself."""
        record: Record | None = self[index] if self.kind[index] == CALL else self[index].parent
        open_calls = []
        while record:
            open_calls.append(record)
            record = record.parent
        return open_calls[::-1]

    @cached_property
    def call_counts(self) -> Counter[str]:
        """How often each function was called."""
        numbers = Counter(self.what[i] for i, kind in enumerate(self.kind) if kind == CALL)
        counts: Counter[str] = Counter()
        for number, count in numbers.items():
            counts[self.functions[number].name] += count
        return counts

    @cached_property
    def marks(self) -> list[Mark]:
        """Where the phases of a boot begin, as far as they were recorded."""
        firsts: dict[tuple[int, int], int] = {}
        for index, kind in enumerate(self.kind):
            firsts.setdefault((kind, self.what[index]), index)
        names = {(CALL, i): f.name for i, f in enumerate(self.functions)}
        names |= {(EVENT, i): e.name for i, e in enumerate(self.event_kinds)}
        starts = {names[key]: index for key, index in sorted(firsts.items(), key=lambda item: -item[1]) if key in names}
        marks = [Mark(starts[name], label) for name, label in PHASES if name in starts]
        return sorted(marks, key=lambda mark: mark.index)
