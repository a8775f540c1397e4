"""Several harts, each behind page tables of its own, count together and interrupt one another: nothing is lost."""

from __future__ import annotations

from pathlib import Path

import pytest

from pyqemu_edu.lab.nb15 import peek
from pyqemu_edu.real.binary import QemuNotInstalled
from pyqemu_edu.real.console import run_console
from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.vm import Qemu

OPTIONS = "-machine spike -bios none -display none -serial null -monitor none"
ROUNDS = 150

GUEST = """
        .globl  _start, tohost, fromhost
_start: csrr    s0, mhartid
        la      t0, bell
        csrw    mtvec, t0
        li      t0, -1
        csrw    pmpaddr0, t0
        li      t0, 0x1f
        csrw    pmpcfg0, t0
        la      s1, roots               # a root for each hart
        slli    t0, s0, 12
        add     s1, s1, t0
        li      t1, 0xc7                # devices where they are
        sd      t1, 0(s1)
        li      t1, 0x200000cf          # RAM where it is,
        sd      t1, 16(s1)
        addi    s2, s0, 3               # and once more, in a place that no other hart knows
        slli    t2, s2, 3
        add     t2, t2, s1
        li      t1, 0x20000007          # A and D are for the hart to set
        sd      t1, (t2)
        slli    s2, s2, 30
        la      t0, counters
        li      t1, 0x80000000
        sub     t0, t0, t1
        add     s2, s2, t0              # the counters, as this hart sees them
        srli    t0, s1, 12
        li      t1, 8 << 60
        or      t0, t0, t1
        csrw    satp, t0
        li      t0, 8                   # software interrupts
        csrw    mie, t0
        li      t0, 0x880
        csrs    mstatus, t0
        la      t0, count
        csrw    mepc, t0
        mret
count:  li      s3, {rounds}            # supervisor mode, behind its tables
        addi    s4, s0, 1               # the next hart's bell
        li      t0, {harts}
        remu    s4, s4, t0
        slli    s4, s4, 2
        li      t0, 0x2000000
        add     s4, s4, t0
        li      s5, 1
round:  amoadd.d zero, s5, 0(s2)
        addi    t1, s2, 8
again:  lr.d    t0, (t1)
        addi    t0, t0, 1
        sc.d    t2, t0, (t1)
        bnez    t2, again
        addi    t1, s2, 16
lock:   amoswap.w.aq t0, s5, (t1)
        bnez    t0, lock
        ld      t0, 24(s2)
        addi    t0, t0, 1
        sd      t0, 24(s2)
        amoswap.w.rl zero, zero, (t1)
        andi    t0, s3, 15
        bnez    t0, quiet
        sw      s5, (s4)
        sfence.vma
quiet:  addi    s3, s3, -1
        bnez    s3, round
        addi    t1, s2, 32
        amoadd.d zero, s5, (t1)
        bnez    s0, park
wait:   ld      t0, 32(s2)
        li      t1, {harts}
        bne     t0, t1, wait
        li      t1, {harts} * {rounds}  # the first hart looks whether anything is missing
        ld      a0, 0(s2)
        xor     a0, a0, t1
        ld      t0, 8(s2)
        xor     t0, t0, t1
        or      a0, a0, t0
        ld      t0, 24(s2)
        xor     t0, t0, t1
        or      a0, a0, t0
        snez    a0, a0
        slli    a0, a0, 1
        ori     a0, a0, 1
        la      t0, tohost
        sd      a0, (t0)
park:   j       park
        .align  2
bell:   csrw    mscratch, t0            # count the ring, and be quiet
        li      t0, 0x2000000
        slli    s6, s0, 2
        add     t0, t0, s6
        sw      zero, (t0)
        la      t0, counters
        addi    t0, t0, 40
        li      s6, 1
        amoadd.d zero, s6, (t0)
        csrr    t0, mscratch
        mret
        .data
        .align  12
tohost: .dword  0
        .align  6
fromhost: .dword 0
        .align  12
counters: .space 4096
roots:  .space  {harts} * 4096
"""


def program(harts: int) -> str:
    return GUEST.format(harts=harts, rounds=ROUNDS)


@pytest.mark.parametrize("accel", ["interp", "tcg", "tcg,thread=single"])
@pytest.mark.parametrize("harts", [2, 4])
def test_nothing_is_lost(harts: int, accel: str, tmp_path: Path) -> None:
    elf = tmp_path / "harts.elf"
    built = assemble(program(harts))
    elf.write_bytes(built.elf())
    vm = Qemu(f"-accel {accel} -smp {harts} {OPTIONS} -kernel {elf}", record=False, types="modelled").run(seconds=60)
    assert vm.exit_status == 0
    counters = [peek(vm, built.symbols["counters"] + 8 * n) for n in range(6)]
    assert counters[0] == counters[1] == counters[3] == harts * ROUNDS
    assert counters[2] == 0 and counters[5] > 0


@pytest.mark.parametrize("harts", [2, 4])
def test_the_real_qemu_ends_the_same(harts: int, tmp_path: Path) -> None:
    elf = tmp_path / "harts.elf"
    elf.write_bytes(assemble(program(harts)).elf())
    try:
        assert run_console(f"-smp {harts} {OPTIONS} -kernel {elf}").status == 0
    except QemuNotInstalled as missing:
        pytest.skip(str(missing))
