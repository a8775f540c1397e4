"""Answers to the exercises of notebook 02: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb02
from pyqemu_edu.util.config import qemu_add_drive_opts, qemu_add_opts
from pyqemu_edu.util.module import Constructor, ModuleInitType
from pyqemu_edu.util.option import QemuOptsList


def nothing():
    """A function that does nothing."""


def add_coffee():
    """The answer."""
    qemu_add_opts(QemuOptsList("coffee"))


def add_coffee_twice():
    add_coffee()
    add_coffee()


def add_tea():
    """What the notebook gives."""
    qemu_add_opts(QemuOptsList("tea"))


def add_coffee_to_the_drives():
    qemu_add_drive_opts(QemuOptsList("coffee"))


FILE = "hw/riscv/spike.c"
DOOR = 191

EXERCISES = [
    (
        nb02.check_1,
        (Constructor(add_tea, ModuleInitType.TRACE),),
        (Constructor(add_coffee, ModuleInitType.OPTS),),
        [
            ((Constructor(add_coffee, ModuleInitType.QOM),), "when QOM is called, which is after OPTS"),
            ((Constructor(nothing, ModuleInitType.OPTS),), "What did it add?"),
            ((Constructor(add_tea, ModuleInitType.OPTS),), "What did it add?"),
            ((Constructor(add_coffee_to_the_drives, ModuleInitType.OPTS),), "What did it add?"),
            ((Constructor(add_coffee_twice, ModuleInitType.OPTS),), "twice"),
        ],
    ),
    (
        nb02.check_2,
        ([],),
        (["f"],),
        [
            ((["g"],), "for the first time"),
            ((["f", "g"],), "before it looks at the entries"),
            ((["f", "f", "g"],), "a second time"),
        ],
    ),
    (
        nb02.check_3,
        (1, "hw/core/cpu-common.c"),
        (DOOR, FILE),
        [
            ((DOOR - 1, FILE), "from 0"),
            ((0, FILE), "306 doors"),
            ((DOOR + 1, FILE), f"behind door {DOOR + 1}"),
            ((DOOR, "hw/core/machine.c"), "the door is right"),
        ],
    ),
]
