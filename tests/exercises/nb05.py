"""Answers to the exercises of notebook 05: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb05
from pyqemu_edu.qom.struct import TypeInfo


def become_default(mc):
    """The one line that makes a machine the default."""
    mc.desc, mc.is_default = "My board", True


def with_desc(mc):
    """What the notebook gives."""
    mc.desc = "My board"


def writer(order=True, marks=True, alias=True, heading=True, width=20):
    """A list of machines with something left out."""

    def write_help(machines):
        lines = [nb05.HEADING] if heading else []
        for mc in sorted(machines, key=lambda mc: mc.type.name) if order else machines:
            if alias and mc.alias:
                lines.append(f"{mc.alias:<{width}} {mc.desc} (alias of {mc.name})")
            notes = " (default)" * bool(mc.is_default) + " (deprecated)" * bool(mc.deprecation_reason)
            lines.append(f"{mc.name:<{width}} {mc.desc}{notes * marks}")
        return "\n".join(lines)

    return write_help


EXERCISES = [
    (
        nb05.check_1,
        (TypeInfo("mine-machine", parent="machine", class_init=with_desc),),
        (TypeInfo("mine-machine", parent="machine", class_init=become_default),),
        [
            ((TypeInfo("mine", parent="machine", class_init=become_default),), "the ending of it"),
            ((TypeInfo("mine-machine", parent="object", class_init=become_default),), "cannot be cast to machine"),
            ((TypeInfo("mine-machine", parent="machine", class_init=become_default, abstract=True),), "is abstract"),
            ((become_default,), "give me a TypeInfo"),
        ],
    ),
    (
        nb05.check_2,
        (TypeInfo("twin-machine", parent="machine"),),
        (TypeInfo("twin-machine", parent="spike-machine"),),
        [
            ((TypeInfo("twin-machine", parent="machine", class_init=become_default),), "the TypeInfo alone"),
            ((TypeInfo("twin", parent="spike-machine"),), "for another reason"),
            ((TypeInfo("twin-machine", parent="spike-machine", abstract=True),), "is abstract"),
            ((TypeInfo("twin-machine", parent="none-machine"),), "where it is not set"),
        ],
    ),
    (
        nb05.check_3,
        (lambda machines: "",),
        (writer(),),
        [
            ((lambda machines: machines,), "not text"),
            ((writer(heading=False),), "heading"),
            ((writer(order=False),), "your order is"),
            ((writer(alias=False),), "second name"),
            ((writer(marks=False),), "does not tell all"),
            ((writer(width=12),), "another column"),
        ],
    ),
]
