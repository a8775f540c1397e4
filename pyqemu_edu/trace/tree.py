"""The tree of calls, with repetitions folded: a loop over 591 types is one node that says ×591 (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from pyqemu_edu.trace.functions import Function
from pyqemu_edu.trace.log import CALL, NOWHERE, Log, Record


@dataclass(eq=False)
class CallNode:
    """All calls of one function from one place in the tree; `first` is the earliest."""

    function: Function
    first: Record
    count: int = 0
    children: dict[str, CallNode] = field(default_factory=dict)
    hidden: int = 0
    """How many functions were called below the greatest depth asked for."""

    @property
    def label(self) -> str:
        """The function's name, and how often it was called here."""
        return self.function.name + (f" ×{self.count:,}" if self.count > 1 else "")

    def walk(self, depth: int = 0) -> Iterator[tuple[int, CallNode]]:
        """This node and those below it, in the order of their first calls, with their depth."""
        yield depth, self
        for child in self.children.values():
            yield from child.walk(depth + 1)


def fold_calls(log: Log, root: str = "", depth: int = 99, least: int = 1) -> list[CallNode]:
    """The trees of calls below every call of `root`, or below all outermost calls, folded into one per function.

    Nodes deeper than `depth` are counted, not kept; `least` leaves out what was called less often than that.
    """
    tops: dict[str, CallNode] = {}
    nodes: dict[int, CallNode] = {}
    levels: dict[int, int] = {}
    for index, kind in enumerate(log.kind):
        if kind != CALL:
            continue
        parent = log.parent[index]
        above = nodes.get(parent)
        if above is None and (log.functions[log.what[index]].name != root if root else parent != NOWHERE):
            continue
        level = levels[parent] + 1 if above else 0
        if level > depth:
            if above:
                above.hidden += 1
            continue
        siblings = above.children if above else tops
        function = log.functions[log.what[index]]
        node = siblings.get(function.name)
        if node is None:
            node = siblings[function.name] = CallNode(function, log[index])
        node.count += 1
        nodes[index], levels[index] = node, level
    return [prune(node, least) for node in tops.values()]


def prune(node: CallNode, least: int) -> CallNode:
    """The tree without nodes that were called less than `least` times."""
    if least > 1:
        node.children = {name: prune(c, least) for name, c in node.children.items() if c.count >= least}
    return node


def edges(trees: list[CallNode]) -> dict[tuple[str, str], int]:
    """Who called whom how often, over all places in the trees."""
    found: dict[tuple[str, str], int] = {}
    for tree in trees:
        for _, node in tree.walk():
            for child in node.children.values():
                pair = (node.function.name, child.function.name)
                found[pair] = found.get(pair, 0) + child.count
    return found


def functions_in(trees: list[CallNode]) -> dict[str, Function]:
    """The functions that occur in the trees, in the order of their first calls."""
    return {node.function.name: node.function for tree in trees for _, node in tree.walk()}
