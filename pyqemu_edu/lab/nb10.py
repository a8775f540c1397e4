"""Checks for the exercises of notebook 10, "Why translate?" (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Callable
from unittest.mock import patch

from pyqemu_edu.guests import assembled
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.target.riscv.asm import AssemblyError, assemble
from pyqemu_edu.tcg import optimize
from pyqemu_edu.tcg.op import TCGTemp, TempKind
from pyqemu_edu.tcg.optimize import liveness_pass, tcg_optimize
from pyqemu_edu.tcg.tcg import op_text
from pyqemu_edu.view.readings import translation
from pyqemu_edu.vm import Qemu

SPIKE = "-machine spike -bios none -display none"
EXIT = """
        li   a0, 1
        la   a1, tohost
        sd   a0, 0(a1)
stop:   j    stop
        .section .tohost, "aw"
        .balign 4096
tohost: .dword 0
        .balign 64
fromhost: .dword 0
"""
"""How a guest of ours ends: status 0, through HTIF, whose page runs no linked blocks, being a device."""


# --- exercise 1: one more operation less

Rule = Callable[[TCGTemp, TCGTemp], TCGTemp | None]
DIVISION = "li t0, 1\ndivu a0, a0, t0\ndivu a1, a1, a0"


@check
def check_1(rule: Rule) -> str:
    """Give the optimiser `rule` for `divu_i64`, and see what it leaves of `DIVISION`."""
    without = optimised(DIVISION)
    check_rule(rule)
    with patch.dict(optimize.IDENTITIES, {"divu_i64": rule}):
        left = optimised(DIVISION)
    if len(left) >= len(without):
        raise NotYet(f"before and after there are {len(left)} operations: {'; '.join(left)}.")
    return f"{len(without)} operations became {len(left)}, and what is not a division by one is as it was."


def optimised(text: str) -> list[str]:
    """The operations of a block of instructions after both passes; where instructions begin is left out."""
    data = assemble(text).data
    ctx = translation([int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data), 4)])
    ctx.exit()
    tcg_optimize(ctx.tcg)
    liveness_pass(ctx.tcg)
    return [op_text(op).strip() for op in ctx.tcg.ops if op.opc != "insn_start"]


def check_rule(rule: Rule) -> None:
    """What the rule says of some divisions, none of which may change its result."""
    x, y = (TCGTemp(TempKind.GLOBAL, n, name) for n, name in enumerate(("x", "y")))
    one, two, seven = (TCGTemp(TempKind.CONST, -1, "", value=value) for value in (1, 2, 7))
    answers = {
        "x // 1": (rule(x, one), x),
        "x // 2": (rule(x, two), None),
        "x // y": (rule(x, y), None),
        "1 // x": (rule(one, x), None),
        "7 // 1": (rule(seven, one), seven),
    }
    for division, (said, right) in answers.items():
        if said is not right:
            raise NotYet(f"your rule says of {division}: {described(said)}. {reason(division, said)}")


def described(said: object) -> str:
    """What a rule gave."""
    if said is None:
        return "nothing is known"
    return f"it is {said}" if isinstance(said, TCGTemp) else f"it is {said!r}"


def reason(division: str, said: object) -> str:
    """What is wrong with an answer."""
    if said is not None and not isinstance(said, TCGTemp):
        return "A rule gives back one of the two values that it was given, or None; it makes no numbers."
    if said is None:
        return "For this division a value is known without computing."
    if division == "x // y":
        return "y is a register: while a block is translated nobody knows what will be in it."
    return "Divide some number for x and compare."


# --- exercise 2: when must a block be thrown away?

EVENTS = {
    "a": "the guest stores over an instruction of the block",
    "b": "the guest stores beside the block, but into the same page",
    "c": "an interrupt takes the hart out of the block",
    "d": "the guest executes fence.i",
    "e": "a debugger sets a breakpoint in the block",
}
BLOCK = 0x8000_0004
WITH_EVENT = """
_start: j    1f
block:  addi t0, t0, 1
        ret
        nop
