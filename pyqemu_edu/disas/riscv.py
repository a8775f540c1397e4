"""Text of RISC-V instructions as QEMU's disassembler prints it (QEMU disas/riscv.c).

The words are decoded and their operands printed from the instructions' declarations; what stands here is only where
QEMU prints something else: pseudo-instructions and a few forms.  Words of extensions that we do not have print as
`illegal`.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from pyqemu_edu.disas.riscv_names import csr_name, rounding_mode_names, rv_freg_name_sym, rv_ireg_name_sym
from pyqemu_edu.target.riscv.insn.declare import RESERVED, Instruction, Meaning
from pyqemu_edu.target.riscv.insn.decode import Decoder, decoder
from pyqemu_edu.target.riscv.insn.formats import Atomic, Operands

TAB = 24


@dataclass(frozen=True)
class Lift:
    """Print as `name` with `form` if the operands are as in `when`, or as one another (QEMU `rv_comp_data`)."""

    name: str
    form: str
    when: Mapping[str, int | str]


def lift(name: str, form: str = "", **when: int | str) -> Lift:
    """A row of the table below."""
    return Lift(name, form, when)


# fmt: off
pseudo = {
    "lui":    (lift("lui",    "{rd}, {imm}"),),
    "auipc":  (lift("auipc",  "{rd}, {pc+imm}"),),
    "jal":    (lift("j",      "{pc+imm}", rd=0),),
    "jalr":   (lift("ret",    "", rd=0, rs1=1),              # whatever the offset
               lift("jr",     "{rs1}", rd=0, imm=0),
               lift("jalr",   "{rd}, {rs1}, {imm}")),
    "beq":    (lift("beqz",   "{rs1}, {pc+imm}", rs2=0),),
    "bne":    (lift("bnez",   "{rs1}, {pc+imm}", rs2=0),),
    "blt":    (lift("bltz",   "{rs1}, {pc+imm}", rs2=0),
               lift("bgtz",   "{rs2}, {pc+imm}", rs1=0),
               lift("bgt",    "{rs2}, {rs1}, {pc+imm}")),    # always the other way round
    "bge":    (lift("blez",   "{rs2}, {pc+imm}", rs1=0),
               lift("bgez",   "{rs1}, {pc+imm}", rs2=0),
               lift("ble",    "{rs2}, {rs1}, {pc+imm}")),
    "bltu":   (lift("bgtu",   "{rs2}, {rs1}, {pc+imm}"),),
    "bgeu":   (lift("bleu",   "{rs2}, {rs1}, {pc+imm}"),),
    "addi":   (lift("nop",    "", rd=0, rs1=0, imm=0),
               lift("mv",     "{rd}, {rs1}", imm=0)),
    "sltiu":  (lift("seqz",   "{rd}, {rs1}", imm=1),),
    "xori":   (lift("not",    "{rd}, {rs1}", imm=-1),),
    "sub":    (lift("neg",    "{rd}, {rs2}", rs1=0),),
    "slt":    (lift("sltz",   "{rd}, {rs1}", rs2=0),
               lift("sgtz",   "{rd}, {rs2}", rs1=0)),
    "sltu":   (lift("snez",   "{rd}, {rs2}", rs1=0),),
    "addiw":  (lift("sext.w", "{rd}, {rs1}", imm=0),),
    "subw":   (lift("negw",   "{rd}, {rs2}", rs1=0),),
    "csrrw":  (lift("fscsr",   "{rd}, {rs1}", csr=3),
               lift("fsrm",    "{rd}, {rs1}", csr=2),
               lift("fsflags", "{rd}, {rs1}", csr=1)),
    "csrrs":  (lift("rdcycle",   "{rd}", rs1=0, csr=0xC00),
               lift("rdtime",    "{rd}", rs1=0, csr=0xC01),
               lift("rdinstret", "{rd}", rs1=0, csr=0xC02),
               lift("rdcycleh",  "{rd}", rs1=0, csr=0xC80),
               lift("rdtimeh",   "{rd}", rs1=0, csr=0xC81),
               lift("rdinstreth", "{rd}", rs1=0, csr=0xC82),
               lift("frcsr",     "{rd}", rs1=0, csr=3),
               lift("frrm",      "{rd}", rs1=0, csr=2),
               lift("frflags",   "{rd}", rs1=0, csr=1)),
    "csrrwi": (lift("fsrmi",     "{rd}, {imm}", csr=2),
               lift("fsflagsi",  "{rd}, {imm}", csr=1)),
    "fmv.x.w": (lift("fmv.x.s", "{rd}, {frs1}"),),            # their names of old
    "fmv.w.x": (lift("fmv.s.x", "{frd}, {rs1}"),),
    **{f"{long}.{fmt}": (lift(f"{short}.{fmt}", "{rd}, {rs1}", rs2="rs1"),)    # as if of x registers
       for long, short in (("fsgnj", "fmv"), ("fsgnjn", "fneg"), ("fsgnjx", "fabs")) for fmt in "sd"},
    **{logic: (lift(logic, "{rd}, {rs1}"),) for logic in ("andn", "orn", "xnor", "xperm8")},      # one is forgotten
    "ctzw":   (lift("clzw",   "{rd}, {rs1}"),),
    "slli.uw": (lift("slli.uw", "{rd}, {rs1}, {xshamt}"),),  # a distance as if it were a register
    "pack":   (lift("zext.h", "{rd}, {rs1}", rs2=0),),       # of RV32
    **{f"sha512{each}": (lift(f"sha512{each}", f"{{rd}}, {{rs1}}, {rs2}"),)           # as if bits 24 to 20 were rs2
       for each, rs2 in (("sum0", "tp"), ("sum1", "t0"), ("sig0", "t1"), ("sig1", "t2"))},
    **{each: (lift(each, "{rs1}, {rs2}, {bs}"),) for each in ("sm4ed", "sm4ks")},
    "pause":  (lift("fence",     "w, "),),                   # unknown to it
}

UNKNOWN = {"Zfh", "Zfhmin", "Zfhmin+D", "Svinval", "XVentanaCondOps"}    # executed by 7.2, but not printed
imm_nz = {"c.addi", "c.addi4spn", "c.addi16sp", "c.lui", "c.srli", "c.srai", "c.slli"}  # else illegal
# fmt: on


def full_form(instruction: Instruction) -> Instruction:
    """The instruction that a compressed one stands for; any other itself."""
    if instruction.length == 4:
        return instruction
    return full_forms(decoder())[instruction.meaning]


@lru_cache(maxsize=8)
def full_forms(known: Decoder) -> dict[Meaning, Instruction]:
    """Every uncompressed instruction by its meaning."""
    return {each.meaning: each for each in known.instructions if each.length == 4}


@lru_cache(maxsize=8)
def lenient(known: Decoder) -> Decoder:
    """A decoder that knows of no reserved operands: QEMU's disassembler does not."""
    return Decoder(tuple(each for each in known.instructions if each.name != RESERVED))


