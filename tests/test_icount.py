"""Time counted in instructions: what a guest reads off its clocks is what it reads on the real QEMU (`-icount`)."""

from __future__ import annotations

import pytest

from pyqemu_edu.guests import assembled
from pyqemu_edu.real.binary import QemuNotInstalled, qemu_binary
from pyqemu_edu.real.console import run_console
from pyqemu_edu.vm import CommandLineError, Qemu

MACHINE = "-machine virt -bios none -display none -monitor none -serial stdio"

CLOCKS = """
_start: csrr    t0, mhartid
        bnez    t0, park
        la      t0, trap
        csrw    mtvec, t0
        rdtime  a0                      # the CSRs, at the beginning
        jal     print
        rdcycle a0
        jal     print
        rdinstret a0
        jal     print
        li      a1, 1000                # two thousand instructions later
1:      addi    a1, a1, -1
        bnez    a1, 1b
        rdcycle a0
        jal     print
        li      s1, 0x200bff8           # mtime, in the middle of a block
        nop
        ld      a0, 0(s1)
        addi    s3, a0, 300
        jal     print
        li      s2, 0x2004000           # an interrupt 300 ticks later, in the middle of a loop
        sd      s3, 0(s2)
        li      t0, 0x80
        csrw    mie, t0
        csrsi   mstatus, 8
        li      a5, 0
2:      addi    a5, a5, 1
        j       2b

trap:   mv      a0, a5                  # after so many rounds, at this instruction
        jal     print
        csrr    a0, mepc
        jal     print
        rdcycle a0
        jal     print
        ld      a2, 0(s1)               # asleep for 2,000 ticks
        li      t0, 2000
        add     a2, a2, t0
        sd      a2, 0(s2)
        wfi
        rdcycle a0
        jal     print
        rdtime  a0
        jal     print
        li      t0, 0x100000            # the end
        li      t1, 0x5555
        sw      t1, 0(t0)
park:   wfi
        j       park

print:  li      t0, 0x10000000          # sixteen digits of a0 and the end of the line
        li      t1, 60
3:      srl     t2, a0, t1
        andi    t2, t2, 15
        addi    t2, t2, 48
        sb      t2, 0(t0)
        addi    t1, t1, -4
        bgez    t1, 3b
        li      t2, 10
        sb      t2, 0(t0)
        ret
"""

# What QEMU 7.2.22 printed; digits above 9 are the characters behind 9.
SEEN = {
    "shift=0,sleep=off": """
        0000000000000000 0000000000000073 00000000000000=: 0000000000000912 0000000000000018
        0000000000003:64 0000000080000070 0000000000007?80 0000000000038=2; 0000000000000918""",
    "shift=10,sleep=off": """
        000000000000007: 000000000001<<00 0000000000036800 0000000000244800 000000000000611>
        0000000000000000 000000008000006< 00000000002:=<00 00000000002?8988 0000000000007==0""",
    "shift=6,sleep=off -smp 4": """
        0000000000000007 0000000000001<<0 0000000000003680 0000000000024480 0000000000000611
        00000000000000:5 0000000080000074 00000000000307<0 0000000000062>?8 0000000000001016""",
}


TRAPS = {  # and how many instructions the real QEMU 7.2.22 counts from one reading of minstret to the next
    "nop": 3,
    "ecall": 5,
    "ebreak": 5,
    "c.ebreak\n.balign 4": 5,
    ".4byte 0xffffffff": 5,  # an instruction that means a trap, or nothing, counts
    "fadd.s f1, f1, f1": 5,
    "csrr t2, 0x5c0": 4,  # one that fails does not
    "ld t2, (zero)": 4,
    "amoadd.w t2, t2, (t1)": 4,
    "fsrmi 5\nfadd.d f1, f1, f1": 5,
    ".4byte 0x0220d053": 4,
    "jr zero": 5,
}

