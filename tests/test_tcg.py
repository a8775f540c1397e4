"""Operations: what they compute, what the optimiser makes of them, and the Python that comes out."""

from __future__ import annotations

import io

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bare_hart import RAM_BASE, BareHart
from pyqemu_edu.accel.tcg.tb import TranslationBlock
from pyqemu_edu.accel.tcg.translate_all import tb_gen_code
from pyqemu_edu.process import Process
from pyqemu_edu.tcg.op import COMPARE, COMPUTE, INVERTED, M, TCGCond, TCGContext, TCGTemp, TempKind
from pyqemu_edu.tcg.optimize import liveness_pass, tcg_optimize
from pyqemu_edu.tcg.python_backend import GLOBALS, TEMPLATES, compare
from pyqemu_edu.tcg.tcg import (
    op_text,
    tcg_constant,
    tcg_emit_op,
    tcg_func_start,
    tcg_gen_binary,
    tcg_gen_exit_tb,
    tcg_gen_mov,
)

EDGES = [0, 1, 2, 0x7F, 0x80, 0x7FFF, 0x8000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFF, 1 << 62, 1 << 63, M - 1, M]
values = st.sampled_from(EDGES) | st.integers(0, M)


def fresh() -> tuple[TCGContext, TCGTemp]:
    """A context with one register of the guest."""
    s = TCGContext(globals=[TCGTemp(TempKind.GLOBAL, 0, "x5/t0", "gpr[5]")])
    tcg_func_start(s)
    return s, s.globals[0]


@given(a=values, b=values)
def test_generated_python_computes_what_each_operation_means(a: int, b: int) -> None:
    for opc, template in TEMPLATES.items():
        if opc[:3] in ("div", "rem") and b == 0:
            continue
        right = b & 63 if opc in ("shl_i64", "shr_i64", "sar_i64") else b
        meaning = COMPUTE[opc]
        expected = meaning(a, right) if "{1}" in template else meaning(a)
        assert eval(template.format("a", "b"), {**GLOBALS, "a": a, "b": right}) == expected, opc


@given(a=values, b=values)
def test_generated_comparisons_compare(a: int, b: int) -> None:
    for cond in TCGCond:
        text = compare(cond, "a", "0" if b == 0 else "b")
        assert bool(eval(text, {**GLOBALS, "a": a, "b": b})) == COMPARE[cond](a, b)
        assert COMPARE[INVERTED[cond]](a, b) != COMPARE[cond](a, b)


@given(a=values, b=values)
def test_constants_are_folded_to_what_would_have_been_computed(a: int, b: int) -> None:
    for opc in ("add_i64", "sub_i64", "mul_i64", "xor_i64", "divu_i64", "sar_i64"):
        s, t0 = fresh()
        tcg_gen_mov(s, t0, tcg_gen_binary(s, opc, tcg_constant(s, a), tcg_constant(s, b)))
        tcg_gen_exit_tb(s, 2)
        tcg_optimize(s)
        if opc == "divu_i64" and b == 0:
            continue
        assert [op.opc for op in s.ops] == ["mov_i64", "exit_tb"]
        assert s.ops[0].inputs[0].value == COMPUTE[opc](a, b)


@pytest.mark.parametrize(("opc", "constant"), [("add_i64", 0), ("and_i64", M), ("mul_i64", 1), ("or_i64", 0)])
def test_an_identity_leaves_nothing_to_do(opc: str, constant: int) -> None:
    s, t0 = fresh()
    tcg_emit_op(s, opc, [t0], [t0, tcg_constant(s, constant)])
    tcg_gen_exit_tb(s, 2)
    tcg_optimize(s)
    assert [op.opc for op in s.ops] == ["exit_tb"]


def test_a_register_overwritten_before_anybody_looks_is_not_written() -> None:
    s, t0 = fresh()
    tcg_emit_op(s, "mov_i64", [t0], [tcg_constant(s, 1)])
    tcg_emit_op(s, "mov_i64", [t0], [tcg_constant(s, 2)])
    tcg_gen_exit_tb(s, 2)
    liveness_pass(s)
    assert [op_text(op) for op in s.ops] == [" mov_i64 x5/t0,$0x2", " exit_tb $0x2"]


def translated(*words: int) -> TranslationBlock:
    """The block that begins with these words."""
    with Process(["qemu"], stderr=io.StringIO()):
        hart = BareHart(*words)
        return tb_gen_code(hart.cpu, RAM_BASE, 0, 3, 0)


def test_a_block_that_jumps_to_itself_is_a_loop() -> None:
    tb = translated(0x0285, 0xFE629FE3)  # addi t0,t0,1; bne t0,t1,-2
    assert (tb.icount, tb.size) == (2, 6)
    assert "for n in rounds:" in tb.source
    assert "t0 = t0 + 1 & M" in tb.source
    assert "# 0x80000002: bne t0,t1,-2" in tb.source


def test_a_block_ends_behind_a_csr_instruction() -> None:
    assert translated(0x4281, 0xF1402573, 0x4281).icount == 2  # li; csrr; li


def test_a_block_ends_with_its_page() -> None:
    with Process(["qemu"], stderr=io.StringIO()):
        hart = BareHart(*[0x00000013] * 4, at=RAM_BASE + 0x1000 - 8)
        tb = tb_gen_code(hart.cpu, RAM_BASE + 0xFF8, 0, 3, 0)
    assert tb.icount == 2
    assert tb.page_addr[1] == -1


def test_only_a_blocks_first_instruction_may_reach_into_the_next_page() -> None:
    with Process(["qemu"], stderr=io.StringIO()):
        hart = BareHart(0x0001, 0x00000013, 0x9002, at=RAM_BASE + 0x1000 - 4)  # c.nop; nop across the border
        hart.load(RAM_BASE + 0xFFE, 0x00000013)
        assert tb_gen_code(hart.cpu, RAM_BASE + 0xFFC, 0, 3, 0).icount == 1
        across = tb_gen_code(hart.cpu, RAM_BASE + 0xFFE, 0, 3, 0)
    assert across.page_addr[1] == 0x1000
