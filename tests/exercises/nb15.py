"""Answers to the exercises of notebook 15: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb15
from pyqemu_edu.target.riscv.asm import assemble


def attempt(leaf_anywhere=True, valid=True, last=True, offset=True):
    """A walk with one thing left out."""

    def walk(read, root, va):
        table = root
        for level in (2, 1, 0):
            shift = 12 + 9 * level
            pte = read(table + 8 * (va >> shift & 0x1FF))
            if valid and not pte & 1:
                return None
            table = pte >> 10 << 12
            if pte & 0xE and (leaf_anywhere or level == 0):
                return table | va & ((1 << shift if offset else 1 << 12) - 1)
        return None if last else table | va & 0xFFF

    return walk


def stub(read, root, va):
    """What the notebook gives."""


OTHER = assemble(nb15.PAGED).symbols["other"] >> 2
RIGHT = {"a": "A", "b": "AD", "c": "", "d": ""}

EXERCISES = [
    (
        nb15.check_1,
        (stub,),
        (attempt(),),
        [
            ((attempt(leaf_anywhere=False),), "on whatever level"),
            ((attempt(offset=False),), "comes along"),
            ((attempt(valid=False),), "without V"),
            ((attempt(last=False),), "leads nowhere"),
        ],
    ),
    (
        nb15.check_2,
        (0,),
        (OTHER | 0b01011011,),
        [
            ((OTHER | 0b01010011,), "cannot execute"),
            ((OTHER | 0b11011111,), "can write"),
            ((OTHER | 0b01001011,), "U is 0"),
            ((OTHER << 2 | 0b01011011,), "Where does the number begin"),
            ((OTHER | 0b00011011,), "A is 0"),
        ],
    ),
    (
        nb15.check_3,
        ({},),
        (RIGHT,),
        [
            ((RIGHT | {"a": "AD"},), "does not make it dirty"),
            ((RIGHT | {"b": "D"},), "accesses too"),
            ((RIGHT | {"c": "AD"},), "leaves no mark"),
            ((RIGHT | {"d": "A"},), "without SUM"),
        ],
    ),
]
