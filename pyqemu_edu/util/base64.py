"""Base64 that must be nothing else (QEMU util/base64.c)."""

from __future__ import annotations

import re

from pyqemu_edu.util.error import QemuError
from pyqemu_edu.util.glib import g_base64_decode

_VALID = re.compile(rb"[A-Za-z0-9+/=\n]*")


def qbase64_decode(text: bytes) -> bytes:
    """The bytes that `text` stands for."""
    if b"\0" in text:
        raise QemuError("Base64 data contains embedded NUL characters")
    if not _VALID.fullmatch(text):
        raise QemuError("Base64 data contains invalid characters")
    return g_base64_decode(text)
