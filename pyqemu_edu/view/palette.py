"""The colours and letters of every picture, stated once (Not in QEMU).

A colour is a pair: a pale fill and a dark edge, which also serves for text on the fill.  It is never the only sign:
what a colour says is also said by a word, a pattern or a shape.
"""

from __future__ import annotations

from dataclasses import dataclass

INK = "#1b2733"
SOFT = "#566573"
PAPER = "#ffffff"
MIST = "#f5f7f9"
RULE = "#cdd6de"

SANS = "Helvetica, Arial, sans-serif"
MONO = "DejaVu Sans Mono, Menlo, Consolas, monospace"
SIZE = 12
MONO_WIDTH = 0.602  # of the font size: the advance of every letter of DejaVu Sans Mono
WIDTH = 880  # of a picture, at most: a notebook's column


@dataclass(frozen=True, slots=True)
class Tint:
    """A pale fill with its dark edge."""

    fill: str
    edge: str


# fmt: off
PLAIN  = Tint("#ffffff", "#8795a1")
GREY   = Tint("#eef1f4", "#566573")
BLUE   = Tint("#e1edfb", "#1d5fa8")
GREEN  = Tint("#e0f3e6", "#22713f")
AMBER  = Tint("#fdf0d3", "#8a5a00")
PURPLE = Tint("#ece6fa", "#5b3fa6")
RED    = Tint("#fbe3e1", "#a8322a")
TEAL   = Tint("#dbf2f1", "#12696a")
# fmt: on

ROTATION = (BLUE, GREEN, AMBER, PURPLE, TEAL, RED, GREY)


def tint(number: int) -> Tint:
    """The colour of thing number `number` where things merely differ."""
    return ROTATION[number % len(ROTATION)]


def css_variables() -> str:
    """The palette as custom properties, for style sheets."""
    single = {"ink": INK, "soft": SOFT, "paper": PAPER, "mist": MIST, "rule": RULE, "sans": SANS, "mono": MONO}
    names = {"blue": BLUE, "green": GREEN, "amber": AMBER, "purple": PURPLE, "red": RED, "teal": TEAL, "grey": GREY}
    pairs = [f"--{name}: {value};" for name, value in single.items()]
    pairs += [f"--{name}-fill: {pair.fill}; --{name}: {pair.edge};" for name, pair in names.items()]
    return "\n  ".join(pairs)
