"""The interrupt controller as it stands: sources on the left, contexts on the right (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from pyqemu_edu.hw.intc.sifive_plic import TYPE_SIFIVE_PLIC, PLICAddr, SiFivePLICState, sifive_plic_claimed
from pyqemu_edu.process import Process
from pyqemu_edu.qom.klass import object_dynamic_cast
from pyqemu_edu.qom.path import object_child_foreach_recursive, object_get_root
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing, fit
from pyqemu_edu.view.figure import Figure, columns

ROW, TOP, BOX, SOURCE_X, CONTEXT_X = 62, 44, 48, 20, 520
SOURCE_WIDE, CONTEXT_WIDE = 320, 340


@dataclass(frozen=True, slots=True)
class Source:
    """A wire into the controller, and what is noted of it."""

    number: int
    name: str
    priority: int
    pending: bool
    claimed: bool

    def words(self) -> str:
        """Its state."""
        noted = [word for word, flag in (("pending", self.pending), ("claimed", self.claimed)) if flag]
        return ", ".join([f"priority {self.priority}", *(noted or ["quiet"])])


@dataclass(frozen=True, slots=True)
class Context:
    """A hart in one of its modes, and what it wants to hear."""

    name: str
    threshold: int
    enabled: frozenset[int]
    best: int

    def words(self) -> str:
        """Its state."""
        call = f"source {self.best}: interrupt!" if self.best else "no interrupt"
        return f"threshold {self.threshold}, {call}"


def find_plic() -> SiFivePLICState:
    """The first controller of the machine."""
    found: list[SiFivePLICState] = []

    def look(obj: Object) -> int:
        if object_dynamic_cast(obj, TYPE_SIFIVE_PLIC) is not None:
            assert isinstance(obj, SiFivePLICState)
            found.append(obj)
        return bool(found)

    object_child_foreach_recursive(object_get_root(), look)
    return found[0]


def bit(words: list[int], number: int) -> bool:
    """A source's bit of a bit field."""
    return bool(words[number >> 5] >> (number & 31) & 1)


def sources_of(plic: SiFivePLICState, names: Mapping[int, str]) -> list[Source]:
    """Those sources that are named, or about which there is anything to say."""
    every = (
        Source(n, names.get(n, "?"), plic.source_priority[n], bit(plic.pending, n), bit(plic.claimed, n))
        for n in range(1, plic.num_sources)
    )
    return [each for each in every if each.number in names or each.priority or each.pending or each.claimed]


def context_of(plic: SiFivePLICState, addr: PLICAddr) -> Context:
    """One context."""
    words = plic.enable[addr.addrid * plic.bitfield_words : (addr.addrid + 1) * plic.bitfield_words]
    enabled = frozenset(n for n in range(plic.num_sources) if bit(words, n))
    name = f"hart {addr.hartid}, {'machine' if addr.mode == 'M' else 'supervisor'} mode"
    return Context(name, plic.target_priority[addr.addrid], enabled, sifive_plic_claimed(plic, addr.addrid))


def plic_state(process: Process, names: Mapping[int, str]) -> Figure:
    """The picture; `names` says what is connected to which source.  A thick line is an interrupt."""
    with process:
        plic = find_plic()
        sources = sources_of(plic, names)
        contexts = [context_of(plic, addr) for addr in plic.addr_config]
    drawing = Drawing(palette.WIDTH, TOP + ROW * max(len(sources), len(contexts)))
    drawing.text(SOURCE_X, 22, "sources", bold=True, sans=True)
    drawing.text(CONTEXT_X, 22, "contexts", bold=True, sans=True)
    for i, source in enumerate(sources):
        for j, context in enumerate(contexts):
            if source.number in context.enabled:
                draw_wire(drawing, i, j, loud=context.best == source.number)
    for i, source in enumerate(sources):
        draw_box(drawing, SOURCE_X, i, SOURCE_WIDE, f"{source.number} {source.name}", source.words(), source.pending)
    for j, context in enumerate(contexts):
        draw_box(drawing, CONTEXT_X, j, CONTEXT_WIDE, context.name, context.words(), bool(context.best))
    words = plic_words(sources, contexts)
    return Figure("The PLIC", words, svg=drawing.svg("The PLIC", words))


def plic_words(sources: list[Source], contexts: list[Context]) -> str:
    """The same as text."""
    first = columns([(f"source {s.number}", s.name, s.words()) for s in sources])
    heard = [", ".join(map(str, sorted(c.enabled))) or "nobody" for c in contexts]
    second = columns([(c.name, f"hears {who}", c.words()) for c, who in zip(contexts, heard, strict=True)])
    return f"{first}\n{second}"


def draw_wire(drawing: Drawing, i: int, j: int, loud: bool) -> None:
    """From source `i` to context `j`."""
    colour = palette.RED.edge if loud else palette.RULE
    x1, y1 = SOURCE_X + SOURCE_WIDE, TOP + ROW * i + BOX / 2
    drawing.line(x1, y1, CONTEXT_X, TOP + ROW * j + BOX / 2, colour=colour, width=3 if loud else 1.5)


def draw_box(drawing: Drawing, x: float, row: int, width: float, name: str, words: str, lit: bool) -> None:
    """A source or a context; a lit one has something to say."""
    y = TOP + ROW * row
    drawing.box(x, y, width, BOX, palette.AMBER if lit else palette.GREY, thick=lit)
    drawing.text(x + 10, y + 20, fit(name, width - 20), bold=True)
    drawing.text(x + 10, y + 38, fit(words, width - 20, 11), size=11, colour=palette.SOFT)
