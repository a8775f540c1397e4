"""Checks for the exercises of notebook 06, "How does a class become an object?" (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import contextmanager
from types import SimpleNamespace

from pyqemu_edu import modules
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.process import Process
from pyqemu_edu.qom.container import TYPE_CONTAINER
from pyqemu_edu.qom.link import (
    ObjectPropertyLinkFlags,
    object_property_add_child,
    object_property_add_link,
    object_property_allow_set_link,
    object_property_set_link,
)
from pyqemu_edu.qom.object import object_new, object_unparent, object_unref
from pyqemu_edu.qom.path import object_get_root
from pyqemu_edu.qom.property_types import Pointer
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.type import type_register
from pyqemu_edu.qom.zoo import run_program_constructors
from pyqemu_edu.trace.log import Log
from pyqemu_edu.trace.recorder import Recorder
from pyqemu_edu.util.error import QemuAbort
from pyqemu_edu.util.module import ModuleInitType, module_call_init


@contextmanager
def small_process() -> Iterator[Process]:
    """A process with the types that are modelled, registered."""
    modules.link()
    with Process() as process:
        run_program_constructors("modelled")
        module_call_init(ModuleInitType.QOM)
        yield process


def hook(obj: Object) -> None:
    """A hook that does nothing; the recording shows when it was called."""


# --- exercise 1: predict the hooks of a life

FAMILY = (
    TypeInfo("grandmother", "object", instance_struct=Object, instance_size=40, instance_init=hook),
    TypeInfo("mother", "grandmother", instance_init=hook, instance_post_init=hook, instance_finalize=hook),
    TypeInfo("daughter", "mother", instance_post_init=hook, instance_finalize=hook),
)


def life_of(infos: Sequence[TypeInfo]) -> list[str]:
    """Make an object of the last type and drop it; the hooks that ran, in order."""
    with small_process() as process, Recorder(process, calls=False) as recorder:
        for info in infos:
            type_register(info)
        object_unref(object_new(infos[-1].name))
    hooks = recorder.log.events("instance_init", "instance_post_init", "instance_finalize")
    return [f"{event.name.removeprefix('instance_')} {event['type']}" for event in hooks]


@check
def check_1(prediction: Sequence[str], infos: Sequence[TypeInfo] = FAMILY) -> str:
    """The hooks that run when an object of the last type is made and dropped, like `init mother`, in order."""
    try:
        happened = life_of(infos)
    except QemuAbort as abort:
        raise NotYet(f"these types do not make an object: {abort}") from None
    given = [" ".join(line.split()) for line in prediction]
    for line in given:
        if line not in happened:
            raise NotYet(f"{line!r} does not happen: a type takes part only with the hooks that it has.")
    for number, (yours, ours) in enumerate(zip(given, happened, strict=False), 1):
        if yours != ours:
            raise NotYet(f"number {number} is not {yours!r}. {RULES[ours.split()[0]]}")
    if len(given) != len(happened):
        raise NotYet(f"you have {len(given)} lines, and {len(happened)} hooks ran.")
    return "root first to be born, leaf first to finish and to go."


RULES = {
    "init": "A type's instance_init may rely on what its parent's has built.",
    "post_init": "instance_post_init runs when the whole object is built, and what is most special goes first.",
    "finalize": "A type is taken down while what it was built on still stands.",
}


# --- exercise 2: find the leaks in a recording

LeakFinder = Callable[[Log], Collection[str]]


def a_day(order: Sequence[int]) -> Log:
    """Some containers are made, owned, dropped, forgotten; `order` shuffles who is made when."""
    with small_process() as process:
        root = object_get_root()
        with Recorder(process) as recorder:
            objects = [object_new(TYPE_CONTAINER) for _ in order]
            dropped, _, garden, house, kitchen, hall = (objects[number] for number in order)
            object_unref(dropped)
            object_property_add_child(root, "garden", garden)
            object_unref(garden)
            for name, room in (("kitchen", kitchen), ("hall", hall)):
                object_property_add_child(house, name, room)
            object_unref(kitchen)
            object_unref(house)
    return recorder.log


ORDERS = ((0, 1, 2, 3, 4, 5), (3, 5, 0, 4, 1, 2))


@check
def check_2(find_leaks: LeakFinder) -> str:
    """Give `find_leaks` two recordings and compare what it finds with who is really left over."""
    for order in ORDERS:
        log = a_day(order)
        names = [str(event["obj"]) for event in log.events("object_initialize")]
        found = find_leaks(log)
        if found is None or isinstance(found, str):
            raise NotYet("return the names of the leaked objects, as a set or a list.")
        judge_leaks(set(map(str, found)), [names[number] for number in order])
    return "in both recordings you found the two that nobody can ever drop, and nobody else."


def judge_leaks(found: set[str], roles: Sequence[str]) -> None:
    """Whoever is named without reason, or missing."""
    dropped, forgotten, garden, house, kitchen, hall = roles
    for name in found & {dropped, house, kitchen}:
        raise NotYet(f"you name {name}, but it was finalized: look at all the events that end a life.")
    if garden in found:
        raise NotYet(f"you name {garden}. It is alive, and owned: its parent will drop it.")
    for name in found - {forgotten, hall}:
        raise NotYet(f"you name {name}, which was not made in this recording.")
    if forgotten not in found:
        raise NotYet(f"{forgotten} was made, never finalized, and never had a parent; you do not name it.")
    if hall not in found:
        raise NotYet(f"{hall} had a parent once. Its parent is gone, and it is still there; you do not name it.")


# --- exercise 3: a link against a child

STEPS = (
    "pump = object_new('container')",
    "a child property of `plant` holds it",
    "a link of `panel` points to it",
    "a strong link of `panel` points to it as well",
    "object_unref(pump), by its maker",
    "object_unparent(pump)",
)


def counts() -> list[int]:
    """The pump's reference count after each of the steps."""
    with small_process():
        plant, panel = object_new(TYPE_CONTAINER), object_new(TYPE_CONTAINER)
        object_property_add_child(object_get_root(), "plant", plant)
        seen = [(pump := object_new(TYPE_CONTAINER)).ref]
        object_property_add_child(plant, "pump", pump)
        seen.append(pump.ref)
        for name, flags in (("sees", ObjectPropertyLinkFlags.NONE), ("needs", ObjectPropertyLinkFlags.STRONG)):
            add_container_link(panel, name, flags)
            object_property_set_link(panel, name, pump)
            seen.append(pump.ref)
        for step in (object_unref, object_unparent):
            step(pump)
            seen.append(pump.ref)
    return seen


