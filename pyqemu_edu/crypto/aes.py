"""AES, as far as secrets need it: chained blocks are made legible (QEMU crypto/aes.c).

A block is 16 bytes, four to a column.  In C a round is a look-up in a table; here its steps stand one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

BLOCK = 16


def times_x(byte: int) -> int:
    """Multiply by x in the field of 256 elements."""
    return byte << 1 ^ (0x11B if byte & 0x80 else 0)


def times(a: int, b: int) -> int:
    """Multiply in that field."""
    product = 0
    while b:
        product ^= a if b & 1 else 0
        a, b = times_x(a), b >> 1
    return product


@cache
def substitution() -> bytes:
    """The S-box: each element's inverse, every bit of which is mixed with four others."""
    power = [1]
    while len(power) < 255:
        power.append(times_x(power[-1]) ^ power[-1])
    inverse = {element: power[-i % 255] for i, element in enumerate(power)} | {0: 0}
    return bytes(mixed(inverse[byte]) for byte in range(256))


def mixed(byte: int) -> int:
    """What the S-box does with the inverse."""
    return 0x63 ^ byte ^ rotated(byte, 1) ^ rotated(byte, 2) ^ rotated(byte, 3) ^ rotated(byte, 4)


def rotated(byte: int, by: int) -> int:
    """The bits of a byte moved round to the left."""
    return (byte << by | byte >> 8 - by) & 0xFF


@cache
def inverse_substitution() -> bytes:
    """The S-box read backwards."""
    box = substitution()
    return bytes(box.index(byte) for byte in range(256))


def xor(a: bytes, b: bytes) -> bytes:
    """The two texts XORed byte by byte."""
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def round_keys(key: bytes) -> list[bytes]:
    """A block for each round, made of the key (QEMU `AES_set_encrypt_key`)."""
    words = [key[at : at + 4] for at in range(0, len(key), 4)]
    length, rcon = len(words), 1
    while len(words) < 4 * (length + 7):
        word = words[-1]
        if len(words) % length == 0:
            word = xor((word[1:] + word[:1]).translate(substitution()), bytes([rcon, 0, 0, 0]))
            rcon = times_x(rcon)
        elif length > 6 and len(words) % length == 4:
            word = word.translate(substitution())
        words.append(xor(words[-length], word))
    return [b"".join(words[at : at + 4]) for at in range(0, len(words), 4)]


def rows_shifted_back(block: bytes) -> bytes:
    """Row r of the block moved r columns to the right."""
    return bytes(block[(i - 4 * (i % 4)) % BLOCK] for i in range(BLOCK))


def columns_unmixed(block: bytes) -> bytes:
    """Each column multiplied by the inverse of the matrix that encryption uses."""
    return bytes(unmixed(block[at - at % 4 : at - at % 4 + 4], at % 4) for at in range(BLOCK))


def unmixed(column: bytes, row: int) -> int:
    """One byte of a column."""
    a, b, c, d = (column[(row + i) % 4] for i in range(4))
    return times(14, a) ^ times(11, b) ^ times(13, c) ^ times(9, d)


def aes_decrypt(block: bytes, keys: list[bytes]) -> bytes:
    """One block made legible (QEMU `AES_decrypt`)."""
    block = xor(block, keys[-1])
    for key in reversed(keys[:-1]):
        block = xor(rows_shifted_back(block).translate(inverse_substitution()), key)
        if key is not keys[0]:
            block = columns_unmixed(block)
    return block


def aes_cbc_decrypt(text: bytes, key: bytes, iv: bytes) -> bytes:
    """Blocks, each of which was mixed with the one before it, made legible."""
    keys = round_keys(key)

    def blocks() -> Iterator[bytes]:
        before = iv
        for at in range(0, len(text), BLOCK):
            yield xor(aes_decrypt(text[at : at + BLOCK], keys), before)
            before = text[at : at + BLOCK]

    return b"".join(blocks())
