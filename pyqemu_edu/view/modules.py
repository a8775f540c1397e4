"""The constructors that ran before `main`, as a row of doors for each init type (Not in QEMU)."""

from __future__ import annotations

from pyqemu_edu.process import Process
from pyqemu_edu.util import module
from pyqemu_edu.util.module import InitFunction, ModuleInitType
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing, fit
from pyqemu_edu.view.figure import Figure

DOOR, HEIGHT, GAP = 12, 20, 4
LEFT = 190
ORDER = (
    ModuleInitType.OPTS,
    ModuleInitType.TRACE,
    ModuleInitType.QOM,
    ModuleInitType.MIGRATION,
    ModuleInitType.BLOCK,
)


def name_of(fn: InitFunction) -> str:
    """What to call a noted function."""
    infos = getattr(fn, "infos", None)
    return (
        f"registers {', '.join(info.name for info in infos)}" if infos else getattr(fn, "__name__", type(fn).__name__)
    )


def module_doors(process: Process) -> Figure:
    """Every noted function as a door, by init type in the order of the five calls; open once it was called."""
    statics = process.statics_of(module.Statics)
    across = int((palette.WIDTH - LEFT - 10) / (DOOR + GAP))
    drawing = Drawing(palette.WIDTH, 0)
    top, words = 12.0, []
    for number, kind in enumerate(ORDER, 1):
        entries = statics.init_type_list[kind]
        opened = kind in statics.modules_init_done
        state = "called" if opened else "waiting"
        drawing.text(8, top + 14, f"{number} {kind.name}", bold=True)
        drawing.text(8, top + 30, f"{len(entries)} functions, {state}", size=11, colour=palette.SOFT)
        for place, entry in enumerate(entries):
            x, y = LEFT + place % across * (DOOR + GAP), top + place // across * (HEIGHT + GAP)
            draw_door(drawing, x, y, opened, f"{place + 1}: {fit(name_of(entry.init), 700)}")
        top += max((HEIGHT + GAP) * -(-len(entries) // across), 36) + 14
        words.append(f"{kind.name}: {len(entries)} functions, {state}")
    drawing.height = top
    total = sum(len(entries) for entries in statics.init_type_list.values())
    title = f"{total} functions noted before main"
    return Figure(title, "\n".join([title, *words]), svg=drawing.svg(title, "; ".join(words)))


def draw_door(drawing: Drawing, x: float, y: float, opened: bool, hint: str) -> None:
    """A closed door is filled and has a knob; an open one shows its leaf."""
    tint = palette.GREEN if opened else palette.AMBER
    drawing.box(x, y, DOOR, HEIGHT, tint, round=1, title=hint, fill=palette.PAPER if opened else "")
    if opened:
        drawing.path(
            f"M{x:g} {y:g} l{DOOR / 2:g} 4 v{HEIGHT - 1} l{-DOOR / 2:g} -3 z", colour=tint.edge, fill=tint.fill
        )
    else:
        drawing.path(f"M{x + DOOR - 3:g} {y + HEIGHT / 2:g} h1", colour=tint.edge, width=2.5)
