"""The few functions of GLib whose words reach the user (Not in QEMU)."""

from __future__ import annotations

import errno
import os

from pyqemu_edu.util.error import QemuError


def g_file_get_contents(path: str) -> bytes:
    """All of a file; `QemuError` in GLib's words."""
    try:
        with open(path, "rb") as file:
            return file.read()
    except IsADirectoryError:
        raise QemuError(f"Error reading file “{path}”: {os.strerror(errno.EISDIR)}") from None
    except OSError as error:
        raise QemuError(f"Failed to open file “{path}”: {error.strerror}") from None


ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/="
BASE64 = {char: value for value, char in enumerate(ALPHABET)}


def g_base64_decode(text: bytes) -> bytes:
    """The bytes that base64 stands for; less than four characters at the end stand for nothing."""
    chars = [char for char in text if char in BASE64]
    decoded = bytearray()
    for at in range(0, len(chars) - 3, 4):
        four = chars[at : at + 4]
        bits = sum((BASE64[char] & 63) << 18 - 6 * i for i, char in enumerate(four))
        length = 3 - (four[2] == ord("=")) - (four[3] == ord("="))
        decoded += bits.to_bytes(3, "big")[:length]
    return bytes(decoded)
