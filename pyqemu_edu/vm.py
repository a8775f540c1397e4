"""The front door: a QEMU command line as one Python object (Not in QEMU).

    vm = Qemu("-machine spike -smp 2 -kernel hello.elf")   # parsed, built, reset; stopped, as with -S
    vm.run()                                               # until the guest ends, a breakpoint, or a budget
    vm.console, vm.trace, vm.qom["/machine/soc0/harts[0]"]

The process, its machine and its vCPU threads are the real ones; this class only holds them together.
"""

from __future__ import annotations

import io
import shlex
import threading
import weakref
from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import Context
from functools import partial
from typing import TYPE_CHECKING, cast

from pyqemu_edu import modules
from pyqemu_edu.accel.tcg.tcg_cpus import cpu_set_instruction_budget
from pyqemu_edu.block.block_backend import bdrv_close_all
from pyqemu_edu.cpu import (
    cpu_breakpoint_insert,
    cpu_breakpoint_remove,
    cpu_single_step,
    cpu_watchpoint_insert,
    cpu_watchpoint_remove_all,
)
from pyqemu_edu.cpus_common import CPU_FOREACH
from pyqemu_edu.hw.core.cpu import (
    BP_GDB,
    BP_MEM_READ,
    BP_MEM_WRITE,
    BP_STOP_BEFORE_ACCESS,
    SSTEP_ENABLE,
    SSTEP_NOIRQ,
    SSTEP_NOTIMER,
    CPUState,
)
from pyqemu_edu.hw.core.machine import MachineState, current_machine
from pyqemu_edu.io.watch import close_watches
from pyqemu_edu.process import Process, thread_in_process
from pyqemu_edu.qom.path import object_resolve_path
from pyqemu_edu.qom.struct import Object, TypeInfo
from pyqemu_edu.qom.zoo import Population, run_program_constructors, type_constructor
from pyqemu_edu.softmmu.cpus import cpu_resume, cpus_shutdown
from pyqemu_edu.softmmu.runstate import (
    main_loop_should_exit,
    qemu_cleanup,
    qemu_system_vmstop_request,
    qemu_vmstop_requested,
    vm_prepare_start,
    vm_start,
)
from pyqemu_edu.softmmu.runstate_transitions import RunState, runstate_get, runstate_is_running
from pyqemu_edu.softmmu.vl import qemu_init
from pyqemu_edu.target.riscv.cpu_state import RISCVCPU
from pyqemu_edu.trace.log import Log
from pyqemu_edu.trace.recorder import Recorder, Stopped
from pyqemu_edu.util.error import QemuExit
from pyqemu_edu.util.main_loop import main_loop_wait, qemu_mutex_take_over
from pyqemu_edu.util.module import run_constructors
from pyqemu_edu.util.timer import QEMU_CLOCK_REALTIME, qemu_clock_get_ms, timer_del, timer_mod, timer_new_ms
from pyqemu_edu.view.composition import composition_tree, object_properties
from pyqemu_edu.view.console import console
from pyqemu_edu.view.figure import Figure
from pyqemu_edu.view.hart import show_harts_as_tables
from pyqemu_edu.view.pagewalk import page_walk
from pyqemu_edu.view.terminal import Terminal
from pyqemu_edu.vm_console import collect_output, stop_at_text, type_on_console

if TYPE_CHECKING:
    from pyqemu_edu.real.comparison import Comparison

PROGRAM = "qemu-system-riscv64"


class CommandLineError(Exception):
    """QEMU ended before there was a machine: its exit status, what it printed, and what was there by then."""

    def __init__(self, status: int, text: str, vm: Qemu) -> None:
        super().__init__(text)
        self.status = status
        self.vm = vm