COUNTING = """
_start: csrr    t0, mhartid
        bnez    t0, park
        la      t0, trap
        csrw    mtvec, t0
        li      t3, 0x10000000
        li      t1, 0x80000001
{counted}
        li      t0, 0x100000
        li      t1, 0x5555
        sw      t1, 0(t0)
park:   wfi
        j       park
        .balign 4
trap:   csrr    t0, mscratch
        jr      t0
"""
COUNTED = """
        la      t0, after{n}
        csrw    mscratch, t0
        li      t0, {fs}
        csrw    mstatus, t0
        csrr    a0, minstret
        nop
        {what}
after{n}: csrr  a1, minstret
        sub     a1, a1, a0
        addi    a1, a1, 48
        sb      a1, 0(t3)
"""


def counting() -> str:
    """A guest that prints how many instructions each of TRAPS takes."""
    fs = {"fadd.s f1, f1, f1": 0}
    counted = (COUNTED.format(n=n, what=what, fs=fs.get(what, 0x2000)) for n, what in enumerate(TRAPS))
    return COUNTING.format(counted="".join(counted))


@pytest.mark.parametrize("accel", ["tcg", "interp"])
def test_a_trap_counts_if_it_is_what_the_instruction_means(accel: str) -> None:
    options = f"-accel {accel} -icount shift=0,sleep=off"
    vm = Qemu(f"{MACHINE} {options} -kernel {assembled(counting())}", record=False).run(budget=100_000, seconds=20)
    assert dict(zip(TRAPS, map(int, vm.output.decode()), strict=True)) == TRAPS


def test_the_real_qemu_still_counts_traps_so() -> None:
    try:
        qemu_binary()
    except QemuNotInstalled as reason:
        pytest.skip(str(reason))
    run = run_console(f"{MACHINE} -icount shift=0,sleep=off -kernel {assembled(counting())}")
    assert dict(zip(TRAPS, map(int, run.stdout), strict=True)) == TRAPS


def printed(options: str) -> str:
    """What our machine says."""
    vm = Qemu(f"{MACHINE} -icount {options} -kernel {assembled(CLOCKS)}", record=False)
    return vm.run(budget=100_000, seconds=20).output.decode()


@pytest.mark.parametrize("options", SEEN)
def test_clocks_show_what_they_showed_on_the_real_qemu(options: str) -> None:
    assert printed(options).split() == SEEN[options].split()


@pytest.mark.parametrize("options", ["shift=0", "shift=auto", "shift=5,sleep=on -smp 2"])
def test_a_guest_that_sleeps_is_woken_when_the_host_has_waited_as_long(options: str) -> None:
    vm = Qemu(f"{MACHINE} -icount {options} -kernel {assembled(CLOCKS)}", record=False)
    assert vm.run(seconds=20).exit_status == 0
    assert len(vm.output.decode().split()) == 10


def test_the_interpreter_counts_like_the_translator() -> None:
    options = "shift=0,sleep=off"
    assert printed(f"{options} -accel interp").split() == SEEN[options].split()


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ("shift=0,rr=other", "Invalid icount rr option: other"),
        ("shift=0,rr=record", "File name not specified for replay"),
        ("shift=0,rr=replay,rrfile=no/such/file", "Replay: open no/such/file: No such file or directory"),
        ("shift=0,rr=record,rrfile=new", "record and replay are not built into this QEMU"),
        ("shift=11", "icount: Invalid shift value"),
        ("shift=1,align=on,sleep=off", "align=on and sleep=off are incompatible"),
        ("shift=1 -accel tcg,thread=multi", "No MTTCG when icount is enabled"),
    ],
)
def test_what_cannot_be_counted_is_refused(options: str, says: str) -> None:
    with pytest.raises(CommandLineError, match=says) as error:
        Qemu(f"{MACHINE} -icount {options}", record=False)
    assert error.value.status == 1


@pytest.mark.parametrize("options", SEEN)
def test_the_real_qemu_still_shows_that(options: str) -> None:
    try:
        qemu_binary()
    except QemuNotInstalled as reason:
        pytest.skip(str(reason))
    run = run_console(f"{MACHINE} -icount {options} -kernel {assembled(CLOCKS)}")
    assert run.stdout.split() == SEEN[options].split()
