"""How a machine is chosen: who was met, the list that this made, and the choice, as it was recorded (Not in QEMU)."""

from __future__ import annotations

from pyqemu_edu.process import Process
from pyqemu_edu.trace.brief import show
from pyqemu_edu.trace.log import Log
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing, fit
from pyqemu_edu.view.figure import Figure, columns
from pyqemu_edu.view.types import ancestors, type_table

ROW, TOP = 30, 40
MET, LIST, CHOICE = 6, 440, 700
MET_WIDTH, WIDTH = 310, 174
QUESTIONS = {"find_machine": "the one of this name", "find_default_machine": "the one with is_default"}


def machine_selection(log: Log, process: Process) -> Figure:
    """What `select_machine` did: the machines in the order met, the list with the last met in front, and the choice."""
    met = machines_met(log, process)
    listed = [name for _, name in reversed(met) if not type_table(process)[name].abstract]
    question, chosen = choice_made(log)
    drawing = Drawing(palette.WIDTH, TOP + ROW * max(len(met), len(listed)) + 8)
    for x, head in (
        (MET, "met on the walk through the table, at visit number …"),
        (LIST, "the list"),
        (CHOICE, "chosen"),
    ):
        drawing.text(x, 22, head, sans=True, colour=palette.SOFT)
    for number, (visit, name) in enumerate(met):
        draw_met(drawing, number, visit, name, listed)
    for number, name in enumerate(listed):
        draw_listed(drawing, number, name, name == chosen)
    draw_choice(drawing, question, chosen, listed)
    visits = len(log.calls("object_class_foreach_tramp"))
    words = selection_as_text(met, listed, visits, f"{question}: {chosen}")
    return Figure("The choice of a machine", words, svg=drawing.svg("The choice of a machine", words))


def machines_met(log: Log, process: Process) -> list[tuple[int, str]]:
    """The machines among the types that were visited, each with the number of its visit."""
    table = type_table(process)
    visits = [show(call["type"]) for call in log.calls("object_class_foreach_tramp")]
    return [(number + 1, name) for number, name in enumerate(visits) if "machine" in ancestors(table, name)]


def choice_made(log: Log) -> tuple[str, str]:
    """What was looked for, and the type of the machine that was found."""
    call = log.calls("select_machine")[0]
    asked = next(name for name in QUESTIONS if log.calls(name))
    found = call.end.values if call.end and call.end.kind == "return" else ()
    return QUESTIONS[asked], show(found[0]).removeprefix("class:") if found else "none"


def draw_met(drawing: Drawing, number: int, visit: int, name: str, listed: list[str]) -> None:
    """One machine that was met, and the line to its place in the list."""
    y = TOP + ROW * number
    drawing.box(MET, y, MET_WIDTH, ROW - 6, palette.BLUE, dashed=name not in listed)
    drawing.text(MET + 8, y + 16, f"{visit:>3}. {fit(name, MET_WIDTH - 60)}")
    if name in listed:
        foot = TOP + ROW * listed.index(name) + ROW / 2 - 3
        drawing.line(MET + MET_WIDTH, y + ROW / 2 - 3, LIST, foot, arrow=True, colour=palette.SOFT)
    else:
        drawing.text(MET + MET_WIDTH - 8, y + 16, "abstract", size=11, colour=palette.SOFT, anchor="end")


def draw_listed(drawing: Drawing, number: int, name: str, chosen: bool) -> None:
    """One machine of the list."""
    y = TOP + ROW * number
    tint = palette.GREEN if chosen else palette.PLAIN
    drawing.box(LIST, y, WIDTH, ROW - 6, tint, thick=chosen)
    drawing.text(LIST + 8, y + 16, fit(name.removesuffix("-machine"), WIDTH - 16), bold=chosen)


def draw_choice(drawing: Drawing, question: str, chosen: str, listed: list[str]) -> None:
    """The machine that was chosen, and why."""
    y = TOP + ROW * (listed.index(chosen) if chosen in listed else 0)
    if chosen in listed:
        drawing.line(LIST + WIDTH, y + ROW / 2 - 3, CHOICE, y + ROW / 2 - 3, arrow=True, width=2)
    drawing.box(CHOICE, y, WIDTH, ROW - 6, palette.GREEN if chosen in listed else palette.RED, thick=True)
    drawing.text(CHOICE + 8, y + 16, fit(chosen, WIDTH - 16), bold=True)
    drawing.text(CHOICE, y + ROW + 8, question, size=11, colour=palette.SOFT, sans=True)


def selection_as_text(met: list[tuple[int, str]], listed: list[str], visits: int, choice: str) -> str:
    """The same in letters."""
    rows = [(f"visit {visit}", name, "abstract" if name not in listed else "") for visit, name in met]
    return "\n".join([f"{visits} types visited", columns(rows), f"list: {', '.join(listed)}", choice])
