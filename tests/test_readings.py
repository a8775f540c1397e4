"""One instruction read in every way, and a row of them with what waits for what."""

import pytest

from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.view.dependencies import dependencies
from pyqemu_edu.view.readings import operations, readings, touched


def word(text: str) -> int:
    """The word that a line of assembly stands for."""
    return int.from_bytes(assemble(text).data, "little")


REAL = {
    # what `-d op` of the reference prints for each, temporaries counted from 0
    "addi a0, a0, -1": ["add_i64 x10/a0,x10/a0,$0xffffffffffffffff"],
    "sub a0, zero, a1": ["sub_i64 x10/a0,$0x0,x11/a1"],
    "sltu a0, zero, a1": ["setcond_i64 x10/a0,$0x0,x11/a1,ltu"],
    "addw a0, a0, a1": ["add_i64 tmp0,x10/a0,x11/a1", "ext32s_i64 x10/a0,tmp0"],
}


@pytest.mark.parametrize("text", REAL)
def test_read_on_names_an_instruction_emits_the_operations_of_the_reference(text: str) -> None:
    assert operations(word(text)) == REAL[text]


def test_behind_a_csr_the_block_is_left() -> None:
    assert operations(word("csrr a0, mhartid"))[-1].startswith("exit_tb")


def test_what_is_touched_is_told_in_words() -> None:
    assert touched(word("sd a1, 0(sp)")) == "reads sp, a1; stores [8]"
    assert touched(word("nop")) == "nothing"


def test_the_table_of_readings_has_a_row_for_each() -> None:
    rows = readings(word("lw a0, 8(sp)")).text().splitlines()[2:]
    assert [row.split()[0] for row in rows] == [
        "pattern", "word", "operands", "assembly", "operations", "qemu_ld_i64", "touches",
    ]  # fmt: skip


def test_an_instruction_waits_for_whoever_wrote_its_registers_last() -> None:
    told = dependencies(assemble("li t0, 1\nli t0, 2\nadd t1, t0, t0\nadd zero, t1, t1\nadd a0, zero, t1").data).text()
    assert told.splitlines() == [
        "5 instructions, 3 rounds",
        "0: addi t0,zero,1 (round 1)",
        "1: addi t0,zero,2 (round 1)",
        "2: add t1,t0,t0 (round 2; t0 from 1)",
        "3: add zero,t1,t1 (round 3; t1 from 2)",
        "4: add a0,zero,t1 (round 3; t1 from 2)",
    ]


def test_what_is_no_instruction_has_no_reading() -> None:
    with pytest.raises(ValueError, match="0xffffffff is no instruction"):
        readings(0xFFFF_FFFF)
    with pytest.raises(ValueError, match="0x0 is no instruction"):
        dependencies(bytes(2))