class Qemu:
    """A QEMU, built and reset when this returns, and stopped, as with `-S`.

    `record` says whether building the machine is recorded; `types="modelled"` leaves out the types that are known by
    name only; `with_types` are types of one's own, known to this machine and to no other; `stop_before` names a
    function of QEMU's before which all stops, so that one can look around.  `CommandLineError` says that the command
    line did not lead to a machine.
    """

    def __init__(
        self,
        command_line: str | Sequence[str],
        *,
        record: bool = True,
        types: Population = "all",
        with_types: Sequence[TypeInfo] = (),
        stop_before: str = "",
    ) -> None:
        words = shlex.split(command_line) if isinstance(command_line, str) else list(command_line)
        self.stdout, self.stderr = io.StringIO(), io.StringIO()
        self.process = Process([PROGRAM, "-S", *words], stdin=io.StringIO(), stdout=self.stdout, stderr=self.stderr)
        self.recorder = Recorder(self.process, stop_before=stop_before)
        self.output = collect_output(self.process)
        self.exit_status: int | None = None
        self.stopped_before = ""
        self._background: list[threading.Thread] = []
        self.close = weakref.finalize(self, Context().run, _end_threads, self.process, self._background)
        self._build(record or bool(stop_before), types, with_types)

    def _build(self, record: bool, types: Population, with_types: Sequence[TypeInfo]) -> None:
        modules.link()
        show_harts_as_tables()
        try:
            with self._working(record):
                run_program_constructors(types)
                run_constructors([type_constructor(with_types)] if with_types else [])
                qemu_init(self.process.argv)
        except Stopped as stop:
            self.stopped_before = str(stop)
        except QemuExit as end:
            self.exit_status = end.status
            self.close()
            raise CommandLineError(end.status, self.stderr.getvalue() or self.stdout.getvalue(), self) from None

    # --- running ---

    def run(
        self,
        *,
        until: int | str | None = None,
        budget: int | None = None,
        seconds: float | None = None,
        record: bool = False,
    ) -> Qemu:
        """Let the guest run until it ends, a hart has executed `budget` instructions, or time is up.

        It also stops when a pc is `until`, or, if that is a text, when the guest has written it from now on; and before
        an access that is watched.  A hart that stands at `until` or before such an access already first leaves it, as
        with a debugger's breakpoint.  A hart that sleeps executes nothing: where nobody may wake it, only `seconds` end
        the run.  What has ended stays as it is.
        """
        self._stands_still()
        if self.exit_status is not None:
            return self
        for number, hart in enumerate(self.harts):
            if hart.env.pc == until or hart.watchpoint_hit:
                self.step(hart=number, record=record)
        with self._working(record), self._stopping_at(until), _alarm(seconds):
            for cpu in CPU_FOREACH():
                cpu_set_instruction_budget(cpu, budget)
            vm_start()
            self._serve(runstate_is_running)
        return self

    def step(self, count: int = 1, hart: int = 0, *, record: bool = False) -> Qemu:
        """Execute `count` instructions on one hart while the others stand still.

        Interrupts wait meanwhile.  A hart that sleeps is given up after a second.  Where one thread is every hart, it
        begins with the first one, as in QEMU: before that has made a step, no other can.
        """
        self._stands_still()
        cpu = self.harts[hart]
        with self._working(record), _unwatched(cpu):
            cpu_single_step(cpu, SSTEP_ENABLE | SSTEP_NOIRQ | SSTEP_NOTIMER)
            for _ in range(count):
                if self.exit_status is None and vm_prepare_start(True):
                    cpu_resume(cpu)
                    with _alarm(1):
                        self._serve(runstate_is_running)
            cpu_single_step(cpu, 0)
        return self

    def watch(self, address: int, size: int = 8, access: str = "rw") -> None:
        """From now on `run` stops before a hart reads (`r`) or writes (`w`) one of `size` bytes at a virtual address.

        Which hart and which address it was tell its `watchpoint_hit`'s `hitaddr` and its pc.
        """
        flags = BP_GDB | BP_STOP_BEFORE_ACCESS | sum({"r": BP_MEM_READ, "w": BP_MEM_WRITE}[letter] for letter in access)
        with self.process:
            for cpu in CPU_FOREACH():
                cpu_watchpoint_insert(cpu, address, size, flags)

    def unwatch(self) -> None:
        """Watch nothing any more."""
        with self.process:
            for cpu in CPU_FOREACH():
                cpu_watchpoint_remove_all(cpu, BP_GDB)

    def start(self) -> Qemu:
        """Let the guest run in a thread of its own while one looks and types, until `stop` or its end."""
        self._stands_still()
        if self.exit_status is None:
            with self.process:
                self._background.append(thread_in_process(self._run_in_background, name="main loop"))
            self._background[-1].start()
        return self

    def stop(self) -> Qemu:
        """Have a guest that runs in the background stand still again."""
        _stop_background(self.process, self._background)
        return self

    def is_running(self) -> bool:
        """Does the guest run in the background?"""
        return any(thread.is_alive() for thread in self._background)

    def terminal(self) -> Terminal:
        """The guest's console to type into; the guest runs meanwhile."""
        if not self.is_running():
            self.start()
        return Terminal(self)

    def _run_in_background(self) -> None:
        qemu_mutex_take_over()
        vm_start()
        self._serve(runstate_is_running)

    def _stands_still(self) -> None:
        """Make sure that nobody else runs this machine."""
        if self.is_running():
            raise RuntimeError("the guest runs in the background: stop() it first")

    def send(self, text: str) -> None:
        """Type `text` on the guest's console; what it cannot be asked to take now waits until it can."""
        with self.process:
            type_on_console(text)

    def _serve(self, condition: Callable[[], bool]) -> None:
        """The main loop, for as long as `condition` holds and the process has not ended."""
        try:
            while condition() and self.exit_status is None:
                main_loop_wait(False)
                self.exit_status = main_loop_should_exit()
        except QemuExit as end:
            self.exit_status = end.status
        if self.exit_status is not None:
            qemu_cleanup()

    @contextmanager
    def _working(self, record: bool) -> Iterator[None]:
        recording: AbstractContextManager[object] = self.recorder if record else nullcontext()
        with self.process, recording:
            yield

    @contextmanager
    def _stopping_at(self, until: int | str | None) -> Iterator[None]:
        if isinstance(until, str):
            with stop_at_text(self.output, until.encode()):
                yield
            return
        where = [(cpu, until) for cpu in CPU_FOREACH() if until is not None]
        for cpu, pc in where:
            cpu_breakpoint_insert(cpu, pc, BP_GDB)
        try:
            yield
        finally:
            for cpu, pc in where:
                cpu_breakpoint_remove(cpu, pc, BP_GDB)

    # --- looking ---

    @property
    def machine(self) -> MachineState:
        """The machine object."""
        with self.process:
            return current_machine()

    @property
    def harts(self) -> list[RISCVCPU]:
        """The vCPUs, in order of their hart ids; `walk(address)` draws how one finds an address."""
        with self.process:
            harts = [cast(RISCVCPU, cpu) for cpu in CPU_FOREACH()]
        for hart in harts:
            hart.walk = partial(page_walk, hart)
        return harts

    @property
    def trace(self) -> Log:
        """What was recorded so far."""
        return self.recorder.log

    @property
    def console(self) -> Figure:
        """What the guest has written."""
        return console(self.output.decode(errors="replace"))

    @property
    def qom(self) -> ObjectTree:
        """The tree of objects."""
        return ObjectTree(self.process)

    @property
    def state(self) -> str:
        """QEMU's run state: `prelaunch`, `running`, `paused`, `debug`, `shutdown` …"""
        with self.process:
            return runstate_get().value

    def compare(self) -> Comparison:
        """Ask this machine, as it stands, and a real QEMU before its first instruction the same questions.

        Where no QEMU is installed, a recording answers. Raises QemuNotInstalled where there is none for these options.
        """
        from pyqemu_edu.real.comparison import compare_machine  # only here: most machines are never compared

        return compare_machine(self.process, self.process.argv[2:])

    def __repr__(self) -> str:
        words = " ".join(self.process.argv[2:])
        if self.exit_status is not None:
            return f"<Qemu {words}: ended with status {self.exit_status}>"
        return f"<Qemu {words}: {f'before {self.stopped_before}' if self.stopped_before else self.state}>"