def add_container_link(obj: Object, name: str, flags: ObjectPropertyLinkFlags) -> None:
    """A link to a container that may be set."""
    place = SimpleNamespace(target=None)
    pointer = Pointer(place, "target")
    object_property_add_link(obj, name, TYPE_CONTAINER, pointer, object_property_allow_set_link, flags)


REASONS = (
    "Whoever makes an object holds the first reference.",
    "An owner holds a reference of its own; the maker's does not move.",
    "A link without the flag STRONG points, and holds nothing.",
    "A strong link holds what it points to.",
    "The maker gives back one reference, its own.",
    "With the child property goes the parent's reference. Links stay.",
)


@check
def check_3(prediction: Sequence[int]) -> str:
    """The pump's reference count after each of `STEPS`."""
    if len(prediction) != len(STEPS):
        raise NotYet(f"there are {len(STEPS)} steps; give a number for each.")
    try:
        happened = counts()
    except QemuAbort as abort:
        raise NotYet(f"the process aborted: {abort}") from None
    for number, (yours, ours) in enumerate(zip(prediction, happened, strict=True)):
        if yours != ours:
            raise NotYet(f"after step {number + 1} ({STEPS[number]}) it is not {yours}. {REASONS[number]}")
    return "and one strong link is enough to keep the pump alive, outside of the tree."
