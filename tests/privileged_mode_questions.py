"""What is asked about modes, traps and their delegation, and physical memory protection."""

from __future__ import annotations

from privileged_program import PMP_OPEN, M, Question, S, U, csr_bits

# Modes, delegation, and what mstatus forbids

MSTATUS_CLEAN = "csrw medeleg, zero\n" + csr_bits("mstatus", zeros=0x7E19AA)
TVM, TW, TSR = 1 << 20, 1 << 21, 1 << 22
MODES = {"u": U, "s": S, "m": M}

MODE_QUESTIONS = [
    *(Question(f"ecall from {name}", mode, "li a0, 7") for name, mode in MODES.items()),
    *(
        Question(f"{body} in {name}", mode, body, MSTATUS_CLEAN)
        for name, mode in MODES.items()
        for body in (
            *("csrr a0, mstatus", "csrr a0, sstatus", "csrw sstatus, zero", "csrr a0, satp", "csrr a0, mhartid"),
            *("sfence.vma", "csrr a0, cycle", "csrr a0, instret", "csrr a0, sie", "csrr a0, sip", "csrr a0, medeleg"),
            *("ebreak", ".word 0", "csrr a0, scounteren", "csrr a0, stvec", "csrr a0, pmpcfg0", "csrr a0, 0x7a0"),
        )
        if not (name == "m" and body in ("csrr a0, cycle", "csrr a0, instret"))
    ),
    *(
        Question(f"{body} in {name}, mstatus {bit:#x}", mode, body, MSTATUS_CLEAN + csr_bits("mstatus", bit))
        for name, mode in MODES.items()
        for bit in (TVM, TW, TSR)
        for body in ("csrr a0, satp", "csrw satp, zero", "sfence.vma t0, t1")
    ),
    *(
        Question(
            f"{counter} in {name}, mcounteren {m}, scounteren {s}",
            mode,
            f"csrr a0, {counter}\nli a0, 1",
            f"{MSTATUS_CLEAN}li t0, {m}\ncsrw mcounteren, t0\nli t0, {s}\ncsrw scounteren, t0\n",
        )
        for counter in ("cycle", "time", "instret", "hpmcounter3", "hpmcounter31")
        for name, mode in (("u", U), ("s", S))
        for m in (0, 5, -1)
        for s in (0, 4, -1)
    ),
    *(
        Question(f"wfi in {name} with TW", mode, "wfi", MSTATUS_CLEAN + csr_bits("mstatus", TW))
        for name, mode in (("u", U), ("s", S))
    ),
    Question("wfi in u", U, "wfi", MSTATUS_CLEAN),
    Question("mret in s", S, "mret", MSTATUS_CLEAN),
    Question("mret in u", U, "mret", MSTATUS_CLEAN),
]

RETURN_QUESTIONS = [
    *(
        Question(
            f"sret in {name}, mstatus {bits:#x}",
            mode,
            "sret\nli a0, 1",
            f"{MSTATUS_CLEAN}la t0, sret_to\ncsrw sepc, t0\n" + csr_bits("mstatus", bits),
        )
        for name, mode in MODES.items()
        for bits in (0, 0x100, 0x20, 0x122, 0x20102, TSR, TSR | 0x100)
    ),
    Question("where they return to", M, "j 1f\nsret_to: li a0, 5\necall\nj .\n1:\n"),
    *(
        Question(
            f"mret to mode {mpp}, mstatus {bits:#x}",
            M,
            "la t0, 1f\ncsrw mepc, t0\n" + csr_bits("mstatus", bits | mpp << 11, 3 - mpp << 11) + "mret\n1: li a0, 3\n",
            MSTATUS_CLEAN,
        )
        for mpp in (U, S, M)
        for bits in (0, 0x80, 0x20000, 0x20088, 0x60000)
    ),
]

DELEGATE = "la t0, delegated\ncsrw stvec, t0\nli t0, {medeleg}\ncsrw medeleg, t0\n"
UNDO_DELEGATION = "csrw medeleg, zero\ncsrw mideleg, zero\ncsrw mie, zero\ncsrw sip, zero\n"
TRAPS = {
    "illegal": ".word 0xffffffff",
    "ecall": "ecall",
    "ebreak": "ebreak",
    "load nowhere": "li t0, 0x40\nld t1, (t0)",
    "store nowhere": "li t0, 0x40\nsd t1, (t0)",
    "amo nowhere": "li t0, 0x40\namoadd.d t1, t1, (t0)",
    "fetch nowhere": "li t0, 0x40\njr t0",
    "misaligned amo": "la t0, page + 2\namoadd.w t1, t1, (t0)",
    "misaligned lr": "la t0, page + 2\nlr.w t1, (t0)",
    "misaligned sc": "la t0, page + 2\nsc.w t1, t1, (t0)",
}
DELEGATION_QUESTIONS = [
    Question(
        f"{trap} in {name}, medeleg {medeleg:#x}",
        mode,
        body,
        MSTATUS_CLEAN + csr_bits("mstatus", sie) + DELEGATE.format(medeleg=medeleg),
    )
    for name, mode in MODES.items()
    for trap, body in TRAPS.items()
    for medeleg, sie in ((0, 0), (0xB0FF, 2), (0xB0FF, 0x120))
]

