"""How a machine comes to be: which functions `qemu_create_machine` leads to, in the order of their first calls."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from pyqemu_edu.trace.brief import show
from pyqemu_edu.trace.log import Log, Record
from pyqemu_edu.view import palette
from pyqemu_edu.view.palette import Tint
from pyqemu_edu.view.render import graph, node, quote
from pyqemu_edu.vm import Qemu


@dataclass(eq=False)
class Shown:
    """A function in the picture: its calls from one place are one node, and so are its calls of itself."""

    name: str
    above: Shown | None
    calls: list[Record]

    @property
    def key(self) -> str:
        return f"{self.above.key}/{self.name}" if self.above else self.name


def events(name: str) -> Callable[[Log, Shown], str]:
    """How often an event happened before there was an object."""

    def count(log: Log, shown: Shown) -> str:
        end = log.calls("object_new_with_class")[0].index
        return f"{name} ×{sum(event.index < end for event in log.events(name)):,}"

    return count


def names(field: str) -> Callable[[Log, Shown], str]:
    """The values of one argument, in the order of the returns."""

    def listed(log: Log, shown: Shown) -> str:
        ended = sorted(shown.calls, key=lambda call: call.end.index if call.end else 0)
        return ", ".join(str(call[field]).strip("'") for call in ended)

    return listed


def result(log: Log, shown: Shown) -> str:
    """What the first call returned."""
    end = shown.calls[0].end
    return f"→ {show(end.values[0])}" if end and end.values else ""


def times(log: Log, shown: Shown) -> str:
    """How often it was called."""
    return f"×{len(shown.calls):,}"


# fmt: off
FUNCTIONS: dict[str, tuple[Tint, Callable[[Log, Shown], str]]] = {
    "qemu_create_machine":         (palette.BLUE,   lambda log, shown: ""),
    "select_machine":              (palette.AMBER,  result),
    "object_class_foreach_tramp":  (palette.AMBER,  times),
    "type_run_base_inits":         (palette.AMBER,  events("class_base_init")),
    "type_run_class_init":         (palette.AMBER,  events("class_init")),
    "find_machine":                (palette.AMBER,  names("name")),
    "object_new_with_class":       (palette.GREEN,  result),
    "object_class_property_init_all": (palette.GREEN, lambda log, shown: "defaults"),
    "object_init_with_type":       (palette.GREEN,  names("ti")),
    "machine_initfn":              (palette.GREEN,  lambda log, shown: "instance_init of machine"),
    "spike_machine_instance_init": (palette.GREEN,  lambda log, shown: "instance_init of spike-machine"),
    "object_post_init_with_type":  (palette.GREEN,  names("ti")),
    "object_get_root":             (palette.GREY,   result),
    "object_property_add_child":   (palette.GREY,   names("name")),
    "sysbus_get_default":          (palette.RED,    result),
    "container_get":               (palette.GREY,   names("path")),
    "io_mem_init":                 (palette.TEAL,   lambda log, shown: "what answers where nothing is"),
    "memory_map_init":             (palette.TEAL,   lambda log, shown: "system, io"),
}
# fmt: on
LEAVES = frozenset(
    {"machine_initfn", "object_get_root", "sysbus_get_default", "container_get", "io_mem_init", "memory_map_init"}
)


def picture(vm: Qemu) -> tuple[str, str]:
    """The DOT text and the words."""
    log = vm.trace
    found = functions(log)
    numbers = {shown.key: number for number, shown in enumerate(found)}
    lines = ['  graph [ordering="out", ranksep=0.35, nodesep=0.14]']
    lines += [node(shown.key, text(log, shown, numbers), FUNCTIONS[shown.name][0]) for shown in found]
    lines += [f"  {quote(shown.above.key)} -> {quote(shown.key)}" for shown in found if shown.above]
    return graph(lines, name="machine"), "\n".join(in_words(log, shown) for shown in found)


def functions(log: Log) -> list[Shown]:
    """What is shown, in the order of the first calls."""
    start = log.calls("qemu_create_machine")[0]
    found: dict[str, Shown] = {}
    places: dict[int, Shown] = {}
    for call in log.calls():
        if call.index < start.index:
            continue
        above = place_of(call.parent, places)
        if call.name not in FUNCTIONS or (above and above.name in LEAVES):
            continue
        if above is None or above.name != call.name:
            above = Shown(call.name, above, [])
        shown = found.setdefault(above.key, above)
        shown.calls.append(call)
        places[call.index] = shown
    return list(found.values())


def place_of(call: Record | None, places: dict[int, Shown]) -> Shown | None:
    """The nearest call around that is shown."""
    while call and call.index not in places:
        call = call.parent
    return places[call.index] if call else None


def text(log: Log, shown: Shown, numbers: dict[str, int]) -> str:
    """What stands in the box."""
    number = f"{numbers[shown.key]} " if shown.above else ""
    fact = FUNCTIONS[shown.name][1](log, shown)
    return f"{number}{shown.name}" + (f"\n{fact}" if fact else "")


def in_words(log: Log, shown: Shown) -> str:
    """The box as a line of text, indented."""
    fact = FUNCTIONS[shown.name][1](log, shown)
    return f"{'  ' * shown.key.count('/')}{shown.name}" + (f": {fact}" if fact else "")
