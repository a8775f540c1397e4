"""Ours and the real one, asked the same (Not in QEMU).

The real one is the QEMU that is installed here, or a recording of one where there is none.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from itertools import chain, zip_longest
from typing import Any

from pyqemu_edu.process import Process
from pyqemu_edu.real.binary import PROGRAM, QemuNotInstalled, qemu_binary, qemu_version, words
from pyqemu_edu.real.boot import BARE, BOOTS, boot_left_out, our_boot, real_boot
from pyqemu_edu.real.console import run_console
from pyqemu_edu.real.ours import OurQemu
from pyqemu_edu.real.qemu import QemuExited, RealQemu
from pyqemu_edu.real.questions import answers, ask
from pyqemu_edu.real.recordings import MACHINES, load
from pyqemu_edu.trace.ground_truth import ground_truth_lines
from pyqemu_edu.view.figure import Figure, table

REFUSAL, EVENTS = "the command line", "events of the boot"
SHOWN = 12
"""How many differences are shown before the rest is only counted."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One question, with the lines of both answers."""

    question: str
    ours: tuple[str, ...]
    theirs: tuple[str, ...]

    @property
    def equal(self) -> bool:
        """Whether nobody could tell the two apart."""
        return self.ours == self.theirs

    @property
    def differences(self) -> list[tuple[str, str]]:
        """The lines that differ, ours and theirs side by side; empty where one has nothing to set against the other."""
        matcher = SequenceMatcher(None, self.ours, self.theirs, autojunk=False)
        pieces = [(i, j, k, end) for tag, i, j, k, end in matcher.get_opcodes() if tag != "equal"]
        return list(chain(*(zip_longest(self.ours[i:j], self.theirs[k:end], fillvalue="") for i, j, k, end in pieces)))

    @property
    def verdict(self) -> str:
        """In two words."""
        return "equal" if self.equal else f"{len(self.differences)} different"

    def figure(self, shown: int = SHOWN) -> Figure:
        """The differences side by side, or that there are none."""
        found = self.differences
        note = f"and {len(found) - shown} more" if len(found) > shown else ""
        return table(f"{self.question}: {self.verdict}", ("ours", "the real one's"), found[:shown], note)


@dataclass(frozen=True)
class Comparison:
    """All that was asked; `comparison["info mtree"]` is one of the findings."""

    command: str
    source: str
    findings: tuple[Finding, ...]

    @property
    def equal(self) -> bool:
        """Whether every answer was equal."""
        return all(finding.equal for finding in self.findings)

    def __getitem__(self, question: str) -> Finding:
        for finding in self.findings:
            if finding.question == question:
                return finding
        raise KeyError(question)

    def figure(self) -> Figure:
        """Every question with how many lines were compared and what came of it."""
        rows = [(f.question, len(f.theirs), f.verdict) for f in self.findings]
        return table(f"{PROGRAM} {self.command}", ("question", "lines", "ours"), rows, f"against {self.source}")

    def text(self) -> str:
        """The figure's words, and the differences below it."""
        different = [finding.figure().words for finding in self.findings if not finding.equal]
        return "\n\n".join([self.figure().words, *different])

    def __repr__(self) -> str:
        return self.text()

    def _repr_mimebundle_(self, **options: Any) -> Mapping[str, str]:
        figures = [self.figure(), *(finding.figure() for finding in self.findings if not finding.equal)]
        return {"text/plain": self.text(), "text/html": "\n".join(figure.page for figure in figures)}


def compare_machine(process: Process, options: Sequence[str]) -> Comparison:
    """Compare the machine of a process, which stands still, with a real one of the same `options`."""
    try:
        source, theirs = real_answers(options)
    except QemuExited as refused:
        return comparison(
            options, installed(), {REFUSAL: ["is accepted"]}, {REFUSAL: said(refused.status, refused.stderr)}
        )
    ours = answers(ask(OurQemu(process)))
    for name in boots_of(options):
        ours[EVENTS], theirs[EVENTS] = boot_events(name)
    return comparison(options, source, ours, theirs)


def compare_refusal(options: Sequence[str], status: int, stdout: str, stderr: str) -> Comparison:
    """Compare how a command line ended that does not lead to a machine. Raises QemuNotInstalled."""
    try:
        run = run_console(["-S", "-display", "none", *options], timeout=10)
        theirs = said(run.status, run.stdout + run.stderr)
    except subprocess.TimeoutExpired:
        theirs = ["is accepted"]
    return comparison(options, installed(), {REFUSAL: said(status, stdout + stderr)}, {REFUSAL: theirs})


def comparison(
    options: Sequence[str], source: str, ours: Mapping[str, Sequence[str]], theirs: Mapping[str, Sequence[str]]
) -> Comparison:
    """Put the answers to the same question side by side."""
    findings = (Finding(question, tuple(ours[question]), tuple(theirs[question])) for question in theirs)
    return Comparison(" ".join(options), source, tuple(findings))


def said(status: int, output: str) -> list[str]:
    """How a run ended, in lines."""
    return [f"exit status {status}", *output.splitlines()]


def installed() -> str:
    """The QEMU that is installed, by name."""
    return f"QEMU {qemu_version(qemu_binary())}, installed here"


def real_answers(options: Sequence[str]) -> tuple[str, dict[str, list[str]]]:
    """Whom we asked, and what they answered. Raises QemuExited; QemuNotInstalled if there is no recording either."""
    try:
        source = installed()
    except QemuNotInstalled as missing:
        return recorded_answers(options, missing)
    with RealQemu(options) as real:
        return source, answers(ask(real))


def recorded_answers(options: Sequence[str], missing: QemuNotInstalled) -> tuple[str, dict[str, list[str]]]:
    """What a QEMU answered that was asked before, with these very options."""
    for name, recorded in MACHINES.items():
        if meaning(options) == meaning(words(recorded)):
            recording = load(name)
            return f"a recording of QEMU {recording['version']}: {recording['command']}", answers(recording)
    known = "\n".join(f"  {recorded}" for recorded in MACHINES.values())
    raise QemuNotInstalled(f"{missing}. There are recordings of\n{known}") from missing


def meaning(options: Sequence[str]) -> set[str]:
    """The options that a stopped machine's answers depend on, in no order."""
    each = {option.strip() for option in f" {' '.join(options)}".split(" -")}
    return {option for option in each if option and option != "S" and not option.startswith(("display ", "monitor "))}


def boots_of(options: Sequence[str]) -> Iterator[str]:
    """The recorded boots of this machine, where its other options are those of every recording."""
    for name, machine in BOOTS.items():
        if meaning(options) == meaning(words(f"{machine} {BARE}")):
            yield name


def boot_events(name: str) -> tuple[list[str], list[str]]:
    """The events of our boot and of the real one, without those that we leave out for a reason."""
    left_out = boot_left_out()
    return list(ground_truth_lines(our_boot(BOOTS[name]))), [x for x in real_boot(name) if x not in left_out]
