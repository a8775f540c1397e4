"""What a check says of an answer (Not in QEMU)."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from html import escape
from typing import Any, ParamSpec

P = ParamSpec("P")


@dataclass(frozen=True, slots=True)
class Verdict:
    """Whether an answer holds, and the sentence that says why."""

    passed: bool
    message: str

    def __repr__(self) -> str:
        return f"{'Right' if self.passed else 'Not yet'}: {self.message}"

    def _repr_mimebundle_(self, **kwargs: Any) -> dict[str, str]:
        border, sign = ("#2e7d32", "✔ Right") if self.passed else ("#b26a00", "✎ Not yet")
        body = escape(self.message).replace("\n", "<br>")
        style = f"border-left:4px solid {border};padding:.4em .8em"
        html = f'<div role="status" style="{style}"><b>{sign}.</b> {body}</div>'
        return {"text/plain": repr(self), "text/html": html}


class NotYet(Exception):
    """What a check raises: what it observed, and the rule that this breaks."""


def check(function: Callable[P, str]) -> Callable[P, Verdict]:
    """Make a `Verdict` of a function that returns praise or raises `NotYet`."""

    @functools.wraps(function)
    def checked(*args: P.args, **kwargs: P.kwargs) -> Verdict:
        try:
            return Verdict(True, function(*args, **kwargs))
        except NotYet as fault:
            return Verdict(False, str(fault))

    return checked
