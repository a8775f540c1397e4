"""Functions to call when a socket can be read or written (QEMU util/main-loop.c).

In C the main loop polls file descriptors itself.  Here a thread does, and the main loop calls the function; until it
has returned, the thread does not look at that socket.
"""

from __future__ import annotations

import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from pyqemu_edu.io import watch
from pyqemu_edu.process import per_process, thread_in_process
from pyqemu_edu.util.main_loop import aio_bh_schedule_oneshot

IOHandler = Callable[[Any], None]


@dataclass(eq=False)
class IOHandlerRecord:
    """A socket, and who wants to know what of it."""

    sock: socket.socket
    io_read: IOHandler | None
    io_write: IOHandler | None
    opaque: Any
    busy: bool = False

    @property
    def events(self) -> int:
        """What to wait for."""
        if self.busy:
            return 0
        return select.POLLIN * (self.io_read is not None) | select.POLLOUT * (self.io_write is not None)


class Poller:
    """The thread that waits, from the first socket on (Not in QEMU)."""

    def __init__(self) -> None:
        watch.statics().watches.append(self)
        self.records: dict[int, IOHandlerRecord] = {}
        self.lock = threading.Lock()
        self.closing = False
        self.woken, self.waker = socket.socketpair()
        self.waker.setblocking(False)
        self.thread = thread_in_process(self.run, name="io handlers")
        self.thread.start()

    def wake(self) -> None:
        with suppress(OSError):
            self.waker.send(b"x")

    def close(self) -> None:
        self.closing = True
        self.wake()
        self.thread.join()
        for sock in (self.woken, self.waker, *(record.sock for record in self.records.values())):
            sock.close()
        watch.statics().watches.remove(self)

    def run(self) -> None:
        while not self.closing:
            for fd, events in self.wait():
                if fd == self.woken.fileno():
                    self.woken.recv(4096)
                else:
                    self.found(fd, events)

    def wait(self) -> list[tuple[int, int]]:
        poll = select.poll()
        poll.register(self.woken, select.POLLIN)
        with self.lock:
            for fd, record in self.records.items():
                if record.events:
                    poll.register(fd, record.events)
        return poll.poll()

    def found(self, fd: int, events: int) -> None:
        with self.lock:
            record = self.records.get(fd)
            if record is not None and not record.busy:
                record.busy = True
                aio_bh_schedule_oneshot(self.serve, (record, events))

    def serve(self, what: tuple[IOHandlerRecord, int]) -> None:
        """In the main loop: call the functions, if they are still wanted."""
        record, events = what
        if events & ~select.POLLOUT and record.io_read is not None:
            record.io_read(record.opaque)
        if events & select.POLLOUT and record.io_write is not None:
            record.io_write(record.opaque)
        record.busy = False
        self.wake()


class Statics:
    def __init__(self) -> None:
        self.poller: Poller | None = None


statics = per_process(Statics)


def qemu_set_fd_handler(
    sock: socket.socket, io_read: IOHandler | None, io_write: IOHandler | None, opaque: Any
) -> None:
    """Call `io_read` when the socket can be read, `io_write` when it can be written; None for neither ends it."""
    if statics().poller is None:
        statics().poller = Poller()
    poller = statics().poller
    assert poller is not None
    with poller.lock:
        record = poller.records.setdefault(sock.fileno(), IOHandlerRecord(sock, None, None, opaque))
        record.io_read, record.io_write, record.opaque = io_read, io_write, opaque
        if io_read is None and io_write is None:
            del poller.records[sock.fileno()]
    poller.wake()
