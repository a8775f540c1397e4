"""Meanings read on numbers: unicorn agrees on random operands, and guests behave as on the real QEMU."""

from __future__ import annotations

import random
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest
import unicorn
from unicorn import riscv_const

from pyqemu_edu.accel.tcg import cputlb
from pyqemu_edu.accel.tcg.cpu_exec_common import CPULoopExit
from pyqemu_edu.interp.arithmetic import MASK64, Arithmetic
from pyqemu_edu.interp.machine import NumberMachine
from pyqemu_edu.process import Process
from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.target.riscv.cpu_bits import PRV_M, RISCV_EXCP_BREAKPOINT, RISCV_EXCP_ILLEGAL_INST, RVC
from pyqemu_edu.target.riscv.cpu_state import CPURISCVState
from pyqemu_edu.target.riscv.insn.declare import RESERVED, Instruction
from pyqemu_edu.target.riscv.insn.decode import decode, decoder

GUESTS = Path(__file__).parents[1] / "pyqemu_edu" / "guests"
BASE, SIZE = 0x8000_0000, 0x4000
EDGES = (0, 1, 2, MASK64, 1 << 63, (1 << 63) - 1, 0x8000_0000, 0x7FFF_FFFF, 0xFFFF_FFFF, MASK64 - 0x7FFF_FFFF)


def hart(ram: bytearray) -> NumberMachine:
    """A hart with nothing around it but RAM, every page of which its TLB knows."""
    cpu = SimpleNamespace(env=CPURISCVState(priv=PRV_M, misa_ext=RVC), decoder=decoder(), exception_index=-1)
    cpu.env.cpu, cpu.env_ptr = cpu, cpu.env
    cpu.instret, cpu.tcg_cflags = 0, 0
    cpu.tlb = [cputlb.CPUTLB() for _ in range(8)]
    tlb, memory = cpu.tlb[PRV_M], memoryview(ram)
    for offset in range(0, len(ram), 4096):
        page = memory[offset : offset + 4096]
        for (size, signed), view in tlb.loads.items():
            letter = "bBhHiIqQ"[size.bit_length() * 2 - 2 + (not signed)]
            view[BASE + offset] = page.cast(letter)
        for size, view in tlb.stores.items():
            view[BASE + offset] = page.cast("BHIQ"[size.bit_length() - 1])
        entry = cputlb.CPUTLBEntry(7, None, 0, BASE + offset, page, -1, True)
        tlb.entries[BASE + offset] = entry
    return NumberMachine(cpu)


@pytest.fixture(autouse=True)
def process() -> Iterator[None]:
    """The slow path of a store asks its process for translated code."""
    with Process():
        yield


def x_register(number: int) -> int:
    return getattr(riscv_const, f"UC_RISCV_REG_X{number}")


class Unicorn:
    """The oracle: QEMU's own TCG in another packing."""

    def __init__(self) -> None:
        self.engine = unicorn.Uc(unicorn.UC_ARCH_RISCV, unicorn.UC_MODE_RISCV64)
        self.engine.mem_map(BASE - (1 << 21), 1 << 22)  # as far as `jal` goes

    def step(self, ram: bytes, registers: list[int], pc: int) -> tuple[list[int], int, bytes]:
        """Registers, pc and memory after one instruction."""
        self.engine.mem_write(BASE, ram)
        for number in range(1, 32):
            self.engine.reg_write(x_register(number), registers[number])
        self.engine.ctl_flush_tb()
        self.engine.emu_start(pc, 0, count=1)
        after = [0] + [self.engine.reg_read(x_register(number)) for number in range(1, 32)]
        return after, self.engine.reg_read(riscv_const.UC_RISCV_REG_PC), bytes(self.engine.mem_read(BASE, SIZE))


KNOWN_TO_UNICORN = {"I", "M", "Zmmul", "A", "RV64A", "C", "Zifencei"}
NOT_ASKED = {"ecall", "ebreak", "c.ebreak", "sc.w", "sc.d", RESERVED}
ASKED = [
    each for each in decoder().instructions if each.extension.name in KNOWN_TO_UNICORN and each.name not in NOT_ASKED
]


@pytest.fixture(scope="module")
def oracle() -> Unicorn:
    return Unicorn()


