"""A machine built in this very process, stopped as with -S; and the same question put to the real QEMU."""

from __future__ import annotations

import io
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

from pyqemu_edu import modules
from pyqemu_edu.block.block_backend import bdrv_close_all
from pyqemu_edu.process import Process
from pyqemu_edu.qom.zoo import run_program_constructors
from pyqemu_edu.softmmu.cpus import cpus_shutdown
from pyqemu_edu.softmmu.vl import qemu_init
from pyqemu_edu.util.error import QemuExit

QUIET = ("-display", "none", "-nodefaults", "-monitor", "none", "-serial", "null", "-S")


@contextmanager
def board(*arguments: str, stderr: io.StringIO | None = None) -> Iterator[Process]:
    """The machine of a command line, built and reset; `QemuExit` if it cannot be."""
    modules.link()
    argv = ("qemu-system-riscv64", *QUIET, *arguments)
    streams = {"stdin": io.StringIO(), "stdout": io.StringIO(), "stderr": stderr or io.StringIO()}
    with Process(argv, **streams) as process:
        run_program_constructors()
        try:
            qemu_init(argv)
            yield process
        finally:
            cpus_shutdown()
            bdrv_close_all()


def refused(*arguments: str) -> tuple[int, str]:
    """Status and messages of a command line for which there is no machine."""
    stderr = io.StringIO()
    try:
        with board(*arguments, stderr=stderr):
            raise AssertionError(f"{arguments} was built")
    except QemuExit as end:
        return end.status, stderr.getvalue()


def real_answer(binary: str, *arguments: str) -> tuple[int, str]:
    """What the real QEMU says when it does not start."""
    command = [binary, *QUIET, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False, stdin=subprocess.DEVNULL)
    return done.returncode, done.stderr
