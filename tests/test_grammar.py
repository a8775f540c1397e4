"""Hundreds of command lines that nobody wrote, put to both: the same status, the same words.

The lines come from `grammar.py`.  Answers of the reference to some of them are kept in `data/grammar.json`, so that
ours are checked where there is no reference; the others are asked of both.  For more of them:

    GRAMMAR_EXAMPLES=2000 python -m pytest -q tests/test_grammar.py -k live

A difference is shrunk to the smallest line that shows it, and both answers are printed.  `python tests/test_grammar.py`
asks the reference anew and keeps its answers.
"""

from __future__ import annotations

import json
import os
import tempfile
from dataclasses import asdict
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings

from asked_of_both import Answer, Run, ask_real
from grammar import command_lines

RECORDED = Path(__file__).parent / "data" / "grammar.json"
QUIET = "-display none -nodefaults -monitor none -serial none -S".split()
EXAMPLES = int(os.environ.get("GRAMMAR_EXAMPLES", "40"))
PER_TEST = 50
LONG = 5000
"""Characters of help that are too many to keep."""


def recordings() -> list[list[dict]]:
    """The kept answers, some to a test."""
    kept = json.loads(RECORDED.read_text()) if RECORDED.exists() else []
    return [kept[at : at + PER_TEST] for at in range(0, len(kept), PER_TEST)]


@pytest.mark.parametrize("several", recordings(), ids=lambda several: " ".join(several[0]["args"]))
def test_the_reference_said_the_same_to_lines_of_the_grammar(several, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for recorded in several:
        reference = Answer(recorded["stderr"], recorded["stdout"], recorded["rc"])
        assert (recorded["args"], Run([*QUIET, *recorded["args"]]).answer) == (recorded["args"], reference)


@settings(
    max_examples=EXAMPLES,
    derandomize=True,
    deadline=None,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(args=command_lines())
def test_the_live_reference_says_the_same_to_any_line_of_the_grammar(args, real_qemu, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    line = [*QUIET, *args]
    assert Run(line).answer == ask_real(real_qemu, line, tmp_path)


def record(real_qemu: str, count: int) -> None:
    """Ask the reference, and keep what it says."""
    lines: list[list[str]] = []

    @settings(max_examples=count, derandomize=True, deadline=None, database=None)
    @given(args=command_lines())
    def gather(args):
        if args not in lines:
            lines.append(args)

    gather()
    with tempfile.TemporaryDirectory() as folder:
        answers = [(args, ask_real(real_qemu, [*QUIET, *args], Path(folder))) for args in lines]
    kept = [json.dumps({"args": args, **asdict(answer)}) for args, answer in answers if len(answer.stdout) < LONG]
    RECORDED.write_text("[\n" + ",\n".join(kept) + "\n]\n")


if __name__ == "__main__":
    record("qemu-system-riscv64", 300)
