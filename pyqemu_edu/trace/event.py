"""An event is a list of listeners: empty is false, and costs one truth test (Not in QEMU).

    type_register = Event("type_register", "name", "parent")    # beside the code that fires it

    if type_register:
        type_register(info.name, info.parent)

An event carries values, not sentences.  Listeners are told of every process; they ask `current_process()` whether
it is theirs.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

Listener = Callable[..., None]


class Event(list[Listener]):
    """A named place in the code that listeners may attach to; `fields` names the values that it carries."""

    all: dict[str, Event] = {}

    def __init__(self, name: str, *fields: str) -> None:
        super().__init__()
        assert name not in Event.all, f"event {name} is declared twice"
        self.name = name
        self.fields = fields
        Event.all[name] = self

    def __call__(self, *values: Any) -> None:
        for listener in tuple(self):
            listener(self, *values)

    def __repr__(self) -> str:
        return f"<Event {self.name}({', '.join(self.fields)}), {len(self)} listening>"
