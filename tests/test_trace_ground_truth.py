"""Our whole boot, line by line, against the real QEMU's, as gdb saw it."""

from __future__ import annotations

import gzip
import io
import json
import subprocess
import sys
from difflib import SequenceMatcher
from pathlib import Path

import pytest

from pyqemu_edu import modules
from pyqemu_edu.process import Process
from pyqemu_edu.qom.zoo import run_program_constructors
from pyqemu_edu.softmmu.main import main
from pyqemu_edu.trace.folds import state_at
from pyqemu_edu.trace.ground_truth import comparable, ground_truth_lines
from pyqemu_edu.trace.log import Log
from pyqemu_edu.trace.recorder import Recorder

DATA = Path(__file__).parent / "data"
PROGRAM = "qemu-system-riscv64 -machine spike -smp 2"
VIRT = "qemu-system-riscv64 -machine virt -smp 2"
BARE = "-bios none -S -display none -nodefaults -monitor stdio -serial null"

LEFT_OUT: dict[str, str] = json.loads((DATA / "boot_left_out.json").read_text())
"""What the real one does and we do not, each line with the reason."""


def recorded(accelerator: str, program: str = PROGRAM) -> Log:
    """The recording of a machine with two harts, from its constructors to its end by `quit`."""
    modules.link()
    argv = f"{program} {accelerator} {BARE}".split()
    process = Process(argv, stdin=io.StringIO("quit\n"), stdout=io.StringIO(), stderr=io.StringIO())
    with process, Recorder(process) as recorder:
        run_program_constructors()
        assert main(process.argv) == 0
    return recorder.log


@pytest.fixture(name="boot", scope="module")
def recorded_boot() -> Log:
    """The recording with a thread for each hart."""
    return recorded("")


def real_lines() -> list[str]:
    """The reference's lines."""
    return comparable((DATA / "boot_spike_smp2.txt").read_text().splitlines())


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
    assert differences(real_lines(), list(ground_truth_lines(boot))) == list(LEFT_OUT)


def test_every_line_is_there_with_one_thread_for_all_harts_too() -> None:
    packed = (DATA / "real/boot_spike_smp2_single.txt.gz").read_bytes()
    real = comparable(gzip.decompress(packed).decode().splitlines())
    assert differences(real, list(ground_truth_lines(recorded("-accel tcg,thread=single")))) == list(LEFT_OUT)


def test_every_line_of_the_board_virt_is_there() -> None:
    """8,217 lines: eight virtio slots, a PCI bridge and what else that board has."""
    packed = (DATA / "real/boot_virt_smp2.txt.gz").read_bytes()
    real = comparable(gzip.decompress(packed).decode().splitlines())
    assert differences(real, list(ground_truth_lines(recorded("", VIRT)))) == list(LEFT_OUT)


def test_the_command_line_prints_it() -> None:
    """With `quit` on standard input, as the reference was recorded."""
    program = "import sys; from pyqemu_edu.__main__ import main; sys.exit(main())"
    options = f"{PROGRAM} {BARE}".split()[1:]
    command = [sys.executable, "-c", program, "trace", "--format", "ground-truth", "--", *options]
    run = subprocess.run(command, input="quit\n", capture_output=True, text=True, check=True)
    assert differences(real_lines(), run.stdout.splitlines()) == list(LEFT_OUT)


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
