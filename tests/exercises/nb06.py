"""Answers to the exercises of notebook 06: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb06
from pyqemu_edu.qom.struct import Object, TypeInfo

LIFE = [
    "init grandmother",
    "init mother",
    "post_init daughter",
    "post_init mother",
    "finalize daughter",
    "finalize mother",
]


def swapped(first, second):
    """The right answer with two lines exchanged."""
    lines = list(LIFE)
    lines[first], lines[second] = lines[second], lines[first]
    return lines


def owners(log):
    """Who had whom for a parent."""
    return {str(event["child"]): str(event["obj"]) for event in log.events("object_property_add") if event["child"]}


def made(log):
    """All objects of a recording."""
    return [str(event["obj"]) for event in log.events("object_initialize")]


def gone(log):
    """Those of them that came to an end."""
    return {str(event["obj"]) for event in log.events("object_finalize")}


def find_leaks(log):
    """Alive, and nobody is left who would drop it."""
    alive = [name for name in made(log) if name not in gone(log)]
    return {name for name in alive if owners(log).get(name) is None or owners(log)[name] in gone(log)}


def never_dropped(log):
    """Only looks for those that were never unreferenced."""
    return set(made(log)) - {str(event["obj"]) for event in log.events("object_unref")}


EXERCISES = [
    (
        nb06.check_1,
        ([],),
        (LIFE,),
        [
            ((swapped(0, 1),), "its parent's has built"),
            ((swapped(2, 3),), "most special"),
            ((swapped(4, 5),), "still stands"),
            ((["init grandmother", "init mother", "init daughter"],), "only with the hooks that it has"),
            ((LIFE[:3],), "6 hooks ran"),
            ((LIFE, (TypeInfo("idea", "object", abstract=True, instance_struct=Object),)), "do not make an object"),
        ],
    ),
    (
        nb06.check_2,
        (lambda log: None,),
        (find_leaks,),
        [
            ((lambda log: set(made(log)) - gone(log),), "alive, and owned"),
            ((lambda log: set(made(log)) - gone(log) - set(owners(log)),), "had a parent once"),
            ((lambda log: made(log),), "finalized"),
            ((lambda log: [],), "never had a parent"),
            ((lambda log: {"spike-machine#0"},), "not made in this recording"),
            ((lambda log: set(owners(log)) - gone(log) - {made(log)[2]},), "never"),
            ((never_dropped,), "had a parent once"),
        ],
    ),
    (
        nb06.check_3,
        ([1, 1, 1, 1, 1, 1],),
        ([1, 2, 2, 3, 2, 1],),
        [
            (([1, 2],), "6 steps"),
            (([0, 1, 1, 2, 1, 0],), "holds the first reference"),
            (([1, 1, 1, 2, 1, 0],), "the maker's does not move"),
            (([1, 2, 3, 4, 3, 2],), "holds nothing"),
            (([1, 2, 2, 2, 1, 0],), "A strong link holds"),
            (([1, 2, 2, 3, 2, 0],), "Links stay"),
        ],
    ),
]
