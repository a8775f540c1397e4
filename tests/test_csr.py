"""CSRs hold, refuse and forget what those of the real QEMU do: the same guest asks both."""

from __future__ import annotations

import io
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from pyqemu_edu.hw.core.cpu import CPUDumpFlags
from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.target.riscv.cpu_bits import CSR_SEED
from pyqemu_edu.target.riscv.cpu_dump import riscv_cpu_dump_state
from pyqemu_edu.target.riscv.cpu_state import RISCVCPU
from pyqemu_edu.target.riscv.csr import csr_ops, riscv_csrrw
from pyqemu_edu.target.riscv.csr_declare import CsrRefused
from pyqemu_edu.vm import Qemu

QEMU = shutil.which("qemu-system-riscv64")
OPTIONS = "-machine spike -nographic -monitor none -serial stdio -bios none".split()
needs_qemu = pytest.mark.skipif(QEMU is None, reason="no qemu-system-riscv64")

PRELUDE = """
        .globl  _start, tohost, fromhost
_start: la      t0, handler
        csrw    mtvec, t0
        la      s0, results
"""
EPILOGUE = """
        la      s1, results
next:   bgeu    s1, s0, done
        ld      s2, 0(s1)               # print sixteen digits and a line end
        addi    s1, s1, 8
        li      s3, 60
digit:  srl     a0, s2, s3
        andi    a0, a0, 15
        li      t0, 10
        blt     a0, t0, decimal
        addi    a0, a0, 39
decimal: addi   a0, a0, 48
        call    putchar
        addi    s3, s3, -4
        bgez    s3, digit
        li      a0, 10
        call    putchar
        j       next
done:   la      t1, tohost
        li      t0, 1
        sd      t0, (t1)
        j       .
putchar: li     t0, 0x0101000000000000
        or      a0, a0, t0
        la      t1, tohost
        sd      a0, (t1)
1:      ld      t0, (t1)
        bnez    t0, 1b
        ret
        .align 2
handler: csrr   t0, mcause              # an illegal instruction: go on behind it, and say so
        csrr    t6, mtval
        csrr    t0, mepc
        addi    t0, t0, 4
        csrw    mepc, t0
        mret
        .data
        .align 12               # QEMU 7.2 forgets mtval where code and data share a page
tohost: .dword 0
        .align 6
fromhost: .dword 0
        .align 12
results: .space 0x40000
"""


def answers(elf: Path, cpu: str, *command: str) -> list[int]:
    """What a guest that leaves doublewords at s0 leaves there."""
    words = [*command, *OPTIONS, "-cpu", cpu, "-kernel", str(elf)]
    ended = subprocess.run(words, capture_output=True, text=True, stdin=subprocess.DEVNULL, check=False)
    assert ended.returncode == 0, ended.stderr
    return [int(line, 16) for line in ended.stdout.split()]


def real_answers(body: str, tmp_path: Path, cpu: str = "rv64") -> list[int]:
    elf = tmp_path / "probe.elf"
    elf.write_bytes(assemble(PRELUDE + body + EPILOGUE).elf())
    assert QEMU
    return answers(elf, cpu, QEMU)


def probe(body: str, tmp_path: Path) -> tuple[list[int], list[int]]:
    """The same on the real QEMU, and on ours."""
    real = real_answers(body, tmp_path)
    return real, answers(tmp_path / "probe.elf", "rv64", sys.executable, "-m", "pyqemu_edu", "-accel", "interp")


def keep(register: str) -> str:
    return f"sd {register}, (s0)\naddi s0, s0, 8\n"


COUNTERS = {0xB00, 0xB02, 0xC00, 0xC01, 0xC02}
MODELS = (
    "rv64",
    "rv64,h=false,x-epmp=true,sscofpmf=true",
    "rv64,zkr=true,pmu-num=4,debug=false,sstc=false",
    "rv64,priv_spec=v1.10.0,f=false,d=false,pmp=false",
    "sifive-e51",
)


def readable(hart: RISCVCPU, number: int) -> bool:
    """Whether an instruction of machine mode that only reads may do so."""
    try:
        riscv_csrrw(hart.env, number, 0, 0)
    except CsrRefused:
        return False
    return number != CSR_SEED


