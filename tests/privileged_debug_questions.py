"""What is asked about triggers, timers, counters, protection of machine mode, and interrupts that come together."""

from __future__ import annotations

from privileged_mode_questions import MODES, MSTATUS_CLEAN, UNDO_DELEGATION
from privileged_program import M, Question, S, U, csr_bits

# Triggers

LOAD, STORE, EXEC = 1, 2, 4
IN_MODE = {U: 1 << 3, S: 1 << 4, M: 1 << 6}
ALL_MODES = sum(IN_MODE.values())
DISARM = "li t0, 2 << 60\ncsrwi tselect, 1\ncsrw tdata1, t0\ncsrwi tselect, 0\ncsrw tdata1, t0\n"


def trigger(ctrl: int, where: str, kind: int = 2, number: int = 0) -> str:
    """Machine mode code that arms a trigger."""
    return f"csrwi tselect, {number}\nla t0, {where}\ncsrw tdata2, t0\nli t0, {kind << 60 | ctrl}\ncsrw tdata1, t0\n"


def size(code: int, kind: int = 2) -> int:
    """A width in tdata1."""
    return (code & 3) << 16 | code >> 2 << 21 if kind == 2 else code << 16


RESTORE = "la t0, page\nli t1, 0x1122334480828082\nsd t1, (t0)\nsd t1, 8(t0)\n"
TOUCHES = {
    "lb 0": "lb a0, 0(t1)", "lb 7": "lb a0, 7(t1)", "lb 8": "lb a0, 8(t1)", "lw -4": "lw a0, -4(t1)",
    "ld 0": "ld a0, 0(t1)", "ld -4": "ld a0, -4(t1)", "lh 3": "lh a0, 3(t1)", "sb 0": "sb t2, 0(t1)",
    "sb 5": "sb t2, 5(t1)", "sd 0": "sd t2, 0(t1)", "sd 8": "sd t2, 8(t1)", "sd 4": "sd t2, 4(t1)\nld a0, 0(t1)",
    "amo 0": "amoor.d a0, t2, (t1)", "lr 0": "lr.d a0, (t1)", "jump 0": "jalr ra, 0(t1)",
}  # fmt: skip
HERE = "la t1, page + 8\nli t2, 0x77\n"
TRIGGER_QUESTIONS = [
    *(
        Question(
            f"type {kind} trigger on {access}, width {width}, {touch} in {name}",
            mode,
            HERE + body,
            MSTATUS_CLEAN + DISARM + RESTORE + trigger(access | IN_MODE[mode] | size(width, kind), "page + 8", kind),
        )
        for kind, name, mode in ((2, "m", M), (2, "u", U), (6, "s", S))
        for access, width in ((LOAD, 0), (STORE, 0), (LOAD | STORE, 1), (LOAD, 2), (STORE, 3), (LOAD | STORE, 5))
        for touch, body in TOUCHES.items()
    ),
    *(
        Question(
            f"type {kind} trigger on execution for modes {modes:#x} in {name}",
            mode,
            "nop\nli a0, 1\nj 1f\nnop\n1: li a0, 2\nli a0, 3\n",
            MSTATUS_CLEAN + DISARM + trigger(EXEC | modes, "1f", kind, number),
        )
        for kind, number in ((2, 0), (6, 1))
        for name, mode in MODES.items()
        for modes in (0, IN_MODE[U], IN_MODE[S], IN_MODE[M], ALL_MODES, IN_MODE[U] | 1 << 23 | 1 << 24)
    ),
    *(
        Question(
            f"a trigger on access {access} for modes {modes:#x} in {name}",
            mode,
            HERE + "ld a0, (t1)\nsd t2, (t1)",
            MSTATUS_CLEAN + DISARM + RESTORE + trigger(access | modes, "page + 8"),
        )
        for name, mode in MODES.items()
        for access in (0, LOAD, STORE, EXEC)
        for modes in (0, IN_MODE[U], IN_MODE[S], IN_MODE[M], ALL_MODES)
    ),
    *(
        Question(f"tdata{n} keeps of {value:#x}", M, f"li a0, {value}\ncsrw tdata{n}, a0\ncsrr a0, tdata{n}", DISARM)
        for n in (1, 2, 3)
        for value in (0, -1, 2 << 60 | 0x7FFF_FFFF, 6 << 60 | 0x7FFF_FFFF, 3 << 60 | 0xFF, 2 << 60 | 4 << 16, 6 << 60)
    ),
    Question("triggers are disarmed", M, "csrr a0, tdata1", DISARM),
]

# Supervisor mode's timer

