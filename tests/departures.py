"""Where QEMU 7.2 departs from the RISC-V manuals, and we with it: writes docs/departures.md (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from privileged_departure_questions import DEPARTURES, Departure
from test_privileged import recorded_answers

PAGE = Path(__file__).resolve().parent.parent / "docs" / "departures.md"
HEAD = """\
# Where QEMU is not what the manual says

Written by `make docs` from `tests/privileged_departure_questions.py`. Another simulator of RISC-V answers these
questions otherwise; ours answers as QEMU 7.2 does, which the tests ask of both. The sections are those of the
unprivileged manual of 2019-12-13 and the privileged one of 2021-12-03; the hart is `rv64,h=false` of `-machine spike`.
What a manual leaves open is no departure: that QEMU sets A and D by itself, allows misaligned loads and stores, and
refuses `wfi` in user mode; that `misa` cannot be written; that spike's harts trap when they read `time`.

| QEMU 7.2 | in | asked | the manual has | QEMU has | see |
|---|---|---|--:|--:|---|
"""


def row(departure: Departure, answer: tuple[int, ...]) -> str:
    """One line of the table."""
    part, section = departure.part, departure.section
    values = f"{departure.manual:#x} | {departure.shown_by(answer):#x}"
    return f"| {departure.what} | `{departure.function}` | {departure.question.name}: {part} | {values} | {section} |"


def rows() -> Iterator[str]:
    """The table, with what the real QEMU has answered."""
    return map(row, DEPARTURES, recorded_answers("departures"))


def page() -> str:
    """The whole of docs/departures.md."""
    return HEAD + "\n".join(rows()) + "\n"


if __name__ == "__main__":
    PAGE.write_text(page(), encoding="utf-8")
