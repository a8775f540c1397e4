"""Random programs without rules, followed instruction by instruction beside the real QEMU."""

from __future__ import annotations

from random import Random

import pytest

from pyqemu_edu.real import lockstep
from pyqemu_edu.real.binary import QemuNotInstalled, qemu_binary
from pyqemu_edu.real.lockstep import BLOCKS, INSTRUCTIONS, Parting, Step, difference, parting, real_log, reduced, steps
from pyqemu_edu.real.random_hart import HartProgram, random_hart_program
from pyqemu_edu.real.random_setting import CPUS, Setting
from pyqemu_edu.real.random_words import as_data, floats

LOG = """ pc       0000000080000000
 x0/zero  0000000000000000 x1/ra    0000000000000001
riscv_cpu_do_interrupt: hart:0, async:0, cause:2
 V      =   0
 pc       0000000080000004
 x0/zero  0000000000000000 x1/ra    0000000000000002
 pc       0000000080000008
"""
PLAIN = Setting("spike", "rv64,h=false", icount=False, fenced=True, levels=3)
SQUARE = "\n        li      a0, 6\n        mul     a1, a0, a0\n        ecall\n"
NOTHING = "\n        ecall\n"


@pytest.fixture
def installed() -> None:
    try:
        qemu_binary()
    except QemuNotInstalled as reason:
        pytest.skip(str(reason))


def test_a_log_is_read_step_by_step() -> None:
    first, second = steps(LOG.splitlines())
    assert (first.pc, first.registers["x1/ra"], len(first.traps)) == (0x8000_0000, "0000000000000001", 1)
    assert (second.pc, second.registers["x1/ra"], second.traps) == (0x8000_0004, "0000000000000002", ())


def test_a_hart_that_can_only_trap_comes_to_an_end() -> None:
    assert list(steps([LOG.splitlines()[0], *["riscv_cpu_do_interrupt: hart:0"] * 1000])) == []


def test_the_same_seed_gives_the_same_program() -> None:
    assert random_hart_program(7) == random_hart_program(7)
    assert {random_hart_program(seed, 1).setting.cpu for seed in range(300)} == set(CPUS)


def test_a_difference_is_shown_with_its_instruction_and_the_registers_side_by_side() -> None:
    program = HartProgram(3, PLAIN, (SQUARE,))
    start = program.assemble().symbols["piece0"]

    def at(pc: int, a1: int) -> Step:
        return Step((f" pc       {pc:016x}", f" x10/a0   {6:016x} x11/a1   {a1:016x}"))

    logs = ([at(start + 4, 0), at(start + 8, product)] for product in (36, 0))
    assert str(parting(program, INSTRUCTIONS, *logs)).splitlines() == [
        "seed 3, 1 of its pieces, -singlestep -d cpu,fpu,int:",
        f"  {PLAIN.options}",
        "  0000000080002004  02a505b3  mul R(rd=11, rs1=10, rs2=10)",
        "           expected          seen",
        "x11/a1     0000000000000024  0000000000000000",
    ]


def test_a_trap_that_did_not_happen_is_shown() -> None:
    program = HartProgram(3, PLAIN, (NOTHING,))
    state = (" pc       0000000080002000",)
    found = Parting(program, BLOCKS, None, Step(state, ("riscv_cpu_do_interrupt: hart:0, cause:8",)), Step(state))
    assert str(found).splitlines()[-2:] == ["trap 1, expected: hart:0, cause:8", "trap 1, seen:     none"]


def test_a_defect_is_found_and_reduced_to_what_matters(installed: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A stand-in for a `mul` that adds."""

    def wrong_log(options: str, how: str, finish: int) -> list[Step]:
        log = real_log(options, how, finish)
        return [
            Step(tuple(line.replace(f"{36:016x}", f"{12:016x}") for line in step.state), step.traps) for step in log
        ]

    monkeypatch.setattr(lockstep, "our_log", wrong_log)
    found = difference(HartProgram(3, PLAIN, (NOTHING, SQUARE, NOTHING)))
    assert found is not None
    found = reduced(found)
    assert found.program.chunks == (SQUARE,)
    assert "mul R(rd=11, rs1=10, rs2=10)\n" in str(found)
    assert "x11/a1     0000000000000024  000000000000000c" in str(found)


def float_piece(seed: int, setting: Setting) -> str:
    """Floating point with numbers from the data in integer registers."""
    rng = Random(seed)
    loads = "".join(f"        ld      x{n}, {8 * rng.randrange(64)}(t6)\n" for n in range(1, 30))
    return f"\n        la      t6, numbers\n{loads}{''.join(floats(rng, setting) for _ in range(8))}        ecall\n"


def test_floats_in_integer_registers_are_the_real_qemus(installed: None) -> None:
    setting = PLAIN._replace(cpu="rv64,h=false,f=false,d=false,zdinx=true,zhinx=true")
    moves = "".join(as_data(word, 4) for word in (0xE000_80D3, 0xF000_8153))  # fmv.x.w ra, ra; fmv.w.x sp, ra
    pieces = (moves, *(float_piece(seed, setting) for seed in range(12)))
    found = difference(HartProgram(1, setting, tuple(f"\n{piece}        ecall\n" for piece in pieces)))
    assert found is None, str(found)


def test_a_store_of_another_width_than_the_reservation_is_the_real_qemus(installed: None) -> None:
    """A word that is stored by `sc.w` is compared with half of what `lr.d` saw; its answer tells of the whole."""
    pieces = (
        f"""
        la      a0, numbers
        li      a1, {value:#x}
        sd      a1, (a0)
        {reserve} a2, (a0)
        {store} a3, a0, (a0)
        ld      a4, (a0)
        ecall
"""
        for value in (0x1B7F_F07B_E6B2_EBD9, 0x7654_3210, 0xFFFF_FFFF_8000_0000)
        for reserve in ("lr.d", "lr.w")
        for store in ("sc.w", "sc.d")
    )
    found = difference(HartProgram(1, PLAIN, tuple(pieces)))
    assert found is None, str(found)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_no_reading_parts_from_the_real_qemu(installed: None, seed: int) -> None:
    found = difference(random_hart_program(seed, 8))
    assert found is None, str(found)
