"""Our decoder and the real QEMU take the same words for instructions, whatever extensions a hart has."""

from __future__ import annotations

from pathlib import Path
from random import Random

import pytest

from conftest import required_tool
from pyqemu_edu import Qemu
from pyqemu_edu.real.decode_table import (
    CPU,
    compressed,
    decoder_of,
    differences,
    kept_words,
    random_words,
    real_causes,
    recorded,
    structured,
)

RECORDED = Path(__file__).parent / "data/real/decode_table.json"

MUCH = (
    "rv64,h=false,Zfh=true,zbb=false,zbkb=true,zbkx=true,zbc=false,zbkc=true,svinval=true,"
    "xventanacondops=true,zkne=true,zksed=true,zksh=true"
)
LITTLE = (
    "rv64,h=false,d=false,Zfhmin=true,zba=false,zbs=false,m=false,zmmul=true,Zihintpause=false,"
    "Zifencei=false,zknd=true,zknh=true"
)
"""Extensions that have instructions in common, one without the other."""


def test_all_compressed_words_are_asked_about_but_those_that_jump_to_themselves() -> None:
    itself = 1 + 2 * 8  # c.j; c.beqz and c.bnez with eight registers
    assert len(set(compressed())) == 3 * 2**14 - itself


def test_words_are_illegal_where_they_were_to_the_real_qemu() -> None:
    words, causes = kept_words(), recorded(RECORDED)
    assert causes.count(2) > 40_000
    assert causes.count(3) > 20_000  # legal, and without effect: the breakpoint behind was reached
    assert differences(words, causes, decoder_of()) == []


IN_X = [f"rv64,h=false,f=false,d=false,{these}" for these in ("zfinx=true", "zdinx=true,zhinx=true", "zhinxmin=true")]


@pytest.mark.parametrize("cpu", [CPU, MUCH, LITTLE, "sifive-u54", "rv64,h=false,f=false,d=false,a=false", *IN_X])
def test_other_words_and_other_harts_agree_with_the_real_qemu_as_well(cpu: str) -> None:
    required_tool("qemu-system-riscv64")
    words = [*random_words(7, 5_000), *structured(7, Random(cpu).sample(range(1 << 12), 64))]
    assert differences(words, real_causes(words, cpu), decoder_of(cpu)) == []


@pytest.mark.parametrize(("cpu", "missing"), [("rv64,v=true", "v"), ("rv64,Zve32f=true,x-j=true", "zve32f, j")])
def test_an_extension_without_instructions_is_warned_of_once(cpu: str, missing: str) -> None:
    vm = Qemu(f"-machine spike -smp 2 -bios none -display none -cpu {cpu}", record=False, types="modelled")
    vm.close()
    assert vm.stderr.getvalue().count(f"what they add is illegal: {missing}\n") == 1
