"""Answers to the exercises of notebook 03: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb03
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.view.types import home_slot

SIZE = nb03.SIZE
taken = nb03.type_table(nb03.fresh_process()).slots
names = [f"my-board-{n}" for n in range(50)]
lucky = next(name for name in names if taken[home_slot(name, SIZE)] is None)
crowded = next(n for n in names if taken[home_slot(n, SIZE)] and taken[home_slot(n, SIZE) + 1] is None)
home = home_slot(crowded, SIZE)
orphan = TypeInfo("my-dev", parent="my-base")

EXERCISES = [
    (
        nb03.check_1,
        (TypeInfo("my-dev", parent="device"),),
        (TypeInfo("spike-machine", parent="device"),),
        [
            ((TypeInfo("my-machine", parent="machine"),), "Its name was free"),
            ((TypeInfo("my-machine"),), "not for its name"),
            (("spike-machine",), "make a TypeInfo"),
        ],
    ),
    (
        nb03.check_2,
        (TypeInfo("my-dev", parent="device"), ""),
        (orphan, "ask for"),
        [
            ((TypeInfo("my-dev"), "register"), "names a parent"),
            ((TypeInfo("my-dev", parent="device"), "ask for"), "device is registered"),
            ((orphan, "class"), "answer with one of"),
            ((orphan, "register"), "went well"),
            ((orphan, "look up"), "went well"),
            ((orphan, "none"), "not only its name"),
            ((TypeInfo("cpu", parent="my-base"), "ask for"), "did not live to see"),
        ],
    ),
    (
        nb03.check_3,
        ("my-own-board", -1),
        (crowded, home + 1),
        [
            ((lucky, home_slot(lucky, SIZE) + SIZE), "Where does it look first"),
            ((crowded, home), "goes on, by 1"),
            ((crowded, taken.index("object")), "nobody is turned out"),
            (("spike-machine", 0), "in the table already"),
        ],
    ),
]
