"""RV64I, the base integer instructions (QEMU target/riscv/insn_trans/trans_rvi.c.inc)."""

from __future__ import annotations

from pyqemu_edu.target.riscv.insn.declare import Extension
from pyqemu_edu.target.riscv.insn.formats import B, Empty, Fence, I, J, R, S, Shift, U
from pyqemu_edu.target.riscv.insn.protocol import Machine

insn = Extension("I", "Base integer instructions")
Zihintpause = Extension("Zihintpause", "A hint that one waits", needs=("zihintpause",))

# fmt: off
# ruff: noqa: D103

# Constants and addresses

@insn(".................... ..... 0110111  @u", "{rd}, {imm>>12}")
def lui(m: Machine, a: U) -> None: m.x[a.rd] = m.zext(a.imm, 64)

@insn(".................... ..... 0010111  @u", "{rd}, {imm>>12}")
def auipc(m: Machine, a: U) -> None: m.x[a.rd] = m.pc + a.imm

# Jumps and branches

@insn(".................... ..... 1101111  @j", "{rd}, {pc+imm}")
def jal(m: Machine, a: J) -> None: m.jump(m.pc + a.imm, link=a.rd)

@insn("............ ..... 000 ..... 1100111  @i", "{rd}, {imm}({rs1})")
def jalr(m: Machine, a: I) -> None: m.jump((m.x[a.rs1] + a.imm) & ~1, link=a.rd)

@insn("....... ..... ..... 000 ..... 1100011  @b", "{rs1}, {rs2}, {pc+imm}")
def beq(m: Machine, a: B) -> None: m.branch(m.x[a.rs1] == m.x[a.rs2], a.imm)

@insn("....... ..... ..... 001 ..... 1100011  @b", "{rs1}, {rs2}, {pc+imm}")
def bne(m: Machine, a: B) -> None: m.branch(m.x[a.rs1] != m.x[a.rs2], a.imm)

@insn("....... ..... ..... 100 ..... 1100011  @b", "{rs1}, {rs2}, {pc+imm}")
def blt(m: Machine, a: B) -> None: m.branch(m.signed(m.x[a.rs1]) < m.signed(m.x[a.rs2]), a.imm)

@insn("....... ..... ..... 101 ..... 1100011  @b", "{rs1}, {rs2}, {pc+imm}")
def bge(m: Machine, a: B) -> None: m.branch(m.signed(m.x[a.rs1]) >= m.signed(m.x[a.rs2]), a.imm)

@insn("....... ..... ..... 110 ..... 1100011  @b", "{rs1}, {rs2}, {pc+imm}")
def bltu(m: Machine, a: B) -> None: m.branch(m.x[a.rs1] < m.x[a.rs2], a.imm)

@insn("....... ..... ..... 111 ..... 1100011  @b", "{rs1}, {rs2}, {pc+imm}")
def bgeu(m: Machine, a: B) -> None: m.branch(m.x[a.rs1] >= m.x[a.rs2], a.imm)

# Loads and stores

@insn("............ ..... 000 ..... 0000011  @i", "{rd}, {imm}({rs1})")
def lb(m: Machine, a: I) -> None: m.x[a.rd] = m.load(m.x[a.rs1] + a.imm, 1)

@insn("............ ..... 001 ..... 0000011  @i", "{rd}, {imm}({rs1})")
def lh(m: Machine, a: I) -> None: m.x[a.rd] = m.load(m.x[a.rs1] + a.imm, 2)

@insn("............ ..... 010 ..... 0000011  @i", "{rd}, {imm}({rs1})")
def lw(m: Machine, a: I) -> None: m.x[a.rd] = m.load(m.x[a.rs1] + a.imm, 4)

@insn("............ ..... 011 ..... 0000011  @i", "{rd}, {imm}({rs1})")
def ld(m: Machine, a: I) -> None: m.x[a.rd] = m.load(m.x[a.rs1] + a.imm, 8)

