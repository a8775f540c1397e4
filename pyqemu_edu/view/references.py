"""Who holds whom: objects with their reference counts, and the properties that hold references (Not in QEMU).

QEMU counts references but does not write down whose they are.  A child property and a strong link hold one each, and
both can be found; whatever the count has beyond them is held by some variable.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyqemu_edu.process import Process
from pyqemu_edu.qom.link import LinkProperty, ObjectPropertyLinkFlags, object_link_get_targetp
from pyqemu_edu.qom.property import object_property_is_child, object_property_iter
from pyqemu_edu.qom.struct import Object, ObjectProperty
from pyqemu_edu.view import palette
from pyqemu_edu.view.composition import tint_of
from pyqemu_edu.view.figure import Figure
from pyqemu_edu.view.render import attributes, graph, node, quote, render

LOOKS = {"child": "solid", "strong link": "bold", "weak link": "dashed"}


@dataclass(frozen=True, slots=True)
class Hold:
    """A property of one object whose value is another; a weak link holds no reference."""

    holder: str
    property: str
    kind: str
    held: str


def reference_graph(process: Process, objects: Mapping[str, Object], direction: str = "LR") -> Figure:
    """The objects, each under the name given, and the properties that lead from one to another.

    `direction` is Graphviz's `rankdir`: `LR` from left to right, `TB` from top to bottom.
    """
    with process:
        holds = holds_among(objects)
    lines, words = [], []
    for name, obj in objects.items():
        elsewhere = obj.ref - sum(hold.held == name and hold.kind != "weak link" for hold in holds)
        lines.append(node(name, f"{name}\nreferences: {obj.ref}", tint_of(obj)))
        if elsewhere:
            lines.append(node(f"?{name}", f"elsewhere: {elsewhere}", palette.PLAIN, style="dashed"))
            lines.append(f"  {quote(f'?{name}')} -> {quote(name)} [style=dotted]")
        words.append(reference_line(name, obj.ref, holds, elsewhere))
    for hold in holds:
        pair = f"{quote(hold.holder)} -> {quote(hold.held)}"
        lines.append(f"  {pair} [{attributes(label=f' {hold.property} ({hold.kind}) ', style=LOOKS[hold.kind])}]")
    title = "Who holds a reference"
    svg = render(graph(lines, direction=direction, name="references"), title, "; ".join(words))
    return Figure(title, "\n".join(words), svg=svg)


def reference_line(name: str, count: int, holds: list[Hold], elsewhere: int) -> str:
    """Where an object's references come from."""
    sources = [f"{hold.kind} {hold.property!r} of {hold.holder}" for hold in holds if hold.held == name]
    sources += [f"{elsewhere} from elsewhere"] if elsewhere else []
    return f"{name}: {count} = {', '.join(sources) or 'nobody'}"


def holds_among(objects: Mapping[str, Object]) -> list[Hold]:
    """The children and links between the given objects."""
    names = {id(obj): name for name, obj in objects.items()}
    found = []
    for name, obj in objects.items():
        for prop in object_property_iter(obj):
            target, kind = target_of(obj, prop)
            if id(target) in names:
                found.append(Hold(name, prop.name, kind, names[id(target)]))
    return found


def target_of(obj: Object, prop: ObjectProperty) -> tuple[object, str]:
    """The object that a property leads to, if it is a child or a link, and how it holds it."""
    if object_property_is_child(prop):
        return prop.opaque, "child"
    if isinstance(prop.opaque, LinkProperty):
        strong = prop.opaque.flags & ObjectPropertyLinkFlags.STRONG
        return object_link_get_targetp(obj, prop.opaque).load(), "strong link" if strong else "weak link"
    return None, ""
