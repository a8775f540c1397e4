"""Runs a guest on the real QEMU and takes down what it says (Not in QEMU)."""

from __future__ import annotations

import os
import select
import subprocess
import time
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from pyqemu_edu.real.binary import qemu_binary, words


class ConsoleRun(NamedTuple):
    """How a run ended and what it printed."""

    status: int
    stdout: str
    stderr: str


def run_console(
    options: str | Sequence[str], stdin: str = "", timeout: float = 30.0, program: Sequence[str] = ()
) -> ConsoleRun:
    """Run QEMU, or another `program` with its options, to its end. Raises QemuNotInstalled, subprocess.TimeoutExpired.

    HTIF keeps one byte of input at a time and drops the rest, as it does on the real machine: a guest on spike
    that reads more wants `type_at_console`.
    """
    command = [*(program or [qemu_binary()]), *words(options)]
    done = subprocess.run(command, input=stdin.encode(), capture_output=True, timeout=timeout, check=False)
    return ConsoleRun(done.returncode, done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace"))


def type_at_console(
    options: str | Sequence[str],
    script: Iterable[tuple[str, str]],
    timeout: float = 30.0,
    program: Sequence[str] = (),
) -> ConsoleRun:
    """Run QEMU (or `program`) and type like a person.

    For each (wait_for, keys) of the script, the keys are typed when the console ends in that text.
    """
    with subprocess.Popen(
        [*(program or [qemu_binary()]), *words(options)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    ) as process:
        try:
            heard = _converse(process, script, time.monotonic() + timeout)
            stdout, stderr = process.communicate(timeout=timeout)
        except BaseException:
            process.kill()
            raise
    return ConsoleRun(process.returncode, heard + stdout.decode(errors="replace"), stderr.decode(errors="replace"))


def _converse(process: subprocess.Popen[bytes], script: Iterable[tuple[str, str]], deadline: float) -> str:
    assert process.stdin is not None
    assert process.stdout is not None
    heard = ""
    for wait_for, keys in script:
        while not heard.endswith(wait_for):
            heard += _hear(process.stdout.fileno(), deadline)
        process.stdin.write(keys.encode())
        process.stdin.flush()
    return heard


def _hear(descriptor: int, deadline: float) -> str:
    ready, _, _ = select.select([descriptor], [], [], max(0.0, deadline - time.monotonic()))
    piece = os.read(descriptor, 4096) if ready else b""
    if not piece:
        raise TimeoutError("the console did not say what was waited for")
    return piece.decode(errors="replace")
