"""What is asked about page tables."""

from __future__ import annotations

from privileged_mode_questions import (
    DELEGATE,
    MODES,
    MSTATUS_CLEAN,
    NAPOT,
    PMP_EXEC,
    PMP_READ,
    PMP_WRITE,
    RESTORE_PAGE,
    TRAPS,
    pmp,
)
from privileged_program import M, Question, S, U, csr_bits

# Page tables: gigapages map RAM onto itself for supervisor mode, and at 0xc0000000 for user mode.  What is asked about
# is at VA = 0x40000000: two pages whose entries each question writes.

V, PTE_R, PTE_W, PTE_X, PTE_U, PTE_G, PTE_A, PTE_D = (1 << bit for bit in range(8))
FULL = V | PTE_R | PTE_W | PTE_X | PTE_A | PTE_D
VA, USER_ALIAS = 0x40000000, 0x40000000
MXR, SUM, MPRV = 1 << 19, 1 << 18, 1 << 17
SV39, SV48, SV57 = 8, 9, 10
ROOTS = {SV39: "root", SV48: "root48", SV57: "root57"}


def entry(table: str, index: int, target: str, flags: int, add: int = 0) -> str:
    """Machine mode code that makes entry `index` of a table point to `target`, a label or an address."""
    load = f"la t0, {target}\nsrli t0, t0, 12\n" if target.isidentifier() else f"li t0, {int(target, 0) >> 12}\n"
    return f"{load}li t1, {add}\nadd t0, t0, t1\nslli t0, t0, 10\nli t1, {flags}\nor t0, t0, t1\nla t1, {table}\nli t2, {8 * index}\nadd t1, t1, t2\nsd t0, (t1)\n"  # noqa: E501


TABLES = (
    entry("root", 2, "0x80000000", FULL | PTE_G)
    + entry("root", 3, "0x80000000", FULL | PTE_U)
    + entry("root", 1, "middle", V)
    + entry("middle", 0, "leaves", V)
    + entry("root48", 0, "root", V)
    + entry("root57", 0, "root48", V)
)

MAKE_TABLES = Question("making tables is called from elsewhere", M, f"j 1f\ntables:\n{TABLES}ret\n1:\n")


def paging(first: int, second: int = FULL | PTE_U, vm: int = SV39, bits: int = 0) -> str:
    """Machine mode code: the two pages have these flags, and satp this kind of table."""
    satp = f"la t0, {ROOTS[vm]}\nsrli t0, t0, 12\nli t1, {vm << 60}\nor t0, t0, t1\ncsrw satp, t0\n"
    pages = entry("leaves", 0, "page", first) + entry("leaves", 1, "page2", second)
    return MSTATUS_CLEAN + RESTORE_PAGE + "call tables\n" + pages + satp + "sfence.vma\n" + csr_bits("mstatus", bits)


TOUCH = {
    "load": "ld t2, 0(t1)",
    "store": "sd t1, 8(t1)",
    "fetch": "jalr ra, 0(t1)\nli t2, 1",
    "amo": "amoor.d t2, zero, (t1)",
    "lr": "lr.w t2, (t1)",
    "load, store": "ld t2, 0(t1)\nsd t2, 8(t1)",
}
LOOK = "la t0, leaves\nld a0, 0(t0)\nld t0, 8(t0)\nslli t0, t0, 1\nxor a0, a0, t0\nxor a0, a0, t2\n"
"""What the entries are afterwards, mixed with what was loaded."""


def paged(name: str, mode: int, setup: str, body: str, va: int = VA) -> Question:
    """A question asked with page tables on."""
    return Question(name, mode, f"li t2, 0\nli t1, {va}\n{body}\n{LOOK}", setup, USER_ALIAS if mode == U else 0)


