"""Addresses of network cards (QEMU net/util.c)."""

from __future__ import annotations

import re

from pyqemu_edu.util.error import QemuError

SIX_BYTES = re.compile(r"[:-]".join([r"\s*([+-]?(?:0x)?[0-9a-f]*)"] * 6), re.IGNORECASE)
OWN_PREFIX = bytes([0, 0, 0])


def net_parse_macaddr(text: str) -> bytes:
    """Six numbers in hexadecimal, or one of 24 bits for the last three bytes.  `QemuError`."""
    if re.fullmatch(r"(0x[0-9a-fA-F]+|\d+)", text) and int(text, 0) <= 0xFFFFFF:
        return OWN_PREFIX + int(text, 0).to_bytes(3, "big")
    match = SIX_BYTES.fullmatch(text)
    if match is None:
        raise QemuError("invalid syntax for ethernet address")
    return bytes(int(part or "0", 16) & 0xFF for part in match.groups())


def is_multicast_ether_addr(macaddr: bytes) -> bool:
    """Whether it means several cards (QEMU include/net/eth.h)."""
    return bool(macaddr[0] & 1)
