"""The assembler makes the bytes that GNU as makes, and tells a user which line is wrong."""

from __future__ import annotations

import random
import re
import shutil
import subprocess
from io import BytesIO
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from hypothesis import given, settings
from hypothesis import strategies as st

from pyqemu_edu.disas.riscv_names import rounding_mode_names, rv_freg_name_sym, rv_ireg_name_sym
from pyqemu_edu.target.riscv.asm import AssemblyError, Program, assemble
from pyqemu_edu.target.riscv.asm.encode import instructions
from pyqemu_edu.target.riscv.asm.pseudo import PSEUDO
from pyqemu_edu.target.riscv.insn.decode import decode
from pyqemu_edu.target.riscv.insn.formats import Atomic

GNU_AS = shutil.which("riscv64-unknown-elf-as")
needs_gnu_as = pytest.mark.skipif(GNU_AS is None, reason="no riscv64-unknown-elf-as")

PROGRAM = """
        .globl  _start, tohost
        .equ    UART, 0x10000000
        .equ    MAGIC, 0x12345fff
        .set    count, 3 + 4 * 2
_start: csrr    a0, mhartid
        bnez    a0, park            /* the first hart only */
        la      sp, stack_top
        lla     t0, message
        li      t1, UART; li t2, -1
1:      lbu     a1, 0(t0)
        beqz    a1, 2f
        sb      a1, (t1)
        addi    t0, t0, 1
        j       1b
2:      li      a0, count << 2 | 1  # an exit code
        call    put
        tail    park
        lw      a3, table
        sd      a3, table, t0
        lui     a4, %hi(MAGIC)
        addi    a4, a4, %lo(MAGIC)
3:      auipc   a5, %pcrel_hi(table)
        ld      a5, %pcrel_lo(3b)(a5)
        .p2align 4
put:    slli    a0, a0, 1
        ori     a0, a0, 1
        add     a0, a0, 7
        sext.b  a0, a0
        sext.h  a0, a0
        zext.w  a0, a0
        csrw    mtvec, a0
        csrwi   mie, 8
        csrs    mstatus, 8
        amoswap.w.aq a2, a1, (a0)
        lr.d.aqrl a2, (a0)
        sc.d.rl a2, a1, (a0)
        fence
        fence   rw, w
        fence.i
        ebreak
        unimp
        jalr    a0
        jalr    t0, 4(a0)
        jr      a1
        ret
park:   wfi
        j       park
        .section .rodata
message: .asciz "Hello, \\"world\\"\\n\\x21\\041"
        .balign 8
table:  .dword  _start, put - _start, message + 4
        .word   -1, 'A', 0x7fffffff, . - table
        .half   1, 2
        .byte   1, 2, 3, ~0
        .data
        .align  6
tohost: .dword  0
fromhost: .quad 0
        .bss
stack:  .space  4096
stack_top:
"""


def gnu_as(tmp_path: Path, text: str, march: str, program: Program) -> dict[str, bytes]:
    """What GNU as and ld make of the text, with our sections' addresses."""
    (tmp_path / "t.s").write_text(text)
    placed = (f"--section-start={each.name}={each.address:#x}" for each in program.sections if each.data)
    run = lambda *command: subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)  # noqa: E731
    run("riscv64-unknown-elf-as", f"-march={march}", "-mno-relax", "-mno-arch-attr", "t.s", "-o", "t.o")
    run("riscv64-unknown-elf-ld", "--no-relax", "-e", f"{program.entry:#x}", *placed, "t.o", "-o", "t.elf")
    elf = ELFFile(BytesIO((tmp_path / "t.elf").read_bytes()))
    return {each.name: elf.get_section_by_name(each.name).data() for each in program.sections if each.data}


def ours(program: Program) -> dict[str, bytes]:
    return {each.name: bytes(each.data) for each in program.sections if each.data}


@needs_gnu_as
def test_a_program_of_many_kinds_has_the_bytes_of_gnu_as(tmp_path: Path) -> None:
    program = assemble(PROGRAM)
    assert ours(program) == gnu_as(tmp_path, PROGRAM, "rv64ima_zicsr_zifencei_zbb", program)


@needs_gnu_as
def test_constants_are_loaded_as_gnu_as_does(tmp_path: Path) -> None:
    rng = random.Random(7)
    edges = [1 << n for n in range(64)] + [(1 << n) - 1 for n in range(64)] + [-(1 << n) for n in range(63)]
    values = edges + [rng.getrandbits(rng.randrange(1, 64)) for _ in range(300)] + [0xDEAD_BEEF_0000_0000, 0x800]
    text = "\n".join(f"li a0, {value}" for value in values)
    program = assemble(text)
    assert ours(program) == gnu_as(tmp_path, text, "rv64ima", program)


