"""What exists when the machine object has just been made: the tree of objects, and the variables that point into it."""

from __future__ import annotations

from collections.abc import Iterator

from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.hw.core.sysbus import sysbus_get_default
from pyqemu_edu.qom.klass import object_get_typename
from pyqemu_edu.qom.path import (
    object_children,
    object_get_canonical_path,
    object_get_canonical_path_component,
    object_get_root,
)
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.softmmu.address_space import statics as memory
from pyqemu_edu.view import palette
from pyqemu_edu.view.composition import tint_of
from pyqemu_edu.view.render import graph, node, quote
from pyqemu_edu.vm import Qemu


def picture(vm: Qemu) -> tuple[str, str]:
    """The DOT text and the words."""
    with vm.process:
        tree, pointers = list(walk(object_get_root())), list(variables())
        lines = [object_node(obj) for _, obj in tree]
        lines += [
            f"  {quote(path_of(obj))} -> {quote(path_of(child))}" for _, obj in tree for child in object_children(obj)
        ]
        for name, note, obj in pointers:
            lines.append(node(name, f"{name}\n{note}", palette.PLAIN, style="dashed", fontcolor=palette.SOFT))
            lines.append(f"  {quote(name)} -> {quote(path_of(obj))} [style=dashed]")
        words = [f"{'  ' * level}{label(obj)}, {references(obj)}" for level, obj in tree]
        words += ["", *(f"{name} ({note}) -> {path_of(obj)}" for name, note, obj in pointers)]
    return graph(["  graph [ranksep=0.35, nodesep=0.14]", *lines], name="objects"), "\n".join(words)


def walk(obj: Object, level: int = 0) -> Iterator[tuple[int, Object]]:
    """An object and all below it, each with its depth, by name."""
    yield level, obj
    for child in sorted(object_children(obj), key=path_of):
        yield from walk(child, level + 1)


def variables() -> Iterator[tuple[str, str, Object]]:
    """What C has as global variables: name, kind, and the object that it points to."""
    yield "root", "of all objects", object_get_root()
    yield "current_machine", "MachineState *", current_machine()
    yield "main_system_bus", "BusState *", sysbus_get_default()
    for space in memory().address_spaces:
        assert space.root is not None
        yield f"address space {space.name}", "AddressSpace", space.root


def path_of(obj: Object) -> str:
    """Where it is in the tree."""
    return object_get_canonical_path(obj) or "?"


def label(obj: Object) -> str:
    """Its name and its type."""
    return f"{object_get_canonical_path_component(obj) or '/'}: {object_get_typename(obj)}"


def references(obj: Object) -> str:
    """How many hold on to it."""
    return f"{obj.ref} reference{'s' * (obj.ref != 1)}"


def object_node(obj: Object) -> str:
    """A box in the colour of its kind."""
    name = object_get_canonical_path_component(obj) or "/"
    return node(path_of(obj), f"{name}\n{object_get_typename(obj)}\n{references(obj)}", tint_of(obj))