def decode_inst_lift_pseudo(instruction: Instruction, operands: Operands) -> tuple[str, str]:
    """The name and form to print: those of the first pseudo-instruction that fits, or the instruction's own."""
    values = operands._asdict()
    for each in pseudo.get(instruction.name, ()):
        if all(values[name] == values.get(value, value) for name, value in each.when.items()):
            return each.name, each.form
    return instruction.name, rounding_mode_first(instruction.form)


def rounding_mode_first(form: str) -> str:
    """An assembler takes the rounding mode last, this disassembler prints it first."""
    rest = form.removesuffix(", {rm}")
    return form if rest == form else f"{{rm}}, {rest}"


def disasm_inst(pc: int, inst: int) -> str:
    """The text of one instruction at `pc`."""
    decoded = lenient(decoder()).decode(inst)
    if decoded is None or _is_taken_for_illegal(*decoded):
        return f"{'illegal':<{TAB}}"
    instruction, operands = decoded
    name, form = decode_inst_lift_pseudo(full_form(instruction), operands)
    if isinstance(operands, Atomic):
        name += ".aq" * operands.aq + ".rl" * operands.rl
    return format_inst(name, form, pc, operands)


def _is_taken_for_illegal(instruction: Instruction, operands: Operands) -> bool:
    if instruction.name == "c.addi" and operands.rd == 0:
        return False  # c.nop
    if instruction.extension.name in UNKNOWN or (instruction.name == "slli.uw" and operands.shamt >= 32):
        return True
    return instruction.name in imm_nz and operands[-1] == 0


def format_inst(name: str, form: str, pc: int, operands: Operands) -> str:
    """Name and operands in columns; the address of a relative operand stands behind."""
    text = re.sub(r"{(.*?)}", lambda match: _operand(match[1], operands), form).replace(", ", ",")
    line = f"{name:<{TAB}}{text}"
    if "{pc+imm}" in form:
        line = f"{line:<{2 * TAB}}# 0x{pc + operands.imm & 0xFFFF_FFFF_FFFF_FFFF:x}"
    return line


def _operand(placeholder: str, operands: Operands) -> str:
    if placeholder == "pc+imm":
        return str(operands.imm)
    if placeholder in ("frd", "frs1", "frs2", "frs3"):
        return rv_freg_name_sym[getattr(operands, placeholder[1:])]
    if placeholder == "xshamt":
        return rv_ireg_name_sym[operands.shamt & 31]
    value: int = getattr(operands, placeholder)
    if placeholder in ("rd", "rs1", "rs2"):
        return rv_ireg_name_sym[value]
    if placeholder == "rm":
        return rounding_mode_names[value]
    if placeholder == "csr":
        return csr_name(value) or f"0x{value:03x}"
    if placeholder in ("pred", "succ"):
        return "".join(letter for bit, letter in ((8, "i"), (4, "o"), (2, "r"), (1, "w")) if value & bit)
    return str(value)


def inst_length(first: int) -> int:
    """Bytes of the instruction that begins with these two, up to eight; 0 for what would be longer."""
    if first & 0b11 != 0b11:
        return 2
    if first & 0b11100 != 0b11100:
        return 4
    return 6 if first & 0b111111 == 0b011111 else 8 if first & 0b1111111 == 0b0111111 else 0


def print_insn_riscv64(memaddr: int, info: Any) -> int:
    """Print the bytes and the text of the instruction at `memaddr`; its length.

    `info` is a `disassemble_info`: `read_memory(address, size)` gives bytes, `write(text)` prints.
    """
    read: Callable[[int, int], bytes] = info.read_memory
    length = inst_length(int.from_bytes(read(memaddr, 2), "little"))
    inst = int.from_bytes(read(memaddr, length or 2), "little")
    info.write(f"{inst:0{2 * length or 16}x}".ljust(18) + disasm_inst(memaddr, inst))
    return length