@insn("............ ..... 100 ..... 0000011  @i", "{rd}, {imm}({rs1})")
def lbu(m: Machine, a: I) -> None: m.x[a.rd] = m.load(m.x[a.rs1] + a.imm, 1, signed=False)

@insn("............ ..... 101 ..... 0000011  @i", "{rd}, {imm}({rs1})")
def lhu(m: Machine, a: I) -> None: m.x[a.rd] = m.load(m.x[a.rs1] + a.imm, 2, signed=False)

@insn("............ ..... 110 ..... 0000011  @i", "{rd}, {imm}({rs1})")
def lwu(m: Machine, a: I) -> None: m.x[a.rd] = m.load(m.x[a.rs1] + a.imm, 4, signed=False)

@insn("....... ..... ..... 000 ..... 0100011  @s", "{rs2}, {imm}({rs1})")
def sb(m: Machine, a: S) -> None: m.store(m.x[a.rs1] + a.imm, m.x[a.rs2], 1)

@insn("....... ..... ..... 001 ..... 0100011  @s", "{rs2}, {imm}({rs1})")
def sh(m: Machine, a: S) -> None: m.store(m.x[a.rs1] + a.imm, m.x[a.rs2], 2)

@insn("....... ..... ..... 010 ..... 0100011  @s", "{rs2}, {imm}({rs1})")
def sw(m: Machine, a: S) -> None: m.store(m.x[a.rs1] + a.imm, m.x[a.rs2], 4)

@insn("....... ..... ..... 011 ..... 0100011  @s", "{rs2}, {imm}({rs1})")
def sd(m: Machine, a: S) -> None: m.store(m.x[a.rs1] + a.imm, m.x[a.rs2], 8)

# Arithmetic and logic with an immediate

@insn("............ ..... 000 ..... 0010011  @i", "{rd}, {rs1}, {imm}")
def addi(m: Machine, a: I) -> None: m.x[a.rd] = m.x[a.rs1] + a.imm

@insn("............ ..... 010 ..... 0010011  @i", "{rd}, {rs1}, {imm}")
def slti(m: Machine, a: I) -> None: m.x[a.rd] = m.signed(m.x[a.rs1]) < a.imm

@insn("............ ..... 011 ..... 0010011  @i", "{rd}, {rs1}, {imm}")
def sltiu(m: Machine, a: I) -> None: m.x[a.rd] = m.x[a.rs1] < m.zext(a.imm, 64)

@insn("............ ..... 100 ..... 0010011  @i", "{rd}, {rs1}, {imm}")
def xori(m: Machine, a: I) -> None: m.x[a.rd] = m.x[a.rs1] ^ a.imm

@insn("............ ..... 110 ..... 0010011  @i", "{rd}, {rs1}, {imm}")
def ori(m: Machine, a: I) -> None: m.x[a.rd] = m.x[a.rs1] | a.imm

@insn("............ ..... 111 ..... 0010011  @i", "{rd}, {rs1}, {imm}")
def andi(m: Machine, a: I) -> None: m.x[a.rd] = m.x[a.rs1] & a.imm

@insn("000000 ...... ..... 001 ..... 0010011  @sh", "{rd}, {rs1}, {shamt}")
def slli(m: Machine, a: Shift) -> None: m.x[a.rd] = m.x[a.rs1] << a.shamt

@insn("000000 ...... ..... 101 ..... 0010011  @sh", "{rd}, {rs1}, {shamt}")
def srli(m: Machine, a: Shift) -> None: m.x[a.rd] = m.x[a.rs1] >> a.shamt

@insn("010000 ...... ..... 101 ..... 0010011  @sh", "{rd}, {rs1}, {shamt}")
def srai(m: Machine, a: Shift) -> None: m.x[a.rd] = m.signed(m.x[a.rs1]) >> a.shamt

# Arithmetic and logic on registers

