"""Answers to the exercises of notebook 09: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb09
from pyqemu_edu.target.riscv.insn.declare import Extension

PATTERN = "0110000 ..... ..... 101 ..... 0110011  @r"
FORM = "{rd}, {rs1}, {rs2}"


def right(m, a):
    distance = m.x[a.rs2] & 63
    m.x[a.rd] = m.x[a.rs1] >> distance | m.x[a.rs1] << (64 - distance & 63)


def to_the_left(m, a):
    distance = m.x[a.rs2] & 63
    m.x[a.rd] = m.x[a.rs1] << distance | m.x[a.rs1] >> (64 - distance & 63)


def signed(m, a):
    distance = m.x[a.rs2] & 63
    m.x[a.rd] = m.signed(m.x[a.rs1]) >> distance | m.x[a.rs1] << (64 - distance & 63)


def any_distance(m, a):
    m.x[a.rd] = m.x[a.rs1] >> m.x[a.rs2] | m.x[a.rs1] << (64 - m.x[a.rs2])


def with_an_if(m, a):
    distance = m.x[a.rs2] & 63
    m.x[a.rd] = m.x[a.rs1] >> distance | m.x[a.rs1] << (64 - distance) if distance else m.x[a.rs1]


def zbb(meaning=None, pattern=PATTERN, form=FORM, name="ror"):
    """An extension with one instruction, or none."""
    insn = Extension("Zbb", "Basic bit manipulation")
    if meaning:
        named = type(meaning)(meaning.__code__, meaning.__globals__, name)
        insn(pattern, form)(named)
    return insn


EXERCISES = [
    (
        nb09.check_1,
        ("",),
        ("sd a1, -8(sp)",),
        [
            (("sd a1, 8(sp)",), "imm[11:5]"),
            (("sd sp, -8(a1)",), "rs2 (bits 24 to 20), rs1 (bits 19 to 15)"),
            (("sw a1, -8(sp)",), "funct3 (bits 14 to 12)"),
            (("ld a1, -8(sp)",), "opcode (bits 6 to 0)"),
            (("sd a1",), "the assembler says"),
            (("c.sd a1, 8(a0)",), "2 bytes"),
        ],
    ),
    (
        nb09.check_2,
        (zbb(),),
        (zbb(right),),
        [
            ((zbb(right, name="rotate"),), "declares rotate"),
            ((zbb(right, form="{rd}, {rs1}"),), "ror takes"),
            ((zbb(right, pattern=PATTERN.replace("0110000", "0000000")),), "but that is srl"),
            ((zbb(right, pattern=PATTERN.replace("0110000", "0110001")),), "in the manual it is 0x60c5d533"),
            ((zbb(to_the_left),), "rotation to the left"),
            ((zbb(signed),), "has no sign unless m.signed says so"),
            ((zbb(any_distance),), "Only the low six bits"),
            ((zbb(with_an_if),), "read on names"),
        ],
    ),
    (
        nb09.check_3,
        (lambda a, b: False,),
        (lambda a, b: not (a.match ^ b.match) & a.mask & b.mask,),
        [
            ((lambda a, b: a.match == b.match,), "matches both"),
            ((lambda a, b: not (a.match ^ b.match) & a.mask,), "matches both"),
            ((lambda a, b: not (a.match ^ b.match) & (a.mask | b.mask),), "matches both"),
            ((lambda a, b: bool(a.mask & b.mask),), "in the one and"),
            ((lambda a, b: True,), "in the one and"),
        ],
    ),
]
