"""A trace as Mermaid, for pages that draw it themselves (Not in QEMU)."""

from __future__ import annotations

from pyqemu_edu.trace.log import Log
from pyqemu_edu.trace.tree import edges, fold_calls, functions_in


def mermaid(log: Log, root: str = "", depth: int = 99) -> str:
    """Who called whom, as a flow chart; the arrows carry the counts."""
    trees = fold_calls(log, root, depth)
    numbers = {name: f"f{n}" for n, name in enumerate(functions_in(trees))}
    nodes = [f'  {number}["{name}"]' for name, number in numbers.items()]
    arrows = [
        f"  {numbers[caller]} -->{f'|×{count}|' if count > 1 else ''} {numbers[callee]}"
        for (caller, callee), count in edges(trees).items()
    ]
    return "\n".join(["flowchart LR", *nodes, *arrows])


def sequence_as_mermaid(log: Log, start: int = 0, stop: int | None = None) -> str:
    """Calls between modules, as a sequence diagram."""
    lines = ["sequenceDiagram"]
    for record in log[start:stop]:
        if record.kind == "event" or record.parent is None:
            continue
        caller = record.parent if record.kind == "call" else record.parent.parent
        if caller is None:
            continue
        here, there = _module(record.function.module), _module(caller.function.module)
        match record.kind:
            case "call":
                lines.append(f"  {there}->>{here}: {record.name}")
            case "return":
                lines.append(f"  {here}-->>{there}: {record.name} returns")
            case _:
                lines.append(f"  {here}--x{there}: {record.name} raises")
    return "\n".join(lines)


def _module(module: str) -> str:
    return module.partition(".")[2].replace(".", "_") or module
