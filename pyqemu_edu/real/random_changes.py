"""Draws what a random program for a hart changes in machine mode before it executes anything (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

from pyqemu_edu.real.random_paging import entry, table_in_use
from pyqemu_edu.real.random_setting import Setting
from pyqemu_edu.real.random_words import EVERY, STATUS, drawn
from pyqemu_edu.target.riscv.cpu_bits import (
    MSTATUS64_UXL,
    MSTATUS_FS,
    MSTATUS_MIE,
    MSTATUS_MPIE,
    MSTATUS_MPRV,
    MSTATUS_MXR,
    MSTATUS_SIE,
    MSTATUS_SPIE,
    MSTATUS_SPP,
    MSTATUS_SUM,
    MSTATUS_TSR,
    MSTATUS_TVM,
    MSTATUS_TW,
)

# fmt: off
MSTATUS_BITS = (
    MSTATUS_MPRV, MSTATUS_SUM, MSTATUS_MXR, MSTATUS_TVM, MSTATUS_TW, MSTATUS_TSR, MSTATUS_SIE, MSTATUS_MIE,
    MSTATUS_SPIE, MSTATUS_MPIE, MSTATUS_SPP, MSTATUS_FS, 0x2000, 0x4000,
)
TRAP_CSRS  = ("mepc", "mcause", "mtval", "mscratch", "sepc", "scause", "stval", "sscratch")
FORBIDDEN  = {"medeleg": 1 << 9, "mstatus": MSTATUS64_UXL, "sstatus": MSTATUS64_UXL}
"""What the supervisor's handler asks the machine's by, and user mode with registers of another width."""
MTIME, MTIMECMP, MSIP = 0x200BFF8, 0x2004000, 0x2000000
TRIGGERS   = (2 << 60, 2 << 60, 6 << 60, 0, 15 << 60)
# fmt: on


def write(name: str, value: int, how: str = "csrw") -> str:
    """Write a CSR, or set or clear bits of it."""
    return f"        li      t0, {value:#x}\n        {how}    {name}, t0\n"


def csr(rng: Random, setting: Setting) -> str:
    """A CSR of those that matter most, mostly to what is random."""
    name = rng.choice((*STATUS, *TRAP_CSRS))
    value = rng.choice((rng.getrandbits(64), rng.getrandbits(20), 1 << rng.randrange(64))) & ~FORBIDDEN.get(name, 0)
    if name in ("stvec", "mstatus", "menvcfg") and rng.random() < 0.7:
        return ""
    return write(name, value, rng.choice(("csrw", "csrs", "csrc")))


def status(rng: Random, setting: Setting) -> str:
    """Some bits of mstatus that matter to what follows."""
    return write("mstatus", sum({*rng.sample(MSTATUS_BITS, 3)}), rng.choice(("csrs", "csrs", "csrc")))


def vector(rng: Random, setting: Setting) -> str:
    """The handlers, vectored or not."""
    which, label = rng.choice((("mtvec", "handler"), ("stvec", "supervisor")))
    return f"        la      t0, {label} + {rng.choice((0, 1, 1))}\n        csrw    {which}, t0\n"


def interrupt(rng: Random, setting: Setting) -> str:
    """Something pending and enabled, delegated or not."""
    which = rng.choice((0x2, 0x20, 0x200, 0x222, 0x80, 0x8, 0xAAA))
    delegated = write("mideleg", rng.choice((0, which, 0x222)))
    pending = write("mip", which, rng.choice(("csrs", "csrs", "csrc")))
    return delegated + pending + write("mie", which, rng.choice(("csrs", "csrw")))


def timer(rng: Random, setting: Setting) -> str:
    """When the timer interrupts, where time is counted in instructions; or an interrupt from another hart."""
    if not setting.icount:
        return ""
    return f"""        li      t1, {rng.choice((MTIMECMP, MTIMECMP, MSIP)):#x}
        li      t2, {MTIME:#x}
        ld      t2, (t2)
        addi    t2, t2, {rng.randrange(20)}
        s{rng.choice("dddw")}      t2, (t1)
{write("mie", rng.choice((0x80, 0xA8, 0x20)), "csrs")}"""


def page_table_entry(rng: Random, setting: Setting) -> str:
    """An entry of a page table; old translations may be forgotten or not."""
    text = entry(rng, setting.levels)
    return text if rng.random() < 0.6 else text.replace("        sfence.vma\n", "")


def page_table(rng: Random, setting: Setting) -> str:
    """The page table in use, or none."""
    return table_in_use(rng, setting.levels) if rng.random() < 0.8 else "        csrw    satp, zero\n"


def protection(rng: Random, setting: Setting) -> str:
    """A rule of memory protection: any kind, about data, tables or pages or a part of them; now and then locked."""
    number = rng.randrange(4)
    base, inside = rng.choice(("numbers", "pages", "tables", "root39")), rng.choice((0, 0, 4, 8, 64, 0x7F8))
    kind = rng.choice((0, 0x08, 0x10, 0x18))
    ones = rng.choice((0, 1, 3, 0x1F, 0x1FF, 0x1FF, 0x3FF)) if kind == 0x18 else 0
    cfg = kind | rng.choice((0, 1, 3, 4, 5, 7, 7)) | (0x80 if rng.random() < 0.05 else 0)
    return f"""        la      t0, {base} + {inside}
        srli    t0, t0, 2
        ori     t0, t0, {ones:#x}
        csrw    pmpaddr{number}, t0
{write("pmpcfg0", 0xFF << 8 * number, "csrc")}{write("pmpcfg0", cfg << 8 * number, "csrs")}"""


def trigger(rng: Random, setting: Setting) -> str:
    """A trigger: an address to be loaded, stored or executed in some mode."""
    bits = rng.getrandbits(rng.choice((7, 12, 27)))
    which = write("tselect", rng.randrange(4)) + write("tdata1", rng.choice(TRIGGERS) | bits)
    return which + f"        la      t0, {rng.choice(('numbers', 'body@', 'pages'))}\n        csrw    tdata2, t0\n"


def code(rng: Random, setting: Setting) -> str:
    """Another instruction where the piece goes on."""
    word, _ = drawn(rng, EVERY, setting)
    store = f"        s{rng.choice('wwh')}      t1, {rng.choice((0, 0, 2, 4))}(t0)\n"
    fence = "        fence.i\n" if setting.fenced or rng.random() < 0.5 else ""
    return f"        la      t0, body@\n        li      t1, {word:#x}\n{store}{fence}"


CHANGES: dict[Callable[[Random, Setting], str], int] = {
    csr: 2, status: 2, vector: 1, interrupt: 1, timer: 1, page_table_entry: 2, page_table: 1, protection: 1, trigger: 1,
    code: 1,
}  # fmt: skip
"""What may be changed, and how often."""


def changes(rng: Random, setting: Setting) -> str:
    """None to three of them."""
    number = rng.choice((0, 1, 1, 2, 3))
    return "".join(make(rng, setting) for make in rng.choices(list(CHANGES), list(CHANGES.values()), k=number))