@insn("0000000 ..... ..... 000 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def add(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] + m.x[a.rs2]

@insn("0100000 ..... ..... 000 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def sub(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] - m.x[a.rs2]

@insn("0000000 ..... ..... 001 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def sll(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] << (m.x[a.rs2] & 63)

@insn("0000000 ..... ..... 010 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def slt(m: Machine, a: R) -> None: m.x[a.rd] = m.signed(m.x[a.rs1]) < m.signed(m.x[a.rs2])

@insn("0000000 ..... ..... 011 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def sltu(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] < m.x[a.rs2]

@insn("0000000 ..... ..... 100 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def xor(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] ^ m.x[a.rs2]

@insn("0000000 ..... ..... 101 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def srl(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] >> (m.x[a.rs2] & 63)

@insn("0100000 ..... ..... 101 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def sra(m: Machine, a: R) -> None: m.x[a.rd] = m.signed(m.x[a.rs1]) >> (m.x[a.rs2] & 63)

@insn("0000000 ..... ..... 110 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def or_(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] | m.x[a.rs2]

@insn("0000000 ..... ..... 111 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def and_(m: Machine, a: R) -> None: m.x[a.rd] = m.x[a.rs1] & m.x[a.rs2]

# On words: 32 bits, the result sign-extended

@insn("............ ..... 000 ..... 0011011  @i", "{rd}, {rs1}, {imm}")
def addiw(m: Machine, a: I) -> None: m.x[a.rd] = m.sext(m.x[a.rs1] + a.imm, 32)

@insn("0000000 ..... ..... 001 ..... 0011011  @sh5", "{rd}, {rs1}, {shamt}")
def slliw(m: Machine, a: Shift) -> None: m.x[a.rd] = m.sext(m.x[a.rs1] << a.shamt, 32)

@insn("0000000 ..... ..... 101 ..... 0011011  @sh5", "{rd}, {rs1}, {shamt}")
def srliw(m: Machine, a: Shift) -> None: m.x[a.rd] = m.sext(m.zext(m.x[a.rs1], 32) >> a.shamt, 32)

@insn("0100000 ..... ..... 101 ..... 0011011  @sh5", "{rd}, {rs1}, {shamt}")
def sraiw(m: Machine, a: Shift) -> None: m.x[a.rd] = m.signed(m.sext(m.x[a.rs1], 32)) >> a.shamt

@insn("0000000 ..... ..... 000 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def addw(m: Machine, a: R) -> None: m.x[a.rd] = m.sext(m.x[a.rs1] + m.x[a.rs2], 32)

@insn("0100000 ..... ..... 000 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def subw(m: Machine, a: R) -> None: m.x[a.rd] = m.sext(m.x[a.rs1] - m.x[a.rs2], 32)

@insn("0000000 ..... ..... 001 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def sllw(m: Machine, a: R) -> None: m.x[a.rd] = m.sext(m.x[a.rs1] << (m.x[a.rs2] & 31), 32)

@insn("0000000 ..... ..... 101 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def srlw(m: Machine, a: R) -> None: m.x[a.rd] = m.sext(m.zext(m.x[a.rs1], 32) >> (m.x[a.rs2] & 31), 32)

@insn("0100000 ..... ..... 101 ..... 0111011  @r", "{rd}, {rs1}, {rs2}")
def sraw(m: Machine, a: R) -> None: m.x[a.rd] = m.signed(m.sext(m.x[a.rs1], 32)) >> (m.x[a.rs2] & 31)

# The order of memory accesses: ours are sequentially consistent, so a fence has nothing to do

@insn("---- .... .... ----- 000 ----- 0001111  @fence", "{pred}, {succ}")
def fence(m: Machine, a: Fence) -> None: pass

@Zihintpause("0000 0001 0000 00000 000 00000 0001111  @empty")
def pause(m: Machine, a: Empty) -> None: m.exit()