@needs_qemu
@pytest.mark.parametrize("cpu", MODELS)
def test_the_same_csrs_exist(tmp_path: Path, cpu: str) -> None:
    ask = "li t6, -1\ncsrr a0, {n}\naddi t6, t6, 1\nbnez t6, 1f\nli t6, {n}\n{keep}1:\n"
    real = real_answers("".join(ask.format(n=n, keep=keep("t6")) for n in range(4096)), tmp_path, cpu)
    vm = Qemu(f"{' '.join(OPTIONS)} -cpu {cpu}", record=False)
    with vm.process:
        assert [n for n in range(4096) if readable(vm.harts[0], n)] == real
    vm.close()


@needs_qemu
def test_an_illegal_access_tells_its_instruction_in_mtval(tmp_path: Path) -> None:
    refused = f"li t6, -1\ncsrw mhartid, a0\n{keep('t6')}csrr t0, mcause\n{keep('t0')}"
    body = f"{refused}li t6, -1\n.word 0x0000500b\n{keep('t6')}"
    real, ours = probe(body, tmp_path)
    assert ours == real


@needs_qemu
def test_a_csr_keeps_of_what_is_written_what_the_real_one_keeps(tmp_path: Path) -> None:
    """Read, write ones, read, write a pattern, read, restore: mstatus and mtvec too."""
    numbers = sorted(n for n in csr_ops if n not in COUNTERS and n < 0xC00)
    steps = []
    for n in numbers:
        for value in (-1, 0x5A5A_A5A5_1234_5670, 0x0F0F_3C3C_0000_0001, 0):
            steps.append(f"li t6, -1\nli a1, {value}\ncsrrw a0, {n}, a1\ncsrr a2, {n}\ncsrw {n}, a0\n")
            steps.append(keep("a0") + keep("a2") + keep("t6"))
    real, ours = probe("".join(steps), tmp_path)
    rows = [(csr_ops[n].name, i) for n in numbers for i in range(12)]
    assert [row for row, a, b in zip(rows, real, ours, strict=True) if a != b] == []


@needs_qemu
def test_interrupts_arrive_in_qemu_s_order(tmp_path: Path) -> None:
    """With software and timer interrupts pending, the lower number comes first, vectored where mtvec says so."""
    body = f"""
        la      t0, vector + 1
        csrw    mtvec, t0
        li      t1, 0x2000000
        li      t2, 1
        sw      t2, (t1)
        li      t2, 0x88
        csrw    mie, t2
        csrsi   mstatus, 8
        nop
        j       after
        .align 8
vector: j       .
        j       .
        j       .
        j       soft
        j       .
        j       .
        j       .
        j       timer
soft:   sw      zero, (t1)
timer:  csrr    t3, mcause
        csrr    t4, mstatus
{keep("t3")}{keep("t4")}
        li      t5, 0x80
        csrr    t3, mip
{keep("t3")}
        csrr    t3, mcause
        andi    t3, t3, 4
        beqz    t3, 1f
        csrc    mie, t5
1:      mret
after:  la      t0, handler
        csrw    mtvec, t0
        csrr    t3, mstatus
{keep("t3")}
    """
    real, ours = probe(body, tmp_path)
    assert ours == real
    assert [cause & 15 for cause in ours[0:6:3]] == [3, 7]


def test_registers_at_reset_are_printed_as_by_the_real_monitor() -> None:
    """Hart 0 had been looked at before, which changes its mideleg."""
    vm = Qemu("-machine spike -smp 2 -bios none -display none -nodefaults -monitor none -serial null")
    expected = (Path(__file__).parent / "data" / "spike_info_registers_-a.txt").read_text()
    out = io.StringIO()
    with vm.process:
        riscv_cpu_dump_state(vm.harts[0], io.StringIO(), 0)
        for hart in vm.harts:
            out.write(f"\nCPU#{hart.cpu_index}\n")
            riscv_cpu_dump_state(hart, out, CPUDumpFlags.FPU)
    assert out.getvalue().strip() == expected.strip()
