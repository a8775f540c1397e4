"""Who called whom: as a tree in the order of the calls, and as a graph with one node a function (Not in QEMU)."""

from __future__ import annotations

from pyqemu_edu.trace.functions import Function
from pyqemu_edu.trace.log import Log
from pyqemu_edu.trace.text import tree_as_text
from pyqemu_edu.trace.tree import CallNode, edges, fold_calls, functions_in
from pyqemu_edu.view import palette
from pyqemu_edu.view.figure import Figure
from pyqemu_edu.view.outline import Row, draw_outline
from pyqemu_edu.view.render import attributes, graph, node, quote, render


def call_tree(log: Log, root: str = "", depth: int = 3, least: int = 1, rows: int = 60) -> Figure:
    """The calls below `root` to a depth, in the order of their first occurrence; repeated calls are folded."""
    trees = fold_calls(log, root, depth, least)
    files = files_of(functions_in(trees))
    lines = [call_row(level, call, files) for tree in trees for level, call in tree.walk()]
    title = f"Calls of {root}" if root else "Calls"
    drawing = draw_outline(lines, ("function, in the order of the first call", "place in QEMU"), most=rows)
    svg = drawing.svg(title, f"A tree of {len(lines)} functions: {', '.join(row.label for row in lines[:8])}")
    return Figure(title, tree_as_text(log, root, depth), svg=svg, page=svg)


def call_row(level: int, call: CallNode, files: dict[str, palette.Tint]) -> Row:
    """A node of the tree, coloured by QEMU file."""
    f = call.function
    return Row(
        level,
        call.label,
        files[f.qemu_file],
        beside=f"+{call.hidden:,} calls" if call.hidden else "",
        note=f.qemu_file,
        hint=f"{f.place}, QEMU {f.qemu_file}, first at record {call.first.index}",
        link=f.qemu_link,
        bold=call.count > 1,
    )


def files_of(functions: dict[str, Function]) -> dict[str, palette.Tint]:
    """A colour for every QEMU file, in the order of appearance."""
    names = dict.fromkeys(f.qemu_file for f in functions.values())
    return {name: palette.tint(number) for number, name in enumerate(names)}


def call_graph(log: Log, root: str = "", depth: int = 4, least: int = 1) -> Figure:
    """One node a function and one arrow a pair of caller and callee, below `root` to a depth."""
    trees = fold_calls(log, root, depth, least)
    functions = functions_in(trees)
    counts = dict.fromkeys(functions, 0)
    pairs = edges(trees)
    for (_, callee), count in pairs.items():
        counts[callee] += count
    files = files_of(functions)
    lines = []
    for name, f in functions.items():
        place = f.qemu_file.rpartition("/")[2]
        label = f"{name}\n{place}" + (f" ×{counts[name]:,}" if counts[name] > 1 else "")
        lines.append(
            node(
                name,
                label,
                files[f.qemu_file],
                tooltip=f"{f.place}, QEMU {f.qemu_file}",
                URL=f.qemu_link,
                target="_blank",
            )
        )
    lines += [f"  {quote(a)} -> {quote(b)} [{attributes(penwidth=thickness(n))}]" for (a, b), n in pairs.items()]
    title = f"Call graph of {root}" if root else "Call graph"
    words = "\n".join([title, *(f"{a} -> {b}" + (f" ×{n:,}" if n > 1 else "") for (a, b), n in pairs.items())])
    description = f"{len(functions)} functions, coloured by QEMU file: {', '.join(files)}"
    svg = render(graph(lines, name="calls"), title, description)
    return Figure(title, words, svg=svg, page=svg)


def thickness(count: int) -> float:
    """How thick an arrow is that stands for this many calls."""
    return min(1 + len(str(count)) * 0.5, 3) if count > 1 else 1
