"""What the machine looked like at record i: a fold over the log's events (Not in QEMU).

    state_at(log, i).types, .classes, .options, .objects ...

Nothing of the live process is asked, so any moment can be shown, in any order.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

from pyqemu_edu.trace.brief import Brief
from pyqemu_edu.trace.log import Log, Record


@dataclass(frozen=True, slots=True)
class Place:
    """Where an object hangs in the composition tree: under which object, and by what name."""

    parent: str
    name: str


@dataclass(eq=False)
class State:
    """The parts of a process that its events tell of, each in the order of its making."""

    modules: dict[str, int] = field(default_factory=dict)
    """How many functions wait in each module list."""
    called: list[str] = field(default_factory=list)
    """The module lists whose functions were called."""
    options: dict[str, list[str]] = field(default_factory=dict)
    """The option lists, each with its stored options."""
    types: dict[str, Brief] = field(default_factory=dict)
    """The types in the table, each with its parent's name."""
    classes: list[str] = field(default_factory=list)
    """The types whose class is complete or being filled in, with the ones made for interfaces."""
    objects: dict[str, Place | None] = field(default_factory=dict)
    """The living objects, each with its place in the tree, if it has one."""
    properties: dict[str, dict[str, str]] = field(default_factory=dict)
    """The properties of each object: name and type."""
    regions: dict[str, tuple[str, int]] = field(default_factory=dict)
    """The mapped memory regions, each with its container and its offset there."""

    def children(self, parent: str) -> dict[str, str]:
        """The children of an object: name and object."""
        return {place.name: obj for obj, place in self.objects.items() if place and place.parent == parent}

    def path(self, obj: str) -> str:
        """The names on the way from the root, or the object itself if it hangs nowhere."""
        names = []
        place = self.objects.get(obj)
        while place:
            names.append(place.name)
            place = self.objects.get(place.parent)
        return "/" + "/".join(reversed(names)) if names else obj

    def __repr__(self) -> str:
        return (
            f"<State: {len(self.options)} option lists, {len(self.types)} types, {len(self.classes)} classes, "
            f"{len(self.objects)} objects, {len(self.regions)} mapped regions>"
        )


def module_register(state: State, record: Record) -> None:
    """A function waits in a list."""
    kind = str(record["type"])
    state.modules[kind] = state.modules.get(kind, 0) + 1


def module_init_call(state: State, record: Record) -> None:
    """The functions of a list are called."""
    state.called.append(str(record["type"]))


def qemu_add_opts(state: State, record: Record) -> None:
    """There is one more option list."""
    state.options.setdefault(str(record["list"]), [])


def qemu_opt_stored(state: State, record: Record) -> None:
    """A list holds one more option."""
    state.options.setdefault(str(record["list"]), []).append(f"{record['name']}={record['text']}")


def type_new(state: State, record: Record) -> None:
    """There is one more type; those made for interfaces never get into the table."""
    if "::" not in record["name"]:
        state.types[record["name"]] = record["parent"]


def class_init(state: State, record: Record) -> None:
    """A type has its class."""
    state.classes.append(str(record["type"]))


def object_initialize(state: State, record: Record) -> None:
    """An object comes into being."""
    state.objects[str(record["obj"])] = None


def object_property_add(state: State, record: Record) -> None:
    """An object has one more property, which may be a child."""
    obj, name = str(record["obj"]), str(record["name"])
    state.properties.setdefault(obj, {})[name] = str(record["type"])
    if record["child"] is not None:
        state.objects[str(record["child"])] = Place(obj, name)


def object_property_release(state: State, record: Record) -> None:
    """An object loses a property."""
    state.properties.get(str(record["obj"]), {}).pop(str(record["name"]), None)


def object_finalize(state: State, record: Record) -> None:
    """An object is gone."""
    state.objects.pop(str(record["obj"]), None)
    state.properties.pop(str(record["obj"]), None)


def memory_region_add_subregion(state: State, record: Record) -> None:
    """A region is mapped (a call, not an event)."""
    state.regions[str(record["subregion"])] = (str(record["mr"]), int(record["offset"]))


Step = Callable[[State, Record], None]
STEPS: dict[str, Step] = {
    step.__name__: step
    for step in (
        module_register,
        module_init_call,
        qemu_add_opts,
        qemu_opt_stored,
        type_new,
        class_init,
        object_initialize,
        object_property_add,
        object_property_release,
        object_finalize,
    )
}
CALL_STEPS: dict[str, Step] = {
    "memory_region_add_subregion": memory_region_add_subregion,
    "memory_region_add_subregion_overlap": memory_region_add_subregion,
}


def state_at(log: Log, index: int) -> State:
    """The state after record `index`; a negative index counts from the end."""
    state = State()
    for record in log[: range(len(log))[index] + 1]:
        steps = STEPS if record.kind == "event" else CALL_STEPS if record.kind == "call" else {}
        step = steps.get(record.name)
        if step:
            step(state, record)
    return state
