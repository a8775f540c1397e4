"""One real instruction: operands as text, matched against the assembly form of the declaration (Not in QEMU)."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import lru_cache

from pyqemu_edu.disas.riscv_names import rounding_mode_names, rv_freg_name_sym, rv_ireg_name_sym
from pyqemu_edu.target.riscv.csr import csr_number
from pyqemu_edu.target.riscv.insn.declare import RESERVED, Extension, Instruction
from pyqemu_edu.target.riscv.insn.decode import decode, known_extensions
from pyqemu_edu.target.riscv.insn.formats import Atomic

REGISTERS = {f"x{n}": n for n in range(32)} | {name: n for n, name in enumerate(rv_ireg_name_sym)} | {"fp": 8}
FLOAT_REGISTERS = {f"f{n}": n for n in range(32)} | {name: n for n, name in enumerate(rv_freg_name_sym)}
ROUNDING_MODES = {name: n for n, name in enumerate(rounding_mode_names) if name != "inv"}
EXACT = {"fcvt.d.w", "fcvt.d.wu", "fcvt.d.s", "fcvt.d.h", "fcvt.s.h"}
"""Where nothing is rounded the rounding mode that is not named is rne; elsewhere it is dyn."""
FENCE = {"i": 8, "o": 4, "r": 2, "w": 1}

Evaluate = Callable[[str], int]


def instructions() -> Mapping[str, Instruction]:
    """Every instruction by its name."""
    extensions = known_extensions()
    return _by_name(extensions, sum([len(each.instructions) for each in extensions]))


@lru_cache(maxsize=16)
def _by_name(extensions: tuple[Extension, ...], count: int) -> Mapping[str, Instruction]:
    """The same for these extensions while they have so many instructions."""
    every = [each for extension in extensions for each in extension.instructions]
    return {each.name: each for each in reversed(every) if each.name != RESERVED}


def split_ordering(name: str) -> tuple[str, dict[str, int]]:
    """`amoadd.w.aqrl` without its ending, and what the ending says."""
    match = re.fullmatch(r"((?:amo|lr|sc)\S*?\.[wd])(?:\.(aq|rl|aqrl))?", name)
    if not match or not match[2]:
        return name, {}
    return match[1], {"aq": int("aq" in match[2]), "rl": int("rl" in match[2])}


def encode(name: str, operands: tuple[str, ...], pc: int, evaluate: Evaluate) -> int:
    """The word of a real instruction. Raises ValueError, and KeyError for a name that there is not."""
    plain, ordering = split_ordering(name)
    instruction = instructions()[plain]
    fields = operand_texts(instruction, operands)
    values = {_operand(field): _value(field, text, evaluate) for field, text in fields.items()}
    if "pc+imm" in values:
        values["imm"] = values.pop("pc+imm") - pc
    if "imm>>12" in values:
        values["imm"] = _upper(instruction, values.pop("imm>>12"))
    if instruction.format.operands is Atomic:
        values |= ordering
    return _meant(instruction, instruction.encode(**_implied(instruction, values)))


def _meant(instruction: Instruction, word: int) -> int:
    """The word, unless it is reserved or another instruction's."""
    decoded = decode(word)
    if decoded is None or decoded[0] is not instruction:
        raise ValueError(f"{instruction.name} cannot have these operands")
    return word


def form_parts(instruction: Instruction, count: int) -> list[str]:
    """The form's parts; for one operand less than there may be, without the rounding mode."""
    form = instruction.form.split(", ") if instruction.form else []
    return form[:-1] if len(form) == count + 1 and form[-1] == "{rm}" else form


def operand_texts(instruction: Instruction, operands: tuple[str, ...]) -> dict[str, str]:
    """Which text stands for which placeholder of the form. Raises ValueError."""
    form = form_parts(instruction, len(operands))
    if len(form) != len(operands):
        raise ValueError(f"{instruction.name} takes {len(form)} operands, not {len(operands)}")
    fields = {"rm": "rne" if instruction.name in EXACT else "dyn"} if instruction.form.endswith("{rm}") else {}
    for part, text in zip(form, operands, strict=True):
        fields |= _match(part, text, instruction.name)
    return fields


def _match(part: str, text: str, name: str) -> dict[str, str]:
    """One operand: `{rd}`, `{imm}({rs1})`, `({rs1})`, or a register by name."""
    if not part.startswith(("{", "(")):
        if REGISTERS.get(text) != REGISTERS[part]:
            raise ValueError(f"{name} wants {part}, not '{text}'")
        return {}
    placeholders = re.findall(r"{(.*?)}", part)
    if not part.endswith(")"):
        return {placeholders[0]: text}
    match = re.fullmatch(r"(.*)\(\s*(\w+)\s*\)", text, re.DOTALL)
    if not match:
        raise ValueError(f"{name} wants an operand like {part.replace('{', '').replace('}', '')}, not '{text}'")
    offset, base = match[1].strip() or "0", match[2]
    if part.endswith("(sp)"):
        _match("sp", base, name)
        return {placeholders[0]: offset}
    if len(placeholders) == 2:
        return {placeholders[0]: offset, placeholders[1]: base}
    if offset != "0":
        raise ValueError(f"{name} takes no offset")
    return {placeholders[0]: base}


def is_register(text: str) -> bool:
    """Whether an operand names a register."""
    return text in REGISTERS


def _operand(field: str) -> str:
    """The operand that a placeholder stands for: `frd` for rd."""
    return field[1:] if field.startswith("fr") else field


def _value(field: str, text: str, evaluate: Evaluate) -> int:
    if field == "rm":
        return _look_up(ROUNDING_MODES, text, "rounding mode")
    if field.startswith("fr"):
        return _look_up(FLOAT_REGISTERS, text, "floating-point register")
    if field in ("rd", "rs1", "rs2"):
        return _look_up(REGISTERS, text, "register")
    if field == "csr" and text in csr_number:
        return csr_number[text]
    if field in ("pred", "succ") and not set(text) - set(FENCE):
        return sum(FENCE[letter] for letter in text)
    return evaluate(text)


def _look_up(names: Mapping[str, int], text: str, kind: str) -> int:
    if text not in names:
        raise ValueError(f"'{text}' is not a {kind}")
    return names[text]


def _upper(instruction: Instruction, value: int) -> int:
    """Twenty bits for the upper part of a register, of either sign; `c.lui` keeps six of them."""
    if not -(1 << 19) <= value < 1 << 20:
        raise ValueError(f"{instruction.name} takes 20 bits, not {value}")
    return ((value & 0xFFFFF ^ 1 << 19) - (1 << 19)) << 12


def _implied(instruction: Instruction, values: dict[str, int]) -> dict[str, int]:
    """A field of a compressed word may hold two operands: `rd/rs1`. What stands for one stands for the other."""
    for piece in instruction.format.pieces:
        given = [values[name] for name in piece.names if name in values]
        values |= {name: given[0] for name in piece.names if given}
    return values
