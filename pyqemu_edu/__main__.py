"""`pyqemu-system-riscv64`: the command line that takes the options of QEMU (Not in QEMU: softmmu/main.c begins it)."""

from __future__ import annotations

import signal
import sys

NAME = "pyqemu-system-riscv64"


def qemu_system_main() -> int:
    """Be `qemu-system-riscv64`: its options, its output, its exit status.

    Ctrl-C ends it without a word from the first moment on, so all that takes time is imported behind that.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    from pyqemu_edu import modules
    from pyqemu_edu.os_posix import os_block_signals
    from pyqemu_edu.process import Process, standard_output
    from pyqemu_edu.qom.zoo import run_program_constructors
    from pyqemu_edu.softmmu.main import main as qemu_main

    os_block_signals()
    name = NAME if sys.argv[0].endswith("__main__.py") else sys.argv[0]
    stdout, stderr = standard_output(1), standard_output(2)
    modules.link()
    with Process([name, *sys.argv[1:]], stdout=stdout, stderr=stderr) as process:
        run_program_constructors()
        return qemu_main(process.argv)


if __name__ == "__main__":
    sys.exit(qemu_system_main())
