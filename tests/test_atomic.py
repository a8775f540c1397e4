"""Atomic operations of two harts in two threads: none is lost, on whatever way the hart comes to the memory."""

from __future__ import annotations

import struct
import sys
from collections.abc import Iterator

import pytest

from pyqemu_edu.guests import assembled
from pyqemu_edu.softmmu.physmem import cpu_physical_memory_read
from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.vm import Qemu

TURNS = 1500
COUNT = """
        .globl  _start
_start: csrr    s2, mhartid
        la      s0, counter
        li      s1, {turns}
        li      t2, 1
loop:   {before}
again:  {operation}
        addi    s1, s1, -1
        bnez    s1, loop
        la      s3, done
        amoadd.w zero, t2, (s3)
        bnez    s2, park
        li      t1, 2
wait:   lw      t0, 0(s3)
        bne     t0, t1, wait
        li      t0, 0x100000
        li      t1, 0x5555
        sw      t1, 0(t0)
park:   wfi
        j       park
        {place}
counter: .dword 0
done:   .dword 0
"""
LR_SC = """
        lr.d    t0, (s0)
        add     t0, t0, t2
        sc.d    t1, t0, (s0)
        bnez    t1, again
"""


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Python lets threads take turns as often as it can."""
    interval = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(interval)


@pytest.mark.parametrize("operation", ["amoadd.w zero, t2, (s0)", "amoadd.d zero, t2, (s0)", LR_SC])
@pytest.mark.parametrize("before", ["nop", "sfence.vma"], ids=["page known", "page forgotten"])
@pytest.mark.parametrize("place", [".align 12", ".align 3"], ids=["a page of its own", "beside code"])
@pytest.mark.usefixtures("restless_threads")
def test_two_harts_count_together(operation: str, before: str, place: str) -> None:
    turns = TURNS if "12" in place else TURNS // 10  # beside code, each has the other hart stopped
    source = COUNT.format(turns=turns, operation=operation, before=before, place=place)
    counter = assemble(source).symbols["counter"]
    words = f"-machine virt -bios none -display none -smp 2 -kernel {assembled(source)}"
    vm = Qemu(words, record=False, types="modelled").run(seconds=60)
    with vm.process:
        counted = struct.unpack("<Q", cpu_physical_memory_read(counter, 8))[0]
    assert (vm.exit_status, counted) == (0, 2 * turns)
