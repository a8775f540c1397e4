"""Programs and checks for notebook 14, "Who may do what?" (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random

from pyqemu_edu.guests import assembled
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.process import Process
from pyqemu_edu.target.riscv.asm import AssemblyError, assemble
from pyqemu_edu.target.riscv.cpu_bits import (
    MSTATUS_MIE,
    MSTATUS_MPIE,
    MSTATUS_MPP,
    PRV_M,
    PRV_S,
    PRV_U,
    RISCV_EXCP_INT_FLAG,
    get_field,
)
from pyqemu_edu.target.riscv.cpu_helper import riscv_cpu_do_interrupt, riscv_cpu_local_irq_pending
from pyqemu_edu.target.riscv.cpu_state import RISCVCPU, CPURISCVState
from pyqemu_edu.vm import Qemu

BOARD = "-machine spike -bios none -display none"
MODES = {PRV_U: "U", PRV_S: "S", PRV_M: "M"}

DOORS = """
        .globl  _start
_start: la      t0, machine             # machine mode: where its traps go,
        csrw    mtvec, t0
        la      t0, supervisor          # and where those of supervisor mode go
        csrw    stvec, t0
        li      t0, {medeleg}
        csrw    medeleg, t0
        li      t0, -1                  # one rule of memory protection: everybody may do everything
        csrw    pmpaddr0, t0
        li      t0, 0x1f
        csrw    pmpcfg0, t0
        la      t0, user
        csrw    mepc, t0
        mret                            # MPP is 0, so this goes down to user mode
user:   {instruction}
back:   addi    a1, a1, 1
        j       user
        .align  2
machine: csrr   t1, mepc                # go on behind what was refused
        addi    t1, t1, 4
        csrw    mepc, t1
        mret
        .align  2
supervisor: csrr t1, sepc
        addi    t1, t1, 4
        csrw    sepc, t1
        sret
"""
"""Three modes: machine mode lets user mode run one instruction again and again."""


def doors(instruction: str, medeleg: int = 0) -> tuple[Qemu, dict[str, int]]:
    """A machine that stands in user mode before `instruction`, and where its labels are."""
    source = DOORS.format(instruction=instruction, medeleg=medeleg)
    places = assemble(source).symbols
    vm = Qemu(f"{BOARD} -kernel {assembled(source)}", record=False, types="modelled")
    return vm.run(until=places["user"]), dict(places)


def tried(instruction: str, medeleg: int = 0) -> str:
    """What comes of an instruction in user mode: it is executed, or a trap of some name goes to some mode."""
    vm, _ = doors(instruction, medeleg)
    vm.step(record=True)
    traps = vm.trace.events("riscv_trap")
    vm.close()
    return f"{traps[0]['desc']}, taken in {MODES[vm.harts[0].env.priv]}-mode" if traps else "executed"


# --- interrupts


def taken(priv: int, status: int, pending: int, enabled: int = -1, delegated: int = 0) -> int | None:
    """Which interrupt a hart takes in this situation; None if none."""
    env = CPURISCVState(priv=priv, mstatus=status, mip=pending, mie=enabled, mideleg=delegated)
    number = riscv_cpu_local_irq_pending(env)
    return None if number < 0 else number


# --- exercise 1: enter a trap

Attempt = Callable[[CPURISCVState, int, int], None]


def situations() -> Iterator[tuple[CPURISCVState, int]]:
    """Harts in user and machine mode, and what they trap for."""
    rng = Random(14)
    for cause in (2, 8, 5, 3, RISCV_EXCP_INT_FLAG | 7, RISCV_EXCP_INT_FLAG | 3):
        for priv in (PRV_U, PRV_S, PRV_M):
            for vectored in (0, 1):
                status = rng.choice((0, MSTATUS_MIE)) | rng.choice((0, MSTATUS_MPIE)) | rng.choice((0, MSTATUS_MPP))
                yield hart(priv, status, 0x80000200 | vectored, 0x80000000 + 2 * rng.randrange(64)), cause


def hart(priv: int, status: int, mtvec: int, pc: int) -> CPURISCVState:
    """A hart's registers, as far as a trap cares; bad address and bad instruction are 0x40."""
    cpu = RISCVCPU()
    env = cpu.env
    env.cpu, env.priv, env.mstatus, env.mtvec, env.pc = cpu, priv, status, mtvec, pc
    env.badaddr = env.bins = 0x40
    cpu.env_ptr = env
    return env


RULES = {
    "mepc": "mepc keeps the address of the instruction that could not go on",
    "mcause": "mcause keeps the cause, and for an interrupt bit 63 besides",
    "MPP": "mstatus.MPP remembers the mode in which the trap happened",
    "MPIE": "mstatus.MPIE remembers whether interrupts were on",
    "MIE": "a handler begins with interrupts off",
    "priv": "the handler runs in machine mode",
    "pc": "the handler is at mtvec without its two lowest bits; if they are 1, interrupt n is 4 n further",
}


