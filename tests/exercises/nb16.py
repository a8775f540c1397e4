"""Answers to the exercises of notebook 16: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb16
from pyqemu_edu.lab.nb16 import ANSWER, BUFFER, HEADER, NEXT, WRITE

CHAIN = [(HEADER, 16, NEXT, 1), (BUFFER, 512, NEXT | WRITE, 2), (ANSWER, 1, WRITE, 0)]

EXERCISES = [
    (
        nb16.check_1,
        (1, 1, 0),
        (2, 1, 0),
        [
            ((1, 1, 0), "the lower number wins"),
            ((2, 1, 1), "above the threshold"),
            ((8, 1, 0), "three bits"),
        ],
    ),
    (
        nb16.check_2,
        ([(HEADER, 16, 0, 0)],),
        (CHAIN,),
        [
            (([(HEADER, 16, NEXT, 1), (BUFFER, 512, NEXT, 2), (ANSWER, 1, WRITE, 0)],), "begins with '?????'"),
            (([(HEADER, 16, NEXT, 1), (BUFFER, 512, WRITE, 2), (ANSWER, 1, WRITE, 0)],), "still 255"),
            (([(HEADER, 16, NEXT, 1), (ANSWER, 1, WRITE | NEXT, 2), (BUFFER, 512, WRITE, 0)],), "answer is 116"),
            (([(HEADER, 16, NEXT, 1), (BUFFER, 512, NEXT | WRITE, 2), (ANSWER, 1, 0, 0)],), "Incorrect order"),
            (
                ([(HEADER, 16, NEXT, 1), (BUFFER, 512, NEXT | WRITE, 2), (ANSWER, 1, NEXT | WRITE, 0)],),
                "Incorrect order",
            ),
        ],
    ),
    (
        nb16.check_3,
        (nb16.FORGETFUL,),
        (nb16.SHOUT,),
        [
            ((nb16.SHOUT.replace("lbu   a1, 0(s0)", "li    a1, 97"),), "again and again"),
            ((nb16.SHOUT.replace("csrsi mstatus, 8", "nop"),), "nothing comes back"),
            ((nb16.SHOUT.replace("mret", "mrt"),), "the assembler says"),
        ],
    ),
]
