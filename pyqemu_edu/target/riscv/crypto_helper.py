"""AES and SM4, whose S-boxes are computed from their definitions (QEMU target/riscv/crypto_helper.c)."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

from pyqemu_edu.target.riscv.bitmanip_helper import carryless_product

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState

AES_FIELD, SM4_FIELD = 0x11B, 0x1F5
"""The polynomials modulo which bytes are multiplied."""


@lru_cache(maxsize=1 << 16)
def field_product(a: int, b: int, field: int) -> int:
    """The product of two bytes (Not in QEMU, which has tables)."""
    product = carryless_product(a, b)
    for place in range(6, -1, -1):
        if product >> place + 8 & 1:
            product ^= field << place
    return product


def inverse(a: int, field: int) -> int:
    """The byte that makes 1 of `a`; 0 has none, and stays (Not in QEMU)."""
    return next((b for b in range(256) if field_product(a, b, field) == 1), 0)


def affine(a: int, rows: int, constant: int) -> int:
    """A byte times the matrix whose rows are `rows`, each rotated by one more, plus a constant (Not in QEMU)."""
    rotated = [(rows << i | rows >> 8 - i) & 0xFF for i in range(8)]
    return sum((a & row).bit_count() % 2 << i for i, row in enumerate(rotated)) ^ constant


@lru_cache(maxsize=1)
def aes_sbox() -> bytes:
    """The S-box: what SubBytes replaces each byte by (QEMU crypto/aes.c, `AES_sbox`)."""
    return bytes(affine(inverse(a, AES_FIELD), 0xF1, 0x63) for a in range(256))


@lru_cache(maxsize=1)
def aes_isbox() -> bytes:
    """The inverse of the S-box (QEMU crypto/aes.c, `AES_isbox`)."""
    return bytes(aes_sbox().index(a) for a in range(256))


@lru_cache(maxsize=1)
def sm4_sbox() -> bytes:
    """The S-box of SM4 (QEMU crypto/sm4.c)."""
    return bytes(affine(inverse(affine(a, 0xA7, 0xD3), SM4_FIELD), 0xA7, 0xD3) for a in range(256))


def shifted_rows(low: int, high: int, step: int) -> bytes:
    """ShiftRows of two columns: row n comes from n columns further (`step` 1) or back (-1) (Not in QEMU)."""
    state = low.to_bytes(8, "little") + high.to_bytes(8, "little")
    return bytes(state[(column + step * row) % 4 * 4 + row] for column in range(2) for row in range(4))


def mixed_columns(columns: bytes, factors: bytes) -> bytes:
    """MixColumns: each column times the matrix whose first row is `factors` (Not in QEMU)."""
    return bytes(mixed(columns[first : first + 4], row, factors) for first in (0, 4) for row in range(4))


def mixed(column: bytes, row: int, factors: bytes) -> int:
    """One byte of a column after MixColumns (Not in QEMU)."""
    result = 0
    for other, value in enumerate(column):
        result ^= field_product(value, factors[(other - row) % 4], AES_FIELD)
    return result


FORWARD, BACKWARD = bytes((2, 3, 1, 1)), bytes((14, 11, 13, 9))


def number(data: bytes) -> int:
    """Bytes as a register holds them (Not in QEMU)."""
    return int.from_bytes(data, "little")


def helper_aes64es(env: CPURISCVState, rs1: int, rs2: int) -> int:
    """Half of the last round of encryption: ShiftRows and SubBytes."""
    return number(shifted_rows(rs1, rs2, 1).translate(aes_sbox()))


def helper_aes64esm(env: CPURISCVState, rs1: int, rs2: int) -> int:
    """Half of any other round of encryption, which mixes the columns too."""
    return number(mixed_columns(shifted_rows(rs1, rs2, 1).translate(aes_sbox()), FORWARD))


def helper_aes64ds(env: CPURISCVState, rs1: int, rs2: int) -> int:
    """Half of the last round of decryption: the inverses of both."""
    return number(shifted_rows(rs1, rs2, -1).translate(aes_isbox()))


def helper_aes64dsm(env: CPURISCVState, rs1: int, rs2: int) -> int:
    """Half of any other round of decryption, which mixes the columns back too."""
    return number(mixed_columns(shifted_rows(rs1, rs2, -1).translate(aes_isbox()), BACKWARD))


def helper_aes64im(env: CPURISCVState, rs1: int) -> int:
    """Two columns of a round key, mixed back for the use in decryption."""
    return number(mixed_columns(rs1.to_bytes(8, "little"), BACKWARD))


def helper_aes64ks1i(env: CPURISCVState, rs1: int, rnum: int) -> int:
    """The word of a key that goes through the S-box; for rounds 0 to 9 rotated, and with the round's constant."""
    word = (rs1 >> 32).to_bytes(4, "little")
    constant = 0
    if rnum != 10:
        word, constant = word[1:] + word[:1], 1
        for _ in range(rnum):
            constant = field_product(constant, 2, AES_FIELD)
    return (number(word.translate(aes_sbox())) ^ constant) * (1 << 32 | 1)


def rotated_left(word: int, byte: int) -> int:
    """A word of 32 bits rotated left by so many bytes (Not in QEMU)."""
    word <<= 8 * byte
    return (word | word >> 32) & 0xFFFFFFFF


def helper_sm4ed(env: CPURISCVState, rs2: int, bs: int) -> int:
    """A byte of SM4's state through the S-box and its linear step."""
    s = sm4_sbox()[rs2 >> 8 * bs & 0xFF]
    return rotated_left(s ^ s << 2 ^ s << 8 ^ s << 18 ^ (s & 0x3F) << 26 ^ (s & 0xC0) << 10, bs)


def helper_sm4ks(env: CPURISCVState, rs2: int, bs: int) -> int:
    """A byte of a key through the S-box and the linear step of the key schedule."""
    s = sm4_sbox()[rs2 >> 8 * bs & 0xFF]
    return rotated_left(s ^ (s & 0x07) << 29 ^ (s & 0xFE) << 7 ^ (s & 0x01) << 23 ^ (s & 0xF8) << 13, bs)
