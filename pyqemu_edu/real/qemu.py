"""A running QEMU that answers questions (Not in QEMU)."""

from __future__ import annotations

import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from types import TracebackType
from typing import Any

from pyqemu_edu.real.binary import qemu_binary, words
from pyqemu_edu.real.gdb import GdbClient, IntegerState
from pyqemu_edu.real.qmp import QmpClient, QmpError


class QemuExited(Exception):
    """QEMU ended before it could be asked."""

    def __init__(self, status: int, stderr: str) -> None:
        super().__init__(f"QEMU ended with status {status}: {stderr.strip()}")
        self.status = status
        self.stderr = stderr


QUESTIONS = "questions"
"""The name of the character device over which QEMU is asked."""

WITHOUT_DEFAULT_MONITOR = {"-monitor", "-qmp", "-qmp-pretty", "-mon", "-nodefaults"}


def default_monitor(options: Sequence[str]) -> list[str]:
    """The monitor that QEMU opens unless it is given one, as an option: ours, for questions, must not displace it."""
    given = {option.replace("--", "-") for option in options}
    if given & WITHOUT_DEFAULT_MONITOR:
        return []
    if "-nographic" in given:
        return ["-monitor", "stdio"] if "-serial" in given else ["-serial", "mon:stdio"]
    return ["-monitor", "vc:80Cx24C"]


class RealQemu:
    """A real QEMU, stopped before its first instruction, for the length of a `with` block.

    `options` are a command line without the program's name. Added to them are `-S -display none` and a QMP socket in a
    temporary folder, with `gdb=True` a gdb socket too.
    Raises QemuNotInstalled when made, QemuExited when entered with options that QEMU refuses.
    """

    def __init__(self, options: str | Sequence[str] = "", *, gdb: bool = False, timeout: float = 30.0) -> None:
        self.program = qemu_binary()
        self.options = words(options)
        self.timeout = timeout
        self._with_gdb = gdb

    def __enter__(self) -> RealQemu:
        with ExitStack() as stack:
            self._folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="pyqemu-edu-"))
            self._stderr = stack.enter_context(tempfile.TemporaryFile())
            self._process = self._start(stack)
            self.qmp = stack.enter_context(closing(self._greet(self._connect("qmp", stack))))
            self.gdb = None
            if self._with_gdb:
                self.gdb = stack.enter_context(closing(GdbClient(self._connect("gdb", stack), self.timeout)))
            self._stack = stack.pop_all()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, value: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with self._stack, suppress(OSError, subprocess.TimeoutExpired):
            self.qmp.execute("quit")
            self._process.wait(self.timeout)

    @property
    def folder(self) -> str:
        """The temporary folder with the sockets."""
        return self._folder

    def command(self) -> list[str]:
        """The whole command line."""
        questions = f"socket,id={QUESTIONS},path={self.folder}/qmp,server=on,wait=off"
        sockets = ["-chardev", questions, "-mon", f"chardev={QUESTIONS},mode=control"]
        if self._with_gdb:
            sockets += ["-gdb", f"unix:{self.folder}/gdb,server=on,wait=off"]
        return [self.program, *self.options, *default_monitor(self.options), "-S", "-display", "none", *sockets]

    def wait(self) -> int:
        """Its exit status, once it ends by itself. Raises subprocess.TimeoutExpired."""
        return self._process.wait(self.timeout)

    def hmp(self, line: str) -> str:
        """What the human monitor prints for a command line such as "info mtree -f"; lines end in a newline alone."""
        printed: str = self.qmp.execute("human-monitor-command", command_line=line)
        return printed.replace("\r\n", "\n")

    def qom_list(self, path: str) -> list[dict[str, str]]:
        """The properties of the object at `path`, as dicts with "name" and "type"."""
        listed: list[dict[str, str]] = self.qmp.execute("qom-list", path=path)
        return listed

    def qom_get(self, path: str, name: str) -> Any:
        """The value of a property. Raises QmpError where QEMU cannot say it."""
        return self.qmp.execute("qom-get", path=path, property=name)

    def qom_tree(self, path: str = "/") -> Iterator[tuple[str, dict[str, tuple[str, Any]]]]:
        """Every object from `path` down, parents first: its path and {property: (type, value)}.

        A property that cannot be read has the QmpError as its value.
        """
        properties = {p["name"]: (p["type"], self._value(path, p["name"])) for p in self.qom_list(path)}
        yield path, properties
        for name, (kind, _) in properties.items():
            if kind.startswith("child<"):
                yield from self.qom_tree(f"{path.rstrip('/')}/{name}")

    def device_tree(self) -> bytes | None:
        """The flattened device tree that the board has made; None if it makes none."""
        blob = Path(self.folder) / "dumped.dtb"
        try:
            self.qmp.execute("dumpdtb", filename=str(blob))
        except QmpError:
            return None
        return blob.read_bytes()

    def _value(self, path: str, name: str) -> Any:
        try:
            return self.qom_get(path, name)
        except QmpError as error:
            return error

    def _start(self, stack: ExitStack) -> subprocess.Popen[bytes]:
        """Start QEMU; leaving the stack ends it, whatever has happened."""
        process = subprocess.Popen(
            self.command(), stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=self._stderr
        )
        stack.callback(process.wait)
        stack.callback(process.kill)
        return process

    def _greet(self, connection: socket.socket) -> QmpClient:
        """Hear who it is; QEMU opens its sockets before it knows whether it can do all that it was told."""
        try:
            return QmpClient(connection, self.timeout)
        except ConnectionError:
            self._process.wait(self.timeout)
            self._check_alive(time.monotonic())
            raise

    def _connect(self, name: str, stack: ExitStack) -> socket.socket:
        """Connect to one of QEMU's sockets as soon as it is there."""
        connection = stack.enter_context(socket.socket(socket.AF_UNIX))
        deadline = time.monotonic() + self.timeout
        while True:
            try:
                connection.connect(str(Path(self.folder) / name))
                return connection
            except OSError:
                self._check_alive(deadline)
                time.sleep(0.01)

    def _check_alive(self, deadline: float) -> None:
        status = self._process.poll()
        if status is not None:
            self._stderr.seek(0)
            raise QemuExited(status, self._stderr.read().decode(errors="replace"))
        if time.monotonic() > deadline:
            raise TimeoutError("QEMU does not open its sockets")


def registers_after(elf: str, *, until: int | None = None, instructions: int = 0, options: str = "") -> IntegerState:
    """The integer registers of a real QEMU's hart 0 running `elf` on spike.

    It runs until pc is `until`, or so many `instructions` counted from the reset vector.
    """
    machine = ["-machine", "spike", "-bios", "none", "-serial", "null", "-kernel", elf, *options.split()]
    with RealQemu(machine, gdb=True) as real:
        assert real.gdb is not None
        if until is not None:
            real.gdb.run_to(until)
        real.gdb.step(instructions)
        return real.gdb.registers()