1:      la   t1, handler
        csrw mtvec, t1
        csrwi mie, 8
        jal  block
        la   t1, block
        li   t2, 0x00228293
{event}
        jal  block
        j    exit
        .balign 4
handler: li  t1, 0x02000000
        sw   zero, 0(t1)
        mret
exit:"""
GUESTS_OF_EVENTS = {
    "a": "sw t2, 0(t1)",
    "b": "sw t2, 8(t1)",
    "c": "li t1, 0x02000000\nli t2, 1\nsw t2, 0(t1)\ncsrsi mstatus, 8\nnop",
    "d": "fence.i",
    "e": "",
}


@check
def check_2(answer: str) -> str:
    """The letters of the events that make QEMU throw the block away; each is tried."""
    letters = set(answer.lower().replace(",", " ").split()) if " " in answer or "," in answer else set(answer.lower())
    if not letters or not letters <= set(EVENTS):
        raise NotYet(f"give the letters of one or more of {', '.join(EVENTS)}.")
    for letter, event in EVENTS.items():
        thrown = times_thrown_away(letter)
        if (letter in letters) != bool(thrown):
            happened = f"threw it away {thrown} time(s)" if thrown else "kept it"
            raise NotYet(f"we tried ({letter}): {event}, and QEMU {happened}. {WHY[letter]}")
    return "a block holds what its bytes meant when it was made; only a change of these bytes makes it wrong."


WHY = {
    "a": "What would the second call of the block do otherwise?",
    "b": "QEMU notices the store, since there is code in the page; then it compares addresses.",
    "c": "Where the hart is has nothing to do with what its code means.",
    "d": "On real hardware this instruction is how a guest says that it has changed code. QEMU has noticed long ago.",
    "e": "In QEMU 7.2 a breakpoint does not change code; it is looked for between blocks.",
}


def times_thrown_away(letter: str) -> int:
    """How often the block at `BLOCK` was thrown away in a guest in which the event happens."""
    elf = assembled(WITH_EVENT.format(event=GUESTS_OF_EVENTS[letter]) + EXIT)
    vm = Qemu(f"{SPIKE} -kernel {elf}", record=False, types="modelled")
    if letter == "e":
        vm.run(until=assemble(WITH_EVENT.format(event="") + EXIT).symbols["exit"], budget=2000, record=True)
        vm.run(until=BLOCK, budget=2000, record=True)
    else:
        vm.run(budget=2000, record=True)
    return sum(event["pc"] == BLOCK for event in vm.trace.events("tb_phys_invalidate"))


# --- exercise 3: a loop that chaining does not help

LEAST = 500


@check
def check_3(text: str) -> str:
    """Run the loop, and count: one look-up for every five instructions at least, though blocks may be linked."""
    if not text.strip():
        raise NotYet("write some lines of assembly; what ends the guest is put behind them.")
    try:
        elf = assembled(f"_start:\n{text}\n{EXIT}")
    except AssemblyError as error:
        raise NotYet(f"the assembler says (your first line is line 2): {error}") from None
    vm = Qemu(f"{SPIKE} -d exec -kernel {elf}", record=False, types="modelled").run(budget=20_000)
    executed, entries = vm.harts[0].instret, vm.stderr.getvalue().count("Trace")
    if vm.exit_status is None:
        raise NotYet(f"after {executed:,} instructions the guest had not come to its end.")
    if executed < LEAST:
        raise NotYet(f"that were {executed:,} instructions; let it run for {LEAST} at least.")
    if entries * 5 < executed:
        raise NotYet(
            f"{executed:,} instructions, {entries:,} look-ups. The way from the end of the loop to its beginning was "
            "linked at the second turn. Which way out of a block cannot be linked?"
        )
    return f"{executed:,} instructions cost {entries:,} look-ups."
