"""Two passes over the same statements: the first learns how long everything is, the second knows where (Not in QEMU).

In the first pass sections lie far apart, so that differences of labels in one section are right already; then they
are laid one behind the other from the base address.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from inspect import signature

from pyqemu_edu.target.riscv.asm.directives import DIRECTIVES
from pyqemu_edu.target.riscv.asm.encode import encode, form_parts, instructions, is_register, split_ordering
from pyqemu_edu.target.riscv.asm.expression import Undefined, evaluate
from pyqemu_edu.target.riscv.asm.lines import AssemblyError, Statement, split_outside, statements
from pyqemu_edu.target.riscv.asm.program import Line, Program, Section
from pyqemu_edu.target.riscv.asm.pseudo import IMMEDIATE, PSEUDO, load_constant

ORDER = (".text", ".rodata", ".srodata", ".data", ".sdata", ".sbss", ".bss")
APART = 1 << 40


def assemble(text: str, base: int = 0x8000_0000) -> Program:
    """Assemble a program that begins at `base`. Raises AssemblyError, which names the line.

    It is entered at `_start` if there is one, else at its first instruction.
    """
    source = list(statements(text))
    first = Pass(source, {}, known={})
    addresses = _lay_out(first.sections, base)
    known = _moved(first, addresses)
    second = Pass(source, addresses, known)
    _check_sizes(first, second)
    symbols = {name: value for name, value in second.symbols.items() if not name.startswith(".L") and "#" not in name}
    sections = sorted(second.sections.values(), key=lambda section: section.address)
    entry = symbols.get("_start", base)
    return Program(base, entry, sections, symbols, second.sizes, second.globals, second.lines)


def _lay_out(sections: dict[str, Section], base: int) -> dict[str, int]:
    """Text, then constants, data, zeros, others by name in between."""
    rank = {name: n for n, name in enumerate(ORDER)}
    addresses, address = {}, base
    for section in sorted(sections.values(), key=lambda each: rank.get("." + each.name.split(".")[1], 3)):
        address += -address % section.align
        addresses[section.name] = address
        address += len(section.data)
    return addresses


def _moved(first: Pass, addresses: dict[str, int]) -> dict[str, int]:
    """The labels of the first pass where they will be in the second."""
    return {
        name: addresses[section] + value - first.sections[section].address
        for name, (section, value) in first.labels.items()
    }


def _check_sizes(first: Pass, second: Pass) -> None:
    for before, after in zip(first.lines, second.lines, strict=True):
        if len(before.data) != len(after.data):
            raise AssemblyError(f"line {after.number}: needs a constant, but an address is not known so early")


class Pass:
    """One walk over the program: `known` are the labels' addresses, empty in the first."""

    def __init__(self, source: list[Statement], addresses: dict[str, int], known: dict[str, int]) -> None:
        self.addresses = addresses
        self.known = known
        self.sections: dict[str, Section] = {}
        self.symbols: dict[str, int] = {}
        self.labels: dict[str, tuple[str, int]] = {}
        self.globals: set[str] = set()
        self.sizes: dict[str, int] = {}
        self.lines: list[Line] = []
        self._unmeasured: list[str] = []
        self._locals: dict[str, int] = {}
        self._far: dict[int, int] = {}
        self.enter_section(".text")
        for statement in source:
            self._statement(statement)

    @property
    def is_first(self) -> bool:
        """Whether addresses are not known yet."""
        return not self.addresses

    @property
    def pc(self) -> int:
        """Where the next byte goes."""
        return self.section.address + len(self.section.data)

    def enter_section(self, name: str) -> None:
        """Go on in another section, where it was left."""
        if name not in self.sections:
            address = self.addresses.get(name, APART * (len(self.sections) + 1))
            self.sections[name] = Section(name, address)
        self.section = self.sections[name]

    def emit(self, data: bytes) -> None:
        """Append bytes to the current section."""
        self.section.data += data

    # Statements

    def _statement(self, statement: Statement) -> None:
        try:
            for label in statement.labels:
                self._label(label)
            address, section, start = self.pc, self.section, len(self.section.data)
            if statement.name:
                self._instruction_or_directive(statement)
            if section is not self.section:
                section, address, start = self.section, self.pc, len(self.section.data)
        except Undefined as error:
            raise statement.error(f"{error}") from None
        except ValueError as error:
            raise statement.error(error) from None
        self._measure(statement, len(section.data) - start)
        self.lines.append(Line(statement.line, statement.source, address, bytes(section.data[start:])))

    def _measure(self, statement: Statement, length: int) -> None:
        """A label in front of data is as long as that data, unless `.size` says otherwise: HTIF asks for it."""
        self._unmeasured += statement.labels
        if length and "align" not in statement.name:
            if statement.name.startswith("."):
                for label in self._unmeasured:
                    self.sizes.setdefault(label, length)
            self._unmeasured = []

    def _label(self, label: str) -> None:
        if label.isdigit():
            self._locals[label] = self._locals.get(label, 0) + 1
            label = f"{label}#{self._locals[label]}"
        if label in self.symbols:
            raise ValueError(f"'{label}' is defined twice")
        self.symbols[label] = self.pc
        self.labels[label] = self.section.name, self.pc

    def _instruction_or_directive(self, statement: Statement) -> None:
        directive = DIRECTIVES.get(statement.name)
        if directive:
            self._directive(directive, statement)
        elif statement.name.startswith("."):
            raise ValueError(f"unknown directive '{statement.name}'")
        else:
            self._instruction(statement.name, statement.operands)

    def _directive(self, directive: Callable[..., None], statement: Statement) -> None:
        try:
            signature(directive).bind(self, *statement.operands)
        except TypeError:
            raise ValueError(f"{statement.name} does not take {len(statement.operands)} operands") from None
        directive(self, *statement.operands)

    def _instruction(self, name: str, operands: tuple[str, ...]) -> None:
        if name == "li" and len(operands) == 2:
            self._expand(load_constant(operands[0], self.evaluate(operands[1])))
        elif (real := self._real_form(name, operands)) is not None:
            self._encode(real, operands)
        elif (name, len(operands)) in PSEUDO:
            self._expand([each.format(*operands) for each in PSEUDO[name, len(operands)]])
        elif split_ordering(name)[0] in instructions():
            self._encode(name, operands)
        else:
            raise ValueError(f"unknown instruction '{name}'")

    def _real_form(self, name: str, operands: tuple[str, ...]) -> str | None:
        """The real instruction that is meant, or None if a pseudo-instruction is, or none."""
        if name in IMMEDIATE and len(operands) == 3 and not is_register(operands[2]):
            return IMMEDIATE[name]
        instruction = instructions().get(split_ordering(name)[0])
        if instruction is None:
            return None
        form = form_parts(instruction, len(operands))
        fits = len(form) == len(operands) and all(
            not part.endswith(")") or text.endswith(")") for part, text in zip(form, operands, strict=True)
        )
        return name if fits else None

    def _expand(self, texts: list[str]) -> None:
        for text in texts:
            name, _, rest = text.partition(" ")
            self._instruction(name, tuple(each.strip() for each in split_outside(rest, ",")) if rest else ())

    def _encode(self, name: str, operands: tuple[str, ...]) -> None:
        length = instructions()[split_ordering(name)[0]].length
        if not self.is_first:
            self.emit(encode(name, operands, self.pc, self.evaluate).to_bytes(length, "little"))
        else:
            self.emit(bytes(length))

    # Expressions (the `Scope` of asm/expression.py)

    def evaluate(self, text: str) -> int:
        """The value of an expression here and now."""
        return evaluate(text, self)

    def symbol(self, name: str) -> int:
        """The value of a symbol, of `.`, or of a local label such as `1f`."""
        if name == ".":
            return self.pc
        if re.fullmatch(r"\d+[bf]", name):
            count = self._locals.get(name[:-1], 0) + (name[-1] == "f")
            return self._look_up(f"{name[:-1]}#{count}", name)
        return self._look_up(name, name)

    def _look_up(self, key: str, name: str) -> int:
        for table in (self.symbols, self.known):
            if key in table:
                return table[key]
        raise Undefined(f"'{name}' is not defined")

    def relocate(self, function: str, argument: str) -> int:
        """Parts of an address: for `lui` and what follows it, or for `auipc` and what follows that."""
        if function == "%pcrel_lo":
            at = self.evaluate(argument)
            if at not in self._far:
                raise ValueError(f"no %pcrel_hi at '{argument}'")
            return _low(self._far[at])
        value = self.evaluate(argument)
        if function == "%pcrel_hi":
            value -= self.pc
            self._far[self.pc] = value
        elif function not in ("%hi", "%lo"):
            raise ValueError(f"unknown function '{function}'")
        if not self.is_first and not -(1 << 31) <= value < 1 << 31:
            raise ValueError(f"{argument} is too far for {function}")
        return _low(value) if function == "%lo" else value + 0x800 >> 12 & 0xFFFFF


def _low(value: int) -> int:
    """The low twelve bits with their sign."""
    return (value & 0xFFF ^ 0x800) - 0x800
