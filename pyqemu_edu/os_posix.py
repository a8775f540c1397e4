"""Signals that end the program (QEMU os-posix.c).

C's handlers learn who has sent a signal, Python's do not.  So the signals are blocked, and a thread waits for them.
One that comes before the machine is built is served when it is built; C's program dies of it at once.
"""

from __future__ import annotations

import signal

from pyqemu_edu.process import thread_in_process
from pyqemu_edu.softmmu.runstate import qemu_system_killed

TERMINATING = frozenset({signal.SIGINT, signal.SIGHUP, signal.SIGTERM})


def os_block_signals() -> None:
    """Keep the signals for `os_setup_signal_handling`, as a program does and a library must not (Not in QEMU)."""
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_BLOCK, TERMINATING)


def os_setup_signal_handling() -> None:
    """From now on the signals end the machine, if they were kept (in C `qemu_init_displays` calls this)."""
    if signal.pthread_sigmask(signal.SIG_BLOCK, ()) >= TERMINATING:
        thread_in_process(_wait_for_signals, name="signals").start()


def _wait_for_signals() -> None:
    while True:
        info = signal.sigwaitinfo(TERMINATING)
        termsig_handler(info.si_signo, info.si_pid)


def termsig_handler(signo: int, pid: int) -> None:
    """Somebody wants the program to end."""
    qemu_system_killed(signo, pid)
