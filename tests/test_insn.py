"""Instructions are declared once: patterns, formats, decoding and encoding agree, and capstone knows the same."""

from __future__ import annotations

import random
from itertools import combinations

import capstone
import pytest

from pyqemu_edu import Qemu
from pyqemu_edu.disas.riscv import disasm_inst
from pyqemu_edu.target.riscv.asm import AssemblyError, assemble
from pyqemu_edu.target.riscv.cpu_bits import RISCV_EXCP_ILLEGAL_INST
from pyqemu_edu.target.riscv.insn.declare import RESERVED, Extension, Instruction
from pyqemu_edu.target.riscv.insn.decode import EXTENSIONS, decode, decoder, extended_by
from pyqemu_edu.target.riscv.insn.effects import effects
from pyqemu_edu.target.riscv.insn.formats import FORMATS, R

INSTRUCTIONS = [each for each in decoder().instructions if each.name != RESERVED]


def some_words(instruction: Instruction, count: int = 40) -> list[int]:
    """Words that match an instruction's pattern and decode as it."""
    rng = random.Random(instruction.name)
    free = ((1 << 8 * instruction.length) - 1) & ~instruction.mask
    words = [instruction.match | rng.getrandbits(32) & free for _ in range(count)]
    return [word for word in words if (found := decode(word)) and found[0] is instruction]


def looked_at(instruction: Instruction) -> int:
    """The bits of a word that are fixed or belong to an operand."""
    return int(instruction.pattern.replace(" ", "").translate(str.maketrans("01.-", "1110")), 2)


def test_every_instruction_of_the_manual_is_there() -> None:
    counted = {name: sum(i.name != RESERVED for i in ext.instructions) for name, ext in EXTENSIONS.items()}
    # RV32I 40 - ecall, ebreak + RV64I 12 + pause; RV32M 8 + RV64M 5; RV32A 11 + RV64A 11
    # RV32F 26 + RV64F 4; RV32D 26 + RV64D 6; RV32Zfh 30 + RV64Zfh 4, of which Zfhmin has 8
    # Zba 8, Zbb 24, Zbc 3, Zbs 8
    assert counted == (
        {
            "I": 50,
            "Zihintpause": 1,
            "Zmmul": 5,
            "M": 8,
            "A": 11,
            "RV64A": 11,
            "C": 32,
            "Zcd": 4,
            "Zicsr": 6,
            "Zifencei": 1,
        }
        | {"F": 30, "D": 32, "Zfh": 26, "Zfhmin": 6, "Zfhmin+D": 2}
        | {"Zba": 8, "Zbb": 14, "Zbb/Zbkb": 10, "Zbc": 1, "Zbc/Zbkc": 2, "Zbs": 8, "Zbkb": 4, "Zbkx": 2}
        | {"Zkne": 2, "Zknd": 3, "Zkne/Zknd": 2, "Zknh": 8, "Zksed": 2, "Zksh": 2}
        | {"XVentanaCondOps": 2, "Privileged": 5, "S": 1, "Svinval": 3}
    )


def test_two_patterns_that_meet_differ_in_how_much_they_fix() -> None:
    for a, b in combinations(decoder().instructions, 2):
        if a.length == b.length and not (a.match ^ b.match) & a.mask & b.mask:
            assert a.mask.bit_count() != b.mask.bit_count(), f"{a.name} and {b.name}"


@pytest.mark.parametrize("layout", FORMATS.values(), ids=lambda layout: layout.name)
def test_a_format_accounts_for_every_bit_once(layout) -> None:
    bits = [bit for piece in layout.pieces for bit in range(piece.low, piece.high + 1)]
    assert sorted(bits) == list(range(len(bits)))
    assert len(bits) in (16, 32)


@pytest.mark.parametrize("instruction", INSTRUCTIONS, ids=lambda instruction: instruction.name)
def test_encoding_what_was_decoded_gives_the_same_word(instruction: Instruction) -> None:
    words = some_words(instruction)
    assert words
    for word in words:
        assert instruction.encode(**decode(word)[1]._asdict()) == word & looked_at(instruction)


def test_the_all_zero_and_the_all_one_word_are_illegal() -> None:
    assert decode(0) is None
    assert decode(0xFFFF_FFFF) is None
    assert decode(0xFFFF) is None


def test_a_hart_without_an_extension_does_not_know_its_words() -> None:
    mul = 0x02B5_0533
    assert decode(mul)[0].name == "mul"
    assert decoder(frozenset({"I", "C"})).decode(mul) is None


def test_an_operand_that_does_not_fit_is_refused() -> None:
    addi = next(each for each in INSTRUCTIONS if each.name == "addi")
    with pytest.raises(ValueError, match="imm cannot be 2048"):
        addi.encode(rd=1, rs1=1, imm=2048)


def test_capstone_knows_the_same_instructions() -> None:
    """Capstone reads each of our words as the instruction of that name, or as a pseudo-instruction of it."""
    engine = capstone.Cs(capstone.CS_ARCH_RISCV, capstone.CS_MODE_RISCV64 | capstone.CS_MODE_RISCVC)
    for instruction in INSTRUCTIONS:
        if instruction.extension.name.startswith(("Zb", "Zfh", "Zk", "Svinval", "XVentana")):
            continue  # unknown to it; GNU as knows most of them (test_asm.py)
        for word in some_words(instruction, 8):
            word &= looked_at(instruction)  # capstone refuses what QEMU ignores,
            mode = getattr(decode(word)[1], "rm", 0)
            if mode in (5, 6) or (mode and instruction.name in ("fcvt.d.w", "fcvt.d.wu", "fcvt.d.s")):
                continue  # rounding modes that there are not, or that change nothing,
            if instruction.extension.name == "C" and (decode(word)[1] + (1,))[0] * (decode(word)[1] + (1,))[-1] == 0:
                continue  # and hints
            found = list(engine.disasm(word.to_bytes(instruction.length, "little"), 0))
            assert found, f"capstone does not know {word:08x} {instruction.name}"
            same = found[0].mnemonic.partition(".aq")[0].partition(".rl")[0] == instruction.name
            assert same or found[0].mnemonic in PSEUDO.get(instruction.name, ()), (instruction, found[0])


