"""How far our answers are the real QEMU's: writes docs/fidelity.md (Not in QEMU).

    make fidelity

needs a QEMU of the reference version.  Every question that the tests ask is put to both once more and counted; the
questions themselves stand beside this file.
"""

from __future__ import annotations

import json
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import chdir
from dataclasses import dataclass, field
from pathlib import Path

import asked_of_both as both
import test_command_lines as command_lines
import test_grammar as grammar
import test_monitor_commands as commands
import test_monitor_hmp as hmp
import test_monitor_qmp as qmp
import test_zoo as zoo
from pyqemu_edu import Qemu
from pyqemu_edu.lab.reference import type_init_sequence
from pyqemu_edu.real import qemu_binary
from pyqemu_edu.real.binary import qemu_version
from pyqemu_edu.real.boot import BARE, BOOTS, boot_left_out
from pyqemu_edu.real.comparison import Finding, boot_events
from pyqemu_edu.real.recordings import MACHINES

PAGE = Path(__file__).resolve().parent.parent / "docs" / "fidelity.md"
HEAD = """\
# Asked the same, do we answer the same?

Written by `make fidelity`, which asks `qemu-system-riscv64` {version} and ours and counts; no number here is typed by
hand. `pyqemu-edu compare -- OPTIONS` does it for a machine of your own.
"""


@dataclass
class Section:
    """One kind of question: a row for each, and below them what differed."""

    title: str
    about: str
    unit: str
    findings: list[Finding] = field(default_factory=list)

    def add(self, question: str, ours: Iterable[str], theirs: Iterable[str]) -> None:
        """One more question, with the parts of both answers."""
        self.findings.append(Finding(question, tuple(ours), tuple(theirs)))

    def lines(self) -> Iterator[str]:
        """The section as Markdown."""
        yield from (f"## {self.title}", "", self.about, "")
        yield from (f"| asked | {self.unit} | equal | different |", "|---|--:|--:|--:|")
        for finding in self.findings:
            asked, different = len(finding.theirs), len(finding.differences)
            yield f"| {finding.question} | {asked:,} | {asked - different:,} | {different:,} |"
        yield ""
        for finding in self.findings:
            for ours, theirs in finding.differences:
                yield f"- {finding.question}: ours `{shortened(ours)}`, the real one's `{shortened(theirs)}`"
        yield ""


def shortened(line: str) -> str:
    """A line that a list can hold."""
    text = " ".join(line.split()).replace("`", "'")
    return text if len(text) <= 160 else text[:159] + "…"


def events() -> Section:
    """The boot."""
    about = f"What gdb saw of the boot with `{BARE}`: registrations, types, classes, instances, calls of 90 functions."
    left_out = "".join(f"\n\nLeft out: `{line}`, {reason}." for line, reason in boot_left_out().items())
    section = Section("The same events in the same order", about + left_out, "events")
    for name, options in BOOTS.items():
        section.add(f"`{options}`", *boot_events(name))
    section.add('`object_class_get_list("machine")`', zoo.initialised(), type_init_sequence())
    return section


def trees() -> Section:
    """What the machine is made of."""
    bare = next(iter(MACHINES.values())).partition(" -bios ")[2]
    section = Section("The same tree", f"Machines before their first instruction, with `-bios {bare}`.", "lines")
    for options in MACHINES.values():
        machine = options.partition(" -bios ")[0]
        for found in Qemu(f"{options} -display none", record=False).compare().findings:
            section.add(f"`{machine}`: {found.question}", found.ours, found.theirs)
    return section


def words() -> Section:
    """Command lines."""
    about = "Exit status, standard output and standard error of a command line are one answer."
    section = Section("The same words", about, "command lines")
    recorded = [(command_lines.words(each["args"]), each) for each in command_lines.RECORDED]
    section.add("recorded with the ground truth", *recorded_answers(recorded))
    kept = [(each["args"], each) for each in json.loads(grammar.RECORDED.read_text())]
    section.add("drawn from the grammar of options", *recorded_answers(kept))
    section.add("ending with a message, asked now", *asked_now(command_lines.ASKED.strip().splitlines()))
    return section


def recorded_answers(recorded: Iterable[tuple[Sequence[str], dict[str, object]]]) -> tuple[list[str], list[str]]:
    """Ours and those that were kept, a text for each line."""
    ours, theirs = [], []
    for args, kept in recorded:
        ours.append(answer_text(args, both.Run([*command_lines.QUIET, *args]).answer))
        stdout = both.without_module(str(kept["stdout"]))
        theirs.append(answer_text(args, both.Answer(str(kept["stderr"]), stdout, kept["rc"])))
    return ours, theirs


def asked_now(lines: Iterable[str]) -> tuple[list[str], list[str]]:
    """Ours and those of the QEMU that is installed, a text for each line."""
    ours, theirs = [], []
    with tempfile.TemporaryDirectory() as folder:
        for line in lines:
            args = [*command_lines.QUIET, *command_lines.words(line)]
            ours.append(answer_text(args, both.Run(args).answer))
            theirs.append(answer_text(args, both.ask_real(qemu_binary(), args, Path(folder))))
    return ours, theirs


def answer_text(args: Sequence[str], answer: both.Answer) -> str:
    """One answer as one text."""
    return f"{' '.join(args)}: status {answer.rc} {answer.stdout} {answer.stderr}"


def protocol() -> Section:
    """The monitors."""
    section = Section("The same protocol", "Monitors on a pipe and on a socket, byte for byte.", "answers")
    for name, lines in hmp.TRANSCRIPTS.items():
        typed = [hmp.typed(program, hmp.OPTIONS, [*lines, "quit"]) for program in programs(hmp.OURS)]
        section.add(f"HMP, typed: {name}", *(text.split("(qemu) ") for text in typed))
    for harts in (1, 2, 4):
        options = f"{qmp.BARE} -smp {harts} -name me"
        section.add(f"QMP: `-machine spike -smp {harts}`", *talks(qmp.conversation, qmp.OURS, options, qmp.REQUESTS))
    for machine in ("spike", "virt"):
        options = f"-machine {machine} {commands.BARE}"
        for name, asked in questions_of_every_kind().items():
            said = talks(commands.conversation, commands.OURS, options, asked)
            section.add(f"{name}: `-machine {machine}`", *said)
    return section


def questions_of_every_kind() -> dict[str, list[dict[str, object]]]:
    """Requests made from the schema, and lines for people."""
    return {"every QMP command": list(commands.requests(commands.WRONG)), "HMP by QMP": list(commands.typed_lines())}


def programs(ours: list[str]) -> list[list[str]]:
    """Both."""
    return [ours, [qemu_binary()]]


def talks(conversation, ours: list[str], options: str, *asked) -> list[list[str]]:
    """The same conversation with both."""
    with tempfile.TemporaryDirectory() as folder:
        return [conversation(program, options, Path(folder) / "qmp", *asked) for program in programs(ours)]


def page(sections: Iterable[Section]) -> str:
    """The whole of docs/fidelity.md."""
    done = list(sections)
    findings = [finding for section in done for finding in section.findings]
    asked, different = sum(len(f.theirs) for f in findings), sum(len(f.differences) for f in findings)
    total = f"{len(findings)} questions with {asked:,} answers: {asked - different:,} equal, {different:,} different."
    lines = [HEAD.format(version=qemu_version(qemu_binary())), total, ""]
    return "\n".join([*lines, *(line for section in done for line in section.lines())]).rstrip() + "\n"


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder, chdir(folder):  # some of the command lines write a file
        text = page([events(), trees(), words(), protocol()])
    PAGE.write_text(text, encoding="utf-8")
