"""Checks for the exercises of notebook 08, "When does a CPU come alive?" (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from threading import Condition, Timer
from unittest.mock import patch

from pyqemu_edu.accel.tcg import tcg_accel_ops_mttcg as mttcg
from pyqemu_edu.hw.core.cpu import CPUState
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.process import Process, current_process
from pyqemu_edu.softmmu.cpus import statics
from pyqemu_edu.util.main_loop import qemu_mutex_lock_iothread, qemu_mutex_unlock_iothread
from pyqemu_edu.vm import Qemu

BOARD = "-machine spike -display none -bios none"


# --- exercise 1: count threads


RULES = {
    "-smp 1": "QEMU's main thread serves devices and monitors; it executes no guest code.",
    "-smp 4": "By default TCG gives threads by CPU.",
    "-smp 2,maxcpus=8": "A thread is made when a CPU is realized; a CPU that might be added one day is not.",
    "-smp 4 -accel tcg,thread=single": "The accelerator chooses who makes the threads; look at the name of ours above.",
    "-smp 4 -icount shift=0": "Counting instructions needs one order of all instructions of all CPUs.",
}


@check
def check_1(threads: Mapping[str, int]) -> str:
    """How many vCPU threads does each command line make?"""
    for line, rule in RULES.items():
        if line not in threads:
            raise NotYet(f"there is no number for {line!r}.")
        vm = Qemu(f"{BOARD} {line}", types="modelled", record=False)
        count = len({cpu.thread for cpu in vm.harts})
        vm.close()
        if threads[line] != count:
            fault = "too many" if threads[line] > count else "too few"
            raise NotYet(f"for {line!r}, {threads[line]} is {fault}. {rule}")
    return "each of these machines was built, and its threads were counted."


# --- exercise 2: who waits for whom?


SLEEPS_ON = {
    "qemu_init_vcpu": "qemu_cpu_cond",
    "qemu_wait_io_event": "halt_cond",
    "pause_all_vcpus": "qemu_pause_cond",
}
RINGS = {
    "cpu_thread_signal_created": "qemu_cpu_cond",
    "qemu_cpu_kick": "halt_cond",
    "qemu_cpu_stop": "qemu_pause_cond",
    "cpu_reset": "",
}


@check
def check_2(wakes: Mapping[str, str]) -> str:
    """For each function that sleeps, the function that wakes it."""
    for sleeper, condition in SLEEPS_ON.items():
        signal = wakes.get(sleeper, "")
        if signal not in RINGS:
            raise NotYet(f"who wakes {sleeper}? Choose one of {', '.join(RINGS)}.")
        if RINGS[signal] != condition:
            rung = f"signals {RINGS[signal]}" if RINGS[signal] else "signals nobody"
            raise NotYet(f"{sleeper} sleeps on {condition}; {signal} {rung}.")
    return "each sleeper and its waker have the same condition."


# --- exercise 3: break the signal, and mend it


LIMIT = 1.0
"""Seconds after which a boot counts as hanging."""

Signal = Callable[[CPUState, "Bell"], None]


class Bell:
    """A condition that counts how often it is rung."""

    def __init__(self, condition: Condition) -> None:
        self.condition = condition
        self.rung = 0

    def notify_all(self) -> None:
        """Wake all who sleep on it."""
        self.rung += 1
        self.condition.notify_all()


class Birth:
    """One boot with somebody's own signal in the place of `cpu_thread_signal_created`."""

    def __init__(self, signal: Signal) -> None:
        self.signal = signal
        self.process: Process | None = None
        self.cpu: CPUState | None = None
        self.bell: Bell | None = None
        self.failure: Exception | None = None
        self.seen: tuple[bool, int] | None = None

    def signal_created(self, cpu: CPUState) -> None:
        """What the vCPU thread calls, with the big lock held."""
        self.process, self.cpu, self.bell = current_process(), cpu, Bell(statics().qemu_cpu_cond)
        try:
            self.signal(cpu, self.bell)
        except Exception as failure:
            self.failure = failure

    def rescue(self) -> None:
        """Time is up: note how things stand, and let the boot go on."""
        assert self.process and self.cpu and self.bell
        with self.process:
            qemu_mutex_lock_iothread()
            self.seen = self.cpu.created, self.bell.rung
            self.cpu.created = True
            statics().qemu_cpu_cond.notify_all()
            qemu_mutex_unlock_iothread()

    def boot(self) -> None:
        """Build a machine, with a time limit."""
        watch = Timer(LIMIT, self.rescue)
        watch.start()
        try:
            with patch.object(mttcg, "cpu_thread_signal_created", self.signal_created):
                Qemu(BOARD, types="modelled", record=False).close()
        finally:
            watch.cancel()


@check
def check_3(signal: Signal) -> str:
    """Boot with `signal(cpu, bell)` in the place of `cpu_thread_signal_created`; `bell` is what `main` sleeps on."""
    birth = Birth(signal)
    birth.boot()
    if birth.failure:
        raise NotYet(f"in the vCPU thread, your function stopped with: {birth.failure!r}.")
    match birth.seen:
        case None:
            return "main woke up, looked, and went on."
        case False, 0:
            state = "The new thread is there and has told nobody."
        case True, 0:
            state = "cpu.created is true, but main sleeps and cannot look: nobody has woken it."
        case _, rung:
            state = f"main was woken ({rung}×), found cpu.created still false, and went to sleep again."
    raise NotYet(f"after {LIMIT:g} second the boot was still hanging in qemu_init_vcpu. {state}")