def operand_text(instruction, operands) -> str:
    """The operands as one would type them."""

    def value(match: re.Match[str]) -> str:
        if match[1] == "pc+imm":
            return f". + {operands.imm}"
        if match[1] == "imm>>12":
            return str(operands.imm >> 12 & 0xFFFFF)
        if match[1].startswith("fr"):
            return rv_freg_name_sym[getattr(operands, match[1][1:])]
        number = getattr(operands, match[1])
        if match[1] == "rm":
            return rounding_mode_names[number]
        if match[1] in ("pred", "succ"):
            return "".join(letter for bit, letter in ((8, "i"), (4, "o"), (2, "r"), (1, "w")) if number & bit) or "0"
        return rv_ireg_name_sym[number] if match[1] in ("rd", "rs1", "rs2") else str(number)

    return re.sub("{(.*?)}", value, instruction.form)


EXACT = ("fcvt.d.w", "fcvt.d.wu", "fcvt.d.s", "fcvt.d.h", "fcvt.s.h")
"""Nothing to round here: some versions of GNU as take no rounding mode."""


MORE = "zfh_zba_zbb_zbc_zbs_zbkb_zbkx_zknd_zkne_zknh_zksed_zksh_svinval"


def words_of_all_instructions() -> list[int]:
    """A few random words of each instruction, ignored bits zero."""
    rng, words = random.Random(3), []
    for each in instructions().values():
        used = int(each.pattern.replace(" ", "").translate(str.maketrans("01.-", "1110")), 2) & ~each.mask
        candidates = [each.match | rng.getrandbits(32) & used for _ in range(30)]
        meant = (word for word in candidates if (found := decode(word)) and found[0] is each)
        words += [word for word in meant if getattr(decode(word)[1], "rm", 0) not in (5, 6)][:12]
    return words


def as_text(words: list[int]) -> str:
    lines = []
    for word in words:
        instruction, operands = decode(word)
        ending = ""
        if isinstance(operands, Atomic) and (operands.aq or operands.rl):
            ending = "." + "aq" * operands.aq + "rl" * operands.rl
        text = f"{instruction.name}{ending} {operand_text(instruction, operands)}"
        lines.append(text.removesuffix(", rne") if instruction.name in EXACT else text)
    return "\n".join(lines)


def test_assembling_the_text_of_a_word_gives_the_word() -> None:
    words = words_of_all_instructions()
    program = assemble(as_text(words))
    assert program.data == b"".join(word.to_bytes(decode(word)[0].length, "little") for word in words)


@needs_gnu_as
def test_gnu_as_agrees_on_every_instruction(tmp_path: Path) -> None:
    text = as_text([word for word in words_of_all_instructions() if not is_hint(word)])
    program = assemble(text)
    expected = gnu_as(tmp_path, text, f"rv64imafdc_zicsr_zifencei_zihintpause_{MORE}", program)
    assert ours(program) == expected


def is_hint(word: int) -> bool:
    """Whether GNU as takes the text for a mistake, or for another word that does the same."""
    instruction, operands = decode(word)
    if instruction.extension.name == "XVentanaCondOps":
        return True  # this version does not know it
    if (instruction.name in EXACT and operands.rm) or (instruction.name == "fence" and 0 in operands):
        return True
    if instruction.extension.name == "C":
        return 0 in operands or instruction.name == "c.lui"
    return compresses(instruction.name)


def compresses(name: str) -> bool:
    """Whether GNU as may choose a short spelling, which we do not do unasked."""
    return f"c.{name}" in instructions() or name in ("addi", "addiw", "jal", "jalr", "beq", "bne", "ebreak", "slli")


@needs_gnu_as
def test_every_pseudo_instruction_is_known_to_gnu_as_and_means_the_same(tmp_path: Path) -> None:
    kinds = {"csrr": ("a0", "mepc"), "csrw": ("mepc", "a1"), "csrs": ("mepc", "a1"), "csrc": ("mepc", "a1")}
    lines = []
    for (name, count), _ in PSEUDO.items():
        if name.startswith("c.") or name == "sltz":
            continue
        operands = kinds.get(name, FLOAT_KINDS.get(name, ("a0", "a1", "a2")))[:count]
        if name in ("fsrmi", "fsflagsi"):
            operands = (*operands[: count - 1], "5")
        elif name.endswith("i") and name.startswith("csr"):
            operands = ("mepc", "5")
        elif name in ("j", "jal", "call", "tail", "la", "lla") or (name[0] in "bls" and _takes_label(name, count)):
            operands = (*operands[: count - 1], "here")
            if name[0] == "s" and count == 3:
                operands = ("a0", "here", "t0")
        elif (name, count) in (("jr", 2), ("jalr", 3)):
            operands = (*operands[: count - 1], "8")
        lines.append(f"{name} {', '.join(operands)}")
    text = "here:\n" + "\n".join(lines)
    program = assemble(text)
    assert ours(program) == gnu_as(tmp_path, text, "rv64imafd_zicsr_zifencei_zfh", program)


