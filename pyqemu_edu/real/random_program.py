"""Writes random RV64GC programs that end and stay where they may be (Not in QEMU).

A program is a list of chunks that can be cut off behind any of them: single instructions, branches over a few others,
calls, loops, atomics, CSR accesses, and perhaps a trap at the end. Words are drawn from the declared bit patterns.
x2 and x8 point to the middle of the data, x3 counts loops: no chunk writes them. x9 is a pointer where one is needed.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from pyqemu_edu.guests import GUESTS, symbol_address, symbol_offset
from pyqemu_edu.target.riscv.csr import csr_number
from pyqemu_edu.target.riscv.insn.declare import Instruction
from pyqemu_edu.target.riscv.insn.decode import EXTENSIONS as EVERY
from pyqemu_edu.target.riscv.insn.decode import decode, decoder

DATA_SIZE = 4104
BODY_SIZE = 4096
BASES = frozenset({2, 8})
RESERVED = BASES | {3}
POINTER = 9
CSRS = tuple(csr_number[name] for name in (
    "mscratch mepc mcause mtval fflags medeleg mideleg mie mcounteren menvcfg mcountinhibit mhpmevent3 pmpaddr3 "
    "stvec scounteren senvcfg sscratch sepc scause stval satp tselect tdata2 "
    "hedeleg hideleg hie hcounteren henvcfg htval hgatp vsie vstvec vsscratch vsepc vscause vstval vsatp"
).split())  # fmt: skip
"""Those whose writing changes nothing else, as long as all happens in machine mode."""

MSTATUS, FRM = 0x300, 0x002
EDGES = (0, 1, 2, 0x7F, 0x80, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 2**63 - 1, 2**63, 2**64 - 2, 2**64 - 1)

LOADS = frozenset("lb lbu lh lhu lw lwu ld flh flw fld".split())
STORES = frozenset("sb sh sw sd fsh fsw fsd".split())
EXTENSIONS = frozenset(name for name in EVERY if not name.startswith(("S", "Zk", "Zbk", "X")))
"""What programs are made of: everything that the model `rv64,Zfh=true` has, but for supervisor mode."""

INSTRUCTIONS = {each.name: each for each in decoder(EXTENSIONS).instructions if each.name != "reserved"}


def _does(instruction: Instruction) -> str:
    """The full instruction that this is or stands for."""
    return instruction.meaning.__name__.rstrip("_")


def _those(wanted: Callable[[Instruction], bool]) -> list[Instruction]:
    return [each for each in INSTRUCTIONS.values() if wanted(each)]


KINDS = ("R", "I", "Shift", "S", "U", "Fence", "Rounded", "Fused", "Unary", "UnaryR")
HARMLESS = ("fence.i", "pause")

# fmt: off
BRANCHES = _those(lambda each: each.format.operands.__name__ == "B")
JUMPS    = _those(lambda each: _does(each) == "jal")
CALLS    = _those(lambda each: _does(each) == "jalr")
ATOMICS  = _those(lambda each: each.format.operands.__name__ == "Atomic")
CSR      = _those(lambda each: each.format.operands.__name__ in ("Csr", "CsrI"))
FLOATS   = _those(lambda each: each.extension.fpu)
ACCESSES = _those(lambda each: _does(each) in LOADS | STORES and "(sp)" not in each.form)
PLAIN    = _those(lambda each: (each.format.operands.__name__ in KINDS and each not in CALLS) or each.name in HARMLESS)
# fmt: on


@dataclass(frozen=True)
class Program:
    """A random program: code in chunks, and the seed from which its registers and data are filled."""

    seed: int
    chunks: tuple[bytes, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """What it prints: registers, what a trap left behind, and a checksum of its data."""
        return (*(f"x{n}" for n in range(1, 32)), "mcause", "mepc", "mtval", "data")

    def cut(self, length: int) -> Program:
        """The same program, ended behind so many chunks."""
        return replace(self, chunks=self.chunks[:length])

    def write(self, path: Path) -> None:
        """Write the program as an ELF for `-kernel`: into a copy of the guest `frame`."""
        frame = GUESTS["frame"].elf
        rng = Random(f"state of {self.seed}")
        image = bytearray(frame.read_bytes())
        body = b"".join(self.chunks)
        finish = symbol_address(frame, "finish") - symbol_address(frame, "body") - len(body)
        body += word("jal", rd=0, imm=finish)
        assert len(body) <= BODY_SIZE
        for symbol, content in {"body": body, "initial": _registers(rng), "data": rng.randbytes(DATA_SIZE)}.items():
            offset = symbol_offset(frame, symbol)
            image[offset : offset + len(content)] = content
        path.write_bytes(image)


def _registers(rng: Random) -> bytes:
    """Values for x1 to x31, every other one an edge."""
    values = [rng.choice((rng.choice(EDGES), rng.getrandbits(64))) for _ in range(31)]
    return b"".join(value.to_bytes(8, "little") for value in values)


def word(name: str, **operands: int) -> bytes:
    """One instruction with these operands. Raises ValueError for one that does not fit."""
    instruction = INSTRUCTIONS[name]
    return instruction.encode(**operands).to_bytes(instruction.length, "little")


def draw(rng: Random, kinds: Sequence[Instruction], **wanted: int) -> bytes:
    """A random one of these instructions with random operands, `wanted` excepted, that a program may contain."""
    while True:
        instruction = rng.choice(kinds)
        operands = instruction.operands(instruction.match | rng.getrandbits(32) & ~instruction.mask)._asdict()
        with suppress(ValueError):  # what is wanted does not fit these bits
            code = word(instruction.name, **operands | wanted)
            if _allowed(instruction, code):
                return code


def _allowed(instruction: Instruction, code: bytes) -> bool:
    """Whether a word means what its pattern says, spares the reserved registers, and stays within the data."""
    found = decode(int.from_bytes(code, "little"))
    if found is None or found[0] is not instruction:
        return False
    operands: dict[str, Any] = found[1]._asdict()
    near = operands.get("rs1") in BASES and -DATA_SIZE // 2 <= operands.get("imm", 0) < DATA_SIZE // 2 - 8
    if operands.get("rm") in (5, 6):
        return False  # there are no such rounding modes
    return operands.get("rd") not in RESERVED and (near or _does(instruction) not in LOADS | STORES)


def plain(rng: Random) -> bytes:
    """Anything that goes on to the next instruction."""
    return draw(rng, PLAIN)


def some(rng: Random) -> bytes:
    """A few plain instructions."""
    return b"".join(plain(rng) for _ in range(rng.randint(1, 5)))


def branch(rng: Random) -> bytes:
    """A branch over a few instructions, taken or not."""
    skipped = some(rng)
    length = 4
    while True:
        code = draw(rng, BRANCHES, imm=length + len(skipped))
        if len(code) == length:
            return code + skipped
        length = len(code)


def jump(rng: Random) -> bytes:
    """A jump over a few instructions, with or without a link."""
    skipped = some(rng)
    short = rng.random() < 0.5
    kinds = [each for each in JUMPS if (each.length == 2) == short]
    return draw(rng, kinds, imm=len(skipped) + (2 if short else 4)) + skipped


def call(rng: Random) -> bytes:
    """A jump through a register over a few instructions."""
    skipped = some(rng)
    code = draw(rng, CALLS, rs1=POINTER, imm=0)
    target = 8 + len(code) + len(skipped)
    return word("auipc", rd=POINTER, imm=0) + word("addi", rd=POINTER, rs1=POINTER, imm=target) + code + skipped


def loop(rng: Random) -> bytes:
    """A few instructions, a few times."""
    body = some(rng) + word("addi", rd=3, rs1=3, imm=-1)
    return word("addi", rd=3, rs1=0, imm=rng.randint(1, 8)) + body + word("bne", rs1=3, rs2=0, imm=-len(body))


def pointer(rng: Random, step: int) -> bytes:
    """Point x9 somewhere into the data, at a multiple of `step`."""
    return word("addi", rd=POINTER, rs1=8, imm=rng.randrange(-2048, 2040, step))


def atomic(rng: Random) -> bytes:
    """An atomic operation, or a pair of load-reserved and store-conditional."""
    if rng.random() < 0.5:
        return pointer(rng, 8) + draw(rng, [each for each in ATOMICS if each.name[:2] == "am"], rs1=POINTER)
    size = rng.choice("wd")
    reserve = draw(rng, [INSTRUCTIONS[f"lr.{size}"]], rs1=POINTER, rd=rng.choice((5, 6, 7)))
    return pointer(rng, 8) + reserve + draw(rng, [INSTRUCTIONS[f"sc.{size}"]], rs1=POINTER)


def stack(rng: Random) -> bytes:
    """Take the stack pointer elsewhere and back."""
    away = 16 * rng.choice((-3, -2, -1, 1, 2, 3))
    return word("c.addi16sp", rd=2, rs1=2, imm=away) + word("addi", rd=5, rs1=2) + word("addi", rd=2, rs1=2, imm=-away)


def access(rng: Random) -> bytes:
    """A load from the data, or a store into them."""
    return draw(rng, ACCESSES, rs1=8)


def csr(rng: Random) -> bytes:
    """An access to a CSR that changes nothing but itself."""
    return draw(rng, CSR, csr=rng.choice(CSRS))


def floats(rng: Random) -> bytes:
    """Round in some way from here on, fill registers with whatever bits there are, and compute with them."""
    mode = word("csrrwi", rd=0, csr=FRM, imm=rng.randrange(5))
    fill = b"".join(draw(rng, [INSTRUCTIONS[rng.choice(("flh", "flw", "fld"))]], rs1=8) for _ in range(3))
    return mode + fill + b"".join(draw(rng, FLOATS) for _ in range(4))


def trap(rng: Random) -> bytes:
    """Something that the hart cannot do, which ends the program."""
    return rng.choice(
        (
            word("ecall"),
            word("ebreak"),
            b"\xff\xff\xff\xff",
            b"\0\0",
            word(rng.choice(sorted(LOADS)), rd=5, rs1=0, imm=8),
            word(rng.choice(sorted(STORES)), rs1=0, rs2=5, imm=8),
            word("addi", rd=POINTER, rs1=8, imm=1) + draw(rng, ATOMICS, rs1=POINTER),
            word("jalr", rd=1, rs1=0, imm=0x40),
            draw(rng, CSR, csr=0x7FF),
        )
    )


CHUNKS: dict[Callable[[Random], bytes], int] = {
    plain: 70, branch: 8, jump: 4, call: 4, loop: 4, access: 8, atomic: 8, csr: 4, stack: 1, floats: 8,
}  # fmt: skip
"""What a program is made of, and how often."""


def random_program(seed: int, length: int = 120) -> Program:
    """A program of `length` chunks; the same one for the same seed and the same instruction set."""
    rng = Random(seed)
    fpu_on = word("lui", rd=5, imm=0x2000) + word("csrrs", rd=0, csr=MSTATUS, rs1=5)
    chunks = [fpu_on] + [make(rng) for make in rng.choices(list(CHUNKS), list(CHUNKS.values()), k=length)]
    if rng.random() < 0.5:
        chunks.append(trap(rng))
    return Program(seed, tuple(chunks))
