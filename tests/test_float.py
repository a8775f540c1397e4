"""Floating point: values and exceptions are those of the real QEMU, bit for bit, in all rounding modes."""

from __future__ import annotations

import math
import subprocess
import sys
from pathlib import Path
from struct import pack, unpack
from types import SimpleNamespace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from conftest import required_tool
from pyqemu_edu.fpu.parts import (
    FLOAT16,
    FLOAT32,
    FLOAT64,
    FloatFmt,
    FloatStatus,
    float_add,
    float_div,
    float_flag_inexact,
    float_flag_overflow,
    float_flag_underflow,
    float_mul,
    float_muladd,
    float_round_down,
    float_round_nearest_even,
    float_round_to_zero,
    float_round_up,
    float_sqrt,
    float_to_float,
)
from pyqemu_edu.fpu.softfloat import (
    float16_div,
    float16_muladd,
    float32_mul,
    float32_muladd,
    float64_add,
    float64_div,
    float64_mul,
    float64_muladd,
    float64_sqrt,
)
from pyqemu_edu.guests.build import FLAGS
from pyqemu_edu.real.float_table import (
    computing,
    differences,
    our_memory,
    random_rows,
    real_memory,
    recorded,
    table_program,
)
from pyqemu_edu.target.riscv import fpu_helper
from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.target.riscv.cpu_bits import PRIV_VERSION_1_10_0, PRIV_VERSION_1_12_0

RECORDED = recorded(Path(__file__).parent / "data/real/float_table.json")
BOTH = pytest.mark.parametrize("accel", ["interp", "tcg"])

patterns = st.integers(0, 2**64 - 1)
doubles = st.floats(allow_nan=False)


def bits(value: float) -> int:
    return int.from_bytes(pack("<d", value), "little")


def value(bits: int) -> float:
    return unpack("<d", bits.to_bytes(8, "little"))[0]


# The real QEMU is the oracle


@BOTH
def test_every_instruction_gives_what_the_real_qemu_gave(accel: str) -> None:
    seen = our_memory(table_program(computing(), RECORDED.rows), accel)
    assert differences(RECORDED.rows, RECORDED.memory, seen)[:3] == []


def test_the_real_qemu_still_gives_what_was_recorded() -> None:
    required_tool("qemu-system-riscv64")
    assert real_memory(table_program(computing(), RECORDED.rows)) == RECORDED.memory


def test_the_table_has_every_kind_of_result() -> None:
    flags = {RECORDED.memory[n] for n in range(8, len(RECORDED.memory), 16)}
    assert {0, 1, 3, 5, 8, 16} <= flags  # nothing, NX, UF NX, OF NX, DZ, NV


def test_other_operands_agree_with_the_real_qemu_as_well() -> None:
    required_tool("qemu-system-riscv64")
    rows = random_rows(2022, 60)
    program = table_program(computing(), rows)
    assert differences(rows, real_memory(program), our_memory(program, "tcg"))[:3] == []


# The unit is off, initial, clean or dirty; rounding modes that there are not

STATES = """
        .globl _start
_start: la      t0, trap
        csrw    mtvec, t0
        la      s6, results
        li      t1, 0x6000
        fadd.d  fa0, fa0, fa0           # off
        flw     fa0, (s6)
        c.fldsp fa0, 0(sp)
        frcsr   t2
        fsflagsi 3
        li      t0, 0x2000              # initial
        csrs    mstatus, t0
        jal     note
        frcsr   t2                      # reading leaves it so
        fle.d   t2, fa0, fa1
        fcvt.w.d t2, fa1
        fsd     fa0, (s6)
        fmv.x.d t2, fa0
        jal     note
        fmv.d.x fa0, zero
        jal     note                    # dirty
        csrc    mstatus, t1
        li      t0, 0x4000              # clean
        csrs    mstatus, t0
        jal     note
        fld     fa0, (zero)             # traps: clean still
        jal     note
        fld     fa0, (s6)
        flw     fa1, (s6)
        jal     note
        csrc    mstatus, t1
        csrs    mstatus, t0
        fsflagsi 31
        jal     note
        csrc    mstatus, t1
        csrs    mstatus, t0
        fsrmi   5
        jal     note
        fadd.d  fa0, fa0, fa0           # dyn, which is 5
        fadd.d  fa0, fa0, fa0, rtz
        .word   0x02a55553              # fadd.d fa0, fa0, fa0, 5
        .word   0xd2056553              # fcvt.d.w fa0, a0, 6
        fmin.d  fa0, fa0, fa0
        fscsr   t2, s6
        jal     note
        csrw    fcsr, t1
        csrr    t2, fcsr
        jal     note
        li      t2, -1
        csrw    fcsr, t2
        csrr    t2, fcsr
        jal     note
        csrc    mstatus, t1
        frflags t2
        jal     note
stop:   j       stop
note:   csrr    t3, mstatus
        sd      t3, 0(s6)
        sd      t2, 8(s6)
        addi    s6, s6, 32
        ret
        .balign 4
trap:   csrr    t3, mcause
        sd      t3, 0(s6)
        csrr    t3, mtval
        sd      t3, 8(s6)
        csrr    t3, mepc
        sd      t3, 16(s6)
        csrr    t4, mstatus
        sd      t4, 24(s6)
        addi    s6, s6, 32
        lhu     t4, (t3)
        andi    t4, t4, 3
        addi    t4, t4, -3
        seqz    t4, t4
        slli    t4, t4, 1
        addi    t4, t4, 2
        add     t3, t3, t4
        csrw    mepc, t3
        mret
        .data
        .balign 8
results: .space 1024
"""


