"""What may be an identifier (QEMU util/id.c)."""

from __future__ import annotations

import re
from enum import Enum
from itertools import count

from pyqemu_edu.process import per_process

_WELLFORMED = re.compile(r"[A-Za-z][A-Za-z0-9\-._]*")


class IdSubSystems(Enum):
    """Who asks for a made-up identifier."""

    QDEV = "qdev"
    BLOCK = "block"
    CHR = "chr"
    NET = "net"


class Statics:
    def __init__(self) -> None:
        self.id_counters = {subsystem: count() for subsystem in IdSubSystems}


statics = per_process(Statics)


def id_wellformed(id: str) -> bool:
    """Whether a user may choose `id`: a letter, then letters, digits, `-`, `.` and `_`."""
    return _WELLFORMED.fullmatch(id) is not None


def id_generate(subsystem: IdSubSystems) -> str:
    """An identifier that no user can choose, `#qdev000`, as it begins with `#`.

    C ends it with two random digits, so that nobody counts on it; here they are always 00.
    """
    return f"#{subsystem.value}{next(statics().id_counters[subsystem])}00"
