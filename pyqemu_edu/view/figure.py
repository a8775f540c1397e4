"""A picture with its words: what every view gives (Not in QEMU)."""

from __future__ import annotations

import html
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyqemu_edu.view import palette


@dataclass(frozen=True, slots=True)
class Figure:
    """A picture (`svg` or `page`, a piece of HTML) and `words`, the same facts as short, stable text."""

    title: str
    words: str
    svg: str = ""
    page: str = ""

    def text(self) -> str:
        """The facts without the picture."""
        return self.words

    def save(self, path: str | Path) -> None:
        """Write the picture to a file; a name that ends in `.txt` gets the words."""
        words = str(path).endswith(".txt")
        Path(path).write_text((self.words if words else self.svg or self.page) + "\n", encoding="utf-8")

    def __repr__(self) -> str:
        return self.words

    def _repr_mimebundle_(self, **options: Any) -> Mapping[str, str]:
        bundle = {"text/plain": self.words}
        if self.svg:
            bundle["image/svg+xml"] = self.svg
        if self.page:
            bundle["text/html"] = self.page
        return bundle


def columns(rows: Sequence[Sequence[object]], header: Sequence[str] = ()) -> str:
    """Rows as text, the columns one below the other."""
    lines = [[str(cell) for cell in row] for row in ([header, *rows] if header else rows)]
    widths = [max((len(line[n]) for line in lines if n < len(line)), default=0) for n in range(99)]
    return "\n".join("  ".join(cell.ljust(widths[n]) for n, cell in enumerate(line)).rstrip() for line in lines)


CELL = f"padding:3px 9px;border-bottom:1px solid {palette.RULE};vertical-align:top;text-align:left;white-space:pre-wrap"


def table(title: str, header: Sequence[str], rows: Sequence[Sequence[object]], note: str = "") -> Figure:
    """A table, as HTML and as text."""
    head = "".join(
        f'<th scope="col" style="{CELL};background:{palette.MIST}">{html.escape(name)}</th>' for name in header
    )
    body = "\n".join(f"<tr>{''.join(_cell(cell) for cell in row)}</tr>" for row in rows)
    style = f"border-collapse:collapse;max-width:{palette.WIDTH}px;font:12px {palette.SANS};color:{palette.INK}"
    caption = f'<caption style="text-align:left;font-weight:bold;padding:4px 0">{html.escape(title)}</caption>'
    tail = f'<p style="font:12px {palette.SANS};color:{palette.SOFT}">{html.escape(note)}</p>' if note else ""
    page = f'<table style="{style};background:{palette.PAPER}">{caption}\n<tr>{head}</tr>\n{body}\n</table>{tail}'
    words = "\n".join(part for part in (title, columns(rows, header), note) if part)
    return Figure(title, words, page=page)


def _cell(cell: object) -> str:
    """A cell of the table; a long word may be broken after its commas."""
    text = html.escape(str(cell)).replace(",", ",<wbr>")
    return f'<td style="{CELL};font-family:{palette.MONO}">{text}</td>'
