"""The registration sequence: what constructors note before `main`, and how notes become entries of `type_table`."""

from __future__ import annotations

from pyqemu_edu.trace.brief import show
from pyqemu_edu.trace.log import Log, Record
from pyqemu_edu.view.sequence import Message, call_messages

# fmt: off
LIFE_LINES = {
    "run_constructors":           "before main",
    "register_module_init":       "module lists",
    "qemu_init_subsystems":       "qemu_init",
    "module_call_init":           "module lists",
    "type_register_static_array": "type_init fn",
    "type_register_static":       "object.c",
    "type_register_internal":     "object.c",
    "type_new":                   "object.c",
    "type_table_add":             "type_table",
}
# fmt: on


def messages(log: Log) -> list[Message]:
    """All of the notes as one arrow, one registration in full, all others counted."""
    functions = frozenset(LIFE_LINES)
    first = log.calls("type_register_static_array")[0]
    walk = first.parent
    assert walk
    assert walk.parent
    assert first.end
    noted = log.calls("register_module_init")
    opened = [walk.parent, walk]
    one = [record for record in log[first.index : first.end.index + 1] if record.name in functions]
    return [
        Message("before main", "module lists", f"register_module_init ×{len(noted)}"),
        *call_messages([r for r in [*opened, *one] if r.kind != "event"], life_line, functions, True)[1:],
        *rest(log, walk),
        Message("module lists", "qemu_init", "done: no class, no object yet", dashed=True),
    ]


def life_line(record: Record) -> str:
    """Whose function it is."""
    return LIFE_LINES[record.name]


def rest(log: Log, walk: Record) -> list[Message]:
    """What follows the first registration of this call of `module_call_init`."""
    assert walk.end
    others = [event for event in log.events("type_register") if event.index < walk.end.index][1:]
    functions = int(str(log.children(walk)[0]["entries"])) - 1
    names = ", ".join(show(event["type"]) for event in others[:2])
    return [
        Message("module lists", "type_init fn", f"and {functions} more functions of the list"),
        Message("type_init fn", "type_table", f"{len(others)} more types: {names} …"),
    ]
