"""The source of a function, with the place in QEMU that it mirrors (Not in QEMU)."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from html import escape
from typing import Any

from pygments import highlight
from pygments.formatters import HtmlFormatter
from pygments.lexers import PythonLexer

from pyqemu_edu.trace.functions import describe
from pyqemu_edu.view import palette
from pyqemu_edu.view.figure import Figure

LOOK = (
    f"max-width:{palette.WIDTH}px;padding:8px 12px;background:{palette.MIST};overflow-x:auto;"
    f"font:12px/1.35 {palette.MONO}"
)


def show(*functions: Callable[..., Any]) -> Figure:
    """The functions as they are written here; the heading links to the file of QEMU's."""
    parts = [_part(function) for function in functions]
    words = "\n\n".join(f"# {place}\n{text}" for place, text, _ in parts)
    page = "".join(page for _, _, page in parts)
    return Figure(" and ".join(function.__name__ for function in functions), words, page=page)


def _part(function: Callable[..., Any]) -> tuple[str, str, str]:
    code = inspect.unwrap(function).__code__
    known = describe(code, function.__module__)
    text = inspect.getsource(function).rstrip()
    place = f"{function.__module__}, QEMU {known.qemu_file}" if known.qemu_file else function.__module__
    colours = highlight(text, PythonLexer(), HtmlFormatter(noclasses=True, nowrap=True, style="tango"))
    link = f'<a href="{escape(known.qemu_link)}">QEMU {escape(known.qemu_file)}</a>' if known.qemu_file else ""
    heading = f"<b>{escape(known.file)}</b> {link}"
    return place, text, f'<div style="font:12px {palette.SANS}">{heading}</div><pre style="{LOOK}">{colours}</pre>'
