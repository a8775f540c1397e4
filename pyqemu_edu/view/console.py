"""What the guest has written to its console (Not in QEMU)."""

from __future__ import annotations

import html
import re

from pyqemu_edu.view import palette
from pyqemu_edu.view.figure import Figure

ESCAPE_SEQUENCE = re.compile(r"\x1b\[[0-9;?]*[A-Za-z]")
ERASED = re.compile(r"[^\n\x08]\x08")


def shown_text(text: str) -> str:
    """What a terminal would show of it: no cursor movements, what was erased gone, a middle dot for what is no text."""
    text = ESCAPE_SEQUENCE.sub("", text.replace("\r\n", "\n"))
    while (shorter := ERASED.sub("", text)) != text:
        text = shorter
    return "".join(c if c.isprintable() or c in "\n\t" else "·" for c in text)


def console(text: str, title: str = "Console") -> Figure:
    """The console's text, in a frame."""
    shown = shown_text(text)
    frame = f"border:1px solid {palette.RULE};border-left:4px solid {palette.GREEN.edge};border-radius:4px"
    look = f"max-width:{palette.WIDTH}px;padding:8px 12px;margin:4px 0;background:{palette.MIST};color:{palette.INK}"
    font = f"font:13px {palette.MONO};white-space:pre-wrap"
    page = f'<pre role="log" aria-label="{html.escape(title)}" style="{frame};{look};{font}">{html.escape(shown)}</pre>'
    return Figure(title, shown.rstrip("\n"), page=page)