class ObjectTree:
    """The tree of objects, looked into by path: `vm.qom["/machine/soc0"]`."""

    def __init__(self, process: Process) -> None:
        self._process = process

    def object(self, path: str) -> Object:
        """The object itself; `KeyError` where there is none, or more than one, at that path."""
        with self._process:
            found = object_resolve_path(path)
        if found is None:
            raise KeyError(path)
        return found

    def __getitem__(self, path: str) -> Figure:
        self.object(path)
        return object_properties(self._process, path)

    def tree(self, path: str = "/", depth: int = 99) -> Figure:
        """What is below `path`."""
        return composition_tree(self._process, path, depth)


@contextmanager
def _unwatched(cpu: CPUState) -> Iterator[None]:
    """Let a vCPU do what it was stopped before: a step is not stopped by what a person watches."""
    cpu.watchpoint_hit = None
    aside = [wp for wp in cpu.watchpoints if wp.flags & BP_GDB]
    cpu_watchpoint_remove_all(cpu, BP_GDB)
    try:
        yield
    finally:
        for wp in reversed(aside):
            cpu_watchpoint_insert(cpu, wp.vaddr, wp.len, wp.flags)


@contextmanager
def _alarm(seconds: float | None) -> Iterator[None]:
    """Have the machine stopped when so many seconds of the host are over."""
    if seconds is None:
        yield
        return
    timer = timer_new_ms(QEMU_CLOCK_REALTIME, qemu_system_vmstop_request, RunState.PAUSED)
    timer_mod(timer, qemu_clock_get_ms(QEMU_CLOCK_REALTIME) + round(seconds * 1000))
    try:
        yield
    finally:
        timer_del(timer)


def _stop_background(process: Process, threads: list[threading.Thread]) -> None:
    """Wait until nobody runs the machine; what was asked of it too late is forgotten."""
    with process:
        for thread in threads:
            qemu_system_vmstop_request(RunState.PAUSED)
            thread.join(10)
            qemu_vmstop_requested()
        if threads:
            qemu_mutex_take_over()
        threads.clear()


def _end_threads(process: Process, background: list[threading.Thread]) -> None:
    """Leave no thread and no socket behind.

    The garbage collector may call this in any thread, even in another machine's, and while that enters a process: so it
    is called in a context of its own.  While nobody runs a machine its big lock is with the thread that built it, and
    so has to be taken over.
    """
    _stop_background(process, background)
    with process:
        if not runstate_is_running():
            qemu_mutex_take_over()
        cpus_shutdown()
        bdrv_close_all()
        close_watches()