FLOAT_KINDS = {
    **dict.fromkeys(("flh", "flw", "fld", "fsh", "fsw", "fsd"), ("fa0", "here", "t0")),
    **{f"{name}.{fmt}": ("fa0", "fa1") for name in ("fmv", "fneg", "fabs") for fmt in "hsd"},
    **{f"{name}.{fmt}": ("a0", "fa1", "fa2") for name in ("fgt", "fge") for fmt in "hsd"},
    "fmv.x.s": ("a0", "fa1"),
    "fmv.s.x": ("fa0", "a1"),
}


def _takes_label(name: str, count: int) -> bool:
    branch = name[0] == "b"
    load = name in ("lb", "lh", "lw", "ld", "lbu", "lhu", "lwu")
    store = name in ("sb", "sh", "sw", "sd") and count == 3
    return branch or load or store


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("nop\nnop\nfoo a0", "line 3: unknown instruction 'foo'"),
        ("addi a0, a1", "line 1: addi takes 3 operands, not 2"),
        ("addi a0, b1, 1", "line 1: 'b1' is not a register"),
        ("addi a0, a1, 5000", "line 1: imm cannot be 5000"),
        ("lw a0, a1, 4", "line 1: lw takes 2 operands, not 3"),
        ("j nowhere", "line 1: 'nowhere' is not defined"),
        ("j 1f", "line 1: '1f' is not defined"),
        ("a:\na:", "line 2: 'a' is defined twice"),
        (".word 1 +", "line 1: cannot read '1 +'"),
        (".byte 256", "line 1: 256 does not fit in 1 bytes"),
        (".wurd 1", "line 1: unknown directive '.wurd'"),
        (".word 1/0", "line 1: division by zero in '1/0'"),
        ("c.addi a0, 100", "line 1: imm cannot be 100"),
        ("c.addi4spn a0, sp, 0", "line 1: c.addi4spn cannot have these operands"),
        ("c.lwsp x0, 4(sp)", "line 1: c.lwsp cannot have these operands"),
        ("li a0, here\nhere:", "line 1: 'here' is not defined"),
        (".ascii hello", "line 1: not a string: hello"),
        (".align 99", "line 1: cannot align to 2**99"),
        ("beq a0, a1, far\n.space 8192\nfar: nop", "line 1: imm cannot be 8196"),
        (".text 5", "line 1: .text does not take 1 operands"),
    ],
)
def test_a_mistake_is_told_with_its_line(text: str, message: str) -> None:
    with pytest.raises(AssemblyError) as error:
        assemble(text)
    assert error.value.message == message


@given(st.text(alphabet=st.sampled_from("adilwxc.,:()0159$%+-*/<>'\"\\ \t\n#;zfbspe"), max_size=60))
@settings(max_examples=300, deadline=None)
def test_no_text_makes_the_assembler_stumble(text: str) -> None:
    """Any text is a program or an AssemblyError, never another exception."""
    try:
        outcome = assemble(text).listing()
    except AssemblyError as error:
        outcome = error.message
    assert not outcome or outcome.startswith("line ") or "80000000" in outcome


def test_the_elf_file_says_what_the_program_says() -> None:
    program = assemble(PROGRAM)
    elf = ELFFile(BytesIO(program.elf()))
    assert elf.header["e_machine"] == "EM_RISCV"
    assert elf.header["e_entry"] == 0x8000_0000
    assert elf.get_section_by_name(".text").data() == ours(program)[".text"]
    symbols = {each.name: each for each in elf.get_section_by_name(".symtab").iter_symbols()}
    assert symbols["tohost"]["st_value"] == program.symbols["tohost"]
    assert symbols["tohost"]["st_info"]["bind"] == "STB_GLOBAL"
    assert [symbols[name]["st_size"] for name in ("tohost", "message", "_start")] == [8, 18, 0]
    loads = [each.header for each in elf.iter_segments() if each.header.p_type == "PT_LOAD"]
    assert [each.p_paddr for each in loads] == [each.address for each in program.sections if each.data]


def test_the_listing_shows_address_word_and_source() -> None:
    assert assemble("start: addi a0, a0, 1").listing() == "80000000  00150513          start: addi a0, a0, 1"
