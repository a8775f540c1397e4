"""Starting, stopping, resetting and ending a machine; the main loop (QEMU softmmu/runstate.c, softmmu/cpus.c).

Other threads only *request*: a flag is set and the main loop woken, which then does it under the big lock.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from pyqemu_edu.block.block_backend import bdrv_close_all
from pyqemu_edu.hw.core.boards import MachineClass
from pyqemu_edu.hw.core.cpu import CPUState
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.hw.core.reset import qemu_devices_reset
from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.accel_ops import cpus_get_accel
from pyqemu_edu.softmmu.cpu_timers import cpu_disable_ticks, cpu_enable_ticks
from pyqemu_edu.softmmu.cpus import (
    cpu_stop_current,
    cpu_synchronize_all_post_reset,
    cpu_synchronize_all_states,
    cpus_are_resettable,
    cpus_shutdown,
    pause_all_vcpus,
    qemu_in_vcpu_thread,
    raise_failure,
    resume_all_vcpus,
)
from pyqemu_edu.softmmu.globals import gdb_exit
from pyqemu_edu.softmmu.runstate_transitions import (
    RunState,
    ShutdownCause,
    runstate_check,
    runstate_is_running,
    runstate_set,
    shutdown_caused_by_guest,
    vm_state_notify,
)
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import error_report
from pyqemu_edu.util.main_loop import main_loop_wait, qemu_notify_event

Notifier = Callable[[Any], None]

qemu_system_shutdown_request_event = Event("qemu_system_shutdown_request", "reason")
qemu_system_powerdown_request_event = Event("qemu_system_powerdown_request")
qapi_event_send_stop = Event("STOP")
qapi_event_send_resume = Event("RESUME")
qapi_event_send_reset = Event("RESET", "guest", "reason")
qapi_event_send_shutdown = Event("SHUTDOWN", "guest", "reason")
qapi_event_send_powerdown = Event("POWERDOWN")


class Statics:
    def __init__(self) -> None:
        self.vmstop_lock = threading.Lock()
        self.vmstop_requested: RunState | None = None
        self.reset_requested = ShutdownCause.NONE
        self.shutdown_requested = ShutdownCause.NONE
        self.shutdown_signal = 0
        self.shutdown_pid = 0
        self.powerdown_requested = False
        self.debug_requested = False
        self.debug_cpu: CPUState | None = None
        self.reboot_action = "reset"
        self.watchdog_action = "reset"
        self.shutdown_action = "poweroff"
        self.panic_action = "shutdown"
        self.exit_notifiers: list[Notifier] = []
        self.powerdown_notifiers: list[Notifier] = []
        self.shutdown_notifiers: list[Notifier] = []


statics = per_process(Statics)


# Starting and stopping


def do_vm_stop(state: RunState, send_stop: bool) -> None:
    """Stop the machine and its time, and tell everybody (QEMU softmmu/cpus.c)."""
    if runstate_is_running():
        runstate_set(state)
        cpu_disable_ticks()
        pause_all_vcpus()
        vm_state_notify(False, state)
        if send_stop and qapi_event_send_stop:
            qapi_event_send_stop()


def vm_stop(state: RunState) -> None:
    """Stop the machine, from a vCPU thread by request (QEMU softmmu/cpus.c)."""
    if qemu_in_vcpu_thread():
        qemu_system_vmstop_request(state)
        cpu_stop_current()
    else:
        do_vm_stop(state, True)


def vm_shutdown() -> None:
    """Stop the machine for good (QEMU softmmu/cpus.c)."""
    do_vm_stop(RunState.SHUTDOWN, False)


def vm_prepare_start(step_pending: bool) -> bool:
    """Set time and state going, the vCPUs not yet; false if they are running already (QEMU softmmu/cpus.c)."""
    requested = qemu_vmstop_requested()
    if runstate_is_running():
        if requested is not None:
            _send_stop_and_resume()
        return False
    synchronize_pre_resume = cpus_get_accel().synchronize_pre_resume
    if synchronize_pre_resume:
        synchronize_pre_resume(step_pending)
    if qapi_event_send_resume:
        qapi_event_send_resume()
    cpu_enable_ticks()
    runstate_set(RunState.RUNNING)
    vm_state_notify(True, RunState.RUNNING)
    return True


def _send_stop_and_resume() -> None:
    if qapi_event_send_stop:
        qapi_event_send_stop()
    if qapi_event_send_resume:
        qapi_event_send_resume()


def vm_start() -> None:
    """Let the machine run (QEMU softmmu/cpus.c)."""
    if vm_prepare_start(False):
        resume_all_vcpus()


# Requests


def qemu_vmstop_requested() -> RunState | None:
    """The state in which somebody wants the machine stopped; asking takes the request away."""
    s = statics()
    with s.vmstop_lock:
        state, s.vmstop_requested = s.vmstop_requested, None
    return state


def qemu_system_vmstop_request(state: RunState) -> None:
    """Have the main loop stop the machine.  In C `..._prepare` takes the lock first; here one call does both."""
    with statics().vmstop_lock:
        statics().vmstop_requested = state
    qemu_notify_event()


def qemu_system_reset_request(reason: ShutdownCause) -> None:
    """Have the main loop reset the machine, or end it if `-no-reboot` says so."""
    s = statics()
    if s.reboot_action == "shutdown" and reason != ShutdownCause.SUBSYSTEM_RESET:
        s.shutdown_requested = reason
    elif not cpus_are_resettable():
        error_report("cpus are not resettable, terminating")
        s.shutdown_requested = reason
    else:
        s.reset_requested = reason
    cpu_stop_current()
    qemu_notify_event()


def qemu_system_shutdown_request(reason: ShutdownCause) -> None:
    """Have the main loop end the process."""
    if qemu_system_shutdown_request_event:
        qemu_system_shutdown_request_event(reason)
    statics().shutdown_requested = reason
    qemu_notify_event()


def qemu_system_killed(signal: int, pid: int) -> None:
    """Process `pid` ends this one by a signal."""
    s = statics()
    s.shutdown_signal, s.shutdown_pid = signal, pid
    s.shutdown_action = "poweroff"
    s.shutdown_requested = ShutdownCause.HOST_SIGNAL
    qemu_notify_event()


def qemu_system_powerdown_request() -> None:
    """Have the main loop press the power button."""
    if qemu_system_powerdown_request_event:
        qemu_system_powerdown_request_event()
    statics().powerdown_requested = True
    qemu_notify_event()


def qemu_system_debug_request() -> None:
    """Have the main loop stop the machine for a debugger."""
    statics().debug_requested = True
    qemu_notify_event()


def cpu_handle_guest_debug(cpu: CPUState) -> None:
    """A vCPU has come to a breakpoint or made its single step (QEMU softmmu/cpus.c)."""
    statics().debug_cpu = cpu
    qemu_system_debug_request()
    cpu.stopped = True


# What the main loop does about them


def qemu_system_reset(reason: ShutdownCause) -> None:
    """Reset the machine: what its class says, else every registered handler."""
    machine = current_machine()
    cpu_synchronize_all_states()
    mc = machine.klass if machine else None
    assert mc is None or isinstance(mc, MachineClass)
    if mc and mc.reset:
        mc.reset(machine, reason)
    else:
        qemu_devices_reset(reason)
    silent = (ShutdownCause.NONE, ShutdownCause.SUBSYSTEM_RESET, ShutdownCause.SNAPSHOT_LOAD)
    if reason not in silent and qapi_event_send_reset:
        qapi_event_send_reset(shutdown_caused_by_guest(reason), reason)
    cpu_synchronize_all_post_reset()


def qemu_system_shutdown(cause: ShutdownCause) -> None:
    """Tell everybody that the machine ends."""
    if qapi_event_send_shutdown:
        qapi_event_send_shutdown(shutdown_caused_by_guest(cause), cause)
    for notify in statics().shutdown_notifiers:
        notify(cause)


def qemu_system_powerdown() -> None:
    """Tell everybody that the power button was pressed."""
    if qapi_event_send_powerdown:
        qapi_event_send_powerdown()
    for notify in statics().powerdown_notifiers:
        notify(None)


def qemu_kill_report() -> None:
    """Say which signal it was, and who sent it; nobody did if it came from a terminal."""
    signal, statics().shutdown_signal = statics().shutdown_signal, 0
    pid = statics().shutdown_pid
    if signal and pid:
        error_report(f"terminating on signal {signal} from pid {pid} ({qemu_get_pid_name(pid)})")
    elif signal:
        error_report(f"terminating on signal {signal}")


def qemu_get_pid_name(pid: int) -> str:
    """The first word of a process's command line (QEMU util/oslib-posix.c)."""
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().partition(b"\0")[0].decode(errors="replace")
    except OSError:
        return "<unknown process>"


