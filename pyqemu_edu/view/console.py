"""What the guest has written to its console (Not in QEMU)."""

from __future__ import annotations

import html

from pyqemu_edu.view import palette
from pyqemu_edu.view.figure import Figure


def console(text: str, title: str = "Console") -> Figure:
    """The console's text, in a frame; characters that no console shows become a middle dot."""
    shown = "".join(c if c.isprintable() or c in "\n\t" else "·" for c in text.replace("\r\n", "\n"))
    frame = f"border:1px solid {palette.RULE};border-left:4px solid {palette.GREEN.edge};border-radius:4px"
    look = f"max-width:{palette.WIDTH}px;padding:8px 12px;margin:4px 0;background:{palette.MIST};color:{palette.INK}"
    font = f"font:13px {palette.MONO};white-space:pre-wrap"
    page = f'<pre role="log" aria-label="{html.escape(title)}" style="{frame};{look};{font}">{html.escape(shown)}</pre>'
    return Figure(title, shown.rstrip("\n"), page=page)
