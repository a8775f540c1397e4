"""Pseudo-instructions: what stands for one or several real ones (Not in QEMU).

The table gives real instructions for a name and a number of operands, `{0}` being the first operand.
`%pcrel_lo(.-4)` is the low part of the address whose high part the `auipc` four bytes before has added.
"""

from __future__ import annotations

FAR = "auipc {0}, %pcrel_hi({1})"

# fmt: off
PSEUDO: dict[tuple[str, int], tuple[str, ...]] = {
    ("nop", 0):    ("addi x0, x0, 0",),
    ("mv", 2):     ("addi {0}, {1}, 0",),
    ("move", 2):   ("addi {0}, {1}, 0",),
    ("not", 2):    ("xori {0}, {1}, -1",),
    ("neg", 2):    ("sub {0}, x0, {1}",),
    ("negw", 2):   ("subw {0}, x0, {1}",),
    ("sext.w", 2): ("addiw {0}, {1}, 0",),
    ("zext.b", 2): ("andi {0}, {1}, 255",),
    ("zext.w", 2): ("slli {0}, {1}, 32", "srli {0}, {0}, 32"),
    ("seqz", 2):   ("sltiu {0}, {1}, 1",),
    ("snez", 2):   ("sltu {0}, x0, {1}",),
    ("sltz", 2):   ("slt {0}, {1}, x0",),
    ("sgtz", 2):   ("slt {0}, x0, {1}",),
    ("sgt", 3):    ("slt {0}, {2}, {1}",),
    ("sgtu", 3):   ("sltu {0}, {2}, {1}",),

    ("beqz", 2):   ("beq {0}, x0, {1}",),
    ("bnez", 2):   ("bne {0}, x0, {1}",),
    ("blez", 2):   ("bge x0, {0}, {1}",),
    ("bgez", 2):   ("bge {0}, x0, {1}",),
    ("bltz", 2):   ("blt {0}, x0, {1}",),
    ("bgtz", 2):   ("blt x0, {0}, {1}",),
    ("bgt", 3):    ("blt {1}, {0}, {2}",),
    ("ble", 3):    ("bge {1}, {0}, {2}",),
    ("bgtu", 3):   ("bltu {1}, {0}, {2}",),
    ("bleu", 3):   ("bgeu {1}, {0}, {2}",),

    ("j", 1):      ("jal x0, {0}",),
    ("jal", 1):    ("jal ra, {0}",),
    ("jr", 1):     ("jalr x0, {0}",),
    ("jr", 2):     ("jalr x0, {0}, {1}",),
    ("jalr", 1):   ("jalr ra, {0}",),
    ("jalr", 2):   ("jalr {0}, 0({1})",),
    ("jalr", 3):   ("jalr {0}, {2}({1})",),
    ("ret", 0):    ("jalr x0, 0(ra)",),
    ("call", 1):   ("auipc ra, %pcrel_hi({0})", "jalr ra, %pcrel_lo(.-4)(ra)"),
    ("call", 2):   ("auipc t1, %pcrel_hi({1})", "jalr {0}, %pcrel_lo(.-4)(t1)"),
    ("tail", 1):   ("auipc t1, %pcrel_hi({0})", "jalr x0, %pcrel_lo(.-4)(t1)"),

    ("sfence.vma", 0): ("sfence.vma x0, x0",),
    ("sfence.vma", 1): ("sfence.vma {0}, x0",),

    ("la", 2):     (FAR, "addi {0}, {0}, %pcrel_lo(.-4)"),
    ("lla", 2):    (FAR, "addi {0}, {0}, %pcrel_lo(.-4)"),
    **{(load, 2):  (FAR, load + " {0}, %pcrel_lo(.-4)({0})")
       for load in ("lb", "lh", "lw", "ld", "lbu", "lhu", "lwu")},
    **{(store, 3): ("auipc {2}, %pcrel_hi({1})", store + " {0}, %pcrel_lo(.-4)({2})")
                                                                         for store in ("sb", "sh", "sw", "sd")},

    **{(f"{load}", 3): ("auipc {2}, %pcrel_hi({1})", load + " {0}, %pcrel_lo(.-4)({2})")
       for load in ("flh", "flw", "fld", "fsh", "fsw", "fsd")},

    **{(f"{short}.{fmt}", 2): (f"{long}.{fmt} {{0}}, {{1}}, {{1}}",)
       for short, long in (("fmv", "fsgnj"), ("fneg", "fsgnjn"), ("fabs", "fsgnjx")) for fmt in "hsd"},
    **{(f"f{greater}.{fmt}", 3): (f"f{less}.{fmt} {{0}}, {{2}}, {{1}}",)
       for greater, less in (("gt", "lt"), ("ge", "le")) for fmt in "hsd"},
    ("fmv.x.s", 2): ("fmv.x.w {0}, {1}",),
    ("fmv.s.x", 2): ("fmv.w.x {0}, {1}",),
    **{(f"fr{csr}", 1):  (f"csrrs {{0}}, {name}, x0",)
       for csr, name in (("csr", "fcsr"), ("rm", "frm"), ("flags", "fflags"))},
    **{(f"fs{csr}", 1):  (f"csrrw x0, {name}, {{0}}",)
       for csr, name in (("csr", "fcsr"), ("rm", "frm"), ("flags", "fflags"))},
    **{(f"fs{csr}", 2):  (f"csrrw {{0}}, {name}, {{1}}",)
       for csr, name in (("csr", "fcsr"), ("rm", "frm"), ("flags", "fflags"))},
    **{(f"fs{csr}i", 1): (f"csrrwi x0, {name}, {{0}}",) for csr, name in (("rm", "frm"), ("flags", "fflags"))},
    **{(f"fs{csr}i", 2): (f"csrrwi {{0}}, {name}, {{1}}",) for csr, name in (("rm", "frm"), ("flags", "fflags"))},

    ("csrr", 2):   ("csrrs {0}, {1}, x0",),
    ("csrw", 2):   ("csrrw x0, {0}, {1}",),
    ("csrs", 2):   ("csrrs x0, {0}, {1}",),
    ("csrc", 2):   ("csrrc x0, {0}, {1}",),
    ("csrwi", 2):  ("csrrwi x0, {0}, {1}",),
    ("csrsi", 2):  ("csrrsi x0, {0}, {1}",),
    ("csrci", 2):  ("csrrci x0, {0}, {1}",),
    ("rdcycle", 1):   ("csrrs {0}, cycle, x0",),
    ("rdtime", 1):    ("csrrs {0}, time, x0",),
    ("rdinstret", 1): ("csrrs {0}, instret, x0",),

    ("fence", 0):  ("fence iorw, iorw",),
    ("unimp", 0):  ("csrrw x0, cycle, x0",),
    ("c.nop", 0):  ("c.addi x0, 0",),
}

