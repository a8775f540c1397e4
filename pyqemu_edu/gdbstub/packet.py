"""Packets: `$text#checksum`, escaped and with repeats, byte by byte (QEMU gdbstub/gdbstub.c)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import Enum

MAX_PACKET_LENGTH = 4096
HEX_DIGITS = b"0123456789abcdefABCDEF"
ESCAPED = b"#$}"


class RSState(Enum):
    """Where in a packet the reader is."""

    IDLE = "between packets"
    GETLINE = "in the text"
    GETLINE_ESC = "behind a }"
    GETLINE_RLE = "behind a *"
    CHKSUM1 = "behind the #"
    CHKSUM2 = "behind the first digit"


@dataclass(eq=False)
class PacketReader:
    """Puts packets together; `on_packet` gets the text of each, `acknowledge` the byte that says how it arrived."""

    on_packet: Callable[[str], None]
    acknowledge: Callable[[bytes], None]
    state: RSState = RSState.IDLE
    line_buf: bytearray = field(default_factory=bytearray)
    line_sum: int = 0
    line_csum: int = 0

    def feed(self, ch: int) -> None:
        """One more byte (in QEMU the greater part of `gdb_read_byte`)."""
        STEPS[self.state](self, ch)

    def keep(self, data: bytes) -> None:
        """More of the text; too much of it is forgotten."""
        self.state = RSState.GETLINE
        if len(self.line_buf) + len(data) >= MAX_PACKET_LENGTH:
            self.state = RSState.IDLE
        else:
            self.line_buf += data


def idle(r: PacketReader, ch: int) -> None:
    """A packet begins, or it is garbage."""
    if ch == ord("$"):
        r.line_buf.clear()
        r.line_sum = 0
        r.state = RSState.GETLINE


def getline(r: PacketReader, ch: int) -> None:
    """A byte of the text."""
    if ch == ord("#"):
        r.state = RSState.CHKSUM1
        return
    r.line_sum += ch
    if ch == ord("}"):
        r.state = RSState.GETLINE_ESC
    elif ch == ord("*"):
        r.state = RSState.GETLINE_RLE
    else:
        r.keep(bytes([ch]))


def getline_esc(r: PacketReader, ch: int) -> None:
    """A byte that would have a meaning of its own."""
    if ch == ord("#"):
        r.state = RSState.CHKSUM1
        return
    r.line_sum += ch
    r.keep(bytes([ch ^ 0x20]))


def getline_rle(r: PacketReader, ch: int) -> None:
    """How often the last byte comes again."""
    r.state = RSState.GETLINE
    if ch < ord(" ") or ch in b"#$" or ch > 126 or not r.line_buf:
        return
    r.line_sum += ch
    r.keep(bytes(r.line_buf[-1:]) * (ch - ord(" ") + 3))


def chksum1(r: PacketReader, ch: int) -> None:
    """The checksum's first digit."""
    if ch not in HEX_DIGITS:
        r.state = RSState.GETLINE
        return
    r.line_csum = int(chr(ch), 16) << 4
    r.state = RSState.CHKSUM2


def chksum2(r: PacketReader, ch: int) -> None:
    """The checksum's second digit: the packet is there."""
    if ch not in HEX_DIGITS:
        r.state = RSState.GETLINE
        return
    r.state = RSState.IDLE
    if r.line_csum | int(chr(ch), 16) != r.line_sum & 0xFF:
        r.acknowledge(b"-")
        return
    r.acknowledge(b"+")
    r.on_packet(r.line_buf.split(b"\0")[0].decode("latin-1"))


STEPS: dict[RSState, Callable[[PacketReader, int], None]] = {
    RSState.IDLE: idle,
    RSState.GETLINE: getline,
    RSState.GETLINE_ESC: getline_esc,
    RSState.GETLINE_RLE: getline_rle,
    RSState.CHKSUM1: chksum1,
    RSState.CHKSUM2: chksum2,
}


def packet(text: bytes) -> bytes:
    """A text as a packet (QEMU `put_packet_binary`)."""
    return b"$%b#%02x" % (text, sum(text) & 0xFF)


def memtox(data: bytes) -> bytes:
    """Bytes as they may stand in a packet."""
    return b"".join(b"}" + bytes([byte ^ 0x20]) if byte in ESCAPED else bytes([byte]) for byte in data)
