"""A boot in thirty lines, for the tests of recordings and views (QEMU softmmu/vl.c).

It is loaded as a module of the package, so that a recording takes it for one that mirrors QEMU.
"""

from __future__ import annotations

from pyqemu_edu.process import thread_in_process
from pyqemu_edu.trace.event import Event
from pyqemu_edu.util.error import QemuError

type_new = Event.all["toy_type"] if "toy_type" in Event.all else Event("toy_type", "name", "parent")


class Board:
    def __init__(self, name: str) -> None:
        self.name = name


def qemu_init(words: list[str]) -> Board:
    for word in words:
        type_register(word, "object")
    board = select_machine(words[0])
    qemu_init_vcpu(board)
    return board


def type_register(name: str, parent: str | None) -> None:
    if type_new:
        type_new(name, parent)


def select_machine(name: str) -> Board:
    try:
        find_machine("nosuch")
    except QemuError:
        return find_machine(name)
    raise AssertionError


def find_machine(name: str) -> Board:
    """(QEMU hw/core/machine.c)"""
    if name == "nosuch":
        raise QemuError("unsupported machine type")
    return Board(name)


def qemu_init_vcpu(board: Board) -> None:
    thread = thread_in_process(cpu_thread_fn, board, name="CPU 0/TCG")
    thread.start()
    thread.join()


def cpu_thread_fn(board: Board) -> None:
    type_register(board.name + "-cpu", None)


def squares() -> list[int]:
    return [_square(n) for n in range(3)]


def _square(n: int) -> int:
    return n * n
