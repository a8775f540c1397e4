"""Zknd, Zkne, Zknh, Zksed, Zksh: parts of ciphers and hashes (QEMU target/riscv/insn_trans/trans_rvk.c.inc)."""

from __future__ import annotations

from functools import reduce
from operator import xor

from pyqemu_edu.target.riscv.crypto_helper import (
    helper_aes64ds,
    helper_aes64dsm,
    helper_aes64es,
    helper_aes64esm,
    helper_aes64im,
    helper_aes64ks1i,
    helper_sm4ed,
    helper_sm4ks,
)
from pyqemu_edu.target.riscv.insn.declare import Extension
from pyqemu_edu.target.riscv.insn.formats import Byte, R, Round, Unary
from pyqemu_edu.target.riscv.insn.protocol import Machine, Value
from pyqemu_edu.target.riscv.insn.rvb import rotated_right

Zkne = Extension("Zkne", "AES encryption", needs=("zkne",))
Zknd = Extension("Zknd", "AES decryption", needs=("zknd",))
Zkne_Zknd = Extension("Zkne/Zknd", "Keys for AES", needs=("zkne", "zknd"))
Zknh = Extension("Zknh", "SHA-256 and SHA-512", needs=("zknh",))
Zksed = Extension("Zksed", "SM4", needs=("zksed",))
Zksh = Extension("Zksh", "SM3", needs=("zksh",))


def xor_of_rotations(value: Value, *distances: int, bits: int = 64) -> Value:
    """A value of `bits` bits rotated right by each distance, and these XORed together."""
    return reduce(xor, (rotated_right(value, distance, bits) for distance in distances))


# fmt: off
# ruff: noqa: D103

# AES: half a round, its last one without mixing columns

@Zkne("0011001 ..... ..... 000 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def aes64es(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_aes64es, m.x[a.rs1], m.x[a.rs2])

@Zkne("0011011 ..... ..... 000 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def aes64esm(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_aes64esm, m.x[a.rs1], m.x[a.rs2])

@Zknd("0011101 ..... ..... 000 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def aes64ds(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_aes64ds, m.x[a.rs1], m.x[a.rs2])

@Zknd("0011111 ..... ..... 000 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def aes64dsm(m: Machine, a: R) -> None: m.x[a.rd] = m.helper(helper_aes64dsm, m.x[a.rs1], m.x[a.rs2])

@Zknd("001100000000 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def aes64im(m: Machine, a: Unary) -> None: m.x[a.rd] = m.helper(helper_aes64im, m.x[a.rs1])

@Zkne_Zknd("00110001 .... ..... 001 ..... 0010011  @i_aes", "{rd}, {rs1}, {rnum}")
def aes64ks1i(m: Machine, a: Round) -> None: m.x[a.rd] = m.helper(helper_aes64ks1i, m.x[a.rs1], a.rnum)

Zkne_Zknd.reserved("00110001 1011 ----- 001 ----- 0010011")  # there are ten rounds
Zkne_Zknd.reserved("00110001 11-- ----- 001 ----- 0010011")

@Zkne_Zknd("0111111 ..... ..... 000 ..... 0110011  @r", "{rd}, {rs1}, {rs2}")
def aes64ks2(m: Machine, a: R) -> None:
    low = m.x[a.rs1] >> 32 ^ m.zext(m.x[a.rs2], 32)
    m.x[a.rd] = low | (low ^ m.x[a.rs2] >> 32) << 32


# SHA-2

@Zknh("000100000010 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def sha256sig0(m: Machine, a: Unary) -> None:
    word = m.zext(m.x[a.rs1], 32)
    m.x[a.rd] = m.sext(xor_of_rotations(word, 7, 18, bits=32) ^ word >> 3, 32)

@Zknh("000100000011 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def sha256sig1(m: Machine, a: Unary) -> None:
    word = m.zext(m.x[a.rs1], 32)
    m.x[a.rd] = m.sext(xor_of_rotations(word, 17, 19, bits=32) ^ word >> 10, 32)

@Zknh("000100000000 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def sha256sum0(m: Machine, a: Unary) -> None:
    m.x[a.rd] = m.sext(xor_of_rotations(m.zext(m.x[a.rs1], 32), 2, 13, 22, bits=32), 32)

@Zknh("000100000001 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def sha256sum1(m: Machine, a: Unary) -> None:
    m.x[a.rd] = m.sext(xor_of_rotations(m.zext(m.x[a.rs1], 32), 6, 11, 25, bits=32), 32)

@Zknh("000100000110 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def sha512sig0(m: Machine, a: Unary) -> None: m.x[a.rd] = xor_of_rotations(m.x[a.rs1], 1, 8) ^ m.x[a.rs1] >> 7

@Zknh("000100000111 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def sha512sig1(m: Machine, a: Unary) -> None: m.x[a.rd] = xor_of_rotations(m.x[a.rs1], 19, 61) ^ m.x[a.rs1] >> 6

@Zknh("000100000100 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def sha512sum0(m: Machine, a: Unary) -> None: m.x[a.rd] = xor_of_rotations(m.x[a.rs1], 28, 34, 39)

@Zknh("000100000101 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def sha512sum1(m: Machine, a: Unary) -> None: m.x[a.rd] = xor_of_rotations(m.x[a.rs1], 14, 18, 41)


# SM3 and SM4

@Zksh("000100001000 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def sm3p0(m: Machine, a: Unary) -> None:
    m.x[a.rd] = m.sext(xor_of_rotations(m.zext(m.x[a.rs1], 32), 0, 23, 15, bits=32), 32)

@Zksh("000100001001 ..... 001 ..... 0010011  @r2", "{rd}, {rs1}")
def sm3p1(m: Machine, a: Unary) -> None:
    m.x[a.rd] = m.sext(xor_of_rotations(m.zext(m.x[a.rs1], 32), 0, 17, 9, bits=32), 32)

@Zksed(".. 11000 ..... ..... 000 ..... 0110011  @k_aes", "{rd}, {rs1}, {rs2}, {bs}")
def sm4ed(m: Machine, a: Byte) -> None:
    m.x[a.rd] = m.sext(m.helper(helper_sm4ed, m.x[a.rs2], a.bs) ^ m.x[a.rs1], 32)

@Zksed(".. 11010 ..... ..... 000 ..... 0110011  @k_aes", "{rd}, {rs1}, {rs2}, {bs}")
def sm4ks(m: Machine, a: Byte) -> None:
    m.x[a.rd] = m.sext(m.helper(helper_sm4ks, m.x[a.rs2], a.bs) ^ m.x[a.rs1], 32)
