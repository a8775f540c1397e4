"""Modes, traps, memory protection and page tables: harts answer a thousand questions as the real QEMU does.

`python tests/test_privileged.py` asks the real QEMU again and records its answers.
"""

from __future__ import annotations

import gzip
import json
import struct
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from privileged_debug_questions import (
    COUNTER_QUESTIONS,
    LOCKDOWN_QUESTIONS,
    TIMER_QUESTIONS,
    TOGETHER_QUESTIONS,
    TRIGGER_QUESTIONS,
)
from privileged_departure_questions import DEPARTURE_QUESTIONS
from privileged_mode_questions import (
    DELEGATION_QUESTIONS,
    INTERRUPT_QUESTIONS,
    LOCKED_QUESTIONS,
    MODE_QUESTIONS,
    PMP_QUESTIONS,
    RETURN_QUESTIONS,
)
from privileged_page_questions import LEAF_QUESTIONS, RIGHTS_QUESTIONS, TABLE_QUESTIONS
from privileged_program import ANSWER, Question, program
from pyqemu_edu.real.binary import QemuNotInstalled, qemu_binary
from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.vm import Qemu

OPTIONS = "-nographic -monitor none -serial stdio -bios none -kernel"
RECORDED = Path(__file__).parent / "data" / "real" / "privileged.json.gz"
BUDGET = 2_000_000

CPUS = {
    "counters": ",sscofpmf=true",
    "lockdown": ",x-epmp=true",
}
"""What of the hart a topic needs."""

QUESTIONS = {
    "modes": MODE_QUESTIONS,
    "returns": RETURN_QUESTIONS,
    "delegation": DELEGATION_QUESTIONS,
    "interrupts": INTERRUPT_QUESTIONS,
    "protection": PMP_QUESTIONS,
    "locked protection": LOCKED_QUESTIONS,
    "leaves": LEAF_QUESTIONS,
    "tables": TABLE_QUESTIONS,
    "rights": RIGHTS_QUESTIONS,
    "triggers": TRIGGER_QUESTIONS,
    "supervisor timers": TIMER_QUESTIONS,
    "counters": COUNTER_QUESTIONS,
    "lockdown": LOCKDOWN_QUESTIONS,
    "interrupts together": TOGETHER_QUESTIONS,
    "departures": DEPARTURE_QUESTIONS,
}

Answers = list[tuple[int, ...]]


def board(topic: str) -> str:
    return "virt" if topic == "supervisor timers" else "spike"  # spike's harts cannot read the time


def options(topic: str) -> str:
    return f"-machine {board(topic)} -cpu rv64,h=false{CPUS.get(topic, '')} {OPTIONS}"


@cache
def image(topic: str) -> bytes:
    return assemble(program(QUESTIONS[topic], board(topic))).elf()


def written(topic: str, folder: Path) -> Path:
    elf = folder / "questions.elf"
    elf.write_bytes(image(topic))
    return elf


def answers(printed: bytes) -> Answers:
    return list(struct.iter_unpack(f"<{len(ANSWER)}Q", printed))


def real_answers(topic: str, folder: Path) -> Answers:
    command = [qemu_binary(), *options(topic).split(), str(written(topic, folder))]
    return answers(subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True).stdout)


def our_answers(topic: str, folder: Path, accel: str) -> Answers:
    command = f"-accel {accel} {options(topic)} {written(topic, folder)}"
    vm = Qemu(command, record=False, types="modelled").run(budget=BUDGET)
    vm.close()
    assert vm.exit_status == 0
    return answers(vm.output)


def recorded_answers(topic: str) -> Answers:
    recorded = json.loads(gzip.decompress(RECORDED.read_bytes()))[topic]
    return [tuple(int(word, 16) for word in answer) for answer in recorded]


def differences(questions: list[Question], expected: Answers, seen: Answers) -> list[str]:
    assert len(questions) == len(expected) == len(seen)
    return [
        f"{question.name}: {name} is {ours:#x}, not {theirs:#x}"
        for question, row, other in zip(questions, expected, seen, strict=True)
        for name, theirs, ours in zip(ANSWER, row, other, strict=True)
        if theirs != ours
    ]


@pytest.mark.parametrize("accel", ["interp", "tcg"])
@pytest.mark.parametrize("topic", QUESTIONS)
def test_a_hart_answers_as_a_real_one(topic: str, accel: str, tmp_path: Path) -> None:
    seen = our_answers(topic, tmp_path, accel)
    assert differences(QUESTIONS[topic], recorded_answers(topic), seen) == []


@pytest.mark.parametrize("topic", QUESTIONS)
def test_the_recorded_answers_are_those_of_the_real_qemu(topic: str, tmp_path: Path) -> None:
    try:
        real = real_answers(topic, tmp_path)
    except QemuNotInstalled as missing:
        pytest.skip(str(missing))
    assert differences(QUESTIONS[topic], real, recorded_answers(topic)) == []


def main(folder: Path) -> None:
    recorded = {topic: real_answers(topic, folder) for topic in QUESTIONS}
    rows = {topic: [[f"{word:x}" for word in answer] for answer in found] for topic, found in recorded.items()}
    RECORDED.write_bytes(gzip.compress(json.dumps(rows).encode(), mtime=0))


if __name__ == "__main__":
    main(Path(sys.argv[1]))
