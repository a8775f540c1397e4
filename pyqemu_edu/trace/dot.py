"""A trace's call graph as DOT, for other tools to draw (Not in QEMU)."""

from __future__ import annotations

from pyqemu_edu.trace.log import Log
from pyqemu_edu.trace.tree import edges, fold_calls, functions_in


def call_graph_as_dot(log: Log, root: str = "", depth: int = 99) -> str:
    """Who called whom; an arrow is labelled with the number of calls, a node tells its place here and in QEMU."""
    trees = fold_calls(log, root, depth)
    nodes = [
        f'  "{name}" [tooltip="{f.place} (QEMU {f.qemu_file})", URL="{f.qemu_link}"]'
        for name, f in functions_in(trees).items()
    ]
    arrows = [f'  "{caller}" -> "{callee}" [label="×{count}"]' for (caller, callee), count in edges(trees).items()]
    return "\n".join(["digraph calls {", "  rankdir=LR", "  node [shape=box]", *nodes, *arrows, "}"])
