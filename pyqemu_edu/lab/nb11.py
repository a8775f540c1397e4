"""Programs and checks for notebook 11, "The guest speaks" (Not in QEMU)."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import combinations

from pyqemu_edu.chardev.char_ringbuf import RingBufChardev, qmp_ringbuf_read
from pyqemu_edu.chardev.chardev import get_chardevs_root
from pyqemu_edu.guests import assembled, guest
from pyqemu_edu.lab.verdict import NotYet, check
from pyqemu_edu.qom.path import object_children
from pyqemu_edu.softmmu.physmem import address_space_ld, address_space_memory, address_space_st
from pyqemu_edu.target.riscv.asm import AssemblyError, Program, assemble
from pyqemu_edu.vm import CommandLineError, Qemu

BOARD = "-machine spike -bios none -display none"
MSIP0 = 0x2000000
PATIENCE = 0.5
"""Seconds after which a hart that still sleeps is taken to sleep for good."""


def load(vm: Qemu, address: int) -> int:
    """The doubleword at a guest address."""
    with vm.process:
        return address_space_ld(address_space_memory(), address, 8)[0]


def ring(vm: Qemu) -> None:
    """Ring hart 0's bell, as another hart would: a store of 1 to its word in the ACLINT."""
    with vm.process:
        address_space_st(address_space_memory(), MSIP0, 1, 4)


# --- exercise 1: another device behind the console


@check
def check_1(options: str) -> str:
    """Run `hello` with these options; its words are to end in a ring buffer of 16 bytes."""
    try:
        vm = Qemu(f"{BOARD} -kernel {guest('hello')} {options}", record=False, types="modelled")
    except CommandLineError as end:
        raise NotYet(f"QEMU does not start: {end}".rstrip()) from None
    with vm.process:
        buffers = [chr for chr in object_children(get_chardevs_root()) if isinstance(chr, RingBufChardev)]
    if not buffers:
        raise NotYet("the machine has no ring buffer. Which option makes a character device?")
    chr = buffers[0]
    name = str(chr.label)
    if chr.size != 16:
        raise NotYet(f"the ring buffer {name!r} holds {chr.size:,} bytes, not 16.")
    vm.run()
    with vm.process:
        kept = qmp_ringbuf_read(name, 16)
    if not kept:
        raise NotYet(f"the ring buffer {name!r} is empty: no serial port of the machine is connected to it.")
    return f"the ring buffer {name!r} holds {kept.decode()!r}; the screen shows nothing, and the guest noticed nothing."


# --- exercise 2: no bell may ring unheard

BELL = """
.globl _start
_start:  la    t0, handler
         csrw  mtvec, t0
         li    t0, 8
         csrw  mie, t0            # software interrupts ...
         csrw  mstatus, t0        # ... and all: on
ready:   ld    a0, rung           # has the bell rung?
         bnez  a0, heard
         wfi                      # no: sleep until it does
         j     ready

heard:   li    a0, 1
         la    t0, tohost
         sd    a0, 0(t0)          # exit with status 0
stop:    j     stop

         .align 2
handler: li    t1, 0x2000000
         sw    zero, 0(t1)        # the bell is heard: take it back
         li    t1, 1
         la    t2, rung
         sd    t1, 0(t2)
         mret

.data
.align 3
rung:    .dword 0
.globl tohost
.globl fromhost
.align 12
tohost:  .dword 0
.size tohost, 8
fromhost: .dword 0
.size fromhost, 8
"""


def lines_between(program: Program, first: str, last: str) -> Iterator[tuple[int, str]]:
    """Address and source of the instructions from one label to another."""
    for line in program.lines:
        if program.symbols[first] <= line.address < program.symbols[last] and line.data:
            yield line.address, " ".join(line.source.partition("#")[0].rpartition(":")[2].split())


@check
def check_2(source: str) -> str:
    """Ring the bell before every instruction between `ready` and `heard`, each time on a fresh machine."""
    try:
        program, kernel = assemble(source), assembled(source)
    except AssemblyError as error:
        raise NotYet(f"the assembler says: {error}") from None
    if missing := {"ready", "heard"} - set(program.symbols):
        raise NotYet(f"the label {min(missing)!r} is gone; the check looks between ready and heard.")
    refuse_without_sleep(kernel)
    count = 0
    for address, words in lines_between(program, "ready", "heard"):
        vm = Qemu(f"{BOARD} -kernel {kernel}", record=False, types="modelled")
        vm.run(until=address, seconds=PATIENCE)
        ring(vm)
        vm.run(seconds=PATIENCE)
        if vm.exit_status is None:
            state = "is awake, and never gets to heard" if makes_progress(vm) else "sleeps for ever"
            raise NotYet(f"the bell rings just before {words!r}: the hart {state}.")
        vm.close()
        count += 1
    return f"the bell was rung at {count} places, and heard at each."


