"""Answers to the exercises of notebook 14: what is given, what is right, and mistakes that people make."""

from pyqemu_edu.lab import nb14
from pyqemu_edu.target.riscv.cpu_bits import MSTATUS_MIE, MSTATUS_MPIE, MSTATUS_MPP, PRV_M, get_field, set_field


def attempt(mpp=True, mpie=True, mie=True, mode=True, flag=True, vectored=True, epc=True):
    """A way into a trap with one thing left out."""

    def enter(env, cause, interrupt):
        s = env.mstatus
        if mpie:
            s = set_field(s, MSTATUS_MPIE, get_field(s, MSTATUS_MIE))
        if mpp:
            s = set_field(s, MSTATUS_MPP, env.priv)
        env.mstatus = set_field(s, MSTATUS_MIE, 0) if mie else s
        env.mcause = cause | (interrupt << 63 if flag else 0)
        if epc:
            env.mepc = env.pc
        env.pc = (env.mtvec & ~3) + (4 * cause if vectored and interrupt and env.mtvec & 1 else 0)
        if mode:
            env.priv = PRV_M

    return enter


def stub(env, cause, interrupt):
    """What the notebook gives."""


RIGHT = {"a": None, "b": 3, "c": None, "d": None, "e": 1}
ANSWER = "addi a0, a0, 1\ncsrr t1, sepc\naddi t1, t1, 4\ncsrw sepc, t1\nsret"

EXERCISES = [
    (
        nb14.check_1,
        (stub,),
        (attempt(),),
        [
            ((attempt(mpp=False),), "MPP remembers"),
            ((attempt(mpie=False),), "MPIE remembers"),
            ((attempt(mie=False),), "interrupts off"),
            ((attempt(mode=False),), "runs in machine mode"),
            ((attempt(flag=False),), "bit 63"),
            ((attempt(vectored=False),), "4 n further"),
            ((attempt(epc=False),), "could not go on"),
        ],
    ),
    (
        nb14.check_2,
        ({},),
        (RIGHT,),
        [
            ((RIGHT | {"a": 3},), "MIE that decides"),
            ((RIGHT | {"b": None},), "always on"),
            ((RIGHT | {"c": 1},), "wait for mstatus.SIE"),
            ((RIGHT | {"d": 1},), "never interrupted by what it has delegated"),
            ((RIGHT | {"e": 9},), "lowest number"),
        ],
    ),
    (
        nb14.check_3,
        ("",),
        (ANSWER,),
        [
            (("addi a0, a0, 1\nsret",), "again and again"),
            (("addi a0, a0, 1\nmret",), "Which return is its own"),
            (("csrr t1, sepc\naddi t1, t1, 4\ncsrw sepc, t1\nsret",), "not 42"),
            (("addi a0, a0, 1\nj system",), "again and again"),
            (("li a0, 42\nhere: j here",), "instead of back"),
            (("frobnicate a0",), "the assembler says"),
        ],
    ),
]
