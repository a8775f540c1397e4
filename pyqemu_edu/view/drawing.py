"""A picture made of boxes, words and lines, as SVG that is the same byte for byte at every run (Not in QEMU)."""

from __future__ import annotations

from html import escape

from pyqemu_edu.view import palette
from pyqemu_edu.view.palette import INK, MONO, MONO_WIDTH, PLAIN, SANS, SIZE, SOFT, Tint

ARROWS = (
    '<defs><marker id="arrow" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">'
    f'<path d="M0 0.5 L7.5 4 L0 7.5 z" fill="{SOFT}"/></marker>'
    '<pattern id="hatch" width="6" height="6" patternUnits="userSpaceOnUse" patternTransform="rotate(45)">'
    f'<path d="M0 0 V6" stroke="{palette.RULE}" stroke-width="2"/></pattern></defs>'
)


def number(value: float) -> str:
    """A coordinate, with one digit behind the point where it needs one."""
    return f"{round(value, 1):g}"


def text_width(text: str, size: float = SIZE) -> float:
    """How wide `text` is in the fixed-width letters of every picture."""
    return len(text) * size * MONO_WIDTH


def fit(text: str, width: float, size: float = SIZE) -> str:
    """`text`, shortened so that it is no wider than `width`."""
    room = int(width / (size * MONO_WIDTH))
    return text if len(text) <= room else text[: max(room - 1, 0)] + "…"


class Drawing:
    """Collects shapes; `svg` closes the picture."""

    def __init__(self, width: float, height: float) -> None:
        self.width = width
        self.height = height
        self._shapes: list[str] = []

    def box(
        self,
        x: float,
        y: float,
        width: float,
        height: float,
        tint: Tint = PLAIN,
        *,
        round: float = 4,
        dashed: bool = False,
        thick: bool = False,
        title: str = "",
        fill: str = "",
    ) -> None:
        """A rectangle; `title` is what a mouse that rests on it reads."""
        dash = ' stroke-dasharray="4 3"' if dashed else ""
        bold = ' stroke-width="2"' if thick else ""
        self._shapes.append(
            f'<rect x="{number(x)}" y="{number(y)}" width="{number(width)}" height="{number(height)}"'
            f' rx="{number(round)}" fill="{fill or tint.fill}" stroke="{tint.edge}"{dash}{bold}>{_title(title)}</rect>'
        )

    def text(
        self,
        x: float,
        y: float,
        text: str,
        *,
        size: float = SIZE,
        colour: str = INK,
        anchor: str = "start",
        bold: bool = False,
        sans: bool = False,
        halo: bool = False,
        title: str = "",
        link: str = "",
    ) -> None:
        """Words, with the foot of the letters at `y`; a halo keeps lines behind them away."""
        weight = ' font-weight="bold"' if bold else ""
        clear = f' paint-order="stroke" stroke="{palette.PAPER}" stroke-width="4"' if halo else ""
        place = f' text-anchor="{anchor}"' if anchor != "start" else ""
        shape = (
            f'<text x="{number(x)}" y="{number(y)}" font-family="{SANS if sans else MONO}" font-size="{number(size)}"'
            f' fill="{colour}"{place}{weight}{clear} xml:space="preserve">{_title(title)}{escape(text)}</text>'
        )
        self._shapes.append(f'<a href="{escape(link)}" target="_blank">{shape}</a>' if link else shape)

    def line(
        self,
        x1: float,
        y1: float,
        x2: float,
        y2: float,
        *,
        colour: str = SOFT,
        dashed: bool = False,
        arrow: bool = False,
        width: float = 1,
    ) -> None:
        """A straight line, from the first point to the second."""
        self.path(
            f"M{number(x1)} {number(y1)} L{number(x2)} {number(y2)}",
            colour=colour,
            dashed=dashed,
            arrow=arrow,
            width=width,
        )

    def path(
        self,
        d: str,
        *,
        colour: str = SOFT,
        dashed: bool = False,
        arrow: bool = False,
        width: float = 1,
        fill: str = "none",
    ) -> None:
        """A line of any shape, in SVG's own words."""
        dash = ' stroke-dasharray="4 3"' if dashed else ""
        head = ' marker-end="url(#arrow)"' if arrow else ""
        self._shapes.append(
            f'<path d="{d}" fill="{fill}" stroke="{colour}" stroke-width="{number(width)}"{dash}{head}/>'
        )

    def svg(self, title: str, description: str) -> str:
        """The whole picture; it says in words what it shows."""
        size = f'width="{number(self.width)}" height="{number(self.height)}"'
        box = f'viewBox="0 0 {number(self.width)} {number(self.height)}"'
        shapes = "\n".join(self._shapes)
        return (
            f'<svg xmlns="http://www.w3.org/2000/svg" role="img" {size} {box}>\n<title>{escape(title)}</title>\n'
            f"<desc>{escape(description)}</desc>\n{ARROWS}\n"
            f'<rect width="100%" height="100%" fill="{palette.PAPER}"/>\n{shapes}\n</svg>'
        )


def _title(text: str) -> str:
    return f"<title>{escape(text)}</title>" if text else ""