def facts(env: CPURISCVState) -> dict[str, int]:
    """What a trap changes, by name."""
    fields = {"MPP": MSTATUS_MPP, "MPIE": MSTATUS_MPIE, "MIE": MSTATUS_MIE}
    return {
        "mepc": env.mepc,
        "mcause": env.mcause,
        **{name: get_field(env.mstatus, mask) for name, mask in fields.items()},
        "priv": env.priv,
        "pc": env.pc,
    }


@check
def check_1(attempt: Attempt) -> str:
    """Let `attempt(env, cause, interrupt)` take 36 traps, and compare with what QEMU's function does."""
    count = 0
    for (mine, cause), (theirs, _) in zip(situations(), situations(), strict=True):
        theirs.cpu.exception_index = cause
        before, priv = mine.mstatus, mine.priv
        with Process():
            riscv_cpu_do_interrupt(theirs.cpu)
        is_interrupt = int(bool(cause & RISCV_EXCP_INT_FLAG))
        number = theirs.mcause & 63
        attempt(mine, number, is_interrupt)
        expected, seen = facts(theirs), facts(mine)
        wrong = [name for name, value in expected.items() if seen[name] != value]
        if wrong:
            what = f"{'interrupt' if is_interrupt else 'exception'} {number} in {MODES[priv]}-mode, mstatus {before:#x}"
            first = wrong[0]
            raise NotYet(f"{what}: {first} is {seen[first]:#x}, not {expected[first]:#x}.\nThe rule: {RULES[first]}.")
        count += 1
    return f"{count} traps, exceptions and interrupts, from three modes, direct and vectored: all as in QEMU."


# --- exercise 2: which interrupt?

# fmt: off
CASES: dict[str, dict[str, int]] = {
    "a": {"priv": PRV_M, "status": 0,           "pending": 0x088, "delegated": 0},
    "b": {"priv": PRV_U, "status": 0,           "pending": 0x088, "delegated": 0},
    "c": {"priv": PRV_S, "status": 0,           "pending": 0x222, "delegated": 0x222},
    "d": {"priv": PRV_M, "status": MSTATUS_MIE, "pending": 0x202, "delegated": 0x222},
    "e": {"priv": PRV_U, "status": 0,           "pending": 0x222, "delegated": 0x200},
}
# fmt: on
"""Harts with all interrupts enabled in mie."""

HINTS = {
    "a": "in machine mode it is mstatus.MIE that decides",
    "b": "below machine mode its interrupts are always on, whatever MIE says",
    "c": "delegated interrupts in supervisor mode wait for mstatus.SIE",
    "d": "machine mode is never interrupted by what it has delegated",
    "e": "what is not delegated comes first, and among those QEMU 7.2 begins with the lowest number",
}


@check
def check_2(answers: dict[str, int | None]) -> str:
    """Compare a number, or None, for each case with what a hart does."""
    for case, situation in CASES.items():
        if case not in answers:
            raise NotYet(f"there is no answer for case {case}: a number, or None.")
        if answers[case] != taken(**situation):
            raise NotYet(f"case {case}: not {answers[case]}. The rule: {HINTS[case]}.")
    return "all five: " + ", ".join(f"{case} {taken(**situation)}" for case, situation in CASES.items()) + "."


# --- exercise 3: a system call

SYSTEM = """
        .globl  _start
_start: la      t0, failed
        csrw    mtvec, t0
        la      t0, system
        csrw    stvec, t0
        li      t0, 0x100               # calls from user mode are supervisor mode's business
        csrw    medeleg, t0
        li      t0, -1
        csrw    pmpaddr0, t0
        li      t0, 0x1f
        csrw    pmpcfg0, t0
        la      t0, user
        csrw    mepc, t0
        mret
user:   li      a0, 41
        ecall                           # a system call: what is one more than a0?
asked:  addi    s0, s0, 1
done:   j       done
failed: j       failed
        .align  2
system:
{handler}
"""


@check
def check_3(handler: str) -> str:
    """Put the handler into the program, and let user mode call it."""
    if not handler.strip():
        raise NotYet("the handler is empty: supervisor mode runs on into nothing.")
    source = SYSTEM.format(handler=handler)
    try:
        places = assemble(source).symbols
    except AssemblyError as wrong:
        raise NotYet(f"the assembler says: {wrong}") from None
    vm = Qemu(f"{BOARD} -kernel {assembled(source)}", record=False, types="modelled").run(budget=500)
    env, pc = vm.harts[0].env, vm.harts[0].env.pc
    vm.close()
    if env.mcause == 2 and env.priv == PRV_M:
        raise NotYet(f"supervisor mode was refused the instruction at {env.mepc:#x}. Which return is its own?")
    if env.scause == 8 and env.gpr[10] > 42:
        raise NotYet(f"a0 is {env.gpr[10]}: the call is made again and again. Where does sepc point?")
    if env.gpr[10] != 42:
        raise NotYet(f"a0 is {env.gpr[10]}, not 42.")
    if pc != places["done"] or env.priv != PRV_U:
        raise NotYet(f"a0 is 42, but the hart is in {MODES[env.priv]}-mode at {pc:#x} instead of back in the program.")
    return "user mode asked, supervisor mode answered 42, and machine mode never noticed."
