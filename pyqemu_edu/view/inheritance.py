"""How a class came by its fields: copied from the parent, set by a base_init, or by its own class_init (Not in QEMU).

A `ClassWatch` listens while classes are made and looks at the fields of each at three moments: when it has been copied,
before its `class_init`, and after.  A hook that sets a field to the value which it has already leaves no trace.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from types import TracebackType
from typing import Any

from pyqemu_edu.process import Process, current_process
from pyqemu_edu.qom.struct import ObjectClass, TypeImpl
from pyqemu_edu.qom.type import trace_class_base_init, trace_class_init, trace_type_initialize
from pyqemu_edu.trace.brief import Names, show
from pyqemu_edu.trace.event import Event
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing, fit
from pyqemu_edu.view.figure import Figure, columns

UNTOLD = frozenset({"type", "interfaces", "properties", "object_cast_cache", "class_cast_cache"})
LEFT, ROW, HEAD = 190, 36, 58


@dataclass(frozen=True, slots=True)
class Cell:
    """One field of one class: its value, who wrote it first, and how it came here."""

    value: str
    writer: str = ""
    manner: str = "zero"

    @property
    def words(self) -> str:
        """How the value came here, in words."""
        match self.manner:
            case "copied":
                return f"= copied, {self.writer}'s"
            case "base_init":
                return f"~ base_init of {self.writer}"
            case "class_init":
                return "+ own class_init"
            case _:
                return "zero"


TINTS = {"copied": palette.GREY, "base_init": palette.AMBER, "class_init": palette.GREEN, "zero": palette.PLAIN}


@dataclass(eq=False)
class Making:
    """One class while it is made: the fields as they were last seen, and the cells so far."""

    klass: ObjectClass
    seen: dict[str, str]
    cells: dict[str, Cell] = field(default_factory=dict)


class ClassWatch:
    """Watches `process` make classes, from `start` to `stop` or in a `with` statement."""

    def __init__(self, process: Process) -> None:
        self.process = process
        self._made: dict[str, Making] = {}
        self._now: tuple[Making, str, str] | None = None
        self._names = Names()

    def start(self) -> None:
        """Watch from now on."""
        for event in (trace_type_initialize, trace_class_base_init, trace_class_init):
            event.append(self._happened)

    def stop(self) -> None:
        """Stop watching."""
        self._settle()
        for event in (trace_type_initialize, trace_class_base_init, trace_class_init):
            event.remove(self._happened)

    def __enter__(self) -> ClassWatch:
        self.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.stop()

    def cells(self, typename: str) -> dict[str, Cell]:
        """The fields of a class that was made while watching."""
        self._settle()
        return self._made[typename].cells

    def _happened(self, event: Event, *types: TypeImpl) -> None:
        if current_process() is not self.process:
            return
        self._settle()
        if event is trace_type_initialize:
            return
        ti = types[-1]
        making = self._made.get(ti.name) or self._begin(ti)
        manner = "base_init" if event is trace_class_base_init else "class_init"
        self._now = (making, types[0].name, manner)

    def _begin(self, ti: TypeImpl) -> Making:
        assert ti.klass
        making = self._made[ti.name] = Making(ti.klass, self._fields(ti.klass))
        above = self._made[ti.parent].cells if ti.parent in self._made else {}
        zero = self._fields(type(ti.klass)())
        for name, value in making.seen.items():
            writer = above[name].writer if name in above else ti.parent or ""
            told = written(above[name]) if name in above else value != zero.get(name, value)
            making.cells[name] = Cell(value, writer, "copied") if told else Cell(value)
        return making

    def _settle(self) -> None:
        """See what the hook that ran last has changed."""
        if self._now is None:
            return
        making, writer, manner = self._now
        self._now = None
        fields = self._fields(making.klass)
        for name, value in fields.items():
            if value != making.seen.get(name):
                making.cells[name] = Cell(value, writer, manner)
        making.seen = fields

    def _fields(self, klass: ObjectClass) -> dict[str, str]:
        return {name: self._shown(value) for name, value in vars(klass).items() if name not in UNTOLD}

    def _shown(self, value: Any) -> str:
        return show(self._names.brief(value))


def class_inheritance(watch: ClassWatch, typenames: Iterable[str], fields: Iterable[str] = ()) -> Figure:
    """One column a class, parent first, and one row a field: its value, and who wrote it.

    Without `fields`, those are shown that somebody wrote in at least one of the classes.
    """
    names = list(typenames)
    cells = {name: watch.cells(name) for name in names}
    known = dict.fromkeys(key for row in cells.values() for key in row)
    wanted = list(fields) or [key for key in known if any(written(cells[name].get(key)) for name in names)]
    step = (palette.WIDTH - LEFT - 10) / max(len(names), 1)
    drawing = Drawing(palette.WIDTH, HEAD + ROW * len(wanted) + 12)
    legend(drawing)
    for column, name in enumerate(names):
        drawing.text(LEFT + step * column + 6, HEAD - 10, fit(name, step - 24), bold=True)
        if column:
            x = LEFT + step * column
            drawing.line(x - 18, HEAD - 14, x, HEAD - 14, arrow=True)
    for number, key in enumerate(wanted):
        top = HEAD + ROW * number
        drawing.text(LEFT - 10, top + 22, fit(key, LEFT - 16), anchor="end")
        for column, name in enumerate(names):
            if key in cells[name]:
                draw_cell(drawing, cells[name][key], LEFT + step * column, top, step)
    rows = [(key, *(cell_as_text(cells[name].get(key)) for name in names)) for key in wanted]
    words = columns(rows, ("field", *names))
    title = f"Who wrote the class of {names[-1]}"
    return Figure(title, f"{title}\n{words}", svg=drawing.svg(title, f"{len(wanted)} fields of {', '.join(names)}"))


def written(cell: Cell | None) -> bool:
    """Whether somebody wrote this field."""
    return cell is not None and cell.manner != "zero"


def cell_as_text(cell: Cell | None) -> str:
    """A cell in letters; a dash where the class has no such field."""
    if cell is None:
        return "-"
    return f"{cell.value} [{cell.words}]"


def legend(drawing: Drawing) -> None:
    """What the colours and signs mean."""
    words = (("copied", "= copied from the parent"), ("base_init", "~ base_init"), ("class_init", "+ own class_init"))
    for number, (manner, text) in enumerate(words):
        drawing.box(LEFT + 200 * number, 6, 14, 14, TINTS[manner], round=2)
        drawing.text(LEFT + 200 * number + 20, 17, text, sans=True)


def draw_cell(drawing: Drawing, cell: Cell, x: float, top: float, width: float) -> None:
    """One field of one class."""
    drawing.box(x, top, width - 4, ROW - 4, TINTS[cell.manner], round=2, title=f"{cell.value}: {cell.words}")
    drawing.text(x + 6, top + 14, fit(cell.value, width - 14, 11), size=11, bold=cell.manner == "class_init")
    drawing.text(x + 6, top + 27, fit(cell.words, width - 14, 9.5), size=9.5, colour=palette.SOFT)
