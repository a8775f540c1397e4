"""One object while it grows: its fields after every step of its making, and who wrote them (Not in QEMU).

    with vm.process, ObjectWatch(vm.process, "spike-machine") as watch:
        machine = object_new_with_class(mc)
        watch.stage("the command line")
        ...
    object_growth(watch)

An object is small when it is born: room, zeros, one reference.  Then the types of its chain write their parts.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import fields, is_dataclass
from types import TracebackType
from typing import Any

from pyqemu_edu.process import Process, current_process
from pyqemu_edu.qom.object import trace_instance_init, trace_instance_post_init, trace_object_initialize
from pyqemu_edu.qom.path import object_get_canonical_path
from pyqemu_edu.qom.struct import Object, TypeImpl
from pyqemu_edu.trace.brief import Names, show
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.ghash import GHashTable
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing, fit
from pyqemu_edu.view.figure import Figure, columns

LEFT, ROW, HEAD = 150, 30, 58
UNTOLD = frozenset({"klass", "free"})
EVENTS = (trace_object_initialize, trace_instance_init, trace_instance_post_init)


class ObjectWatch:
    """Watches the first object of a type that `process` makes; `stage` names what comes after its making."""

    def __init__(self, process: Process, typename: str) -> None:
        self.process = process
        self.typename = typename
        self.obj: Object | None = None
        self.stages: list[tuple[str, dict[str, str]]] = []
        self._now = "born"
        self._names = Names()

    def __enter__(self) -> ObjectWatch:
        for event in EVENTS:
            event.append(self._happened)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        for event in EVENTS:
            event.remove(self._happened)
        self._settle()

    def stage(self, name: str) -> None:
        """What happens from now on happens under this name."""
        self._settle()
        self._now = name

    def _happened(self, event: Event, *values: Any) -> None:
        if current_process() is not self.process:
            return
        obj = values[-1]
        if event is trace_object_initialize:
            if self.obj is None and obj.klass.type.name == self.typename:
                self.obj = obj
        elif obj is self.obj:
            ti: TypeImpl = values[0]
            self.stage(f"{event.name.removeprefix('instance_')} {ti.name}")

    def _settle(self) -> None:
        """Write down what the stage that ends has left behind."""
        if self.obj is not None:
            self.stages.append((self._now, self._fields(self.obj)))

    def _fields(self, obj: Object) -> dict[str, str]:
        names = [field.name for field in fields(obj) if field.name not in UNTOLD]
        return {name: self._shown(getattr(obj, name, None)) for name in names}

    def _shown(self, value: Any) -> str:
        if value is None:
            return "-"
        if isinstance(value, Object):
            return object_get_canonical_path(value) or show(self._names.brief(value))
        if isinstance(value, GHashTable):
            return ", ".join(sorted(value)) or "-"
        if is_dataclass(value) and not isinstance(value, type):
            return record(value)
        return show(self._names.brief(value))


def record(value: Any) -> str:
    """The fields of a struct inside the object that differ from those of a new one."""
    told = (field.name for field in fields(value) if getattr(value, field.name) != field.default)
    pairs = ((name, getattr(value, name)) for name in told)
    return (
        ", ".join(f"{name}={show(each)}" for name, each in pairs if isinstance(each, int | str))
        or f"a {type(value).__name__}"
    )


def object_growth(watch: ObjectWatch, names: Iterable[str] = ()) -> Figure:
    """One column a stage, one row a field; without `names`, the fields that change after the birth."""
    stages = watch.stages
    last = stages[-1][1] if stages else {}
    told = list(names) or [name for name in last if len({seen[name] for _, seen in stages}) > 1]
    step = (palette.WIDTH - LEFT - 6) / max(len(stages), 1)
    drawing = Drawing(palette.WIDTH, HEAD + ROW * len(told) + 8)
    legend(drawing)
    for column, (stage, seen) in enumerate(stages):
        x = LEFT + step * column
        drawing.text(x + 4, HEAD - 10, fit(stage, step - 10, 11), size=11, bold=True)
        before = stages[column - 1][1] if column else {}
        for number, name in enumerate(told):
            draw_field(drawing, x, HEAD + ROW * number, step, seen[name], before.get(name, seen[name]))
    for number, name in enumerate(told):
        drawing.text(LEFT - 8, HEAD + ROW * number + 18, fit(name, LEFT - 12), anchor="end")
    rows = [(name, *changes(name, stages)) for name in told]
    title = f"How {watch.typename} grew"
    words = columns(rows, ("field", *(stage for stage, _ in stages)))
    return Figure(title, f"{title}\n{words}", svg=drawing.svg(title, f"{len(stages)} stages, {len(told)} fields"))


def changes(name: str, stages: list[tuple[str, dict[str, str]]]) -> list[str]:
    """A field's value where it is new; a dot where it stayed."""
    values = [seen[name] for _, seen in stages]
    return [value if not n or value != values[n - 1] else "." for n, value in enumerate(values)]


def legend(drawing: Drawing) -> None:
    """What the colours mean."""
    for x, tint, words in ((LEFT, palette.GREEN, "+ written in this stage"), (LEFT + 200, palette.GREY, "as before")):
        drawing.box(x, 6, 14, 14, tint, round=2)
        drawing.text(x + 20, 17, words, sans=True)


def draw_field(drawing: Drawing, x: float, y: float, width: float, value: str, before: str) -> None:
    """One field after one stage."""
    new = value != before
    tint = palette.GREEN if new else palette.GREY
    drawing.box(x, y, width - 4, ROW - 4, tint, round=2, title=value)
    text = fit(f"+ {value}" if new else value, width - 14, 10.5)
    drawing.text(x + 5, y + 17, text, size=10.5, bold=new, colour=palette.INK if new else palette.SOFT)
