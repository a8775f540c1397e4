"""C, compressed instructions: short spellings of full ones, sharing their meaning (QEMU target/riscv/insn16.decode)."""

from __future__ import annotations

from pyqemu_edu.fpu.parts import FLOAT64
from pyqemu_edu.target.riscv.insn.declare import Extension
from pyqemu_edu.target.riscv.insn.privileged import ebreak
from pyqemu_edu.target.riscv.insn.rvf import flwidth, fswidth
from pyqemu_edu.target.riscv.insn.rvi import (
    add,
    addi,
    addiw,
    addw,
    and_,
    andi,
    beq,
    bne,
    jal,
    jalr,
    ld,
    lui,
    lw,
    or_,
    sd,
    slli,
    srai,
    srli,
    sub,
    subw,
    sw,
    xor,
)

C = Extension("C", "Compressed instructions", needs=("C",))
Zcd = Extension("Zcd", "Compressed loads and stores of doubles", needs=("C D",), fpu=True)
short, reserved = C.short, C.reserved

# fmt: off
# Quadrant 0
short("c.addi4spn", "000 ........ ... 00          @ciw",     addi,   "{rd}, sp, {imm}")
short("c.lw",       "010 ... ... .. ... 00        @cl_w",    lw,     "{rd}, {imm}({rs1})")
short("c.ld",       "011 ... ... .. ... 00        @cl_d",    ld,     "{rd}, {imm}({rs1})")
short("c.sw",       "110 ... ... .. ... 00        @cs_w",    sw,     "{rs2}, {imm}({rs1})")
short("c.sd",       "111 ... ... .. ... 00        @cs_d",    sd,     "{rs2}, {imm}({rs1})")
reserved(           "000 00000000 --- 00")  # c.addi4spn of nothing; all zeros

# Quadrant 1
short("c.addi",     "000 . ..... ..... 01         @ci",      addi,   "{rd}, {imm}")
short("c.addiw",    "001 . ..... ..... 01         @ci",      addiw,  "{rd}, {imm}")
short("c.li",       "010 . ..... ..... 01         @ci_li",   addi,   "{rd}, {imm}")
short("c.addi16sp", "011 . 00010 ..... 01         @ci_16sp", addi,   "sp, {imm}")
short("c.lui",      "011 . ..... ..... 01         @ci_lui",  lui,    "{rd}, {imm>>12}")
short("c.srli",     "100 . 00 ... ..... 01        @cb_sh",   srli,   "{rd}, {shamt}")
short("c.srai",     "100 . 01 ... ..... 01        @cb_sh",   srai,   "{rd}, {shamt}")
short("c.andi",     "100 . 10 ... ..... 01        @cb_andi", andi,   "{rd}, {imm}")
short("c.sub",      "100011 ... 00 ... 01         @ca",      sub,    "{rd}, {rs2}")
short("c.xor",      "100011 ... 01 ... 01         @ca",      xor,    "{rd}, {rs2}")
short("c.or",       "100011 ... 10 ... 01         @ca",      or_,    "{rd}, {rs2}")
short("c.and",      "100011 ... 11 ... 01         @ca",      and_,   "{rd}, {rs2}")
short("c.subw",     "100111 ... 00 ... 01         @ca",      subw,   "{rd}, {rs2}")
short("c.addw",     "100111 ... 01 ... 01         @ca",      addw,   "{rd}, {rs2}")
short("c.j",        "101 ........... 01           @cj",      jal,    "{pc+imm}")
short("c.beqz",     "110 ... ... ..... 01         @cb",      beq,    "{rs1}, {pc+imm}")
short("c.bnez",     "111 ... ... ..... 01         @cb",      bne,    "{rs1}, {pc+imm}")
reserved(           "001 - 00000 ----- 01")  # c.addiw to x0
reserved(           "011 0 ----- 00000 01")  # c.addi16sp, c.lui of nothing

# Quadrant 2
short("c.slli",     "000 . ..... ..... 10         @ci_sh",   slli,   "{rd}, {shamt}")
short("c.lwsp",     "010 . ..... ..... 10         @ci_lwsp", lw,     "{rd}, {imm}(sp)")
short("c.ldsp",     "011 . ..... ..... 10         @ci_ldsp", ld,     "{rd}, {imm}(sp)")
short("c.jr",       "1000 ..... 00000 10          @cr_jr",   jalr,   "{rs1}")
short("c.mv",       "1000 ..... ..... 10          @cr_mv",   addi,   "{rd}, {rs1}")  # in the manual: add
short("c.ebreak",   "1001 00000 00000 10          @c_empty", ebreak, "")
short("c.jalr",     "1001 ..... 00000 10          @cr_jalr", jalr,   "{rs1}")
short("c.add",      "1001 ..... ..... 10          @cr",      add,    "{rd}, {rs2}")
short("c.swsp",     "110 ...... ..... 10          @css_w",   sw,     "{rs2}, {imm}(sp)")
short("c.sdsp",     "111 ...... ..... 10          @css_d",   sd,     "{rs2}, {imm}(sp)")
reserved(           "010 - 00000 ----- 10")  # c.lwsp to x0
reserved(           "011 - 00000 ----- 10")  # c.ldsp to x0
reserved(           "1000 00000 00000 10")  # c.jr to x0

# Doubles
fld, fsd = flwidth[FLOAT64], fswidth[FLOAT64]
Zcd.short("c.fld",   "001 ... ... .. ... 00   @cl_d",    fld, "{frd}, {imm}({rs1})")
Zcd.short("c.fsd",   "101 ... ... .. ... 00   @cs_d",    fsd, "{frs2}, {imm}({rs1})")
Zcd.short("c.fldsp", "001 . ..... ..... 10    @ci_ldsp", fld, "{frd}, {imm}(sp)")
Zcd.short("c.fsdsp", "101 ...... ..... 10     @css_d",   fsd, "{frs2}, {imm}(sp)")
# fmt: on
