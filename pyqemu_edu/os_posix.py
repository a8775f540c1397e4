"""Signals that end the program (QEMU os-posix.c).

C's handlers learn who has sent a signal, Python's do not.  So the signals are blocked, and a thread waits for them.
One that comes before the machine is built is served when it is built; C's program dies of it at once.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager

from pyqemu_edu.process import per_process, thread_in_process
from pyqemu_edu.softmmu.runstate import qemu_system_killed

TERMINATING = frozenset({signal.SIGINT, signal.SIGHUP, signal.SIGTERM})


class Statics:
    def __init__(self) -> None:
        self.waiter: threading.Thread | None = None
        self.finished = False


statics = per_process(Statics)


@contextmanager
def os_signals_blocked() -> Iterator[None]:
    """Keep the signals for `os_setup_signal_handling`; only a process that owns Python's main thread gets any."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, TERMINATING)
    try:
        yield
    finally:
        _end_waiting()
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


def os_setup_signal_handling() -> None:
    """From now on the signals end the machine."""
    if signal.pthread_sigmask(signal.SIG_BLOCK, ()) >= TERMINATING:
        waiter = statics().waiter = thread_in_process(_wait_for_signals, statics(), name="signals")
        waiter.start()


def _wait_for_signals(s: Statics) -> None:
    while not s.finished:
        info = signal.sigwaitinfo(TERMINATING)
        if not s.finished:
            termsig_handler(info.si_signo, info.si_pid)


def termsig_handler(signo: int, pid: int) -> None:
    """Somebody wants the program to end."""
    qemu_system_killed(signo, pid)


def _end_waiting() -> None:
    """Leave no thread behind that would take signals from whoever runs next in this interpreter."""
    s = statics()
    s.finished = True
    if s.waiter and s.waiter.ident:
        signal.pthread_kill(s.waiter.ident, signal.SIGTERM)
        s.waiter.join()
