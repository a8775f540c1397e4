"""Open files that a client passes over its socket: kept under a name, or in numbered sets (QEMU monitor/misc.c)."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import Any

from pyqemu_edu.chardev.char_fe import qemu_chr_fe_get_msgfd
from pyqemu_edu.monitor.monitor import Monitor, monitor_cur
from pyqemu_edu.process import per_process
from pyqemu_edu.softmmu.runstate_transitions import runstate_is_running
from pyqemu_edu.util.error import QemuError


@dataclass(eq=False)
class MonFdsetFd:
    """A file in a set, what its owner calls it, and whether it is to go."""

    fd: int
    opaque: str | None
    removed: bool = False


@dataclass(eq=False)
class Statics:
    """The sets by number, in each the oldest file first."""

    mon_fdsets: dict[int, list[MonFdsetFd]] = field(default_factory=dict)


statics = per_process(Statics)


def passed_fd() -> int:
    """The file that came with this command; `QemuError` if none did (Not in QEMU as a function)."""
    fd = qemu_chr_fe_get_msgfd(monitor_cur().chr)
    if fd == -1:
        raise QemuError("No file descriptor supplied via SCM_RIGHTS")
    return fd


# --- under a name


def qmp_getfd(fdname: str) -> None:
    """Keep the file under a name, in place of one that had it."""
    fd = passed_fd()
    if fdname[:1].isdecimal():
        os.close(fd)
        raise QemuError("Parameter 'fdname' expects a name not starting with a digit")
    fds = monitor_cur().fds
    if fdname in fds:
        os.close(fds[fdname])
    fds[fdname] = fd


def qmp_closefd(fdname: str) -> None:
    """Close the file of that name."""
    fds = monitor_cur().fds
    if fdname not in fds:
        raise QemuError(f"File descriptor named '{fdname}' not found")
    os.close(fds.pop(fdname))


def monitor_get_fd(mon: Monitor, fdname: str) -> int:
    """The file of that name, which is the caller's from now on."""
    if fdname not in mon.fds:
        raise QemuError(f"File descriptor named '{fdname}' has not been found")
    return mon.fds.pop(fdname)


# --- in sets


def qmp_add_fd(fdset_id: int | None = None, opaque: str | None = None) -> dict[str, int]:
    """Put the file into a set, without a number into a new one."""
    fd = passed_fd()
    sets = statics().mon_fdsets
    if fdset_id is None:
        fdset_id = next(number for number in range(len(sets) + 1) if number not in sets)
    elif fdset_id < 0:
        os.close(fd)
        raise QemuError("Parameter 'fdset-id' expects a non-negative value")
    sets.setdefault(fdset_id, []).append(MonFdsetFd(fd, opaque))
    return {"fdset-id": fdset_id, "fd": fd}


def qmp_remove_fd(fdset_id: int, fd: int | None = None) -> None:
    """Take one file out of a set, or all."""
    chosen = [each for each in statics().mon_fdsets.get(fdset_id, ()) if fd in (None, each.fd)]
    if not chosen:
        name = f"fdset-id:{fdset_id}" + ("" if fd is None else f", fd:{fd}")
        raise QemuError(f"File descriptor named '{name}' not found")
    for each in chosen:
        each.removed = True
    monitor_fdset_cleanup(fdset_id)


def monitor_fdset_cleanup(fdset_id: int) -> None:
    """Close what was removed, and forget a set that is empty; a machine that stands still keeps all."""
    if not runstate_is_running():
        return
    sets = statics().mon_fdsets
    for each in [each for each in sets[fdset_id] if each.removed]:
        os.close(each.fd)
        sets[fdset_id].remove(each)
    if not sets[fdset_id]:
        del sets[fdset_id]


def qmp_query_fdsets() -> list[dict[str, Any]]:
    """Each set, the one of the highest number first."""
    sets = statics().mon_fdsets
    return [{"fdset-id": number, "fds": [described(each) for each in sets[number]]} for number in sorted(sets)[::-1]]


def described(each: MonFdsetFd) -> dict[str, Any]:
    """One file of a set (in QEMU a part of `qmp_query_fdsets`)."""
    return {"fd": each.fd} | ({} if each.opaque is None else {"opaque": each.opaque})


# --- handed on


def qmp_add_client(protocol: str, fdname: str, skipauth: bool = False, tls: bool = False) -> None:
    """Let somebody whose connection was passed use a display or a character device (QEMU monitor/qmp-cmds.c)."""
    fd = monitor_get_fd(monitor_cur(), fdname)
    os.close(fd)
    raise QemuError(f"'{protocol}' connections cannot be taken over by this model of QEMU")
