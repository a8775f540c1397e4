"""Writes random programs that keep to no rules: any word, any CSR, any mode, any address (Not in QEMU).

A program is a list of pieces.  Each is entered in machine mode, changes something (`random_changes`), perhaps goes to
another mode, and executes whatever was drawn (`random_words`), until a trap: the handler goes on to the next piece.  A
piece may destroy even that; then the program ends where it ends.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from random import Random

from pyqemu_edu.real.random_changes import changes, write
from pyqemu_edu.real.random_paging import OPEN_TO_ALL, PAGES, TABLES, USER_ALIAS, M, S, U, address
from pyqemu_edu.real.random_program import EDGES
from pyqemu_edu.real.random_setting import Setting, random_setting
from pyqemu_edu.real.random_words import POINTERS, body
from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.target.riscv.asm.program import Program as Assembled
from pyqemu_edu.target.riscv.cpu_bits import MASK64, MSTATUS_MPP, MSTATUS_SPP

NUMBERS = 64
RAM_END = 0x8800_0000
DEVICES = (0, 0x1000, 0x200_0000, 0x200_4000, 0xC00_0000, 0x1000_0000, 0x300_0000, 0x6000_0000)
FAR = (1 << 63, 1 << 56, (1 << 64) - 8, 0xFFFF_FFFF_8000_0000, 1 << 38, 1 << 47)
LABELS = ("numbers", "numbers", "pages", "pages", "tables", "root39", "root48", "pages + 4096")


@dataclass(frozen=True)
class HartProgram:
    """A random program for a hart, piece by piece in assembly; `@` in one stands for its number."""

    seed: int
    setting: Setting
    chunks: tuple[str, ...]

    def without(self, number: int) -> HartProgram:
        """The same program without one of its pieces."""
        return replace(self, chunks=self.chunks[:number] + self.chunks[number + 1 :])

    def assemble(self) -> Assembled:
        """The program; it ends at `finish`."""
        pieces = "".join(f"piece{n}:{chunk.replace('@', str(n))}" for n, chunk in enumerate(self.chunks))
        names = ", ".join([*(f"piece{n}" for n in range(len(self.chunks))), "sum"])
        numbers = ", ".join(f"{number:#x}" for number in values(Random(f"data of {self.seed}"), NUMBERS))
        fence = "fence.i" if "Zifencei=false" not in self.setting.cpu else ""
        return assemble(FRAME.format(vectors=VECTORS, fence=fence, pieces=pieces, names=names, numbers=numbers))


def values(rng: Random, count: int) -> Iterator[int]:
    """Numbers, every other one an edge."""
    return (rng.choice((rng.choice(EDGES), rng.getrandbits(64))) for _ in range(count))


# fmt: off
VECTORS = "        j       trap\n" * 13  # one for each interrupt, if mtvec is vectored
FRAME = f"""
        .globl  _start
_start: la      t0, handler
        csrw    mtvec, t0
        la      t0, supervisor
        csrw    stvec, t0
{OPEN_TO_ALL}        j       next
        .balign 256
handler:
{{vectors}}trap:   li      t6, 0x20000             # MPRV would lend machine mode other rights
        csrc    mstatus, t6
        csrw    mie, zero
        la      t6, state
        sd      t5, 8(t6)
        csrr    t5, mepc
        sd      t5, 16(t6)
        csrr    t5, mip
        sd      t5, 24(t6)
next:   {{fence}}
        la      t6, state
        ld      t5, 0(t6)
        addi    t5, t5, 8
        sd      t5, 0(t6)
        ld      t5, (t5)
        jr      t5
        .balign 256
supervisor:
        csrr    t6, scause              # a vectored interrupt comes somewhere in between
        csrr    t6, sepc
        csrr    t6, stval
        csrr    t6, sstatus
        csrr    t6, sip
        csrr    t6, sie
        csrr    t6, scause
        csrr    t6, sepc
        csrr    t6, stval
        csrr    t6, sstatus
        ecall
sum:    la      t0, numbers             # what is left of some of the data
        li      t1, 16
        li      t2, 0
add:    ld      t3, (t0)
        slli    t4, t2, 5
        add     t2, t2, t4
        xor     t2, t2, t3
        addi    t0, t0, 8
        addi    t1, t1, -1
        bnez    t1, add
        j       finish
        .balign 4096
finish: j       finish
        .balign 4096
{{pieces}}
        .data
        .balign 4096                    # QEMU 7.2 forgets mtval where code and data share a page
state:  .dword  names - 8, 0, 0, 0
names:  .dword  {{names}}
        .balign 4096
numbers: .dword {{numbers}}
        .balign 4096
root39: .space  4096
root48: .space  4096
root57: .space  4096
tables: .space  {TABLES * 4096}
pages:  .space  {PAGES * 4096}
"""
# fmt: on


def random_hart_program(seed: int, length: int = 30) -> HartProgram:
    """A program of `length` pieces; the same one for the same seed and the same instruction set."""
    rng = Random(seed)
    setting = random_setting(rng)
    return HartProgram(seed, setting, tuple(piece(rng, setting) for _ in range(length)))


def piece(rng: Random, setting: Setting) -> str:
    """Some changes, values for registers, another mode perhaps, and instructions up to a trap."""
    places = [place(rng, setting) for _ in POINTERS]
    loads = "".join(f"        ld      x{n}, {8 * i}(t6)\n" for i, n in enumerate((*POINTERS, 5, 6, 7, 14, 15)))
    floats = "".join(f"        fld     f{n}, {8 * rng.randrange(11)}(t6)\n" for n in rng.sample(range(32), 3))
    return f"""
{changes(rng, setting)}        la      t6, values@
{loads}{floats if setting.has_doubles else ""}{mode(rng)}body@:
{body(rng, setting)}        .balign 4
        ecall
        .balign 8
values@: .dword {", ".join([*places, *map(hex, values(rng, 5))])}
"""


def place(rng: Random, setting: Setting) -> str:
    """An address: of data, near the edges of pages and of RAM, of code, of devices and holes, of what is paged."""
    if not setting.fenced and rng.random() < 0.2:
        return f"body@ + {rng.randrange(16)}"
    near = rng.choice((0, 0, 8, rng.randrange(-16, 17), rng.randrange(-2048, 2048)))
    if rng.random() < 0.55:
        return f"{rng.choice(LABELS)} + {near}"
    paged = address(rng, setting.levels)
    return hex(rng.choice((paged, paged, RAM_END, rng.choice(DEVICES), rng.choice(FAR))) + near & MASK64)


def mode(rng: Random) -> str:
    """Go to another mode, or stay in this one."""
    to = rng.choice((U, U, S, S, S, M, M))
    how = rng.choice(("", "", "mret") if to == M else ("mret", "mret", "mret", "sret"))
    if not how:
        return ""
    field, pc = (MSTATUS_MPP, "mepc") if how == "mret" else (MSTATUS_SPP, "sepc")
    alias = f" + {USER_ALIAS}" if to == U and rng.random() < 0.6 else ""
    bits = write("mstatus", field, "csrc") + write("mstatus", to * (field & -field) & field, "csrs")
    return f"{bits}        la      t0, body@{alias}\n        csrw    {pc}, t0\n        {how}\n"