def _take(name: str, nothing: Any) -> Any:
    s = statics()
    value = getattr(s, name)
    setattr(s, name, nothing)
    return value


def _reset_now(request: ShutdownCause) -> None:
    pause_all_vcpus()
    qemu_system_reset(request)
    resume_all_vcpus()
    if not any(map(runstate_check, (RunState.RUNNING, RunState.INMIGRATE, RunState.FINISH_MIGRATE))):
        runstate_set(RunState.PRELAUNCH)


def main_loop_should_exit() -> int | None:
    """Do what has been requested; the exit status if the process is to end."""
    raise_failure()
    if _take("debug_requested", False):
        vm_stop(RunState.DEBUG)
    request: ShutdownCause = _take("shutdown_requested", ShutdownCause.NONE)
    if request:
        qemu_kill_report()
        qemu_system_shutdown(request)
        if statics().shutdown_action != "pause":
            return int(request == ShutdownCause.GUEST_PANIC and statics().panic_action == "exit-failure")
        vm_stop(RunState.SHUTDOWN)
    request = _take("reset_requested", ShutdownCause.NONE)
    if request:
        _reset_now(request)
    if _take("powerdown_requested", False):
        qemu_system_powerdown()
    requested = qemu_vmstop_requested()
    if requested is not None:
        vm_stop(requested)
    return None


def qemu_main_loop() -> int:
    """Serve the machine until somebody ends it; the exit status."""
    while (status := main_loop_should_exit()) is None:
        main_loop_wait(False)
    return status


def qemu_add_exit_notifier(notify: Notifier) -> None:
    """Have `notify(None)` called when the process ends."""
    statics().exit_notifiers.append(notify)


def qemu_run_exit_notifiers() -> None:
    """Tell everybody that the process ends, the newest first."""
    notifiers = statics().exit_notifiers
    while notifiers:
        notifiers.pop()(None)


def qemu_cleanup() -> None:
    """Stop the machine and leave no thread behind; C leaves the threads to exit()."""
    for tell in gdb_exit:
        tell(0)
    vm_shutdown()
    bdrv_close_all()
    cpus_shutdown()
    qemu_run_exit_notifiers()