@pytest.mark.parametrize("cpu", ["rv64", "sifive-u54"])
@BOTH
def test_the_state_of_the_unit_is_tracked_as_on_the_real_qemu(accel: str, cpu: str) -> None:
    required_tool("qemu-system-riscv64")
    program = assemble(STATES)
    expected = real_memory(program, f"-cpu {cpu}")
    assert expected != bytes(len(expected))
    assert our_memory(program, accel, f"-cpu {cpu}") == expected


@pytest.mark.parametrize("cpu", ["rv64,f=false,d=false", "rv64,d=false"])
@BOTH
def test_a_hart_without_the_extension_does_not_know_its_instructions(accel: str, cpu: str) -> None:
    required_tool("qemu-system-riscv64")
    program = assemble(STATES)
    assert our_memory(program, accel, f"-cpu {cpu}") == real_memory(program, f"-cpu {cpu}")


def test_before_version_1_11_a_signaling_nan_is_not_passed_over() -> None:
    signaling, one = 0x7FF0_0000_0000_0001, bits(1.0)
    answers = []
    for version in (PRIV_VERSION_1_10_0, PRIV_VERSION_1_12_0):
        env = SimpleNamespace(fp_status=FloatStatus(), priv_ver=version)
        answers.append(fpu_helper.helper_fmin[FLOAT64](env, signaling, one))
    assert answers == [FLOAT64.default_nan, one]


# The host's own arithmetic, which rounds to nearest, agrees


@given(doubles, doubles)
def test_rounding_to_nearest_is_what_the_host_does(a: float, b: float) -> None:
    status = FloatStatus()
    assert math.isnan(a + b) or value(float_add(bits(a), bits(b), FLOAT64, status)) == a + b
    assert math.isnan(a * b) or value(float_mul(bits(a), bits(b), FLOAT64, status)) == a * b
    assert b == 0 or math.isnan(a / b) or value(float_div(bits(a), bits(b), FLOAT64, status)) == a / b
    assert a < 0 or value(float_sqrt(bits(a), FLOAT64, status)) == math.sqrt(a)


@given(patterns, patterns, st.sampled_from([float_round_nearest_even, float_round_to_zero]))
@settings(max_examples=300)
def test_the_short_cut_changes_nothing(a: int, b: int, mode: int) -> None:
    """What the host computes once `inexact` is set is what we compute; single, double, value and exceptions."""
    for short, long, fmt in (
        (float64_add, float_add, FLOAT64),
        (float64_mul, float_mul, FLOAT64),
        (float64_div, float_div, FLOAT64),
        (float32_mul, float_mul, FLOAT32),
        (float16_div, float_div, FLOAT16),
    ):
        x, y = (each & (fmt.sign_bit << 1) - 1 for each in (a, b))
        one, other = FloatStatus(mode, float_flag_inexact), FloatStatus(mode, float_flag_inexact)
        assert (short(x, y, one), one) == (long(x, y, fmt, other), other)
    one, other = FloatStatus(mode, float_flag_inexact), FloatStatus(mode, float_flag_inexact)
    assert (float64_sqrt(a, one), one) == (float_sqrt(a, FLOAT64, other), other)


@given(patterns, patterns, patterns, st.integers(-120, 120))
@settings(max_examples=500)
def test_a_product_and_a_sum_in_one_are_rounded_once_by_the_short_cut_too(a: int, b: int, c: int, apart: int) -> None:
    """The third operand is made about as large as the product, where it is hardest."""
    for short, fmt in ((float64_muladd, FLOAT64), (float32_muladd, FLOAT32), (float16_muladd, FLOAT16)):
        x, y, z = (each & (fmt.sign_bit << 1) - 1 for each in (a, b, c))
        exponent = (float_mul(x, y, fmt, FloatStatus()) & fmt.infinity) + (apart << fmt.frac_size)
        for third in (z, z & ~fmt.infinity | max(0, min(exponent, fmt.infinity))):
            one, other = FloatStatus(0, float_flag_inexact), FloatStatus(0, float_flag_inexact)
            assert (short(x, y, third, one), one) == (float_muladd(x, y, third, fmt, other), other)


