"""Ours and the real one, asked the same: that equal is equal, and that a difference is seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyqemu_edu import Qemu
from pyqemu_edu.commands import main
from pyqemu_edu.real import QemuNotInstalled, qemu_binary
from pyqemu_edu.real.comparison import EVENTS, REFUSAL, Finding
from pyqemu_edu.real.questions import MONITOR, PROPERTIES, without_chance
from pyqemu_edu.real.recordings import MACHINES


@pytest.fixture
def no_qemu(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))


@pytest.fixture
def installed() -> None:
    try:
        qemu_binary()
    except QemuNotInstalled as reason:
        pytest.skip(str(reason))


@pytest.mark.parametrize("name", MACHINES)
def test_every_answer_is_that_of_the_recorded_machine(no_qemu: None, name: str) -> None:
    found = Qemu(f"{MACHINES[name]} -display none", record=False).compare()
    assert found.source.startswith("a recording of QEMU 7.2")
    assert {finding.question for finding in found.findings} >= {*MONITOR, PROPERTIES}
    assert [finding.verdict for finding in found.findings] == ["equal"] * len(found.findings)


def test_the_events_of_a_boot_that_gdb_watched_are_compared_too(no_qemu: None) -> None:
    found = Qemu(MACHINES["spike-2"], record=False).compare()
    assert len(found[EVENTS].theirs) > 7_000
    assert found[EVENTS].equal


def test_without_qemu_other_machines_are_refused_with_what_there_is(no_qemu: None) -> None:
    vm = Qemu("-machine spike -m 64 -display none", record=False)
    with pytest.raises(QemuNotInstalled, match=r"(?s)qemu-system-misc.*recordings of\n  -machine spike"):
        vm.compare()


def test_the_installed_qemu_is_asked_where_there_is_no_recording(installed: None) -> None:
    found = Qemu("-machine virt -smp 3 -m 300M -cpu rv64,h=false -display none", record=False).compare()
    assert found.source.endswith("installed here")
    assert [finding.question for finding in found.findings if not finding.equal] == []


def test_a_property_that_was_changed_is_a_difference_and_shown(no_qemu: None) -> None:
    vm = Qemu(MACHINES["spike-1"], record=False)
    with vm.process:
        vm.machine.kernel_cmdline = "quiet"
    found = vm.compare()
    assert not found.equal
    assert found[PROPERTIES].differences == [('/machine append (string) = "quiet"', '/machine append (string) = ""')]
    assert '/machine append (string) = "quiet"' in found.text()
    assert "1 different" in found.figure().page


def test_a_line_that_only_one_has_stands_against_nothing() -> None:
    finding = Finding("q", ("a", "b", "d"), ("a", "c", "c2", "d", "e"))
    assert finding.differences == [("b", "c"), ("", "c2"), ("", "e")]


def test_what_the_host_deals_is_no_difference() -> None:
    one = "FlatView #0\n ram\n\nFlatView #1\n io\n"
    other = "FlatView #0\n io\n\nFlatView #1\n ram\n"
    assert without_chance(one) == without_chance(other)
    assert without_chance("* CPU #0: thread_id=12\n") == ["* CPU #0: thread_id=…"]


@pytest.mark.parametrize(
    "options",
    ["-machine nosuch", "-machine help", "-m 12x", "-machine spike -device nosuch", "-cpu rv64,f=off,d=on", "-nosuch"],
)
def test_refusals_are_compared_by_status_and_words(
    installed: None, options: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["compare", "--", *options.split()]) == 0
    assert REFUSAL in capsys.readouterr().out
