"""Sequence diagrams: life lines from top to bottom, calls solid, returns dashed (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from pyqemu_edu.trace.brief import show
from pyqemu_edu.trace.log import Log, Record
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing, fit, text_width
from pyqemu_edu.view.figure import Figure

ROW = 26
HEAD = 46
MARGIN = 8
HALF = 80  # of a life line's head
LAST = 230  # right of the last life line, for its own calls

# What makes another thread go on: the function whose call does it.
WAKES = frozenset({"cpu_thread_signal_created", "qemu_cpu_kick", "resume_all_vcpus", "qemu_cond_broadcast"})


@dataclass(frozen=True, slots=True)
class Message:
    """One arrow: from a life line to a life line, perhaps the same."""

    source: str
    target: str
    words: str
    dashed: bool = False
    hint: str = ""


def by_thread(record: Record) -> str:
    """The life line is the thread."""
    return record.log.threads[record.thread - 1]


def by_file(record: Record) -> str:
    """The life line is the QEMU file that the function stands in."""
    return record.function.qemu_file or record.function.file


def sequence_diagram(
    log: Log,
    functions: Iterable[str] = (),
    *,
    by: Callable[[Record], str] = by_file,
    start: int = 0,
    stop: int | None = None,
    returns: bool = True,
    rows: int = 60,
    title: str = "Sequence of calls",
) -> Figure:
    """The calls of `functions` (of all, if none are given) between `start` and `stop`, as arrows between life lines."""
    wanted = frozenset(functions)
    chosen = [r for r in log[start:stop] if r.kind != "event" and (not wanted or r.name in wanted)]
    messages = thread_messages(chosen) if by is by_thread else call_messages(chosen, by, wanted, returns)
    return draw_sequence(messages, title, rows)


def nearest(record: Record | None, wanted: frozenset[str]) -> Record | None:
    """The innermost call around that is shown."""
    while record and wanted and record.name not in wanted:
        record = record.parent
    return record


def call_messages(
    records: Sequence[Record], by: Callable[[Record], str], wanted: frozenset[str], returns: bool
) -> list[Message]:
    """Calls as arrows from the caller's line, returns as arrows back."""
    messages = []
    for record in records:
        call = record if record.kind == "call" else record.parent
        assert call
        caller = nearest(call.parent, wanted)
        here, there = by(call), by(caller) if caller else by(call)
        hint = f"record {record.index}, {call.function.place}"
        if record.kind == "call":
            words = f"{record.name}({', '.join(show(value) for value in record.values[:2])})"
            messages.append(Message(there, here, words, hint=hint))
        elif returns and here != there:
            words = show(record.values[0]) if record.values else f"{record.name} returns"
            messages.append(Message(here, there, words, dashed=True, hint=hint))
    return messages


def thread_messages(records: Sequence[Record]) -> list[Message]:
    """Calls as notes on their thread's line; an arrow where one thread starts or wakes another."""
    messages: list[Message] = []
    seen: set[int] = set()
    for number, record in enumerate(records):
        line = by_thread(record)
        if record.kind != "call":
            continue
        if record.thread not in seen and seen and is_born(record):
            messages.append(Message(by_thread(records[number - 1]), line, "starts the thread"))
        seen.add(record.thread)
        words = f"{record.name}({', '.join(show(value) for value in record.values[:1])})"
        messages.append(Message(line, line, words, hint=record.function.place))  # numbers change from run to run
        if record.name in WAKES:
            later = (r for r in records[number + 1 :] if r.thread != record.thread)
            other = next(later, None)
            if other:
                messages.append(Message(line, by_thread(other), "wakes", dashed=True))
    return messages


def is_born(record: Record) -> bool:
    """Whether the log knows how the record's thread began: with a function that QEMU gives to `qemu_thread_create`."""
    first = record.log[record.log.thread.index(record.thread)]
    return first.name.endswith("_thread_fn")


def fold_messages(messages: Sequence[Message]) -> list[tuple[Message, int]]:
    """Equal arrows in a row as one with a count."""
    folded: list[tuple[Message, int]] = []
    for message in messages:
        if folded and same(folded[-1][0], message):
            folded[-1] = (folded[-1][0], folded[-1][1] + 1)
        else:
            folded.append((message, 1))
    return folded


def same(a: Message, b: Message) -> bool:
    """Whether two arrows look alike."""
    return (a.source, a.target, a.words, a.dashed) == (b.source, b.target, b.words, b.dashed)


def draw_sequence(messages: Sequence[Message], title: str, rows: int = 60) -> Figure:
    """The picture of these arrows."""
    folded = fold_messages(messages)
    shown = folded[:rows]
    lines = list(dict.fromkeys(end for message, _ in shown for end in (message.source, message.target)))
    step = (palette.WIDTH - MARGIN - HALF - LAST) / max(len(lines) - 1, 1)
    place = {line: MARGIN + HALF + step * number for number, line in enumerate(lines)}
    bottom = HEAD + ROW * len(shown) + 14
    drawing = Drawing(palette.WIDTH, bottom + (20 if len(folded) > rows else 6))
    for number, line in enumerate(lines):
        drawing.line(place[line], 34, place[line], bottom, colour=palette.RULE, dashed=True)
        width = min(step - 8, 2 * HALF)
        drawing.box(place[line] - width / 2, 6, width, 26, palette.tint(number), title=line)
        short = line if text_width(line) < width - 8 else line.rpartition("/")[2]
        drawing.text(place[line], 23, fit(short, width - 8), anchor="middle", bold=True)
    for number, (message, count) in enumerate(shown):
        draw_message(drawing, message, count, place, HEAD + ROW * number)
    if len(folded) > rows:
        drawing.text(MARGIN, bottom + 12, f"… and {len(folded) - rows} more", colour=palette.SOFT)
    words = "\n".join([title, *map(message_as_text, folded)])
    description = f"{len(lines)} life lines ({', '.join(lines)}) and {len(folded)} messages"
    return Figure(title, words, svg=drawing.svg(title, description))


def message_as_text(pair: tuple[Message, int]) -> str:
    """An arrow in letters."""
    message, count = pair
    times = f" ×{count}" if count > 1 else ""
    if message.source == message.target:
        return f"{message.source}: {message.words}{times}"
    return f"{message.source} {'-->' if message.dashed else '->'} {message.target}: {message.words}{times}"


def draw_message(drawing: Drawing, message: Message, count: int, place: dict[str, float], top: float) -> None:
    """One arrow with its words above it."""
    a, b = place[message.source], place[message.target]
    words = message.words + (f" ×{count}" if count > 1 else "")
    if a == b:
        drawing.path(f"M{a:g} {top + 6:g} h14 v10 h-12", arrow=True)
        shown = fit(words, drawing.width - a - 26, 11)
        drawing.text(a + 20, top + 15, shown, size=11, title=message.hint, halo=True)
        return
    half = text_width(words, 11) / 2 + 4
    middle = min(max((a + b) / 2, half), max(drawing.width - half, half))
    drawing.text(middle, top + 13, words, size=11, anchor="middle", title=message.hint, halo=True)
    drawing.line(a, top + 18, b, top + 18, dashed=message.dashed, arrow=True)