INTERRUPT_QUESTIONS = (
    [
        Question(
            f"interrupt {bit} in {name}, mideleg {mideleg:#x}, mstatus {bits:#x}, stvec mode {vectored}",
            mode,
            "nop\nnop\nli a0, 1\n",
            f"{UNDO_DELEGATION}{MSTATUS_CLEAN}la t0, delegated + {vectored}\ncsrw stvec, t0\nli t0, {mideleg}\n"
            f"csrw mideleg, t0\nli t0, {1 << bit}\ncsrw mip, t0\ncsrw mie, t0\n" + csr_bits("mstatus", bits),
        )
        for name, mode in MODES.items()
        for bit in (1, 5, 9)
        for mideleg in (0, 0x222)
        for bits in (0, 0x2, 0x80, 0x82)
        for vectored in (0,)
    ]
    + [
        Question(
            f"sip and sie, mideleg {mideleg:#x}", M, body, f"{UNDO_DELEGATION}li t0, {mideleg}\ncsrw mideleg, t0\n"
        )
        for mideleg in (0, 2, 0x222, -1)
        for body in (
            "li t0, -1\ncsrw sip, t0\ncsrr a0, mip\ncsrw mip, zero\n",
            "li t0, -1\ncsrw mip, t0\ncsrr a0, sip\ncsrw mip, zero\n",
            "li t0, -1\ncsrw sie, t0\ncsrr a0, mie\n",
            "li t0, -1\ncsrw mie, t0\ncsrr a0, sie\n",
        )
    ]
    + [Question("no interrupt is left", M, "csrw mip, zero\ncsrr a0, mip", UNDO_DELEGATION)]
)

# Physical memory protection

PMP_READ, PMP_WRITE, PMP_EXEC, TOR, NA4, NAPOT, LOCK = 1, 2, 4, 1 << 3, 2 << 3, 3 << 3, 1 << 7


def pmp(*entries: tuple[int, int]) -> str:
    """Machine mode code that makes entries from 0 on: (byte offset to `page` and size bits, configuration)."""
    code = "csrw pmpcfg0, zero\n"
    for index, (place, _) in enumerate(entries):
        code += f"la t0, page\nsrli t0, t0, 2\nli t1, {place}\nadd t0, t0, t1\ncsrw pmpaddr{index}, t0\n"
    packed = sum(cfg << 8 * index for index, (_, cfg) in enumerate(entries))
    return f"{code}li t0, {packed}\ncsrw pmpcfg0, t0\n"


PMP_LAYOUTS = {
    "8 bytes, read only": pmp((0, NAPOT | PMP_READ)),
    "8 bytes, nothing": pmp((0, NAPOT)),
    "16 bytes, no write": pmp((1, NAPOT | PMP_READ | PMP_EXEC)),
    "4 bytes, write only": pmp((0, NA4 | PMP_WRITE)),
    "second 4 bytes, nothing": pmp((1, NA4)),
    "a page, execute only": pmp((0x1FF, NAPOT | PMP_EXEC)),
    "two pages, read and write": pmp((0x3FF, NAPOT | PMP_READ | PMP_WRITE)),
    "up to here, nothing; 12 bytes, read": pmp((0, TOR), (3, TOR | PMP_READ)),
    "from here to below": pmp((4, 0), (0, TOR)),
    "first match counts": pmp((0, NAPOT | PMP_READ), (0x1FF, NAPOT)),
    "off": pmp((0, PMP_READ), (0, 0)),
}
PMP_LOCKED = {
    "locked, 8 bytes, read only": pmp((0, NAPOT | PMP_READ | LOCK)),
    "locked stays": "csrw pmpcfg0, zero\ncsrw pmpaddr0, zero\n",
    "locked top": pmp((0, 0), (0, 0), (0, 0), (8, TOR | LOCK)),
    "a locked top holds the bottom": "csrw pmpaddr2, zero\n",
}
ACCESSES = {
    "lb 0": "lb a0, 0(t1)", "lw 0": "lw a0, 0(t1)", "ld 0": "ld a0, 0(t1)", "ld 4": "ld a0, 4(t1)",
    "lw 4": "lw a0, 4(t1)", "ld 8": "ld a0, 8(t1)", "ld 12": "ld a0, 12(t1)", "ld -4": "ld a0, -4(t1)",
    "sb 7": "sb zero, 7(t1)", "sd 0": "sd t1, 0(t1)", "sw 8": "sw t1, 8(t1)",
    "sd 4080": "li t2, 4080\nadd t2, t1, t2\nsd t1, (t2)",
    "jump 0": "jalr ra, 0(t1)", "jump 2": "jalr ra, 2(t1)", "amo 0": "amoor.d a0, zero, (t1)", "lr 0": "lr.d a0, (t1)",
}  # fmt: skip
RESTORE_PAGE = "csrw pmpcfg0, zero\nla t0, page\nli t1, 0x1122334480828082\nsd t1, (t0)\nsd t1, 8(t0)\n"
PMP_REGISTERS = "csrr a0, pmpcfg0\n" + "".join(f"csrr t0, pmpaddr{index}\nxor a0, a0, t0\n" for index in (0, 2, 3))


def pmp_questions(layouts: dict[str, str], before: str) -> list[Question]:
    return [
        Question(f"{layout}: {access} in {name}", mode, f"la t1, page\n{body}", MSTATUS_CLEAN + before + setup)
        for layout, setup in layouts.items()
        for access, body in ACCESSES.items()
        for name, mode in MODES.items()
    ] + [Question(f"{layout}: registers", M, PMP_REGISTERS, setup) for layout, setup in layouts.items()]


PMP_QUESTIONS = [
    *pmp_questions(PMP_LAYOUTS, RESTORE_PAGE),
    Question(
        "without entries mret to u is illegal",
        M,
        "csrw pmpcfg0, zero\ncsrw pmpcfg2, zero\nla t0, 1f\ncsrw mepc, t0\nmret\n1: li a0, 1\n",
        MSTATUS_CLEAN,
    ),
    Question("and entries again", M, PMP_OPEN),
]
LOCKED_QUESTIONS = pmp_questions(PMP_LOCKED, "")
