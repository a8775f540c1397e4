"""Frames of Ethernet, and the few protocols inside that a gateway answers (Not in QEMU: libslirp)."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass

ETH_IPV4, ETH_ARP = 0x0800, 0x0806
ICMP, UDP = 1, 17
ETH_ZLEN = 60

ARP = struct.Struct(">HHBBH6s4s6s4s")
ARP_REQUEST, ARP_REPLY = 1, 2
ICMP_ECHO = 8


@dataclass(frozen=True, slots=True)
class Ethernet:
    """A frame."""

    destination: bytes
    source: bytes
    type: int
    payload: bytes

    @staticmethod
    def parse(frame: bytes) -> Ethernet | None:
        """The parts of a frame; None for one that is too short."""
        if len(frame) < 14:
            return None
        return Ethernet(frame[:6], frame[6:12], int.from_bytes(frame[12:14], "big"), frame[14:])

    def bytes(self) -> bytes:
        """The frame, as long as a frame must be."""
        return (self.destination + self.source + self.type.to_bytes(2, "big") + self.payload).ljust(ETH_ZLEN, b"\0")


@dataclass(frozen=True, slots=True)
class IPv4:
    """A packet inside."""

    protocol: int
    source: bytes
    destination: bytes
    payload: bytes

    @staticmethod
    def parse(data: bytes) -> IPv4 | None:
        """The parts of a packet; None for what is none, or only a piece of one."""
        if len(data) < 20 or data[0] >> 4 != 4:
            return None
        header, total = (data[0] & 15) * 4, int.from_bytes(data[2:4], "big")
        fragment = int.from_bytes(data[6:8], "big") & 0x3FFF
        whole = 20 <= header <= total <= len(data) and not fragment
        if not whole or checksum(data[:header]) != b"\0\0":
            return None
        return IPv4(data[9], data[12:16], data[16:20], data[header:total])

    @property
    def destination_port(self) -> int:
        """To which service; 0 if there is no room for a number."""
        return int.from_bytes(self.payload[2:4], "big") if len(self.payload) >= 8 else 0

    def bytes(self) -> bytes:
        """The packet with its header."""
        length = 20 + len(self.payload)
        header = struct.pack(">BBHHHBBH", 0x45, 0, length, 0, 0, 64, self.protocol, 0) + self.source + self.destination
        return header[:10] + checksum(header) + header[12:] + self.payload


def checksum(data: bytes) -> bytes:
    """The Internet's checksum: what makes the sum of all words come to 0 (RFC 1071)."""
    data += b"\0" * (len(data) % 2)
    total: int = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return (int(total) ^ 0xFFFF).to_bytes(2, "big")


def arp_reply(frame: Ethernet, ours: set[bytes], mac_of: Callable[[bytes], bytes]) -> bytes | None:
    """Who has this address? We have (RFC 826)."""
    if len(frame.payload) < ARP.size:
        return None
    kind, protocol, hlen, plen, operation, sender, sender_ip, _, target_ip = ARP.unpack_from(frame.payload)
    if operation != ARP_REQUEST or target_ip not in ours:
        return None
    mac = mac_of(target_ip)
    payload = ARP.pack(kind, protocol, hlen, plen, ARP_REPLY, mac, target_ip, sender, sender_ip)
    return Ethernet(frame.source, mac, ETH_ARP, payload).bytes()


def icmp_echo_reply(frame: Ethernet, packet: IPv4) -> bytes | None:
    """A ping comes back (RFC 792)."""
    if len(packet.payload) < 8 or packet.payload[0] != ICMP_ECHO:
        return None
    message = bytes(4) + packet.payload[4:]
    message = message[:2] + checksum(message) + message[4:]
    back = IPv4(ICMP, packet.destination, packet.source, message)
    return Ethernet(frame.source, frame.destination, ETH_IPV4, back.bytes()).bytes()


def udp_packet(
    to_mac: bytes, from_mac: bytes, source: bytes, destination: bytes, from_port: int, to_port: int, data: bytes
) -> bytes:
    """A datagram in a packet in a frame; its checksum is left out, as is allowed (RFC 768)."""
    payload = struct.pack(">HHHH", from_port, to_port, 8 + len(data), 0) + data
    return Ethernet(to_mac, from_mac, ETH_IPV4, IPv4(UDP, source, destination, payload).bytes()).bytes()
