"""Instructions in a row, and which of them waits for which (Not in QEMU).

Which registers an instruction reads and writes is what reading its meaning on nothing tells (insn/effects.py).
"""

from __future__ import annotations

from dataclasses import dataclass

from pyqemu_edu.disas.riscv import disasm_inst
from pyqemu_edu.disas.riscv_names import register_name
from pyqemu_edu.target.riscv.insn.decode import decode, insn_len
from pyqemu_edu.target.riscv.insn.effects import effects
from pyqemu_edu.view import palette
from pyqemu_edu.view.figure import Figure
from pyqemu_edu.view.render import attributes, graph, node, quote, render


@dataclass(frozen=True, slots=True)
class Step:
    """An instruction of the row: `waits` names, for each register that it reads, the step that wrote it."""

    text: str
    waits: dict[str, int]
    round: int


def dependencies(code: bytes, pc: int = 0x8000_0000) -> Figure:
    """The drawing; instructions of one round could run at the same time."""
    steps = steps_of(code, pc)
    rounds = max((step.round for step in steps), default=0)
    title = f"{len(steps)} instructions, {rounds} rounds"
    lines = [node(str(n), step.text, palette.tint(step.round)) for n, step in enumerate(steps)]
    for n, step in enumerate(steps):
        for register, writer in step.waits.items():
            lines.append(f"  {quote(str(writer))} -> {quote(str(n))} [{attributes(label=register)}]")
    told = [step_line(n, step) for n, step in enumerate(steps)]
    return Figure(title, "\n".join([title, *told]), svg=render(graph(lines, direction="TB"), title, "; ".join(told)))


def steps_of(code: bytes, pc: int) -> list[Step]:
    """The instructions in `code`; only registers count here, not memory. Raises ValueError for what is none."""
    steps: list[Step] = []
    writers: dict[int, int] = {}
    at = 0
    while at < len(code):
        length = insn_len(code[at])
        word = int.from_bytes(code[at : at + length], "little")
        decoded = decode(word)
        if decoded is None:
            raise ValueError(f"{word:#x} is no instruction")
        touched = effects(decoded[0].meaning, decoded[1])
        waits = {register_name(reg): writers[reg] for reg in sorted(touched.reads) if reg in writers}
        round_ = 1 + max((steps[writer].round for writer in waits.values()), default=0)
        writers |= dict.fromkeys(touched.writes, len(steps))
        steps.append(Step(" ".join(disasm_inst(pc + at, word).split("#")[0].split()), waits, round_))
        at += length
    return steps


def step_line(number: int, step: Step) -> str:
    """A step in words."""
    waits = ", ".join(f"{register} from {writer}" for register, writer in step.waits.items())
    return f"{number}: {step.text} (round {step.round}{f'; {waits}' if waits else ''})"
