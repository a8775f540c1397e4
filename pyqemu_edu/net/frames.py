"""Packets in a stream of bytes: each with its length before it (QEMU net/net.c)."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from pyqemu_edu.net.net import NET_BUFSIZE

LENGTH = struct.Struct(">I")


class FrameTooLong(Exception):
    """The other end does not speak our language (Not in QEMU, where a function returns -1)."""


@dataclass(eq=False)
class SocketReadState:
    """What has come so far of the next packet (QEMU include/net/net.h)."""

    buf: bytearray = field(default_factory=bytearray)


def net_fill_rstate(rs: SocketReadState, buf: bytes) -> Iterator[bytes]:
    """The packets that are complete now; `FrameTooLong` if one would be larger than any can be."""
    rs.buf += buf
    while len(rs.buf) >= LENGTH.size:
        (length,) = LENGTH.unpack_from(rs.buf)
        if length > NET_BUFSIZE:
            raise FrameTooLong
        if len(rs.buf) < LENGTH.size + length:
            break
        packet = bytes(rs.buf[LENGTH.size : LENGTH.size + length])
        del rs.buf[: LENGTH.size + length]
        yield packet


def framed(packet: bytes) -> bytes:
    """A packet with its length (in QEMU a part of `net_stream_receive`)."""
    return LENGTH.pack(len(packet)) + packet
