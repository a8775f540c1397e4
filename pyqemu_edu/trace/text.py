"""A trace as plain text (Not in QEMU)."""

from __future__ import annotations

from pyqemu_edu.trace.log import Log
from pyqemu_edu.trace.tree import fold_calls


def records_as_text(log: Log, start: int = 0, stop: int | None = None) -> str:
    """One line for each record: number, thread, and what happened, indented by depth."""
    lines = (f"{r.index:>7} T{r.thread} {'  ' * r.depth}{r}" for r in log[start:stop])
    return "\n".join(lines)


def tree_as_text(log: Log, root: str = "", depth: int = 99) -> str:
    """The folded tree of calls, indented."""
    lines = []
    for tree in fold_calls(log, root, depth):
        for level, node in tree.walk():
            lines.append("  " * level + node.label + (" …" if node.hidden else ""))
    return "\n".join(lines)