IMMEDIATE = {
    "add": "addi", "addw": "addiw", "and": "andi", "or": "ori", "xor": "xori", "slt": "slti", "sltu": "sltiu",
    "sll": "slli", "ror": "rori", "rorw": "roriw", "bclr": "bclri", "bext": "bexti", "binv": "binvi", "bset": "bseti",
     "srl": "srli", "sra": "srai", "sllw": "slliw", "srlw": "srliw", "sraw": "sraiw",
    "csrrw": "csrrwi", "csrrs": "csrrsi", "csrrc": "csrrci",
}
"""Where the last operand is no register, the instruction with an immediate is meant."""
# fmt: on


def load_constant(register: str, value: int) -> list[str]:
    """`li`: the instructions that GNU as chooses to build a constant of 64 bits."""
    value = _signed(value, 64)
    if -2048 <= value < 2048:
        return [f"addi {register}, x0, {value}"]
    return _load_constant(register, value)


def _load_constant(register: str, value: int) -> list[str]:
    """A constant of 32 bits is `lui` and `addiw`; a longer one is a shorter one, shifted, plus its low twelve bits."""
    low = _signed(value, 12)
    if -(1 << 31) <= value < 1 << 31:
        high = value - low >> 12 & 0xFFFFF
        upper = [f"lui {register}, {high}"] if high else []
        base = register if high else "x0"
        lower = [f"addiw {register}, {base}, {low}"] if low or not high else []
        return upper + lower
    rest = _signed(value - low, 64)
    shift = max(12, (rest & -rest).bit_length() - 1)
    lower = [f"addi {register}, {register}, {low}"] if low else []
    return [*_load_constant(register, rest >> shift), f"slli {register}, {register}, {shift}", *lower]


def _signed(value: int, bits: int) -> int:
    value &= (1 << bits) - 1
    return value - (value >> bits - 1 << bits)
