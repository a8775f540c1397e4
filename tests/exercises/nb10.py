"""Answers to the exercises of notebook 10: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb10
from pyqemu_edu.tcg.op import TempKind


def by_one(a, b):
    """Division by one gives what is divided."""
    return a if b.kind is TempKind.CONST and b.value == 1 else None


EXERCISES = [
    (
        nb10.check_1,
        (lambda a, b: None,),
        (by_one,),
        [
            ((lambda a, b: a,), "Divide some number"),
            ((lambda a, b: b if b.value == 1 else None,), "Divide some number"),
            ((lambda a, b: a if b.value != 2 else None,), "nobody knows what will be in it"),
            ((lambda a, b: a.value // b.value if b.value == 1 else None,), "it makes no numbers"),
        ],
    ),
    (
        nb10.check_2,
        ("",),
        ("a",),
        [
            (("b",), "we tried (a)"),
            (("ab",), "compares addresses"),
            (("a, c",), "Where the hart is"),
            (("a d",), "has noticed long ago"),
            (("ae",), "looked for between blocks"),
            (("z",), "give the letters"),
        ],
    ),
    (
        nb10.check_3,
        ("",),
        ("li t0, 200\n1: csrr t1, mscratch\naddi t0, t0, -1\nbnez t0, 1b",),
        [
            (("li t0, 300\n1: addi t0, t0, -1\nbnez t0, 1b",), "was linked at the second turn"),
            (("csrr t1, mscratch",), "for 500 at least"),
            (("1: csrr t1, mscratch\nj 1b",), "had not come to its end"),
            (("frobnicate t0",), "the assembler says"),
        ],
    ),
]
