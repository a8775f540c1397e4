"""Draws every picture in this folder again, from machines that really boot while they are recorded.

python -m diagrams.build

A picture is a source (`.dot`, or `.mmd` where it is a sequence), an `.svg`, and a `.txt` that says the same in words.
Sources and words are the same at every run: where threads take turns by chance, only what one waits for in the other
orders them.  An `.svg` ends with the digest of its source, because Graphviz's versions draw differently.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from diagrams import boot, machine, objects, registration, vcpu
from pyqemu_edu.guests import guest
from pyqemu_edu.view.render import render
from pyqemu_edu.view.sequence import Message, draw_sequence, fold_messages, message_as_text
from pyqemu_edu.vm import Qemu

FOLDER = Path(__file__).parent
OPTIONS = "-machine spike -smp 2 -display none -bios none"


@dataclass(frozen=True, slots=True)
class Diagram:
    """One picture as its files, by the ends of their names."""

    name: str
    files: dict[str, str]

    def save(self) -> None:
        """Write the files."""
        for end, text in self.files.items():
            (FOLDER / f"{self.name}.{end}").write_text(text, encoding="utf-8")


def digest(source: str) -> str:
    """The line with which a picture names the source that it was made from."""
    return f"<!-- made from sha256 {hashlib.sha256(source.encode()).hexdigest()} -->\n"


def graph(name: str, title: str, dot: str, words: str, draw: bool = True) -> Diagram:
    """A picture that Graphviz arranges; without `draw`, its source and words only."""
    dot += "\n"
    files = {"dot": dot, "txt": f"{title}\n\n{words}\n"}
    if draw:
        files["svg"] = f"{render(dot, title, words)}\n{digest(dot)}"
    return Diagram(name, files)


def sequence(name: str, title: str, messages: list[Message]) -> Diagram:
    """Life lines with arrows between them; the numbers of records, which any change moves, are left out."""
    messages = [replace(message, hint="") for message in messages]
    figure = draw_sequence(messages, title, rows=99)
    source = mermaid(messages)
    words = "\n".join(map(message_as_text, fold_messages(messages)))
    return Diagram(name, {"mmd": source, "txt": f"{title}\n\n{words}\n", "svg": f"{figure.svg}\n{digest(source)}"})


def mermaid(messages: list[Message]) -> str:
    """The arrows for tools that draw sequences themselves."""
    ends = dict.fromkeys(end for message in messages for end in (message.source, message.target))
    numbers = {end: f"L{number}" for number, end in enumerate(ends)}
    lines = ["sequenceDiagram", *(f"  participant {number} as {end}" for end, number in numbers.items())]
    for message, count in fold_messages(messages):
        arrow = "-->>" if message.dashed else "->>"
        times = f" ×{count:,}" if count > 1 else ""
        lines.append(f"  {numbers[message.source]}{arrow}{numbers[message.target]}: {message.words}{times}")
    return "\n".join(lines) + "\n"


def boot_and_run() -> Qemu:
    """A machine that was recorded from its command line until its guest had ended."""
    return Qemu(f"{OPTIONS} -kernel {guest('hello')}").run(record=True)


def build(draw: bool = True) -> list[Diagram]:
    """All pictures; without `draw`, no SVG that needs Graphviz."""
    vm, fresh = boot_and_run(), Qemu(OPTIONS, stop_before="qemu_disable_default_devices")
    graphs: list[tuple[str, str, Callable[[Qemu], tuple[str, str]], Qemu]] = [
        ("boot", "From a command line to a running vCPU", boot.picture, vm),
        ("machine", "How a machine comes to be", machine.picture, fresh),
        ("objects", "What exists after the machine object", objects.picture, fresh),
    ]
    return [
        *(graph(name, title, *picture(source), draw=draw) for name, title, picture, source in graphs),
        sequence("registration", "How types are registered", registration.messages(vm.trace)),
        sequence("vcpu", "How two vCPUs are born", vcpu.messages(vm.trace)),
    ]


if __name__ == "__main__":
    for diagram in build():
        diagram.save()
        print(f"{diagram.name}: {', '.join(diagram.files)}")
