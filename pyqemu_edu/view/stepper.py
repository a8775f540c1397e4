"""The stepper: walk through a recorded trace, forwards and backwards (Not in QEMU).

In Python there is only the trace in columns, made once; the stepping happens in the browser (`stepper.js`).  Where no
front end is, `html()` is the same as one page that needs nothing else.
"""

from __future__ import annotations

import html as markup
import json
import linecache
from collections.abc import Mapping
from functools import cache, cached_property
from inspect import getblock
from pathlib import Path
from typing import Any

from pyqemu_edu.trace.functions import PACKAGE, Function
from pyqemu_edu.trace.log import EVENT, Log
from pyqemu_edu.view import palette
from pyqemu_edu.view.sentences import sentence_of, topic_of

HERE = Path(__file__).parent
ROOT = f"{HERE.parents[1]}/"
LISTED = 40


@cache
def script() -> str:
    """The component, as an ES module."""
    return (HERE / "stepper.js").read_text(encoding="utf-8")


@cache
def style() -> str:
    """Its style sheet, with the palette's colours."""
    sheet = (HERE / "stepper.css").read_text(encoding="utf-8")
    return f".pyqemu-stepper {{\n  {palette.css_variables()}\n}}\n{sheet}"


def source_of(function: Function) -> list[str]:
    """The lines of a function's source, or nothing where the source is not to be had."""
    lines = linecache.getlines(function.filename)[function.line - 1 :]
    try:
        return [line.rstrip("\n") for line in getblock(lines)]
    except (IndexError, SyntaxError, IndentationError):
        return [line.rstrip("\n") for line in lines[:40]]


def function_columns(function: Function) -> dict[str, Any]:
    """What the browser needs to know of a function."""
    return {
        "name": function.name,
        "place": function.place.removeprefix(f"{PACKAGE}/"),
        "line": function.line,
        "first": function.line,
        "qemu": function.qemu_file,
        "ours": not function.in_qemu,
        "link": function.qemu_link,
        "source": source_of(function),
    }


class Interned:
    """Texts by number, each kept once."""

    def __init__(self) -> None:
        self._numbers: dict[tuple[str, str], int] = {}

    def number(self, text: str, sentence: str = "") -> int:
        """The number of this pair of texts."""
        return self._numbers.setdefault((text, sentence), len(self._numbers))

    def column(self, which: int) -> list[str]:
        """The first or the second texts of all pairs, by number."""
        return [pair[which] for pair in self._numbers]


def columns(log: Log, title: str = "trace") -> dict[str, Any]:
    """The whole trace as the browser gets it: one list for each column; files of ours by their short names."""
    texts = Interned()
    numbers = [
        texts.number(record.shown, sentence_of(record) if log.kind[record.index] == EVENT else "") for record in log
    ]
    return {
        "title": title,
        "kind": log.kind.tolist(),
        "thread": log.thread.tolist(),
        "depth": log.depth.tolist(),
        "what": log.what.tolist(),
        "parent": log.parent.tolist(),
        "line": log.line.tolist(),
        "text": numbers,
        "texts": [text.replace(ROOT, "") for text in texts.column(0)],
        "sentences": [text.replace(ROOT, "") for text in texts.column(1)],
        "functions": [function_columns(function) for function in log.functions],
        "events": [{"name": kind.name, "topic": topic_of(kind.name)} for kind in log.event_kinds],
        "threads": list(log.threads),
        "marks": [{"index": mark.index, "label": mark.label} for mark in log.marks],
    }


class Stepper:
    """A component that steps through `log`, opened at record `start`."""

    def __init__(self, log: Log, *, title: str = "The boot, step by step", start: int = 0) -> None:
        self.log = log
        self.title = title
        self.start = start

    @cached_property
    def trace(self) -> str:
        """The trace in columns, as JSON."""
        return json.dumps(columns(self.log, self.title), separators=(",", ":"))

    @cached_property
    def widget(self) -> Any:
        """The live component; its `index` is the current record, and can be set."""
        import anywidget
        import traitlets

        class StepperWidget(anywidget.AnyWidget):
            _esm = script()
            _css = style()
            trace = traitlets.Unicode().tag(sync=True)
            index = traitlets.Int().tag(sync=True)

        return StepperWidget(trace=self.trace, index=self.start)

    def text(self) -> str:
        """The phases; no numbers, which threads make differ from run to run."""
        return f"{self.title}: {' · '.join(mark.label for mark in self.log.marks)}".removesuffix(": ")

    def html(self) -> str:
        """One page with everything in it: no server, no network."""
        classic = script().replace("export default", "const widget =")
        data = self.trace.replace("</", "<\\/")
        return (
            '<!DOCTYPE html>\n<html lang="en">\n<head><meta charset="utf-8">'
            f"<title>{markup.escape(self.title)}</title>\n"
            f"<style>{style()}</style></head>\n<body>\n<div id='stepper'></div>\n"
            f"<script>{{\n{classic}\nstepper(document.getElementById('stepper'), {data}, "
            f"{{ start: {self.start} }});\n}}</script>\n<noscript>{self.listing()}</noscript>\n</body>\n</html>\n"
        )

    def listing(self) -> str:
        """The first records as nested text, for where nothing can be stepped."""
        rows = "\n".join(f"{record.index:>6}  {'  ' * record.depth}{record}" for record in self.log[:LISTED])
        return (
            f"<details><summary>{markup.escape(self.title)}: how it begins</summary>"
            f"<pre>{markup.escape(rows)}</pre></details>"
        )

    def save(self, path: str | Path) -> None:
        """Write the page to a file."""
        Path(path).write_text(self.html(), encoding="utf-8")

    def _repr_mimebundle_(self, **options: Any) -> Mapping[str, Any]:
        bundle = {"text/plain": self.text(), "text/html": self.listing()}
        try:
            live = self.widget._repr_mimebundle_(**options)
        except ImportError:
            return bundle
        data = live[0] if isinstance(live, tuple) else live
        return {**(data or {}), **bundle}
