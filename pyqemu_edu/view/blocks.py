"""Translated blocks: one block in all its forms, and how the blocks are linked (Not in QEMU).

The forms are read from what `-d in_asm,op,op_opt,out_asm` prints, ours or the real QEMU's.
"""

from __future__ import annotations

import re
from collections import Counter
from dataclasses import dataclass, field

from pyqemu_edu.accel.tcg import tb_maint
from pyqemu_edu.accel.tcg.tb import TranslationBlock
from pyqemu_edu.process import Process
from pyqemu_edu.trace.log import Log
from pyqemu_edu.view import palette
from pyqemu_edu.view.figure import Figure
from pyqemu_edu.view.render import graph, node, quote, render
from pyqemu_edu.view.sidebyside import side_by_side

STAGES = {
    "IN": "guest",
    "OP": "operations",
    "OP after optimization and liveness analysis": "optimised",
    "OUT": "code",
}
HEADING = re.compile(rf"^({'|'.join(sorted(STAGES, key=len, reverse=True))}):.*$")


@dataclass(eq=False)
class StagedBlock:
    """One block in the forms that were printed: heading and lines."""

    forms: dict[str, list[str]] = field(default_factory=dict)

    @property
    def pc(self) -> int:
        """Where its first instruction is."""
        found = re.search(r"0x[0-9a-f]+", "\n".join(self.forms.get("guest", [])))
        return int(found[0], 16) if found else 0

    def figure(self) -> Figure:
        """The forms side by side."""
        widths = {"guest": 1.0, "operations": 1.1, "optimised": 1.1, "code": 1.4}
        forms = [(name, short_lines(name, lines)) for name, lines in self.forms.items()]
        title = f"The block at {self.pc:#x}, form by form"
        return side_by_side(title, forms, widths=[widths[name] for name, _ in forms])


def short_lines(form: str, lines: list[str]) -> list[str]:
    """The lines as far as they tell something new: no empty ones, no numbers before the guest's instructions."""
    kept = [line.rstrip() for line in lines if line.strip() and not line.startswith(("Priv:", "----------------"))]
    if form == "guest":
        bare = [re.sub(r"^0x0*([0-9a-f]+):\s+[0-9a-f]+\s+", r"\1: ", line) for line in kept]
        return [re.sub(r"\s{2,}", " ", line) for line in bare]
    if form == "code":
        return kept
    return [re.sub(r"^ ---- 0*([0-9a-f]+) .*", r"-- \1", line).removeprefix(" ") for line in kept]


def staged_blocks(text: str) -> list[StagedBlock]:
    """The blocks of a `-d` log, in the order of translation."""
    blocks: list[StagedBlock] = []
    lines: list[str] | None = None
    for line in text.splitlines():
        heading = HEADING.match(line)
        if heading:
            name = STAGES[heading[1]]
            if not blocks or name in blocks[-1].forms:
                blocks.append(StagedBlock())
            lines = blocks[-1].forms.setdefault(name, [])
        elif lines is not None:
            lines.append(line)
    return blocks


def executions(log: Log | None) -> Counter[int]:
    """How often the main loop entered the block at each pc, by the log's `exec_tb` events."""
    return Counter(int(event["pc"]) for event in log.events("exec_tb")) if log else Counter()


def block_graph(process: Process, log: Log | None = None) -> Figure:
    """The translated blocks and the jumps by which they are linked; `log` adds how often each was entered."""
    blocks = sorted(process.statics_of(tb_maint.Statics).htable.values(), key=lambda tb: tb.pc)
    entries = executions(log)
    lines = [block_node(tb, entries) for tb in blocks]
    links = [(tb, n, dest) for tb in blocks for n, dest in enumerate(tb.jmp_dest) if dest]
    lines += [f"  {quote(hex(tb.pc))} -> {quote(hex(dest.pc))}" for tb, _, dest in links]
    title = f"{len(blocks)} blocks, {len(links)} links"
    told = [block_line(tb, entries) for tb in blocks]
    return Figure(title, "\n".join([title, *told]), svg=render(graph(lines, direction="TB"), title, "; ".join(told)))


def block_node(tb: TranslationBlock, entries: Counter[int]) -> str:
    """A block in the graph: its address, its length, and its instructions."""
    insns = [insn.text for insn in tb.assembly() if insn.text]
    shown = insns if len(insns) <= 6 else [*insns[:5], f"… {len(insns) - 5} more"]
    count = f" ×{entries[tb.pc]:,}" if entries[tb.pc] else ""
    label = "\n".join([f"{tb.pc:#x}: {tb.icount} instructions{count}", *shown])
    return node(hex(tb.pc), label, palette.GREEN if tb.jmp_list else palette.BLUE)


def block_line(tb: TranslationBlock, entries: Counter[int]) -> str:
    """A block in words."""
    ends = ", ".join(f"{dest.pc:#x}" for dest in tb.jmp_dest if dest)
    count = f", entered {entries[tb.pc]:,} times" if entries[tb.pc] else ""
    return f"{tb.pc:#x}: {tb.icount} instructions{count}{f', linked to {ends}' if ends else ''}"
