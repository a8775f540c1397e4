"""Answers to the exercises of notebook 04: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb04
from pyqemu_edu.qom.struct import TypeInfo
from pyqemu_edu.qom.type import (
    type_add_interfaces,
    type_class_struct,
    type_get_parent,
    type_inherit_interfaces,
    type_run_base_inits,
    type_run_class_init,
    type_settle_sizes,
)
from pyqemu_edu.util.ghash import GHashTable


def attempt(parent_first=True, copy=True, interfaces=True, base=True, class_init_first=False):
    """A `type_initialize` with one thing left out."""

    def initialize(ti, type_initialize):
        type_settle_sizes(ti)
        klass = ti.klass = type_class_struct(ti)()
        parent = type_get_parent(ti)
        if parent is not None:
            parent_class = type_initialize(parent) if parent_first else type_class_struct(parent)()
            if copy:
                vars(klass).update(vars(parent_class))
            klass.interfaces = []
            if interfaces:
                type_inherit_interfaces(ti, klass, parent_class)
                type_add_interfaces(ti, klass, parent)
        klass.properties = GHashTable()
        klass.type = ti
        if class_init_first:
            type_run_class_init(ti, klass)
        if base:
            type_run_base_inits(ti, klass)
        if not class_init_first:
            type_run_class_init(ti, klass)
        return klass

    return initialize


def stub(ti, type_initialize):
    """What the notebook gives."""


EXERCISES = [
    (
        nb04.check_1,
        (stub,),
        (attempt(),),
        [
            ((attempt(parent_first=False),), "filled in only when its parent has one"),
            ((attempt(interfaces=False),), "has its interfaces before"),
            ((attempt(base=False),), "between the copy and the type's own class_init"),
            ((attempt(class_init_first=True),), "between the copy and the type's own class_init"),
            ((attempt(copy=False),), "a class begins as a copy"),
        ],
    ),
    (
        nb04.check_2,
        ("",),
        ("b",),
        [(("a",), "which CLASSINIT came first"), (("c",), "for itself"), (("d",), "count")],
    ),
    (
        nb04.check_3,
        (TypeInfo("my-board", parent="machine"), None),
        (TypeInfo("my-machine", parent="machine", interfaces=("hotplug-handler",)), "my-machine::hotplug-handler"),
        [
            ((TypeInfo("my-dev", parent="device", interfaces=("nmi",)), "my-dev::nmi"), "exactly one fits"),
            ((TypeInfo("my-machine", parent="machine", interfaces=("nosuch",)), None), "missing interface"),
        ],
    ),
]
