"""Programs that ask a hart about its privileged architecture, one question after the other.

A question sets things up in machine mode, does something in a mode of its choice, and comes back by a trap.  Its answer
is five doublewords: mcause, mepc less the address where it began, mtval, mstatus, and a0.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

U, S, M = 0, 1, 3

BOARDS = {
    "spike": (
        "li t0, 0x0101000000000000\nor a0, a0, t0\nla t1, tohost\nsd a0, (t1)\nwait: ld t0, (t1)\nbnez t0, wait",
        "la t1, tohost\nli t0, 1\nsd t0, (t1)",
    ),
    "virt": ("li t1, 0x10000000\nsb a0, (t1)", "li t1, 0x100000\nli t0, 0x5555\nsw t0, (t1)"),
}
"""How a program prints the byte in a0, and how it ends."""

ANSWER = ("mcause", "mepc", "mtval", "mstatus", "a0")

PMP_OPEN = "li t0, -1\ncsrw pmpaddr15, t0\nli t0, 0x1f << 56\ncsrw pmpcfg2, t0\n"
"""The last entry lets every mode do everything, unless one before it says otherwise."""

PRELUDE = f"""
        .globl  _start, tohost, fromhost
_start: la      t0, handler
        csrw    mtvec, t0
        la      s0, results
{PMP_OPEN}
"""
EPILOGUE = """
        la      s1, results
next:   bgeu    s1, s0, done            # print it as it is, byte by byte
        lbu     a0, (s1)
        addi    s1, s1, 1
{put}
        j       next
done:
{stop}
        j       .
        .align 2
handler: csrr   t0, mcause
        sd      t0, 0(s0)
        csrr    t0, mepc
        sub     t0, t0, s10
        sd      t0, 8(s0)
        csrr    t0, mtval
        sd      t0, 16(s0)
        csrr    t0, mstatus
        sd      t0, 24(s0)
        sd      a0, 32(s0)
        addi    s0, s0, 40
        csrw    mie, zero
        li      t0, 0x20000             # forget MPRV, which would lend machine mode other rights
        csrc    mstatus, t0
        li      t0, 0x1800              # go on in machine mode
        csrs    mstatus, t0
        csrw    mepc, s11
        mret
        .align 2
delegated: csrr s2, scause              # supervisor mode's handler: say what it saw, and call machine mode
        csrr    s3, sepc
        sub     s3, s3, s10
        csrr    s4, stval
        csrr    s5, sstatus
        xor     a0, s2, s3
        xor     a0, a0, s4
        xor     a0, a0, s5
        ecall
        .data
        .align 12                       # QEMU 7.2 forgets mtval where code and data share a page
tohost: .dword 0
        .align 6
fromhost: .dword 0
        .align 12
root:   .space 4096
middle: .space 4096
leaves: .space 4096
root48: .space 4096
root57: .space 4096
page:   .dword 0x1122334480828082
        .space 4080
        .dword 0x99aabbccddeeff00
page2:  .dword 0x0f1e2d3c4b5a6978
        .space 4088
        .align 12
results: .space 0x40000
"""


@dataclass(frozen=True)
class Question:
    """What is set up in machine mode, then done in `mode`; `at` is added to the address of what is done."""

    name: str
    mode: int
    body: str
    setup: str = ""
    at: int = 0

    def source(self, number: int) -> str:
        """The question in assembly."""
        return f"""
        {self.setup}
        la      s11, after{number}
        la      s10, begin{number}
        li      t0, {self.at}
        add     s10, s10, t0
        csrw    mepc, s10
        li      t0, 0x1800
        csrc    mstatus, t0
        li      t0, {self.mode << 11}
        csrs    mstatus, t0
        li      a0, 0
        mret
begin{number}:
        {self.body}
        ecall
after{number}:
"""


def program(questions: Iterable[Question], board: str = "spike") -> str:
    """All questions as one program, which prints the answers in order."""
    put, stop = BOARDS[board]
    body = "".join(each.source(number) for number, each in enumerate(questions))
    return PRELUDE + body + EPILOGUE.replace("{put}", put).replace("{stop}", stop)


def csr_bits(name: str, ones: int = 0, zeros: int = 0) -> str:
    """Machine mode code that changes bits of a CSR."""
    return f"li t0, {ones}\ncsrs {name}, t0\nli t0, {zeros}\ncsrc {name}, t0\n"