PSEUDO = {
    "addi": ("mv", "nop", "li"),
    "addiw": ("sext.w",),
    "beq": ("beqz",),
    "bge": ("bgez", "blez"),
    "blt": ("bltz", "bgtz"),
    "bne": ("bnez",),
    "c.addi": ("c.nop",),
    "csrrc": ("csrc", "csrr"),
    "csrrci": ("csrci",),
    "fsgnj.s": ("fmv.s",),
    "fsgnjn.s": ("fneg.s",),
    "fsgnjx.s": ("fabs.s",),
    "fsgnj.d": ("fmv.d",),
    "fsgnjn.d": ("fneg.d",),
    "fsgnjx.d": ("fabs.d",),
    "csrrs": ("csrs", "csrr", "rdcycle", "rdtime", "rdinstret"),
    "csrrsi": ("csrsi",),
    "csrrw": ("csrw", "fscsr", "fsrm", "fsflags"),
    "csrrwi": ("csrwi",),
    "pause": ("fence",),  # an older capstone
    "jal": ("j",),
    "jalr": ("jr", "ret"),
    "sltiu": ("seqz",),
    "sltu": ("snez",),
    "slt": ("sltz", "sgtz"),
    "sub": ("neg",),
    "subw": ("negw",),
    "xori": ("not",),
}


def test_reading_on_nothing_tells_what_is_touched() -> None:
    add, _ = decode(0x00B5_0533)  # add a0,a0,a1
    seen = effects(add.meaning, R(rd=10, rs1=10, rs2=11))
    assert (seen.reads, seen.writes, seen.loads, seen.ends_block) == ({10, 11}, {10}, [], False)
    sw, operands = decode(0x00B5_2023)  # sw a1,0(a0)
    assert effects(sw.meaning, operands).stores == [4]
    flt, operands = decode(0xA2B5_1553)  # flt.d a0,fa0,fa1
    seen = effects(flt.meaning, operands)
    assert (seen.reads, seen.writes, seen.helpers) == ({32 + 10, 32 + 11}, {10}, ["helper_flt_d"])


@pytest.mark.parametrize("instruction", INSTRUCTIONS, ids=lambda instruction: instruction.name)
def test_no_meaning_asks_for_the_truth_of_a_value(instruction: Instruction) -> None:
    for word in some_words(instruction, 5):
        seen = effects(instruction.meaning, decode(word)[1])
        assert seen.writes <= set(range(1, 64))


def conditional_zero() -> Extension:
    """An extension that the library lacks, and QEMU 7.2 as well: the manual's Zicond."""
    insn = Extension("Zicond", "A value or zero")

    @insn("0000111 ..... ..... 101 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
    def czero_eqz(m, a: R) -> None:
        m.x[a.rd] = m.select(m.x[a.rs2] == 0, 0, m.x[a.rs1])

    return insn


def test_an_extension_is_known_inside_of_its_with_and_nowhere_else() -> None:
    with extended_by(conditional_zero()):
        program = assemble("czero.eqz a0, a1, a2")
        word = int.from_bytes(program.data, "little")
        assert disasm_inst(0, word).split() == ["czero.eqz", "a0,a1,a2"]
    assert decode(word) is None
    assert disasm_inst(0, word).strip() == "illegal"
    with pytest.raises(AssemblyError, match="unknown instruction 'czero.eqz'"):
        assemble("czero.eqz a0, a1, a2")


def test_of_two_equal_patterns_the_added_one_is_meant() -> None:
    insn = Extension("Mine", "An add that forgets")

    @insn("0000000 ..... ..... 000 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
    def forget(m, a: R) -> None:
        m.x[a.rd] = 0

    with extended_by(insn):
        assert decode(0x00B5_0533)[0].name == "forget"
    assert decode(0x00B5_0533)[0].name == "add"


CHOICES = """
_start: la t0, stop
        csrw mtvec, t0
        li a1, 0x123456789abcdef0
        li a2, 12
        czero.eqz a0, a1, a2
        li a3, 1
        czero.eqz a3, a1, zero
stop:   j stop
"""


@pytest.mark.parametrize("accel", ["tcg", "interp"])
def test_a_hart_made_inside_keeps_the_extension_and_another_never_has_it(accel: str, tmp_path) -> None:
    elf = tmp_path / "choices.elf"
    line = f"-machine spike -bios none -display none -accel {accel} -kernel {elf}"
    with extended_by(conditional_zero()):
        elf.write_bytes(assemble(CHOICES).elf())
        vm = Qemu(line, record=False, types="modelled")
    vm.run(budget=60)
    assert [vm.harts[0].env.gpr[reg] for reg in (10, 13)] == [0x123456789ABCDEF0, 0]
    other = Qemu(line, record=False, types="modelled").run(budget=60)
    assert (other.harts[0].env.mcause, other.harts[0].env.gpr[10]) == (RISCV_EXCP_ILLEGAL_INST, 0)
