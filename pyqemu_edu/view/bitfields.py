"""An instruction as bits: which say what it is, and which hold its operands (Not in QEMU)."""

from __future__ import annotations

from pyqemu_edu.target.riscv.insn.declare import Instruction
from pyqemu_edu.target.riscv.insn.formats import Piece
from pyqemu_edu.view import palette
from pyqemu_edu.view.drawing import Drawing, fit
from pyqemu_edu.view.figure import Figure, columns

LEFT, TOP, TALL = 20, 42, 44


def bit_fields(instruction: Instruction, word: int | None = None) -> Figure:
    """The drawing of an instruction; with `word`, that word's bits and operands."""
    bits = instruction.length * 8
    wide = (palette.WIDTH - 2 * LEFT) / bits
    drawing = Drawing(palette.WIDTH, TOP + TALL + 36)
    title = f"{instruction.name} {instruction.form}" + (f" = {word:#0{bits // 4 + 2}x}" if word is not None else "")
    drawing.text(LEFT, 18, title, bold=True)
    pieces = instruction.format.pieces
    operands = list(dict.fromkeys(name for piece in pieces for name in piece.names))
    for piece in pieces:
        x, width = LEFT + (bits - 1 - piece.high) * wide, (piece.high - piece.low + 1) * wide
        draw_piece(drawing, instruction, piece, operands, word, x, width, wide)
    values = instruction.operands(word)._asdict() if word is not None else {}
    told = ", ".join(f"{name} = {value}" for name, value in values.items())
    drawing.text(LEFT, TOP + TALL + 24, told or "no word given: operands are shown as dots", colour=palette.SOFT)
    rows = [(f"{p.high}:{p.low}", field_name(p), bits_of(instruction, p, word)) for p in pieces]
    words = "\n".join(part for part in (title, columns(rows, ("bits", "field", "value")), told) if part)
    return Figure(title, words, svg=drawing.svg(title, f"{len(pieces)} fields; {told}"))


def field_name(piece: Piece) -> str:
    """What a field is called, with the bits of the operand that it holds if they are not all: `imm[10:5]`."""
    plain, bracket, _ = piece.label.partition("[")
    if not bracket:
        return plain
    high = piece.shift + piece.high - piece.low
    return f"{plain}[{high}]" if piece.high == piece.low else f"{plain}[{high}:{piece.shift}]"


def bits_of(instruction: Instruction, piece: Piece, word: int | None) -> str:
    """The bits of one field, highest first; a dot for one that is not known."""
    shown = ""
    for bit in range(piece.high, piece.low - 1, -1):
        fixed = instruction.mask >> bit & 1
        source = instruction.match if fixed else word
        shown += "." if source is None else str(source >> bit & 1)
    return shown


def draw_piece(
    drawing: Drawing,
    instruction: Instruction,
    piece: Piece,
    operands: list[str],
    word: int | None,
    x: float,
    width: float,
    wide: float,
) -> None:
    """One field: numbers of its outer bits, its bits, its name."""
    tint = palette.tint(operands.index(piece.names[0])) if piece.names else palette.GREY
    drawing.box(x, TOP, width, TALL, tint, round=2, title=f"bits {piece.high} to {piece.low}: {field_name(piece)}")
    drawing.text(x + 2, TOP - 4, str(piece.high), size=9, colour=palette.SOFT)
    if piece.high > piece.low:
        drawing.text(x + width - 2, TOP - 4, str(piece.low), size=9, colour=palette.SOFT, anchor="end")
    for number, bit in enumerate(bits_of(instruction, piece, word)):
        drawing.text(x + wide * (number + 0.5), TOP + 18, bit, anchor="middle", bold=not piece.names)
    name = field_name(piece)
    label = fit(name[name.find("[") :] if wide == width and "[" in name else name, width - 2, 10)
    drawing.text(x + width / 2, TOP + 36, label, size=10, anchor="middle", colour=tint.edge)
