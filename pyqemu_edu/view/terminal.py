"""A console that one can type into while the guest runs (Not in QEMU).

In the browser keys become bytes (`terminal.js`); here they are sent to the guest, and what it has written is handed
over a few times a second.  Where no front end is, the text so far stands in its place.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from functools import cached_property
from pathlib import Path
from typing import Any, Protocol

from pyqemu_edu.view import palette
from pyqemu_edu.view.console import console, shown_text

HERE = Path(__file__).parent
REFRESH = 0.2
"""How long after a change the browser hears of it, in seconds."""
LIMIT = 100_000
"""So many characters at most are kept on the screen."""


class Guest(Protocol):
    """What is needed of a machine: what it has written, how it is, and a way to type."""

    output: bytearray

    def send(self, text: str) -> None: ...
    def is_running(self) -> bool: ...


def style() -> str:
    """The style sheet, in the palette's colours."""
    screen = f"background:{palette.MIST};color:{palette.INK};font:13px {palette.MONO};white-space:pre-wrap"
    frame = f"border:1px solid {palette.RULE};border-left:4px solid {palette.GREEN.edge};border-radius:4px"
    return (
        f".pyqemu-terminal pre{{{screen};{frame};max-width:{palette.WIDTH}px;height:26em;overflow:auto;"
        f"padding:8px 12px;margin:4px 0}}"
        f".pyqemu-terminal pre:focus{{outline:2px solid {palette.GREEN.edge}}}"
        f".pyqemu-terminal p{{color:{palette.SOFT};font:12px sans-serif;margin:2px 0}}"
    )


class Terminal:
    """The console of `guest`, live."""

    def __init__(self, guest: Guest, title: str = "Console") -> None:
        self.guest = guest
        self.title = title

    @cached_property
    def widget(self) -> Any:
        """The live component: `text` and `state` are shown; messages `{"typed": …}` are keys."""
        import anywidget
        import traitlets

        class TerminalWidget(anywidget.AnyWidget):
            _esm = (HERE / "terminal.js").read_text(encoding="utf-8")
            _css = style()
            title = traitlets.Unicode().tag(sync=True)
            text = traitlets.Unicode().tag(sync=True)
            state = traitlets.Unicode().tag(sync=True)

        widget = TerminalWidget(title=self.title, text=self.text(), state=self.state())
        widget.on_msg(lambda _, message, buffers: self.typed(message))
        threading.Thread(target=self.follow, args=(widget.set_trait,), name="terminal", daemon=True).start()
        return widget

    def typed(self, message: Any) -> None:
        """Send what was typed in the browser; anything else is not for us."""
        text = message.get("typed") if isinstance(message, dict) else None
        if isinstance(text, str):
            self.guest.send(text)

    def follow(self, show: Callable[[str, str], None]) -> None:
        """Keep the screen up to date until the guest stands still."""
        pause = threading.Event()
        running = True
        while running:
            running = self.guest.is_running()
            show("text", self.text())
            show("state", self.state())
            pause.wait(REFRESH)

    def state(self) -> str:
        """What stands below the screen."""
        running = self.guest.is_running()
        return "running: click on the text and type" if running else "the guest stands still"

    def text(self) -> str:
        """What the guest has written, the last of it if that is much."""
        return shown_text(self.guest.output.decode(errors="replace"))[-LIMIT:]

    def __repr__(self) -> str:
        return self.text().rstrip("\n")

    def _repr_mimebundle_(self, **options: Any) -> Mapping[str, Any]:
        bundle = dict(console(self.text(), self.title)._repr_mimebundle_())
        try:
            live = self.widget._repr_mimebundle_(**options)
        except ImportError:
            return bundle
        data = live[0] if isinstance(live, tuple) else live
        return {**(data or {}), **bundle}
