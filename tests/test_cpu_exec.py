"""Running translated code: budget, traps in the middle of a block, code that changes, devices."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from bare_hart import DEVICE_BASE, RAM_BASE, BareHart
from pyqemu_edu import modules
from pyqemu_edu.accel.tcg import tb_maint
from pyqemu_edu.accel.tcg.cpu_exec import cpu_exec
from pyqemu_edu.accel.tcg.tb import exec_tb, translate_block
from pyqemu_edu.cpu import cpu_breakpoint_insert, cpu_single_step
from pyqemu_edu.hw.core.cpu import BP_GDB, EXCP_DEBUG, EXCP_INTERRUPT, SSTEP_ENABLE
from pyqemu_edu.process import Process
from pyqemu_edu.qom.zoo import run_program_constructors
from pyqemu_edu.softmmu.main import main
from pyqemu_edu.util.log import CPU_LOG_TB_NOCHAIN, qemu_set_log

DATA = Path(__file__).parent / "data"
COUNT_TO_TEN = (0x4281, 0x4329, 0x0285, 0xFE629FE3, 0xA001)  # li t0,0; li t1,10; 1: addi t0,t0,1; bne t0,t1,1b; j .


@pytest.fixture(autouse=True)
def process() -> Iterator[Process]:
    with Process(["qemu"], stderr=io.StringIO()) as p:
        yield p


def test_a_budget_is_kept_to_the_instruction() -> None:
    for budget in range(1, 40):
        hart = BareHart(*COUNT_TO_TEN)
        assert hart.run(budget) == EXCP_INTERRUPT
        assert hart.cpu.instret == budget
        assert hart[5] == min(max(0, (budget - 1) // 2), 10)


def test_linked_blocks_run_without_the_main_loop() -> None:
    entered: list[int] = []
    made: list[int] = []
    exec_tb.append(lambda event, tb, pc: entered.append(pc))
    translate_block.append(lambda event, tb, pc, code: made.append(pc))
    try:
        BareHart(*COUNT_TO_TEN).run(22)
    finally:
        exec_tb.pop()
        translate_block.pop()
    assert made[:2] == [RAM_BASE, RAM_BASE + 4]
    assert entered.count(RAM_BASE + 4) == 2  # once to be linked, once for the nine rounds that are left


def test_a_trap_in_a_loop_finds_all_registers_as_they_were_before_the_instruction() -> None:
    load_word = 0x0002A303  # lw t1,0(t0)
    hart = BareHart(0x0385, 0x4E05, load_word, 0x0291, 0xFF7FF06F)  # 1: addi t2,t2,1; li t3,1; lw; addi t0,t0,4; j 1b
    hart.env.gpr[5] = RAM_BASE + 0x100000 - 12
    hart.env.mtvec = RAM_BASE + 0x800
    hart.load(RAM_BASE + 0x800, 0xA001)
    hart.run(30)
    assert hart.env.mcause == 5
    assert hart.env.mepc == RAM_BASE + 4
    assert hart.env.mtval == RAM_BASE + 0x100000
    assert hart[7] == 4
    assert hart.cpu.instret == 30


def test_a_misaligned_store_across_pages_is_made_in_pieces() -> None:
    hart = BareHart(0x0062B023)  # sd t1,0(t0)
    hart.env.gpr[5], hart.env.gpr[6] = RAM_BASE + 0x1FFD, 0x8877665544332211
    hart.run(1)
    assert bytes(hart.ram[0x1FFD:0x2005]) == bytes.fromhex("1122334455667788")


def test_a_guest_that_can_only_trap_comes_to_the_end_of_its_budget() -> None:
    hart = BareHart(0x0000)  # illegal, and nothing answers at mtvec
    assert hart.run(100) == EXCP_INTERRUPT
    assert hart.cpu.instret == 0


def test_a_device_is_told_what_the_guest_stores() -> None:
    hart = BareHart(0x0062A023, 0x0002E383)  # sw t1,0(t0); lwu t2,0(t0)
    hart.env.gpr[5], hart.env.gpr[6] = DEVICE_BASE, 0x1_2345_6789
    hart.run(2)
    assert hart.written == [(0, 0x23456789, 4)]
    assert hart[7] == 0x55667788


def test_overwritten_code_is_translated_again() -> None:
    hart = BareHart(0x0062A023, 0x0000100F, 0x4385)
    hart.env.gpr[5], hart.env.gpr[6] = RAM_BASE + 8, 0x4395  # li t2,5
    hart.env.pc = RAM_BASE + 8
    hart.run(1)
    assert hart[7] == 1
    hart.env.pc = RAM_BASE
    hart.run(3)
    assert hart[7] == 5
    assert tb_maint.statics().tb_phys_invalidate_count >= 1


def test_a_loop_that_overwrites_itself_runs_what_it_has_written() -> None:
    """1: addi t2,t2,1; sh t1,0(t0); bnez t3,1b: the first instruction becomes addi t2,t2,2."""
    hart = BareHart(0x0385, 0x00629023, 0xFE0E1DE3)
    hart.env.gpr[5], hart.env.gpr[6], hart.env.gpr[28] = RAM_BASE + 0x100, 0x0389, 1
    hart.run(300)
    assert hart[7] == 100
    hart.env.gpr[5] = RAM_BASE
    hart.run(6)
    assert hart[7] == 103


def test_a_breakpoint_stops_before_its_instruction() -> None:
    hart = BareHart(*COUNT_TO_TEN)
    cpu_breakpoint_insert(hart.cpu, RAM_BASE + 6, BP_GDB)
    assert hart.run(1000) == EXCP_DEBUG
    assert hart.env.pc == RAM_BASE + 6
    assert hart[5] == 1


def test_a_single_step_executes_one_instruction() -> None:
    hart = BareHart(*COUNT_TO_TEN)
    cpu_single_step(hart.cpu, SSTEP_ENABLE)
    for pc in (2, 4, 6, 4, 6):
        assert cpu_exec(hart.cpu) == EXCP_DEBUG
        assert hart.env.pc == RAM_BASE + pc


def test_without_chaining_the_result_is_the_same() -> None:
    qemu_set_log(CPU_LOG_TB_NOCHAIN)
    hart = BareHart(*COUNT_TO_TEN)
    hart.run(30)
    assert (hart[5], hart.cpu.instret) == (10, 30)


def test_atomics_and_reservations() -> None:
    # lr.d t1,(t0); addi t1,t1,1; sc.d t2,t1,(t0); sc.d t3,t1,(t0); amoadd.d t4,t1,(t0)
    hart = BareHart(0x1002B32F, 0x0305, 0x1862B3AF, 0x1862BE2F, 0x0062BEAF)
    hart.env.gpr[5] = RAM_BASE + 0x2000
    hart.ram[0x2000] = 41
    hart.run(5)
    assert (hart[7], hart[28], hart[29]) == (0, 1, 42)
    assert int.from_bytes(hart.ram[0x2000:0x2008], "little") == 84


def masked(log: str) -> list[str]:
    """A log without the addresses of host code."""
    return ["Trace 0: " + line.split(" ", 3)[3] if line.startswith("Trace") else line for line in log.splitlines()]


def test_the_log_of_translation_and_execution_is_qemus(tmp_path: Path) -> None:
    """The guest ends the machine by itself once it has counted to ten (tohost = 1)."""
    log = tmp_path / "log"
    options = "-machine spike -bios none -display none -nodefaults -monitor none -serial null -d in_asm,exec,nochain"
    argv = ["qemu-system-riscv64", *options.split(), "-D", str(log), "-kernel", str(DATA / "ten_rounds.elf")]
    modules.link()
    with Process(argv, stdout=io.StringIO(), stderr=io.StringIO()) as process:
        run_program_constructors()
        assert main(argv) == 0
        assert process.stderr.getvalue() == ""  # type: ignore[attr-defined]
    assert masked(log.read_text()) == masked((DATA / "in_asm_exec_nochain_spike.log").read_text())
