"""The program: build a machine, serve it until it ends (QEMU softmmu/main.c)."""

from __future__ import annotations

from collections.abc import Sequence

from pyqemu_edu.block.block_backend import bdrv_close_all
from pyqemu_edu.io.watch import close_watches
from pyqemu_edu.os_posix import os_setup_signal_handling
from pyqemu_edu.softmmu.cpus import cpus_shutdown
from pyqemu_edu.softmmu.runstate import qemu_cleanup, qemu_main_loop
from pyqemu_edu.softmmu.vl import qemu_init
from pyqemu_edu.util.assertion import report_abort
from pyqemu_edu.util.error import QemuAbort, QemuError, QemuExit, error_report_err


def main(argv: Sequence[str]) -> int:
    """Run the current process; its exit status.

    Python has no `exit()` that leaves other threads behind: however the process ends, the vCPUs are stopped.
    """
    try:
        qemu_init(argv)
        os_setup_signal_handling()
        return qemu_default_main()
    except QemuExit as end:
        return end.status
    except QemuError as error:
        error_report_err(error)
        return 1
    except QemuAbort as abort:
        report_abort(abort)
        return abort.status
    finally:
        cpus_shutdown()
        bdrv_close_all()
        close_watches()


def qemu_default_main() -> int:
    """Serve the machine until it ends, and clean up; the exit status."""
    status = qemu_main_loop()
    qemu_cleanup()
    return status
