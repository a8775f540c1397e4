"""Choosing and starting an accelerator: who executes the guest's instructions (QEMU softmmu/vl.c)."""

from __future__ import annotations

import errno
import os

from pyqemu_edu.accel.accel_common import TYPE_ACCEL, AccelState
from pyqemu_edu.accel.accel_softmmu import accel_find, accel_init_machine, current_accel_name
from pyqemu_edu.hw.core.machine import current_machine
from pyqemu_edu.process import current_process
from pyqemu_edu.qom.globals import object_apply_compat_props
from pyqemu_edu.qom.klass import object_check
from pyqemu_edu.qom.object import object_new_with_class
from pyqemu_edu.qom.property import object_property_parse
from pyqemu_edu.qom.struct import Object
from pyqemu_edu.softmmu.globals import statics
from pyqemu_edu.softmmu.icount import icount_configure
from pyqemu_edu.util.config import qemu_find_opts
from pyqemu_edu.util.error import QemuExit, error_fatal, error_report
from pyqemu_edu.util.option import QemuOpts, qemu_opt_get, qemu_opts_foreach
from pyqemu_edu.util.option_parse import qemu_opts_parse_noisily


def configure_accelerators(progname: str) -> None:
    """Start the first accelerator of those asked for that can be started."""
    qemu_opts_foreach(qemu_find_opts("icount"), do_configure_icount)
    accels = qemu_find_opts("accel")
    failures: list[str] = []
    if not accels.head:
        if statics().accelerators is None:
            statics().accelerators = default_accelerators(progname)
        failures += expand_accelerators(statics().accelerators or "")
    elif statics().accelerators is not None:
        error_report('The -accel and "-machine accel=" options are incompatible')
        raise QemuExit(1)
    if not qemu_opts_foreach(accels, lambda opts: do_configure_accelerator(opts, failures)):
        if not failures:
            error_report("no accelerator found")
        raise QemuExit(1)
    if failures:
        error_report(f"falling back to {current_accel_name()}")


def do_configure_icount(opts: QemuOpts) -> None:
    """Look at `-icount`."""
    with error_fatal():
        icount_configure(opts)


def replay_configure(opts: QemuOpts) -> None:
    """`-icount rr=record|replay`: left out, and said so, when all else is right (QEMU replay/replay.c)."""
    rr, fname = qemu_opt_get(opts, "rr"), qemu_opt_get(opts, "rrfile")
    if rr is None:
        return
    if rr not in ("record", "replay"):
        error_report(f"Invalid icount rr option: {rr}")
    elif not fname:
        error_report("File name not specified for replay")
    elif rr == "replay" and not os.path.exists(fname):
        current_process().stderr.write(f"Replay: open {fname}: {os.strerror(errno.ENOENT)}\n")
    else:
        error_report(f"rr={rr}: record and replay are not built into this QEMU")
    raise QemuExit(1)


def default_accelerators(progname: str) -> str:
    """What is tried when nobody says; a program called `…kvm` prefers that."""
    names = ("kvm", "tcg") if os.path.basename(progname).endswith("kvm") else ("tcg", "kvm")
    found = [name for name in names if accel_find(name)]
    if not found:
        error_report("No accelerator selected and no default accelerator available")
        raise QemuExit(1)
    return ":".join(found)


def expand_accelerators(accelerators: str) -> list[str]:
    """Turn `-machine accel=a:b` into `-accel a -accel b`; the names that are none."""
    failures = []
    for name in accelerators.split(":") if accelerators else ():
        if accel_find(name):
            qemu_opts_parse_noisily(qemu_find_opts("accel"), name, True)
        else:
            failures.append(name)
            error_report(f"invalid accelerator {name}")
    return failures


def do_configure_accelerator(opts: QemuOpts, failures: list[str]) -> bool:
    """Make one accelerator and have it start the machine; false, and a name in `failures`, if that fails."""
    acc = qemu_opt_get(opts, "accel") or ""
    ac = accel_find(acc)
    if ac is None:
        failures.append(acc)
        error_report(f"invalid accelerator {acc}")
        return False
    accel = object_check(object_new_with_class(ac), AccelState, TYPE_ACCEL)
    with error_fatal():
        object_apply_compat_props(accel)
        accelerator_set_properties(accel, opts)
    ret: int = accel_init_machine(accel, current_machine())
    if ret < 0:
        failures.append(acc)
        error_report(f"failed to initialize {acc}: {os.strerror(-ret)}")
    return ret >= 0


def accelerator_set_properties(accel: Object, opts: QemuOpts) -> None:
    """Set what stands behind the name (in QEMU `accelerator_set_property`)."""
    for opt in opts:
        if opt.name != "accel":
            object_property_parse(accel, opt.name, opt.str)
