"""Bytes that lie in several pieces, as a device finds a guest's buffers (QEMU util/iov.c, include/qemu/iov.h)."""

from __future__ import annotations

from collections.abc import Sequence

IOVec = Sequence[memoryview]
"""The pieces in order."""


def iov_size(iov: IOVec) -> int:
    """The number of bytes in all."""
    return sum(map(len, iov))


def iov_to_buf(iov: IOVec, offset: int, length: int) -> bytes:
    """Up to `length` bytes from `offset` on."""
    out = bytearray()
    for piece in iov:
        if offset >= len(piece):
            offset -= len(piece)
            continue
        out += piece[offset : offset + length - len(out)]
        offset = 0
        if len(out) >= length:
            break
    return bytes(out)


def iov_from_buf(iov: IOVec, offset: int, buf: bytes | memoryview) -> int:
    """Store bytes from `offset` on; how many there was room for."""
    done = 0
    for piece in iov:
        if offset >= len(piece):
            offset -= len(piece)
            continue
        step = min(len(piece) - offset, len(buf) - done)
        piece[offset : offset + step] = buf[done : done + step]
        done, offset = done + step, 0
        if done == len(buf):
            break
    return done


def iov_discard_front(iov: IOVec, length: int) -> list[memoryview]:
    """The pieces without their first `length` bytes; C changes the array and says how many it took off."""
    rest = []
    for piece in iov:
        if length < len(piece):
            rest.append(piece[length:])
        length = max(length - len(piece), 0)
    return rest


def iov_discard_back(iov: IOVec, length: int) -> list[memoryview]:
    """The pieces without their last `length` bytes."""
    rest = []
    for piece in reversed(iov):
        if length < len(piece):
            rest.append(piece[: len(piece) - length])
        length = max(length - len(piece), 0)
    return rest[::-1]
