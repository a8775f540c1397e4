"""Bits that need a loop: products without carry, permutations (QEMU target/riscv/bitmanip_helper.c)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pyqemu_edu.target.riscv.cpu_bits import MASK64

if TYPE_CHECKING:
    from pyqemu_edu.target.riscv.cpu_state import CPURISCVState


def carryless_product(a: int, b: int) -> int:
    """All 127 bits of the product of two polynomials over GF(2) (Not in QEMU)."""
    product = 0
    while b:
        lowest = b & -b
        product ^= a * lowest
        b ^= lowest
    return product


def helper_clmul(env: CPURISCVState, a: int, b: int) -> int:
    """Bits 63 to 0 of the product."""
    return carryless_product(a, b) & MASK64


def helper_clmulr(env: CPURISCVState, a: int, b: int) -> int:
    """Bits 126 to 63 of the product."""
    return carryless_product(a, b) >> 63


def helper_brev8(env: CPURISCVState, value: int) -> int:
    """The bits of each byte in reverse order."""
    backwards = int(f"{value:064b}"[::-1], 2)
    return int.from_bytes(backwards.to_bytes(8, "little"), "big")


def do_xperm(table: int, indices: int, size: int) -> int:
    """Fields of `size` bits: each index is replaced by the field of the table that it names, or by zero."""
    mask, result = (1 << size) - 1, 0
    for place in range(0, 64, size):
        index = indices >> place & mask
        result |= (table >> index * size & mask) << place
    return result


def helper_xperm4(env: CPURISCVState, table: int, indices: int) -> int:
    """The permutation of sixteen fields of four bits."""
    return do_xperm(table, indices, 4)


def helper_xperm8(env: CPURISCVState, table: int, indices: int) -> int:
    """The permutation of eight fields of eight bits."""
    return do_xperm(table, indices, 8)
