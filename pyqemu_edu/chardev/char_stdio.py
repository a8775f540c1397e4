"""The terminal: the process's own input and output (QEMU chardev/char-stdio.c)."""

from __future__ import annotations

import atexit
import os
import termios
import threading
from codecs import getincrementaldecoder
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, TextIO

from pyqemu_edu.chardev.char_fd import TYPE_CHARDEV_FD, FDChardev, qemu_chr_open_fd
from pyqemu_edu.chardev.chardev import TYPE_CHARDEV, Chardev, ChardevClass, Output, qemu_chr_be_push
from pyqemu_edu.process import current_process, per_process, thread_in_process
from pyqemu_edu.qom.klass import object_class_check
from pyqemu_edu.qom.struct import Object, ObjectClass, TypeInfo
from pyqemu_edu.qom.type import type_init
from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.main_loop import aio_bh_schedule_oneshot
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get_bool

TYPE_CHARDEV_STDIO = "chardev-stdio"


class Statics:
    def __init__(self) -> None:
        self.stdio_in_use = False


statics = per_process(Statics)


@dataclass(eq=False)
class TextOut:
    """Bytes for a text stream: characters come out when all their bytes are there."""

    stream: TextIO

    def __post_init__(self) -> None:
        self.decoder = getincrementaldecoder("utf-8")("replace")

    def write(self, buf: bytes, /) -> int:
        self.stream.write(self.decoder.decode(buf))
        return len(buf)

    def flush(self) -> None:
        self.stream.flush()


def binary(stream: TextIO) -> Output:
    """The bytes below a text stream, or something that takes bytes for one that has none below."""
    stream.flush()
    buffer: Output | None = getattr(stream, "buffer", None)
    return buffer or TextOut(stream)


def qemu_chr_parse_stdio(opts: QemuOpts) -> dict[str, Any]:
    """`signal=off`: Ctrl-C is for the guest."""
    return {"signal": qemu_opt_get_bool(opts, "signal", True)}


def qemu_chr_open_stdio(chr: Chardev, backend: dict[str, Any]) -> bool:
    """Take the terminal; only one device can have it."""
    if statics().stdio_in_use:
        raise QemuError("cannot use stdio by multiple character devices")
    statics().stdio_in_use = True
    process = current_process()
    if process.stdin is None:
        raise QemuError("Failed to set FD nonblocking: Bad file descriptor")
    qemu_chr_open_fd(chr, process.stdin, binary(process.stdout))
    if is_terminal(process.stdin):
        term_raw(process.stdin.fileno(), backend["signal"])
    thread_in_process(read_stdin, chr, process.stdin, name="stdio").start()
    return True


def is_terminal(stream: TextIO) -> bool:
    """Is somebody typing?"""
    return stream.isatty() and threading.current_thread() is threading.main_thread()


def term_raw(fd: int, allow_signal: bool) -> None:
    """Have every key at once and unseen, until the program ends (QEMU `qemu_chr_set_echo_stdio`, `term_exit`)."""
    old = termios.tcgetattr(fd)
    atexit.register(termios.tcsetattr, fd, termios.TCSANOW, old)
    tty = termios.tcgetattr(fd)
    tty[0] &= ~(
        termios.IGNBRK | termios.BRKINT | termios.PARMRK | termios.ISTRIP | termios.INLCR | termios.IGNCR
        | termios.ICRNL | termios.IXON
    )  # fmt: skip
    tty[1] |= termios.OPOST
    tty[2] = tty[2] & ~(termios.CSIZE | termios.PARENB) | termios.CS8
    tty[3] &= ~(termios.ECHO | termios.ECHONL | termios.ICANON | termios.IEXTEN)
    if not allow_signal:
        tty[3] &= ~termios.ISIG
    tty[6][termios.VMIN], tty[6][termios.VTIME] = 1, 0
    termios.tcsetattr(fd, termios.TCSANOW, tty)


def read_stdin(chr: FDChardev, stdin: TextIO) -> None:
    """A thread: hand what comes in to the main loop, until it ends (in C the main loop polls)."""
    try:
        fd = stdin.fileno()
    except (OSError, ValueError, AttributeError):
        data = stdin.read().encode()
        aio_bh_schedule_oneshot(lambda opaque: qemu_chr_be_push(chr, data))
        return
    with suppress(OSError):
        while data := os.read(fd, 4096):
            aio_bh_schedule_oneshot(lambda data: qemu_chr_be_push(chr, data), data)


def char_stdio_finalize(obj: Object) -> None:
    """Give the terminal back."""
    statics().stdio_in_use = False


def char_stdio_class_init(klass: ObjectClass) -> None:
    """How standard input and output are parsed and opened."""
    cc = object_class_check(klass, ChardevClass, TYPE_CHARDEV)
    cc.parse = qemu_chr_parse_stdio
    cc.open = qemu_chr_open_stdio


type_init(
    TypeInfo(
        TYPE_CHARDEV_STDIO,
        parent=TYPE_CHARDEV_FD,
        class_init=char_stdio_class_init,
        instance_finalize=char_stdio_finalize,
    )
)