LEAF_QUESTIONS = [
    MAKE_TABLES,
    *(
        paged(f"{touch}, flags {flags:#04x} in {name}, mstatus {bits:#x}", mode, paging(flags, bits=bits), TOUCH[touch])
        for flags in range(256)
        if flags & V and not flags & PTE_G and (flags & PTE_A or flags & 0x1E in (0x1E, 0x0E, 0x06))
        for name, mode in (("u", U), ("s", S))
        for touch in ("load", "store", "fetch")
        for bits in {"load": (0, MXR, SUM) if mode == S else (0, MXR), "store": (0, SUM), "fetch": (0, SUM)}[touch]
    ),
]
TABLE_QUESTIONS = [
    MAKE_TABLES,
    *(
        paged(
            f"{touch} in {name}, {what}",
            mode,
            paging(FULL | PTE_U * (mode == U), FULL | PTE_U * (mode == U)) + change + "sfence.vma\n",
            TOUCH[touch],
        )
        for what, change in {
            "as it should be": "",
            "not valid": entry("leaves", 0, "page", FULL & ~V),
            "middle not valid": entry("middle", 0, "leaves", 0),
            "root not valid": entry("root", 1, "middle", 0),
            "middle accessed": entry("middle", 0, "leaves", V | PTE_A),
            "middle dirty": entry("middle", 0, "leaves", V | PTE_D),
            "middle user": entry("middle", 0, "leaves", V | PTE_U),
            "middle global": entry("middle", 0, "leaves", V | PTE_G),
            "leaf is a table": entry("leaves", 0, "page", V),
            "a megapage": entry("middle", 0, "0x80000000", FULL | PTE_U * 1),
            "a megapage of s": entry("middle", 0, "0x80000000", FULL),
            "a megapage askew": entry("middle", 0, "0x80001000", FULL | PTE_U),
            "a gigapage": entry("root", 1, "0x80000000", FULL),
            "a gigapage askew": entry("root", 1, "0x80200000", FULL),
            "reserved bit 54": entry("leaves", 0, "page", FULL | PTE_U)
            + "ld t0, (t1)\nli t2, 1 << 54\nor t0, t0, t2\nsd t0, (t1)\n",
            "reserved bit 61": entry("leaves", 0, "page", FULL | PTE_U)
            + "ld t0, (t1)\nli t2, 1 << 61\nor t0, t0, t2\nsd t0, (t1)\n",
            "reserved bit 63": entry("leaves", 0, "page", FULL | PTE_U)
            + "ld t0, (t1)\nli t2, 1 << 63\nor t0, t0, t2\nsd t0, (t1)\n",
            "software's bits": entry("leaves", 0, "page", FULL | 0x300 | PTE_U * 1),
            "middle nowhere": entry("middle", 0, "0x10000000", V),
            "leaf nowhere": entry("leaves", 0, "0x10000000", FULL),
            "leaf at a device": entry("leaves", 0, "0x2000000", FULL),
            "leaf far away": entry("leaves", 0, "0xfffffffffff000", FULL),
            "leaves in ROM": entry("middle", 0, "0x1000", V),
        }.items()
        for name, mode in (("u", U), ("s", S))
        for touch in ("load", "store", "fetch")
    ),
    *(
        paged(
            f"{touch} at {va:#x} in {name}, kind {vm}",
            mode,
            paging(FULL | PTE_U * (mode == U), vm=vm),
            TOUCH[touch],
            va,
        )
        for vm in (SV39, SV48, SV57)
        for name, mode in (("u", U), ("s", S))
        for va in (
            VA,
            VA + 0x1000,
            VA + 0x2000,
            1 << 38,
            1 << 47,
            1 << 56,
            1 << 63,
            -1 << 38,
            -1 << 47,
            -1 << 56,
            -0x1000,
            (1 << 39) + VA,
        )
        for touch in ("load", "fetch")
    ),
    *(
        paged(
            f"{touch} in {name} with A, D: {flags:#x}",
            mode,
            paging(V | PTE_R | PTE_W | PTE_X | flags | PTE_U * (mode == U)),
            body,
        )
        for flags in (0, PTE_A, PTE_D, PTE_A | PTE_D)
        for name, mode in (("u", U), ("s", S))
        for touch, body in TOUCH.items()
    ),
    *(
        paged(
            f"{body} across, second {second:#x}, first {first:#x}, in {name}",
            mode,
            paging(first | PTE_U * (mode == U), second | PTE_U * (mode == U)),
            body,
            VA + 0x1000,
        )
        for body in (
            "ld t2, -4(t1)",
            "sd t1, -4(t1)",
            "lw t2, -2(t1)",
            "sh t1, -1(t1)",
            "sw t1, -3(t1)",
            "jalr ra, -2(t1)",
        )
        for first, second in (
            (FULL, FULL),
            (FULL, 0),
            (0, FULL),
            (FULL, V | PTE_R | PTE_A),
            (V | PTE_X | PTE_A, FULL),
            (V | PTE_R | PTE_W, V | PTE_R | PTE_W),
        )
        for name, mode in (("u", U), ("s", S))
    ),
]

