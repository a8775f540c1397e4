"""The values of the instruction protocol as Python ints from 0 to 2**64 - 1 (Not in QEMU)."""

from __future__ import annotations

MASK64 = (1 << 64) - 1
SIGN64 = 1 << 63


class Arithmetic:
    """The part of a `Machine` that needs no machine: what the operators of an int cannot say."""

    def signed(self, value: int) -> int:
        """The same bits, read as two's complement."""
        return (value ^ SIGN64) - SIGN64

    def sext(self, value: int, bits: int) -> int:
        """The low `bits`, sign-extended."""
        sign = 1 << bits - 1
        return (value & (sign << 1) - 1 ^ sign) - sign & MASK64

    def zext(self, value: int, bits: int) -> int:
        """The low `bits`, zero-extended."""
        return value & (1 << bits) - 1

    def select(self, condition: bool, yes: int, no: int) -> int:
        """One of two values."""
        return yes if condition else no

    def clz(self, value: int) -> int:
        """How many zeros are above the highest one."""
        return 64 - (value & MASK64).bit_length()

    def ctz(self, value: int) -> int:
        """How many zeros are below the lowest one."""
        return (value & -value).bit_length() - 1 if value else 64

    def cpop(self, value: int) -> int:
        """How many ones there are."""
        return value.bit_count()

    def bswap(self, value: int) -> int:
        """The eight bytes in reverse order."""
        return int.from_bytes(value.to_bytes(8, "little"), "big")

    def mulh(self, a: int, b: int) -> int:
        """The high half of the product of two signed numbers."""
        return self.signed(a) * self.signed(b) >> 64 & MASK64

    def mulhu(self, a: int, b: int) -> int:
        """The high half of the product of two unsigned numbers."""
        return a * b >> 64

    def mulhsu(self, a: int, b: int) -> int:
        """The high half of the product of a signed and an unsigned number."""
        return self.signed(a) * b >> 64 & MASK64

    def div(self, a: int, b: int) -> int:
        """Signed division towards zero, where Python's goes down."""
        a, b = self.signed(a), self.signed(b)
        quotient = abs(a) // abs(b)
        return (quotient if (a < 0) == (b < 0) else -quotient) & MASK64

    def rem(self, a: int, b: int) -> int:
        """The remainder of that division, which has the dividend's sign."""
        a, b = self.signed(a), self.signed(b)
        return (abs(a) % abs(b) if a >= 0 else -(abs(a) % abs(b))) & MASK64

    def divu(self, a: int, b: int) -> int:
        """Unsigned division."""
        return a // b

    def remu(self, a: int, b: int) -> int:
        """The remainder of unsigned division."""
        return a % b