STCE, TM, STIP = 1 << 63, 2, 1 << 5
TIMER_CLEAN = (
    f"{UNDO_DELEGATION}{MSTATUS_CLEAN}li t0, {STCE}\ncsrs menvcfg, t0\nli t0, -1\ncsrw stimecmp, t0\n"
    "csrw mcounteren, t0\ncsrw scounteren, t0\n"
)
TIMER_QUESTIONS = [
    *(
        Question(
            f"{body} in {name}, menvcfg {stce:#x}, mcounteren {tm}",
            mode,
            f"{body}\nli a0, 1",
            TIMER_CLEAN + csr_bits("menvcfg", stce, STCE - stce) + f"csrwi mcounteren, {tm}\n",
        )
        for name, mode in MODES.items()
        for body in ("csrr a0, stimecmp", "csrw stimecmp, a0")
        for stce in (0, STCE)
        for tm in (0, TM)
    ),
    *(
        Question(f"stimecmp {value}, then mip", M, "csrr a0, mip", f"{TIMER_CLEAN}li t0, {value}\ncsrw stimecmp, t0\n")
        for value in (0, 1, -1)
    ),
    *(
        Question(
            f"mip.STIP written {ones} with menvcfg {stce:#x}",
            M,
            "csrr a0, mip\ncsrw mip, zero\n",
            TIMER_CLEAN + csr_bits("menvcfg", stce, STCE - stce) + f"li t0, {STIP if ones else 0}\ncsrw mip, t0\n",
        )
        for ones in (0, 1)
        for stce in (0, STCE)
    ),
    *(
        Question(
            f"a timer that has gone off, in {name}, delegated {mideleg:#x}, mstatus {bits:#x}",
            mode,
            "nop\nnop\nli a0, 1\n",
            f"{TIMER_CLEAN}la t0, delegated\ncsrw stvec, t0\nli t0, {mideleg}\ncsrw mideleg, t0\n"
            f"csrw stimecmp, zero\nli t0, {STIP}\ncsrw mie, t0\n" + csr_bits("mstatus", bits),
        )
        for name, mode in MODES.items()
        for mideleg in (0, STIP)
        for bits in (0, 0x2, 0x80, 0x82)
    ),
    *(
        Question(
            f"sleep until the timer goes off, in {name}",
            mode,
            "1: wfi\nj 1b\n",
            f"{TIMER_CLEAN}la t0, delegated\ncsrw stvec, t0\nli t0, {mideleg}\ncsrw mideleg, t0\nli t0, {STIP}\n"
            "csrw mie, t0\ncsrr t0, time\nli t1, 2000000\nadd t0, t0, t1\ncsrw stimecmp, t0\n"
            + csr_bits("mstatus", 0x80 if mode == M else 0x2),
        )
        for name, mode, mideleg in (("s", S, STIP), ("m", M, 0))
    ),
    Question("no timer is left", M, "csrr a0, mip", TIMER_CLEAN),
]

# Counters

COUNTERS_CLEAN = MSTATUS_CLEAN + "csrw mcountinhibit, zero\n" + "".join(
    f"csrw mhpmevent{n}, zero\ncsrw mhpmcounter{n}, zero\n" for n in (3, 4, 5, 18)
) + f"{UNDO_DELEGATION}li t0, 0x2000\ncsrc mip, t0\nli t0, -1\ncsrw mcounteren, t0\ncsrw scounteren, t0\n"  # fmt: skip
LOADS_MISS, STORES_MISS, FETCHES_MISS, CYCLES, INSTRUCTIONS, RAW = 0x10019, 0x1001B, 0x10021, 1, 2, 0x20000
OF, MINH, SINH, UINH = (1 << bit for bit in (63, 62, 61, 60))
TLB_MISS = "sfence.vma\nla t1, page\nld t2, 0(t1)\nsd t2, 8(t1)\n"


def counts(event: int, start: int, inhibit: int = 0, n: int = 3) -> str:
    """Machine mode code that has a counter count something."""
    return (
        f"{COUNTERS_CLEAN}li t0, {event}\ncsrw mhpmevent{n}, t0\nli t0, {start}\ncsrw mhpmcounter{n}, t0\n"
        f"li t0, {inhibit}\ncsrw mcountinhibit, t0\n"
    )