@given(doubles, doubles)
def test_down_is_below_up_and_towards_zero_is_one_of_them(a: float, b: float) -> None:
    def product(mode: int) -> float:
        return value(float_mul(bits(a), bits(b), FLOAT64, FloatStatus(mode)))

    down, up, zero = (product(mode) for mode in (float_round_down, float_round_up, float_round_to_zero))
    if not math.isnan(down):
        assert down <= product(float_round_nearest_even) <= up
        assert zero == (down if down >= 0 else up)


@given(st.integers(0, 2**32 - 1))
def test_a_single_that_becomes_a_double_and_a_single_again_is_the_same(single: int) -> None:
    status = FloatStatus()
    double = float_to_float(single, FLOAT32, FLOAT64, status)
    again = float_to_float(double, FLOAT64, FLOAT32, status)
    is_nan = single & FLOAT32.infinity == FLOAT32.infinity and single & 0x7FFFFF
    assert again == (FLOAT32.default_nan if is_nan else single)


@pytest.mark.parametrize(("fmt", "tiny"), [(FLOAT32, 0x0080_0000), (FLOAT64, 0x0010_0000_0000_0000)])
def test_what_rounds_up_to_the_least_normal_number_is_tiny_only_if_it_would_be_with_more_exponents(
    fmt: FloatFmt, tiny: int
) -> None:
    """Tininess is detected after rounding: RISC-V says so, other architectures do not."""
    below_one = ((1 << fmt.exp_size - 1) - 1 << fmt.frac_size) - 1  # 1 - 2**-precision
    seen = []
    for factor in (below_one, below_one - 1):
        status = FloatStatus(float_round_up)
        seen.append((float_mul(tiny, factor, fmt, status), status.float_exception_flags))
    assert seen[0] == (tiny, float_flag_inexact | float_flag_underflow)
    halfway = FloatStatus(float_round_up)
    assert float_mul(tiny + 1, below_one, fmt, halfway) == tiny + 1
    assert halfway.float_exception_flags == float_flag_inexact


@pytest.mark.parametrize("mode", range(5))
def test_too_large_a_number_becomes_infinite_or_the_largest_as_the_mode_says(mode: int) -> None:
    status, largest = FloatStatus(mode), FLOAT64.infinity - 1
    result = float_add(largest, largest, FLOAT64, status)
    assert result == (largest if mode in (float_round_down, float_round_to_zero) else FLOAT64.infinity)
    assert status.float_exception_flags == float_flag_overflow | float_flag_inexact


# A compiler's programs

SOURCE = r"""
#include "console.h"
static const float numbers[] = {1.5f, -2.25f, 1e-3f, 3e4f, 1e-40f};
static double heron(double a) { double x = a; for (int i = 0; i < 40; i++) x = (x + a / x) / 2; return x; }
static float squares(const float *v, int n) { float s = 0; for (int i = 0; i < n; i++) s += v[i] * v[i]; return s; }
static void hex(double x) {
    union { double d; unsigned long bits; } number = {x};
    for (int shift = 60; shift >= 0; shift -= 4) print_char("0123456789abcdef"[number.bits >> shift & 15]);
    print_char('\n');
}
static void __attribute__((noinline)) work(void) {
    hex(heron(2)); hex(squares(numbers, 5)); hex((long)heron(1e10)); hex(heron(1e300) * 1e200);
}
int main(void) { __asm__ volatile("csrs mstatus, %0" : : "r"(0x2000)); work(); return 0; }
"""


def test_a_program_that_a_compiler_made_for_rv64gc_prints_the_same(tmp_path: Path) -> None:
    required_tool("riscv64-unknown-elf-gcc")
    required_tool("qemu-system-riscv64")
    guests, elf = Path(fpu_helper.__file__).parents[2] / "guests", tmp_path / "float.elf"
    (tmp_path / "float.c").write_text(SOURCE)
    flags = ["-march=rv64gc", "-mabi=lp64d", "-O2", "-I.", *(flag for flag in FLAGS if not flag.startswith("-ma"))]
    sources = ["-T", "guest.ld", "crt0.s", "console.c", str(tmp_path / "float.c")]
    subprocess.run(["riscv64-unknown-elf-gcc", *flags, *sources, "-o", str(elf)], cwd=guests, check=True)
    options = f"-machine spike -nographic -monitor none -serial stdio -bios none -kernel {elf}".split()
    printed = []
    for command in (
        ["qemu-system-riscv64"],
        *([sys.executable, "-m", "pyqemu_edu", "-accel", accel] for accel in ("interp", "tcg")),
    ):
        ran = subprocess.run([*command, *options], stdin=subprocess.DEVNULL, capture_output=True, timeout=60)
        printed.append((ran.returncode, ran.stdout))
    assert printed[0][1].startswith(b"3ff6a09e667f3bcc\n")
    assert printed[1:] == [printed[0]] * 2
