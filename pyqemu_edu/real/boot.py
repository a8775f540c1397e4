"""The boot of the real QEMU as gdb wrote it down, and ours in the same form (Not in QEMU).

The recordings were made by `tests/record/boot.py`, which needs gdb and QEMU's debugging symbols.
"""

from __future__ import annotations

import gzip
import io
import json
from collections.abc import Sequence

from pyqemu_edu import modules
from pyqemu_edu.process import Process
from pyqemu_edu.qom.zoo import run_program_constructors
from pyqemu_edu.real.binary import PROGRAM, words
from pyqemu_edu.real.recordings import FOLDER
from pyqemu_edu.softmmu.main import main
from pyqemu_edu.trace.ground_truth import comparable
from pyqemu_edu.trace.log import Log
from pyqemu_edu.trace.recorder import Recorder

BOOTS = {
    "boot-spike-2": "-machine spike -smp 2",
    "boot-spike-2-single": "-machine spike -smp 2 -accel tcg,thread=single",
    "boot-virt-2": "-machine virt -smp 2",
}
BARE = "-bios none -S -display none -nodefaults -monitor stdio -serial null"
"""What every recorded command line ends in; `quit` was typed at the monitor."""


def real_boot(name: str) -> list[str]:
    """The lines of one of `BOOTS`, without what no other program can know (see `comparable`)."""
    text = gzip.decompress((FOLDER / f"{name}.txt.gz").read_bytes()).decode()
    return comparable(text.splitlines())


def boot_left_out() -> dict[str, str]:
    """The lines that the real boot has and ours has not, each with the reason."""
    left_out: dict[str, str] = json.loads((FOLDER / "boot_left_out.json").read_text())
    return left_out


def our_boot(options: str | Sequence[str]) -> Log:
    """The recording of our boot with these options and those of `BARE`, from the constructors to `quit`."""
    modules.link()
    argv = [PROGRAM, *words(options), *words(BARE)]
    process = Process(argv, stdin=io.StringIO("quit\n"), stdout=io.StringIO(), stderr=io.StringIO())
    with process, Recorder(process) as recorder:
        run_program_constructors()
        status = main(process.argv)
    assert status == 0, f"the boot ended with status {status}"
    return recorder.log