COUNTER_QUESTIONS = [
    *(
        Question(
            f"event {event:#x}, stopped {inhibit:#x}: does the counter go on",
            M,
            f"{TLB_MISS}csrr a0, mhpmcounter3\nli t0, 100\nsltu a0, t0, a0\ncsrr t0, mhpmcounter3\n",
            counts(event, 100, inhibit),
        )
        for event in (0, LOADS_MISS, STORES_MISS, FETCHES_MISS, CYCLES, INSTRUCTIONS, RAW, LOADS_MISS | MINH)
        for inhibit in (0, 8, 16)
    ),
    *(
        Question(f"overflow of {event:#x} shows in {where}", M, f"{TLB_MISS}csrr a0, {where}", counts(event, -1))
        for event in (LOADS_MISS, STORES_MISS, LOADS_MISS | OF, LOADS_MISS | MINH, LOADS_MISS | SINH, RAW)
        for where in ("mip", "scountovf", "mhpmevent3")
    ),
    *(
        Question(
            f"an event of two counters: {counter}",
            M,
            f"{TLB_MISS}csrr a0, {counter}\nsnez a0, a0",
            counts(LOADS_MISS, 0) + f"li t0, {LOADS_MISS}\ncsrw mhpmevent4, t0\n",
        )
        for counter in ("mhpmcounter3", "mhpmcounter4")
    ),
    *(
        Question(f"{counter} in {name}, mcounteren {m}", mode, f"csrr a0, {counter}", f"{COUNTERS_CLEAN}li t0, {m}\n"
                 "csrw mcounteren, t0\n")
        for counter in ("hpmcounter3", "hpmcounter18", "hpmcounter19", "scountovf")
        for name, mode in MODES.items()
        for m in (0, 8, -1)
    ),
    *(
        Question(f"{csr} keeps of {value:#x}", M, f"li a0, {value}\ncsrw {csr}, a0\ncsrr a0, {csr}", COUNTERS_CLEAN)
        for csr in ("mcountinhibit", "mhpmevent3", "mhpmevent31", "mhpmevent3h", "mhpmcounter5")
        for value in (-1, 0x5A5A_0000_1234_5678)
    ),
    Question("nothing is counted any more", M, "csrr a0, mip", COUNTERS_CLEAN),
]  # fmt: skip

# Machine mode under its own protection

R, W, X, L, NAPOT, TOR = 1, 2, 4, 0x80, 3 << 3, 1 << 3
MML, MMWP, RLB = 1, 2, 4
LOCKDOWN = (  # code for everybody, the rest for machine mode; rules that may be changed
    f"li t0, {RLB}\ncsrw mseccfg, t0\nla t0, _start\nsrli t0, t0, 2\ncsrw pmpaddr13, t0\nla t0, tohost\n"
    f"srli t0, t0, 2\ncsrw pmpaddr14, t0\nli t0, {L | W | X | TOR} << 48\ncsrw pmpcfg2, t0\n"
    f"li t0, {MML | RLB}\ncsrw mseccfg, t0\n"
)
REACHES = {"load": "ld a0, (t1)", "store": "sd t1, 8(t1)", "jump": "jalr ra, 0(t1)"}


def rule(cfg: int) -> str:
    """Machine mode code that makes a rule for the page."""
    return (
        f"{MSTATUS_CLEAN}csrw pmpcfg0, zero\n{RESTORE}la t0, page\nsrli t0, t0, 2\nori t0, t0, 0x1ff\n"
        f"csrw pmpaddr0, t0\nli t0, {cfg}\ncsrw pmpcfg0, t0\n"
    )


LOCKDOWN_QUESTIONS = [
    Question("mseccfg keeps", M, "csrr a0, mseccfg", LOCKDOWN),
    *(
        Question(f"rule {cfg:#x}: {reach} in {name}", mode, f"la t1, page\n{body}", rule(cfg | NAPOT))
        for cfg in [lock | rights for lock in (0, L) for rights in range(8)]
        for name, mode in (("s", S), ("m", M))
        for reach, body in REACHES.items()
    ),
    *(
        Question(f"no rule: {reach} in {name}", mode, f"la t1, page\n{body}", rule(0))
        for name, mode in (("s", S), ("m", M))
        for reach, body in REACHES.items()
    ),
    *(
        Question(f"rules while locked: {cfg:#x}", M, "csrr a0, pmpcfg0", f"csrwi mseccfg, 0\n{rule(cfg)}")
        for cfg in (X, W | X, R | W, L | R, L | R | X, L | X)
    ),
    Question("mseccfg keeps what is sticky", M, "csrwi mseccfg, 0\ncsrr a0, mseccfg"),
]

# Interrupts that come together

TOGETHER_QUESTIONS = [
    Question(
        f"interrupts {pending:#x} in {name}, mideleg {mideleg:#x}, vectored {vectored}",
        mode,
        "nop\nli a0, 1\n",
        f"{UNDO_DELEGATION}{MSTATUS_CLEAN}la t0, delegated + {vectored}\ncsrw stvec, t0\nli t0, {mideleg}\n"
        f"csrw mideleg, t0\nli t0, {pending}\ncsrw mip, t0\ncsrw mie, t0\n" + csr_bits("mstatus", 0x82),
    )
    for name, mode in MODES.items()
    for pending in (0x22, 0x202, 0x220, 0x222, 0x2220)
    for mideleg in (0, 0x2, 0x20, 0x200, 0x222)
    for vectored in (0,)
] + [Question("no interrupt is pending", M, "li t0, -1\ncsrc mip, t0\ncsrr a0, mip", UNDO_DELEGATION)]
