"""Letting the machine go on for a debugger (QEMU gdbstub/gdbstub.c)."""

from __future__ import annotations

from pyqemu_edu.cpu import cpu_single_step
from pyqemu_edu.cpus_common import CPU_FOREACH
from pyqemu_edu.gdbstub.commands import BadParameter, read_thread_id, strtoul
from pyqemu_edu.gdbstub.state import PID, GDBState, gdb_get_cpu
from pyqemu_edu.hw.core.cpu import CPU_GET_CLASS, CPUState
from pyqemu_edu.softmmu.cpus import cpu_resume
from pyqemu_edu.softmmu.runstate import vm_prepare_start, vm_start
from pyqemu_edu.softmmu.runstate_transitions import runstate_needs_reset
from pyqemu_edu.util.timer import QEMU_CLOCK_VIRTUAL, qemu_clock_enable


class NotSupported(Exception):
    """An action that nobody here knows (C `-ENOTSUP`)."""


class BadAction(Exception):
    """An action on something that there is not (C `-EINVAL`)."""


def gdb_set_cpu_pc(s: GDBState, pc: int) -> None:
    """Go on from somewhere else."""
    assert s.c_cpu is not None
    set_pc = CPU_GET_CLASS(s.c_cpu).set_pc
    assert set_pc is not None
    set_pc(s.c_cpu, pc)


def gdb_continue() -> None:
    """Let all CPUs run."""
    if not runstate_needs_reset():
        vm_start()


def gdb_handle_vcont(s: GDBState, text: str) -> None:
    """Let each CPU do the first of the actions that is for it; `NotSupported`, `BadAction`."""
    newstates: dict[CPUState, str] = {}
    for part in text.split(";")[1:] if text.startswith(";") else [""]:
        action, thread = action_of(part)
        for cpu in cpus_meant(s, thread):
            newstates.setdefault(cpu, action)
    gdb_continue_partial(s, newstates)


def action_of(part: str) -> tuple[str, str]:
    """What to do, and whom it is for (in QEMU a part of `gdb_handle_vcont`)."""
    action, thread = part[:1], part[1:]
    if action not in tuple("cCsS"):
        raise NotSupported
    if action in "CS":
        try:
            _, thread = strtoul(thread)
        except BadParameter:
            raise BadAction from None
    if thread and not thread.startswith(":"):
        raise NotSupported
    return action.lower(), thread[1:]


def cpus_meant(s: GDBState, thread: str) -> list[CPUState]:
    """The CPUs that an action is for (in QEMU a part of `gdb_handle_vcont`)."""
    if not thread:
        return list(CPU_FOREACH())
    found, _ = read_thread_id(thread)
    if found is None or (found.pid not in (-1, 0, PID)):
        raise BadAction
    if not found.is_one:
        return list(CPU_FOREACH())
    cpu = gdb_get_cpu(s, found.pid, found.tid)
    if cpu is None:
        raise BadAction
    return [cpu]


def gdb_continue_partial(s: GDBState, newstates: dict[CPUState, str]) -> None:
    """Let some CPUs run or make a step; the others stand still."""
    if runstate_needs_reset() or not vm_prepare_start("s" in newstates.values()):
        return
    for cpu, action in newstates.items():
        if action == "s":
            cpu_single_step(cpu, s.sstep_flags)
        cpu_resume(cpu)
    qemu_clock_enable(QEMU_CLOCK_VIRTUAL, True)
