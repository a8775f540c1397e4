"""Our whole boot, line by line, against the real QEMU's, as gdb saw it."""

from __future__ import annotations

import io
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from pyqemu_edu import modules
from pyqemu_edu.process import Process
from pyqemu_edu.qom.zoo import run_program_constructors
from pyqemu_edu.softmmu.vl import qemu_init
from pyqemu_edu.trace.folds import state_at
from pyqemu_edu.trace.ground_truth import comparable, ground_truth_lines
from pyqemu_edu.trace.log import Log
from pyqemu_edu.trace.recorder import Recorder

ARGV = "qemu-system-riscv64 -machine spike -smp 2 -bios none -S -display none -nodefaults -monitor none -serial null"

# What the real one does and we do not.
LEFT_OUT = {
    "CALL qemu_thread_create 'call_rcu' T1": "Python's own memory management stands for RCU",
    "CALL vmstate_register_with_alias_id T1": "migration of what is not a device",
    "CALL page_size_init T1": "the accelerator asks again for the host's page size",
    "CALL qemu_main_loop T1": "we stop where the main loop would begin",
}
LEFT_OUT_WITH = {
    "chardev-stdio": "the recorded command line had its monitor on stdio, ours has none",
    "qio-channel-file": "and with it its channels",
    "container#4": "/chardevs is made for the monitor, here only for the serial line",
    "'container'": "the same",
}


@pytest.fixture(name="boot", scope="module")
def recorded_boot() -> Log:
    """The recording of spike with two harts."""
    modules.link()
    process = Process(ARGV.split(), stdin=io.StringIO(), stdout=io.StringIO(), stderr=io.StringIO())
    with process, Recorder(process) as recorder:
        run_program_constructors()
        qemu_init(process.argv)
    return recorder.log


def is_left_out(line: str) -> bool:
    return line in LEFT_OUT or any(word in line for word in LEFT_OUT_WITH)


def test_every_line_of_the_real_boot_is_there_and_no_other(boot: Log) -> None:
    """7,052 lines: every registration, type, class and instance that is initialised, and every call of 90 functions."""
    path = Path(__file__).parent / "data" / "boot_spike_smp2.txt"
    real = comparable(path.read_text().splitlines())
    ours = list(ground_truth_lines(boot))
    different = [
        line
        for tag, i, j, k, end in SequenceMatcher(None, real, ours, autojunk=False).get_opcodes()
        if tag != "equal"
        for line in real[i:j] + ours[k:end]
    ]
    assert [line for line in different if not is_left_out(line)] == []
    assert len(different) <= 22


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
