"""Somebody at a virtio device's registers, without a hart: in this process, or in a real QEMU by way of qtest."""

from __future__ import annotations

import io
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol

from boards import QUIET, board
from pyqemu_edu.guests import assembled
from pyqemu_edu.monitor.qmp_table import qmp_commands
from pyqemu_edu.qapi.qmp_dispatch import qmp_dispatch
from pyqemu_edu.real.qmp import QmpClient, QmpError
from pyqemu_edu.softmmu.physmem import cpu_physical_memory_read, cpu_physical_memory_rw
from pyqemu_edu.softmmu.runstate_transitions import RunState, runstate_set, vm_state_notify
from pyqemu_edu.util.main_loop import aio_bh_poll

RAM = 0x80000000
LAST_SLOT = 0x10008000


class Bench(Protocol):
    """A machine whose memory can be read and written."""

    def read(self, addr: int, length: int) -> bytes:
        """Bytes, a device's register by register."""
        ...

    def write(self, addr: int, data: bytes) -> None:
        """Store bytes."""
        ...

    def load(self, addr: int, size: int = 4) -> int:
        """One load."""
        ...

    def store(self, addr: int, value: int, size: int = 4) -> None:
        """One store."""
        ...

    def settle(self) -> None:
        """Let the main loop do what it has to."""
        ...

    def messages(self) -> str:
        """What was said on stderr so far."""
        ...

    def qmp(self, command: str, **arguments: object) -> object:
        """What a monitor answers: an error's class and words, if it is one."""
        ...


class OurBench:
    def __init__(self, stderr: io.StringIO) -> None:
        self.stderr = stderr
        runstate_set(RunState.RUNNING)
        vm_state_notify(True, RunState.RUNNING)

    def read(self, addr: int, length: int) -> bytes:
        return cpu_physical_memory_read(addr, length)

    def write(self, addr: int, data: bytes) -> None:
        cpu_physical_memory_rw(addr, data)

    def load(self, addr: int, size: int = 4) -> int:
        return int.from_bytes(self.read(addr, size), "little")

    def store(self, addr: int, value: int, size: int = 4) -> None:
        self.write(addr, value.to_bytes(size, "little"))
        self.settle()

    def settle(self) -> None:
        for _ in range(4):
            aio_bh_poll()

    def messages(self) -> str:
        return self.stderr.getvalue()

    def qmp(self, command: str, **arguments: object) -> object:
        named = {name.replace("_", "-"): value for name, value in arguments.items()}
        response = qmp_dispatch(qmp_commands(), {"execute": command, "arguments": named}, False, lambda: True)
        error = response.get("error")
        return response["return"] if error is None else (error["class"], error["desc"])


class RealBench:
    def __init__(self, qemu: subprocess.Popen[str], log: io.TextIOBase, monitor: QmpClient) -> None:
        self.qemu = qemu
        self.log = log
        self.monitor = monitor

    def qmp(self, command: str, **arguments: object) -> object:
        try:
            return self.monitor.execute(command, **arguments)
        except QmpError as error:
            return error.kind, str(error)

    def ask(self, question: str) -> str:
        assert self.qemu.stdin and self.qemu.stdout
        self.qemu.stdin.write(question + "\n")
        self.qemu.stdin.flush()
        answer = self.qemu.stdout.readline()
        while answer.startswith("IRQ"):
            answer = self.qemu.stdout.readline()
        word, _, rest = answer.strip().partition(" ")
        assert word == "OK", f"{question}: {answer}{self.messages()}"
        return rest

    def read(self, addr: int, length: int) -> bytes:
        return bytes.fromhex(self.ask(f"read {addr:#x} {length:#x}")[2:])

    def write(self, addr: int, data: bytes) -> None:
        self.ask(f"write {addr:#x} {len(data):#x} 0x{data.hex()}")

    def load(self, addr: int, size: int = 4) -> int:
        return int(self.ask(f"read{'?bw?l???q'[size]} {addr:#x}"), 16)

    def store(self, addr: int, value: int, size: int = 4) -> None:
        self.ask(f"write{'?bw?l???q'[size]} {addr:#x} {value:#x}")

    def settle(self) -> None:
        for _ in range(4):
            self.load(RAM)

    def messages(self) -> str:
        self.log.seek(0)
        return self.log.read()


def asleep() -> str:
    """A guest that sleeps for ever."""
    return assembled(".globl _start\n_start: wfi\n j _start\n")


@contextmanager
def our_bench(*arguments: str) -> Iterator[OurBench]:
    """A machine of ours, its harts at rest."""
    stderr = io.StringIO()
    with board("-machine", "virt", "-bios", "none", *arguments, stderr=stderr):
        yield OurBench(stderr)


@contextmanager
def real_bench(binary: str, log: io.TextIOBase, *arguments: str) -> Iterator[RealBench]:
    """The reference's, its hart asleep."""
    quiet = [word for word in QUIET if word != "-S"]
    ours, theirs = socket.socketpair()
    with ours, theirs:
        monitor = ("-chardev", f"socket,id=monitor,fd={theirs.fileno()}", "-mon", "monitor,mode=control")
        fixed = ("-machine", "virt", "-bios", "none", "-qtest-log", "none", "-qtest", "stdio", "-kernel", asleep())
        command = [binary, *quiet, *monitor, *fixed, *arguments]
        with subprocess.Popen(
            command,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            pass_fds=[theirs.fileno()],
        ) as qemu:
            try:
                yield RealBench(qemu, log, QmpClient(ours))
            finally:
                qemu.kill()