STALE = "ld a0, (t1)\nla t0, leaves\nld t2, 8(t0)\nsd t2, (t0)\n{between}ld t0, (t1)\nxor a0, a0, t0\n"
SATP_AGAIN = "csrr t0, satp\nli t2, 1 << 44\nxor t0, t0, t2\ncsrw satp, t0\n"
RIGHTS_QUESTIONS = [
    MAKE_TABLES,
    *(
        paged(
            f"{touch} with MPRV as {name}, mstatus {bits:#x}, flags {flags:#x}",
            M,
            paging(flags, bits=bits),
            csr_bits("mstatus", MPRV | mpp << 11, (3 - mpp) << 11) + "li t1, 0x40000000\n" + body,
        )
        for touch, body in TOUCH.items()
        if touch != "fetch"
        for name, mpp in (("u", U), ("s", S), ("m", M))
        for flags in (FULL, FULL | PTE_U, V | PTE_X | PTE_A)
        for bits in (0, SUM, MXR)
    ),
    *(
        Question(
            f"{trap} in {name} with page tables, medeleg {medeleg:#x}",
            mode,
            body,
            paging(0) + DELEGATE.format(medeleg=medeleg),
            USER_ALIAS if mode == U else 0,
        )
        for trap, body in TRAPS.items()
        for name, mode in (("u", U), ("s", S))
        for medeleg in (0, 0xB0FF)
    ),
    *(
        paged(
            f"{touch} in {name}, protected: {what}",
            mode,
            setup + paging(FULL | PTE_U * (mode == U)).replace(RESTORE_PAGE, ""),
            body,
        )
        for what, setup in {
            "the page": pmp((0x1FF, NAPOT)),
            "8 bytes of it": pmp((0, NAPOT | PMP_READ)),
            "root": pmp((0x1FF, NAPOT)).replace("la t0, page", "la t0, root"),
            "middle": pmp((0x1FF, NAPOT | PMP_WRITE | PMP_EXEC)).replace("la t0, page", "la t0, middle"),
            "leaves, read only": pmp((0x1FF, NAPOT | PMP_READ)).replace("la t0, page", "la t0, leaves"),
            "an entry": pmp((0, NAPOT)).replace("la t0, page", "la t0, leaves"),
        }.items()
        for name, mode in (("u", U), ("s", S))
        for touch, body in TOUCH.items()
    ),
    *(
        Question(f"a changed entry, {what}", S, f"li t1, {VA}\n" + STALE.format(between=between), paging(FULL, FULL))
        for what, between in {
            "sfence.vma": "sfence.vma\n",
            "sfence.vma of the page": "sfence.vma t1\n",
            "sfence.vma of another page and space": "li t2, 0x5000\nsfence.vma t2, t1\n",
            "another satp": SATP_AGAIN,
            "SUM changed": "li t0, 1 << 18\ncsrs sstatus, t0\n",
            "MXR changed": "li t0, 1 << 19\ncsrs sstatus, t0\n",
            "SPP changed": "li t0, 0x100\ncsrs sstatus, t0\n",
            "nothing": "",
            "a fence": "fence\nfence.i\n",
            "a call of itself": "call 1f\nj 2f\n1: ret\n2:\n",
        }.items()
    ),
    *(
        Question(
            f"satp {value:#x} in {name}",
            mode,
            f"li t0, {value}\ncsrw satp, t0\ncsrr a0, satp\ncsrw satp, zero\n",
            MSTATUS_CLEAN + "csrw satp, zero\n",
        )
        for value in (0, 1, 1 << 60, 7 << 60, 11 << 60, 15 << 60, 0x7FFF << 44, 1 << 44)
        for name, mode in MODES.items()
        if mode
    ),
    Question("no page tables are left", M, "csrw satp, zero\ncsrr a0, satp", MSTATUS_CLEAN),
]
