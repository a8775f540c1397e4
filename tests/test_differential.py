"""Random programs: that they are what they should be, and that every reading agrees with the real QEMU about them."""

from dataclasses import replace
from pathlib import Path

import pytest

from pyqemu_edu.real.binary import QemuNotInstalled, qemu_binary
from pyqemu_edu.real.differential import (
    OURS,
    Difference,
    Program,
    State,
    Undecided,
    compare,
    disassembly,
    model,
    real,
)
from pyqemu_edu.real.fuzz import main as fuzz
from pyqemu_edu.real.fuzz import recorded_programs
from pyqemu_edu.real.random_program import INSTRUCTIONS, random_program, word

DATA = Path(__file__).parent / "data/real"
INSTRUCTION_PROGRAMS = list(recorded_programs(DATA / "programs.json"))
RECORDED = [
    *INSTRUCTION_PROGRAMS,
    *recorded_programs(DATA / "paging_programs.json"),
    *recorded_programs(DATA / "device_programs.json"),
]
EACH = pytest.mark.parametrize(
    ("program", "state"), RECORDED, ids=[f"{type(program).__name__}-{program.seed}" for program, _ in RECORDED]
)


@pytest.fixture
def installed() -> None:
    try:
        qemu_binary()
    except QemuNotInstalled as reason:
        pytest.skip(str(reason))


def test_the_same_seed_gives_the_same_program() -> None:
    assert random_program(7) == random_program(7)
    assert random_program(7).chunks != random_program(8).chunks


def test_the_recorded_programs_use_nearly_every_instruction() -> None:
    """What remains would end the hart's life in a random program: returns, sleep, forgetting translations."""
    used = {
        line.split()[1]
        for program, _ in INSTRUCTION_PROGRAMS
        for chunk in program.chunks
        for line in disassembly(chunk)
    }
    assert set(INSTRUCTIONS) - used <= {"mret", "wfi", "c.ebreak", "ecall", "ebreak", "sfence.vma"}


def test_a_cut_program_is_a_beginning_of_the_whole() -> None:
    program = random_program(3)
    assert program.cut(5).chunks == program.chunks[:5]
    assert program.cut(5).seed == program.seed


def test_the_first_difference_is_found_and_shown() -> None:
    """A reading that takes `mul` for `mulh`, as a stand-in for a mistake."""
    program = Program(0, (word("addi", rd=5, rs1=0, imm=6), word("mul", rd=6, rs1=5, rs2=5), word("addi", rd=7)))

    def right(program: Program) -> State:
        return dict.fromkeys(program.names, 0) | {"x6": 36 if len(program.chunks) > 1 else 0}

    difference = compare(program, right, lambda program: right(program) | {"x6": 0})
    assert difference is not None
    assert str(difference).splitlines() == [
        "seed 0, after chunk 2:",
        "  02528333  mul R(rd=6, rs1=5, rs2=5)",
        "           expected          seen",
        "x6         0000000000000024  0000000000000000",
    ]


def test_readings_that_agree_have_no_difference() -> None:
    assert compare(random_program(1), lambda program: {}, lambda program: {}) is None


def test_a_program_that_does_not_end_properly_is_told_from_a_wrong_one(installed: None) -> None:
    exit_with_3 = word("lui", rd=5, imm=0x1000000) + word("addi", rd=6, rs1=0, imm=7) + word("sd", rs1=5, rs2=6, imm=8)
    with pytest.raises(Undecided, match="status 3"):
        real(Program(0, (exit_with_3,)))


@EACH
def test_the_real_qemu_still_gives_what_was_recorded(installed: None, program: Program, state: State) -> None:
    assert real(program) == state


@pytest.mark.parametrize(
    ("accel", "program", "state"),
    [
        pytest.param(accel, program, state, id=f"{type(program).__name__}-{program.seed}-{number}")
        for number, accel in enumerate(OURS)
        for program, state in RECORDED[:: 4 if accel == "tcg" else 1]
    ],
)
def test_our_readings_give_what_the_real_qemu_gave(accel: str, program: Program, state: State) -> None:
    seen = model(accel)(program)
    assert seen == state, Difference(program, state, seen)


def test_the_command_line_records_what_it_would_compare(installed: None, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    asked = ["--kind", "instructions", "--seed", "5", "--count", "2", "--length", "10", "--record", str(file)]
    assert fuzz(asked) == 0
    assert [program for program, _ in recorded_programs(file)] == [random_program(5, 10), random_program(6, 10)]
    assert replace(random_program(5, 10), seed=6) != random_program(6, 10)
