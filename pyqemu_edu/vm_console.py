"""The guest's console as the front door hears it and types on it (Not in QEMU)."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from contextlib import contextmanager

from pyqemu_edu.chardev.char import qemu_chr_find
from pyqemu_edu.chardev.chardev import chardev_write, qemu_chr_be_push
from pyqemu_edu.process import Process, current_process
from pyqemu_edu.softmmu.runstate import vm_stop
from pyqemu_edu.softmmu.runstate_transitions import RunState, runstate_is_running
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.main_loop import aio_bh_schedule_oneshot

CONSOLE = "serial0"


def collect_output(process: Process) -> bytearray:
    """What the guest writes to its console from now on: the bytes appear here as they come."""
    data, ours = bytearray(), weakref.ref(process)

    def written(event: Event, label: str, chunk: bytes) -> None:
        if label == CONSOLE and current_process() is ours():
            data.extend(chunk)

    chardev_write.append(written)
    weakref.finalize(process, chardev_write.remove, written)
    return data


@contextmanager
def stop_at_text(output: bytearray, text: bytes) -> Iterator[None]:
    """Have the machine stopped when `text` has been written behind what is in `output` now."""
    start, ours = len(output), current_process()

    def written(event: Event, label: str, chunk: bytes) -> None:
        if current_process() is ours and text in output[max(start, len(output) - len(chunk) - len(text)) :]:
            vm_stop(RunState.PAUSED)

    chardev_write.append(written)
    try:
        yield
    finally:
        chardev_write.remove(written)


def type_on_console(text: str) -> None:
    """Give `text` to the guest, by the main loop if that runs; what there is no room for waits until there is."""
    chardev = qemu_chr_find(CONSOLE)
    assert chardev is not None, "the machine has no console"
    typed = text.encode("utf-8", "surrogateescape")
    if runstate_is_running():
        aio_bh_schedule_oneshot(lambda _: qemu_chr_be_push(chardev, typed))
    else:
        qemu_chr_be_push(chardev, typed)