def random_case(instruction: Instruction, rng: random.Random) -> tuple[bytearray, list[int]] | None:
    """Memory with one such instruction in its middle, and registers; those that are addresses point into memory."""
    word = instruction.match | rng.getrandbits(32) & ~instruction.mask & (1 << 8 * instruction.length) - 1
    found = decode(word)
    if found is None or found[0] is not instruction:
        return None
    registers = [0] + [rng.choice((rng.getrandbits(64), rng.choice(EDGES), rng.getrandbits(8))) for _ in range(31)]
    if instruction.form.endswith(("({rs1})", "(sp)")) or instruction.name in ("c.jr", "c.jalr"):
        base = found[1].rs1
        if base == 0:
            return None
        registers[base] = BASE + 0x1000 + 8 * rng.randrange(0x100)
    ram = bytearray(rng.randbytes(SIZE))
    ram[SIZE // 2 : SIZE // 2 + instruction.length] = word.to_bytes(instruction.length, "little")
    return ram, registers


@pytest.mark.parametrize("instruction", ASKED, ids=lambda each: each.name)
def test_unicorn_agrees_on_random_operands(instruction: Instruction, oracle: Unicorn) -> None:
    rng, compared = random.Random(instruction.name), 0
    for _ in range(40):
        case = random_case(instruction, rng)
        if case is None:
            continue
        ram, registers = case
        expected = oracle.step(bytes(ram), registers, BASE + SIZE // 2)
        machine = hart(ram)
        machine.x[:] = registers
        machine.env.pc = BASE + SIZE // 2
        assert machine.run(1) == 1
        assert machine.x == expected[0]
        assert machine.env.pc == expected[1]
        assert bytes(ram) == expected[2]
        compared += 1
    assert compared >= 10


def run_program(text: str, limit: int = 1000) -> NumberMachine:
    ram = bytearray(SIZE)
    image = assemble(text).data
    ram[: len(image)] = image
    machine = hart(ram)
    machine.env.pc = BASE
    done = 0
    while done < limit:
        done += machine.run(limit - done)
    return machine


def test_a_reservation_holds_while_address_and_value_do() -> None:
    """QEMU compares the value at `sc`: storing the same value in between does not break a reservation."""
    machine = run_program(
        """
        li  a0, 0x80001000
        lr.w a1, (a0)
        sw  a1, (a0)
        li  a2, 7
        sc.w a3, a2, (a0)
        sc.w a4, a2, (a0)
        lw  a5, (a0)
        lr.w a1, (a0)
        sw  zero, (a0)
        sc.w a6, a2, (a0)
        1: j 1b
        """
    )
    a3, a4, a5, a6 = machine.x[13:17]
    assert (a3, a4, a5, a6) == (0, 1, 7, 1)


@pytest.mark.parametrize(
    ("text", "cause", "bins"),
    [
        ("nop\nebreak", RISCV_EXCP_BREAKPOINT, 0x0010_0073),
        ("nop\n.word 0xffffffff", RISCV_EXCP_ILLEGAL_INST, MASK64 >> 32),
    ],
)
def test_a_trap_leaves_pc_on_its_instruction(text: str, cause: int, bins: int) -> None:
    with pytest.raises(CPULoopExit) as caught:
        run_program(text)
    frame = caught.traceback[-1].frame.f_locals
    env = frame["cpu"].env
    assert (env.pc, frame["cpu"].exception_index, env.bins) == (BASE + 4, cause, bins)


def test_a_jump_without_compressed_instructions_goes_to_words() -> None:
    machine = hart(bytearray(assemble("jalr a0, 2(zero)").data) + bytearray(4092))
    machine.env.misa_ext = 0
    machine.env.pc, machine.x[10] = BASE, 99
    with pytest.raises(CPULoopExit):
        machine.run(1)
    assert (machine.x[10], machine.env.badaddr) == (99, 2)


def test_division_goes_towards_zero() -> None:
    """The one quotient that does not fit wraps."""
    arithmetic = Arithmetic()
    minus = lambda value: -value & MASK64  # noqa: E731
    assert arithmetic.div(minus(7), 2) == minus(3)
    assert arithmetic.rem(minus(7), 2) == minus(1)
    assert arithmetic.div(1 << 63, minus(1)) == 1 << 63


@pytest.mark.parametrize("guest", ["hello", "hello_c", "countdown", "exitcode", "primes", "recursion", "timer", "trap"])
def test_a_guest_prints_and_exits_as_on_the_real_qemu(guest: str) -> None:
    options = "-machine spike -nographic -monitor none -serial stdio -bios none -kernel".split()
    elf = str(GUESTS / f"{guest}.elf")
    ours = subprocess.run(
        [sys.executable, "-m", "pyqemu_edu", "-accel", "interp", *options, elf],
        capture_output=True,
        stdin=subprocess.DEVNULL,
    )
    try:
        real = subprocess.run(["qemu-system-riscv64", *options, elf], capture_output=True, stdin=subprocess.DEVNULL)
    except FileNotFoundError:
        pytest.skip("no qemu-system-riscv64")
    assert (ours.stdout, ours.returncode) == (real.stdout, real.returncode)