def makes_progress(vm: Qemu) -> bool:
    """Does hart 0 execute anything?"""
    before = vm.harts[0].instret
    return vm.run(seconds=0.2).harts[0].instret != before


def refuse_without_sleep(kernel: str) -> None:
    """Without a bell the hart has to fall asleep."""
    vm = Qemu(f"{BOARD} -kernel {kernel}", record=False, types="modelled").run(seconds=PATIENCE)
    if vm.exit_status is not None:
        raise NotYet("nobody has rung the bell, and yet the guest has ended.")
    if not vm.harts[0].halted:
        raise NotYet("nobody rings the bell, and the hart does not sleep: it asks again and again.")


# --- two harts, one counter

COUNT = """
.globl _start
_start:  la    a1, counter
first:   ld    a0, 0(a1)
         addi  a0, a0, 1
         sd    a0, 0(a1)
done:    j     done
.data
.align 3
counter: .dword 0
"""
ATOMIC = """
.globl _start
_start:  la    a1, counter
         li    a0, 1
first:   amoadd.d zero, a0, (a1)
done:    j     done
.data
.align 3
counter: .dword 0
"""


def play(source: str, schedule: str) -> int:
    """Let two harts take turns, an instruction each, as `schedule` says ("0101"); then let both finish.

    Both begin at the label `first` and end at `done`.  What is in `counter` then.
    """
    program = assemble(source)
    options = f"{BOARD} -smp 2 -accel interp -kernel {assembled(source)}"
    vm = Qemu(options, record=False, types="modelled")
    for hart in (0, 1):
        walk(vm, hart, program.symbols["first"])
    for letter in schedule:
        if vm.harts[int(letter)].env.pc != program.symbols["done"]:
            vm.step(hart=int(letter))
    for hart in (0, 1):
        walk(vm, hart, program.symbols["done"])
    vm.close()
    return load(vm, program.symbols["counter"])


def walk(vm: Qemu, hart: int, place: int) -> None:
    """Step a hart until its pc is `place`; `NotYet` if it does not come there."""
    for _ in range(100):
        if vm.harts[hart].env.pc == place:
            return
        vm.step(hart=hart)
    raise NotYet(f"hart {hart} waits for ever: it is at {vm.harts[hart].env.pc:#x} after a hundred steps.")


def schedules(each: int) -> Iterator[str]:
    """Every order in which two harts can execute `each` instructions each."""
    for places in combinations(range(2 * each), each):
        yield "".join("0" if place in places else "1" for place in range(2 * each))


# --- exercise 3: find the race

LOCK = """
.globl _start
_start:  la    a1, counter
         la    a2, lock
         li    a3, 1
first:   ld    a0, 0(a2)          # is the door open?
         bnez  a0, first
         sd    a3, 0(a2)          # close it behind us
         ld    a0, 0(a1)
         addi  a0, a0, 1
         sd    a0, 0(a1)
         sd    zero, 0(a2)        # open it again
done:    j     done
.data
.align 3
counter: .dword 0
lock:    .dword 0
"""
LENGTH = 7


@check
def check_3(schedule: str) -> str:
    """Play `schedule` on the program with the lock; one of the two additions is to get lost."""
    letters = schedule.replace(" ", "")
    if not letters or set(letters) - {"0", "1"}:
        raise NotYet("a schedule is a word of zeros and ones: whose turn it is.")
    if play(LOCK, "") != 2:
        raise AssertionError("in turn they count to two")
    if (count := play(LOCK, letters)) == 2:
        closed = "both have gone through the door" if both_inside(letters) else "one found the door closed, and waited"
        raise NotYet(f"the counter is 2, so nothing was lost: {closed}. {hint(letters)}")
    return f"the counter is {count}: both harts were inside, and one has overwritten what the other had counted."


def both_inside(letters: str) -> bool:
    """Have both asked before either closed the door (its third instruction)?"""
    asked = {letters.find(hart) for hart in "01"}
    closes = [place for hart in "01" for place in [n for n, each in enumerate(letters) if each == hart][2:3]]
    return -1 not in asked and bool(closes) and max(asked) < min(closes)


def hint(letters: str) -> str:
    """What to look at next."""
    if both_inside(letters):
        return "But the second read the counter after the first had stored it."
    return "When must the second hart look at the lock to find it open?"
