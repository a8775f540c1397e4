"""Addresses for guests that ask for one (Not in QEMU: libslirp's bootp.c; RFC 2131)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from ipaddress import IPv4Address, IPv4Network

MAGIC = bytes([0x63, 0x82, 0x53, 0x63])
HEADER = 236
BOOTREQUEST, BOOTREPLY = 1, 2

PAD, MASK, ROUTER, DNS, HOSTNAME, REQUESTED, LEASE_TIME, TYPE, SERVER, END = 0, 1, 3, 6, 12, 50, 51, 53, 54, 255
DISCOVER, OFFER, REQUEST, ACK, NAK = 1, 2, 3, 5, 6
A_DAY = 86400
CLIENTS = 16


@dataclass(eq=False)
class DhcpServer:
    """A server; `clients` has who asked, in order: each gets the next address from `start` on."""

    net: IPv4Network
    host: IPv4Address
    dns: IPv4Address
    start: IPv4Address
    hostname: str | None = None
    clients: list[bytes] = field(default_factory=list)

    def answer(self, message: bytes) -> bytes | None:
        """The answer to a message; None if there is none."""
        if len(message) < HEADER + 4 or message[0] != BOOTREQUEST or message[HEADER : HEADER + 4] != MAGIC:
            return None
        options = dict(parse_options(message[HEADER + 4 :]))
        kind = options.get(TYPE, b"\0")[:1]
        address = self.address_of(message[28:34])
        if address is None or kind not in (bytes([DISCOVER]), bytes([REQUEST])):
            return None
        wanted = options.get(REQUESTED, message[12:16] if any(message[12:16]) else address.packed)
        if kind == bytes([DISCOVER]):
            return self.reply(message, address, OFFER)
        return self.reply(message, address, ACK if wanted == address.packed else NAK)

    def address_of(self, mac: bytes) -> IPv4Address | None:
        """A client's address, always the same; None when there are no more."""
        if mac not in self.clients:
            if len(self.clients) == CLIENTS:
                return None
            self.clients.append(mac)
        return self.start + self.clients.index(mac)

    def reply(self, message: bytes, address: IPv4Address, kind: int) -> bytes:
        """A message that goes back."""
        header = bytearray(message[:HEADER])
        header[0] = BOOTREPLY
        header[16:24] = (address.packed if kind != NAK else bytes(4)) + self.host.packed
        options = option(TYPE, bytes([kind])) + option(SERVER, self.host.packed)
        if kind != NAK:
            options += option(MASK, self.net.netmask.packed) + option(ROUTER, self.host.packed)
            options += option(DNS, self.dns.packed) + option(LEASE_TIME, A_DAY.to_bytes(4, "big"))
            options += option(HOSTNAME, self.hostname.encode(errors="surrogateescape")) if self.hostname else b""
        return bytes(header) + MAGIC + options + bytes([END])


def option(number: int, data: bytes) -> bytes:
    """One option."""
    return bytes([number, len(data)]) + data


def parse_options(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The options of a message, as far as they are whole."""
    i = 0
    while i + 1 < len(data) and data[i] != END:
        if data[i] == PAD:
            i += 1
            continue
        yield data[i], data[i + 2 : i + 2 + data[i + 1]]
        i += 2 + data[i + 1]
