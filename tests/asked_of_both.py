"""One command line, asked of ours and of the reference: what they print, and how they end (Not in QEMU)."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pyqemu_edu import modules
from pyqemu_edu.io.watch import close_watches
from pyqemu_edu.process import Process
from pyqemu_edu.qom.zoo import run_program_constructors
from pyqemu_edu.softmmu.cpus import cpus_shutdown
from pyqemu_edu.softmmu.vl import qemu_init
from pyqemu_edu.util.assertion import report_abort
from pyqemu_edu.util.error import QemuAbort, QemuError, QemuExit, error_report_err

POLLS = {"271", "7"}
"""The system calls `ppoll` and `poll`, in which a machine that is up waits."""

PATIENCE = 30.0
RUNS = "RUNS"


@dataclass(frozen=True)
class Answer:
    """What a program said, and its exit status; `RUNS` if it started."""

    stderr: str
    stdout: str
    rc: int | str


class Run:
    """A command line, run in this very process up to where the machine would start."""

    def __init__(self, args: Sequence[str]) -> None:
        modules.link()
        out, err = io.StringIO(), io.StringIO()
        self.process = Process(["qemu-system-riscv64", *args], stdin=io.StringIO(), stdout=out, stderr=err)
        with self.process:
            run_program_constructors()
            self.rc = self._start()
            cpus_shutdown()
            close_watches()
        self.stdout, self.stderr = out.getvalue(), err.getvalue()

    def _start(self) -> int | str:
        try:
            qemu_init(self.process.argv)
        except QemuExit as end:
            return end.status
        except QemuError as error:
            error_report_err(error)
            return 1
        except QemuAbort as abort:
            report_abort(abort)
            return abort.status
        return RUNS

    @property
    def answer(self) -> Answer:
        """What it said."""
        return Answer(without_time(self.stderr), without_module(self.stdout), self.rc)


def ask_real(real_qemu: str, args: Sequence[str], folder: Path) -> Answer:
    """What the reference says; a machine that is up is ended."""
    command = [real_qemu, *args]
    with subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=folder
    ) as program:
        up = wait_until_up(program)
        if up:
            program.send_signal(signal.SIGTERM)
        stdout, stderr = program.communicate(timeout=PATIENCE)
    stderr = re.sub(r"qemu: module .*\n", "", stderr)
    stderr = re.sub(r"[^\n]*: terminating on signal 15 from pid .*\n", "", stderr)
    status = program.returncode if program.returncode >= 0 else 128 - program.returncode
    return Answer(without_time(stderr), without_module(stdout), RUNS if up else status)


def without_time(stderr: str) -> str:
    """Without the time of day, which `-msg timestamp=on` puts before each message."""
    return re.sub(r"^\d{4}-\d\d-\d\dT[\d:.]+Z ", "", stderr, flags=re.MULTILINE)


def without_module(stdout: str) -> str:
    """Without the one device that is in a package of its own, which need not be installed."""
    return re.sub(r'name "virtio-gpu-gl-device".*\n', "", stdout)


def wait_until_up(program: subprocess.Popen[str]) -> bool:
    """Whether the machine came up: its main thread was seen to wait for events twice; false if it ended."""
    seen = 0
    deadline = time.monotonic() + PATIENCE
    while program.poll() is None and time.monotonic() < deadline:
        seen = seen + 1 if waits(program.pid) else 0
        if seen == 3:
            return True
        time.sleep(0.005)
    return program.poll() is None


def waits(pid: int) -> bool:
    """Is the main thread in a system call that waits for events?"""
    try:
        return Path(f"/proc/{pid}/syscall").read_text().split()[0] in POLLS
    except (OSError, IndexError):
        return False
