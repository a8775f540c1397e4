"""The disassembler prints what QEMU's prints."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from pathlib import Path
from types import SimpleNamespace

import pytest

from pyqemu_edu.disas.riscv import disasm_inst, print_insn_riscv64
from pyqemu_edu.real.qemu import RealQemu
from pyqemu_edu.target.riscv.asm import assemble
from pyqemu_edu.target.riscv.insn.declare import RESERVED
from pyqemu_edu.target.riscv.insn.decode import decode, decoder

GUESTS = Path(__file__).parents[1] / "pyqemu_edu" / "guests"
OPTIONS = "-machine spike -nographic -monitor none -serial null -bios none -d in_asm,nochain -D".split()
QEMU = shutil.which("qemu-system-riscv64")
needs_qemu = pytest.mark.skipif(QEMU is None, reason="no qemu-system-riscv64")


def printed(pc: int, word: bytes) -> str:
    lines: list[str] = []
    info = SimpleNamespace(read_memory=lambda address, size: word[:size], write=lines.append)
    assert print_insn_riscv64(pc, info) == len(word)
    return "".join(lines)


def in_asm(elf: Path, log: Path) -> set[tuple[int, bytes, str]]:
    """Address, bytes and text of every instruction that the real QEMU translates."""
    subprocess.run([QEMU, *OPTIONS, str(log), "-kernel", str(elf)], stdin=subprocess.DEVNULL, timeout=60, check=False)
    found = re.findall(r"^0x([0-9a-f]{16}):  (([0-9a-f]+) .*)$", log.read_text(), re.MULTILINE)
    return {(int(pc, 16), bytes.fromhex(word)[::-1], text) for pc, text, word in found}


@needs_qemu
@pytest.mark.parametrize("guest", ["hello", "timer", "primes", "recursion"])
def test_a_guest_s_code_is_printed_as_by_the_real_qemu(guest: str, tmp_path: Path) -> None:
    lines = in_asm(GUESTS / f"{guest}.elf", tmp_path / "log")
    assert len(lines) > 20
    assert [(text, printed(pc, word)) for pc, word, text in lines if printed(pc, word) != text] == []


@needs_qemu
def test_random_words_are_printed_as_by_the_real_qemu(tmp_path: Path) -> None:
    """Asked by the monitor, which disassembles memory: so no word needs to be executed."""
    rng, words = random.Random(11), []
    for each in decoder().instructions:
        if each.name == RESERVED or each.extension.name == "Privileged" or "Zi" in each.extension.name:
            continue
        free = ~each.mask & (1 << 8 * each.length) - 1
        words += [word for word in (each.match | rng.getrandbits(32) & free for _ in range(6)) if decode(word)]
    body = "".join(f".{'half' if word & 3 != 3 else 'word'} {word:#x}\n.p2align 2, 1\n" for word in words)
    program = assemble(f"_start: {body}")
    elf = tmp_path / "words.elf"
    elf.write_bytes(program.elf())
    with RealQemu(f"-M spike -bios none -kernel {elf}") as qemu:
        answer = qemu.hmp(f"x /{len(words) * 2}i {program.entry:#x}")
    lines = re.findall(r"^0x([0-9a-f]+):  ((\S+) .*?)\r?$", answer, re.MULTILINE)
    compared = 0
    for pc, text_of_qemu, digits in lines:
        word = bytes.fromhex(digits)[::-1]
        if decode(int.from_bytes(word, "little")) is None:
            continue
        assert printed(int(pc, 16), word) == text_of_qemu
        compared += 1
    assert compared > 400


def test_a_relative_operand_shows_its_address() -> None:
    assert disasm_inst(0x8000_000C, 0xFE62_9FE3) == f"{'bne':<24}{'t0,t1,-2':<24}# 0x8000000a"
