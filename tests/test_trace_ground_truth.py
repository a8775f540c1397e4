"""Our whole boot, line by line, against the real QEMU's, as gdb saw it."""

from __future__ import annotations

import subprocess
import sys
from difflib import SequenceMatcher

import pytest

from pyqemu_edu.real.boot import BARE, BOOTS, boot_left_out, our_boot, real_boot
from pyqemu_edu.trace.folds import state_at
from pyqemu_edu.trace.ground_truth import ground_truth_lines
from pyqemu_edu.trace.log import Log

LEFT_OUT = boot_left_out()
"""What the real one does and we do not, each line with the reason."""


@pytest.fixture(name="boot", scope="module")
def recorded_boot() -> Log:
    """The recording with a thread for each hart."""
    return our_boot(BOOTS["boot-spike-2"])


def differences(real: list[str], ours: list[str]) -> list[str]:
    """The lines that only one of the two has, or has elsewhere."""
    return [
        line
        for tag, i, j, k, end in SequenceMatcher(None, real, ours, autojunk=False).get_opcodes()
        if tag != "equal"
        for line in real[i:j] + ours[k:end]
    ]


def test_every_line_of_the_real_boot_is_there_and_no_other(boot: Log) -> None:
    """7,052 lines: every registration, type, class and instance that is initialised, and every call of 90 functions."""
    assert differences(real_boot("boot-spike-2"), list(ground_truth_lines(boot))) == list(LEFT_OUT)


@pytest.mark.parametrize("name", ["boot-spike-2-single", "boot-virt-2"])
def test_every_line_is_there_with_one_thread_for_all_harts_and_on_the_other_board_too(name: str) -> None:
    """virt has 8,217: eight virtio slots, a PCI bridge and what else that board has."""
    assert differences(real_boot(name), list(ground_truth_lines(our_boot(BOOTS[name])))) == list(LEFT_OUT)


def test_the_command_line_prints_it() -> None:
    """With `quit` on standard input, as the reference was recorded."""
    program = "import sys; from pyqemu_edu.commands import main; sys.exit(main())"
    options = f"{BOOTS['boot-spike-2']} {BARE}".split()
    command = [sys.executable, "-c", program, "trace", "--format", "ground-truth", "--", *options]
    run = subprocess.run(command, input="quit\n", capture_output=True, text=True, check=True)
    assert differences(real_boot("boot-spike-2"), run.stdout.splitlines()) == list(LEFT_OUT)


def test_little_is_left_out_and_always_for_a_reason() -> None:
    assert len(LEFT_OUT) <= 1
    assert all(LEFT_OUT.values())


def test_nothing_of_the_boot_is_cut_off(boot: Log) -> None:
    assert not boot.truncated
    assert len(boot.calls()) > 10_000


def test_the_folded_state_ends_as_the_machine_is(boot: Log) -> None:
    """591 types and one of a module loaded later, 1,762 classes, 416 constructors in five calls (facts of QEMU 7.2)."""
    state = state_at(boot, -1)
    assert len(state.types) == 591 + len({"chardev-vc"})
    assert len(state.classes) == 1762
    assert len([obj for obj in state.objects if obj.startswith("irq#")]) == 158
    assert state.path("rv64-riscv-cpu#1") == "/machine/soc0/harts[1]"
    assert sum(state.modules.values()) == 416
    assert state.called == ["OPTS", "TRACE", "QOM", "MIGRATION", "BLOCK"]
    assert state.options["smp-opts"] == []


def test_no_class_exists_before_a_machine_is_looked_for(boot: Log) -> None:
    state = state_at(boot, boot.calls("select_machine")[0].index)
    assert len(state.types) == 591
    assert state.classes == []
