"""A small client of QEMU's gdb stub (Not in QEMU; the other end is gdbstub/gdbstub.c there).

The remote serial protocol: `$text#checksum`, answered by `+` and a packet of the same shape.
"""

from __future__ import annotations

import socket
import struct
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class IntegerState:
    """The 32 integer registers and the program counter of one hart."""

    x: tuple[int, ...]
    pc: int


class GdbClient:
    """Steers a stopped RISC-V machine of 64 bits over a connected socket."""

    def __init__(self, connection: socket.socket, timeout: float = 30.0) -> None:
        connection.settimeout(timeout)
        self._connection = connection
        self._stream = connection.makefile("rb")
        self.ask("?")

    def ask(self, text: str) -> str:
        """Send a packet and return the answer."""
        self._connection.sendall(f"${text}#{sum(text.encode()) & 0xFF:02x}".encode())
        return self._packet()

    def registers(self) -> IntegerState:
        """The registers of the first hart."""
        values = struct.unpack_from("<33Q", bytes.fromhex(self.ask("g")))
        return IntegerState(values[:32], values[32])

    def memory(self, address: int, size: int) -> bytes:
        """Bytes of guest memory. Raises ValueError for addresses that nothing answers."""
        reply = self.ask(f"m{address:x},{size:x}")
        if reply.startswith("E"):
            raise ValueError(f"no memory at {address:#x}")
        return bytes.fromhex(reply)

    def step(self, count: int = 1) -> None:
        """Execute `count` instructions, with interrupts held back."""
        for _ in range(count):
            self.ask("s")

    def run_to(self, address: int) -> None:
        """Run until pc is `address`. Raises ConnectionError when the guest ends before."""
        self.ask(f"Z0,{address:x},2")
        self.ask("c")
        self.ask(f"z0,{address:x},2")

    def close(self) -> None:
        """Hang up."""
        self._stream.close()
        self._connection.close()

    def _packet(self) -> str:
        while (byte := self._stream.read(1)) != b"$":
            if not byte:
                raise ConnectionError("QEMU closed the gdb connection")
        text = bytearray()
        while (byte := self._stream.read(1)) != b"#":
            text += byte
        self._stream.read(2)
        self._connection.sendall(b"+")
        return text.decode()
