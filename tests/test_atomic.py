"""Atomic operations of two harts in two threads: none is lost, on whatever way the hart comes to the memory.

And none is forbidden otherwise than on the real QEMU, where it is a store if there are threads, and else a load first.
"""

from __future__ import annotations

import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conftest import required_tool
from privileged_mode_questions import MSTATUS_CLEAN, NAPOT, PMP_READ, PMP_WRITE, pmp
from privileged_program import Question, S, program
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

WHOLE_PAGE = 0x1FF
REFUSED = {
    ("page + 2", NAPOT | PMP_READ | PMP_WRITE): 6,
    ("page + 2", NAPOT): 6,
    ("page", NAPOT): 7,
    ("page", NAPOT | PMP_READ): 7,
    ("page", NAPOT | PMP_WRITE): 5,
}
"""Where, with what rights, an atomic operation of one of several threads ends with which cause."""
PARK = "_start: csrr t0, mhartid\nbeqz t0, 1f\npark: wfi\nj park\n1:"


def refused_program() -> bytes:
    """Hart 0 asks each; the other one sleeps."""
    questions = (
        Question(where, S, f"la t1, {where}\namoor.w a0, zero, (t1)", MSTATUS_CLEAN + pmp((WHOLE_PAGE, rights)))
        for where, rights in REFUSED
    )
    return assemble(program(questions).replace("_start:", PARK)).elf()


def causes(printed: bytes) -> list[int]:
    """The first word of each answer."""
    return [answer[0] for answer in struct.iter_unpack("<5Q", printed)]


@pytest.fixture
def refused(tmp_path: Path) -> list[str]:
    """The options of a machine that runs `refused_program`."""
    elf = tmp_path / "refused.elf"
    elf.write_bytes(refused_program())
    return f"-machine spike -smp 2 -nographic -monitor none -serial stdio -bios none -kernel {elf}".split()


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


def test_what_is_refused_to_a_thread_is_refused_as_to_a_store(refused: list[str]) -> None:
    vm = Qemu(refused, record=False, types="modelled").run(seconds=60)
    vm.close()
    assert causes(vm.output) == list(REFUSED.values())


def test_the_real_qemu_refuses_it_so(refused: list[str]) -> None:
    command = [required_tool("qemu-system-riscv64"), *refused]
    printed = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, check=True, timeout=60).stdout
    assert causes(printed) == list(REFUSED.values())
