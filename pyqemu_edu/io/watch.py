"""The thread that waits for a socket (Not in QEMU: there the main loop, or an iothread, polls it).

It accepts one client at a time, reads what comes, and writes what could not be written at once.  What it finds it hands
to the main loop, and reads on only when the main loop says so: nobody can flood the machine.
"""

from __future__ import annotations

import os
import select
import socket
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from pyqemu_edu.process import per_process, thread_in_process
from pyqemu_edu.util.main_loop import aio_bh_schedule_oneshot

READ_SIZE = 4096
MAX_FDS = 16
FLUSH_SECONDS = 1.0


class Closing(Protocol):
    """Somebody with a thread and sockets."""

    def close(self) -> None:
        """End the thread, close the sockets."""


class Statics:
    def __init__(self) -> None:
        self.watches: list[Closing] = []


statics = per_process(Statics)


def close_watches() -> None:
    """The process ends: leave no thread and no socket behind; C leaves them to exit()."""
    for watch in tuple(statics().watches):
        watch.close()


@dataclass(eq=False)
class SocketWatch:
    """A listener, or none; a client, or none; and whom to tell, in the main loop: of a client, of bytes, of its end."""

    name: str
    on_client: Callable[[socket.socket], None]
    on_data: Callable[[bytes], None]
    on_hangup: Callable[[], None]
    listener: socket.socket | None = None
    client: socket.socket | None = None
    accepted: bool = False
    """A client was accepted of whom the main loop has not heard yet."""
    may_read: bool = False
    closing: bool = False
    outgoing: bytearray = field(default_factory=bytearray)
    msgfds: list[int] = field(default_factory=list)
    """Files that the client passed along with the last bytes that had any (QEMU `read_msgfds`)."""

    def __post_init__(self) -> None:
        statics().watches.append(self)
        self.lock = threading.Lock()
        self.woken, self.waker = socket.socketpair()
        self.waker.setblocking(False)
        if self.listener is not None:
            self.listener.setblocking(False)
        self.thread = thread_in_process(self._run, name=self.name)
        self.thread.start()

    # --- called by the main loop

    def resume(self) -> None:
        """Read on."""
        self.may_read = True
        self._wake()

    def connect(self, client: socket.socket) -> None:
        """Serve this client."""
        client.setblocking(False)
        with self.lock:
            self.client = client
            self.outgoing.clear()

    def write(self, data: bytes) -> None:
        """Write without waiting; what the client does not take now it gets later."""
        with self.lock:
            if self.client is not None:
                self.outgoing += data
                self._send()
        if self.outgoing:
            self._wake()

    def hang_up(self) -> None:
        """Drop the client, and wait for the next one."""
        with self.lock:
            client, self.client, self.may_read = self.client, None, False
        self.keep_fds([])
        if client is not None:
            client.close()
        self._wake()

    def keep_fds(self, fds: list[int]) -> None:
        """Keep these files, and close those before that nobody has taken."""
        for fd in self.msgfds:
            os.close(fd)
        self.msgfds = fds

    def close(self) -> None:
        """End the thread and close everything, after a last try to write what waits."""
        with self.lock:
            if self.client is not None and self.outgoing:
                with suppress(OSError):
                    self.client.settimeout(FLUSH_SECONDS)
                    self.client.sendall(self.outgoing)
        self.closing = True
        self.keep_fds([])
        self._wake()
        if self.thread is not threading.current_thread():
            self.thread.join()
        if self.listener is not None and self.listener.family == socket.AF_UNIX:
            with suppress(OSError):
                os.unlink(self.listener.getsockname())
        for sock in (self.listener, self.client, self.woken, self.waker):
            if sock is not None:
                sock.close()
        self.listener = self.client = None
        statics().watches.remove(self)

    # --- the thread

    def _wake(self) -> None:
        with suppress(OSError):
            self.waker.send(b"x")

    def _run(self) -> None:
        while not self.closing:
            ready = self._wait()
            if self.woken.fileno() in ready:
                self.woken.recv(READ_SIZE)
            with suppress(OSError):
                self._serve(ready)

    def _wait(self) -> dict[int, int]:
        poll = select.poll()
        poll.register(self.woken, select.POLLIN)
        with self.lock:
            if self.client is not None:
                events = select.POLLIN * self.may_read | select.POLLOUT * bool(self.outgoing)
                if events:
                    poll.register(self.client, events)
            elif self.listener is not None and not self.accepted:
                poll.register(self.listener, select.POLLIN)
        return dict(poll.poll())

    def _serve(self, ready: dict[int, int]) -> None:
        client, listener = self.client, self.listener
        if client is not None and client.fileno() in ready:
            events = ready[client.fileno()]
            if events & select.POLLOUT:
                with self.lock:
                    self._send()
            if events & ~select.POLLOUT and self.may_read:
                self._receive(client)
        elif client is None and listener is not None and listener.fileno() in ready:
            accepted, _ = listener.accept()
            self.accepted = True
            aio_bh_schedule_oneshot(self._tell_of_client, accepted)

    def _tell_of_client(self, client: socket.socket) -> None:
        if self.closing:
            client.close()
            return
        self.connect(client)
        self.accepted = False
        self.on_client(client)

    def _receive(self, client: socket.socket) -> None:
        fds: list[int] = []
        try:
            if client.family == socket.AF_UNIX:
                data, fds, _, _ = socket.recv_fds(client, READ_SIZE, MAX_FDS)
            else:
                data = client.recv(READ_SIZE)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        self.may_read = False
        aio_bh_schedule_oneshot(self._tell_of_data, (client, data, fds))

    def _tell_of_data(self, found: tuple[socket.socket, bytes, list[int]]) -> None:
        client, data, fds = found
        if fds:
            self.keep_fds(fds)
        if client is not self.client:
            self.keep_fds([])
            return
        if data:
            self.on_data(data)
        else:
            self.on_hangup()

    def _send(self) -> None:
        assert self.client is not None
        try:
            sent = self.client.send(self.outgoing)
        except BlockingIOError:
            sent = 0
        except OSError:
            sent = len(self.outgoing)
            if not self.may_read:  # it has gone, and reading will not tell soon
                aio_bh_schedule_oneshot(self._tell_of_data, (self.client, b"", []))
        del self.outgoing[:sent]
