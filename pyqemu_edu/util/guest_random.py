"""Random numbers that a guest gets to see (QEMU util/guest-random.c).

They come from the host, unless `-seed` asks for the same ones each time: then every thread draws them from a Mersenne
twister of its own, seeded as GLib's is.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from pyqemu_edu.process import per_process
from pyqemu_edu.util.assertion import g_assert
from pyqemu_edu.util.cutils import parse_uint
from pyqemu_edu.util.error import QemuError

if TYPE_CHECKING:
    import numpy as np


class Statics:
    def __init__(self) -> None:
        self.deterministic = False
        self.thread = threading.local()


statics = per_process(Statics)


def mersenne_twister(*words: int) -> np.random.RandomState:
    """A twister that begins at these numbers, or the host's (Not in QEMU); NumPy is imported for those who ask."""
    import numpy as np

    return np.random.RandomState(np.array(words, dtype=np.uint32) if words else None)


def glib_random_bytes(len: int) -> bytes:
    """Bytes from this thread's twister; an unseeded one is seeded by the host."""
    thread = statics().thread
    if not hasattr(thread, "rand"):
        thread.rand = mersenne_twister()
    drawn: bytes = thread.rand.bytes(len)
    return drawn


def qemu_guest_getrandom_nofail(len: int) -> bytes:
    """Random bytes for the guest."""
    return glib_random_bytes(len) if statics().deterministic else os.urandom(len)


def qemu_guest_random_seed_thread_part1() -> int:
    """A seed for a thread to come, drawn by the thread that makes it; 0 if nobody needs one."""
    return int.from_bytes(glib_random_bytes(8), "little") if statics().deterministic else 0


def qemu_guest_random_seed_thread_part2(seed: int) -> None:
    """Begin this thread's numbers at `seed`."""
    where = "util/guest-random.c:82:qemu_guest_random_seed_thread_part2"
    g_assert(not hasattr(statics().thread, "rand"), where, "thread_rand == NULL")
    if statics().deterministic:
        statics().thread.rand = mersenne_twister(seed & 0xFFFFFFFF, seed >> 32)


def qemu_guest_random_seed_main(optarg: str) -> int:
    """`-seed`: the same random numbers each time; gives back where they begin."""
    try:
        seed = parse_uint(optarg)
    except (ValueError, OverflowError):
        raise QemuError(f"Invalid seed number: {optarg}") from None
    statics().deterministic = True
    qemu_guest_random_seed_thread_part2(seed)
    return seed
