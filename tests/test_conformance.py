"""Suites of test programs: how each ends is known on either machine, and what differs is shown."""

from pathlib import Path

import pytest

from pyqemu_edu.real.conformance import RUNS_ON, Row, Verdict, main, ours, programs, real
from pyqemu_edu.target.riscv.asm import assemble

SAY = """
        .globl  _start, tohost, fromhost
_start: csrr    t0, mhartid
park:   bnez    t0, park
        la      t1, tohost
        li      t0, {word}
        sd      t0, (t1)
        j       .
        .data
        .align  12
tohost: .dword 0
        .align 6
fromhost: .dword 0
"""
GUESTS = {
    "a-good-one": (SAY.format(word=1), "passes"),
    "a-bad-one": (SAY.format(word=5 << 1 | 1), "fails 5"),
    "a-slow-one": ("_start: j _start", RUNS_ON),
}
SECONDS = 1.0


@pytest.fixture
def suite(tmp_path: Path) -> Path:
    """A folder as a test suite's build leaves it: programs and their listings."""
    folder = tmp_path / "a suite"
    folder.mkdir()
    for name, (source, _) in GUESTS.items():
        (folder / name).write_bytes(assemble(source).elf())
        (folder / f"{name}.dump").write_text(source)
    return folder


def test_a_suite_is_its_programs(suite: Path) -> None:
    assert [program.name for program in programs(suite)] == ["a-bad-one", "a-good-one", "a-slow-one"]


@pytest.mark.parametrize("board", ["spike", "virt"])
@pytest.mark.parametrize("name", GUESTS)
def test_ours_says_how_a_program_ends(suite: Path, name: str, board: str) -> None:
    assert ours("tcg")(f"-machine {board} -smp 2", suite / name, SECONDS) == Verdict(GUESTS[name][1])


@pytest.mark.parametrize("board", ["spike", "virt"])
@pytest.mark.parametrize("name", GUESTS)
def test_the_reference_says_how_a_program_ends(suite: Path, name: str, board: str, real_qemu: str) -> None:
    assert real(f"-machine {board} -smp 2", suite / name, SECONDS) == Verdict(GUESTS[name][1])


def test_what_a_program_prints_is_kept(tmp_path: Path, real_qemu: str) -> None:
    program = tmp_path / "a-talker"
    letter = "li t0, 0x010100000000004b\nsd t0, (t1)\nwait: ld t0, (t1)\nbnez t0, wait\nli t0, 1"
    program.write_bytes(assemble(SAY.replace("li      t0, {word}", letter)).elf())
    assert ours("interp")("-machine spike", program, SECONDS) == Verdict("passes", "K")
    assert real("-machine spike", program, SECONDS) == Verdict("passes", "K")
    unheard = Verdict("asks its host 0x10100000000004b")
    assert ours("interp")("-machine virt", program, SECONDS) == unheard
    assert real("-machine virt", program, SECONDS) == unheard


def test_options_that_are_refused_are_a_verdict_too(suite: Path, real_qemu: str) -> None:
    program = suite / "a-good-one"
    assert ours("tcg")("-machine spike -smp 99", program, SECONDS) == Verdict("refused")
    assert real("-machine spike -smp 99", program, SECONDS) == Verdict("refused")


def test_a_suite_that_ends_alike_is_counted(suite: Path, real_qemu: str, capsys: pytest.CaptureFixture[str]) -> None:
    (suite / "a-slow-one").unlink()
    assert main([str(suite), "--machine", "spike"]) == 0
    assert capsys.readouterr().out == "1 fails 5; 1 passes\n"


def test_a_difference_is_shown() -> None:
    row = Row("add", "virt", Verdict("passes"), {"tcg": Verdict("fails 3"), "interp": Verdict("passes")})
    assert str(row).split() == ["add", "virt", "real:", "passes,", "tcg:", "fails", "3,", "interp:", "passes"]
    assert not row.agrees
    assert str(Row("add", "virt", Verdict("passes", "a"), {"tcg": Verdict("passes", "b")})).endswith("consoles differ)")
